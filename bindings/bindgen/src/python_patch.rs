//! What is changed in the Python code that UniFFI generates (ADR 27): who owns what, and what may not be copied.
//!
//! Each change asserts that it finds its place, so that a new version of UniFFI fails here and not in an app.

use crate::table::{PYTHON_BY_HAND, TYPES};
use std::{fs, path::Path};

/// Stands in place of UniFFI's helpers.
const RUNTIME: &str = include_str!("python_runtime.py");
/// Follows the loading of the library.
const LIBRARY: &str = include_str!("python_library.py");

/// Where UniFFI's helpers begin and where they end.
const HELPERS: (&str, &str) =
    ("class _UniffiRustBuffer(ctypes.Structure):", "# Types conforming to `_UniffiConverterPrimitive`");
/// The class of what crosses as bytes, which `python_runtime.py` has as well.
const CONVERTER: (&str, &str) = ("# Helper class for wrapper types", "# Contains loading, initialization code");
/// The FNV-1a digest of UniFFI 0.32's helpers. If it differs, read what UniFFI has changed and change `python_runtime.py` as well.
const KNOWN: u64 = 0x4d01_1fe1_1fb9_f7cf;

/// What has to be gone in the end.
const GONE: [&str; 8] = [
    "consume_with_stream",
    "alloc_with_builder",
    "_UniffiFfiConverterByRefBytes",
    "_uniffi_rust_call(",
    "uniffi_out_return[0]",
    "_handle_map.insert",
    ".free()",
    "getattr(self, \"_handle\"",
];

/// A handle's class in the generated module.
struct Class {
    name: String,
    /// What follows `uniffi_sesame_ffi_fn_clone_`.
    symbol: String,
}

/// Changes the module that a call of UniFFI's command line has written, if it wrote one for Python.
pub(crate) fn after(args: &[&str]) -> Result<(), String> {
    let option = |name: &str| {
        let glued = format!("{name}=");
        let apart = args.iter().position(|arg| *arg == name).and_then(|place| args.get(place + 1)).copied();
        apart.or_else(|| args.iter().find_map(|arg| arg.strip_prefix(glued.as_str())))
    };
    let language = option("--language").or_else(|| option("-l"));
    let out = option("--out-dir").or_else(|| option("-o"));
    let (Some("python"), Some(out)) = (language, out) else { return Ok(()) };
    let path = Path::new(out).join("sesame_ffi.py");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    fs::write(&path, changed(&text)?).map_err(|error| format!("{}: {error}", path.display()))
}

/// The module with every change.
fn changed(text: &str) -> Result<String, String> {
    let classes = classes(text)?;
    let mut text = Text(text.to_owned());
    text.helpers()?;
    text.library(&classes)?;
    text.callbacks()?;
    text.values()?;
    for class in &classes {
        text.class(class)?;
    }
    text.results(&classes)?;
    text.answers()?;
    text.lists()?;
    let Text(text) = text;
    match GONE.iter().find(|gone| text.contains(**gone)) {
        Some(left) => Err(format!("{left:?} is still in the Python code")),
        None => Ok(text),
    }
}

fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

const CLONE: &str = "return _uniffi_rust_call(_UniffiLib.uniffi_sesame_ffi_fn_clone_";

/// Every class that holds a handle.
fn classes(text: &str) -> Result<Vec<Class>, String> {
    let (mut classes, mut name) = (Vec::new(), "");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("class ") {
            name = rest.split(['(', ':']).next().unwrap_or_default();
        }
        if let Some((_, rest)) = line.split_once(CLONE) {
            let symbol = rest.split(',').next().unwrap_or_default();
            classes.push(Class { name: name.to_owned(), symbol: symbol.to_owned() });
        }
    }
    if classes.is_empty() { Err("no class holds a handle".to_owned()) } else { Ok(classes) }
}

/// The text between two marks, the first of them included.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Result<&'a str, String> {
    let missing = |mark: &str| format!("{mark:?} is not in the Python code");
    let start = text.find(from).ok_or_else(|| missing(from))?;
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.find(to).ok_or_else(|| missing(to))?;
    Ok(rest.get(..end).unwrap_or_default())
}

struct Text(String);

impl Text {
    /// Puts `new` in the place of `old`, which has to be there so many times.
    fn replace(&mut self, old: &str, new: &str, times: usize) -> Result<(), String> {
        let found = self.0.matches(old).count();
        if found != times {
            return Err(format!("{old:?} is in the Python code {found} times, not {times}"));
        }
        self.0 = self.0.replace(old, new);
        Ok(())
    }

    /// Puts `new` in the place of `old` wherever it is, at least once.
    fn replace_all(&mut self, old: &str, new: &str) -> Result<(), String> {
        self.replace(old, new, self.0.matches(old).count().max(1))
    }

    fn helpers(&mut self) -> Result<(), String> {
        let (from, to) = HELPERS;
        let helpers = between(&self.0, from, to)?.to_owned();
        if digest(&helpers) != KNOWN {
            return Err(format!(
                "UniFFI's helpers for Python have changed: their digest is {:#018x}",
                digest(&helpers)
            ));
        }
        self.replace(&helpers, RUNTIME, 1)?;
        let (from, to) = CONVERTER;
        let converter = between(&self.0, from, to)?.to_owned();
        self.replace(&converter, "", 1)
    }

