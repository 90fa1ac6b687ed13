//! AES-256-GCM (NIST SP 800-38D) with a full 16-byte tag.
//!
//! This module does not choose keys or nonces. The caller must use each pair of key and nonce once.

use crate::{error::Code, secret::Secret};
use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, AeadInOut, Payload},
};
use zeroize::{Zeroize, Zeroizing};

/// The bytes that sealing adds.
pub const TAG: usize = 16;

/// Encrypts `plaintext` and authenticates it together with `ad`. The result is longer than the plaintext by
/// [`TAG`].
///
/// # Errors
/// [`Code::TooLarge`] if the plaintext exceeds GCM's 64 GiB.
pub fn seal(key: &Secret<32>, nonce: &[u8; 12], ad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Code> {
    let mut sealed = Vec::new();
    seal_onto(&mut sealed, key, nonce, ad, plaintext)?;
    Ok(sealed)
}

/// The same, put behind what `to` already holds, so that nothing is copied twice.
///
/// # Errors
/// As [`seal`].
pub fn seal_onto(
    to: &mut Vec<u8>,
    key: &Secret<32>,
    nonce: &[u8; 12],
    ad: &[u8],
    plaintext: &[u8],
) -> Result<(), Code> {
    let begin = to.len();
    to.reserve_exact(plaintext.len().saturating_add(TAG));
    to.extend_from_slice(plaintext);
    seal_from(to, begin, key, nonce, ad)
}

/// The same for a plaintext that `to` holds already, from `begin` on: it is encrypted where it lies.
///
/// # Errors
/// As [`seal`]; the plaintext is wiped then.
pub fn seal_from(to: &mut Vec<u8>, begin: usize, key: &Secret<32>, nonce: &[u8; 12], ad: &[u8]) -> Result<(), Code> {
    let sealed = to.get_mut(begin..).ok_or(Code::Internal)?;
    let tag = Aes256Gcm::new(key.expose().into()).encrypt_inout_detached(nonce.into(), ad, (&mut *sealed).into());
    let Ok(tag) = tag else {
        sealed.zeroize();
        return Err(Code::TooLarge);
    };
    to.extend_from_slice(&tag);
    Ok(())
}

/// Decrypts what [`seal`] made. If authentication fails, no plaintext is returned (A45).
///
/// # Errors
/// [`Code::AuthenticationFailed`].
pub fn open(key: &Secret<32>, nonce: &[u8; 12], ad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Code> {
    Aes256Gcm::new(key.expose().into())
        .decrypt(nonce.into(), Payload { msg: sealed, aad: ad })
        .map(Zeroizing::new)
        .map_err(|_| Code::AuthenticationFailed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Secret<32> {
        Secret::init_with(|k| k.fill(3))
    }

    #[test]
    fn every_flipped_bit_and_every_short_tag_is_refused() {
        let sealed = seal(&key(), &[1; 12], b"ad", b"hello").unwrap();
        assert_eq!(open(&key(), &[1; 12], b"ad", &sealed).unwrap().as_slice(), b"hello");
        for bit in 0..sealed.len() * 8 {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&key(), &[1; 12], b"ad", &bad).unwrap_err(), Code::AuthenticationFailed);
        }
        for length in 0..sealed.len() {
            assert!(open(&key(), &[1; 12], b"ad", &sealed[..length]).is_err());
        }
        assert!(open(&key(), &[1; 12], b"AD", &sealed).is_err());
    }
}
