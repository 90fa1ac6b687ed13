//! `cargo xtask test`.

use crate::{
    bindings, c, kotlin, python, quickstart,
    report::{Report, before},
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
    report.close()
}

fn rust(report: &mut Report) {
    report.language("Rust");
    report.step("format", || run("cargo", &["fmt", "--all", "--check"]));
    report.step("lints", || run("cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]));
    report.step("docs", || {
        let done = Command::new("cargo")
            .args(["doc", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings")
            .current_dir(root())
            .status();
        if done.is_ok_and(|status| status.success()) { Ok(()) } else { Err("rustdoc".to_owned()) }
    });
    report.step("licences", licences);
    rust_tests(report);
    report.step("Rust: printed quickstart", quickstart::rust);
    report.step("one version everywhere", bindings::check_versions);
    report.step("header and bindings are what the code says", || bindings::check(&root()));
}

/// No dependency is under a licence that forbids what ours allow; `deny.toml` says it in full, for those who have cargo-deny.
fn licences() -> Result<(), String> {
    let done = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&done.stdout);
    let licences: Vec<&str> = text.split("\"license\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    if licences.len() < 50 {
        return Err("cargo metadata could not be read".to_owned());
    }
    match licences.iter().find(|licence| licence.contains("GPL") && !licence.contains(" OR ")) {
        Some(licence) => Err(format!("a dependency is under {licence}")),
        None => Ok(()),
    }
}

fn rust_tests(report: &mut Report) {
    let mut cases = 0;
    eprintln!("== rust tests");
    let run =
        Command::new("cargo").args(["test", "--no-fail-fast"]).current_dir(root()).stderr(Stdio::inherit()).output();
    let Ok(run) = run else {
        report.count("rust tests", 0, 1);
        return;
    };
    let text = String::from_utf8_lossy(&run.stdout);
    print!("{text}");
    let (mut passed, mut failed) = (0, 0);
    for line in text.lines().filter(|line| line.starts_with("test result:")) {
        passed += before(line, "passed");
        failed += before(line, "failed");
    }
    // A suite that does not compile or dies prints no count; it is a failure all the same.
    report.count("rust tests", passed, if run.status.success() { failed } else { failed.max(1) });
    report.counted("rust: bad inputs", || {
        let args = ["test", "-q", "-p", "sesame-tests", "--test", "bad_inputs", "--", "--nocapture"];
        let done = Command::new("cargo").args(args).current_dir(root()).stderr(Stdio::inherit()).output();
        let done = done.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&done.stdout);
        cases = text.lines().find(|line| line.contains("bad inputs: ")).map_or(0, |line| before(line, " passed"));
        if done.status.success() && cases > 0 { Ok((cases, 0)) } else { Err(format!("{}", done.status)) }
    });
    report.corpus(cases);
}
