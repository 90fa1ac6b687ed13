//! Swift's fields that are numbers of codes: they become the code itself, so that an app reads a name.

use super::{Text, between};
use crate::words::camel;

/// A field of a record that is the number of a code.
struct Field {
    record: &'static str,
    name: &'static str,
    /// 0 stands for none.
    is_maybe: bool,
}

const fn always(record: &'static str) -> Field {
    Field { record, name: "code", is_maybe: false }
}

const fn maybe(record: &'static str, name: &'static str) -> Field {
    Field { record, name, is_maybe: true }
}

const FIELDS: [Field; 7] = [
    maybe("Answered", "problem"),
    maybe("Health", "problem"),
    maybe("MailResult", "code"),
    maybe("UserStatus", "code"),
    always("FailedUser"),
    always("Skipped"),
    always("SkippedDevice"),
];

/// Cases of an enum with such a field, called `code`; none stands for none there.
const CASES: [(&str, &str); 1] = [("Event", "NotOpened")];

pub(super) fn patch(text: &mut Text) -> Result<(), String> {
    FIELDS.iter().try_for_each(|field| of_a_record(text, field))?;
    CASES.iter().try_for_each(|(of, case)| of_a_case(text, of, &camel(case)))?;
    text.all("The number of the code that says", "The code that says")?;
    text.lines("codes that may be none", |line| {
        if line.contains("code that says") { line.replace(", or 0.", ", or nil.") } else { line.to_owned() }
    })
}

fn of_a_record(text: &mut Text, Field { record, name, is_maybe }: &Field) -> Result<(), String> {
    let (begin, end) = (format!("\npublic struct {record}: "), format!("func FfiConverterType{record}_lift("));
    let missing = || format!("{record} has no number {name}");
    let part = between(&text.text, &begin, &end).ok_or_else(missing)?.to_owned();
    let (ty, made, number) = if *is_maybe {
        ("Code?", "Code.problem", format!("value.{name}?.rawValue ?? 0"))
    } else {
        ("Code", "Code.known", format!("value.{name}.rawValue"))
    };
    let mut changed = Text { text: part.clone() };
    changed.once(&format!("public let {name}: Int32"), &format!("public let {name}: {ty}"))?;
    changed.once(&format!("*/{name}: Int32"), &format!("*/{name}: {ty}"))?;
    changed.once(
        &format!("{name}: FfiConverterInt32.read(from: &buf)"),
        &format!("{name}: {made}(FfiConverterInt32.read(from: &buf))"),
    )?;
    changed.once(&format!("FfiConverterInt32.write(value.{name}, "), &format!("FfiConverterInt32.write({number}, "))?;
    text.once(&part, &changed.text)
}

fn of_a_case(text: &mut Text, of: &str, case: &str) -> Result<(), String> {
    let missing = || format!("{of} has no number in {case}");
    let (begin, end) = (format!("\npublic enum {of}: "), format!("func FfiConverterType{of}_lift("));
    let part = between(&text.text, &begin, &end).ok_or_else(missing)?.to_owned();
    let mut changed = Text { text: part.clone() };
    // Each of them is there once as long as this is the only case that has a code.
    changed.once("*/code: Int32", "*/code: Code")?;
    changed.once(
        "code: try FfiConverterInt32.read(from: &buf)",
        "code: try Code.known(FfiConverterInt32.read(from: &buf))",
    )?;
    changed.once("FfiConverterInt32.write(code, ", "FfiConverterInt32.write(code.rawValue, ")?;
    if !changed.text.contains(&format!("    case {case}(")) {
        return Err(missing());
    }
    text.once(&part, &changed.text)
}
