//! The C face: what `include/sesame.h` declares. Its sessions and batches have an issue of their own; these are its first functions.

use core::ffi::c_char;
use sesame_core::error::Code;

/// The version of the header, to be compared with `sesame_version()`.
pub const SESAME_VERSION: &core::ffi::CStr = c"0.1.0";

/// The version of the library, as static text in UTF-8 that nobody frees.
#[unsafe(no_mangle)]
pub extern "C" fn sesame_version() -> *const c_char {
    SESAME_VERSION.as_ptr()
}

/// What a status number says, as static text in UTF-8 that nobody frees. 0 is success; a number that is not known gives "unknown status".
#[unsafe(no_mangle)]
pub extern "C" fn sesame_status_text(status: u16) -> *const c_char {
    let code = Code::ALL.iter().find(|code| code.number() == status);
    match (status, code) {
        (0, _) => c"success",
        (_, Some(code)) => code.c_text(),
        (_, None) => c"unknown status",
    }
    .as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::CStr;

    fn text(status: u16) -> &'static CStr {
        // SAFETY: sesame_status_text gives a pointer to static text that ends with a zero byte.
        unsafe { CStr::from_ptr(sesame_status_text(status)) }
    }

    #[test]
    fn every_status_has_its_text() {
        assert_eq!(text(0), c"success");
        assert_eq!(text(222), c"the envelope's gate does not match");
        assert_eq!(text(65_535), c"unknown status");
        assert!(Code::ALL.iter().all(|code| text(code.number()).to_bytes() == code.text().as_bytes()));
    }

    #[test]
    fn the_version_is_the_workspaces() {
        assert_eq!(SESAME_VERSION.to_bytes(), env!("CARGO_PKG_VERSION").as_bytes());
    }
}
