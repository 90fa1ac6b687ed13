//! The definitions in the Rust source: found by name, read with their docs.

use std::{
    fs,
    path::{Path, PathBuf},
};
use syn::{Attribute, Expr, Fields, Item, Lit, Meta, Visibility};

/// Parsed files.
pub(crate) struct Source {
    files: Vec<(String, syn::File)>,
}

/// What a type of core is, before any face changes it.
pub(crate) struct Definition {
    pub(crate) docs: String,
    pub(crate) shape: Shape,
    /// Another crate must expect variants that it does not know.
    pub(crate) is_open: bool,
    /// The type has a `Drop` of its own, so that nothing can be moved out of it.
    pub(crate) drops: bool,
}

pub(crate) enum Shape {
    Record(Vec<Field>),
    Enum(Vec<Variant>),
}

#[derive(Clone)]
pub(crate) struct Field {
    /// Absent in a tuple.
    pub(crate) name: Option<String>,
    pub(crate) docs: String,
    pub(crate) ty: syn::Type,
}

pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) number: Option<u32>,
}

/// A code: its name, its number, its text.
pub(crate) struct Code {
    pub(crate) name: String,
    pub(crate) number: u16,
    pub(crate) text: String,
}

impl Source {
    /// All files under these folders.
    pub(crate) fn read(root: &Path, folders: &[&str]) -> Result<Self, String> {
        let mut files = Vec::new();
        for folder in folders {
            for path in rust_files(&root.join(folder))? {
                let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                let file = syn::parse_file(&text).map_err(|error| format!("{}: {error}", path.display()))?;
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                files.push((name, file));
            }
        }
        Ok(Self { files })
    }

    fn items(&self) -> impl Iterator<Item = (&str, &Item)> {
        self.files.iter().flat_map(|(path, file)| file.items.iter().map(move |item| (path.as_str(), item)))
    }

    /// The public type of this name. Where several files have one, the one in this folder counts.
    pub(crate) fn find(&self, name: &str, folder: &str) -> Result<Definition, String> {
        let named = |item: &Item| match item {
            Item::Struct(it) => it.ident == name && matches!(it.vis, Visibility::Public(_)),
            Item::Enum(it) => it.ident == name && matches!(it.vis, Visibility::Public(_)),
            _ => false,
        };
        let mut found: Vec<(&str, &Item)> = self.items().filter(|(_, item)| named(item)).collect();
        if found.len() > 1 {
            found.retain(|(path, _)| path.starts_with(folder));
        }
        let [(_, item)] = found.as_slice() else {
            return Err(format!("{} public types are called {name}", found.len()));
        };
        let drops = self.items().any(|(_, item)| implements(item, "Drop", name));
        Ok(match item {
            Item::Struct(it) => {
                Definition { docs: docs(&it.attrs), shape: Shape::Record(fields(&it.fields)), is_open: false, drops }
            }
            Item::Enum(it) => Definition {
                docs: docs(&it.attrs),
                shape: Shape::Enum(it.variants.iter().map(variant).collect()),
                is_open: it.attrs.iter().any(|attribute| attribute.path().is_ident("non_exhaustive")),
                drops,
            },
            _ => return Err(format!("{name} is neither a struct nor an enum")),
        })
    }

