//! The modules' order, read from our own syntax: a module uses only what stands before it, and no file uses itself through others.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proc_macro2::{TokenStream, TokenTree};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use syn::{
    Ident, Item, UseTree, Visibility,
    visit::{self, Visit},
};

/// Low to high. Modules on one row are equals and do not use each other, but for those that `ALLOWED` lists. The rooms of `flow` have their
/// own places; `flow` itself holds nothing.
const ORDER: &[&[&str]] = &[
    &["secret", "ids", "error", "context", "limits", "threads"],
    &["clock"],
    &["event"],
    &["crypto"],
    &["wire"],
    &["keys"],
    &["model"],
    &["record"],
    &["agreement", "ratchet"],
    &["session"],
    &["registry", "group", "store"],
    &["tx"],
    &["flow::lists", "flow::look"],
    &["flow::send"],
    &["flow::group"],
    &["flow::receive"],
    &["flow::upkeep"],
    &["flow::requests"],
    &["device"],
    &["internal"],
];
const ALLOWED: &[(&str, &str)] = &[("ids", "error"), ("ids", "limits")];

/// The path of a module below the crate, as names.
type Module = Vec<String>;

/// One file of the crate.
struct Source {
    module: Module,
    path: PathBuf,
    text: String,
    syntax: syn::File,
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn read(folder: &Path, out: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, out);
            continue;
        }
        let inside = path.strip_prefix(src()).unwrap().with_extension("");
        let mut module: Module = inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
            module.pop();
        }
        let text = fs::read_to_string(&path).unwrap();
        let syntax = syn::parse_file(&text).unwrap();
        out.push(Source { module, path, text, syntax });
    }
}

fn sources() -> Vec<Source> {
    let mut all = Vec::new();
    read(&src(), &mut all);
    assert!(all.len() > 80, "only {} files were found", all.len());
    all
}

/// Every path of a `use` tree, without the names that it is given here.
fn paths(tree: &UseTree, before: &[String], out: &mut Vec<Vec<String>>) {
    let with = |ident: &Ident| [before, &[ident.to_string()]].concat();
    match tree {
        UseTree::Path(path) => paths(&path.tree, &with(&path.ident), out),
        UseTree::Name(name) => out.push(with(&name.ident)),
        UseTree::Rename(name) => out.push(with(&name.ident)),
        UseTree::Glob(_) => out.push(before.to_vec()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| paths(tree, before, out)),
    }
}

/// The paths that a file uses, those inside its tests apart. What a `mod.rs` exports again is not used by it.
#[derive(Default)]
struct Used {
    paths: Vec<Vec<String>>,
    /// Whether the file is a `mod.rs`.
    is_root: bool,
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<Ident>().is_ok_and(|word| word == "test" || word == "doc")
    })
}

impl<'ast> Visit<'ast> for Used {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) && (matches!(item.vis, Visibility::Inherited) || !self.is_root) {
            paths(&item.tree, &[], &mut self.paths);
        }
    }

    /// `pub(crate)` uses nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        words(mac.tokens.clone(), &mut self.paths);
        visit::visit_macro(self, mac);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.paths.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }
}

/// The paths among a macro's tokens: names that `::` joins.
fn words(tokens: TokenStream, out: &mut Vec<Vec<String>>) {
    let (mut path, mut colons): (Vec<String>, usize) = (Vec::new(), 0);
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                if colons != 2 && !path.is_empty() {
                    out.push(core::mem::take(&mut path));
                }
                path.push(ident.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            other => {
                if let TokenTree::Group(group) = other {
                    words(group.stream(), out);
                }
                if !path.is_empty() {
                    out.push(core::mem::take(&mut path));
                }
                colons = 0;
            }
        }
    }
    if !path.is_empty() {
        out.push(path);
    }
}

/// What modules export again: from (module, name) to the module that has it.
fn exports(all: &[Source]) -> BTreeMap<(Module, String), Vec<String>> {
    let mut exports = BTreeMap::new();
    for source in all {
        for item in &source.syntax.items {
            let Item::Use(item) = item else { continue };
            if matches!(item.vis, Visibility::Inherited) {
                continue;
            }
            let mut found = Vec::new();
            paths(&item.tree, &[], &mut found);
            for path in found {
                exports.insert((source.module.clone(), path.last().unwrap().clone()), path);
            }
        }
    }
    exports
}

