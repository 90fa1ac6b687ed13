//! A safety number as text for a QR code: a mark, then 32 bytes in base32 (RFC 4648, no padding). It does not know what is hashed.

use data_encoding::BASE32_NOPAD;

/// What a safety code begins with.
const MARK: &str = "SESAMESN1";

/// The code that shows this hash.
#[must_use]
pub fn encode(hash: &[u8; 32]) -> String {
    format!("{MARK}{}", BASE32_NOPAD.encode(hash))
}

/// The hash in a code; `None` for text that is no such code. Small letters and spaces around it are taken.
///
/// ```
/// use sesame_core::internal::wire::safety_code::{decode, encode};
/// assert_eq!(decode(&encode(&[7; 32])), Some([7; 32]));
/// assert_eq!(decode("SESAMESN1"), None);
/// ```
#[must_use]
pub fn decode(code: &str) -> Option<[u8; 32]> {
    let code = code.trim().to_ascii_uppercase();
    let hash = BASE32_NOPAD.decode(code.strip_prefix(MARK)?.as_bytes()).ok()?;
    hash.try_into().ok()
}