    /// The public constant of this name among the limits: its doc and its number.
    pub(crate) fn limit(&self, name: &str) -> Result<(String, u64), String> {
        let mut found = self.items().filter(|(path, _)| *path == "core/src/limits.rs");
        let number = found.find_map(|(_, item)| match item {
            Item::Const(it) if it.ident == name => match &*it.expr {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Int(number) => number.base10_parse().ok().map(|number| (docs(&it.attrs), number)),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        });
        number.ok_or_else(|| format!("core/src/limits.rs has no number {name}"))
    }

    /// The length of an id or a key: of a public struct around `[u8; N]`, or of one that `names!` makes. Also how its bytes are reached.
    pub(crate) fn fixed(&self, name: &str) -> Result<Option<(usize, &'static str)>, String> {
        for (path, item) in self.items() {
            match item {
                Item::Struct(it) if it.ident == name => {
                    let Fields::Unnamed(fields) = &it.fields else { continue };
                    let (Some(field), 1) = (fields.unnamed.first(), fields.unnamed.len()) else { continue };
                    let access = if matches!(field.vis, Visibility::Public(_)) { ".0" } else { ".as_bytes()" };
                    return Ok(length(&field.ty).map(|length| (length, access)));
                }
                Item::Macro(it) if it.mac.path.is_ident("names") => {
                    let names =
                        it.mac.parse_body_with(name_list).map_err(|error| format!("{path}: names!: {error}"))?;
                    if let Some((_, length)) = names.into_iter().find(|(known, _)| known == name) {
                        return Ok(Some((length, ".0")));
                    }
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// The codes, from the call of `codes!`.
    pub(crate) fn codes(&self) -> Result<Vec<Code>, String> {
        let call = self.items().find_map(|(_, item)| match item {
            Item::Macro(it) if it.mac.path.is_ident("codes") => Some(it.mac.clone()),
            _ => None,
        });
        let call = call.ok_or("no call of codes! was found")?;
        call.parse_body_with(code_list).map_err(|error| format!("codes!: {error}"))
    }
}

fn code_list(input: syn::parse::ParseStream<'_>) -> syn::Result<Vec<Code>> {
    let mut codes = Vec::new();
    while !input.is_empty() {
        let name: syn::Ident = input.parse()?;
        input.parse::<syn::Token![=]>()?;
        let number: syn::LitInt = input.parse()?;
        input.parse::<syn::Token![,]>()?;
        let text: syn::LitStr = input.parse()?;
        input.parse::<syn::Token![;]>()?;
        codes.push(Code { name: name.to_string(), number: number.base10_parse()?, text: text.value() });
    }
    Ok(codes)
}

/// `Name(32);`, each under its docs.
fn name_list(input: syn::parse::ParseStream<'_>) -> syn::Result<Vec<(String, usize)>> {
    let mut names = Vec::new();
    while !input.is_empty() {
        Attribute::parse_outer(input)?;
        let name: syn::Ident = input.parse()?;
        let inside;
        syn::parenthesized!(inside in input);
        let length: syn::LitInt = inside.parse()?;
        input.parse::<syn::Token![;]>()?;
        names.push((name.to_string(), length.base10_parse()?));
    }
    Ok(names)
}

/// The length of an array of bytes.
pub(crate) fn length(ty: &syn::Type) -> Option<usize> {
    let syn::Type::Array(array) = ty else { return None };
    let Expr::Lit(literal) = &array.len else { return None };
    let Lit::Int(number) = &literal.lit else { return None };
    let is_bytes = matches!(&*array.elem, syn::Type::Path(of) if of.path.is_ident("u8"));
    if is_bytes { number.base10_parse().ok() } else { None }
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn implements(item: &Item, wanted: &str, name: &str) -> bool {
    let Item::Impl(it) = item else { return false };
    let Some((_, path, _)) = &it.trait_ else { return false };
    let syn::Type::Path(of) = &*it.self_ty else { return false };
    path.segments.last().is_some_and(|last| last.ident == wanted) && of.path.is_ident(name)
}

fn docs(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        if let Meta::NameValue(pair) = &attribute.meta
            && let Expr::Lit(literal) = &pair.value
            && let Lit::Str(text) = &literal.lit
        {
            lines.push(text.value().trim().to_owned());
        }
    }
    lines.join("\n").trim().to_owned()
}

fn fields(fields: &Fields) -> Vec<Field> {
    let field = |field: &syn::Field| Field {
        name: field.ident.as_ref().map(ToString::to_string),
        docs: docs(&field.attrs),
        ty: field.ty.clone(),
    };
    fields.iter().map(field).collect()
}

fn variant(variant: &syn::Variant) -> Variant {
    let number = match &variant.discriminant {
        Some((_, Expr::Lit(literal))) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            _ => None,
        },
        _ => None,
    };
    Variant { name: variant.ident.to_string(), docs: docs(&variant.attrs), fields: fields(&variant.fields), number }
}
