//! Kotlin's and Swift's tools: found, or set up in a folder of the project's own that outlives the target folder.
//!
//! Maven's artifacts come from Maven Central. Swift comes from the PATH or, on Linux as root, with a Debian 13 in a folder (debootstrap), in
//! which its programs run over the same tree.

use crate::{bindings::target, root, tools};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Where what was set up is kept: `$SESAME_TOOLCHAINS`, or `libsesame` in the user's cache.
pub(crate) fn home() -> PathBuf {
    let cache = || match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/var".into())).join(".cache"),
    };
    std::env::var_os("SESAME_TOOLCHAINS").map_or_else(|| cache().join("libsesame"), PathBuf::from)
}

/// Takes everything away that was set up.
pub(crate) fn clean() -> Result<(), String> {
    let home = home();
    match fs::remove_dir_all(&home) {
        Ok(()) => eprintln!("{} is gone", home.display()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => eprintln!("nothing was set up"),
        Err(error) => return Err(format!("{}: {error}", home.display())),
    }
    Ok(())
}

/// Maven with a repository of its own, and the JVM.
pub(crate) struct Kotlin;

/// Maven and a JDK.
pub(crate) fn kotlin() -> Result<Kotlin, String> {
    let packages = ["maven", "openjdk-17-jdk-headless"];
    if tools::have("mvn", &packages) && tools::have("javac", &packages) {
        Ok(Kotlin)
    } else {
        Err("there is no Maven, or no JDK".to_owned())
    }
}

impl Kotlin {
    /// Maven in a project's folder.
    pub(crate) fn maven(&self, folder: &Path, args: &[&str]) -> Command {
        let mut command = Command::new("mvn");
        let repository = format!("-Dmaven.repo.local={}", home().join("maven").display());
        command.args(["-q", "-B", "-ntp", "-Dstyle.color=never", &repository]).args(args).current_dir(folder);
        command
    }
}

/// Swift, here or in a folder that is a Debian of its own.
pub(crate) struct Swift {
    debian: Option<PathBuf>,
}

/// Packages beside the compiler: the C library that it links, and pkg-config for SwiftPM.
const BESIDE: [&str; 5] = ["libc6-dev", "libstdc++-14-dev", "swiftlang-dev", "g++", "pkgconf"];

/// A Swift that builds packages.
pub(crate) fn swift() -> Result<Swift, String> {
    if tools::starts("swift") {
        return Ok(Swift { debian: None });
    }
    let debian = home().join("swift");
    if !debian.is_dir() {
        set_up_swift(&debian)?;
    }
    let swift = Swift { debian: Some(debian) };
    let works =
        swift.command(&root(), &[], &["swift", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if works.is_ok_and(|status| status.success()) {
        Ok(swift)
    } else {
        Err(format!("the Swift in {} does not start; `cargo xtask clean-toolchains` takes it away", home().display()))
    }
}

fn set_up_swift(debian: &Path) -> Result<(), String> {
    if !cfg!(target_os = "linux") || !tools::have("debootstrap", &["debootstrap", "ca-certificates"]) {
        return Err("there is no swift, and a Debian that has one takes root and debootstrap".to_owned());
    }
    eprintln!("   setting Swift up in {} (two minutes, 3.3 GB, once)", debian.display());
    // Under its name only when it is whole.
    let partial = debian.with_extension("partial");
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial).map_err(|error| format!("{}: {error}", partial.display()))?;
    let run = |mut command: Command| match command.stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("setting Swift up: {command:?} ended with {status}")),
        Err(error) => Err(format!("setting Swift up: {error}")),
    };
    let mut bootstrap = Command::new("debootstrap");
    bootstrap.args(["--variant=minbase", "--include=swiftlang,ca-certificates", "trixie"]).arg(&partial);
    run(bootstrap)?;
    let swift = Swift { debian: Some(partial.clone()) };
    let install = ["apt-get", "install", "-y", "-q", "--no-install-recommends"];
    run(swift.command(&root(), &[("DEBIAN_FRONTEND", "noninteractive")], &[&install[..], &BESIDE].concat()))?;
    fs::rename(&partial, debian).map_err(|error| error.to_string())
}

/// Enters a Debian with the project's folders at their own paths; all mounts end with the process.
const ENTER: &str = r#"
set -e
debian=$1; shift
while [ "$1" != in ]; do mkdir -p "$debian$1"; mount --bind "$1" "$debian$1"; shift; done
shift; mount -t proc proc "$debian/proc"
exec chroot "$debian" /usr/bin/env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin \
  sh -c 'cd "$0" && exec env "$@"' "$@"
"#;

impl Swift {
    /// A program of Swift's in a folder of the tree, or under the target folder.
    pub(crate) fn command(&self, folder: &Path, env: &[(&str, &str)], args: &[&str]) -> Command {
        let Some(debian) = &self.debian else {
            let mut command = Command::new(args.first().copied().unwrap_or("swift"));
            command.args(args.iter().skip(1)).current_dir(folder).envs(env.iter().copied());
            return command;
        };
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", ENTER, "sh"]).arg(debian).arg(root());
        if !target().starts_with(root()) {
            command.arg(target());
        }
        command.arg("in").arg(folder);
        command.args(env.iter().map(|(name, value)| format!("{name}={value}"))).args(args);
        command
    }
}
