//! The code that a new device shows, as text or as a QR code (X 7).
//!
//! ```text
//! LinkOffer: version u8 = 1, signing key 32, IK 32, secret 32, expires_at u64 (ms)
//! code:      "SESAME1", LinkOffer in RFC 4648 base32 without padding, upper case,
//!            then 4 letters: the first 20 bits of SHA-256(join("sesame/1 link code", LinkOffer))
//! ```
//!
//! The checksum finds typing errors; one in a million passes. It protects against nobody: the digits do.

use super::codec;
use crate::{
    crypto::{kdf, labels},
    error::Code,
    secret::Secret,
};
use data_encoding::BASE32_NOPAD;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};
use zeroize::{Zeroize, Zeroizing};

const PREFIX: &str = "SESAME1";
/// Letters of the checksum, 5 bits each.
const CHECKSUM: usize = 4;
/// The longest text that is read, in bytes. A code has 179; people type spaces and line breaks into it.
const MAX_TEXT: usize = 1_024;

/// The encoded form of a [`LinkOffer`].
#[derive(TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct OfferForm {
    version: u8,
    signing_key: [u8; 32],
    identity_key: [u8; 32],
    secret: [u8; 32],
    expires_at: u64,
}

/// The offer that a new device shows on its screen. It holds a secret, so the device shows it to the primary
/// only.
pub struct LinkOffer {
    /// The new device's Ed25519 key.
    pub signing_key: [u8; 32],
    /// The new device's IK.
    pub identity_key: [u8; 32],
    /// A secret that only those who see the screen know.
    pub secret: Secret<32>,
    /// When the offer expires, by the new device's clock, in ms since 1970.
    pub expires_at: u64,
}

impl core::fmt::Debug for LinkOffer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("LinkOffer")
    }
}

impl LinkOffer {
    /// Encodes the offer as a code, to be shown as text or QR.
    ///
    /// # Errors
    /// [`Code::TooLarge`], which cannot happen.
    pub fn encode(&self) -> Result<Zeroizing<String>, Code> {
        let mut form = OfferForm {
            version: 1,
            signing_key: self.signing_key,
            identity_key: self.identity_key,
            secret: *self.secret.expose(),
            expires_at: self.expires_at,
        };
        let bytes = Zeroizing::new(codec::encode(&form)?);
        form.secret.zeroize();
        Ok(code_of(&bytes))
    }

    /// Reads a code. Lower case letters, spaces and hyphens are accepted.
    ///
    /// # Errors
    /// [`Code::LinkMalformed`] for a text that is not a code, or was mistyped. [`Code::UnsupportedVersion`] for a code of a later version.
    pub fn decode(text: &str) -> Result<Self, Code> {
        let bytes = bytes_of(text).ok_or(Code::LinkMalformed)?;
        if bytes.first() != Some(&1) {
            return Err(Code::UnsupportedVersion);
        }
        let mut form: OfferForm = codec::decode(&bytes).map_err(|_| Code::LinkMalformed)?;
        let secret = Secret::init_with(|to| *to = form.secret);
        form.secret.zeroize();
        Ok(Self { signing_key: form.signing_key, identity_key: form.identity_key, secret, expires_at: form.expires_at })
    }
}

/// The code with these bytes in it.
fn code_of(bytes: &[u8]) -> Zeroizing<String> {
    // Room for every letter at once: a text that grows would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + bytes.len() * 2 + 2 * CHECKSUM));
    text.push_str(PREFIX);
    BASE32_NOPAD.encode_append(bytes, &mut text);
    text.push_str(&checksum(bytes));
    text
}

/// The bytes in a code whose checksum is right.
fn bytes_of(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let mut clean = Zeroizing::new(String::with_capacity(text.len()));
    for letter in text.chars().filter(|c| !matches!(c, ' ' | '-' | '\n' | '\r' | '\t')) {
        clean.push(letter.to_ascii_uppercase());
    }
    let letters = clean.strip_prefix(PREFIX)?;
    let (letters, checked) = letters.split_at_checked(letters.len().checked_sub(CHECKSUM)?)?;
    let mut bytes = Zeroizing::new(vec![0; BASE32_NOPAD.decode_len(letters.len()).ok()?]);
    BASE32_NOPAD.decode_mut(letters.as_bytes(), &mut bytes).ok()?;
    (checksum(&bytes) == checked).then_some(bytes)
}

/// The letters that follow the base32 of these bytes in a code.
fn checksum(bytes: &[u8]) -> String {
    let hash = kdf::sha256(&Zeroizing::new(kdf::join(&[labels::LINK_CODE, bytes])));
    let mut letters = BASE32_NOPAD.encode(&hash);
    letters.truncate(CHECKSUM);
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer() -> LinkOffer {
        let secret = Secret::init_with(|secret| secret.fill(0x5e));
        LinkOffer { signing_key: [1; 32], identity_key: [2; 32], secret, expires_at: 1_800_000_000_000 }
    }

    #[test]
    fn a_code_is_read_as_it_was_written() {
        let code = offer().encode().unwrap();
        // Base32 has 168 letters for 105 bytes, and no bit is left over.
        assert_eq!(code.len(), PREFIX.len() + 168 + CHECKSUM);
        let typed = format!(" {}-\n{}", code[..50].to_lowercase(), &code[50..]);
        let read = LinkOffer::decode(&typed).unwrap();
        assert_eq!(
            (read.signing_key, read.identity_key, read.secret.expose(), read.expires_at),
            ([1; 32], [2; 32], &[0x5e; 32], 1_800_000_000_000)
        );
    }

    #[test]
    fn a_typo_in_any_position_is_malformed() {
        let code = offer().encode().unwrap();
        for at in 0..code.len() {
            for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ2345670189!".chars() {
                let typo = format!("{}{letter}{}", &code[..at], &code[at + 1..]);
                if typo != *code {
                    assert_eq!(LinkOffer::decode(&typo).unwrap_err(), Code::LinkMalformed, "{at} {letter}");
                }
            }
            let missing = format!("{}{}", &code[..at], &code[at + 1..]);
            assert_eq!(LinkOffer::decode(&missing).unwrap_err(), Code::LinkMalformed, "{at}");
            assert_eq!(LinkOffer::decode(&code[..at]).unwrap_err(), Code::LinkMalformed, "cut at {at}");
        }
    }

    #[test]
    fn two_letters_that_change_places_are_malformed() {
        let code = offer().encode().unwrap();
        for at in 0..code.len() - 1 {
            let mut letters = code.as_bytes().to_vec();
            letters.swap(at, at + 1);
            if letters != code.as_bytes() {
                let swapped = String::from_utf8(letters).unwrap();
                assert_eq!(LinkOffer::decode(&swapped).unwrap_err(), Code::LinkMalformed, "{at}");
            }
        }
    }

    #[test]
    fn a_whole_code_of_another_version_is_told_apart_from_a_typo() {
        let mut bytes = bytes_of(&offer().encode().unwrap()).unwrap();
        bytes[0] = 2;
        assert_eq!(LinkOffer::decode(&code_of(&bytes)).unwrap_err(), Code::UnsupportedVersion);
        bytes[0] = 1;
        bytes.push(0);
        assert_eq!(LinkOffer::decode(&code_of(&bytes)).unwrap_err(), Code::LinkMalformed, "a byte too many");
        assert_eq!(LinkOffer::decode(&code_of(&[])).unwrap_err(), Code::UnsupportedVersion, "nothing at all");
    }
}
