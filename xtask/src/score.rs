//! `cargo xtask score`: campaigns that are too long for CI, and the counts by themselves.

use crate::{c, counts, python, root, tools};
use clap::{Arg, ArgMatches, Command as Cli};
use std::process::Command;

pub(crate) fn command() -> Cli {
    let count = Arg::new("count").long("count").default_value("1000000");
    let seed = Arg::new("seed").long("seed").default_value("1");
    Cli::new("score")
        .about("Long campaigns")
        .subcommand_required(true)
        .subcommand(
            Cli::new("c-sequences").about("Call sequences over the C face, under ASan and UBSan").args([count, seed]),
        )
        .subcommand(
            Cli::new("counts")
                .about("Instructions of the main steps, by callgrind; SESAME_BLESS=1 writes their baseline"),
        )
        .subcommand(Cli::new("exits").about("10,000 interrupts and 1,000 exits amid calls, in Python"))
        .subcommand(Cli::new("world").about("The large world over many seeds; one line of JSON").args([
            Arg::new("seeds").long("seeds").default_value("10000").help("So many"),
            Arg::new("from").long("from").default_value("0").help("The first"),
            Arg::new("scene").long("scene").help("Plays and shrinks this file, or this seed, alone"),
        ]))
        .subcommand(Cli::new("miri").about("Miri over the C face's tests that need neither SQLite nor key agreement"))
}

pub(crate) fn run(what: &ArgMatches) -> Result<(), String> {
    match what.subcommand() {
        Some(("c-sequences", args)) => {
            let word = |name: &str| args.get_one::<String>(name).map(String::as_str).unwrap_or_default();
            c::score_sequences(word("count"), word("seed"))
        }
        Some(("counts", _)) => counts::check(),
        Some(("exits", _)) => python::score_exits(),
        Some(("world", args)) => world(args),
        Some(("miri", _)) => miri(),
        _ => Err("no such campaign".to_owned()),
    }
}

fn world(args: &ArgMatches) -> Result<(), String> {
    let word = |name: &str| args.get_one::<String>(name).map(String::as_str);
    let of = ["run", "--quiet", "--profile", "campaign", "-p", "sesame-tests", "--bin", "world", "--"];
    let what: Vec<&str> = match word("scene") {
        Some(scene) => vec![scene],
        None => ["seeds", "from"].into_iter().filter_map(word).collect(),
    };
    crate::run("cargo", &[&of[..], &what].concat())
}

fn miri() -> Result<(), String> {
    if !tools::starts("rustup") {
        return Err("Miri comes by rustup, which is not there".to_owned());
    }
    crate::run("rustup", &["component", "add", "miri", "rust-src", "--toolchain", "nightly"])?;
    let done = Command::new("cargo")
        .args(["+nightly", "miri", "test", "-p", "sesame-ffi", "--no-default-features", "--features", "capi", "--lib"])
        .env("MIRIFLAGS", "-Zmiri-strict-provenance -Zmiri-disable-isolation")
        .current_dir(root())
        .status();
    match done {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("Miri ended with {status}")),
        Err(error) => Err(error.to_string()),
    }
}
