//! Programs of the system.

use std::process::{Command, Stdio};

/// Whether a program can be started.
pub(crate) fn starts(program: &str) -> bool {
    runs(program, &["--version"])
}

/// Whether a command succeeds; what it prints is not shown.
pub(crate) fn runs(program: &str, args: &[&str]) -> bool {
    let done = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}
