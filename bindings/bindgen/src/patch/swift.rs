//! Swift: what UniFFI emits becomes internal where it is UniFFI's own, and reads as Swift where it is ours.

use super::{Text, between, fields, kotlin::is_itself, records::is_written, swift_reader};
use crate::words::{camel, camel_names};

/// Getters that an app reads as properties: the handle and the method.
const PROPERTIES: [(&str, &str); 4] = [("Device", "id"), ("Device", "user"), ("Group", "id"), ("Linking", "code")];
/// UniFFI wishes that this were private. Here it is internal, as all that is UniFFI's own.
const WISH: &str = "\
    // TODO: We'd like this to be `private` but for Swifty reasons,
    // we can't implement `FfiConverter` without making this `required` and we can't
    // make it `required` without making it `public`.
";
/// Enums whose cases UniFFI begins with a capital, as it does for errors.
const ERRORS: [&str; 2] = ["SesameError", "StoreFault"];

pub(super) fn patch(text: &mut Text) -> Result<(), String> {
    swift_reader::patch(text)?;
    // A custom type whose struct has its own name; the struct stands beside the generated file.
    text.lines("names of structs", |line| if is_itself(line) { String::new() } else { line.to_owned() })?;
    for error in ERRORS {
        cases(text, error)?;
    }
    for (handle, name) in PROPERTIES {
        property(text, handle, name)?;
    }
    handles(text)?;
    pending_link(text)?;
    fields::patch(text)?;
    // Swift has no other `close`, and "wipe" sounds as if the store went.
    text.all("func wipe()", "func close()")?;
    text.lines("what need not be used", discardable)?;
    text.lines("UniFFI's own", internal)?;
    text.all(WISH, "")?;
    mirrors(text)?;
    text.lines(
        "names in docs",
        |line| if line.trim_start().starts_with("* ") { camel_names(line) } else { line.to_owned() },
    )
}

/// The cases of an error begin with a small letter.
fn cases(text: &mut Text, error: &str) -> Result<(), String> {
    let missing = || format!("{error} is not laid out as it was");
    let (begin, end) = (format!("enum {error}: Swift.Error"), format!("public func FfiConverterType{error}_lower("));
    let part = between(&text.text, &begin, &end).ok_or_else(missing)?.to_owned();
    let name = |line: &str| line.strip_prefix("    case ").map(|rest| rest.trim_end().trim_end_matches('(').to_owned());
    let names: Vec<String> =
        part.lines().filter_map(name).filter(|name| name.starts_with(char::is_uppercase)).collect();
    if names.is_empty() {
        return Err(missing());
    }
    let mut changed = part.clone();
    for name in names {
        let small = camel(&name);
        // A word of Swift's own.
        let defined = if small == "internal" { "`internal`" } else { &small };
        changed = changed.replace(&format!("    case {name}\n"), &format!("    case {defined}\n"));
        changed = changed.replace(&format!("    case {name}("), &format!("    case {defined}("));
        for after in ["(", ":", "\n"] {
            changed = changed.replace(&format!(" .{name}{after}"), &format!(" .{small}{after}"));
        }
    }
    text.once(&part, &changed)
}

/// A getter becomes a property, in the protocol and in the class.
fn property(text: &mut Text, handle: &str, name: &str) -> Result<(), String> {
    let missing = || format!("{handle} has no {name}()");
    let (begin, end) =
        (format!("\npublic protocol {handle}Protocol:"), format!("\npublic struct FfiConverterType{handle}:"));
    let part = between(&text.text, &begin, &end).ok_or_else(missing)?.to_owned();
    let (promised, made) = (format!("    func {name}()  -> "), format!("open func {name}() -> "));
    let (mut changed, mut found) = (String::new(), 0);
    for line in part.lines() {
        let line = match (line.strip_prefix(&promised), line.strip_prefix(&made)) {
            (Some(ty), _) => format!("    var {name}: {} {{ get }}", ty.trim_end()),
            (_, Some(ty)) => format!("public var {name}: {ty}"),
            _ => {
                changed += &format!("{line}\n");
                continue;
            }
        };
        found += 1;
        changed += &format!("{line}\n");
    }
    if found == 2 { text.once(&part, changed.trim_end_matches('\n')) } else { Err(missing()) }
}