struct Tree {
    sources: Vec<Source>,
    modules: BTreeSet<Module>,
    exports: BTreeMap<(Module, String), Vec<String>>,
}

impl Tree {
    fn read() -> Self {
        let sources = sources();
        let modules = sources.iter().map(|source| source.module.clone()).collect();
        let exports = exports(&sources);
        Self { sources, modules, exports }
    }

    /// The module that a path in `from` leads to, or `None` outside this crate.
    fn target(&self, from: &Module, path: &[String]) -> Option<Module> {
        let (mut at, rest) = match path.split_first()? {
            (first, rest) if first == "crate" => (Vec::new(), rest),
            (first, rest) if first == "self" => (from.clone(), rest),
            (first, _) if first == "super" => {
                let up = path.iter().take_while(|name| *name == "super").count();
                (from[..from.len() - up].to_vec(), &path[up..])
            }
            // A name that is a child of this module.
            (first, _) if self.modules.contains(&[from.as_slice(), std::slice::from_ref(first)].concat()) => {
                (from.clone(), path)
            }
            _ => return None,
        };
        for name in rest {
            let child = [at.as_slice(), std::slice::from_ref(name)].concat();
            if self.modules.contains(&child) {
                at = child;
            } else if let Some(again) = self.exports.get(&(at.clone(), name.clone())) {
                return self.target(&at, again);
            } else {
                break;
            }
        }
        Some(at)
    }

    /// The modules that a file uses, itself apart.
    ///
    /// # Panics
    /// When a path names the crate itself, or `flow`, `tx` or `device` as a whole: what it leads to could not be seen.
    fn edges(&self, source: &Source) -> BTreeSet<Module> {
        let is_root = source.path.ends_with("mod.rs") || source.path.ends_with("internal.rs");
        let mut used = Used { is_root, ..Used::default() };
        used.visit_file(&source.syntax);
        let mut edges = BTreeSet::new();
        for path in &used.paths {
            let Some(target) = self.target(&source.module, path) else { continue };
            let is_whole =
                target.is_empty() || (target.len() == 1 && ["flow", "tx", "device"].contains(&target[0].as_str()));
            let names_it = path.last() == target.last() || target.is_empty();
            assert!(
                !(is_whole && names_it && target != source.module),
                "{} names {path:?} as a whole: name what is used",
                source.path.display()
            );
            if target != source.module {
                edges.insert(target);
            }
        }
        edges
    }
}

/// Where a module stands in [`ORDER`], and the name that it has there.
fn place(module: &Module) -> Option<(usize, String)> {
    let name = match module.as_slice() {
        [flow, room, ..] if flow == "flow" => format!("flow::{room}"),
        [flow] if flow == "flow" => return None,
        [first, ..] => first.clone(),
        [] => return None,
    };
    let row = ORDER.iter().position(|row| row.contains(&name.as_str()));
    Some((row.unwrap_or_else(|| panic!("{name} has no place in ORDER")), name))
}

#[test]
fn a_module_uses_only_what_stands_before_it() {
    let tree = Tree::read();
    let mut edges = 0;
    for source in &tree.sources {
        let Some((own_row, own)) = place(&source.module) else { continue };
        // The hidden door to all modules, which stands after them all.
        if own == "internal" {
            continue;
        }
        for used in tree.edges(source) {
            let Some((row, used)) = place(&used) else { continue };
            if used == own {
                continue;
            }
            edges += 1;
            let allowed = row < own_row || ALLOWED.contains(&(own.as_str(), used.as_str()));
            assert!(allowed, "{own} uses {used} in {}", source.path.display());
        }
    }
    assert!(edges > 300, "the reader found {edges} edges: is it broken?");
}

/// The real tree with one more file of this text in a module.
fn with(module: &[&str], text: &str) -> Tree {
    let mut tree = Tree::read();
    let module: Module = module.iter().map(ToString::to_string).collect();
    tree.modules.insert(module.clone());
    let path = src().join(module.join("/")).with_extension("rs");
    tree.sources = vec![Source { module, path, text: text.to_owned(), syntax: syn::parse_file(text).unwrap() }];
    tree
}

