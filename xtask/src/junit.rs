//! The reports of the test runners: nextest, pytest, Surefire and XCTest all write JUnit's XML.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// One test of a report.
pub(crate) struct Case {
    class: String,
    name: String,
    pub(crate) passed: bool,
}

impl Case {
    /// Whether the test is of this class, and its name begins so.
    pub(crate) fn is(&self, class: &str, name: &str) -> bool {
        self.class == class && self.name.starts_with(name)
    }
}

/// Deletes the report, or the folder of reports, that an earlier run has left, so that it is not counted again. The folder around it exists
/// afterwards.
pub(crate) fn clear(reports: &Path) -> Result<(), String> {
    if let Some(folder) = reports.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let deleted = if reports.is_dir() { fs::remove_dir_all(reports) } else { fs::remove_file(reports) };
    match deleted {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(format!("{}: {error}", reports.display())),
        _ => Ok(()),
    }
}

/// The tests of a report, or of all reports in a folder.
pub(crate) fn read(reports: &Path) -> Result<Vec<Case>, String> {
    let mut files = vec![reports.to_path_buf()];
    if reports.is_dir() {
        let entries = fs::read_dir(reports).map_err(|error| format!("{}: {error}", reports.display()))?;
        let paths = entries.flatten().map(|entry| entry.path());
        files = paths.filter(|path| path.extension().is_some_and(|it| it == "xml")).collect();
    }
    let mut cases = Vec::new();
    for file in files {
        cases.append(&mut read_file(&file)?);
    }
    if cases.is_empty() { Err(format!("{} names no test", reports.display())) } else { Ok(cases) }
}

fn read_file(file: &PathBuf) -> Result<Vec<Case>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let document = roxmltree::Document::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    let tests = document.descendants().filter(|node| node.has_tag_name("testcase"));
    Ok(tests.map(case).collect())
}

/// A skipped test has not passed.
fn case(test: roxmltree::Node) -> Case {
    let word = |attribute: &str| test.attribute(attribute).unwrap_or_default().to_owned();
    let passed = !test.children().any(|child| ["error", "failure", "skipped"].contains(&child.tag_name().name()));
    Case { class: word("classname"), name: word("name"), passed }
}

/// How many tests passed, and how many did not.
pub(crate) fn counts(cases: &[Case]) -> (u32, u32) {
    let passed = cases.iter().filter(|case| case.passed).count();
    (number(passed), number(cases.len() - passed))
}

/// A count of tests as the table has it.
pub(crate) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"<testsuites><testsuite name="s">
        <testcase classname="c" name="good"><system-out>failure</system-out></testcase>
        <testcase classname="c" name="bad"><failure message="m"/></testcase>
        <testcase classname="c" name="broken"><error>e</error></testcase>
        <testcase classname="c" name="left out"><skipped/></testcase>
    </testsuite></testsuites>"#;

    #[test]
    fn a_test_that_failed_broke_or_was_skipped_has_not_passed() {
        let file = std::env::temp_dir().join(format!("junit-{}.xml", std::process::id()));
        fs::write(&file, REPORT).unwrap();
        let cases = read(&file).unwrap();
        assert_eq!(counts(&cases), (1, 3));
        assert!(cases.iter().any(|case| case.passed && case.is("c", "goo") && !case.is("d", "goo")));
        clear(&file).unwrap();
        assert!(read(&file).is_err(), "what an earlier run has left is not counted");
        clear(&file).unwrap();
    }

    #[test]
    fn a_report_without_a_test_is_an_error() {
        let folder = std::env::temp_dir().join(format!("junit-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert!(read(&folder).is_err());
        fs::write(folder.join("empty.xml"), "<testsuites/>").unwrap();
        assert!(read(&folder).is_err());
        clear(&folder).unwrap();
    }
}
