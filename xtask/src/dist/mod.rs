//! `cargo xtask dist LANGUAGE --prefix DIR`: what is shipped, in each language's own form.

pub(crate) mod c;
mod hosts;

pub(crate) use hosts::{build, kotlin, python, swift};

use crate::setup;
use clap::{Arg, ArgMatches, Command as Cli, builder::PathBufValueParser};
use std::path::PathBuf;

/// The languages, and what comes of each.
const PACKAGES: [(&str, &str); 4] = [
    ("c", "Headers, shared and static library, pkg-config and CMake files, under a prefix"),
    ("python", "A wheel for this platform"),
    ("kotlin", "A Maven repository with the jar, the library inside it, and the sources"),
    ("swift", "The package Sesame with a static library in it"),
];

/// The command and what follows it.
pub(crate) fn command() -> Cli {
    let prefix =
        || Arg::new("prefix").long("prefix").required(true).value_name("DIR").value_parser(PathBufValueParser::new());
    let packages = PACKAGES.map(|(name, about)| Cli::new(name).about(about).arg(prefix()));
    Cli::new("dist").about("Builds what is shipped").subcommand_required(true).subcommands(packages)
}

/// Builds what was asked for.
pub(crate) fn run(what: &ArgMatches) -> Result<(), String> {
    let (name, args) = what.subcommand().ok_or("no package")?;
    let prefix = args.get_one::<PathBuf>("prefix").ok_or("no prefix")?;
    let prefix = std::path::absolute(prefix).map_err(|error| error.to_string())?;
    if name != "c" {
        setup::run(Some(name))?;
    }
    match name {
        "c" => c::install(&prefix),
        "python" => python(&prefix),
        "kotlin" => kotlin(&prefix),
        _ => swift(&prefix),
    }
}
