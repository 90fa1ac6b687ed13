//! The closing table, and the line that CI reads.

use std::process::ExitCode;

/// What ran, and how it went.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<(String, u32, u32)>,
    skipped: Vec<(String, String)>,
}

impl Report {
    /// Runs one check.
    pub(crate) fn step(&mut self, name: &str, check: impl FnOnce() -> Result<(), String>) {
        self.value(name, check);
    }

    /// Runs one check that gives something to the next.
    pub(crate) fn value<T>(&mut self, name: &str, check: impl FnOnce() -> Result<T, String>) -> Option<T> {
        eprintln!("== {name}");
        match check() {
            Ok(value) => {
                self.count(name, 1, 0);
                Some(value)
            }
            Err(reason) => {
                eprintln!("{name}: {reason}");
                self.count(name, 0, 1);
                None
            }
        }
    }

    /// Runs a suite that counts its own.
    pub(crate) fn counted(&mut self, name: &str, suite: impl FnOnce() -> Result<(u32, u32), String>) {
        eprintln!("== {name}");
        match suite() {
            Ok((passed, failed)) => self.count(name, passed, failed),
            Err(reason) => {
                eprintln!("{name}: {reason}");
                self.count(name, 0, 1);
            }
        }
    }

    /// Says loudly that a check could not run here; where `CI=true` that is a failure.
    pub(crate) fn skip(&mut self, name: &str, reason: &str) {
        eprintln!("== {name}: SKIPPED, {reason}");
        self.skipped.push((name.to_owned(), reason.to_owned()));
        if std::env::var("CI").is_ok_and(|ci| ci == "true") {
            self.count(name, 0, 1);
        }
    }

    /// Adds a suite's own count.
    pub(crate) fn count(&mut self, name: &str, passed: u32, failed: u32) {
        self.rows.push((name.to_owned(), passed, failed));
    }

    /// Prints the table and the sum.
    pub(crate) fn close(self) -> ExitCode {
        println!();
        for (name, passed, failed) in &self.rows {
            println!("{name:<45} {passed:>6} passed {failed:>4} failed");
        }
        for (name, reason) in &self.skipped {
            println!("{name:<45} SKIPPED: {reason}");
        }
        let passed: u32 = self.rows.iter().map(|row| row.1).sum();
        let failed: u32 = self.rows.iter().map(|row| row.2).sum();
        println!("{passed} passed, {failed} failed");
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The number before `word` in a line of counts.
pub(crate) fn before(line: &str, word: &str) -> u32 {
    match line.split_once(word) {
        Some((head, _)) => head.split_whitespace().last().and_then(|n| n.parse().ok()).unwrap_or(0),
        None => 0,
    }
}
