//! The story of `tests/story` in five languages, and one device of each over one relay.

use crate::{
    bindings::{build_library_as, target},
    c, kotlin, python,
    report::Report,
    root, swift, toolchains,
    tools::{runs, starts},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// How a language plays the story, and how it is a peer.
struct Runner {
    language: &'static str,
    story: String,
    peer: String,
}

/// Cargo points it to the workspace's own libraries, before the ones that a program was linked with.
const SEARCHED: &str = "LD_LIBRARY_PATH";

/// What all of them print. After a change that is meant: `cargo xtask transcript`.
const TRANSCRIPT: &str = "tests/story/transcript.txt";

/// Writes the transcript anew, as the runner over the core tells it.
pub(crate) fn write_transcript() -> Result<(), String> {
    fs::create_dir_all(folder().join("transcripts")).map_err(|error| error.to_string())?;
    let runner = rust().map_err(|missing| match missing {
        Missing::Tool(reason) | Missing::Fault(reason) => reason,
    })?;
    fs::write(root().join(TRANSCRIPT), tell(&runner)?).map_err(|error| error.to_string())
}

/// A command as a shell reads it.
fn quoted<'w>(words: impl IntoIterator<Item = &'w std::ffi::OsStr>) -> String {
    let quote = |word: &std::ffi::OsStr| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"));
    words.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

fn shell(words: &[&str]) -> String {
    quoted(words.iter().map(std::ffi::OsStr::new))
}

/// Where everything of the story lies; the library there, and it alone, has a seed and a clock from outside.
fn folder() -> PathBuf {
    target().join("story")
}

/// Everything that is checked over all languages at once.
pub(crate) fn check(report: &mut Report) {
    let built = report.value("the story's library", || {
        build_library_as(&folder(), &["--features", "capi,uniffi,test-util"])?;
        fs::create_dir_all(folder().join("transcripts")).map_err(|error| error.to_string())
    });
    if built.is_none() {
        return;
    }
    let mut runners = Vec::new();
    for (language, runner) in
        [("Rust", rust as fn() -> Made), ("C", in_c), ("Python", in_python), ("Kotlin", in_kotlin), ("Swift", in_swift)]
    {
        report.language(language);
        match runner() {
            Ok(runner) => runners.push(runner),
            Err(Missing::Tool(reason)) => report.skip(&format!("the story in {language}"), &reason),
            Err(Missing::Fault(reason)) => {
                report.step(&format!("the story in {language}"), || Err(reason));
            }
        }
    }
    let expected = fs::read_to_string(root().join(TRANSCRIPT)).unwrap_or_default();
    for runner in &runners {
        report.language(runner.language);
        let mut scenes = 0;
        report.step(&format!("the story in {}", runner.language), || {
            let told = tell(runner)?;
            same(&expected, &told)?;
            scenes = told.lines().filter(|line| line.starts_with("# scene ")).count();
            Ok(())
        });
        report.scenes(scenes);
    }
    report.language("all");
    if runners.len() > 1 {
        report.counted("languages write to each other", || cross_use(&runners));
    }
}

/// Why a runner cannot be had.
enum Missing {
    /// A tool is not there, and cannot be fetched.
    Tool(String),
    /// It does not build.
    Fault(String),
}

impl From<String> for Missing {
    fn from(reason: String) -> Self {
        Self::Fault(reason)
    }
}

type Made = Result<Runner, Missing>;

fn rust() -> Made {
    let done = Command::new("cargo").args(["build", "-p", "sesame-tests", "--bins"]).current_dir(root()).status();
    if !done.is_ok_and(|status| status.success()) {
        return Err("it does not build".to_owned().into());
    }
    let built = target().join("debug");
    let program = |name: &str| shell(&[&built.join(name).to_string_lossy()]);
    Ok(Runner { language: "Rust", story: program("story"), peer: program("peer") })
}

fn in_c() -> Made {
    if !starts("gcc") || !runs("pkg-config", &["--exists", "libcjson"]) {
        return Err(Missing::Tool("there is no gcc, no pkg-config or no cJSON".to_owned()));
    }
    let program =
        |name: &str| c::build_of_story(&folder().join("debug"), name).map(|path| shell(&[&path.to_string_lossy()]));
    Ok(Runner { language: "C", story: program("story")?, peer: program("peer")? })
}

fn in_python() -> Made {
    let library = crate::bindings::library();
    let library = folder().join("debug").join(library.file_name().unwrap_or_default());
    python::lay_out(&library, &folder().join("python"))?;
    let paths = format!("{}:{}", folder().join("python").display(), root().join("bindings/python/tests").display());
    let program = |name: &str| {
        let script = root().join("tests/story/python").join(name);
        shell(&["env", &format!("PYTHONPATH={paths}"), python::SYSTEM, &script.to_string_lossy()])
    };
    Ok(Runner { language: "Python", story: program("story.py"), peer: program("peer.py") })
}

fn in_kotlin() -> Made {
    let tools = toolchains::kotlin().map_err(Missing::Tool)?;
    let class_path = kotlin::class_path(&tools)?;
    let library = folder().join("debug");
    let library = format!("-Djna.library.path={}", library.display());
    let program = |class: &str| shell(&["java", &library, "-cp", &class_path, &format!("story.{class}")]);
    Ok(Runner { language: "Kotlin", story: program("StoryKt"), peer: program("PeerKt") })
}

fn in_swift() -> Made {
    let tools = toolchains::swift().map_err(Missing::Tool)?;
    let pkgconfig = swift::describe(&folder().join("debug"))?;
    let (package, scratch) = (root().join("tests/story/swift/Story"), target().join("swift/story"));
    swift::build(&tools, &package, &pkgconfig, &scratch, &["-Xswiftc", "-warnings-as-errors"])?;
    let built = scratch.join("debug/Story").display().to_string();
    let program = |args: &[&str]| {
        let command = tools.command(&root(), &[], &[&[built.as_str()], args].concat());
        quoted([command.get_program()].into_iter().chain(command.get_args()))
    };
    Ok(Runner { language: "Swift", story: program(&[]), peer: program(&["peer"]) })
}

/// Plays the story; gives the transcript, which is kept in the target folder as well.
fn tell(runner: &Runner) -> Result<String, String> {
    let stores = fresh(&format!("stores-{}", runner.language))?;
    let script = root().join("tests/story/story.json");
    let command = format!("{} {}", runner.story, shell(&[&script.to_string_lossy(), &stores.to_string_lossy()]));
    let mut shell = Command::new("sh");
    shell.args(["-c", &command]).current_dir(root()).stderr(Stdio::inherit());
    let done = shell.env_remove(SEARCHED).output().map_err(|error| error.to_string())?;
    if !done.status.success() {
        return Err(format!("it ended with {}", done.status));
    }
    let told = String::from_utf8(done.stdout).map_err(|error| error.to_string())?;
    let kept = folder().join("transcripts").join(runner.language).with_extension("txt");
    fs::write(&kept, &told).map_err(|error| error.to_string())?;
    Ok(told)
}

fn same(expected: &str, told: &str) -> Result<(), String> {
    if expected == told {
        return Ok(());
    }
    let mut lines = expected.lines().zip(told.lines()).enumerate();
    match lines.find(|(_, (one, other))| one != other) {
        Some((at, (one, other))) => Err(format!("line {}: {one:?} there, {other:?} here", at + 1)),
        None => Err("one ends before the other".to_owned()),
    }
}

/// An empty folder.
fn fresh(name: &str) -> Result<PathBuf, String> {
    let path: PathBuf = folder().join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).map_err(|error| error.to_string())?;
    Ok(path)
}

/// One device for each language over one relay, and each language's stores in all others' hands.
fn cross_use(runners: &[Runner]) -> Result<(u32, u32), String> {
    let stores = fresh("stores-cross-use")?;
    let mut command = Command::new(Path::new(&target()).join("debug/cross_use"));
    command.arg(stores).args(runners.iter().map(|runner| format!("{}={}", runner.language, runner.peer)));
    command.env_remove(SEARCHED);
    c::counted(command)
}
