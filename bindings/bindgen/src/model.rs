//! What crosses, as every face has it: core's definitions with the changes of the table.

use crate::{
    source::{self, Shape, Source},
    table::{Change, DOCS, FIELDS, FOLDER, IDS, Row, TYPES, UNNAMED},
};

/// The type of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    Bool,
    /// `u16`, the number of a code.
    CodeNumber,
    U32,
    U64,
    I64,
    /// A number of milliseconds in core and in C, a duration of the language in the other faces.
    Duration,
    Size,
    Code,
    User,
    Device,
    /// Bytes of one length, how they are reached in core's type, and their type in the faces if they have one.
    Id(usize, &'static str, Option<&'static str>),
    Bytes,
    Text,
    StaticText,
    /// A device of a user, in core a tuple.
    Address,
    Option(Box<Type>),
    List(Box<Type>),
    /// Another type that crosses, by its name in the faces.
    Named(&'static str),
}

/// A type that crosses.
pub(crate) struct Face {
    pub(crate) row: &'static Row,
    pub(crate) docs: String,
    pub(crate) body: Body,
    pub(crate) is_open: bool,
    pub(crate) drops: bool,
}

pub(crate) enum Body {
    Record(Vec<Part>),
    Enum(Vec<Case>),
}

/// A field, as the faces have it.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) ty: Type,
    /// Core's field, or the way to it through a record that is flattened; in a tuple the number.
    pub(crate) core: String,
    pub(crate) made: Made,
}

/// How a field is made from core's.
#[derive(Clone)]
pub(crate) enum Made {
    AsItIs,
    /// Of each item this field.
    Only(&'static str),
    /// The only field of a variant: the path of the enum, the variant, the field.
    Of(String, &'static str, String),
}

/// A variant, as the faces have it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) parts: Vec<Part>,
    /// Core's fields have names.
    pub(crate) is_named: bool,
    /// Fields of core that the faces do not have.
    pub(crate) omits: bool,
    /// Its number in core.
    pub(crate) number: Option<u32>,
}

impl Face {
    /// No variant has a field.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(&self.body, Body::Enum(cases) if cases.iter().all(|case| case.parts.is_empty()))
    }

    /// It, a variant or a field has this doc.
    fn says(&self, docs: &str) -> bool {
        let any = |parts: &[Part]| parts.iter().any(|part| part.docs == docs);
        self.docs == docs
            || match &self.body {
                Body::Record(parts) => any(parts),
                Body::Enum(cases) => cases.iter().any(|case| case.docs == docs || any(&case.parts)),
            }
    }

    /// Its path in core.
    pub(crate) fn path(&self) -> String {
        format!("{}::{}", self.row.from.module(), self.row.core)
    }
}

/// Everything that crosses, in the order of the table.
pub(crate) fn faces(source: &Source) -> Result<Vec<Face>, String> {
    let mut used = Vec::new();
    let faces: Vec<Face> = TYPES.iter().map(|row| face(source, &mut used, row)).collect::<Result<_, String>>()?;
    for (owner, field, _) in &FIELDS {
        if !used.contains(&(*owner, *field)) {
            return Err(format!("the table changes {owner}.{field}, which core does not have"));
        }
    }
    for (owner, field, docs) in &DOCS {
        if !faces.iter().any(|face| face.says(docs)) {
            return Err(format!("the table has a doc for {owner} {field}, which core does not have"));
        }
    }
    Ok(faces)
}

/// Which changes of the table were made.
type Used = Vec<(&'static str, &'static str)>;

/// The type with this name in the faces.
pub(crate) fn named<'a>(faces: &'a [Face], name: &str) -> Result<&'a Face, String> {
    faces.iter().find(|face| face.row.name == name).ok_or(format!("{name} is not in the table"))
}

fn face(source: &Source, used: &mut Used, row: &'static Row) -> Result<Face, String> {
    let definition = source.find(row.core, row.from.folder())?;
    let body = match &definition.shape {
        Shape::Record(fields) => Body::Record(parts(source, used, row.core, fields)?),
        Shape::Enum(variants) => {
            let mut case = |variant: &source::Variant| {
                let parts = parts(source, used, &variant.name, &variant.fields)?;
                Ok(Case {
                    name: variant.name.clone(),
                    docs: docs(&variant.name, "", &variant.docs),
                    is_named: variant.fields.iter().any(|field| field.name.is_some()),
                    omits: parts.len() < variant.fields.len(),
                    parts,
                    number: variant.number,
                })
            };
            Body::Enum(variants.iter().map(&mut case).collect::<Result<_, String>>()?)
        }
    };
    Ok(Face {
        row,
        docs: docs(row.core, "", &definition.docs),
        body,
        is_open: definition.is_open,
        drops: definition.drops,
    })
}

/// What the faces say of a type, a variant or a field.
fn docs(owner: &str, field: &str, core: &str) -> String {
    let own = DOCS.iter().find(|(of, name, _)| *of == owner && *name == field);
    own.map_or_else(|| core.to_owned(), |(.., docs)| (*docs).to_owned())
}

