//! A Python environment of the project's own, under the target folder.

use crate::{
    bindings::{build_library, library, target},
    report::{Report, before},
    root, run,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Everything that is checked of the Python package.
pub(crate) fn check(report: &mut Report) {
    let python = report.value("python environment", || {
        build_library()?;
        let python = environment()?;
        install(&python)?;
        install_test_tools(&python)?;
        Ok(python)
    });
    let Some(python) = python else { return };
    report.step("mypy --strict", || {
        let config = ["-m", "mypy", "--strict", "--config-file", "bindings/python/pyproject.toml"];
        run(&python, &[&config[..], &["bindings/python/src/sesame", "bindings/python/demo.py"]].concat())
    });
    report.step("the README's example", || readme(&python));
    report.step("the demo's story", || run(&python, &["bindings/python/demo.py"]));
    tests(&python, report);
}

/// Makes the environment if it is not there; gives its interpreter.
pub(crate) fn environment() -> Result<PathBuf, String> {
    let folder = target().join("venv");
    let python = match cfg!(windows) {
        true => folder.join("Scripts/python.exe"),
        false => folder.join("bin/python"),
    };
    let works =
        Command::new(&python).args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !works.is_ok_and(|status| status.success()) {
        let _ = fs::remove_dir_all(&folder);
        let system = if cfg!(windows) { "python" } else { "python3" };
        run(system, &["-m", "venv", &folder.to_string_lossy()]).map_err(|error| {
            format!("{error}\nPython 3.11 or newer is needed; on Debian also the package python3-venv")
        })?;
    }
    Ok(python)
}

/// Builds the wheel from the library and the committed Python, and installs it. No network is needed.
pub(crate) fn install(python: &Path) -> Result<(), String> {
    let wheels = target().join("wheels");
    let _ = fs::remove_dir_all(&wheels);
    let (wheels, library) = (wheels.to_string_lossy().into_owned(), library().to_string_lossy().into_owned());
    run(python, &["bindings/python/build_wheel.py", &library, &wheels])?;
    let found = fs::read_dir(&wheels).map_err(|error| error.to_string())?.flatten().next();
    let wheel = found.ok_or("no wheel was built")?.path().to_string_lossy().into_owned();
    let quiet =
        ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", "--no-deps", "--force-reinstall"];
    run(python, &[&quiet[..], &[&wheel]].concat())
}

/// pytest, mypy, and the primitives of the second implementation, from PyPI, once.
fn install_test_tools(python: &Path) -> Result<(), String> {
    run(
        python,
        &[
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "pytest==9.0.1",
            "mypy==1.18.2",
            "cryptography==50.0.2",
        ],
    )
}

/// Runs the README's Python example, exactly as it is printed.
fn readme(python: &Path) -> Result<(), String> {
    let text = fs::read_to_string(root().join("README.md")).map_err(|error| error.to_string())?;
    let example = text.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    run(python, &["-c", example.ok_or("the README has no Python example")?])
}

/// Runs pytest and adds its count.
fn tests(python: &Path, report: &mut Report) {
    eprintln!("== pytest");
    let done = Command::new(python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "bindings/python/tests", "tests/vectors"])
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output();
    let Ok(done) = done else {
        report.count("pytest", 0, 1);
        return;
    };
    let text = String::from_utf8_lossy(&done.stdout);
    print!("{text}");
    let summary = text.lines().last().unwrap_or("");
    let failed = before(summary, " failed") + before(summary, " error");
    report.count("pytest", before(summary, " passed"), if done.status.success() { failed } else { failed.max(1) });
}
