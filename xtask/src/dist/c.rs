//! `cargo xtask dist c --prefix DIR`: an installed libsesame for C and C++.

use crate::{bindings::target, root, run};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What an app includes, and what that includes.
const HEADERS: [&str; 4] = ["sesame.h", "sesame.hpp", "sesame/store.hpp", "sesame/values.hpp"];
/// What a static library needs beside it, as rustc says it for this platform.
pub(super) const PRIVATE: [&str; 7] = ["gcc_s", "util", "rt", "pthread", "m", "dl", "c"];

/// Before 1.0 each minor version is a library of its own.
fn soname() -> String {
    let mut numbers = VERSION.split('.');
    let (major, minor) = (numbers.next().unwrap_or("0"), numbers.next().unwrap_or("0"));
    format!("libsesame.so.{major}.{minor}")
}

/// Runs a command and gives what it prints.
pub(crate) fn read(program: &str, args: &[&str]) -> Result<String, String> {
    let done = Command::new(program)
        .args(args)
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{program} could not be started: {error}"))?;
    if !done.status.success() {
        return Err(format!("{program} {} ended with {}", args.join(" "), done.status));
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Builds the library with the C face alone, in a target folder of its own: in the workspace's, features of other crates would come in.
fn build() -> Result<PathBuf, String> {
    let folder = target().join("dist-c");
    let link = format!("link-arg=-Wl,-soname,{}", soname());
    let args = ["rustc", "--locked", "-p", "sesame-ffi", "--lib", "--release", "--no-default-features"];
    let face = ["--features", "capi,wiping-allocator", "--crate-type", "cdylib,staticlib", "--target-dir"];
    let folder_name = folder.to_string_lossy().into_owned();
    run("cargo", &[&args[..], &face, &[&folder_name, "--", "-C", &link]].concat())?;
    Ok(folder.join("release"))
}

pub(super) fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to).map(drop).map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}

/// Makes one object of the whole static library, in which only what the shared one exports is global: SQLite's names would collide with an
/// app's own. `ours` are the patterns of those names.
pub(super) fn static_library(built: &Path, ours: &[&str], to: &Path) -> Result<(), String> {
    let name = |path: &Path| path.to_string_lossy().into_owned();
    let (all, own) = (built.join("sesame-all.o"), built.join("sesame.o"));
    let exported = symbols(&built.join("libsesame_ffi.so"))?;
    let keep: Vec<String> = exported.iter().flat_map(|symbol| ["-u".to_owned(), symbol.clone()]).collect();
    let keep: Vec<&str> = keep.iter().map(String::as_str).collect();
    let archive = name(&built.join("libsesame_ffi.a"));
    let whole = ["-r", "--gc-sections", "--whole-archive", &archive, "-o"];
    run("ld", &[&keep[..], &whole, &[&name(&all)]].concat())?;
    let ours: Vec<String> = ours.iter().map(|pattern| format!("--keep-global-symbol={pattern}")).collect();
    let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    let hide = ["--wildcard", "--strip-debug", "-R", ".llvmbc", "-R", ".llvmcmd"];
    run("objcopy", &[&hide[..], &ours, &[&name(&all), &name(&own)]].concat())?;
    let _ = fs::remove_file(to);
    // Without plugins: LLVM's, where it is installed, cannot read what rustc writes, and ends ar.
    run("ar", &["--plugin=", "crs", &name(to), &name(&own)])
}

/// The global names that a library defines.
pub(crate) fn symbols(library: &Path) -> Result<Vec<String>, String> {
    let text = if library.extension().is_some_and(|extension| extension == "a") {
        read("nm", &["--plugin=", "-g", "--defined-only", &library.to_string_lossy()])?
    } else {
        read("nm", &["-D", "--defined-only", &library.to_string_lossy()])?
    };
    let mut names: Vec<String> =
        text.lines().filter_map(|line| line.split_once(" T ").map(|(_, name)| name.to_owned())).collect();
    names.extend(
        text.lines()
            .filter(|line| !line.contains(" T ") && line.split_whitespace().count() == 3)
            .map(|line| format!("{line} (not a function)")),
    );
    names.sort();
    Ok(names)
}

