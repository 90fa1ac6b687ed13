//! How the story of `tests/story` prints an event, in five languages.
//!
//! A line is the event's name, the user with the device, the group, and each other field after a word.

use crate::{
    model::{Body, Case, Face, Part, Type},
    table::STORY_WORDS,
    words::{camel, one_of, screaming},
};

/// One word of a line, with what stands behind it.
enum Said<'a> {
    /// The user, with the device where there is one.
    Who {
        user: &'a Part,
        device: Option<&'a Part>,
    },
    /// The device alone.
    Device(&'a Part),
    /// The first four bytes of an id.
    Id(String, &'a Part),
    /// The same, where there is one.
    MaybeId(String, &'a Part),
    /// A hash of bytes.
    Hash(String, &'a Part),
    Number(String, &'a Part),
    Text(String, &'a Part),
    YesOrNo(String, &'a Part),
    /// From one number to another.
    Range(&'a Part, &'a Part),
    Users(String, &'a Part),
    Devices(String, &'a Part),
    /// How many.
    Count(String, &'a Part),
}

fn word(case: &Case, part: &Part) -> String {
    let known = STORY_WORDS.iter().find(|(of, field, _)| *of == case.name && *field == part.name);
    let plain = || part.name.trim_end_matches("_id").trim_start_matches("was_").replace('_', "-");
    known.map_or_else(plain, |(.., word)| (*word).to_owned())
}

fn said(case: &Case) -> Result<Vec<Said<'_>>, String> {
    let find = |name: &str| case.parts.iter().find(|part| part.name == name);
    let (user, device, group) = (find("user"), find("device"), find("group"));
    let mut words = Vec::new();
    match (user, device) {
        (Some(user), device) => words.push(Said::Who { user, device }),
        (None, Some(device)) => words.push(Said::Device(device)),
        (None, None) => {}
    }
    let rest = case.parts.iter().filter(|part| !["user", "device", "group"].contains(&part.name.as_str()));
    for part in group.into_iter().chain(rest) {
        let word = word(case, part);
        words.push(match &part.ty {
            Type::Id(..) => Said::Id(word, part),
            Type::Option(inner) if matches!(**inner, Type::Id(..)) => Said::MaybeId(word, part),
            Type::Bytes => Said::Hash(word, part),
            Type::U32 | Type::U64 if part.name == "first" => {
                Said::Range(part, find("last").ok_or("a first number without the last")?)
            }
            Type::U32 | Type::U64 if part.name == "last" => continue,
            Type::U32 | Type::U64 => Said::Number(word, part),
            Type::Bool => Said::YesOrNo(word, part),
            Type::Text => Said::Text(word, part),
            Type::List(inner) if **inner == Type::User => Said::Users(word, part),
            Type::List(inner) if **inner == Type::Device => Said::Devices(word, part),
            Type::List(_) => Said::Count(word, part),
            Type::CodeNumber => Said::Number(word, part),
            other => return Err(format!("{}.{}: the story has no word for {other:?}", case.name, part.name)),
        });
    }
    Ok(words)
}

fn cases(event: &Face) -> Result<&[Case], String> {
    match &event.body {
        Body::Enum(cases) => Ok(cases),
        Body::Record(_) => Err("an event is an enum".to_owned()),
    }
}

/// Rust, over core.
pub(crate) fn rust(event: &Face) -> Result<String, String> {
    let mut arms = String::new();
    for case in cases(event)? {
        let (mut format, mut arguments) = (case.name.clone(), Vec::new());
        for said in said(case)? {
            let (text, argument) = match said {
                Said::Who { user, device: Some(device) } => {
                    (" {}".to_owned(), format!("at({}, *{})", user.core, device.core))
                }
                Said::Who { user, device: None } => (" {}".to_owned(), format!("name({})", user.core)),
                Said::Device(device) => (" {}".to_owned(), format!("{}.0", device.core)),
                Said::Id(word, part) => (format!(" {word} {{}}"), format!("s({})", id(part, &part.core))),
                Said::MaybeId(word, part) => {
                    let shown = format!("s({})", id(part, "id"));
                    let argument = format!(
                        "{}.as_ref().map_or(String::new(), |id| format!(\" {word} {{}}\", {shown}))",
                        part.core
                    );
                    ("{}".to_owned(), argument)
                }
                Said::Hash(word, part) => (format!(" {word} {{}}"), format!("h({})", part.core)),
                Said::Number(word, part) | Said::Text(word, part) => (format!(" {word} {{}}"), part.core.clone()),
                Said::Count(word, part) => (format!(" {word} {{}}"), format!("{}.len()", part.core)),
                Said::YesOrNo(word, part) => (format!(" {word} {{}}"), format!("yes(*{})", part.core)),
                Said::Range(first, last) => {
                    arguments.push(first.core.clone());
                    (" lost {}-{}".to_owned(), last.core.clone())
                }
                Said::Users(word, part) => {
                    ("{}".to_owned(), format!("named(\"{word}\", {}.iter().map(name))", part.core))
                }
                Said::Devices(word, part) => {
                    ("{}".to_owned(), format!("named(\"{word}\", {}.iter().map(|device| device.0))", part.core))
                }
            };
            format += &text;
            arguments.push(argument);
        }
        let names: Vec<&str> = case.parts.iter().map(|part| part.core.as_str()).collect();
        let pattern = if names.is_empty() { String::new() } else { format!("{{ {} }}", names.join(", ")) };
        let arguments: String = arguments.iter().map(|argument| format!(", {argument}")).collect();
        let made = if arguments.is_empty() {
            format!("{format:?}.to_owned()")
        } else {
            format!("format!({format:?}{arguments})")
        };
        arms += &format!("Event::{} {pattern} => {made},\n", case.name);
    }
    let other = if event.is_open { "_ => \"Other\".to_owned(),\n" } else { "" };
    Ok(format!(
        "//! Generated by `cargo xtask bindings` from core's definitions. Do not edit.
//!
//! How an event is printed.

use super::lines::{{at, h, name, named, s, yes}};
use {}::Event;

/// An event, without the word before it.
pub fn said(event: &Event) -> String {{
match event {{ {arms} {other} }}
}}
",
        event.row.from.module()
    ))
}

/// The bytes of an id that a pattern has bound.
fn id(part: &Part, name: &str) -> String {
    let access = match &part.ty {
        Type::Id(_, access, _) => access,
        Type::Option(inner) => match &**inner {
            Type::Id(_, access, _) => access,
            _ => "",
        },
        _ => "",
    };
    match access {
        "" => name.to_owned(),
        _ if access.starts_with(".as") => format!("{name}{access}"),
        _ => format!("&{name}{access}"),
    }
}

/// C.
pub(crate) fn c(event: &Face, c_name: impl Fn(&str, &Part) -> String) -> Result<String, String> {
    let mut text = "/* Generated by `cargo xtask bindings` from core's definitions. Do not edit. */
#ifndef STORY_EVENTS_H
#define STORY_EVENTS_H

#include \"words.h\"

static inline void print_event(const sesame_event *event) {
  printf(\"event \");
  switch (event->kind) {
"
    .to_owned();
    for case in cases(event)? {
        text += &format!("    case SESAME_EVENT_KIND_{}:\n      printf(\"{}\");\n", screaming(&case.name), case.name);
        for said in said(case)? {
            let field = |part: &Part| c_name(&case.name, part);
            let line = match said {
                Said::Who { device: Some(_), .. } => "print_who(event->user, event->device);".to_owned(),
                Said::Who { device: None, .. } => "print_who(event->user, 0);".to_owned(),
                Said::Device(_) => "printf(\" %\" PRIu32, event->device);".to_owned(),
                Said::Id(word, part) | Said::MaybeId(word, part) => {
                    format!("print_id(\"{word}\", event->{});", field(part))
                }
                Said::Hash(word, part) => format!("print_hash(\"{word}\", event->{});", field(part)),
                Said::Number(word, part) => format!("printf(\" {word} %\" PRIu64, (uint64_t)event->{});", field(part)),
                Said::Text(word, part) => format!("printf(\" {word} \");\n      print_text(event->{});", field(part)),
                Said::Count(word, part) => {
                    format!("printf(\" {word} %zu\", event->{}_count);", one_of(&field(part)))
                }
                Said::YesOrNo(word, part) => format!("printf(\" {word} %s\", yes(event->{}));", field(part)),
                Said::Range(first, last) => format!(
                    "printf(\" lost %\" PRIu64 \"-%\" PRIu64, event->{}, event->{});",
                    field(first),
                    field(last)
                ),
                Said::Users(word, part) => {
                    let name = field(part);
                    format!("print_names(\"{word}\", event->{name}, event->{}_count);", one_of(&name))
                }
                Said::Devices(word, part) => {
                    let name = field(part);
                    format!("print_numbers(\"{word}\", event->{name}, event->{}_count);", one_of(&name))
                }
            };
            text += &format!("      {line}\n");
        }
        text += "      break;\n";
    }
    Ok(text + "    default: printf(\"Other\");\n  }\n  putchar('\\n');\n}\n\n#endif\n")
}

/// The arguments of `words`, each a text or nothing.
fn arguments(
    case: &Case,
    field: impl Fn(&Part) -> String,
    inside: impl Fn(&str) -> String,
    maybe: impl Fn(&str, &str) -> String,
    count: impl Fn(&str) -> String,
) -> Result<Vec<String>, String> {
    let text = |word: &str, value: &str| format!("{word} {}", inside(value));
    let mut arguments = Vec::new();
    for said in said(case)? {
        arguments.push(match said {
            Said::Who { user, device: Some(device) } => {
                quoted(&format!("{}/{}", inside(&field(user)), inside(&field(device))))
            }
            Said::Who { user, device: None } => field(user),
            Said::Device(device) => quoted(&inside(&field(device))),
            Said::Id(word, part) => quoted(&text(&word, &format!("s({})", field(part)))),
            Said::MaybeId(word, part) => maybe(&word, &field(part)),
            Said::Hash(word, part) => quoted(&text(&word, &format!("h({})", field(part)))),
            Said::Number(word, part) | Said::Text(word, part) => quoted(&text(&word, &field(part))),
            Said::Count(word, part) => quoted(&text(&word, &count(&field(part)))),
            Said::YesOrNo(word, part) => quoted(&text(&word, &format!("yes({})", field(part)))),
            Said::Range(first, last) => quoted(&format!("lost {}-{}", inside(&field(first)), inside(&field(last)))),
            Said::Users(word, part) | Said::Devices(word, part) => format!("named(\"{word}\", {})", field(part)),
        });
    }
    Ok(arguments)
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Kotlin.
pub(crate) fn kotlin(event: &Face) -> Result<String, String> {
    let mut text = "// Generated by `cargo xtask bindings` from core's definitions. Do not edit.
package story

import sesame.Event

/** An event, without the word before it. */
fun said(event: Event): String =
    when (event) {
"
    .to_owned();
    for case in cases(event)? {
        let arguments = arguments(
            case,
            |part| format!("event.{}{}", camel(&part.name), if part.name == "code" { ".value" } else { "" }),
            |value| format!("${{{value}}}"),
            |word, value| format!("{value}?.let {{ \"{word} ${{s(it)}}\" }}"),
            |value| format!("{value}.size"),
        )?;
        let lines: String = arguments.iter().map(|argument| format!("                    {argument},\n")).collect();
        text += &format!("        is Event.{} ->\n            \"{}\"", case.name, case.name);
        // ktlint: an expression of several lines begins on a line of its own.
        text += &if lines.is_empty() {
            "\n".to_owned()
        } else {
            format!(" +\n                words(\n{lines}                )\n")
        };
    }
    if event.is_open {
        text += "        is Event.Other -> \"Other\"\n";
    }
    Ok(text + "    }\n")
}

/// Swift.
pub(crate) fn swift(event: &Face) -> Result<String, String> {
    let mut text = "// Generated by `cargo xtask bindings` from core's definitions. Do not edit.
import Sesame

/// An event, without the word before it.
func said(_ event: Event) -> String {
    switch event {
"
    .to_owned();
    for case in cases(event)? {
        let arguments = arguments(
            case,
            |part| if part.name == "code" { "code.rawValue".to_owned() } else { camel(&part.name) },
            |value| format!("\\({value})"),
            |word, value| format!("{value}.map {{ \"{word} \\(s($0))\" }}"),
            |value| format!("{value}.count"),
        )?;
        let names: Vec<String> = case.parts.iter().map(|part| camel(&part.name)).collect();
        let pattern = if names.is_empty() {
            format!(".{}", camel(&case.name))
        } else {
            format!("let .{}({})", camel(&case.name), names.join(", "))
        };
        text += &format!("    case {pattern}:\n        return \"{}\"", case.name);
        text += &if arguments.is_empty() { "\n".to_owned() } else { format!(" + words({})\n", arguments.join(", ")) };
    }
    if event.is_open {
        text += "    case .other:\n        return \"Other\"\n";
    }
    Ok(text + "    }\n}\n")
}

/// Python.
pub(crate) fn python(event: &Face) -> Result<String, String> {
    let mut text = "# Generated by `cargo xtask bindings` from core's definitions. Do not edit.
\"\"\"How an event is printed.\"\"\"

from __future__ import annotations

import sesame
from words import h, named, s, words, yes


def said(event: sesame.Event) -> str:
    \"\"\"An event, without the word before it.\"\"\"
    match event:
"
    .to_owned();
    for case in cases(event)? {
        let arguments = arguments(
            case,
            |part| format!("event.{}", part.name),
            |value| format!("{{{value}}}"),
            |word, value| format!("None if {value} is None else f\"{word} {{s({value})}}\""),
            |value| format!("len({value})"),
        )?;
        let with_values =
            |argument: &String| if argument.starts_with('"') { format!("f{argument}") } else { argument.clone() };
        let arguments: Vec<String> = arguments.iter().map(with_values).collect();
        text += &format!("        case sesame.{}():\n            return \"{}\"", case.name, case.name);
        text += &if arguments.is_empty() { "\n".to_owned() } else { format!(" + words({})\n", arguments.join(", ")) };
    }
    Ok(text)
}
