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
    report.language("Python");
    let python = report.value("python environment", || {
        build_library()?;
        let python = environment()?;
        install(&python)?;
        install_test_tools(&python)?;
        Ok(python)
    });
    let Some(python) = python else { return };
    report.step("mypy --strict", || mypy(&python));
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

/// The package as it is committed, with another library in it, under a folder for PYTHONPATH.
pub(crate) fn lay_out(library: &Path, folder: &Path) -> Result<(), String> {
    let package = folder.join("sesame");
    let _ = fs::remove_dir_all(&package);
    fs::create_dir_all(&package).map_err(|error| error.to_string())?;
    let source = root().join("bindings/python/src/sesame");
    let entries = fs::read_dir(source).map_err(|error| error.to_string())?.flatten().map(|entry| entry.path());
    for file in entries.filter(|path| path.is_file()).chain([library.to_path_buf()]) {
        let to = package.join(file.file_name().unwrap_or_default());
        fs::copy(&file, to).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
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

/// The package, the demo, the tests and the story, each as strict as can be.
fn mypy(python: &Path) -> Result<(), String> {
    let checked = [
        "src/sesame",
        "demo.py",
        "tests",
        "../../tests/story/python/story.py",
        "../../tests/story/python/peer.py",
        "../../tests/bench/batch.py",
    ];
    let mut command = Command::new(python);
    command.args(["-m", "mypy", "--strict", "--config-file", "pyproject.toml"]).args(checked);
    command.current_dir(root().join("bindings/python")).env("MYPYPATH", "tests");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("mypy ended with {status}")),
        Err(error) => Err(error.to_string()),
    }
}

/// Runs pytest and adds its counts: the corpus apart.
fn tests(python: &Path, report: &mut Report) {
    let corpus = "bindings/python/tests/test_bad_inputs.py";
    let mut cases = 0;
    report.counted("pytest: bad inputs", || {
        let counts = pytest(python, &[corpus])?;
        cases = counts.0.saturating_sub(1);
        Ok(counts)
    });
    report.corpus(cases);
    let ignore = format!("--ignore={corpus}");
    report.counted("pytest", || pytest(python, &["bindings/python/tests", "tests/vectors", &ignore]));
}

fn pytest(python: &Path, args: &[&str]) -> Result<(u32, u32), String> {
    let done = Command::new(python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .args(args)
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&done.stdout);
    print!("{text}");
    let summary = text.lines().last().unwrap_or("");
    let failed = before(summary, " failed") + before(summary, " error");
    Ok((before(summary, " passed"), if done.status.success() { failed } else { failed.max(1) }))
}
