//! Kotlin's fields that are numbers of codes: they become the code itself, so that an app reads a name.

use super::{Text, between};

/// Records with the number of a code: the record, the field, and whether 0 stands for none. No other field of them is an `Int`.
const FIELDS: [(&str, &str, bool); 7] = [
    ("Answered", "problem", true),
    ("FailedUser", "code", false),
    ("Health", "problem", true),
    ("MailResult", "code", true),
    ("Skipped", "code", false),
    ("SkippedDevice", "code", false),
    ("UserStatus", "code", true),
];

pub(super) fn patch(text: &mut Text) -> Result<(), String> {
    for (record, name, is_maybe) in FIELDS {
        field(text, (&format!("\ndata class {record} ("), "\n}\n\n\n\n/**"), name, is_maybe)?;
    }
    // `NotOpened` is the only event with a code.
    field(text, ("\nsealed class Event {", "\nenum class GroupKind {"), "code", false)?;
    text.all("The number of the code that says", "The code that says")?;
    text.lines("codes that may be none", |line| {
        if line.contains("code that says") { line.replace(", or 0.", ", or null.") } else { line.to_owned() }
    })
}

/// The only `Int` of a part of the text.
fn field(text: &mut Text, (begin, end): (&str, &str), name: &str, is_maybe: bool) -> Result<(), String> {
    let part = between(&text.text, begin, end).ok_or_else(|| format!("{begin:?} has no number {name}"))?;
    let part = format!("{begin}{part}{end}");
    let (ty, converter) = if is_maybe { ("Code?", "MaybeCode") } else { ("Code", "KnownCode") };
    let mut changed = Text { text: part.clone() };
    changed.once(&format!("val `{name}`: kotlin.Int"), &format!("val `{name}`: {ty}"))?;
    changed.once("FfiConverterInt.read(buf)", &format!("{converter}.read(buf)"))?;
    for call in ["allocationSize", "write"] {
        let from = format!("FfiConverterInt.{call}(value.`{name}`");
        changed.once(&from, &format!("{converter}.{call}(value.`{name}`"))?;
    }
    text.once(&part, &changed.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "
data class Skipped (
    val `code`: kotlin.Int
){
    read: FfiConverterInt.read(buf),
    size: FfiConverterInt.allocationSize(value.`code`)
    write: FfiConverterInt.write(value.`code`, buf)
}
";

    #[test]
    fn a_number_becomes_a_code() {
        let mut text = Text { text: RECORD.to_owned() };
        let place = ("\ndata class Skipped (", "buf)\n}\n");
        assert_eq!(field(&mut text, place, "code", true), Ok(()));
        assert!(text.text.contains("val `code`: Code?\n") && text.text.contains("MaybeCode.write(value.`code`, buf)"));
        assert!(!text.text.contains("Int"));
        assert!(field(&mut text, place, "code", true).is_err(), "it is done already");
    }
}
