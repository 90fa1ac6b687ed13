//! `cargo xtask bench`: the same batches in each language, in turns; what an item costs beside Rust, and beside one item a call.

use crate::{
    bindings::{library, target},
    c, dist, kotlin, python, root, swift, toolchains,
};
use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

/// How often each program runs, in turns with the others.
const TURNS: usize = 3;

/// Microseconds an item, by call and size of its batch.
type Figures = BTreeMap<(String, u32), Vec<f64>>;

/// A language's program.
struct Program {
    language: &'static str,
    command: Box<dyn Fn() -> Command>,
    figures: Figures,
}

/// Builds the programs and prints the tables.
pub(crate) fn bench() -> Result<(), String> {
    let mut programs = programs()?;
    for turn in 0..TURNS {
        for program in &mut programs {
            eprintln!("== {}, turn {} of {TURNS}", program.language, turn + 1);
            program.run()?;
        }
    }
    println!(
        "{:<16} {:>6} {:>10} {:>12} {:>9} {:>12}",
        "call", "items", "language", "us an item", "to Rust", "to one a call"
    );
    let calls: Vec<(String, u32)> = programs.iter().flat_map(|program| program.figures.keys().cloned()).collect();
    let mut calls: Vec<(String, u32)> = calls.into_iter().collect();
    calls.sort();
    calls.dedup();
    for (what, items) in calls {
        let in_rust = programs.first().and_then(|rust| rust.median(&what, items));
        for program in &programs {
            let Some(time) = program.median(&what, items) else { continue };
            let ratio = |to: Option<f64>| to.map_or("".to_owned(), |to| format!("{:.3}", time / to));
            let (to_rust, to_one) = (ratio(in_rust), ratio(program.median(&what, 1)));
            println!("{what:<16} {items:>6} {:>10} {time:>12.2} {to_rust:>9} {to_one:>12}", program.language);
        }
    }
    Ok(())
}

/// Rust and C, and each host whose tools are here.
fn programs() -> Result<Vec<Program>, String> {
    let prefix = target().join("c-prefix");
    dist::c::install(&prefix)?;
    let in_c = c::build_for_speed(&prefix, "batch")?;
    let mut programs = vec![
        Program::new("Rust", || {
            let mut cargo = Command::new("cargo");
            cargo.args(["bench", "-q", "-p", "sesame-ffi", "--bench", "batch"]);
            cargo
        }),
        Program::new("C", move || {
            let mut command = Command::new(&in_c);
            command.arg(folder());
            command
        }),
    ];
    let libraries = dist::build()?;
    let package = target().join("bench-python");
    python::lay_out(&libraries.join(library().file_name().unwrap_or_default()), &package)?;
    programs.push(Program::new("Python", move || {
        let mut command = Command::new(python::SYSTEM);
        command.arg(root().join("tests/bench/batch.py")).env("PYTHONPATH", &package);
        command
    }));
    match toolchains::kotlin() {
        Ok(tools) => {
            let (class_path, library) = (kotlin::class_path(&tools)?, libraries.clone());
            programs.push(Program::new("Kotlin", move || {
                let mut command = Command::new("java");
                command.arg(format!("-Djna.library.path={}", library.display()));
                command.args(["-cp", &class_path, "bench.BatchKt"]);
                command
            }));
        }
        Err(reason) => eprintln!("without Kotlin: {reason}"),
    }
    match toolchains::swift() {
        Ok(tools) => {
            let (package, scratch) = (root().join("tests/story/swift/Story"), target().join("swift/bench"));
            let options = ["-c", "release", "--product", "Batch"];
            swift::build(&tools, &package, &swift::describe(&libraries)?, &scratch, &options)?;
            let program = scratch.join("release/Batch").display().to_string();
            programs.push(Program::new("Swift", move || tools.command(&root(), &[], &[&program])));
        }
        Err(reason) => eprintln!("without Swift: {reason}"),
    }
    Ok(programs)
}

/// An empty folder for SQLite's files.
fn folder() -> PathBuf {
    let folder = target().join("bench-stores");
    let _ = fs::remove_dir_all(&folder);
    let _ = fs::create_dir_all(&folder);
    folder
}

impl Program {
    fn new(language: &'static str, command: impl Fn() -> Command + 'static) -> Self {
        Self { language, command: Box::new(command), figures: Figures::new() }
    }

    fn run(&mut self) -> Result<(), String> {
        // Cargo points this to the workspace's own libraries, before the ones that a program was linked with.
        let done = (self.command)()
            .current_dir(root())
            .env_remove("LD_LIBRARY_PATH")
            .output()
            .map_err(|error| error.to_string())?;
        if !done.status.success() {
            return Err(format!("{}: {}", self.language, String::from_utf8_lossy(&done.stderr)));
        }
        for line in String::from_utf8_lossy(&done.stdout).lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let [what, items, time] = words.as_slice()
                && let (Ok(items), Ok(time)) = (items.parse(), time.parse())
            {
                self.figures.entry(((*what).to_owned(), items)).or_default().push(time);
            }
        }
        Ok(())
    }

    fn median(&self, what: &str, items: u32) -> Option<f64> {
        let mut times = self.figures.get(&(what.to_owned(), items))?.clone();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied()
    }
}
