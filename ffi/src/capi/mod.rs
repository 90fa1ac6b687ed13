//! The C face: what `include/sesame.h` declares, whose first comment states the whole contract.
//!
//! - A function's name is its noun and its verb; its body is one `boundary::enter!`, through which no panic passes (a test holds every
//!   exported function to it).
//! - `handle`: what C holds is a number, checked for kind and generation; `input`: what C gives is checked before it is read;
//!   `tree`, `result`: what C gets is a tree of structs that one result owns; `view`: how the core's types become such trees.
//!
//! # Safety
//!
//! Every exported function is `unsafe`: its caller keeps the header's contract, of which this face can check all but one thing, that a
//! pointer which is neither null nor misaligned leads to as much memory as is said with it.

#![allow(non_camel_case_types, clippy::missing_safety_doc)]

#[macro_use]
mod boundary;
#[macro_use]
mod input;
mod clock;
mod device;
mod group;
mod handle;
mod linking;
mod registry;
mod relay;
mod requests;
mod result;
mod send;
mod session;
mod status;
mod store;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod tree;
mod view;

pub use boundary::sesame_error;
pub use clock::*;
pub use device::*;
pub use group::*;
pub use handle::*;
pub use input::{sesame_address, sesame_slice};
pub use linking::*;
pub use registry::*;
pub use relay::*;
pub use requests::*;
pub use result::sesame_result_free;
pub use send::*;
pub use session::*;
pub use status::sesame_status;
pub use store::*;
pub use view::*;

use core::ffi::{c_char, c_void};
use sesame_core::error::Code;

/// The version's first number.
pub const SESAME_VERSION_MAJOR: u32 = 0;
/// The version's second number.
pub const SESAME_VERSION_MINOR: u32 = 1;
/// The version's third number.
pub const SESAME_VERSION_PATCH: u32 = 0;

/// Largest payload of a message, in bytes.
pub const SESAME_MAX_PAYLOAD: usize = 65536;
/// Users that a direct send may name.
pub const SESAME_MAX_DIRECT_USERS: usize = 256;
/// Members of a group.
pub const SESAME_MAX_MEMBERS: usize = 1000;
/// Envelopes in one `sesame_device_batch_decrypt`.
pub const SESAME_MAX_BATCH: usize = 4096;
/// Longest user id, in bytes.
pub const SESAME_MAX_USER_ID: usize = 64;

// The header has numbers; these are core's.
const _: () = {
    use sesame_core::limits::{MAX_BATCH, MAX_DIRECT_USERS, MAX_MEMBERS, MAX_PAYLOAD, MAX_USER_ID};
    assert!(SESAME_MAX_PAYLOAD == MAX_PAYLOAD && SESAME_MAX_DIRECT_USERS == MAX_DIRECT_USERS);
    assert!(SESAME_MAX_MEMBERS == MAX_MEMBERS && SESAME_MAX_BATCH == MAX_BATCH && SESAME_MAX_USER_ID == MAX_USER_ID);
};

/// The version of the library: major * 1,000,000 + minor * 1,000 + patch. A header and a library belong together when the major numbers,
/// and while they are 0 the minor numbers, are equal.
#[unsafe(no_mangle)]
pub extern "C" fn sesame_version() -> u32 {
    SESAME_VERSION_MAJOR * 1_000_000 + SESAME_VERSION_MINOR * 1_000 + SESAME_VERSION_PATCH
}

/// The version of the library, as static text in UTF-8 that nobody frees.
#[unsafe(no_mangle)]
pub extern "C" fn sesame_version_string() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The name of a status without `SESAME_STATUS_`, as static text that nobody frees: "OK", "STORE_FULL". A number that is not known gives
/// "UNKNOWN".
#[unsafe(no_mangle)]
pub extern "C" fn sesame_status_name(status: i32) -> *const c_char {
    match (status, known(status)) {
        (0, _) => c"OK",
        (_, Some(code)) => status::name(code),
        (_, None) => c"UNKNOWN",
    }
    .as_ptr()
}

fn known(status: i32) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| i32::from(code.number()) == status)
}

/// What a status says, as static text in UTF-8 that nobody frees. A number that is not known gives "unknown status".
#[unsafe(no_mangle)]
pub extern "C" fn sesame_status_text(status: i32) -> *const c_char {
    match (status, known(status)) {
        (0, _) => c"success",
        (_, Some(code)) => code.c_text(),
        (_, None) => c"unknown status",
    }
    .as_ptr()
}

/// A slice of text that ends with a zero byte, without that byte; empty for NULL. Nothing is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_text(text: *const c_char) -> sesame_slice {
    let mut slice = sesame_slice::NONE;
    let _ = enter_from_store!({
        if !text.is_null() {
            // SAFETY: not null, and by the header's contract it ends with a zero byte.
            let text = unsafe { core::ffi::CStr::from_ptr(text) };
            slice = sesame_slice { data: text.as_ptr().cast(), len: text.count_bytes() };
        }
        Ok(())
    });
    slice
}

/// Overwrites `len` bytes at `data` with zeros, which no compiler leaves out: for the caller's own copies of keys and plaintexts.
/// `data` may be NULL when `len` is 0. It works in a store's function and in a forked child as well.
///
/// @return NULL_POINTER.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_wipe(data: *mut c_void, len: usize) -> sesame_status {
    enter_from_store!({
        let bytes = output_array!(data.cast::<u8>(), len, "data");
        zeroize::Zeroize::zeroize(bytes);
        Ok(())
    })
}
