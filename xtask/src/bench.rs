//! `cargo xtask bench`: the same batches in each language, in turns, and what each costs beside Rust.

use crate::{c, dist, root};
use std::{collections::BTreeMap, path::PathBuf, process::Command};

/// How often each program runs, in turns with the others.
const TURNS: usize = 3;

type Figures = BTreeMap<(String, u32), Vec<f64>>;

/// Builds the programs and prints the table.
pub(crate) fn bench() -> Result<(), String> {
    let prefix = crate::bindings::target().join("c-prefix");
    dist::c::install(&prefix)?;
    let in_c = c::build_for_speed(&prefix, "batch")?;
    let mut figures: [(&str, Figures); 2] = [("Rust", Figures::new()), ("C", Figures::new())];
    for turn in 0..TURNS {
        for (language, of) in &mut figures {
            eprintln!("== {language}, turn {} of {TURNS}", turn + 1);
            run(language, &in_c, of)?;
        }
    }
    let [(_, rust), others @ ..] = &figures;
    println!("{:<8} {:>6} {:>12} {:>10} {:>8}", "call", "items", "language", "us/item", "to Rust");
    for ((what, items), times) in rust {
        let base = median(times);
        println!("{what:<8} {items:>6} {:>12} {base:>10.2} {:>8}", "Rust", "1.00");
        for (language, of) in others {
            let time = of.get(&(what.clone(), *items)).map_or(f64::NAN, |times| median(times));
            println!("{what:<8} {items:>6} {language:>12} {time:>10.2} {:>8.2}", time / base);
        }
    }
    Ok(())
}

fn run(language: &str, in_c: &PathBuf, figures: &mut Figures) -> Result<(), String> {
    let mut command = match language {
        "Rust" => {
            let mut cargo = Command::new("cargo");
            cargo.args(["bench", "-q", "-p", "sesame-ffi", "--bench", "batch"]);
            cargo
        }
        _ => Command::new(in_c),
    };
    let done = command.current_dir(root()).output().map_err(|error| error.to_string())?;
    if !done.status.success() {
        return Err(format!("{language}: {}", String::from_utf8_lossy(&done.stderr)));
    }
    for line in String::from_utf8_lossy(&done.stdout).lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [what, items, time] = words.as_slice()
            && let (Ok(items), Ok(time)) = (items.parse(), time.parse())
        {
            figures.entry(((*what).to_owned(), items)).or_default().push(time);
        }
    }
    Ok(())
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
