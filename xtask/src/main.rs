//! The project's commands; `cargo xtask --help` lists them.

mod bench;
mod bindings;
mod c;
mod counts;
mod dist;
mod growth;
mod junit;
mod kotlin;
mod python;
mod quickstart;
mod report;
mod score;
mod setup;
mod speed;
mod story;
mod swift;
mod test;
mod toolchains;
mod tools;

use clap::{Arg, ArgAction, ArgMatches, Command as Cli};
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

fn commands() -> Cli {
    let part = Arg::new("part").long("part").value_parser(test::PARTS).help("Only this part");
    Cli::new("cargo xtask")
        .bin_name("cargo xtask")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Cli::new("demo").about("One message to every device, then a group's story, from Python"))
        .subcommand(Cli::new("test").about("Everything that must hold; what CI runs").arg(part.clone()))
        .subcommand(
            Cli::new("setup").about("Installs what `test` needs; says first what, and how large it is").arg(part),
        )
        .subcommand(dist::command())
        .subcommand(Cli::new("bindings").about("Generates the hosts' code anew"))
        .subcommand(Cli::new("header").about("Generates include/sesame.h anew"))
        .subcommand(Cli::new("abi").about("Writes the baseline of the C ABI anew"))
        .subcommand(
            Cli::new("bench")
                .about("Ratios to the primitives and to peers; then batches in Rust beside the same in each other language")
                .arg(Arg::new("ratios").long("ratios").action(ArgAction::SetTrue).help("Only the ratios"))
                .arg(
                    Arg::new("growth").long("growth").action(ArgAction::SetTrue).help("Only what an item costs among many"),
                )
                .arg(
                    Arg::new("draw")
                        .long("draw")
                        .action(ArgAction::SetTrue)
                        .requires("growth")
                        .help("Draws the plot of the table that there is, and measures nothing"),
                )
                .arg(
                    Arg::new("languages")
                        .long("languages")
                        .action(ArgAction::SetTrue)
                        .conflicts_with("ratios")
                        .help("Only the languages"),
                ),
        )
        .subcommand(score::command())
        .subcommand(Cli::new("transcript").about("Writes the transcript of the story anew"))
        .subcommand(Cli::new("clean-toolchains").about("Deletes what `setup` keeps in the cache folder"))
}

fn part(what: &ArgMatches) -> Option<&str> {
    what.get_one::<String>("part").map(String::as_str)
}

fn main() -> ExitCode {
    let result = match commands().get_matches().subcommand() {
        Some(("demo", _)) => python::demo(),
        Some(("test", what)) => return test::test(part(what)),
        Some(("setup", what)) => setup::run(part(what)),
        Some(("dist", what)) => dist::run(what),
        Some(("bindings", _)) => bindings::generate(),
        Some(("header", _)) => bindings::header().and_then(|text| bindings::write_header(&root(), &text)),
        Some(("abi", _)) => c::write_abi(),
        Some(("bench", what)) if what.get_flag("draw") => growth::draw(),
        Some(("bench", what)) if what.get_flag("growth") => growth::growth(),
        Some(("bench", what)) if what.get_flag("ratios") => speed::speed(),
        Some(("bench", what)) if what.get_flag("languages") => bench::bench(),
        Some(("bench", _)) => speed::speed().and_then(|()| bench::bench()),
        Some(("score", what)) => score::run(what),
        Some(("transcript", _)) => story::write_transcript(),
        Some(("clean-toolchains", _)) => toolchains::clean(),
        _ => Err("no such command".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// Runs a command in the workspace's folder, its output shown.
fn run(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Result<(), String> {
    let program = program.as_ref();
    let done = Command::new(program).args(args).current_dir(root()).status();
    match done {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{} {} ended with {status}", program.display(), args.join(" "))),
        Err(error) => Err(format!("{} could not be started: {error}", program.display())),
    }
}

/// Runs a command to its end, its output shown.
fn finish(mut command: Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{:?} ended with {status}", command.get_program())),
        Err(error) => Err(format!("{:?} could not be started: {error}", command.get_program())),
    }
}
