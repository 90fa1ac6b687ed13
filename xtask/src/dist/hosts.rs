//! The packages for Python, Kotlin and Swift, each with a library that was built for it alone.

use super::c;
use crate::{
    bindings::{self, build_library_as, target},
    kotlin, python, root, run, toolchains,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What UniFFI's libraries export.
const EXPORTED: [&str; 3] = ["ffi_sesame_*", "uniffi_*", "UNIFFI_*"];

/// Builds the library as it is shipped: one face, freed memory wiped. Gives the folder it lies in.
fn build() -> Result<PathBuf, String> {
    let folder = target().join("dist-hosts");
    build_library_as(&folder, &["--lib", "--release", "--features", "uniffi,wiping-allocator"])?;
    let built = folder.join("release");
    let name = bindings::library();
    let library = built.join(name.file_name().unwrap_or_default());
    if cfg!(target_os = "linux") {
        let odd = |name: &&String| !EXPORTED.iter().any(|ours| name.contains(ours.trim_end_matches('*')));
        let symbols = c::symbols(&library)?;
        if let Some(name) = symbols.iter().find(odd) {
            return Err(format!("{} shows {name}, which is not the hosts'", library.display()));
        }
    }
    Ok(built)
}

/// The shared library without what only debuggers read, in a folder of its own.
fn stripped() -> Result<PathBuf, String> {
    let (built, library) = (build()?, bindings::library());
    let name = library.file_name().unwrap_or_default();
    let folder = built.join("stripped");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let to = folder.join(name);
    match cfg!(target_os = "linux") {
        true => run("strip", &["-o", &to.to_string_lossy(), &built.join(name).to_string_lossy()])?,
        false => c::copy(&built.join(name), &to)?,
    }
    Ok(to)
}

/// A wheel under `prefix`.
pub(crate) fn python(prefix: &Path) -> Result<(), String> {
    let (python, library) = (python::environment()?, stripped()?);
    let (library, to) = (library.to_string_lossy().into_owned(), prefix.to_string_lossy().into_owned());
    run(&python, &["bindings/python/build_wheel.py", &library, &to])?;
    eprintln!("the wheel is in {to}");
    Ok(())
}

/// A Maven repository under `prefix`.
pub(crate) fn kotlin(prefix: &Path) -> Result<(), String> {
    let tools = toolchains::kotlin()?;
    let natives = target().join("dist-hosts/natives");
    let _ = fs::remove_dir_all(&natives);
    kotlin::put_natives(&stripped()?, &natives)?;
    let natives = format!("-Dsesame.natives={}", natives.display());
    let to = format!("-DaltDeploymentRepository=prefix::file://{}", prefix.display());
    let args =
        [&kotlin::build_in("kotlin-dist"), &natives, &to, "-Dmaven.test.skip=true", "-Dktlint.skip=true", "deploy"];
    kotlin::run(tools.maven(&kotlin::folder(), &args))?;
    eprintln!("the Maven repository is in {}", prefix.display());
    Ok(())
}

/// The Swift package under `prefix`, for Linux.
pub(crate) fn swift(prefix: &Path) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Err("on Apple's systems run bindings/swift/build-xcframework.sh".to_owned());
    }
    let package = prefix.join("Sesame");
    let _ = fs::remove_dir_all(&package);
    for folder in ["Sources/Sesame", "Sources/SesameFFI", "Sources/MemoryStore", "Tests/SesameTests"] {
        let (from, to) = (root().join("bindings/swift").join(folder), package.join(folder));
        fs::create_dir_all(&to).map_err(|error| error.to_string())?;
        for entry in fs::read_dir(from).map_err(|error| error.to_string())?.flatten() {
            c::copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    for file in ["Package.swift", "README.md"] {
        c::copy(&root().join("bindings/swift").join(file), &package.join(file))?;
    }
    for file in ["LICENSE-APACHE", "LICENSE-MIT"] {
        c::copy(&root().join(file), &package.join(file))?;
    }
    let pkgconfig = package.join("lib/pkgconfig");
    fs::create_dir_all(&pkgconfig).map_err(|error| error.to_string())?;
    c::static_library(&build()?, &EXPORTED, &package.join("lib/libsesame_ffi.a"))?;
    let needs = c::PRIVATE.map(|name| format!("-l{name}")).join(" ");
    let version = env!("CARGO_PKG_VERSION");
    let text = format!(
        "libdir=${{pcfiledir}}/..\n\nName: sesame_ffi\nDescription: libsesame\nVersion: {version}\nLibs: -L${{libdir}} -lsesame_ffi {needs}\n"
    );
    fs::write(pkgconfig.join("sesame_ffi.pc"), text).map_err(|error| error.to_string())?;
    eprintln!("the package is in {}", package.display());
    Ok(())
}
