//! The pages: every relative link leads somewhere, and the README stays short.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every page of the project, without what is built or downloaded.
fn pages(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && name != "node_modules" && !name.starts_with('.') {
                pages(&path, out);
            }
        } else if name.ends_with(".md") {
            out.push(path);
        }
    }
}

/// The text of a page without its blocks of code.
fn prose(text: &str) -> String {
    let mut is_code = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// The targets of all `[text](target)` and `![text](target)`.
fn links(text: &str) -> Vec<String> {
    let targets = prose(text);
    targets.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect()
}

/// The name by which a link finds a heading: lower case, hyphens for spaces, no punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn has_heading(text: &str, wanted: &str) -> bool {
    let prose = prose(text);
    let mut headings = prose.lines().filter(|line| line.starts_with('#'));
    headings.any(|line| anchor(line.trim_start_matches('#')) == wanted)
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let mut all = Vec::new();
    pages(&root(), &mut all);
    let (mut checked, mut broken) = (0, Vec::new());
    for page in &all {
        let text = fs::read_to_string(page).unwrap();
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            checked += 1;
            let (path, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let leads = target.exists()
                && (heading.is_empty() || has_heading(&fs::read_to_string(&target).unwrap_or_default(), heading));
            if !leads {
                broken.push(format!("{}: {link}", page.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
    assert!(checked > 30, "only {checked} links were found: is the reader broken?");
}

#[test]
fn a_broken_link_and_a_missing_heading_are_found() {
    let text = "# One page\n\n[a](b.md) and ![c](d.svg#e-f).\n```\n[not](a-link)\n```\n## Two: words, and `code`\n";
    assert_eq!(links(text), ["b.md", "d.svg#e-f"]);
    assert!(has_heading(text, "one-page") && has_heading(text, "two-words-and-code"));
    assert!(!has_heading(text, "two"));
}

#[test]
fn every_decision_has_a_number_of_its_own() {
    let folder = root().join("docs/adr");
    let mut numbers: Vec<String> = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let number = name.split('-').next().unwrap().to_owned();
        let title = fs::read_to_string(&path).unwrap();
        let wanted = format!("# {}. ", number.trim_start_matches('0'));
        assert!(title.starts_with(&wanted), "{name} does not begin with {wanted:?}");
        numbers.push(number);
    }
    numbers.sort();
    let before = numbers.len();
    numbers.dedup();
    assert_eq!(numbers.len(), before, "two decisions have one number");
}

#[test]
fn the_readme_stays_short() {
    let lines = fs::read_to_string(root().join("README.md")).unwrap().lines().count();
    assert!(lines <= 120, "README.md has {lines} lines, more than 120");
}