    fn library(&mut self, classes: &[Class]) -> Result<(), String> {
        let load = "_UniffiLib = _uniffi_load_indirect()\n";
        let mut text = format!("{load}{LIBRARY}");
        for Class { name, symbol } in classes {
            text += &format!(
                "_UniffiHandle{name} = _uniffi_handle_type(\n    \"{name}\",\n    \
                 _UniffiLib.uniffi_sesame_ffi_fn_clone_{symbol},\n    _UniffiLib.uniffi_sesame_ffi_fn_free_{symbol},\n)\n\
                 _UniffiOptional{name} = _uniffi_optional_type(\"{name}\", _UniffiHandle{name})\n"
            );
        }
        self.replace(load, &text, 1)?;
        // What a function gives is owned from the moment that it is there.
        self.replace_all(".restype = _UniffiRustBuffer\n", ".restype = _UniffiOwnedBuffer\n")
    }

    /// The functions that the library calls: what they are given they own, and what they give passes in one step.
    fn callbacks(&mut self) -> Result<(), String> {
        let mut lines: Vec<String> = Vec::new();
        for line in self.0.lines() {
            let given = line.split_once("uniffi_out_return[0] = ");
            let is_called = line.starts_with("    @_UNIFFI_CALLBACK_INTERFACE_");
            let is_type = line.starts_with("_UNIFFI_CALLBACK_INTERFACE_") && line.contains("ctypes.CFUNCTYPE(");
            lines.push(match given {
                Some((indent, value)) => format!("{indent}_uniffi_return(uniffi_out_return, {value})"),
                None if is_type => line.replace(",_UniffiRustBuffer", ",_UniffiOwnedBuffer"),
                None if is_called => format!("{line}\n    @_uniffi_callback"),
                None => line.to_owned(),
            });
        }
        self.0 = lines.join("\n") + "\n";
        for (name, symbol) in [("AppStore", "app_store"), ("StoreFactory", "store_factory")] {
            let converter = format!("_UniffiFfiConverterType{name}");
            let map = format!("_uniffi_map_of_{symbol}");
            let group = format!(
                "# Put all the bits inside a class to keep the top-level namespace clean\nclass _UniffiTraitImpl{name}Impl:"
            );
            self.replace(&group, &format!("{map} = _UniffiHandleMap()\n\n{group}"), 1)?;
            self.replace(
                &format!(
                    "    def _uniffi_free(uniffi_handle):\n        {converter}._handle_map.remove(uniffi_handle)\n"
                ),
                "",
                1,
            )?;
            // The map's own method: no step of Python's is run, so that no signal comes in between.
            let called = format!("_UNIFFI_CALLBACK_INTERFACE_FREE_SESAME_FFI_{}", symbol.to_uppercase());
            let free = format!("    @{called}\n    @_uniffi_callback\n");
            self.replace(&free, &format!("    _uniffi_free = {called}({map}.objects.__delitem__)\n"), 1)?;
            self.replace(
                &format!("class {converter}:\n    _handle_map = _UniffiHandleMap()\n"),
                &format!(
                    "class {converter}:\n    _handle_map = {map}\n    _forget = _uniffi_address(_UniffiTraitImpl{name}Impl._uniffi_free)\n"
                ),
                1,
            )?;
            self.replace(
                &format!("return {converter}._handle_map.insert(value)"),
                &format!("return _UniffiOfHost({converter}._handle_map, value, {converter}._forget)"),
                1,
            )?;
            let old = format!("uniffi_sesame_ffi_fn_init_callback_vtable_{}(", symbol.replace('_', ""));
            self.replace(&old, &format!("ffi_sesame_init_{symbol}("), 1)?;
        }
        Ok(())
    }

    /// Texts and bytes.
    fn values(&mut self) -> Result<(), String> {
        self.replace(
            "        with buf.consume_with_stream() as stream:\n            return stream.read(stream.remaining()).decode(\"utf-8\")\n",
            "        return buf.octets().decode(\"utf-8\")\n",
            1,
        )?;
        self.replace(
            "        with _UniffiRustBuffer.alloc_with_builder() as builder:\n            builder.write(value.encode(\"utf-8\"))\n            \
             return builder.finalize()\n",
            "        return value.encode(\"utf-8\")\n",
            1,
        )?;
        // The length of a `memoryview` need not be the number of its bytes.
        self.replace(
            "        buf.write_i32(len(value))\n        buf.write(value)\n",
            "        if type(value) is not bytes:\n            value = bytes(memoryview(value))\n        \
             buf.write_i32(len(value))\n        buf.write(value)\n",
            1,
        )
    }

