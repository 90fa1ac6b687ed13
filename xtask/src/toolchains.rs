//! Kotlin's and Swift's tools: found, or set up in a folder of the project's own that outlives the target folder.
//!
//! Maven's artifacts come from Maven Central. Swift comes from the PATH or, on Linux as root, with a Debian 13 in a folder (debootstrap), in
//! which its programs run over the same tree.

use crate::{bindings::target, root, tools};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// Where what was set up is kept: `libsesame` in `$SESAME_TOOLCHAINS` (an absolute path), or in the user's cache.
pub(crate) fn home() -> PathBuf {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = || named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
    named("SESAME_TOOLCHAINS").or_else(cache).unwrap_or_else(std::env::temp_dir).join("libsesame")
}

/// Takes away what was set up, and the folder if nothing else is in it.
pub(crate) fn clean() -> Result<(), String> {
    let home = home();
    for ours in ["maven", "swift", "swift.partial"].map(|name| home.join(name)) {
        match fs::remove_dir_all(&ours) {
            Ok(()) => eprintln!("{} is gone", ours.display()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{}: {error}", ours.display())),
        }
    }
    let _ = fs::remove_dir(&home);
    Ok(())
}

/// Maven with a repository of its own, and the JVM.
pub(crate) struct Kotlin;

/// Maven, a JDK, and a registry within reach: asked once in a run.
pub(crate) fn kotlin() -> Result<Kotlin, String> {
    static FOUND: OnceLock<Result<(), String>> = OnceLock::new();
    FOUND.get_or_init(find_kotlin).clone().map(|()| Kotlin)
}

fn find_kotlin() -> Result<(), String> {
    let packages = ["maven", "default-jdk-headless"];
    if !tools::have("mvn", &packages) || !tools::have("javac", &packages) {
        return Err("there is no Maven, or no JDK".to_owned());
    }
    // One small artefact, so that what is wrong with the project itself is no reason to skip it.
    let artefact = "-Dartifact=org.jetbrains.kotlin:kotlin-stdlib:2.2.21:pom";
    let get = || {
        let mut maven = Kotlin.maven(&root(), &["dependency:get", "-Dtransitive=false", artefact]);
        maven.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    if get() || get() { Ok(()) } else { Err("Maven Central is not within reach".to_owned()) }
}

/// What Maven is told in every run: its repository, and no compiler that stays behind as a daemon with two gigabytes.
pub(crate) fn maven_options() -> String {
    format!("-Dmaven.repo.local={} -Dkotlin.compiler.daemon=false", home().join("maven").display())
}

impl Kotlin {
    /// Maven in a project's folder.
    pub(crate) fn maven(&self, folder: &Path, args: &[&str]) -> Command {
        let mut command = Command::new("mvn");
        command.args(["-q", "-B", "-ntp", "-Dstyle.color=never"]).args(args).current_dir(folder);
        command.env("MAVEN_OPTS", maven_options());
        command
    }
}

/// Swift, here or in a folder that is a Debian of its own.
pub(crate) struct Swift {
    debian: Option<PathBuf>,
}

/// Packages beside the compiler: the C library that it links, and pkg-config for SwiftPM.
const BESIDE: [&str; 5] = ["libc6-dev", "libstdc++-14-dev", "swiftlang-dev", "g++", "pkgconf"];

/// A Swift that builds packages: looked for once in a run.
pub(crate) fn swift() -> Result<Swift, String> {
    static FOUND: OnceLock<Result<Option<PathBuf>, String>> = OnceLock::new();
    FOUND.get_or_init(find_swift).clone().map(|debian| Swift { debian })
}

fn find_swift() -> Result<Option<PathBuf>, String> {
    if !cfg!(target_os = "linux") {
        return Err("the package takes an XCFramework here, which bindings/swift/build-xcframework.sh makes".to_owned());
    }
    // Another program of this name exists, and an older Swift does not know the mode of Swift 6.
    let said = Command::new("swift").arg("--version").stderr(Stdio::null()).output();
    let said = said.map(|done| String::from_utf8_lossy(&done.stdout).into_owned()).unwrap_or_default();
    let version = said.split("Swift version ").nth(1).and_then(|rest| rest.split('.').next());
    if version.and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major >= 6) {
        return Ok(None);
    }
    let debian = home().join("swift");
    if !debian.is_dir() {
        // A mirror may have a bad minute.
        set_up_swift(&debian).or_else(|reason| {
            eprintln!("   {reason}; once more");
            set_up_swift(&debian)
        })?;
    }
    let swift = Swift { debian: Some(debian.clone()) };
    let works =
        swift.command(&root(), &[], &["swift", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if works.is_ok_and(|status| status.success()) {
        Ok(Some(debian))
    } else {
        Err(format!("the Swift in {} does not start; `cargo xtask clean-toolchains` takes it away", home().display()))
    }
}

fn set_up_swift(debian: &Path) -> Result<(), String> {
    let may_mount = Command::new("unshare").args(["--mount", "true"]).stderr(Stdio::null()).status();
    if !may_mount.is_ok_and(|status| status.success())
        || !tools::have("debootstrap", &["debootstrap", "debian-archive-keyring", "ca-certificates"])
    {
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
    bootstrap
        .args(["--force-check-gpg", "--variant=minbase", "--include=swiftlang,ca-certificates", "trixie"])
        .arg(&partial);
    run(bootstrap)?;
    let swift = Swift { debian: Some(partial.clone()) };
    let install = ["apt-get", "install", "-y", "-q", "--no-install-recommends"];
    // What a proxy needs; nothing else of the environment goes in.
    let proxies = ["http_proxy", "https_proxy", "no_proxy"].map(|name| (name, std::env::var(name).unwrap_or_default()));
    let mut env = vec![("DEBIAN_FRONTEND", "noninteractive")];
    env.extend(proxies.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (*name, value.as_str())));
    run(swift.command(&root(), &env, &[&install[..], &BESIDE].concat()))?;
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
