//! `cargo xtask bench`: the same batches in each language, in turns; what a language adds to an item beside Rust.
//!
//! Writes the second table of `docs/performance.md`, and its lines of `target/bench/bench.json`.

use crate::{
    bindings::{library, target},
    c, dist, kotlin, python, root, speed, swift, toolchains,
};
use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf, process::Command};

/// How often each program runs, in turns with the others.
const TURNS: usize = 3;
/// By what the lines of this table are known in the file of figures.
pub(crate) const ADDED: &str = "\"figure\": \"added by ";
/// What a language may add to an item, in microseconds.
const TARGETS: [(&str, f64); 4] = [("C", 0.3), ("Python", 5.0), ("Kotlin", 3.0), ("Swift", 3.0)];
/// What is measured, as the programs and the page say it.
const CALLS: [(&str, &str); 10] = [
    ("decrypt", "`decrypt`, memory"),
    ("inbox", "`inbox`, memory"),
    ("ack", "`ack`, memory"),
    ("envelopes", "`envelopes`, memory"),
    ("encrypt", "`encrypt`, memory"),
    ("decrypt-sqlite", "`decrypt`, SQLite"),
    ("inbox-sqlite", "`inbox`, SQLite"),
    ("ack-sqlite", "`ack`, SQLite"),
    ("envelopes-sqlite", "`envelopes`, SQLite"),
    ("encrypt-sqlite", "`encrypt`, SQLite"),
];
const BEGIN: &str = "<!-- written by `cargo xtask bench --languages` -->\n";
const END: &str = "<!-- end of languages -->\n";

/// Microseconds an item, by call and size of its batch.
type Figures = BTreeMap<(String, u32), Vec<f64>>;

/// A language's program.
struct Program {
    language: &'static str,
    command: Box<dyn Fn() -> Command>,
    figures: Figures,
}

/// Builds the programs, runs them, and writes what was found.
pub(crate) fn bench() -> Result<(), String> {
    let mut programs = programs()?;
    let mut shown = String::new();
    for turn in 0..TURNS {
        for program in &mut programs {
            eprintln!("== {}, turn {} of {TURNS}", program.language, turn + 1);
            program.run()?;
        }
        // After each turn, so that a run that is broken off leaves what it has found.
        let (rust, others) = programs.split_first().ok_or("no program")?;
        shown = table(rust, others);
        speed::write_figures(figures(rust, others), |line| line.contains(ADDED))?;
        speed::write_page(&shown, (BEGIN, END))?;
    }
    println!("{shown}");
    Ok(())
}

/// Of each call the microseconds of an item, beside them in the other languages what they add.
fn table(rust: &Program, others: &[Program]) -> String {
    let languages: String = others.iter().map(|program| format!(" {} |", program.language)).collect();
    let rule = "---|".repeat(others.len());
    let mut table = format!("| call | items | Rust |{languages}\n|---|---|---|{rule}\n");
    for (call, name) in CALLS {
        let mut name = name;
        for items in rust.sizes(call) {
            let Some(in_rust) = rust.median(call, items) else { continue };
            let _ = write!(table, "| {name} | {items} | {in_rust:.2} |");
            for program in others {
                let shown = program.median(call, items).map(|time| format!("{time:.2} ({:+.2})", time - in_rust));
                let _ = write!(table, " {} |", shown.unwrap_or_default());
            }
            table.push('\n');
            name = "";
        }
    }
    let idle: String =
        others.iter().map(|program| format!(" {:.2} |", program.median("call", 1).unwrap_or(0.0))).collect();
    let _ = writeln!(table, "| a call that does nothing | 1 | |{idle}");
    table
}

/// What each language adds in memory, as lines of the file of figures.
fn figures(rust: &Program, others: &[Program]) -> Vec<String> {
    let mut lines = Vec::new();
    for (call, _) in CALLS.iter().filter(|(call, _)| !call.ends_with("-sqlite")) {
        for items in rust.sizes(call).into_iter().filter(|items| *items > 1) {
            for (language, target) in TARGETS {
                let program = others.iter().find(|program| program.language == language);
                let time = program.and_then(|program| program.median(call, items));
                let (Some(time), Some(in_rust)) = (time, rust.median(call, items)) else { continue };
                let (name, added) = (format!("added by {language}: {call} of {items}, per item"), time - in_rust);
                lines.push(speed::line(&name, added, "us", target, added <= target));
            }
        }
    }
    lines
}

/// Rust with and without the allocator that wipes, C, and each host whose tools are here.
fn programs() -> Result<Vec<Program>, String> {
    let prefix = target().join("c-prefix");
    dist::c::install(&prefix)?;
    let in_c = c::build_for_speed(&prefix, "batch")?;
    let mut programs = vec![
        // With the allocator of the libraries that are shipped, so that the languages differ in nothing else.
        Program::new("Rust", || in_rust(&["--features", "wiping-allocator"])),
        Program::new("Rust, not wiping", || in_rust(&[])),
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

/// The same on one core, where large batches use no threads of their own: only the calling thread's time is measured.
fn on_one_core(command: Command) -> Command {
    let is_there = Command::new("taskset").arg("--version").output().is_ok_and(|done| done.status.success());
    if !is_there {
        eprintln!("without taskset: what large batches do on other threads is not counted");
        return command;
    }
    let mut bound = Command::new("taskset");
    bound.args(["-c", "0"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    bound
}

/// The program in Rust, whose library is built with these options.
fn in_rust(options: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["bench", "-q", "-p", "sesame-ffi", "--bench", "batch"]).args(options);
    cargo
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
        let done = on_one_core((self.command)())
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

    /// The sizes of batches that a call was measured with.
    fn sizes(&self, what: &str) -> Vec<u32> {
        self.figures.keys().filter(|(call, _)| call == what).map(|(_, items)| *items).collect()
    }

    fn median(&self, what: &str, items: u32) -> Option<f64> {
        let mut times = self.figures.get(&(what.to_owned(), items))?.clone();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied()
    }
}
