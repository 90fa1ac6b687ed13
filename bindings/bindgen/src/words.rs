//! Names in the case of each language, and core's docs in the words of each face.

/// How a face writes the name of a call in a doc.
#[derive(Clone, Copy)]
pub(crate) enum Voice {
    /// `sesame_device_ack`
    C,
    /// `device.ack()`, for Kotlin, Swift and Python
    Method,
}

/// The calls that docs name: core's name, and the handle and the name that the faces have for it.
const CALLS: [(&str, &str, &str); 8] = [
    ("accept", "group", "accept"),
    ("accept_identity", "registry", "accept_identity"),
    ("ack", "device", "ack"),
    ("decline", "group", "decline"),
    ("devices", "registry", "devices"),
    ("mark_verified", "registry", "mark_verified"),
    ("resolve_fork", "registry", "resolve_fork"),
    ("users", "registry", "users"),
];

/// Core's doc for a face: calls have the face's names, and the numbers of rules and papers are left out.
pub(crate) fn said(docs: &str, voice: Voice) -> String {
    with_calls(&without_references(&docs.replace("[`", "`").replace("`]", "`")), voice)
}

fn with_calls(docs: &str, voice: Voice) -> String {
    let part = |(at, part): (usize, &str)| if at % 2 == 0 { part.to_owned() } else { call(part, voice) };
    docs.split('`').enumerate().map(part).collect()
}

/// `ack` or `crate::device::Device::ack`, as the face says it.
fn call(path: &str, voice: Voice) -> String {
    let last = path.rsplit("::").next().unwrap_or(path);
    match (CALLS.iter().find(|(core, ..)| *core == last), voice) {
        (None, _) => format!("`{last}`"),
        (Some((_, noun, verb)), Voice::C) => format!("`sesame_{noun}_{verb}`"),
        (Some((_, noun, verb)), Voice::Method) => format!("`{noun}.{verb}()`"),
    }
}

/// Leaves out ` (X 5)`, ` (A02, D6)` and the like.
fn without_references(docs: &str) -> String {
    let mut text = String::new();
    let mut rest = docs;
    while let Some((before, after)) = rest.split_once(" (") {
        text.push_str(before);
        match after.split_once(')') {
            Some((inside, end)) if inside.split([',', ';']).all(|part| is_reference(part.trim())) => rest = end,
            _ => {
                text.push_str(" (");
                rest = after;
            }
        }
    }
    text + rest
}

fn is_reference(part: &str) -> bool {
    let is_name = part.starts_with(|first: char| first.is_ascii_uppercase());
    let is_word = part.starts_with('`') && part.ends_with('`');
    is_word || (is_name && part.len() < 14 && part.ends_with(|last: char| last.is_ascii_digit()))
}

/// The doc of a field of `length` bytes says how many they are.
pub(crate) fn with_length(docs: &str, length: usize) -> String {
    if docs.contains(" bytes") {
        return docs.to_owned();
    }
    let ends_a_clause = |(at, sign): &(usize, &str)| {
        let rest = docs.get(at + sign.len()..).unwrap_or("");
        rest.is_empty() || rest.starts_with(char::is_whitespace)
    };
    match docs.match_indices([';', '.', ':']).find(ends_a_clause) {
        Some((at, _)) => {
            let (before, after) = docs.split_at(at);
            format!("{before}, {length} bytes{after}")
        }
        None => format!("{docs}, {length} bytes."),
    }
}

/// The doc of a duration, whose type has the unit in it.
pub(crate) fn without_unit(docs: &str) -> String {
    docs.replace(", in ms", "")
}

/// Lines of a comment, each behind `prefix`, at most `width` columns.
pub(crate) fn comment(docs: &str, prefix: &str, width: usize) -> String {
    let mut text = String::new();
    for line in wrapped(docs, width.saturating_sub(prefix.len())) {
        text.push_str(format!("{prefix}{line}").trim_end());
        text.push('\n');
    }
    text
}

