//! The generators. `sesame-bindgen types ROOT OUT` writes what follows from core's definitions, `sesame-bindgen header ROOT` prints the C
//! header, `sesame-bindgen patch LANGUAGE FILE` prints what UniFFI has generated for Kotlin or Swift with our changes; any other call is uniffi's
//! own command line. Python's code is changed right after it, for maturin calls this program too.

mod c_face;
mod codes;
mod ids;
mod ledger;
mod limits;
mod model;
mod patch;
mod python;
mod python_patch;
mod python_reader;
mod source;
mod story;
mod table;
mod types;
mod uniffi_face;
mod words;

use std::{fs, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["header", root] => header(Path::new(root)),
        ["types", root, out] => match types::write(Path::new(root), Path::new(out)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("the types could not be generated: {error}");
                ExitCode::FAILURE
            }
        },
        ["patch", language, file] => match patch::patched(language, Path::new(file)) {
            Ok(text) => {
                print!("{text}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("what UniFFI has generated for {language} could not be patched: {error}");
                ExitCode::FAILURE
            }
        },
        _ => {
            uniffi::uniffi_bindgen_main();
            match python_patch::after(&args) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("the generated Python code could not be changed: {error}");
                    ExitCode::FAILURE
                }
            }
        }
    }
}

/// Types that the header names although no function has them in its signature.
const INCLUDED: [&str; 7] = [
    "sesame_group_kind",
    "sesame_store_outcome",
    "sesame_event_kind",
    "sesame_request_kind",
    "sesame_device_state",
    "sesame_standing",
    "sesame_act",
];

/// What marks the functions.
const MACROS: &str = "
#if defined(_WIN32) && !defined(SESAME_STATIC)
#define SESAME_API __declspec(dllimport)
#elif defined(__GNUC__) && !defined(SESAME_STATIC)
#define SESAME_API __attribute__((visibility(\"default\")))
#else
#define SESAME_API
#endif

/// The header's version as one number, to be compared with `sesame_version()`.
#define SESAME_VERSION_NUMBER (SESAME_VERSION_MAJOR * 1000000 + SESAME_VERSION_MINOR * 1000 + SESAME_VERSION_PATCH)";

fn header(root: &Path) -> ExitCode {
    let capi = root.join("ffi/src/capi");
    let intro = match fs::read_to_string(capi.join("header.txt")) {
        Ok(intro) => intro,
        Err(error) => {
            eprintln!("the header's first comment could not be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut config = cbindgen::Config {
        language: cbindgen::Language::C,
        include_guard: Some("SESAME_H".to_owned()),
        cpp_compat: true,
        style: cbindgen::Style::Both,
        usize_is_size_t: true,
        no_includes: true,
        sys_includes: ["stdbool.h", "stddef.h", "stdint.h"].map(str::to_owned).to_vec(),
        documentation_style: cbindgen::DocumentationStyle::Cxx,
        line_length: 140,
        autogen_warning: Some(intro.trim_end().to_owned()),
        after_includes: Some(MACROS.to_owned()),
        sort_by: cbindgen::SortKey::None,
        ..cbindgen::Config::default()
    };
    config.enumeration.prefix_with_name = true;
    config.enumeration.rename_variants = cbindgen::RenameRule::ScreamingSnakeCase;
    config.function.prefix = Some("SESAME_API".to_owned());
    config.function.sort_by = Some(cbindgen::SortKey::None);
    config.export.include = INCLUDED.map(str::to_owned).to_vec();
    // The other files are found through their `mod`.
    let builder = cbindgen::Builder::new().with_config(config).with_src(capi.join("mod.rs"));
    match builder.generate() {
        Ok(bindings) => {
            bindings.write(std::io::stdout());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the header could not be generated: {error}");
            ExitCode::FAILURE
        }
    }
}
