//! Every number of the catalogues that applies has a test by that name, or a line in `tests/README.md` that says why not.

use std::{fs, path::Path};

fn sources(folder: &Path, out: &mut String) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target" && name != ".git") {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_number_has_its_test_or_its_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut text = String::new();
    for folder in ["core", "tests", "relay"] {
        sources(&root.join(folder), &mut text);
    }
    let names: Vec<&str> = text
        .split("#[test]")
        .skip(1)
        .filter_map(|rest| rest.split("fn ").nth(1).and_then(|name| name.split('(').next()))
        .collect();
    let readme = fs::read_to_string(root.join("tests/README.md")).unwrap();
    let excused = readme.split("## What does not apply").nth(1).unwrap();
    let t = (1..=36).chain(51..=67).chain(78..=90).map(|n| ('t', n));
    let a = (1..=29).chain(47..=57).chain(59..=60).map(|n| ('a', n));
    let missing: Vec<String> = t
        .chain(a)
        .filter(|(letter, n)| {
            let number = format!("{letter}{n:02}");
            let tested = names.iter().any(|name| name.split('_').any(|part| part == number));
            !tested && !excused.contains(&format!("| {} |", number.to_uppercase()))
        })
        .map(|(letter, n)| format!("{letter}{n:02}"))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}
