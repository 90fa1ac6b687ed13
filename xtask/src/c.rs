//! The C face from outside: the header under every compiler, the installed package, and the programs of `tests/c` under the sanitizers and
//! valgrind.

use crate::{
    bindings::target,
    dist,
    report::{Report, before, corpus},
    root, run,
    tools::starts,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Compilers for C and C++.
const COMPILERS: [(&str, &str); 2] = [("gcc", "g++"), ("clang", "clang++")];
/// Under which no header may have a word to say.
const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
/// Call sequences in CI; `cargo xtask score c-sequences` runs a million.
const SEQUENCES: &str = "5000";

/// Everything that is checked of the C face.
pub(crate) fn check(report: &mut Report) {
    report.language("C");
    for (c, cpp) in COMPILERS {
        let name = format!("headers under {c} and {cpp}");
        if starts(c) && starts(cpp) {
            report.step(&name, || headers(c, cpp));
        } else {
            report.skip(&name, &format!("there is no {c} or no {cpp}"));
        }
    }
    if !cfg!(target_os = "linux") {
        return report.skip("C package", "its layout is Linux's");
    }
    let prefix = target().join("c-prefix");
    let installed = report.step("C package", || {
        let _ = fs::remove_dir_all(&prefix);
        dist::c::install(&prefix)
    });
    if !installed {
        return;
    }
    report.step("exported symbols are the header's", || dist::c::check_symbols(&prefix));
    if starts("abidiff") {
        report.step("ABI is the baseline's", || abi(&prefix));
    } else {
        report.skip("ABI is the baseline's", "there is no abidiff");
    }
    // The programs below, and what the page tells to type, stand on both.
    if !starts("pkg-config") {
        return report.skip("C programs", "there is no pkg-config");
    }
    if starts("cmake") {
        report.step("C: the page's commands, with all examples", || readme(&prefix));
    } else {
        report.skip("C: the page's commands, with all examples", "there is no cmake");
    }
    programs(report, &prefix);
}

/// Both headers under every standard that they promise.
fn headers(c: &str, cpp: &str) -> Result<(), String> {
    let include = root().join("include");
    let compile = |compiler: &str, language: &str, standard: &str, header: &str| {
        let header = include.join(header).to_string_lossy().into_owned();
        run(compiler, &[&["-x", language, standard], &STRICT[..], &["-fsyntax-only", &header]].concat())
    };
    for standard in ["-std=c99", "-std=c11", "-std=c17", "-std=c2x"] {
        compile(c, "c", standard, "sesame.h")?;
    }
    for standard in ["-std=c++17", "-std=c++20", "-std=c++2b"] {
        compile(cpp, "c++", standard, "sesame.h")?;
        compile(cpp, "c++", standard, "sesame.hpp")?;
    }
    let hpp = include.join("sesame.hpp").to_string_lossy().into_owned();
    let bare = ["-x", "c++", "-std=c++17", "-fno-exceptions", "-fno-rtti", "-Wshadow"];
    run(cpp, &[&bare[..], &STRICT, &["-fsyntax-only", &hpp]].concat())?;
    let said = refusal(cpp, &["-x", "c++", "-std=c++14", "-fsyntax-only", &hpp])?;
    let lines = said.lines().filter(|line| line.contains("error:")).count();
    if lines != 1 || !said.contains("needs C++17") {
        return Err(format!("C++14 is not told once that C++17 is needed: {said}"));
    }
    refused(cpp)
}

/// What a compiler says of a file that it must refuse.
fn refusal(compiler: &str, args: &[&str]) -> Result<String, String> {
    let done = Command::new(compiler).args(args).current_dir(root()).output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    if done.status.success() { Err(format!("{compiler} {} succeeds", args.join(" "))) } else { Ok(said) }
}

/// `tests/c/refused.cpp` compiles, and none of its cases does.
fn refused(cpp: &str) -> Result<(), String> {
    let path = root().join("tests/c/refused.cpp");
    let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let (include, file) = (format!("-I{}", root().join("include").display()), path.to_string_lossy().into_owned());
    let cases = text.matches("#elif CASE == ").count();
    run(cpp, &[&STRICT[..], &["-std=c++17", &include, "-fsyntax-only", &file]].concat())?;
    for case in 1..=cases {
        refusal(cpp, &["-std=c++17", &format!("-DCASE={case}"), &include, "-fsyntax-only", &file])?;
    }
    if cases < 10 { Err(format!("{cases} cases were found")) } else { Ok(()) }
}

/// Where the baseline lies; `cargo xtask abi` writes it anew.
const BASELINE: &str = "tests/c/sesame.abi";

/// A library of empty functions that has the header's types: Rust's own debug information tells C's tools nothing.
fn shape(header: &Path) -> Result<PathBuf, String> {
    let text = fs::read_to_string(header).map_err(|error| error.to_string())?;
    let mut source = "#include <sesame.h>\n".to_owned();
    for declaration in text.split("\nSESAME_API").skip(1) {
        let end = declaration.find(';').ok_or("a declaration without an end")?;
        let head = declaration.get(..end).unwrap_or_default();
        source.push_str(&format!("{head} {{ __builtin_trap(); }}\n"));
    }
    let folder = target().join("c-abi");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let (from, to) = (folder.join("shape.c"), folder.join("libsesame.so"));
    fs::write(&from, source).map_err(|error| error.to_string())?;
    let include = format!("-I{}", header.parent().unwrap_or(Path::new(".")).display());
    let options =
        ["-g", "-shared", "-fPIC", "-fno-eliminate-unused-debug-types", "-fno-eliminate-unused-debug-symbols"];
    run("gcc", &[&options[..], &[&include, "-o", &to.to_string_lossy(), &from.to_string_lossy()]].concat())?;
    Ok(to)
}

/// Writes the baseline of the ABI.
pub(crate) fn write_abi() -> Result<(), String> {
    if !starts("abidw") {
        return Err("there is no abidw (libabigail)".to_owned());
    }
    let library = shape(&root().join("include/sesame.h"))?;
    let options = ["--load-all-types", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs"];
    run("abidw", &[&options[..], &["--out-file", BASELINE, &library.to_string_lossy()]].concat())
}

/// Nothing that a program was compiled against has changed since the baseline. A release that breaks it takes a new minor number (before
/// 1.0) and a new baseline.
fn abi(prefix: &Path) -> Result<(), String> {
    let library = shape(&prefix.join("include/sesame.h"))?;
    run("abidiff", &["--no-show-locs", BASELINE, &library.to_string_lossy()])
        .map_err(|error| format!("{error}: if the change is meant, run `cargo xtask abi` and commit it"))
}

/// A program of ours, compiled with `options` by `compiler`, linked as pkg-config says.
fn build(prefix: &Path, compiler: &str, source: &Path, is_static: bool, options: &[&str]) -> Result<PathBuf, String> {
    let folder = target().join("c-programs");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let name = source.file_name().unwrap_or_default().to_string_lossy().replace('.', "-");
    let kind = options.iter().find(|option| option.starts_with("-fsanitize")).map_or("plain", |_| "sanitized");
    let program = folder.join(format!("{name}-{kind}-{}", if is_static { "static" } else { "shared" }));
    let standard = if compiler.ends_with("++") { "-std=c++17" } else { "-std=c99" };
    let examples = format!("-I{}", root().join("bindings/c/examples").display());
    let rpath = format!("-Wl,-rpath,{}", prefix.join("lib").display());
    let flags = flags(prefix, is_static)?;
    let mut args = vec![standard, &examples, "-pthread"];
    args.extend(STRICT);
    args.extend(options);
    let (from, to) = (source.to_string_lossy().into_owned(), program.to_string_lossy().into_owned());
    args.extend([from.as_str(), "-o", &to]);
    args.extend(flags.iter().map(String::as_str));
    args.push(&rpath);
    run(compiler, &args)?;
    Ok(program)
}

/// A program of `tests/c` as a user would build it.
pub(crate) fn build_for_speed(prefix: &Path, name: &str) -> Result<PathBuf, String> {
    let source = root().join("tests/c").join(name).with_extension("c");
    build(prefix, "gcc", &source, false, &["-O2"])
}

/// What pkg-config says of the installed package.
fn flags(prefix: &Path, is_static: bool) -> Result<Vec<String>, String> {
    let ask = |args: &[&str]| {
        let done = Command::new("pkg-config")
            .args(args)
            .arg("sesame")
            .env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"))
            .stderr(Stdio::inherit())
            .output();
        match done {
            Ok(done) if done.status.success() => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
            Ok(done) => Err(format!("pkg-config ended with {}", done.status)),
            Err(error) => Err(format!("pkg-config could not be started: {error}")),
        }
    };
    let said = ask(if is_static { &["--cflags", "--static", "--libs"] } else { &["--cflags", "--libs"] })?;
    // With both libraries beside each other a linker takes the shared one, unless it is told the file's name.
    let named =
        |word: &str| if is_static && word == "-lsesame" { "-l:libsesame.a".to_owned() } else { word.to_owned() };
    let mut words: Vec<String> = said.split_whitespace().map(named).collect();
    if is_static {
        words.push("-DSESAME_STATIC".to_owned());
    }
    Ok(words)
}

/// What the C page tells to type, exactly as it is printed, but for the prefix: the quickstart by pkg-config, every example by CMake. The
/// examples are played out of the tree, so that nothing but what is installed is found.
fn readme(prefix: &Path) -> Result<(), String> {
    let page = fs::read_to_string(root().join("bindings/c/README.md")).map_err(|error| error.to_string())?;
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let scratch = target().join("c-readme");
    let _ = fs::remove_dir_all(&scratch);
    let examples = scratch.join("examples");
    fs::create_dir_all(&examples).map_err(|error| error.to_string())?;
    for entry in fs::read_dir(root().join("bindings/c/examples")).map_err(|error| error.to_string())?.flatten() {
        fs::copy(entry.path(), examples.join(entry.file_name())).map_err(|error| error.to_string())?;
    }
    let mut typed = 0;
    for (at, block) in blocks.enumerate() {
        let folder = if at == 0 { root() } else { examples.clone() };
        let done = Command::new("sh")
            .args(["-ec", block])
            .current_dir(folder)
            .envs([("PREFIX", prefix), ("TMPDIR", &scratch)])
            .status();
        match done {
            Ok(status) if status.success() => typed += 1,
            Ok(status) => return Err(format!("block {}: {status}", at + 1)),
            Err(error) => return Err(error.to_string()),
        }
    }
    if typed == 3 { Ok(()) } else { Err(format!("{typed} blocks of commands, not 3")) }
}

/// A program of `tests/c` with its arguments.
fn programs_of_tests() -> Result<Vec<(&'static str, Vec<String>)>, String> {
    let mut cases = vec![root().join("tests/bad-inputs").to_string_lossy().into_owned()];
    cases.extend(corpus()?.iter().map(|path| path.to_string_lossy().into_owned()));
    Ok(vec![
        ("story", Vec::new()),
        ("misuse", Vec::new()),
        ("held_wrongly", Vec::new()),
        ("servers", Vec::new()),
        ("bad_inputs", cases),
        ("sequences", vec![SEQUENCES.to_owned()]),
    ])
}

/// A program of the story, over a library for tests.
pub(crate) fn build_of_story(library: &Path, name: &str) -> Result<PathBuf, String> {
    let folder = target().join("c-programs");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let (source, program) =
        (root().join("tests/story/c").join(name).with_extension("c"), folder.join(format!("{name}-of-story")));
    let include = |path: &str| format!("-I{}", root().join(path).display());
    let (headers, examples) = (include("include"), include("bindings/c/examples"));
    let (search, rpath) = (format!("-L{}", library.display()), format!("-Wl,-rpath,{}", library.display()));
    let sanitizers = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let (from, to) = (source.to_string_lossy().into_owned(), program.to_string_lossy().into_owned());
    let files = [&headers, &examples, &from, "-o", &to, &search, &rpath, "-lsesame_ffi", "-lcjson"];
    run("gcc", &[&["-std=c99"], &STRICT[..], &sanitizers, &files].concat())?;
    Ok(program)
}

/// Runs a program and gives its count; one that prints none counts as one.
pub(crate) fn counted(mut command: Command) -> Result<(u32, u32), String> {
    let done = command.current_dir(root()).stderr(Stdio::inherit()).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&done.stdout);
    print!("{text}");
    let last = text.lines().last().unwrap_or_default();
    // A program that counts says so; one that does not is one check.
    let passed = if last.contains(" passed") { before(last, " passed") } else { 1 };
    let failed = before(last, " failed");
    if done.status.success() { Ok((passed, failed)) } else { Err(format!("it ended with {}", done.status)) }
}

fn programs(report: &mut Report, prefix: &Path) {
    let programs = match programs_of_tests() {
        Ok(programs) => programs,
        Err(error) => {
            report.step("C programs", || Err(error));
            return;
        }
    };
    let sanitizers =
        ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];
    for standard in ["-std=c++17", "-std=c++20"] {
        report.counted(&format!("the C++ header at work, {standard}, under ASan and UBSan"), || {
            let options = [&[standard], &sanitizers[..]].concat();
            let mut command = Command::new(build(prefix, "g++", &root().join("tests/c/face.cpp"), true, &options)?);
            command.env("ASAN_OPTIONS", "detect_leaks=1");
            counted(command)
        });
    }
    for (name, args) in &programs {
        let source = root().join("tests/c").join(name).with_extension("c");
        let mut passed = 0;
        report.counted(&format!("{name} in C under ASan and UBSan"), || {
            let mut command = Command::new(build(prefix, "gcc", &source, true, &sanitizers)?);
            command.args(args).env("ASAN_OPTIONS", "detect_leaks=1:detect_stack_use_after_return=1");
            let counts = counted(command)?;
            passed = counts.0;
            Ok(counts)
        });
        if *name == "bad_inputs" {
            report.corpus(passed);
        }
    }
    if !starts("valgrind") {
        return report.skip("C programs under valgrind", "there is no valgrind");
    }
    for (name, args) in &programs {
        // Valgrind sees what Rust reads and writes as well, at thirty times the price.
        let fewer = [("sequences", ["300".to_owned()]), ("servers", ["1".to_owned()])];
        let fewer = fewer.iter().find(|(of, _)| of == name);
        let args = fewer.map_or(args.as_slice(), |(_, fewer)| fewer);
        let source = root().join("tests/c").join(name).with_extension("c");
        report.counted(&format!("{name} in C under valgrind"), || {
            let program = build(prefix, "gcc", &source, false, &["-g", "-O1"])?;
            let mut command = Command::new("valgrind");
            // Fair, or a thread that only reads would keep the one that frees waiting.
            command.args([
                "-q",
                "--fair-sched=try",
                "--error-exitcode=99",
                "--leak-check=full",
                "--errors-for-leak-kinds=definite",
            ]);
            command.arg(program).args(args);
            counted(command)
        });
    }
}

/// A million call sequences under ASan and UBSan.
pub(crate) fn score_sequences(count: &str, seed: &str) -> Result<(), String> {
    let prefix = target().join("c-prefix");
    dist::c::install(&prefix)?;
    let source = root().join("tests/c/sequences.c");
    let options = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    run(&build(&prefix, "gcc", &source, true, &options)?, &[count, seed])
}
