//! The closing table, and the line that CI reads.

use crate::{junit, root};
use std::{collections::BTreeMap, fs, path::PathBuf, process::ExitCode};

/// What ran, and how it went.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    skipped: Vec<(String, String)>,
    language: &'static str,
    languages: BTreeMap<&'static str, Language>,
}

struct Row {
    name: String,
    language: &'static str,
    passed: u32,
    failed: u32,
}

/// Tests that a runner writes a report of.
pub(crate) struct Suite<'a> {
    pub(crate) name: &'a str,
    /// JUnit's XML, or a folder of it.
    pub(crate) reports: PathBuf,
    /// The tests that play the corpus of bad inputs: their class, and how their names begin.
    pub(crate) corpus: (&'a str, &'a str),
}

/// What all languages have in common.
#[derive(Default)]
struct Language {
    scenes: usize,
    corpus: u32,
}

impl Report {
    /// What follows is of this language.
    pub(crate) fn language(&mut self, language: &'static str) {
        self.language = language;
    }

    /// The language has told so many scenes of the story.
    pub(crate) fn scenes(&mut self, count: usize) {
        self.languages.entry(self.language).or_default().scenes = count;
    }

    /// So many cases of the bad-input corpus gave their code in the language: all of them, or a check has failed.
    pub(crate) fn corpus(&mut self, count: u32) {
        self.languages.entry(self.language).or_default().corpus = count;
        let language = self.language;
        match corpus().map(|files| files.len()) {
            Ok(files) if usize::try_from(count) == Ok(files) => {}
            Ok(files) => self.fail(&format!("{language}: bad inputs"), &format!("{count} of {files} cases passed")),
            Err(reason) => self.fail(&format!("{language}: bad inputs"), &reason),
        }
    }

    /// Runs one check; gives whether it passed.
    pub(crate) fn step(&mut self, name: &str, check: impl FnOnce() -> Result<(), String>) -> bool {
        self.value(name, check).is_some()
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
                self.fail(name, &reason);
                None
            }
        }
    }

    /// Runs programs that count their own.
    pub(crate) fn counted(&mut self, name: &str, suite: impl FnOnce() -> Result<(u32, u32), String>) {
        eprintln!("== {name}");
        match suite() {
            Ok((passed, failed)) => self.count(name, passed, failed),
            Err(reason) => self.fail(name, &reason),
        }
    }

    /// Runs a test runner and counts what its report says.
    pub(crate) fn suite(&mut self, suite: &Suite, runner: impl FnOnce() -> Result<(), String>) {
        eprintln!("== {}", suite.name);
        let ended = junit::clear(&suite.reports).and_then(|()| runner());
        let cases = match junit::read(&suite.reports) {
            Ok(cases) => cases,
            Err(reason) => return self.fail(suite.name, &format!("{}{reason}", ended.err().unwrap_or_default())),
        };
        let (passed, failed) = junit::counts(&cases);
        // A runner may fail without a failed test: a lint of its own, a crash.
        let failed = if let Err(reason) = &ended
            && failed == 0
        {
            eprintln!("{}: {reason}", suite.name);
            1
        } else {
            failed
        };
        self.count(suite.name, passed, failed);
        let (class, name) = suite.corpus;
        let played: Vec<&junit::Case> = cases.iter().filter(|case| case.is(class, name)).collect();
        // One test that passes has played every file of the corpus.
        let all = corpus().map_or(0, |files| files.len());
        let count = match played.as_slice() {
            [one] if one.passed => all,
            cases => cases.iter().filter(|case| case.passed).count(),
        };
        self.corpus(junit::number(count));
    }

    /// Says why a check has failed.
    fn fail(&mut self, name: &str, reason: &str) {
        eprintln!("{name}: {reason}");
        self.count(name, 0, 1);
    }

    /// Says loudly that a check could not run here, which is nobody's failure.
    pub(crate) fn leave_out(&mut self, name: &str, reason: &str) {
        eprintln!("== {name}: SKIPPED, {reason}");
        self.skipped.push((name.to_owned(), reason.to_owned()));
    }

    /// Says loudly that a check could not run here; where `CI=true` that is a failure.
    pub(crate) fn skip(&mut self, name: &str, reason: &str) {
        self.leave_out(name, reason);
        if std::env::var("CI").is_ok_and(|ci| ci == "true") {
            self.count(name, 0, 1);
        }
    }

    /// Adds a suite's own count.
    pub(crate) fn count(&mut self, name: &str, passed: u32, failed: u32) {
        self.rows.push(Row { name: name.to_owned(), language: self.language, passed, failed });
    }

    /// Prints the table and the sum.
    pub(crate) fn close(self) -> ExitCode {
        println!();
        for Row { name, passed, failed, .. } in &self.rows {
            println!("{name:<50} {passed:>6} passed {failed:>4} failed");
        }
        for (name, reason) in &self.skipped {
            println!("{name:<50} SKIPPED: {reason}");
        }
        if !self.languages.is_empty() {
            println!("\n{:<10} {:>8} {:>14} {:>8}", "language", "scenes", "corpus cases", "passed");
        }
        for (language, Language { scenes, corpus }) in &self.languages {
            let passed: u32 = self.rows.iter().filter(|row| row.language == *language).map(|row| row.passed).sum();
            println!("{language:<10} {scenes:>8} {corpus:>14} {passed:>8}");
        }
        let passed: u32 = self.rows.iter().map(|row| row.passed).sum();
        let failed: u32 = self.rows.iter().map(|row| row.failed).sum();
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

/// The files of the bad-input corpus.
pub(crate) fn corpus() -> Result<Vec<PathBuf>, String> {
    let folder = root().join("tests/bad-inputs");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|it| it == "txt")).collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counts of a suite whose report has these tests of the corpus, and whose runner ended so.
    fn counts(name: &str, tests: &str, ended: Result<(), String>) -> (u32, u32) {
        let reports = std::env::temp_dir().join(format!("suite-{name}-{}.xml", std::process::id()));
        let mut report = Report::default();
        report.suite(&Suite { name, reports: reports.clone(), corpus: ("corpus", "case") }, || {
            fs::write(&reports, format!("<testsuite>{tests}</testsuite>")).map_err(|error| error.to_string())?;
            ended
        });
        fs::remove_file(reports).unwrap();
        let rows = &report.rows;
        (rows.iter().map(|row| row.passed).sum(), rows.iter().map(|row| row.failed).sum())
    }

    const WHOLE: &str = r#"<testcase classname="corpus" name="case"/>"#;

    #[test]
    fn a_runner_that_dies_after_good_tests_has_failed() {
        assert_eq!(counts("good", WHOLE, Ok(())), (1, 0));
        assert_eq!(counts("died", WHOLE, Err("killed".to_owned())), (1, 1));
    }

    #[test]
    fn a_language_that_does_not_play_the_whole_corpus_has_failed() {
        assert_eq!(counts("none", r#"<testcase classname="other" name="case"/>"#, Ok(())), (1, 1));
        assert_eq!(counts("two-of-all", &WHOLE.repeat(2), Ok(())), (2, 1));
    }
}
