//! What `sesame` and the public modules of `sesame-core` make public, compared with a committed listing.
//!
//! A change of the listing is a change of what apps can name: it is read in review, and CHANGELOG says what broke.
//! `SESAME_BLESS=1 cargo test -p sesame-tests --test public_api` writes it anew.

use sesame_tests::source;
use std::{collections::BTreeSet, fs, path::Path};
use syn::{Fields, ImplItem, Item, UseTree, Visibility};

/// The modules of core that an app can name.
const PUBLIC: [&str; 9] = ["context", "device", "error", "event", "ids", "limits", "secret", "store", "threads"];

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_hidden(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        (attribute.path().is_ident("doc") && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "hidden"))
            || (attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "test" || word == "doc"))
    })
}

/// Tokens as one line: `a :: b < c >` becomes `a::b<c>`.
fn line(tokens: impl quote::ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (from, to) in [
        (" :: ", "::"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" :", ":"),
        (" ;", ";"),
        ("[ ", "["),
        (" ]", "]"),
        ("' ", "'"),
    ] {
        text = text.replace(from, to);
    }
    text
}

fn names(tree: &UseTree, before: &str, out: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => names(&path.tree, &format!("{before}{}::", path.ident), out),
        UseTree::Name(name) => drop(out.insert(format!("use {before}{}", name.ident))),
        UseTree::Rename(name) => drop(out.insert(format!("use {before}{} as {}", name.ident, name.rename))),
        UseTree::Glob(_) => drop(out.insert(format!("use {before}*"))),
        UseTree::Group(group) => group.items.iter().for_each(|tree| names(tree, before, out)),
    }
}

fn fields(owner: &str, fields: &Fields, all: bool, out: &mut BTreeSet<String>) {
    for (at, field) in fields.iter().enumerate() {
        if all || is_public(&field.vis) {
            let name = field.ident.as_ref().map_or(at.to_string(), ToString::to_string);
            out.insert(format!("{owner}.{name}: {}", line(&field.ty)));
        }
    }
}

/// The public items of one file.
fn listing(items: &[Item], out: &mut BTreeSet<String>) {
    for item in items {
        match item {
            Item::Use(item) if is_public(&item.vis) && !is_hidden(&item.attrs) => names(&item.tree, "", out),
            Item::Const(item) if is_public(&item.vis) => {
                out.insert(format!("const {}: {}", item.ident, line(&item.ty)));
            }
            Item::Type(item) if is_public(&item.vis) => {
                out.insert(format!("type {} = {}", item.ident, line(&item.ty)));
            }
            Item::Fn(item) if is_public(&item.vis) && !is_hidden(&item.attrs) => {
                out.insert(line(&item.sig));
            }
            Item::Trait(item) if is_public(&item.vis) && !is_hidden(&item.attrs) => {
                out.insert(format!("trait {}", item.ident));
                for item_ in &item.items {
                    if let syn::TraitItem::Fn(function) = item_ {
                        out.insert(format!("{}::{}", item.ident, line(&function.sig)));
                    }
                }
            }
            Item::Struct(item) if is_public(&item.vis) => {
                out.insert(format!("struct {}{}", item.ident, line(&item.generics)));
                fields(&item.ident.to_string(), &item.fields, false, out);
            }
            Item::Enum(item) if is_public(&item.vis) => {
                out.insert(format!("enum {}{}", item.ident, line(&item.generics)));
                for variant in &item.variants {
                    let name = format!("{}::{}", item.ident, variant.ident);
                    out.insert(name.clone());
                    fields(&name, &variant.fields, true, out);
                }
            }
            Item::Impl(item) if item.trait_.is_none() && !is_hidden(&item.attrs) => {
                for inner in &item.items {
                    match inner {
                        ImplItem::Fn(function) if is_public(&function.vis) && !is_hidden(&function.attrs) => {
                            out.insert(format!("{}::{}", line(&item.self_ty), line(&function.sig)));
                        }
                        ImplItem::Const(constant) if is_public(&constant.vis) => {
                            out.insert(format!("{}::{}: {}", line(&item.self_ty), constant.ident, line(&constant.ty)));
                        }
                        _ => {}
                    }
                }
            }
            Item::Impl(item) if !is_hidden(&item.attrs) => {
                let name = item.trait_.as_ref().map(|(_, path, _)| line(path)).unwrap_or_default();
                out.insert(format!("impl {name} for {}", line(&item.self_ty)));
            }
            // `names!` and `codes!`: what they define is what they are given.
            Item::Macro(item) if item.mac.path.is_ident("names") || item.mac.path.is_ident("codes") => {
                for word in item.mac.tokens.to_string().split(';') {
                    let last = word.rsplit(']').next().unwrap_or_default().trim();
                    if !last.is_empty() {
                        out.insert(format!(
                            "{}! {}",
                            line(&item.mac.path),
                            last.split(',').next().unwrap_or_default().trim()
                        ));
                    }
                }
            }
            _ => {}
        }
    }
}

