//! The boundary that every call passes: no panic goes out, and what went wrong is said twice, as a status and as a `sesame_error`.

use super::status::sesame_status;
use core::ffi::c_char;
use sesame_core::error::{Code, Detail, Error};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The longest name of an argument, with its zero byte.
const FIELD: usize = 36;
/// The longest detail, with its zero byte.
const DETAIL: usize = 520;

/// What went wrong, in memory of the caller's: nothing in it is ever freed. Its size will not change.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_error {
    /// The same as the call gave.
    pub status: sesame_status,
    /// Which argument it is about, as text; empty if it is about none.
    pub field: [c_char; 36],
    /// Which item of a list it is about, from 0; -1 if it is about none.
    pub item: i64,
    /// What happened, as static text in UTF-8 that holds neither secrets nor bytes of others.
    pub reason: *const c_char,
    /// For an error of the store: its path with the system's cause, or what the app's own store said. For a call at the wrong time: what to do.
    /// Text in UTF-8; else empty.
    pub detail: [c_char; 520],
    /// Zeros.
    pub reserved: [u64; 4],
}

impl sesame_error {
    fn new(result: Result<(), Error>) -> Self {
        let mut new = Self {
            status: sesame_status::Ok,
            field: [0; FIELD],
            item: -1,
            reason: c"success".as_ptr(),
            detail: [0; DETAIL],
            reserved: [0; 4],
        };
        if let Err(error) = result {
            new.status = error.code.into();
            write(&mut new.field, error.field.unwrap_or(""));
            write(&mut new.detail, error.detail.as_ref().map_or("", Detail::as_str));
            new.item = error.item.and_then(|item| i64::try_from(item).ok()).unwrap_or(-1);
            new.reason = error.code.c_text().as_ptr();
        }
        new
    }
}

/// Writes a text with a zero byte behind it.
fn write<const N: usize>(to: &mut [c_char; N], text: &str) {
    for (to, from) in to.iter_mut().zip(text.bytes().take(N - 1)) {
        *to = c_char::from_ne_bytes([from]);
    }
}

/// Runs a call's body: not re-entered, not in a forked child, and no panic passes.
///
/// # Safety
/// `error` is null, or leads to a `sesame_error` of the caller's.
pub(super) unsafe fn pass(error: *mut sesame_error, body: impl FnOnce() -> Result<(), Error>) -> sesame_status {
    if !error.is_null() && !error.is_aligned() {
        return sesame_status::BadStruct;
    }
    let result = sesame::enter()
        .and_then(|()| catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(Code::Internal.into())));
    let said = sesame_error::new(result);
    if !error.is_null() {
        // SAFETY: not null, aligned, and by this function's contract a `sesame_error` of the caller's.
        unsafe { error.write(said) };
    }
    said.status
}

/// As [`pass`], for what an app's store may call, and a forked child.
pub(super) fn pass_from_store(body: impl FnOnce() -> Result<(), Error>) -> sesame_status {
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(Code::Internal.into()));
    result.map_or_else(|error| error.code.into(), |()| sesame_status::Ok)
}

/// The whole body of an exported function that an app's store may call, and a forked child.
macro_rules! enter_from_store {
    ($body:block) => {
        $crate::capi::boundary::pass_from_store(|| $body)
    };
}

/// The whole body of an exported function; its outputs are zeroed whatever comes.
macro_rules! enter {
    ($error:expr, outputs($($to:ident),+), $body:block) => {{
        $(
            // SAFETY: the caller keeps the header's contract on this pointer.
            unsafe { $crate::capi::input::clear($to) };
        )+
        enter!($error, $body)
    }};
    ($error:expr, $body:block) => {{
        let body = || $body;
        // SAFETY: the caller of an exported function gives a pointer to a `sesame_error`, or null.
        unsafe { $crate::capi::boundary::pass($error, body) }
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_panic_passes_and_the_error_says_what_and_where() {
        let mut error = sesame_error::new(Ok(()));
        // SAFETY: the pointer leads to the local above.
        let status = unsafe { pass(&raw mut error, || panic!("a fault")) };
        assert_eq!((status, error.status), (sesame_status::Internal, sesame_status::Internal));
        let detail = Detail::new(&"é".repeat(600));
        let named = Error { detail, ..Error::of_item(Code::TooMany, "envelopes", 7) };
        // SAFETY: as above.
        let status = unsafe { pass(&raw mut error, || Err(named)) };
        assert_eq!((status, error.item), (sesame_status::TooMany, 7));
        let text =
            |text: &[c_char]| -> Vec<u8> { text.iter().map(|c| c.to_ne_bytes()[0]).take_while(|c| *c != 0).collect() };
        assert_eq!(text(&error.field), b"envelopes");
        assert_eq!(text(&error.detail), "é".repeat(256).as_bytes());
        // SAFETY: a null pointer is allowed.
        assert_eq!(unsafe { pass(core::ptr::null_mut(), || Ok(())) }, sesame_status::Ok);
    }

    #[test]
    fn an_error_has_the_size_that_the_header_promises() {
        assert_eq!(size_of::<sesame_error>(), 40 + 8 + 8 + 520 + 32);
    }
}
