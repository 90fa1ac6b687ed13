//! The Kotlin package: compiled with warnings as errors, tested, held to ktlint.

use crate::{
    bindings::{build_library, library, target},
    finish,
    report::Report,
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
    // What an earlier run has left is neither counted nor tested.
    for stale in ["surefire-reports", "classes", "test-classes"] {
        let _ = fs::remove_dir_all(target().join("kotlin").join(stale));
    }
    let tested = report.value("Kotlin: -Werror, JUnit, ktlint", || {
        build_library()?;
        put_natives(&library(), &natives())?;
        let natives = format!("-Dsesame.natives={}", natives().display());
        finish(kotlin.maven(&folder(), &[&build_in("kotlin"), &natives, "verify"]))
    });
    // A test that fails ends Maven as well; what it counted is counted either way.
    report.counted("Kotlin tests", || counts(&reports(), None));
    if tested.is_some()
        && let Ok((cases, _)) = counts(&reports(), Some("BadInputTest"))
    {
        report.corpus(cases);
    }
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

fn reports() -> PathBuf {
    target().join("kotlin/surefire-reports")
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

/// How many tests passed and failed, by Surefire's reports; of one class, or of all.
fn counts(reports: &Path, class: Option<&str>) -> Result<(u32, u32), String> {
    let (mut passed, mut failed, mut found) = (0, 0, false);
    let entries = fs::read_dir(reports).map_err(|error| format!("{}: {error}", reports.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.ends_with(".xml") || class.is_some_and(|class| !name.ends_with(&format!(".{class}.xml"))) {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let attribute = |name: &str| {
            let after = text.split_once(&format!(" {name}=\"")).map(|(_, rest)| rest);
            after.and_then(|rest| rest.split('"').next()).and_then(|number| number.parse::<u32>().ok()).unwrap_or(0)
        };
        let bad = attribute("failures") + attribute("errors") + attribute("skipped");
        passed += attribute("tests").saturating_sub(bad);
        failed += bad;
        found = true;
    }
    if found { Ok((passed, failed)) } else { Err("Surefire has left no report".to_owned()) }
}
