//! Kotlin: what UniFFI emits becomes internal where it is UniFFI's own, and behaves as an app expects where it is ours.

use super::{Text, between, calls, handles, kotlin_codes, records};
use crate::words;

/// Getters that an app reads as properties: the handle and the method.
const PROPERTIES: [(&str, &str); 5] =
    [("Device", "id"), ("Device", "isPrimary"), ("Device", "user"), ("Group", "id"), ("Linking", "code")];

/// All changes, in their order: a later one finds what an earlier one has made.
pub(super) fn patch(text: &mut Text) -> Result<(), String> {
    bytes(text)?;
    // A custom type whose class has its own name; the class stands beside the generated file.
    text.lines("names of classes", |line| if is_itself(line) { String::new() } else { line.to_owned() })?;
    let handles = handles::of(text);
    handles::own(text, &handles)?;
    calls::lower_first(text, &handles)?;
    lists(text)?;
    sizes(text)?;
    causes(text)?;
    records::patch(text)?;
    kotlin_codes::patch(text)?;
    pending_link(text)?;
    internals(text)?;
    for (handle, name) in PROPERTIES {
        property(text, handle, name)?;
    }
    text.lines("names in docs", doc)?;
    exposed(text)
}

/// Fails if a type of UniFFI's own is public.
fn exposed(text: &Text) -> Result<(), String> {
    let is_hidden = |line: &str| line.starts_with("internal ") || line.starts_with("private ");
    for line in text.text.lines().filter(|line| !line.starts_with([' ', '/', '*', '@']) && !is_hidden(line)) {
        let is_theirs = |word: &&str| ["Ffi", "Rust", "Uniffi", "uniffi"].iter().any(|theirs| word.starts_with(theirs));
        let kinds = ["class", "fun", "interface", "object", "typealias"];
        let mut words = line.split([' ', '(', ':', '<']).skip_while(|word| !kinds.contains(word)).skip(1);
        if let Some(name) = words.next().filter(is_theirs) {
            return Err(format!("{name} is public"));
        }
    }
    Ok(())
}

/// The bytes' type has the name that an app knows.
fn bytes(text: &mut Text) -> Result<(), String> {
    text.once("public typealias Bytes = ByteString\n", "")?;
    text.lines("bytes", |line| words::renamed(&line.replace("sesame.Bytes", "Bytes"), "Bytes", "ByteString"))
}

/// How large something becomes is computed without a copy of it and without a list of boxes; a text without surrogates needs no encoder.
fn sizes(text: &mut Text) -> Result<(), String> {
    for bytes in ["value", "value.bytes"] {
        text.all(
            &format!(
                "        val builtinValue = {bytes}.toByteArray()\n        return FfiConverterByteArray.allocationSize(builtinValue)\n"
            ),
            &format!("        return 4UL + {bytes}.size.toULong()\n"),
        )?;
    }
    text.lines("sums", |line| match line.split_once("value.map {") {
        Some((before, rest)) if rest.ends_with("}.sum()") => {
            format!("{before}value.sumOf {{{}", rest.trim_end_matches(".sum()"))
        }
        _ => line.to_owned(),
    })?;
    text.once(
        "    fun toUtf8(value: String): ByteBuffer {\n",
        "    fun toUtf8(value: String): ByteBuffer {\n        \
         if (value.none { it.isSurrogate() }) return ByteBuffer.wrap(value.toByteArray(Charsets.UTF_8))\n",
    )
}

/// What an app's store throws is the cause of the call's error: UniFFI keeps its text alone.
fn causes(text: &mut Text) -> Result<(), String> {
    let begin = "    var status = UniffiRustCallStatus()\n    val return_value";
    text.once(begin, &format!("    Thrown.begin(errorHandler)\n{begin}"))?;
    let thrown = "    } catch(e: kotlin.Exception) {\n";
    text.once(
        &format!("{thrown}        if (e is E) {{\n"),
        &format!("{thrown}        Thrown.by(e)\n        if (e is E) {{\n"),
    )?;
    let lift = "(error_buf: RustBuffer.ByValue): SesameException = FfiConverterTypeSesameError.lift(error_buf)";
    text.once(&format!("{lift}\n"), &format!("{lift}.let(Thrown::causes)\n"))
}

/// A pending link has calls: ours stands in `PendingLink.kt`, and what UniFFI makes of core's is within it.
fn pending_link(text: &mut Text) -> Result<(), String> {
    text.all("PendingLink", "PendingLinkView")?;
    text.once("\ndata class PendingLinkView (", "\ninternal data class PendingLinkView (")?;
    text.all("`(`code`: kotlin.String): PendingLinkView", "`(`code`: kotlin.String): PendingLink")?;
    text.once("return FfiConverterTypePendingLinkView.lift(", "return pendingLink(this,")
}

/// `public typealias SendId = SendId`
pub(super) fn is_itself(line: &str) -> bool {
    let alias = line.strip_prefix("public typealias ").and_then(|rest| rest.split_once(" = "));
    alias.is_some_and(|(name, class)| name == class)
}