/// Handles are final; nobody makes one from a number, or one that is none.
fn handles(text: &mut Text) -> Result<(), String> {
    text.all("\nopen class ", "\npublic final class ")?;
    text.all("\nopen func ", "\npublic func ")?;
    text.all("    required public init(unsafeFromHandle", "    init(unsafeFromHandle")?;
    text.all("    public func uniffiCloneHandle()", "    func uniffiCloneHandle()")?;
    text.cut(
        "    /// Used to instantiate a [FFIObject] without an actual handle, for fakes in tests, mostly.\n",
        "        public init() {}\n    }\n",
    )?;
    text.cut("    // This constructor can be used to instantiate a fake object.\n", "        self.handle = 0\n    }\n")
}

/// A pending link has calls: ours stands in `Handles.swift`, and what UniFFI makes of core's is within it.
fn pending_link(text: &mut Text) -> Result<(), String> {
    text.all("PendingLink", "PendingLinkView")?;
    text.once("public struct PendingLinkView: ", "struct PendingLinkView: ")?;
    text.once(
        "func linkDevice(code: String) throws  -> PendingLinkView",
        "func linkDevice(code: String) throws  -> PendingLink",
    )?;
    text.once("public func linkDevice(code: String)throws", "func pendingLink(code: String)throws")
}

/// What a send or an answer has done is told by the inbox as well.
fn discardable(line: &str) -> String {
    let is_told = ["-> Answered  {", "-> PendingSend  {"].iter().any(|end| line.ends_with(end));
    if is_told && line.starts_with("public func ") { format!("@discardableResult\n{line}") } else { line.to_owned() }
}

/// A public declaration of UniFFI's own.
fn internal(line: &str) -> String {
    let is_theirs = [
        "struct FfiConverter",
        "func FfiConverter",
        "func uniffiEnsure",
        "final class AppStoreImpl",
        "final class StoreFactoryImpl",
    ];
    match line.strip_prefix("public ") {
        Some(rest) if is_theirs.iter().any(|theirs| rest.starts_with(theirs)) => rest.to_owned(),
        _ => line.to_owned(),
    }
}

/// What `print` and `dump` show of a record: the length of bytes and of what members of a group have written.
fn mirrors(text: &mut Text) -> Result<(), String> {
    let mut mirrors = String::new();
    for part in text.text.split("\npublic struct ").skip(1) {
        let (head, body) = part.split_once('\n').ok_or("a struct without a body")?;
        let name = head.split(':').next().ok_or("a struct without a name")?;
        let fields: Vec<(&str, &str)> = body
            .lines()
            .take_while(|line| !line.starts_with('}'))
            .filter_map(|line| line.strip_prefix("    public let ")?.split_once(": "))
            .collect();
        let hides = |(field, ty): &(&str, &str)| ty.contains("Bytes") || is_written(name, field);
        if !fields.iter().any(hides) {
            continue;
        }
        let child = |field: &(&str, &str)| {
            let shown = if hides(field) { format!("shown({})", field.0) } else { format!("{} as Any", field.0) };
            format!("        \"{}\": {shown},\n", field.0)
        };
        let children: String = fields.iter().map(child).collect();
        mirrors += &format!(
            "\nextension {name}: CustomReflectable {{\n    public var customMirror: Mirror {{\n        Mirror(self, children: [\n{children}        ], displayStyle: .struct)\n    }}\n}}\n"
        );
    }
    if mirrors.is_empty() {
        return Err("no record has bytes".to_owned());
    }
    text.text += &mirrors;
    Ok(())
}
