//! HKDF (RFC 5869), HMAC (RFC 2104), PBKDF2 (RFC 8018) and SHA-256 (FIPS 180-4).
//!
//! This module does not know what a key is for. The labels are in [`super::labels`].

use crate::secret::Secret;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// Joins fields so that two different lists of fields never give the same bytes. The length of each field
/// stands before it, as a big-endian u32.
///
/// ```
/// use sesame_core::internal::crypto::kdf::join;
/// assert_ne!(join(&[b"ab", b"c"]), join(&[b"a", b"bc"]));
/// ```
#[must_use]
pub fn join(fields: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(fields.iter().map(|f| f.len().saturating_add(4)).sum());
    for field in fields {
        // A field is ours or bounded by limits.rs, far below 4 GiB.
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        joined.extend_from_slice(&length.to_be_bytes());
        joined.extend_from_slice(field);
    }
    joined
}

/// `HKDF(salt, ikm, info)` as `N` secret bytes.
///
/// # Panics
/// Never: the compiler checks `N` against RFC 5869's limit of 255 blocks.
#[must_use]
pub fn hkdf<const N: usize>(salt: &[u8], ikm: &[u8], info: &[u8]) -> Secret<N> {
    const { assert!(N <= 255 * 32) };
    Secret::init_with(|okm| {
        let expanded = Hkdf::<Sha256>::new(Some(salt), ikm).expand(info, okm);
        debug_assert!(expanded.is_ok(), "the length was checked above");
    })
}

/// `HMAC(key, message)` as public bytes: a tag or a mask.
#[must_use]
pub fn hmac(key: &Secret<32>, message: &[u8]) -> [u8; 32] {
    mac(key.expose(), message)
}

/// `HMAC(key, message)` as key bytes.
#[must_use]
pub fn hmac_key(key: &Secret<32>, message: &[u8]) -> Secret<32> {
    secret(mac(key.expose(), message))
}

/// HMAC under a key that is used often: what depends on the key alone is computed once. It is wiped when it is dropped.
pub struct Keyed(Hmac<Sha256>);

impl core::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Keyed")
    }
}

impl Keyed {
    /// HMAC under this key.
    #[must_use]
    pub fn new(key: &Secret<32>) -> Self {
        Self(begin(key.expose()))
    }

    /// `HMAC(key, message)` as public bytes.
    #[must_use]
    pub fn hmac(&self, message: &[u8]) -> [u8; 32] {
        end(self.0.clone(), message)
    }

    /// `HMAC(key, message)` as key bytes.
    #[must_use]
    pub fn hmac_key(&self, message: &[u8]) -> Secret<32> {
        secret(self.hmac(message))
    }
}

fn begin(key: &[u8; 32]) -> Hmac<Sha256> {
    // HMAC-SHA-256's block is 64 bytes; a shorter key is padded with zeros (RFC 2104 section 2).
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mac = Hmac::<Sha256>::new(&block.into());
    block.zeroize();
    mac
}

fn end(mut mac: Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn secret(mut tag: [u8; 32]) -> Secret<32> {
    let derived = Secret::init_with(|bytes| bytes.copy_from_slice(&tag));
    tag.zeroize();
    derived
}

fn mac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    end(begin(key), message)
}

/// `PBKDF2-HMAC-SHA-256(password, salt, rounds)` as `N` public bytes. It is slow on purpose.
#[must_use]
pub fn stretch<const N: usize>(password: &Secret<32>, salt: &[u8], rounds: u32) -> [u8; N] {
    pbkdf2::pbkdf2_hmac_array::<Sha256, N>(password.expose(), salt, rounds)
}

/// `SHA-256(message)`.
#[must_use]
pub fn sha256(message: &[u8]) -> [u8; 32] {
    Sha256::digest(message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    #[test]
    fn rfc5869_case_1() {
        let okm = hkdf::<42>(&hex("000102030405060708090a0b0c"), &[0x0b; 22], &hex("f0f1f2f3f4f5f6f7f8f9"));
        assert_eq!(
            okm.expose().as_slice(),
            hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
        );
    }

    #[test]
    fn rfc4231_case_1_with_its_key_padded_to_32_bytes() {
        // RFC 4231's key has 20 bytes; zeros up to the block change nothing (RFC 2104 section 2).
        let key = Secret::init_with(|k| k[..20].fill(0x0b));
        assert_eq!(
            hmac(&key, b"Hi There").as_slice(),
            hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        );
        assert_eq!(hmac_key(&key, b"Hi There").expose(), &hmac(&key, b"Hi There"));
    }

    #[test]
    fn rfc7914_section_11_with_its_password_padded_to_32_bytes() {
        let password = Secret::init_with(|key| key[..6].copy_from_slice(b"passwd"));
        assert_eq!(
            stretch::<64>(&password, b"salt", 1).as_slice(),
            hex(concat!(
                "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc",
                "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
            ))
        );
    }

    #[test]
    fn fips180_abc() {
        assert_eq!(sha256(b"abc").as_slice(), hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    }
}
