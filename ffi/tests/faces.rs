//! Both faces, held to their rules: no exported function without its boundary, and no operation that only one face has.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use syn::{Attribute, Expr, ImplItem, Item, Stmt, Type, Visibility};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn items(face: &str) -> Vec<Item> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(face);
    let parse = |path: PathBuf| syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap().items;
    files(&folder).into_iter().flat_map(parse).collect()
}

fn says(attributes: &[Attribute], word: &str) -> bool {
    attributes.iter().any(|attribute| {
        let tokens = match &attribute.meta {
            syn::Meta::List(list) => list.tokens.to_string(),
            _ => String::new(),
        };
        attribute.path().segments.iter().any(|part| part.ident == word) || tokens.contains(word)
    })
}

fn documentation(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(text) => match &text.lit {
                syn::Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    attributes.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// The places that a function writes to, but for its error, and what it is told to wipe.
fn outputs(function: &syn::ItemFn) -> Vec<String> {
    let output = |argument: &syn::FnArg| {
        let syn::FnArg::Typed(argument) = argument else { return None };
        let (syn::Pat::Ident(name), Type::Ptr(pointer)) = (&*argument.pat, &*argument.ty) else { return None };
        let is_void = matches!(&*pointer.elem, Type::Path(of) if of.path.is_ident("c_void"));
        let is_output = pointer.mutability.is_some() && !is_void && name.ident != "error";
        is_output.then(|| name.ident.to_string())
    };
    function.sig.inputs.iter().filter_map(output).collect()
}

/// What C can call.
fn exported() -> BTreeMap<String, syn::ItemFn> {
    let functions = items("capi").into_iter().filter_map(|item| match item {
        Item::Fn(function) if says(&function.attrs, "no_mangle") => Some((function.sig.ident.to_string(), function)),
        _ => None,
    });
    functions.collect()
}

/// These read static text, or make a slice, and cannot fail.
const WITHOUT_BOUNDARY: [&str; 5] =
    ["sesame_version", "sesame_version_string", "sesame_status_name", "sesame_status_text", "sesame_text"];

#[test]
fn no_exported_function_forgets_the_boundary() {
    let exported = exported();
    assert!(exported.len() > 70, "{} functions were found", exported.len());
    for (name, function) in &exported {
        assert!(says(&function.attrs, "doc"), "{name} has no word about it");
        if WITHOUT_BOUNDARY.contains(&name.as_str()) {
            continue;
        }
        let doc = documentation(&function.attrs);
        assert!(doc.contains("@return"), "{name} does not say what may go wrong");
        let body = match function.block.stmts.as_slice() {
            [Stmt::Macro(body)] => &body.mac,
            [Stmt::Expr(Expr::Macro(body), None)] => &body.mac,
            _ => panic!("{name} does more than enter!"),
        };
        let boundary = body.path.segments.last().unwrap().ident.to_string();
        let from_store = ["sesame_rows_add", "sesame_wipe"].contains(&name.as_str());
        assert_eq!(boundary, if from_store { "enter_from_store" } else { "enter" }, "{name}");
        let cleared = body.tokens.to_string();
        let cleared =
            cleared.split_once("outputs (").and_then(|(_, rest)| rest.split_once(')')).map_or("", |(it, _)| it);
        let cleared: Vec<&str> = cleared.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        assert_eq!(cleared, outputs(function), "{name} does not clear what it gives");
    }
}

#[test]
fn the_header_declares_what_is_exported() {
    let header = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../include/sesame.h")).unwrap();
    let mut declared: Vec<String> = header
        .split("\nSESAME_API")
        .skip(1)
        .filter_map(|declaration| declaration.split_once('('))
        .filter_map(|(before, _)| before.rsplit([' ', '*', '\n']).next())
        .map(str::to_owned)
        .collect();
    declared.sort();
    assert_eq!(declared, exported().into_keys().collect::<Vec<_>>());
}

#[test]
fn the_cpp_header_calls_every_function() {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include");
    let read = |name: &str| fs::read_to_string(include.join(name)).unwrap();
    let header = ["sesame.hpp", "sesame/store.hpp", "sesame/values.hpp"].map(read).concat();
    let words: BTreeSet<&str> = header.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    // Slices are made by a type of its own there. The loop's calls are made for a device and for a linking by one macro.
    let looped = |name: &str| {
        let loops = ["sesame_device_", "sesame_linking_"];
        loops.iter().find_map(|of| name.strip_prefix(of)).is_some_and(|verb| words.contains(&*format!("_{verb}")))
    };
    let missing = |name: &String| !words.contains(name.as_str()) && !looped(name) && name != "sesame_text";
    assert_eq!(exported().into_keys().filter(missing).collect::<Vec<_>>(), Vec::<String>::new());
}

/// What the hosts can call, as `Type.method`.
fn host_operations() -> BTreeSet<String> {
    let mut operations = BTreeSet::new();
    for item in items("uniffi") {
        match item {
            Item::Impl(block) if says(&block.attrs, "export") => {
                let Type::Path(of) = *block.self_ty else { continue };
                let of = of.path.segments.last().unwrap().ident.to_string();
                operations.extend(block.items.iter().filter_map(|item| match item {
                    ImplItem::Fn(method) if matches!(method.vis, Visibility::Public(_)) => {
                        Some(format!("{of}.{}", method.sig.ident))
                    }
                    _ => None,
                }));
            }
            Item::Fn(function) if says(&function.attrs, "export") => {
                operations.insert(function.sig.ident.to_string());
            }
            _ => {}
        }
    }
    operations
}

/// Operations whose C name is not their type and verb, or that C has no need of.
const OTHERWISE: [(&str, Option<&str>); 12] = [
    ("Group.send", Some("sesame_group_batch_encrypt")),
    ("Group.view", Some("sesame_group_get_view")),
    ("LocalRelay.view", Some("sesame_relay_get_view")),
    ("TestClock.new", Some("sesame_clock_new")),
    ("TestClock.advance", Some("sesame_clock_advance")),
    // C knows what it has set, asks for a send by either id, and hands the relay a request without a copy.
    ("TestClock.now", None),
    ("Device.send_with", None),
    ("LocalRelay.handle", None),
    // A C call gives the group and the send at once.
    ("NewGroup.group", None),
    ("NewGroup.send", None),
    ("check_store", Some("sesame_store_check")),
    ("version", Some("sesame_version_string")),
];

/// What only C needs: memory, and what its language does not bring.
fn is_cs_own(name: &str) -> bool {
    let own =
        ["sesame_version", "sesame_status_name", "sesame_status_text", "sesame_text", "sesame_wipe", "sesame_rows_add"];
    name.ends_with("_free") || own.contains(&name)
}

fn c_name(operation: &str) -> Option<String> {
    if let Some((_, name)) = OTHERWISE.iter().find(|(other, _)| *other == operation) {
        return name.map(str::to_owned);
    }
    let (of, verb) = operation.split_once('.').unwrap_or(("", operation));
    let noun = match of {
        "DeviceRegistry" => "registry".to_owned(),
        "LocalRelay" => "relay".to_owned(),
        of => of.to_lowercase(),
    };
    Some(format!("sesame_{noun}_{verb}"))
}

#[test]
fn each_face_has_every_operation_of_the_other() {
    let operations = host_operations();
    assert!(operations.len() > 60, "{} operations were found", operations.len());
    let wanted: BTreeSet<String> = operations.iter().filter_map(|operation| c_name(operation)).collect();
    let there: BTreeSet<String> = exported().into_keys().filter(|name| !is_cs_own(name)).collect();
    assert_eq!(wanted, there);
    for (operation, _) in OTHERWISE {
        assert!(operations.contains(operation), "{operation} is gone");
    }
}

#[test]
fn unsafe_code_is_in_the_c_face_and_under_python_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for name in ["core", "sqlite", "relay"] {
        let text = fs::read_to_string(root.join(name).join("src/lib.rs")).unwrap();
        assert!(text.contains("#![forbid(unsafe_code)]"), "{name}");
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (capi, python) = (source.join("capi"), source.join("uniffi/python.rs"));
    for path in files(&source) {
        let uses = fs::read_to_string(&path).unwrap().lines().any(|line| line.contains("unsafe "));
        assert!(!uses || path.starts_with(&capi) || path == python, "{}", path.display());
    }
}
