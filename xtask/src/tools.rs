//! Programs that the checks need beside cargo and Python: found, or fetched from Debian's packages where that can be.

use std::{
    process::{Command, Stdio},
    sync::OnceLock,
};

/// Whether a program can be started.
pub(crate) fn starts(program: &str) -> bool {
    let done = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}

/// Whether a program is there, after `packages` were installed if it was not. Without root or off Debian that cannot be done.
pub(crate) fn have(program: &str, packages: &[&str]) -> bool {
    starts(program) || (install(packages) && starts(program))
}

/// Installs Debian packages.
pub(crate) fn install(packages: &[&str]) -> bool {
    static UPDATED: OnceLock<bool> = OnceLock::new();
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !cfg!(target_os = "linux") || !is_root() || !starts("apt-get") {
        return false;
    }
    eprintln!("   apt-get install {}", packages.join(" "));
    let updated = *UPDATED.get_or_init(|| apt(&["update", "-q"]));
    updated && apt(&[&["install", "-y", "-q", "--no-install-recommends"], packages].concat())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|done| done.stdout.trim_ascii() == b"0")
}
