//! The Python package as a wheel, its tests, and the environment of the tools that come from PyPI.

use crate::{
    bindings::{self, build_library, library, target},
    finish,
    report::{Report, Suite},
    root, run,
    toolchains::home,
    tools::runs,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The Python that is here.
pub(crate) const SYSTEM: &str = if cfg!(windows) { "python" } else { "python3" };

/// What is installed into the tools' environment.
const TOOLS: &str = include_str!("../tools.txt");

/// Everything that is checked of the Python package.
pub(crate) fn check(report: &mut Report) {
    report.language("Python");
    let package = target().join("python-package");
    let installed = report.step("Python wheel", || {
        let wheels = target().join("wheels");
        let _ = fs::remove_dir_all(&wheels);
        wheel(&wheels, &target(), &["--profile", "dev", "--features", "uniffi"])?;
        install(&wheels, &package)
    });
    if !installed {
        return;
    }
    report.step("mypy --strict", || mypy(&package));
    report.step("the demo's story", || {
        let mut story = Command::new(SYSTEM);
        story.arg("bindings/python/demo.py").env("PYTHONPATH", &package).current_dir(root());
        finish(story)
    });
    let reports = target().join("reports/pytest.xml");
    let suite = Suite {
        name: "pytest",
        reports: reports.clone(),
        corpus: ("bindings.python.tests.test_bad_inputs", "test_case["),
    };
    report.suite(&suite, || {
        let mut pytest = Command::new(tool("python"));
        pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "--junit-xml"]).arg(&reports);
        pytest.args(["bindings/python/tests", "tests/vectors"]).env("PYTHONPATH", &package).current_dir(root());
        finish(pytest)
    });
}

/// A program of the tools' environment.
pub(crate) fn tool(name: &str) -> PathBuf {
    let folder = if cfg!(windows) { "Scripts" } else { "bin" };
    home().join("python").join(folder).join(name)
}

/// The list of what is in the environment lies beside it, and is written last.
fn list() -> PathBuf {
    home().join("python/tools.txt")
}

/// Whether the tools are here, in the versions of the list.
pub(crate) fn has_tools() -> bool {
    fs::read_to_string(list()).is_ok_and(|installed| installed == TOOLS)
}

/// Makes the tools' environment anew.
pub(crate) fn install_tools() -> Result<(), String> {
    let folder = home().join("python");
    let _ = fs::remove_dir_all(&folder);
    run(SYSTEM, &["-m", "venv", &folder.to_string_lossy()])
        .map_err(|error| format!("{error}\nPython 3.11 or newer is needed; on Debian also the package python3-venv"))?;
    let requirements = root().join("xtask/tools.txt").to_string_lossy().into_owned();
    let quiet = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"];
    run(tool("python"), &[&quiet[..], &["-r", &requirements]].concat())?;
    fs::write(list(), TOOLS).map_err(|error| error.to_string())
}

/// Builds the wheel into a folder by maturin, which calls `uniffi-bindgen`: the one of `bindings/bindgen`, under that name on the PATH.
pub(crate) fn wheel(to: &Path, build: &Path, options: &[&str]) -> Result<(), String> {
    if !has_tools() {
        return Err("there is no maturin; `cargo xtask setup` installs it".to_owned());
    }
    let folder = bindings::generator_on_path()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([folder].into_iter().chain(std::env::split_paths(&path)));
    let mut maturin = Command::new(tool("maturin"));
    maturin.args(["build", "--locked", "--out"]).arg(to).arg("--target-dir").arg(build).args(options);
    maturin.env("PATH", path.map_err(|error| error.to_string())?).current_dir(root().join("bindings/python"));
    finish(maturin)
}

/// Installs the one wheel of a folder into another folder, for PYTHONPATH.
fn install(wheels: &Path, to: &Path) -> Result<(), String> {
    let _ = fs::remove_dir_all(to);
    let (wheels, to) = (wheels.to_string_lossy(), to.to_string_lossy());
    let quiet = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", "--no-deps"];
    run(tool("python"), &[&quiet[..], &["--find-links", &wheels, "--target", &to, "sesame"]].concat())
}

/// The package as it is committed with a library in it, in a folder for PYTHONPATH: a wheel without maturin, which has to be fetched, and
/// without the generators, which take minutes to build.
pub(crate) fn lay_out(library: &Path, folder: &Path) -> Result<(), String> {
    let (source, package) = (root().join("bindings/python/src/sesame"), folder.join("sesame"));
    let _ = fs::remove_dir_all(&package);
    for part in ["", "_native"] {
        let (from, to) = (source.join(part), package.join(part));
        fs::create_dir_all(&to).map_err(|error| error.to_string())?;
        let entries = fs::read_dir(from).map_err(|error| error.to_string())?.flatten().map(|entry| entry.path());
        for file in entries.filter(|path| path.is_file()) {
            copy(&file, &to)?;
        }
    }
    copy(library, &package.join("_native"))
}

fn copy(file: &Path, folder: &Path) -> Result<(), String> {
    let to = folder.join(file.file_name().unwrap_or_default());
    fs::copy(file, to).map(drop).map_err(|error| format!("{}: {error}", file.display()))
}

/// The demo's program over the library in the tree.
pub(crate) fn demo() -> Result<(), String> {
    let folder = target().join("demo");
    build_library()?;
    lay_out(&library(), &folder)?;
    let mut demo = Command::new(SYSTEM);
    demo.arg("bindings/python/demo.py").env("PYTHONPATH", folder).current_dir(root());
    if !runs(SYSTEM, &["-c", "import sys; sys.exit(sys.version_info < (3, 11))"]) {
        return Err("Python 3.11 or newer is needed".to_owned());
    }
    finish(demo)
}

/// Ten thousand interrupts inside calls, and a thousand ends of an interpreter whose threads are in an app's store. In CI, `check` plays the
/// same interrupts and some of the ends.
pub(crate) fn score_exits() -> Result<(), String> {
    let folder = target().join("exits");
    build_library()?;
    lay_out(&library(), &folder)?;
    let mut pytest = Command::new(tool("python"));
    pytest.args([
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        ".",
        "bindings/python/tests/test_interrupts.py",
    ]);
    pytest.env("PYTHONPATH", folder).env("SESAME_LONG", "1").current_dir(root());
    finish(pytest)
}

/// The package, the demo, the tests and the story, each as strict as can be.
fn mypy(package: &Path) -> Result<(), String> {
    let checked = [
        "src/sesame",
        "demo.py",
        "examples",
        "tests",
        "../../tests/story/python/story.py",
        "../../tests/story/python/peer.py",
        "../../tests/bench/batch.py",
    ];
    let mut mypy = Command::new(tool("python"));
    mypy.args(["-m", "mypy", "--strict", "--config-file", "pyproject.toml"]).args(checked);
    mypy.current_dir(root().join("bindings/python")).env("MYPYPATH", "tests").env("PYTHONPATH", package);
    finish(mypy)
}
