//! `cargo xtask bench`: what a message costs as ratios to its primitives and to peers, all measured in one program (`tests/speed`).
//!
//! Writes the table and the plot of `docs/performance.md`, and `target/bench/bench.json`.

use crate::{bench, bindings::target, root};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    process::{Command, Stdio},
};

/// Medians by name: microseconds an item, but for names that say another unit.
type Medians = BTreeMap<String, f64>;

/// One line of the table.
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    target: f64,
    /// Whether more is better.
    at_least: bool,
}

impl Figure {
    fn is_met(&self) -> bool {
        if self.at_least { self.value >= self.target } else { self.value <= self.target }
    }

    /// How far the target is missed: 1 is the target, more is worse.
    fn miss(&self) -> f64 {
        if self.at_least { self.target / self.value } else { self.value / self.target }
    }
}

/// Measures, prints, and writes what was found.
pub(crate) fn speed() -> Result<(), String> {
    let printed = measure(&[], true)?;
    let medians: Medians = printed
        .lines()
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
        .collect();
    let figures = figures(&medians)?;
    let table = table(&figures, &medians);
    println!("{table}");
    write_figures(json(&figures), |line| !line.contains(bench::ADDED))?;
    fs::write(root().join("docs/speed.svg"), plot(&figures)).map_err(|error| error.to_string())?;
    write_page(&table, (BEGIN, END))
}