/// A list says how many items it has written, whatever another thread does to it meanwhile.
fn lists(text: &mut Text) -> Result<(), String> {
    text.all("        buf.putInt(value.size)\n        value.iterator().forEach {\n", "        buf.putItems(value) {\n")
}

/// What is UniFFI's own is not public.
fn internals(text: &mut Text) -> Result<(), String> {
    text.all("\npublic object FfiConverter", "\ninternal object FfiConverter")?;
    text.all("\npublic interface FfiConverter", "\ninternal interface FfiConverter")?;
    text.all("    companion object ErrorHandler", "    internal companion object ErrorHandler")?;
    for (from, to) in [
        ("\nopen class RustBuffer", "\ninternal open class RustBuffer"),
        (
            "\npublic abstract class FfiConverterCallbackInterface",
            "\ninternal abstract class FfiConverterCallbackInterface",
        ),
        ("\ninterface UniffiRustCallStatusErrorHandler", "\ninternal interface UniffiRustCallStatusErrorHandler"),
        ("\nobject UniffiNullRustCallStatusErrorHandler", "\ninternal object UniffiNullRustCallStatusErrorHandler"),
        ("\ninterface UniffiCleaner", "\ninternal interface UniffiCleaner"),
        ("\npublic fun uniffiEnsureInitialized", "\ninternal fun uniffiEnsureInitialized"),
        ("\nprivate inline fun <U> uniffiRustCall(", "\ninternal inline fun <U> uniffiRustCall("),
        (
            "\nprivate inline fun <U, E: kotlin.Exception> uniffiRustCallWithError(",
            "\ninternal inline fun <U, E: kotlin.Exception> uniffiRustCallWithError(",
        ),
        (
            "\nprivate fun<E: kotlin.Exception> uniffiCheckCallStatus(",
            "\ninternal fun<E: kotlin.Exception> uniffiCheckCallStatus(",
        ),
    ] {
        text.once(from, to)?;
    }
    // An app cannot name a class of UniFFI's: a fault of the library has the name that all its faults have.
    text.once("\nclass InternalException(message: String) : kotlin.Exception(message)\n", "\n")?;
    text.all("ErrorHandler<InternalException>", "ErrorHandler<SesameException>")?;
    text.all("(error_buf: RustBuffer.ByValue): InternalException", "(error_buf: RustBuffer.ByValue): SesameException")?;
    text.all("InternalException(", "internalFault(")?;
    // Kotlin's own `use` closes, and does not swallow what closing throws.
    text.cut("// Interface implemented by anything that can contain an object reference.", "object NoHandle")
}

/// A getter becomes a property, in the interface and in the class.
fn property(text: &mut Text, handle: &str, name: &str) -> Result<(), String> {
    let missing = || format!("{handle} has no {name}()");
    let begin = format!("\npublic interface {handle}Interface {{");
    let end = format!("\ninternal object FfiConverterType{handle}:");
    let part = between(&text.text, &begin, &end).ok_or_else(missing)?.to_owned();
    let method = format!("fun `{name}`(): ");
    let mut changed = String::new();
    for line in part.lines() {
        let line = match line.split_once(&method) {
            None => line.to_owned(),
            Some((before, ty)) => match ty.strip_suffix(" {") {
                None => format!("{before}val `{name}`: {ty}"),
                Some(ty) => {
                    let before = before.replace("@Throws(SesameException::class)", "");
                    format!("{before}val `{name}`: {ty}\n        @Throws(SesameException::class) get() {{")
                }
            },
        };
        changed += &line;
        changed.push('\n');
    }
    if changed.matches(&format!("val `{name}`")).count() != 2 {
        return Err(missing());
    }
    text.once(&part, changed.trim_end_matches('\n'))
}

/// A line of a doc, with names as Kotlin writes them.
fn doc(line: &str) -> String {
    if line.trim_start().starts_with("* ") { words::camel_names(line) } else { line.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_exposed(text: &str) -> bool {
        exposed(&Text { text: text.to_owned() }).is_err()
    }

    #[test]
    fn a_public_type_of_uniffi_is_found() {
        assert!(is_exposed("public object FfiConverterString: FfiConverter<String> {\n"));
        assert!(is_exposed("\ninterface UniffiCleaner {\n"));
        assert!(is_exposed("public fun uniffiEnsureInitialized() {\n"));
        assert!(!is_exposed("internal open class RustBuffer : Structure() {\n    class UniffiInside\n"));
        assert!(!is_exposed("public class Device internal constructor(handle: Long) : Handle(), DeviceInterface\n"));
    }

    #[test]
    fn docs_have_the_names_of_kotlin() {
        assert_eq!(doc("     * Give `content_id`, 16 bytes."), "     * Give `contentId`, 16 bytes.");
        assert_eq!(doc("    UniffiLib.uniffi_sesame(_status)"), "    UniffiLib.uniffi_sesame(_status)");
    }
}