#[test]
fn what_runs_back_up_is_refused_however_it_is_written() {
    for text in [
        "use crate::flow::upkeep::tick::tick;",
        "use crate::{device::Device, error::Code};",
        "use crate::device::*;",
        "use crate::flow;",
        "use crate as c;",
        "use crate::*;",
        "use super::super::device::Device;",
        "pub(crate) use crate::device::Device;",
        "fn f() { crate::tx::sends::close(); }",
        "fn f() { assert!(crate::device::Device::is_there()); }",
        "fn f() { vec![1, crate::flow::send::start()]; }",
    ] {
        let tree = with(&["session", "extra"], text);
        let refused = std::panic::catch_unwind(|| {
            tree.edges(&tree.sources[0])
                .iter()
                .filter_map(place)
                .any(|(row, _)| row >= place(&vec!["session".into()]).unwrap().0)
        });
        assert!(refused.unwrap_or(true), "{text}");
    }
    let tree =
        with(&["session", "extra"], "use crate::{error::Code, ratchet::Ratchet}; fn f() { vec![crate::ids::UserId] }");
    let rows: Vec<usize> = tree.edges(&tree.sources[0]).iter().filter_map(place).map(|(row, _)| row).collect();
    assert_eq!(rows.len(), 3, "what stands before it is allowed, and seen");
    assert!(rows.into_iter().all(|row| row < place(&vec!["session".into()]).unwrap().0));
}

#[test]
fn no_file_of_tx_flow_and_device_uses_itself_through_others() {
    let tree = Tree::read();
    let inside = |module: &Module| matches!(module.first().map(String::as_str), Some("tx" | "flow" | "device"));
    let graph: BTreeMap<&Module, BTreeSet<Module>> =
        tree.sources.iter().filter(|source| inside(&source.module)).map(|s| (&s.module, tree.edges(s))).collect();
    let edges: usize = graph.values().flatten().filter(|used| inside(used)).count();
    assert!(edges > 100, "the reader found {edges} edges: is it broken?");
    for start in graph.keys() {
        let (mut seen, mut next): (BTreeSet<&Module>, Vec<&Module>) = (BTreeSet::new(), graph[*start].iter().collect());
        while let Some(module) = next.pop() {
            assert_ne!(module, *start, "{} comes back to itself", start.join("::"));
            if seen.insert(module) {
                next.extend(graph.get(module).into_iter().flatten());
            }
        }
    }
}

#[test]
fn nothing_reaches_over_its_parent() {
    for source in sources() {
        let room = source.module.first().map(String::as_str);
        if matches!(room, Some("tx" | "flow" | "device")) {
            assert!(!source.text.contains("super::super"), "{}", source.path.display());
        }
    }
}

#[test]
fn each_kind_of_crate_is_named_in_one_module() {
    let owners: [(&str, &[&str]); 3] = [
        (
            "crypto",
            &[
                "x25519_dalek",
                "curve25519_dalek",
                "ed25519_dalek",
                "aes_gcm",
                "hkdf",
                "hmac",
                "pbkdf2",
                "sha2",
                "libcrux_ml_kem",
            ],
        ),
        ("wire", &["data_encoding", "tls_codec"]),
        ("record", &["serde", "postcard"]),
    ];
    let all = sources();
    for (owner, crates) in owners {
        let mut seen = 0;
        for source in &all {
            let mut used = Used::default();
            used.visit_file(&source.syntax);
            let names = used.paths.iter().filter(|path| path.len() > 1 && crates.contains(&path[0].as_str())).count();
            seen += names;
            let owns = source.module.first().is_some_and(|room| room == owner);
            assert!(names == 0 || owns, "{} names what belongs to {owner}", source.path.display());
        }
        assert!(seen > 0, "{owner}: the reader found nothing: is it broken?");
    }
}

#[test]
fn a_file_stays_below_600_lines() {
    for source in sources() {
        assert!(source.text.lines().count() <= 600, "{}", source.path.display());
    }
}