/// Paragraphs broken into lines of at most `width` characters.
pub(crate) fn wrapped(docs: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for (at, paragraph) in docs.split("\n\n").enumerate() {
        if at > 0 {
            lines.push(String::new());
        }
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// `DeviceList` as `device_list`.
pub(crate) fn snake(name: &str) -> String {
    let mut text = String::new();
    for (at, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// `DeviceList` as `DEVICE_LIST`.
pub(crate) fn screaming(name: &str) -> String {
    snake(name).to_uppercase()
}

/// `session_id` as `sessionId`, `DeviceList` as `deviceList`.
pub(crate) fn camel(name: &str) -> String {
    let mut text = String::new();
    for (at, part) in snake(name).split('_').enumerate() {
        let (first, rest) = part.split_at(part.len().min(1));
        text += &if at == 0 { first.to_owned() } else { first.to_uppercase() };
        text.push_str(rest);
    }
    text
}

/// A line in which names such as `content_id` stand as `contentId`.
pub(crate) fn camel_names(line: &str) -> String {
    let is_name = |word: &str| {
        let is_lower = word.chars().all(|it| it == '_' || it.is_ascii_lowercase() || it.is_ascii_digit());
        is_lower && word.trim_matches('_').contains('_') && word.starts_with(|it: char| it.is_ascii_lowercase())
    };
    words(line).into_iter().map(|word| if is_name(word) { camel(word) } else { word.to_owned() }).collect()
}

/// A line in which the name `from`, where it stands alone, is `to`.
pub(crate) fn renamed(line: &str, from: &str, to: &str) -> String {
    words(line).into_iter().map(|word| if word == from { to } else { word }).collect()
}

/// The words of a line and what lies between them.
fn words(line: &str) -> Vec<&str> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut words = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|letter| is_word(letter) != is_word(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after;
    }
    words
}

/// One of many: `batches` as `batch`.
pub(crate) fn one_of(many: &str) -> &str {
    many.strip_suffix("ches").map_or_else(|| many.strip_suffix('s').unwrap_or(many), |_| &many[..many.len() - 2])
}

/// A sentence that begins with a capital and ends with a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doc_of_core_is_said_in_the_words_of_a_face() {
        let docs = "Sent after [`crate::device::Device::ack`] (D6). See `accept_identity` (X 5, A02) (or not `field`).";
        assert_eq!(
            said(docs, Voice::C),
            "Sent after `sesame_device_ack`. See `sesame_registry_accept_identity` (or not `field`)."
        );
        assert_eq!(
            said(docs, Voice::Method),
            "Sent after `device.ack()`. See `registry.accept_identity()` (or not `field`)."
        );
    }

    #[test]
    fn a_length_stands_in_the_first_clause() {
        assert_eq!(with_length("In which group; absent if direct.", 32), "In which group, 32 bytes; absent if direct.");
        assert_eq!(with_length("Ed25519, 32 bytes.", 32), "Ed25519, 32 bytes.");
        assert_eq!(with_length("For `device.ack()`.", 16), "For `device.ack()`, 16 bytes.");
    }

    #[test]
    fn a_duration_says_no_unit() {
        assert_eq!(without_unit("The time that is left, in ms; 0 at the end."), "The time that is left; 0 at the end.");
    }

    #[test]
    fn names_in_a_line_are_said_in_camel_case_or_renamed() {
        assert_eq!(
            camel_names("For `registry.accept_identity()`, `SCREAMING_NAME`, a_b_c."),
            "For `registry.acceptIdentity()`, `SCREAMING_NAME`, aBC."
        );
        assert_eq!(renamed("val x: Bytes? = TypeBytes(Bytes)", "Bytes", "Data"), "val x: Data? = TypeBytes(Data)");
    }

    #[test]
    fn names_change_their_case_and_number() {
        assert_eq!((snake("NoSession"), screaming("NoSession")), ("no_session".to_owned(), "NO_SESSION".to_owned()));
        assert_eq!((camel("session_id"), camel("DeviceList")), ("sessionId".to_owned(), "deviceList".to_owned()));
        assert_eq!((one_of("batches"), one_of("skips"), one_of("failed")), ("batch", "skip", "failed"));
    }
}