    /// A class that holds a handle: the handle owns itself, and neither is copied.
    fn class(&mut self, class: &Class) -> Result<(), String> {
        let Class { name, symbol } = class;
        self.replace(
            &format!(
                "    def __del__(self):\n        # In case of partial initialization of instances.\n        \
                 handle = getattr(self, \"_handle\", None)\n        if handle is not None:\n            \
                 _uniffi_rust_call(_UniffiLib.uniffi_sesame_ffi_fn_free_{symbol}, handle)\n"
            ),
            "    __copy__ = __deepcopy__ = __reduce__ = __reduce_ex__ = _uniffi_refused\n",
            1,
        )?;
        self.replace(&format!("        {CLONE}{symbol}, self._handle)\n"), "        return self._handle\n", 1)?;
        self.optional(name)?;
        let of = name.trim_end_matches("Impl");
        let inside = [format!("Type{of}.read("), format!("Type{of}.write(")];
        if inside.iter().any(|inside| self.0.contains(&format!("_UniffiFfiConverter{inside}"))) {
            return Err(format!("a {of} crosses inside another value, where nobody owns it"));
        }
        Ok(())
    }

    /// Of what may be absent the handle crosses inside a buffer, which owns it.
    fn optional(&mut self, name: &str) -> Result<(), String> {
        let head = format!("class _UniffiFfiConverterOptionalType{name}(_UniffiConverterRustBuffer):\n");
        if !self.0.contains(&head) {
            return Ok(());
        }
        let class = between(&self.0, &head, "raise InternalError(\"Unexpected flag byte for optional type\")\n")?;
        let check = between(class, &head, "    @classmethod\n    def write(")?;
        let changed = format!(
            "{check}    @classmethod\n    def lower(cls, value):\n        \
             return b\"\\0\" if value is None else _UniffiOptional(value._uniffi_clone_handle())\n\n    \
             @classmethod\n    def lift(cls, buffer):\n        handle = buffer.take()\n        \
             return {name}._uniffi_make_instance(handle) if handle.value else None\n"
        );
        let class = format!("{class}raise InternalError(\"Unexpected flag byte for optional type\")\n");
        self.replace(&class, &changed, 1)
    }

    /// What is made of our records is given as bytes: the package's own readers read them (`python_reader`).
    fn answers(&mut self) -> Result<(), String> {
        let ours = TYPES.iter().map(|row| row.name).filter(|name| !PYTHON_BY_HAND.contains(name));
        let mut given = 0;
        for name in ours.chain(["InboxItem"]) {
            for of in ["", "Optional", "Sequence"] {
                let old = format!("_uniffi_lift_return = _UniffiFfiConverter{of}Type{name}.lift\n");
                let found = self.0.matches(&old).count();
                self.replace(&old, "_uniffi_lift_return = _UniffiRustBuffer.octets\n", found)?;
                given += found;
            }
        }
        if given < 20 { Err(format!("only {given} calls give our records")) } else { Ok(()) }
    }

    /// Lists of what is plain are written in one loop.
    fn lists(&mut self) -> Result<(), String> {
        for (kind, checks, writes) in [
            ("UInt64", "_uniffi_check_u64s(value)", "_uniffi_write_u64s(value, buf)"),
            ("String", "_uniffi_check_texts(value)", "_uniffi_write_texts(value, buf)"),
            ("TypeBytes", "_uniffi_check_octets(value)", "_uniffi_write_octets(value, buf)"),
        ] {
            let item = format!("        for item in value:\n            _UniffiFfiConverter{kind}.");
            self.replace(&format!("{item}check_lower(item)\n"), &format!("        {checks}\n"), 1)?;
            let count = "        items = len(value)\n        buf.write_i32(items)\n";
            self.replace(&format!("{count}{item}write(item, buf)\n"), &format!("        {writes}\n"), 1)?;
        }
        Ok(())
    }

    /// What gives a handle gives it to an owner.
    fn results(&mut self, classes: &[Class]) -> Result<(), String> {
        let text = self.0.clone();
        let (mut lifted, mut given) = ("", 0);
        for line in text.lines() {
            if let Some(rest) = line.trim().strip_prefix("_uniffi_lift_return = ") {
                let converter = rest.strip_prefix("_UniffiFfiConverter").and_then(|rest| rest.strip_suffix(".lift"));
                lifted = converter.unwrap_or_default();
            }
            let function = line.strip_prefix("            _UniffiLib.").and_then(|rest| rest.strip_suffix(','));
            let Some(function) = function else { continue };
            let owner = classes.iter().find_map(|Class { name, .. }| {
                let of = name.trim_end_matches("Impl");
                if lifted == format!("OptionalType{name}") {
                    Some((format!("_UniffiOptional{name}"), "_UniffiOwnedBuffer"))
                } else if lifted == format!("Type{of}") {
                    Some((format!("_UniffiHandle{name}"), "ctypes.c_uint64"))
                } else {
                    None
                }
            });
            let Some((owner, before)) = owner else { continue };
            let result = format!("_UniffiLib.{function}.restype = ");
            self.replace(&format!("{result}{before}\n"), &format!("{result}{owner}\n"), 1)?;
            given += 1;
        }
        if given == 0 { Err("no function gives a handle".to_owned()) } else { Ok(()) }
    }
}