/// What `sesame-speed` prints, with the peers built in or without.
pub(crate) fn measure(args: &[&str], with_peers: bool) -> Result<String, String> {
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "-q", "--release", "-p", "sesame-speed"]).current_dir(root());
    if with_peers {
        cargo.args(["--features", "peers"]);
    }
    let done = cargo.arg("--").args(args).stderr(Stdio::inherit()).output().map_err(|error| error.to_string())?;
    if !done.status.success() {
        return Err("sesame-speed failed".into());
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

fn figures(medians: &Medians) -> Result<Vec<Figure>, String> {
    let of = |name: &str| medians.get(name).copied().ok_or_else(|| format!("sesame-speed gave no {name:?}"));
    let (f2, theirs) = (of("f2")?, of("vodozemac decrypt")?);
    let most = |name, value, unit, target| Figure { name, value, unit, target, at_least: false };
    let least = |name, value, unit, target| Figure { name, value, unit, target, at_least: true };
    Ok(vec![
        most("batch to a group, in memory, per device", of("batch")? / f2, "x F2", 2.5),
        least("the same: how much faster than vodozemac's loop", of("vodozemac encrypt")? / of("batch")?, "x", 3.0),
        least(
            "the same on two cores, on the wall",
            of("batch, wall")? / of("batch, wall, two threads")?,
            "x faster",
            1.7,
        ),
        most("the same, durable over SQLite", of("batch, SQLite")? / f2, "x F2", 4.0),
        most("mailbox, no DH step, in memory, per message", of("mailbox")? / theirs, "x vodozemac's decrypt", 1.5),
        most("the same, durable over SQLite", of("mailbox, SQLite")? / theirs, "x vodozemac's decrypt", 2.5),
        most(
            "mailbox, a DH step in each message",
            of("mailbox, DH step")? / of("vodozemac decrypt, DH step")?,
            "x vodozemac's",
            1.1,
        ),
        most("PQXDH set-up, out", of("pqxdh out")? / of("pqxdh out floor")?, "x its primitives", 1.15),
        most("PQXDH set-up, in", of("pqxdh in")? / of("pqxdh in floor")?, "x its primitives", 1.15),
        most("rows written for a sent message, per device", of("rows of a sent message, B")?, "B", 350.0),
        most("memory, 10,000 sessions, after open", of("resident after open, MiB")?, "MiB", 2.0),
        // The working set holds 32 MiB, and the call that fills it as much as it needs beside.
        most("memory, 10,000 sessions, after a message on each", of("resident after all, MiB")?, "MiB", 48.0),
        most(
            "open a store of 10,000 sessions, beside one of 100",
            of("open, 10,000 sessions")? / of("open, 100 sessions")?,
            "x",
            1.3,
        ),
        most("settle, per user", of("settle")?, "us", 3.0),
        most("forged envelope, 1,200 sessions and 100 groups", of("forged, 100 groups")?, "us", 2.0),
        most("forged envelope, from 2,000 devices", of("forged")?, "us", 2.0),
        most("all devices of a group read one message", of("all read, s")?, "s of CPU", 1.0),
    ])
}

fn table(figures: &[Figure], medians: &Medians) -> String {
    let mut table = String::from("| figure | now | target | |\n|---|---|---|---|\n");
    for figure in figures {
        let (sign, met) = (if figure.at_least { ">=" } else { "<=" }, if figure.is_met() { "met" } else { "not met" });
        let _ = writeln!(
            table,
            "| {} | {:.2} {} | {sign} {} | {met} |",
            figure.name, figure.value, figure.unit, figure.target
        );
    }
    table.push_str(
        "\nMedians of the same run, in microseconds an item unless the name says otherwise:\n\n| what | |\n|---|---|\n",
    );
    for (name, value) in medians {
        let _ = writeln!(table, "| {name} | {value:.2} |");
    }
    table
}

/// A line of the file of figures for each.
fn json(figures: &[Figure]) -> Vec<String> {
    figures.iter().map(|figure| line(figure.name, figure.value, figure.unit, figure.target, figure.is_met())).collect()
}

/// One line of the file of figures.
pub(crate) fn line(name: &str, value: f64, unit: &str, target: f64, is_met: bool) -> String {
    format!(
        "  {{\"figure\": {name:?}, \"value\": {value:.4}, \"unit\": {unit:?}, \"target\": {target}, \"met\": {is_met}}}"
    )
}

/// Puts lines into `target/bench/bench.json` in place of those that are ours by `is_ours`; the others stay.
pub(crate) fn write_figures(ours: Vec<String>, is_ours: impl Fn(&str) -> bool) -> Result<(), String> {
    let folder = target().join("bench");
    let path = folder.join("bench.json");
    let before = fs::read_to_string(&path).unwrap_or_default();
    let others = before.lines().map(|line| line.trim_end_matches(','));
    let mut lines: Vec<String> =
        others.filter(|line| line.starts_with("  {") && !is_ours(line)).map(str::to_owned).collect();
    lines.extend(ours);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    fs::write(path, format!("[\n{}\n]\n", lines.join(",\n"))).map_err(|error| error.to_string())
}

/// A bar for each figure: how many times its target it is, on a scale that doubles.
fn plot(figures: &[Figure]) -> String {
    const ROW: usize = 28;
    const LEFT: f64 = 330.0;
    const DOUBLING: f64 = 70.0;
    let height = 40 + ROW * figures.len();
    let x = |miss: f64| LEFT + DOUBLING * (miss.log2() + 2.0).clamp(0.0, 6.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"800\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for step in -2..=4 {
        let (at, times) = (LEFT + DOUBLING * f64::from(step + 2), 2_f64.powi(step));
        let color = if step == 0 { "#333" } else { "#ddd" };
        let _ = writeln!(svg, "<line x1=\"{at}\" y1=\"24\" x2=\"{at}\" y2=\"{height}\" stroke=\"{color}\"/>");
        let _ = writeln!(svg, "<text x=\"{at}\" y=\"16\" text-anchor=\"middle\">{times} x target</text>");
    }
    for (row, figure) in figures.iter().enumerate() {
        let y = 32 + ROW * row;
        let (color, width) = (if figure.is_met() { "#2a7" } else { "#c64" }, x(figure.miss()) - LEFT);
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>", LEFT - 8.0, y + 14, figure.name);
        let _ = writeln!(svg, "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.0}\" height=\"18\" fill=\"{color}\"/>");
        let shown = format!("{:.2} {}", figure.value, figure.unit).replace('&', "and");
        let _ = writeln!(svg, "<text x=\"{:.0}\" y=\"{}\">{shown}</text>", LEFT + width + 6.0, y + 14);
    }
    svg.push_str("</svg>\n");
    svg
}

const BEGIN: &str = "<!-- written by `cargo xtask bench` -->\n";
pub(crate) const END: &str = "<!-- end -->\n";

/// Puts a table in its place on the page, between two marks.
pub(crate) fn write_page(table: &str, (begin, end): (&str, &str)) -> Result<(), String> {
    let path = root().join("docs/performance.md");
    let page = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let now = table_of(&page, (begin, end))?;
    let place = |table: &str| format!("{begin}{table}{end}");
    fs::write(path, page.replacen(&place(now), &place(table), 1)).map_err(|error| error.to_string())
}

/// The table between two marks of the page.
pub(crate) fn table_of<'a>(page: &'a str, (begin, end): (&str, &str)) -> Result<&'a str, String> {
    let (_, rest) = page.split_once(begin).ok_or("docs/performance.md has no place for the table")?;
    let (table, _) = rest.split_once(end).ok_or("docs/performance.md has no end of the table")?;
    Ok(table)
}
