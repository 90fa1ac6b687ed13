//! The project's commands: `cargo xtask test`.

use std::process::{Command, ExitCode, Stdio};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("test") => test(),
        _ => {
            eprintln!("usage: cargo xtask test");
            ExitCode::from(2)
        }
    }
}

/// Format, lints, docs, then all tests; ends with `N passed, M failed`.
fn test() -> ExitCode {
    let mut failed = 0;
    let mut passed = 0;
    for (name, args, docs) in [
        ("format", &["fmt", "--all", "--check"][..], ""),
        ("lints", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], ""),
        ("docs", &["doc", "--workspace", "--no-deps"], "-D warnings"),
    ] {
        eprintln!("== {name}");
        let done = Command::new("cargo").args(args).env("RUSTDOCFLAGS", docs).status();
        match done.is_ok_and(|status| status.success()) {
            true => passed += 1,
            false => failed += 1,
        }
    }
    eprintln!("== tests");
    let run = Command::new("cargo").args(["test", "--workspace", "--no-fail-fast"]).stderr(Stdio::inherit()).output();
    let Ok(run) = run else {
        eprintln!("cargo test could not be started");
        return ExitCode::FAILURE;
    };
    let text = String::from_utf8_lossy(&run.stdout);
    print!("{text}");
    let mut counted_failures = 0;
    for line in text.lines().filter(|line| line.starts_with("test result:")) {
        passed += count(line, "passed");
        counted_failures += count(line, "failed");
    }
    // A suite that does not compile or dies prints no count; it is a failure all the same.
    failed += if run.status.success() { counted_failures } else { counted_failures.max(1) };
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The number before `word` in a `test result:` line.
fn count(line: &str, word: &str) -> u32 {
    line.split(word).next().and_then(|head| head.split_whitespace().last()).and_then(|n| n.parse().ok()).unwrap_or(0)
}
