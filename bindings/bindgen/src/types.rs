//! The files that are generated from core's definitions.

use crate::{
    c_face, codes, ids, ledger::Ledger, limits, model, python, python_reader, source::Source, story, table::SOURCES,
    uniffi_face,
};
use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// Where C's numbers and the order of its fields are kept.
const LEDGER: &str = "bindings/bindgen/ledger.txt";

/// Writes every generated file under `out`, at its path in the repository.
pub(crate) fn write(root: &Path, out: &Path) -> Result<(), String> {
    for (path, text) in files(root)? {
        let to = out.join(path);
        let folder = to.parent().ok_or("a file without a folder")?;
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&to, text))
            .map_err(|error| format!("{}: {error}", to.display()))?;
    }
    Ok(())
}

fn files(root: &Path) -> Result<Vec<(&'static str, String)>, String> {
    let source = Source::read(root, &SOURCES)?;
    let codes = source.codes()?;
    let faces = model::faces(&source)?;
    let event = model::named(&faces, "Event")?;
    let ids = ids::of(&source)?;
    let known = fs::read_to_string(root.join(LEDGER)).map_err(|error| format!("{LEDGER}: {error}"))?;
    let mut ledger = Ledger::read(&known);
    let mut files = vec![
        ("ffi/src/capi/status.rs", codes::status(&codes)),
        ("ffi/src/capi/view/generated.rs", c_face::generate(&faces, &mut ledger)?),
        ("ffi/src/uniffi/generated.rs", uniffi_face::generate(&faces, &ids)),
        ("ffi/src/uniffi/code.rs", codes::uniffi(&codes)),
        ("bindings/kotlin/src/generated/sesame/Ids.kt", ids::kotlin(&ids)),
        ("bindings/kotlin/src/generated/sesame/Limits.kt", limits::kotlin(&source)?),
        ("bindings/swift/Sources/Sesame/Ids.swift", ids::swift(&ids)),
        ("bindings/swift/Sources/Sesame/Limits.swift", limits::swift(&source)?),
        ("bindings/python/src/sesame/codes.py", codes::python(&codes)),
        ("bindings/python/src/sesame/limits.py", limits::python(&source)?),
        ("bindings/python/src/sesame/values.py", python::generate(&faces)?),
        ("bindings/python/src/sesame/reading.py", python_reader::generate(&faces)?),
        ("tests/src/bin/story/events.rs", story::rust(event)?),
        ("tests/story/c/events.h", story::c(event, c_face::c_name)?),
        ("tests/story/kotlin/Events.kt", story::kotlin(event)?),
        ("tests/story/python/events.py", story::python(event)?),
        ("tests/story/swift/Story/Sources/Story/Events.swift", story::swift(event)?),
    ];
    for (path, text) in &mut files {
        if path.ends_with(".rs") {
            *text = formatted(root, text).map_err(|error| format!("{path}: {error}"))?;
        }
    }
    files.push((LEDGER, ledger.text()));
    Ok(files)
}

/// The text as `cargo fmt` leaves it.
fn formatted(root: &Path, text: &str) -> Result<String, String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("rustfmt could not be started: {error}"))?;
    let mut input = rustfmt.stdin.take().ok_or("rustfmt takes no input")?;
    input.write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    drop(input);
    let done = rustfmt.wait_with_output().map_err(|error| error.to_string())?;
    if !done.status.success() {
        return Err("rustfmt does not take the text".to_owned());
    }
    String::from_utf8(done.stdout).map_err(|error| error.to_string())
}
