//! The library for the hosts, the generated code, and whether the committed code is what core and the library say.

use crate::{root, run};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Where the header lies.
const HEADER: &str = "include/sesame.h";
/// What is generated for the hosts: the language, the file as the generator calls it, and where it is committed.
const HOSTS: [(&str, &str, &str); 5] = [
    ("python", "sesame_ffi.py", "bindings/python/src/sesame/_native/sesame_ffi.py"),
    ("kotlin", "sesame/sesame_ffi.kt", "bindings/kotlin/src/generated/sesame/sesame_ffi.kt"),
    ("swift", "Sesame.swift", "bindings/swift/Sources/Sesame/Generated.swift"),
    ("swift", "SesameFFI.h", "bindings/swift/Sources/SesameFFI/SesameFFI.h"),
    ("swift", "SesameFFI.modulemap", "bindings/swift/Sources/SesameFFI/module.modulemap"),
];

/// The files that `sesame-bindgen patch` changes.
const PATCHED: [&str; 2] = ["kt", "swift"];

/// Builds the library with the UniFFI face alone.
pub(crate) fn build_library() -> Result<(), String> {
    run("cargo", &["build", "-p", "sesame-ffi", "--no-default-features", "--features", "uniffi"])
}

/// Builds the library in a target folder of its own: in the workspace's, it would be built with other features by turns.
pub(crate) fn build_library_as(folder: &Path, options: &[&str]) -> Result<(), String> {
    let args = ["rustc", "--locked", "-p", "sesame-ffi", "--no-default-features", "--target-dir"];
    run("cargo", &[&args[..], &[&folder.to_string_lossy()], options].concat())
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
    let named = std::env::var_os("CARGO_TARGET_DIR").and_then(|folder| std::path::absolute(folder).ok());
    named.unwrap_or_else(|| root().join("target"))
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

/// A folder in which the generator is called `uniffi-bindgen`, for programs that look for that name on the PATH.
pub(crate) fn generator_on_path() -> Result<PathBuf, String> {
    run("cargo", &["build", "-p", "sesame-bindgen"])?;
    let folder = target().join("generator");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let program = |name: &str| format!("{name}{}", std::env::consts::EXE_SUFFIX);
    fs::copy(target().join("debug").join(program("sesame-bindgen")), folder.join(program("uniffi-bindgen")))
        .map_err(|error| format!("the generator: {error}"))?;
    Ok(folder)
}

/// The generated code of every host: where it is committed, and the text.
fn hosts() -> Result<Vec<(&'static str, String)>, String> {
    build_library()?;
    let (out, config, library) = (target().join("bindings"), root().join("uniffi.toml"), library());
    let _ = fs::remove_dir_all(&out);
    for language in ["python", "kotlin", "swift"] {
        generator(&[
            "generate",
            "--no-format",
            "--language",
            language,
            "--config",
            &config.to_string_lossy(),
            "--out-dir",
            &out.to_string_lossy(),
            &library.to_string_lossy(),
        ])?;
    }
    HOSTS.into_iter().map(|(language, file, to)| Ok((to, host(language, &out.join(file))?))).collect()
}

/// A generated file, with our patches if there are some for its kind.
fn host(language: &str, path: &Path) -> Result<String, String> {
    if PATCHED.iter().any(|extension| path.extension().is_some_and(|it| it == *extension)) {
        let text = generator(&["patch", language, &path.to_string_lossy()])?;
        return String::from_utf8(text).map_err(|error| error.to_string());
    }
    fs::read_to_string(path).map_err(|error| format!("no {language} was generated: {}: {error}", path.display()))
}

/// What follows from core's definitions alone: where it is committed, and the text.
fn types() -> Result<Vec<(String, String)>, String> {
    let out = target().join("types");
    let _ = fs::remove_dir_all(&out);
    generator(&["types", &root().to_string_lossy(), &out.to_string_lossy()])?;
    let mut files = Vec::new();
    collect(&out, &out, &mut files)?;
    if files.is_empty() {
        return Err("no types were generated".to_owned());
    }
    Ok(files)
}

/// Every file under a folder, with its path from the root of it.
fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) -> Result<(), String> {
    for path in fs::read_dir(folder).map_err(|error| error.to_string())?.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.push((name, text));
        }
    }
    Ok(())
}

fn put(path: &str, text: &str) -> Result<(), String> {
    let path = root().join(path);
    let folder = path.parent().ok_or("a file without a folder")?;
    fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).map_err(|error| error.to_string())
}

/// Puts all generated code where it is committed: first what the library is made of, then what is made of the library.
pub(crate) fn generate() -> Result<(), String> {
    for (path, text) in types()? {
        put(&path, &text)?;
    }
    put(HEADER, &header()?)?;
    for (path, text) in hosts()? {
        put(path, &text)?;
    }
    Ok(())
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

/// The workspace's version stands wherever a package or its page names it.
pub(crate) fn check_versions() -> Result<(), String> {
    let version = env!("CARGO_PKG_VERSION");
    for (path, text) in [
        ("bindings/kotlin/pom.xml", format!("<version>{version}</version>\n  <name>")),
        ("bindings/kotlin/build.gradle.kts", format!("version = \"{version}\"")),
        ("bindings/kotlin/README.md", format!("<artifactId>sesame</artifactId><version>{version}</version>")),
        ("bindings/kotlin/README.md", format!("libsesame:sesame:{version}")),
    ] {
        let found = fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))?;
        if !found.contains(&text) {
            return Err(format!("{path} does not say {text:?}"));
        }
    }
    Ok(())
}

/// Fails when the committed code is not what the generators give now.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let same = |path: &str, fresh: &str, command: &str| match fs::read_to_string(root.join(path)) {
        Ok(committed) if committed == fresh => Ok(()),
        _ => Err(format!("{path} is out of date: run `cargo xtask {command}` and commit it")),
    };
    for (path, text) in types()? {
        same(&path, &text, "bindings")?;
    }
    same(HEADER, &header()?, "header")?;
    hosts()?.iter().try_for_each(|(path, text)| same(path, text, "bindings"))
}