/// The fields of a record, or of a variant.
fn parts(source: &Source, used: &mut Used, owner: &str, fields: &[source::Field]) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        let core = field.name.clone().unwrap_or(at.to_string());
        let context = |error| format!("{owner}.{core}: {error}");
        let (name, docs) = match &field.name {
            Some(name) => (name.clone(), docs(owner, name, &field.docs)),
            None => unnamed(&field.ty).unwrap_or_else(|| (core.clone(), String::new())),
        };
        let change = FIELDS.iter().find(|(of, from, _)| *of == owner && *from == name).map(|(of, from, change)| {
            used.push((*of, *from));
            change
        });
        let part =
            |name: &str, ty, made| Part { name: name.to_owned(), docs: docs.clone(), ty, core: core.clone(), made };
        match change {
            None => parts.push(part(&name, type_of(source, &field.ty).map_err(context)?, Made::AsItIs)),
            Some(Change::Name(name)) => {
                parts.push(part(name, type_of(source, &field.ty).map_err(context)?, Made::AsItIs));
            }
            Some(Change::Duration) => parts.push(part(&name, Type::Duration, Made::AsItIs)),
            Some(Change::Omit) => {}
            Some(Change::Flatten) => {
                let record = last_name(&field.ty).ok_or_else(|| context("not a record".to_owned()))?;
                let Shape::Record(inner) = source.find(&record, FOLDER).map_err(context)?.shape else {
                    return Err(context(format!("{record} is not a record")));
                };
                for part in self::parts(source, used, &record, &inner)? {
                    parts.push(Part { core: format!("{core}.{}", part.core), ..part });
                }
            }
            Some(Change::Only(only)) => {
                let item = argument(&field.ty).ok_or_else(|| context("not a list".to_owned()))?;
                let ty = field_of(source, item, only).map_err(context)?;
                parts.push(part(&name, Type::List(Box::new(type_of(source, &ty)?)), Made::Only(only)));
            }
            Some(Change::Of(path, variant)) => {
                let owner = last_name(&field.ty).ok_or_else(|| context("not an enum".to_owned()))?;
                let inner = variant_field(source, &owner, variant).map_err(context)?;
                let name = inner.name.clone().ok_or_else(|| context("a variant without names".to_owned()))?;
                let ty = Type::Option(Box::new(type_of(source, &inner.ty)?));
                let made = Made::Of(format!("{path}::{owner}"), variant, name.clone());
                parts.push(Part { docs: inner.docs.clone(), ..part(&name, ty, made) });
            }
        }
    }
    Ok(parts)
}

fn field_of(source: &Source, record: &syn::Type, field: &str) -> Result<syn::Type, String> {
    let record = last_name(record).ok_or("not a record")?;
    let Shape::Record(fields) = source.find(&record, FOLDER)?.shape else {
        return Err(format!("{record} is not a record"));
    };
    let found = fields.into_iter().find(|it| it.name.as_deref() == Some(field));
    found.map(|it| it.ty).ok_or(format!("{record} has no {field}"))
}

fn variant_field(source: &Source, owner: &str, variant: &str) -> Result<source::Field, String> {
    let Shape::Enum(variants) = source.find(owner, FOLDER)?.shape else {
        return Err(format!("{owner} is not an enum"));
    };
    let found = variants.into_iter().find(|it| it.name == variant).ok_or(format!("{owner} has no {variant}"))?;
    found.fields.into_iter().next().ok_or(format!("{variant} has no field"))
}

/// The name and the doc that an unnamed field gets by its type; a list's name is the plural.
fn unnamed(ty: &syn::Type) -> Option<(String, String)> {
    let item = argument(ty);
    let name = last_name(item.unwrap_or(ty))?;
    let (_, name, docs, of_many) = UNNAMED.iter().find(|(of, ..)| *of == name)?;
    Some(match item {
        Some(_) => (format!("{name}s"), (*of_many).to_owned()),
        None => ((*name).to_owned(), (*docs).to_owned()),
    })
}

/// The last part of a type's path.
fn last_name(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    }
}

/// The type between the brackets of a list or an option.
fn argument(ty: &syn::Type) -> Option<&syn::Type> {
    let syn::Type::Path(path) = ty else { return None };
    let syn::PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn type_of(source: &Source, ty: &syn::Type) -> Result<Type, String> {
    if let Some(length) = source::length(ty) {
        return Ok(Type::Id(length, "", None));
    }
    if let syn::Type::Reference(reference) = ty {
        return match last_name(&reference.elem).as_deref() {
            Some("str") => Ok(Type::StaticText),
            _ => Err("a reference to what is no text".to_owned()),
        };
    }
    if let syn::Type::Tuple(tuple) = ty {
        let names: Vec<Option<String>> = tuple.elems.iter().map(last_name).collect();
        let names: Vec<&str> = names.iter().flatten().map(String::as_str).collect();
        return match names.as_slice() {
            ["UserId", "DeviceId"] => Ok(Type::Address),
            _ => Err(format!("no face knows the tuple {names:?}")),
        };
    }
    let name = last_name(ty).ok_or("no face knows this type")?;
    let inner = |of: &syn::Type| type_of(source, of).map(Box::new);
    Ok(match (name.as_str(), argument(ty)) {
        ("Vec", Some(item)) if last_name(item).as_deref() == Some("u8") => Type::Bytes,
        ("Vec", Some(item)) => Type::List(inner(item)?),
        ("Option", Some(item)) => Type::Option(inner(item)?),
        ("bool", None) => Type::Bool,
        ("u16", None) => Type::CodeNumber,
        ("u32", None) => Type::U32,
        ("u64", None) => Type::U64,
        ("i64", None) => Type::I64,
        ("usize", None) => Type::Size,
        ("String", None) => Type::Text,
        ("Code", None) => Type::Code,
        ("UserId", None) => Type::User,
        ("DeviceId", None) => Type::Device,
        _ => {
            if let Some(row) = TYPES.iter().find(|row| row.core == name) {
                return Ok(Type::Named(row.name));
            }
            let (length, access) = source.fixed(&name)?.ok_or(format!("{name} is not in the table of types"))?;
            Type::Id(length, access, IDS.iter().find(|(id, _)| *id == name).map(|(id, _)| *id))
        }
    })
}
