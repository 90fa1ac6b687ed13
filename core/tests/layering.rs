//! The modules' order, read from their `use` paths.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::{fs, path::Path};

/// Low to high; names on one row are equals and do not use each other, but for those that `ALLOWED` lists.
const ORDER: &[&[&str]] = &[
    &["secret", "ids", "error", "context", "limits"],
    &["event"],
    &["crypto"],
    &["wire"],
    &["keys"],
    &["model"],
    &["record"],
    &["agreement", "ratchet"],
    &["session"],
    &["registry", "group", "store"],
    &["device"],
];
const ALLOWED: &[(&str, &str)] = &[("ids", "limits")];

fn rank(module: &str) -> usize {
    ORDER.iter().position(|row| row.contains(&module)).unwrap_or_else(|| panic!("{module} has no place in ORDER"))
}

fn files(folder: &Path, out: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

/// The names of `{a::{b, c}, d}` at its own level, given what follows the opening brace: `a::{b, c}` and `d`.
fn outer_names(inner: &str) -> Vec<&str> {
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(inner[start..at].trim());
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

#[test]
fn a_module_uses_only_what_stands_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    let mut edges = 0;
    for file in all.iter().filter(|f| !f.ends_with("lib.rs")) {
        let own = file.strip_prefix(&src).unwrap().components().next().unwrap();
        let own = own.as_os_str().to_str().unwrap().trim_end_matches(".rs");
        let text = fs::read_to_string(file).unwrap();
        let code: String = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join(" ");
        for path in code.split("crate::").skip(1) {
            let group = path.split(';').next().unwrap();
            let names = match group.strip_prefix('{') {
                Some(inner) => outer_names(inner),
                None => vec![group],
            };
            for name in names {
                let used = name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                if used.is_empty() || used == own {
                    continue;
                }
                edges += 1;
                assert!(
                    rank(used) < rank(own) || ALLOWED.contains(&(own, used)),
                    "{own} uses {used} in {}",
                    file.display()
                );
            }
        }
    }
    assert!(edges > 5, "the reader found hardly any edge: is it broken?");
}

#[test]
fn each_kind_of_crate_is_named_in_one_module() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let owners: [(&str, &[&str]); 3] = [
        (
            "crypto",
            &[
                "x25519_dalek",
                "curve25519_dalek",
                "ed25519_dalek",
                "aes_gcm",
                "hkdf::",
                "hmac::",
                "sha2",
                "libcrux_ml_kem",
            ],
        ),
        ("wire", &["tls_codec"]),
        ("record", &["serde", "postcard"]),
    ];
    let mut all = Vec::new();
    files(&src, &mut all);
    for (owner, crates) in owners {
        let mut seen = 0;
        for file in &all {
            let text = fs::read_to_string(file).unwrap();
            let uses = text.lines().filter(|line| line.trim_start().starts_with("use ") || line.contains("derive("));
            let names = uses.filter(|line| crates.iter().any(|name| line.contains(&format!("use {name}")))).count();
            seen += names;
            assert!(
                names == 0 || file.starts_with(src.join(owner)),
                "{} names what belongs to {owner}",
                file.display()
            );
        }
        assert!(seen > 0, "{owner}: the reader found nothing: is it broken?");
    }
}

#[test]
fn a_file_stays_below_600_lines() {
    let mut all = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    for file in all {
        assert!(fs::read_to_string(&file).unwrap().lines().count() <= 600, "{}", file.display());
    }
}
