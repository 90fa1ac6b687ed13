//! Calls in Kotlin: all arguments are converted before the handle is copied, and freed if one of them cannot be.

use super::{Text, handles::Handle};

/// Converters whose values own nothing.
const PLAIN: [&str; 6] = [
    "FfiConverterBoolean",
    "FfiConverterInt",
    "FfiConverterLong",
    "FfiConverterUInt",
    "FfiConverterULong",
    "FfiConverterUShort",
];

/// One call of the library, as UniFFI lays it out.
struct Call<'a> {
    /// It is a method, and takes a copy of the handle.
    is_method: bool,
    /// The line that makes the status.
    status: &'a str,
    function: &'a str,
    arguments: Vec<Argument<'a>>,
    /// How many lines it has.
    length: usize,
}

struct Argument<'a> {
    converter: &'a str,
    name: &'a str,
}

/// Rewrites every call.
pub(super) fn lower_first(text: &mut Text, handles: &[Handle]) -> Result<(), String> {
    // What a trait such as `Display` does has one argument, and nothing before it to free.
    let of_traits =
        text.text.lines().filter(|line| line.starts_with("    UniffiLib.") && line.contains("_uniffi_trait_"));
    let expected = text.text.matches("_status)").count() - of_traits.count();
    let lines: Vec<&str> = text.text.lines().collect();
    let mut out: Vec<String> = Vec::new();
    let (mut at, mut found) = (0, 0);
    while let Some(line) = lines.get(at) {
        let Some(call) = lines.get(at..).and_then(parsed) else {
            out.push((*line).to_owned());
            at += 1;
            continue;
        };
        let gives_a_handle = |line: &String| handles.iter().any(|it| line.trim() == lifting(it));
        let is_child = call.is_method && out.last().is_some_and(gives_a_handle);
        out.extend(rewritten(&call, handles)?);
        at += call.length;
        found += 1;
        if is_child {
            // Calls of both wait for each other where they are suspended.
            out.push("    ).also { it.owned.lane = owned.lane }".to_owned());
            at += 1;
        }
    }
    if found != expected {
        return Err(format!("{found} calls of {expected} are laid out as they were"));
    }
    text.text = out.join("\n") + "\n";
    throws(text)
}

fn lifting(handle: &Handle) -> String {
    format!("return FfiConverterType{}.lift(", handle.class)
}

/// The call that begins with the first of these lines.
fn parsed<'a>(lines: &[&'a str]) -> Option<Call<'a>> {
    let is_method = *lines.first()? == "    callWithHandle {";
    let first = usize::from(is_method);
    let status = *lines.get(first)?;
    if !(status.starts_with("    uniffiRustCall") && status.ends_with("{ _status ->")) {
        return None;
    }
    let function = lines.get(first + 1)?.trim().strip_suffix('(')?;
    let end = first + 2 + lines.get(first + 2..)?.iter().position(|line| line.ends_with("_status)"))?;
    let mut arguments = Vec::new();
    for part in lines.get(first + 2..=end)?.iter().flat_map(|line| line.split(',')).map(str::trim) {
        if !matches!(part, "" | "it" | "_status)") {
            let (converter, name) = part.strip_suffix("`)")?.split_once(".lower(`")?;
            arguments.push(Argument { converter, name });
        }
    }
    Some(Call { is_method, status, function, arguments, length: end + 2 + first })
}

fn rewritten(call: &Call<'_>, handles: &[Handle]) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    let mut given = Vec::new();
    if !call.arguments.is_empty() {
        lines.push("    withArguments { _arguments ->".to_owned());
    }
    for (at, argument) in call.arguments.iter().enumerate() {
        lines.push(format!("    val _{at} = {}", lowered(argument, handles)));
        given.push(format!("_{at}"));
    }
    if call.is_method {
        lines.push("    callWithHandle { _handle ->".to_owned());
        given.insert(0, "_handle".to_owned());
    }
    lines.push(call.status.to_owned());
    if !call.arguments.is_empty() {
        lines.push("    _arguments.passed()".to_owned());
    }
    given.push("_status".to_owned());
    lines.push(format!("    {}({})", call.function, given.join(", ")));
    let opened = 1 + usize::from(call.is_method) + usize::from(!call.arguments.is_empty());
    lines.push(format!("    {}", "}".repeat(opened)));
    if call.function.starts_with("UniffiLib.") { Ok(lines) } else { Err(format!("{} is no function", call.function)) }
}

/// How an argument is made, and what frees it.
fn lowered(Argument { converter, name }: &Argument<'_>, handles: &[Handle]) -> String {
    let made = format!("{converter}.lower(`{name}`)");
    let named = |class: &str| format!("FfiConverterType{class}") == *converter;
    if handles.iter().any(|handle| named(&handle.class)) {
        return format!("_arguments.handle(\"{name}\") {{ `{name}`.owned }}");
    }
    if handles.iter().any(|handle| handle.class.strip_suffix("Impl").is_some_and(named)) {
        return format!("_arguments.callback(\"{name}\", {converter}.handleMap) {{ {made} }}");
    }
    if PLAIN.contains(converter) { made } else { format!("_arguments.buffer(\"{name}\") {{ {made} }}") }
}

/// Java is told that a call may fail: the handle may be closed, an argument unusable.
fn throws(text: &mut Text) -> Result<(), String> {
    text.lines("calls without errors", |line| {
        let (doc, fun) = match line.split_once("*/override fun ") {
            Some((doc, fun)) => (doc, format!("override fun {fun}")),
            None => match line.split_once("*/ fun ") {
                Some((doc, fun)) if !fun.contains("`()") => (doc, format!("fun {fun}")),
                _ => return line.to_owned(),
            },
        };
        format!("{doc}*/\n    @Throws(SesameException::class) {fun}")
    })
}
