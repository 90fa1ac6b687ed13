//! Handles in Kotlin: final classes that own what they name by `Owned`, which survives a race of calls and closes.

use super::{Text, between};

/// The interfaces that an app implements; their classes are only what UniFFI needs.
const FOREIGN: [&str; 2] = ["AppStore", "StoreFactory"];

/// The names of the classes that own a handle, and of what their functions on the other side are called after.
pub(super) struct Handle {
    pub(super) class: String,
    pub(super) symbol: String,
}

/// Every class that owns a handle.
pub(super) fn of(text: &Text) -> Vec<Handle> {
    let classes = text.text.lines().filter_map(|line| line.strip_prefix("open class ")?.split_once(": Disposable, "));
    classes
        .map(|(class, _)| Handle {
            class: class.to_owned(),
            symbol: class.strip_suffix("Impl").unwrap_or(class).to_lowercase(),
        })
        .collect()
}

/// Each class gets its handle from `Owned`, in place of counters, cleaners and flags of its own.
pub(super) fn own(text: &mut Text, handles: &[Handle]) -> Result<(), String> {
    for handle in handles {
        own_one(text, handle)?;
    }
    // What is said above each class of how UniFFI did it.
    text.cut("// This template implements a class for working with a Rust struct via a handle\n", "24380219\n//\n")?;
    text.all("return value.uniffiCloneHandle()", "return value.owned.copy()")
}

fn own_one(text: &mut Text, Handle { class, symbol }: &Handle) -> Result<(), String> {
    let is_foreign = FOREIGN.iter().any(|foreign| class.strip_suffix("Impl") == Some(*foreign));
    let begin = format!("\nopen class {class}: Disposable, AutoCloseable, ");
    let missing = || format!("{class} is not laid out as it was");
    let interface = between(&text.text, &begin, "\n").ok_or_else(missing)?.to_owned();
    let clone = format!(
        "        return uniffiRustCall() {{ status ->\n            UniffiLib.uniffi_sesame_ffi_fn_clone_{symbol}(handle, status)\n        }}\n    }}\n"
    );
    let inside = between(&text.text, &begin, &clone).ok_or_else(missing)?;
    let free = format!("UniffiLib.uniffi_sesame_ffi_fn_free_{symbol}(handle, status)");
    for expected in ["fun destroy()", "fun close()", "fun <R> callWithHandle", &*free] {
        if !inside.contains(expected) {
            return Err(format!("{class} has no {expected}"));
        }
    }
    // A constructor of the class's own.
    let made = between(inside, "        this.cleanable = null\n    }\n", "    protected val handle: Long\n")
        .ok_or_else(missing)?;
    let visibility = if is_foreign { "internal" } else { "public" };
    let fresh = format!(
        "\n{visibility} class {class} internal constructor(@Suppress(\"UNUSED_PARAMETER\") withHandle: UniffiWithHandle, handle: Long) : Handle(), {interface}
{{
    internal override val owned: Owned = Owned(handle, Kind)

    internal object Kind : HandleKind() {{
        override fun copy(handle: Long): Long = uniffiRustCall {{ status -> UniffiLib.uniffi_sesame_ffi_fn_clone_{symbol}(handle, status) }}

        override fun free(handle: Long) = uniffiRustCall {{ status -> UniffiLib.uniffi_sesame_ffi_fn_free_{symbol}(handle, status) }}
    }}

    private inline fun <R> callWithHandle(block: (handle: Long) -> R): R = owned.use(block)
{made}"
    );
    let whole = format!("{begin}{inside}{clone}");
    text.once(&whole, &fresh)
}