/// The functions that the header declares.
fn declared(prefix: &Path) -> Result<Vec<String>, String> {
    let header = fs::read_to_string(prefix.join("include/sesame.h")).map_err(|error| error.to_string())?;
    let before_bracket = |text: &str| text.split_once('(').map(|(before, _)| before.to_owned());
    let last_word = |text: String| text.rsplit([' ', '*', '\n']).next().map(str::to_owned);
    let mut names: Vec<String> =
        header.split("\nSESAME_API").skip(1).filter_map(before_bracket).filter_map(last_word).collect();
    names.sort();
    Ok(names)
}

/// Both libraries export what the header declares, and nothing else.
pub(crate) fn check_symbols(prefix: &Path) -> Result<(), String> {
    let declared = declared(prefix)?;
    for library in ["libsesame.so", "libsesame.a"] {
        let exported = symbols(&prefix.join("lib").join(library))?;
        if exported != declared {
            let odd: Vec<&String> = exported.iter().filter(|name| !declared.contains(name)).collect();
            let lacks: Vec<&String> = declared.iter().filter(|name| !exported.contains(name)).collect();
            return Err(format!("{library} shows {odd:?} besides and lacks {lacks:?}"));
        }
    }
    if declared.is_empty() { Err("the header declares nothing".to_owned()) } else { Ok(()) }
}

fn template(name: &str, to: &Path, values: &[(&str, &str)]) -> Result<(), String> {
    let path = root().join("bindings/c").join(name);
    let mut text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    for (key, value) in values {
        text = text.replace(&format!("@{key}@"), value);
    }
    fs::write(to, text).map_err(|error| format!("{}: {error}", to.display()))
}

/// Installs header, libraries, pkg-config file and CMake package under `prefix`.
pub(crate) fn install(prefix: &Path) -> Result<(), String> {
    let built = build()?;
    let (include, lib) = (prefix.join("include"), prefix.join("lib"));
    let (pkgconfig, cmake) = (lib.join("pkgconfig"), lib.join("cmake/sesame"));
    for folder in [&include.join("sesame"), &pkgconfig, &cmake] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    for header in HEADERS {
        copy(&root().join("include").join(header), &include.join(header))?;
    }
    if !cfg!(target_os = "linux") {
        let library = crate::bindings::library();
        let name = library.file_name().ok_or("the library has no name")?;
        return copy(&built.join(name), &lib.join(name));
    }
    let (soname, shared) = (soname(), format!("libsesame.so.{VERSION}"));
    run("strip", &["-o", &lib.join(&shared).to_string_lossy(), &built.join("libsesame_ffi.so").to_string_lossy()])?;
    for (link, to) in [(soname.as_str(), shared.as_str()), ("libsesame.so", soname.as_str())] {
        let _ = fs::remove_file(lib.join(link));
        #[cfg(unix)]
        std::os::unix::fs::symlink(to, lib.join(link)).map_err(|error| error.to_string())?;
    }
    static_library(&built, &["sesame_*"], &lib.join("libsesame.a"))?;
    let flags = PRIVATE.map(|name| format!("-l{name}")).join(" ");
    template("sesame.pc.in", &pkgconfig.join("sesame.pc"), &[("VERSION", VERSION), ("PRIVATE", &flags)])?;
    let values = [("SHARED", shared.as_str()), ("SONAME", &soname), ("LIBRARIES", &PRIVATE.join(";"))];
    template("sesameConfig.cmake.in", &cmake.join("sesameConfig.cmake"), &values)?;
    let mut numbers = VERSION.split('.');
    let [major, minor] = [numbers.next().unwrap_or("0"), numbers.next().unwrap_or("0")];
    let values = [("VERSION", VERSION), ("MAJOR", major), ("MINOR", minor)];
    template("sesameConfigVersion.cmake.in", &cmake.join("sesameConfigVersion.cmake"), &values)?;
    check_symbols(prefix)?;
    eprintln!("libsesame {VERSION} is in {}", prefix.display());
    Ok(())
}
