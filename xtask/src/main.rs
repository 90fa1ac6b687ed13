//! The project's commands: `cargo xtask demo | test | bindings | header`.

mod bindings;
mod python;
mod report;

use report::Report;
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

fn main() -> ExitCode {
    let result = match std::env::args().nth(1).as_deref() {
        Some("demo") => demo(),
        Some("test") => return test(),
        Some("bindings") => bindings::generate(&root()).and_then(|made| bindings::write(&root(), &made)),
        Some("header") => bindings::header().and_then(|text| bindings::write_header(&root(), &text)),
        _ => Err("usage: cargo xtask demo | test | bindings | header".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// Runs a command in the workspace's folder, its output shown.
fn run(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Result<(), String> {
    let program = program.as_ref();
    let done = Command::new(program).args(args).current_dir(root()).status();
    match done {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{} {} ended with {status}", program.display(), args.join(" "))),
        Err(error) => Err(format!("{} could not be started: {error}", program.display())),
    }
}

/// Builds the library, installs it with its Python package into an environment of its own, and plays the story.
fn demo() -> Result<(), String> {
    eprintln!("== 1/3 the library (a fresh clone takes one to two minutes)");
    bindings::build_library()?;
    eprintln!("== 2/3 a Python environment with the package");
    let python = python::environment()?;
    python::install(&python)?;
    eprintln!("== 3/3 the story");
    run(&python, &["bindings/python/demo.py"])
}

/// Everything that must hold; ends with a table and `N passed, M failed`.
fn test() -> ExitCode {
    let mut report = Report::default();
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
    rust_tests(&mut report);
    report.step("header and bindings are what the code says", || bindings::check(&root()));
    for (name, compiler, language, standard) in bindings::STANDARDS {
        match bindings::is_there(compiler) {
            true => report.step(name, || bindings::compile_header(&root(), compiler, language, standard)),
            false => report.skip(name, &format!("there is no {compiler}")),
        }
    }
    let python = report.value("python environment", || {
        bindings::build_library()?;
        let python = python::environment()?;
        python::install(&python)?;
        python::install_test_tools(&python)?;
        Ok(python)
    });
    if let Some(python) = python {
        report.step("mypy --strict", || {
            run(
                &python,
                &[
                    "-m",
                    "mypy",
                    "--strict",
                    "--config-file",
                    "bindings/python/pyproject.toml",
                    "bindings/python/src/sesame",
                    "bindings/python/demo.py",
                ],
            )
        });
        report.step("the README's example", || python::readme(&python));
        report.step("the demo's story", || run(&python, &["bindings/python/demo.py"]));
        python::tests(&python, &mut report);
    }
    report.close()
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
        passed += report::before(line, "passed");
        failed += report::before(line, "failed");
    }
    // A suite that does not compile or dies prints no count; it is a failure all the same.
    report.count("rust tests", passed, if run.status.success() { failed } else { failed.max(1) });
}
