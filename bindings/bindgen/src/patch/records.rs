//! Records in Kotlin: no text of one shows what was said or a key, and a variant without fields is a `data object`.

use super::Text;

/// Texts that members of a group have written: the record, the field.
const WRITTEN: [(&str, &str); 4] =
    [("GroupChange", "description"), ("GroupChange", "name"), ("GroupInfo", "description"), ("GroupInfo", "name")];

struct Field {
    name: String,
    ty: String,
}

pub(super) fn patch(text: &mut Text) -> Result<(), String> {
    text.all("    /**\n     * @suppress\n     */\n    companion object\n", "")?;
    let mut written = 0;
    let mut record: Option<(String, Vec<Field>)> = None;
    let mut out: Vec<String> = Vec::new();
    for line in text.text.lines() {
        let trimmed = line.trim();
        if let Some((name, _)) = trimmed.strip_prefix("data class ").and_then(|rest| rest.split_once('(')) {
            record = Some((name.trim().to_owned(), Vec::new()));
        }
        if let (Some((_, fields)), Some(field)) = (&mut record, trimmed.strip_prefix("val `").and_then(field)) {
            fields.push(field);
        }
        // A companion is a type that an app has nothing to do with; UniFFI has a use for one.
        if trimmed != "companion object" || out.iter().rev().take(3).any(|line| line.contains("UniffiCleaner.")) {
            out.push(data_object(line));
        } else if let Some((name, fields)) = record.take() {
            written += fields.iter().filter(|field| is_written(&name, &field.name)).count();
            out.extend(said(&name, &fields));
        }
    }
    if written != WRITTEN.len() {
        return Err("a record has no longer the texts that its own text must not show".to_owned());
    }
    text.text = out.join("\n") + "\n";
    Ok(())
}

fn field(rest: &str) -> Option<Field> {
    let (name, ty) = rest.split_once("`: ")?;
    let end = ty.find([',', ')']).unwrap_or(ty.len());
    Some(Field { name: name.to_owned(), ty: ty.get(..end)?.trim().to_owned() })
}

/// `object Accepted : Act()` prints as its name.
fn data_object(line: &str) -> String {
    let is_variant = line.starts_with("    object ") && line.ends_with("()");
    if is_variant { line.replacen("object", "data object", 1) } else { line.to_owned() }
}

pub(super) fn is_written(record: &str, field: &str) -> bool {
    WRITTEN.contains(&(record, field))
}

/// The record's text, if Kotlin's own would show bytes or what a user has written.
fn said(record: &str, fields: &[Field]) -> Option<String> {
    let hides = |field: &Field| field.ty.contains("ByteString") || is_written(record, &field.name);
    if !fields.iter().any(hides) {
        return None;
    }
    let part = |field: &Field| {
        let name = &field.name;
        if hides(field) { format!("{name}=${{shown(`{name}`)}}") } else { format!("{name}=${{`{name}`}}") }
    };
    let parts: Vec<String> = fields.iter().map(part).collect();
    Some(format!("    override fun toString(): String = \"{record}({})\"", parts.join(", ")))
}
