//! Every number of the catalogues that applies has a test by that name, or a line in `tests/README.md` that says why not.

use sesame_tests::source::{root, tests};
use std::{collections::BTreeSet, fs};

#[test]
fn every_number_has_its_test_or_its_reason() {
    let names = ["core", "tests", "relay"].into_iter().flat_map(tests).map(|test| test.sig.ident.to_string());
    let tested: BTreeSet<String> =
        names.flat_map(|name| name.split('_').map(str::to_owned).collect::<Vec<_>>()).collect();
    let readme = fs::read_to_string(root().join("tests/README.md")).unwrap();
    let excused = readme.split("## What does not apply").nth(1).unwrap();
    let t = (1..=36).chain(51..=67).chain(78..=90).map(|n| format!("t{n:02}"));
    let a = (1..=29).chain(47..=57).chain(59..=60).map(|n| format!("a{n:02}"));
    let mut untold = Vec::new();
    for number in t.chain(a) {
        // An excuse for what is tested is as wrong as a number without either.
        let excuse = excused.contains(&format!("| {} |", number.to_uppercase()));
        if tested.contains(&number) == excuse {
            untold.push(number);
        }
    }
    assert_eq!(untold, Vec::<String>::new());
}

#[test]
fn every_finding_in_the_table_has_a_test_of_its_number() {
    let names: Vec<String> =
        ["core", "tests", "relay"].into_iter().flat_map(tests).map(|test| test.sig.ident.to_string()).collect();
    let readme = fs::read_to_string(root().join("tests/README.md")).unwrap();
    let table = readme.split("## Findings").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<&str> =
        table.lines().filter_map(|line| line.split('`').nth(1)).filter(|name| name.starts_with("n_")).collect();
    assert!(rows.len() >= 10, "{rows:?}");
    let untested = rows.iter().filter(|row| !names.iter().any(|name| name.starts_with(&format!("{row}_"))));
    assert_eq!(untested.collect::<Vec<_>>(), Vec::<&&str>::new());
}

/// The lines of the threat model, each with the tests that it names between the last parentheses.
fn threats() -> Vec<String> {
    let page = fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    let mut lines: Vec<String> = Vec::new();
    let mut is_within = false;
    for line in page.lines() {
        if let Some(begun) = line.strip_prefix("- ") {
            lines.push(begun.to_owned());
            is_within = true;
        } else if let Some(more) = line.strip_prefix("  ").filter(|_| is_within) {
            let begun = lines.last_mut().unwrap();
            begun.push(' ');
            begun.push_str(more);
        } else {
            is_within = false;
        }
    }
    lines
}

#[test]
fn each_line_of_the_threat_model_names_a_test_that_exists_or_says_why_none_does() {
    let folders = ["core", "tests", "relay", "sesame", "sqlite", "ffi"];
    let names: BTreeSet<String> = folders.into_iter().flat_map(tests).map(|test| test.sig.ident.to_string()).collect();
    let lines = threats();
    assert!(lines.len() > 80, "{}", lines.len());
    let mut wrong = Vec::new();
    for line in &lines {
        let Some(held) = line.trim_end_matches('.').strip_suffix(')').and_then(|line| line.rsplit_once('(')) else {
            wrong.push(format!("without a test: {line}"));
            continue;
        };
        let named: Vec<&str> = held.1.split('`').skip(1).step_by(2).collect();
        // What else stands between backticks is a file's or a function's name, with a dot, a slash or a capital.
        let named = named
            .into_iter()
            .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
        let (there, missing): (Vec<&str>, Vec<&str>) = named.partition(|name| names.contains(*name));
        if !missing.is_empty() || (there.is_empty() && !held.1.starts_with("no test")) {
            wrong.push(format!("{missing:?}: {line}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
