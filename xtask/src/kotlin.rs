//! The Kotlin package: compiled with warnings as errors, tested, held to ktlint.

use crate::{
    bindings::{build_library, library, target},
    finish,
    report::{Report, Suite},
    root,
    toolchains::{self, Kotlin},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Everything that is checked of the Kotlin package; whether there are the tools to check it.
pub(crate) fn check(report: &mut Report) -> bool {
    report.language("Kotlin");
    let kotlin = match toolchains::kotlin() {
        Ok(kotlin) => kotlin,
        Err(reason) => {
            report.skip("Kotlin", &reason);
            return false;
        }
    };
    // What an earlier run has compiled is not tested.
    for stale in ["classes", "test-classes"] {
        let _ = fs::remove_dir_all(target().join("kotlin").join(stale));
    }
    let suite = Suite {
        name: "Kotlin tests, -Werror and ktlint",
        reports: target().join("kotlin/surefire-reports"),
        corpus: ("sesame.BadInputTest", ""),
    };
    report.suite(&suite, || {
        build_library()?;
        put_natives(&library(), &natives())?;
        let natives = format!("-Dsesame.natives={}", natives().display());
        finish(kotlin.maven(&folder(), &[&build_in("kotlin"), &natives, "verify"]))
    });
    true
}

/// The package's folder.
pub(crate) fn folder() -> PathBuf {
    root().join("bindings/kotlin")
}

/// Tells Maven to build in a folder of the target folder's.
pub(crate) fn build_in(name: &str) -> String {
    format!("-Dsesame.build={}", target().join(name).display())
}

/// Where the library for the tests lies, in JNA's layout.
fn natives() -> PathBuf {
    target().join("kotlin-natives")
}

/// Compiles package, tests and story, and gives the class path of all.
pub(crate) fn class_path(kotlin: &Kotlin) -> Result<String, String> {
    let natives = format!("-Dsesame.natives={}", natives().display());
    finish(kotlin.maven(&folder(), &[&build_in("kotlin"), &natives, "test-compile"]))?;
    let built = target().join("kotlin");
    let listed = built.join("class-path.txt");
    let others = fs::read_to_string(&listed).map_err(|error| format!("{}: {error}", listed.display()))?;
    Ok(format!("{0}/test-classes:{0}/classes:{1}", built.display(), others.trim()))
}

/// Lays a library where JNA looks for it in a jar: `linux-x86-64/libsesame_ffi.so`.
pub(crate) fn put_natives(library: &Path, to: &Path) -> Result<(), String> {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        system => system,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "x86-64",
        machine => machine,
    };
    let folder = to.join(format!("{system}-{machine}"));
    let name = library.file_name().ok_or("the library has no name")?;
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    fs::copy(library, folder.join(name)).map(drop).map_err(|error| format!("{}: {error}", library.display()))
}
