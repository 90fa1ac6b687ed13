//! Kotlin's and Swift's tools: found, or installed into a folder of the project's own that outlives the target folder.
//!
//! Maven's artifacts come from Maven Central. Swift comes from the PATH or, on Linux as root, with a Debian 13 in a folder (debootstrap), in
//! which its programs run over the same tree.

use crate::{
    bindings::target,
    finish, root,
    tools::{runs, starts},
};
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
    for ours in ["maven", "python", "swift", "swift.partial"].map(|name| home.join(name)) {
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

/// Maven, a JDK and Maven's artefacts, if they are here.
pub(crate) fn kotlin() -> Result<Kotlin, String> {
    if !has_maven() {
        Err("there is no Maven, or no JDK".to_owned())
    } else if !home().join("maven/org/jetbrains/kotlin").is_dir() {
        Err("Maven's artefacts are not here; `cargo xtask setup` fetches them".to_owned())
    } else {
        Ok(Kotlin)
    }
}

pub(crate) fn has_maven() -> bool {
    starts("mvn") && starts("javac")
}

/// Fetches what the package's build names. The rest, as JUnit's own engine, comes with the first build.
pub(crate) fn fetch_kotlin() -> Result<(), String> {
    let fetch = || finish(Kotlin.maven(&root().join("bindings/kotlin"), &["dependency:go-offline"]));
    // A registry may have a bad minute.
    fetch().or_else(|_| fetch()).map_err(|reason| format!("Maven's artefacts: {reason}"))
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

/// A Swift that builds packages, if there is one: looked for once in a run, after the set-up.
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
        return Err("there is no Swift 6, and a Debian that has one takes Linux, root and debootstrap".to_owned());
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

/// Whether there is no Swift, and one can be installed.
pub(crate) fn may_install_swift() -> bool {
    find_swift().is_err() && cfg!(target_os = "linux") && runs("unshare", &["--mount", "true"])
}

/// Installs a Debian that has Swift into a folder.
pub(crate) fn install_swift() -> Result<(), String> {
    let debian = home().join("swift");
    // A mirror may have a bad minute.
    let install = || set_up_swift(&debian);
    install().or_else(|_| install()).map_err(|reason| format!("Swift: {reason}"))
}

fn set_up_swift(debian: &Path) -> Result<(), String> {
    // Under its name only when it is whole.
    let partial = debian.with_extension("partial");
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial).map_err(|error| format!("{}: {error}", partial.display()))?;
    let run = |mut command: Command| match command.stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?} ended with {status}")),
        Err(error) => Err(format!("{:?} could not be started: {error}", command.get_program())),
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