fn compare(krate: &str, listed: &BTreeSet<String>) {
    let path = source::root().join(krate).join("public-api.txt");
    let said = listed.iter().map(|line| format!("{line}\n")).collect::<String>();
    if std::env::var_os("SESAME_BLESS").is_some() {
        fs::write(&path, &said).unwrap();
    }
    let committed: BTreeSet<String> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
    let (gone, new) =
        (committed.difference(listed).collect::<Vec<_>>(), listed.difference(&committed).collect::<Vec<_>>());
    assert!(
        gone.is_empty() && new.is_empty(),
        "{krate}/public-api.txt: no longer public {gone:#?}, newly public {new:#?}"
    );
}

#[test]
fn what_core_makes_public_is_what_is_listed() {
    let root = source::root().join("core/src");
    let mut listed = BTreeSet::new();
    for (path, file) in source::parsed("core/src") {
        let module = path.strip_prefix(&root).unwrap().components().next().unwrap();
        let module = Path::new(module.as_os_str()).with_extension("").display().to_string();
        if PUBLIC.contains(&module.as_str()) {
            let mut own = BTreeSet::new();
            listing(&file.items, &mut own);
            listed.extend(own.into_iter().map(|line| format!("{module}: {line}")));
        }
    }
    assert!(listed.len() > 300, "only {} lines: is the reader broken?", listed.len());
    compare("core", &listed);
}

#[test]
fn the_other_modules_of_core_are_reached_through_one_hidden_module_alone() {
    let lib = source::parsed("core/src").into_iter().find(|(path, _)| path.ends_with("core/src/lib.rs")).unwrap().1;
    for item in &lib.items {
        let Item::Mod(module) = item else { continue };
        let name = module.ident.to_string();
        let expected = PUBLIC.contains(&name.as_str()) || name == "internal";
        assert_eq!(is_public(&module.vis), expected, "{name}");
        assert_eq!(is_hidden(&module.attrs), name == "internal", "{name}");
    }
}

#[test]
fn what_sesame_makes_public_is_what_is_listed() {
    let mut listed = BTreeSet::new();
    for (path, file) in source::parsed("sesame/src") {
        if !path.ends_with("tests.rs") {
            listing(&file.items, &mut listed);
        }
    }
    assert!(listed.len() > 80, "only {} lines: is the reader broken?", listed.len());
    compare("sesame", &listed);
}

#[test]
fn no_two_public_types_have_one_name() {
    let mut seen = BTreeSet::new();
    for krate in ["core", "sesame"] {
        for line in fs::read_to_string(source::root().join(krate).join("public-api.txt")).unwrap().lines() {
            let item = line.split_once(": ").map_or(line, |(_, item)| if krate == "core" { item } else { line });
            let Some(name) =
                item.strip_prefix("struct ").or(item.strip_prefix("enum ")).or(item.strip_prefix("trait "))
            else {
                continue;
            };
            let name = name.split('<').next().unwrap().to_owned();
            // A group's handle, and a link and a restore in progress are the core's, with time and randomness brought along.
            let wrapped = krate == "sesame" && ["Group", "Linking", "Restoring"].contains(&name.as_str());
            assert!(seen.insert(name.clone()) || wrapped, "two public types are called {name}");
        }
    }
}
