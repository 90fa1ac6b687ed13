//! The packages for Python, Kotlin and Swift, each with a library that was built for it alone.

use super::c;
use crate::{
    bindings::{self, build_library_as, target},
    finish, kotlin, python, root, run, toolchains,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What UniFFI's libraries export.
const EXPORTED: [&str; 3] = ["ffi_sesame_*", "uniffi_*", "UNIFFI_*"];

/// Where the shipped libraries are built.
fn folder() -> PathBuf {
    target().join("dist-hosts")
}

/// Builds the library as it is shipped: one face, freed memory wiped. Gives the folder it lies in.
pub(crate) fn build() -> Result<PathBuf, String> {
    // Without the `rlib` the dependencies are compiled to bitcode alone, as they are for maturin: once for all packages.
    let options = ["--lib", "--release", "--features", "uniffi,wiping-allocator", "--crate-type", "cdylib,staticlib"];
    build_library_as(&folder(), &options)?;
    check_shared()?;
    Ok(folder().join("release"))
}

/// The shared library that was built shows what it may.
fn check_shared() -> Result<(), String> {
    let library = bindings::library();
    let built = folder().join("release").join(library.file_name().unwrap_or_default());
    if cfg!(target_os = "linux") { check_exports(&built) } else { Ok(()) }
}

/// A library shows UniFFI's names and nothing else: no seed and no clock from outside, above all.
fn check_exports(library: &Path) -> Result<(), String> {
    let symbols = c::symbols(library)?;
    // Names of data come with their address and kind before them.
    let name = |symbol: &str| symbol.split_whitespace().rev().find(|word| word.contains('_')).unwrap_or("").to_owned();
    let ours = |name: &str| EXPORTED.iter().any(|ours| name.starts_with(ours.trim_end_matches('*')));
    match symbols.iter().map(|symbol| name(symbol)).find(|name| !ours(name)) {
        Some(name) => Err(format!("{} shows {name}, which is not the hosts'", library.display())),
        None if symbols.len() < 100 => Err(format!("{} shows only {} names", library.display(), symbols.len())),
        None => Ok(()),
    }
}

/// The shared library without what only debuggers read, in a folder of its own.
fn stripped() -> Result<PathBuf, String> {
    let (built, library) = (build()?, bindings::library());
    let name = library.file_name().unwrap_or_default();
    let folder = built.join("stripped");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let to = folder.join(name);
    if cfg!(target_os = "linux") {
        run("strip", &["-o", &to.to_string_lossy(), &built.join(name).to_string_lossy()])?;
    } else {
        c::copy(&built.join(name), &to)?;
    }
    Ok(to)
}

/// A wheel under `prefix`.
pub(crate) fn python(prefix: &Path) -> Result<(), String> {
    python::wheel(prefix, &folder(), &["--release"])?;
    check_shared()?;
    eprintln!("the wheel is in {}", prefix.display());
    Ok(())
}

/// A Maven repository under `prefix`.
pub(crate) fn kotlin(prefix: &Path) -> Result<(), String> {
    let tools = toolchains::kotlin()?;
    let natives = target().join("dist-hosts/natives");
    let _ = fs::remove_dir_all(&natives);
    kotlin::put_natives(&stripped()?, &natives)?;
    let natives = format!("-Dsesame.natives={}", natives.display());
    let url = prefix.display().to_string().replace(' ', "%20");
    let to = format!("-DaltDeploymentRepository=prefix::file://{url}");
    let _ = fs::remove_dir_all(target().join("kotlin-dist"));
    let args =
        [&kotlin::build_in("kotlin-dist"), &natives, &to, "-Dmaven.test.skip=true", "-Dktlint.skip=true", "deploy"];
    finish(tools.maven(&kotlin::folder(), &args))?;
    for (kind, holds) in [
        ("", "libsesame_ffi."),
        ("", "META-INF/proguard/sesame.pro"),
        ("-javadoc", "README.md"),
        ("-sources", "sesame/sesame_ffi.kt"),
    ] {
        let jar = target().join(format!("kotlin-dist/sesame-{}{kind}.jar", env!("CARGO_PKG_VERSION")));
        if !c::read("jar", &["tf", &jar.to_string_lossy()])?.contains(holds) {
            return Err(format!("{} has no {holds}", jar.display()));
        }
    }
    eprintln!("the Maven repository is in {}", prefix.display());
    Ok(())
}

/// The Swift package under `prefix`, for Linux.
pub(crate) fn swift(prefix: &Path) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Err("on Apple's systems run bindings/swift/build-xcframework.sh".to_owned());
    }
    let package = prefix.join("Sesame");
    if package.exists() && !package.join("lib/pkgconfig/sesame_ffi.pc").exists() {
        return Err(format!("{} is there, and is not ours", package.display()));
    }
    let _ = fs::remove_dir_all(&package);
    for folder in ["Sources/Sesame", "Sources/SesameFFI", "Sources/MemoryStore"] {
        let (from, to) = (root().join("bindings/swift").join(folder), package.join(folder));
        fs::create_dir_all(&to).map_err(|error| error.to_string())?;
        for entry in fs::read_dir(from).map_err(|error| error.to_string())?.flatten() {
            c::copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    c::copy(&root().join("bindings/swift/README.md"), &package.join("README.md"))?;
    // The tests need the tree around them.
    let manifest = root().join("bindings/swift/Package.swift");
    let manifest = fs::read_to_string(manifest).map_err(|error| error.to_string())?;
    let lines = manifest.lines().filter(|line| !line.contains(".testTarget(")).map(|line| format!("{line}\n"));
    fs::write(package.join("Package.swift"), lines.collect::<String>()).map_err(|error| error.to_string())?;
    for file in ["LICENSE-APACHE", "LICENSE-MIT"] {
        c::copy(&root().join(file), &package.join(file))?;
    }
    let pkgconfig = package.join("lib/pkgconfig");
    fs::create_dir_all(&pkgconfig).map_err(|error| error.to_string())?;
    let library = package.join("lib/libsesame_ffi.a");
    c::static_library(&build()?, &EXPORTED, &library)?;
    check_exports(&library)?;
    let needs = c::PRIVATE.map(|name| format!("-l{name}")).join(" ");
    let version = env!("CARGO_PKG_VERSION");
    let text = format!(
        "libdir=${{pcfiledir}}/..\n\nName: sesame_ffi\nDescription: libsesame\nVersion: {version}\nLibs: -L${{libdir}} -lsesame_ffi {needs}\n"
    );
    fs::write(pkgconfig.join("sesame_ffi.pc"), text).map_err(|error| error.to_string())?;
    eprintln!("the package is in {}", package.display());
    Ok(())
}
