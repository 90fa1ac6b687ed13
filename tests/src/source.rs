//! The project's own source, read as Rust, for tests that hold it to a rule.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use syn::{
    Attribute, Expr, ExprPath, ItemFn, ItemImpl, ItemMod, ItemUse, Macro, Pat, Token, Type, UseTree,
    punctuated::Punctuated,
    visit::{self, Visit},
};

/// The project's folder.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every Rust file below a folder of the project, by its path.
#[must_use]
pub fn parsed(folder: &str) -> BTreeMap<PathBuf, syn::File> {
    let mut found = Vec::new();
    files(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} has no Rust file");
    let parse = |path: &PathBuf| syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
    found.into_iter().map(|path| (path.clone(), parse(&path))).collect()
}

/// The crates that a user's program is built from, by the names of their folders.
#[must_use]
pub fn crates() -> Vec<String> {
    let is_crate =
        |name: &String| root().join(name).join("Cargo.toml").exists() && root().join(name).join("src").exists();
    let names = fs::read_dir(root()).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
    let mut crates: Vec<String> = names.filter(is_crate).filter(|name| name != "tests" && name != "xtask").collect();
    crates.sort();
    crates
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident(name))
}

/// Whether this is compiled for tests alone.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    let cfg = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    has(attributes, "test")
        || cfg.map(|cfg| cfg.parse_args::<syn::Path>()).any(|cfg| cfg.is_ok_and(|cfg| cfg.is_ident("test")))
}

/// The functions below a folder that `cargo test` runs.
#[must_use]
pub fn tests(folder: &str) -> Vec<ItemFn> {
    struct Tests(Vec<ItemFn>);
    impl<'a> Visit<'a> for Tests {
        fn visit_item_fn(&mut self, function: &'a ItemFn) {
            if has(&function.attrs, "test") && !has(&function.attrs, "ignore") {
                self.0.push(function.clone());
            }
        }
    }
    let mut tests = Tests(Vec::new());
    parsed(folder).values().for_each(|file| tests.visit_file(file));
    tests.0
}

/// The arguments of a macro that takes expressions.
fn arguments(invoked: &Macro) -> Option<Punctuated<Expr, Token![,]>> {
    invoked.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated).ok()
}

/// What follows `owner::` wherever an expression or an import names it, tests apart; `*` for an import of everything.
///
/// Patterns do not count: they ask, and make nothing. Where a macro's arguments are no expressions every mention in them counts.
#[must_use]
pub fn named_after(owner: &str, file: &syn::File) -> BTreeSet<String> {
    let mut names = Names { owner, own: false, found: BTreeSet::new() };
    names.visit_file(file);
    names.found
}

struct Names<'n> {
    owner: &'n str,
    /// Whether `Self` is the owner.
    own: bool,
    found: BTreeSet<String>,
}

impl<'a> Visit<'a> for Names<'_> {
    fn visit_item_mod(&mut self, module: &'a ItemMod) {
        if !is_for_tests(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'a ItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_item_fn(self, function);
        }
    }

    fn visit_item_impl(&mut self, block: &'a ItemImpl) {
        let before = self.own;
        self.own =
            matches!(&*block.self_ty, Type::Path(of) if of.path.segments.last().is_some_and(|s| s.ident == self.owner));
        visit::visit_item_impl(self, block);
        self.own = before;
    }

    fn visit_item_use(&mut self, import: &'a ItemUse) {
        self.import(&import.tree, false);
    }

    fn visit_pat(&mut self, pattern: &'a Pat) {
        if !matches!(pattern, Pat::Path(_)) {
            visit::visit_pat(self, pattern);
        }
    }

    fn visit_expr_path(&mut self, expression: &'a ExprPath) {
        let mut from_last = expression.path.segments.iter().rev().map(|segment| &segment.ident);
        if let (Some(name), Some(owner)) = (from_last.next(), from_last.next())
            && (owner == self.owner || (owner == "Self" && self.own))
        {
            self.found.insert(name.to_string());
        }
    }

    fn visit_macro(&mut self, invoked: &'a Macro) {
        if let Some(arguments) = arguments(invoked) {
            arguments.iter().for_each(|argument| self.visit_expr(argument));
            return;
        }
        let text = invoked.tokens.to_string();
        let words: Vec<&str> = text.split_whitespace().collect();
        for window in words.windows(3) {
            if window[1] == "::" && (window[0] == self.owner || (window[0] == "Self" && self.own)) {
                self.found.insert(window[2].to_owned());
            }
        }
    }
}

impl Names<'_> {
    fn import(&mut self, tree: &UseTree, inside: bool) {
        match tree {
            UseTree::Path(path) => self.import(&path.tree, path.ident == self.owner),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, inside)),
            UseTree::Name(name) if inside => drop(self.found.insert(name.ident.to_string())),
            UseTree::Rename(name) if inside => drop(self.found.insert(name.ident.to_string())),
            UseTree::Glob(_) if inside => drop(self.found.insert("*".to_owned())),
            _ => {}
        }
    }
}

/// Every path that a file names outside tests: its imports whole, and paths within it as they are written.
#[must_use]
pub fn paths(file: &syn::File) -> BTreeSet<String> {
    struct Paths(BTreeSet<String>);
    impl Paths {
        fn import(&mut self, before: &str, tree: &UseTree) {
            match tree {
                UseTree::Path(path) => self.import(&format!("{before}{}::", path.ident), &path.tree),
                UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(before, tree)),
                UseTree::Name(name) => drop(self.0.insert(format!("{before}{}", name.ident))),
                UseTree::Rename(name) => drop(self.0.insert(format!("{before}{}", name.ident))),
                UseTree::Glob(_) => drop(self.0.insert(format!("{before}*"))),
            }
        }
    }
    impl<'a> Visit<'a> for Paths {
        fn visit_item_mod(&mut self, module: &'a ItemMod) {
            if !is_for_tests(&module.attrs) {
                visit::visit_item_mod(self, module);
            }
        }

        fn visit_item_use(&mut self, import: &'a ItemUse) {
            self.import("", &import.tree);
        }

        fn visit_path(&mut self, path: &'a syn::Path) {
            let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.0.insert(names.join("::"));
            visit::visit_path(self, path);
        }

        fn visit_macro(&mut self, invoked: &'a Macro) {
            // Whatever the macro takes, a path in it is a word of its tokens.
            let text = invoked.tokens.to_string().replace(" :: ", "::");
            self.0.extend(text.split_whitespace().filter(|word| word.contains("::")).map(str::to_owned));
        }
    }
    let mut paths = Paths(BTreeSet::new());
    paths.visit_file(file);
    paths.0
}

/// What follows `owner::` within the assertions of a test.
#[must_use]
pub fn asserted_of(owner: &str, test: &ItemFn) -> BTreeSet<String> {
    struct Assertions<'n>(Names<'n>);
    impl<'a> Visit<'a> for Assertions<'_> {
        fn visit_macro(&mut self, invoked: &'a Macro) {
            if invoked.path.is_ident("assert") || invoked.path.is_ident("assert_eq") {
                self.0.visit_macro(invoked);
            }
        }
    }
    let mut assertions = Assertions(Names { owner, own: false, found: BTreeSet::new() });
    assertions.visit_item_fn(test);
    assertions.0.found
}
