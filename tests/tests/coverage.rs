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
