//! The generators: `sesame-bindgen header ROOT` prints the C header; any other call is uniffi's own command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("header") {
        return header(&args.next().unwrap_or_else(|| ".".to_owned()));
    }
    uniffi::uniffi_bindgen_main();
    ExitCode::SUCCESS
}

const INTRO: &str = "/* Generated from ffi/src/capi by `cargo xtask header`. Do not edit. */

/* libsesame, the C face.
 *
 * Text that a function returns is static, ends with a zero byte, and is never freed by the caller.
 * Every function may be called from any thread.
 */";

fn header(root: &str) -> ExitCode {
    let config = cbindgen::Config {
        language: cbindgen::Language::C,
        include_guard: Some("SESAME_H".to_owned()),
        cpp_compat: true,
        usize_is_size_t: true,
        no_includes: true,
        sys_includes: vec!["stddef.h".to_owned(), "stdint.h".to_owned()],
        documentation_style: cbindgen::DocumentationStyle::Doxy,
        autogen_warning: Some(INTRO.to_owned()),
        ..cbindgen::Config::default()
    };
    let source = std::path::Path::new(root).join("ffi/src/capi/mod.rs");
    match cbindgen::Builder::new().with_config(config).with_src(source).generate() {
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
