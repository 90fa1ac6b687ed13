//! The instructions of the main steps, counted by valgrind's callgrind, beside those that were counted before (`tests/speed/counts.toml`).
//!
//! Time on a shared machine says little; instructions are the same to a thousandth from run to run, so that a step that became slower by a few
//! per cent fails here. They say nothing of memory and of the disk: that is what `cargo xtask bench` is for.
//!
//! The counts belong to one kind of processor. Valgrind 3.19 shows a program a Haswell, whatever it runs on: with AES-NI, PCLMULQDQ and AVX2,
//! without the SHA extensions. So AES-GCM, curves and ML-KEM go as on any processor of the last ten years, but SHA-256 goes the long way: it
//! weighs more here than in time. On a processor without AVX2, and under another architecture, the counts would be others.
//!
//! It knows no step: `sesame-speed counts` says which of its measured steps make which figure.

use crate::{bindings::target, root, tools};
use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, process::Command};

/// How far a count may lie from the one before, in per cent. Two runs differ by a tenth of one, two builds of the same code by less than one.
const TOLERANCE: f64 = 2.0;
const BASELINE: &str = "tests/speed/counts.toml";

/// Instructions an item, by figure.
type Counts = BTreeMap<String, u64>;

/// Why nothing can be counted here.
pub(crate) fn missing() -> Option<&'static str> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Some("the counts that it compares with are of x86-64, Linux");
    }
    (!tools::starts("valgrind")).then_some("there is no valgrind")
}

/// Counts, prints, and fails where something takes more instructions than before. With `SESAME_BLESS=1` it writes the baseline anew.
pub(crate) fn check() -> Result<(), String> {
    if let Some(reason) = missing() {
        return Err(reason.to_owned());
    }
    let counts = count()?;
    let path = root().join(BASELINE);
    if std::env::var("SESAME_BLESS").is_ok_and(|bless| bless == "1") {
        return fs::write(path, write(&counts)).map_err(|error| error.to_string());
    }
    let before = read(&fs::read_to_string(path).map_err(|error| format!("{BASELINE}: {error}"))?)?;
    let (table, verdict) = compare(&before, &counts);
    print!("{table}");
    verdict
}

fn count() -> Result<Counts, String> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "-q", "--release", "-p", "sesame-speed"]).current_dir(root());
    crate::finish(cargo)?;
    let folder = target().join("counts");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let out = folder.join("callgrind");
    // Only inside of `clock::measured`, and written down after each step (`--dump-after` of that function writes nothing).
    let done = Command::new("valgrind")
        .args(["-q", "--tool=callgrind", "--collect-atstart=no"])
        .args(["--toggle-collect=*clock::measured*", "--dump-before=*clock::noted*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(target().join("release/sesame-speed"))
        .arg("counts")
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    if !done.status.success() {
        return Err(format!("sesame-speed under valgrind ended with {}", done.status));
    }
    let counts = gather(&String::from_utf8_lossy(&done.stdout), &out)?;
    fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    Ok(counts)
}

/// The counts of the figures that the program has named, each line `first last items name`: steps from `first` on, `last` not among them.
fn gather(printed: &str, out: &Path) -> Result<Counts, String> {
    let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for line in printed.lines() {
        let mut words = line.splitn(4, ' ');
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
        let (Some(first), Some(last), Some(items)) = (number(), number(), number()) else {
            return Err(format!("sesame-speed says {line:?}"));
        };
        let (instructions, of_all) = sums.entry(words.next().unwrap_or_default().to_owned()).or_default();
        for step in first..last {
            // Parts are numbered from 1.
            let path = format!("{}.{}", out.display(), step + 1);
            let part = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
            let total = part.lines().find_map(|line| line.strip_prefix("totals: ")?.parse::<u64>().ok());
            *instructions += total.filter(|total| *total > 0).ok_or_else(|| format!("{path} has counted nothing"))?;
        }
        *of_all += items;
    }
    if sums.is_empty() {
        return Err("sesame-speed has counted nothing".to_owned());
    }
    Ok(sums.into_iter().map(|(name, (instructions, items))| (name, instructions / items.max(1))).collect())
}

fn read(baseline: &str) -> Result<Counts, String> {
    let lines = baseline.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = |line: &str| {
        let (name, count) = line.split_once(" = ")?;
        Some((name.trim_matches('"').to_owned(), count.replace('_', "").parse().ok()?))
    };
    lines.map(|text| line(text).ok_or_else(|| format!("{BASELINE}: {text:?}"))).collect()
}

fn write(counts: &Counts) -> String {
    let mut baseline =
        "# Instructions an item, as callgrind counts them.\n# Written by `SESAME_BLESS=1 cargo xtask score counts`.\n"
            .to_owned();
    for (name, count) in counts {
        let _ = writeln!(baseline, "{name:?} = {count}");
    }
    baseline
}

/// A table of both, and what follows from it.
fn compare(before: &Counts, now: &Counts) -> (String, Result<(), String>) {
    let (mut table, mut more, mut less) = (String::new(), Vec::new(), false);
    for name in before.keys().chain(now.keys().filter(|name| !before.contains_key(*name))) {
        let (Some(was), Some(is)) = (before.get(name), now.get(name)) else {
            more.push(format!("{name} is not in both"));
            continue;
        };
        let change = (*is as f64 / *was as f64 - 1.0) * 100.0;
        let _ = writeln!(table, "{name:<28} {is:>12} instructions, {change:+.1} %");
        if change > TOLERANCE {
            more.push(format!("{name} takes {change:.1} % more instructions"));
        }
        less |= change < -TOLERANCE;
    }
    if less {
        table.push_str("Some take fewer than before: SESAME_BLESS=1 cargo xtask score counts\n");
    }
    (table, if more.is_empty() { Ok(()) } else { Err(more.join("; ")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(figures: &[(&str, u64)]) -> Counts {
        figures.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let both = counts(&[("decrypt", 1_000), ("decrypt, DH step", 2_000)]);
        assert_eq!(read(&write(&both)).unwrap(), both);
        assert!(read("decrypt: 1").is_err());
    }

    #[test]
    fn more_instructions_than_the_tolerance_fail_and_fewer_are_told() {
        let before = counts(&[("a", 1_000), ("b", 1_000)]);
        let of = |a, b| compare(&before, &counts(&[("a", a), ("b", b)]));
        assert!(of(1_019, 1_000).1.is_ok());
        assert!(of(1_021, 1_000).1.is_err());
        assert!(!of(1_000, 990).0.contains("SESAME_BLESS"));
        let (table, verdict) = of(1_000, 900);
        assert!(verdict.is_ok() && table.contains("SESAME_BLESS"));
    }

    #[test]
    fn a_figure_that_only_one_side_has_fails() {
        let (one, two) = (counts(&[("a", 1)]), counts(&[("a", 1), ("b", 1)]));
        assert!(compare(&one, &two).1.is_err());
        assert!(compare(&two, &one).1.is_err());
    }
}
