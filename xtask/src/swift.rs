//! The Swift package: compiled with warnings as errors in the modes of Swift 5 and 6, and tested.

use crate::{
    bindings::{build_library, target},
    finish,
    report::{Report, Suite},
    root,
    toolchains::{self, Swift},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Everything that is checked of the Swift package; whether there are the tools to check it.
pub(crate) fn check(report: &mut Report) -> bool {
    report.language("Swift");
    let swift = match toolchains::swift() {
        Ok(swift) => swift,
        Err(reason) => {
            report.skip("Swift", &reason);
            return false;
        }
    };
    let libraries = report.value("Swift: library", || {
        build_library()?;
        describe(&target().join("debug"))
    });
    let Some(libraries) = libraries else { return true };
    for mode in ["5", "6"] {
        report.step(&format!("Swift: no warning in the mode of Swift {mode}"), || {
            let scratch = target().join(format!("swift/mode-{mode}"));
            let strict = ["-Xswiftc", "-swift-version", "-Xswiftc", mode, "-Xswiftc", "-warnings-as-errors"];
            let complete = ["-Xswiftc", "-strict-concurrency=complete"];
            let story = root().join("tests/story/swift/Story");
            build(&swift, &story, &libraries, &scratch.join("story"), &[&strict[..], &["--target", "Batch"]].concat())?;
            build(&swift, &folder(), &libraries, &scratch, &[&strict[..], &complete].concat())
        });
    }
    let reports = target().join("reports/XCTest.xml");
    let suite =
        Suite { name: "Swift tests", reports: reports.clone(), corpus: ("SesameTests.BadInputTests", "testTheCorpus") };
    report.suite(&suite, || tests(&swift, &libraries, &reports));
    true
}

/// The package's folder.
pub(crate) fn folder() -> PathBuf {
    root().join("bindings/swift")
}

/// Writes the file by which SwiftPM finds the library in a folder; gives the folder of that file.
pub(crate) fn describe(libraries: &Path) -> Result<PathBuf, String> {
    let folder = libraries.join("swift-pkgconfig");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let version = env!("CARGO_PKG_VERSION");
    let text = format!(
        "Name: sesame_ffi\nDescription: libsesame\nVersion: {version}\nLibs: -L{} -lsesame_ffi\n",
        libraries.display()
    );
    fs::write(folder.join("sesame_ffi.pc"), text).map_err(|error| error.to_string())?;
    Ok(folder)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// `swift build` of a package.
pub(crate) fn build(
    swift: &Swift,
    package: &Path,
    pkgconfig: &Path,
    scratch: &Path,
    options: &[&str],
) -> Result<(), String> {
    let (pkgconfig, scratch) = (text(pkgconfig), text(scratch));
    let libraries = Path::new(&pkgconfig).parent().map(text).unwrap_or_default();
    let args = ["swift", "build", "--scratch-path", &scratch, "-Xlinker", "-rpath", "-Xlinker", &libraries];
    finish(swift.command(package, &[("PKG_CONFIG_PATH", &pkgconfig)], &[&args[..], options].concat()))
}

/// Runs XCTest. It writes a report of the tests that it runs in parallel.
fn tests(swift: &Swift, pkgconfig: &Path, report: &Path) -> Result<(), String> {
    let (scratch, pkgconfig) = (text(&target().join("swift/tests")), text(pkgconfig));
    let libraries = text(&target().join("debug"));
    let env = [("PKG_CONFIG_PATH", pkgconfig.as_str()), ("LD_LIBRARY_PATH", &libraries)];
    let args = ["swift", "test", "--scratch-path", &scratch, "-Xswiftc", "-warnings-as-errors", "--parallel"];
    finish(swift.command(&folder(), &env, &[&args[..], &["--xunit-output", &text(report)]].concat()))
}
