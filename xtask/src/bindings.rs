//! The library for the hosts, the generated code, and whether the committed code is what the library says.

use crate::{root, run};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Where the header lies.
const HEADER: &str = "include/sesame.h";
/// Where the generated Python lies.
const PYTHON: &str = "bindings/python/src/sesame/_native.py";

/// Builds the library with the UniFFI face alone.
pub(crate) fn build_library() -> Result<(), String> {
    run("cargo", &["build", "-p", "sesame-ffi", "--no-default-features", "--features", "uniffi"])
}

/// The library file.
pub(crate) fn library() -> PathBuf {
    let name = match std::env::consts::OS {
        "macos" => "libsesame_ffi.dylib",
        "windows" => "sesame_ffi.dll",
        _ => "libsesame_ffi.so",
    };
    target().join("debug").join(name)
}

/// The target folder.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn generator(args: &[&str]) -> Result<Vec<u8>, String> {
    let done = Command::new("cargo")
        .args(["run", "-q", "-p", "sesame-bindgen", "--"])
        .args(args)
        .current_dir(root())
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    if done.status.success() { Ok(done.stdout) } else { Err(format!("the generator ended with {}", done.status)) }
}

/// The generated Python.
pub(crate) fn generate(root: &Path) -> Result<String, String> {
    build_library()?;
    let out = target().join("bindings");
    fs::create_dir_all(&out).map_err(|error| error.to_string())?;
    let (library, out_dir) = (library(), out.to_string_lossy().into_owned());
    let config = root.join("uniffi.toml");
    generator(&[
        "generate",
        "--no-format",
        "--language",
        "python",
        "--config",
        &config.to_string_lossy(),
        "--out-dir",
        &out_dir,
        &library.to_string_lossy(),
    ])?;
    fs::read_to_string(out.join("sesame_ffi.py")).map_err(|error| format!("no Python was generated: {error}"))
}

/// Puts the generated Python where it is committed.
pub(crate) fn write(root: &Path, python: &str) -> Result<(), String> {
    fs::write(root.join(PYTHON), python).map_err(|error| error.to_string())
}

/// The generated header.
pub(crate) fn header() -> Result<String, String> {
    let text = generator(&["header", &root().to_string_lossy()])?;
    String::from_utf8(text).map_err(|error| error.to_string())
}

/// Puts the header where it is committed.
pub(crate) fn write_header(root: &Path, text: &str) -> Result<(), String> {
    fs::write(root.join(HEADER), text).map_err(|error| error.to_string())
}

/// Fails when the committed code is not what the generators give now.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let same = |path: &str, fresh: &str, command: &str| match fs::read_to_string(root.join(path)) {
        Ok(committed) if committed == fresh => Ok(()),
        _ => Err(format!("{path} is out of date: run `cargo xtask {command}` and commit it")),
    };
    same(HEADER, &header()?, "header")?;
    same(PYTHON, &generate(root)?, "bindings")
}
