//! One message under its message key (X 2). Key, nonce and commitment are derived from the message key, the
//! salt and every byte before the body.
//!
//! > `HKDF(salt, message key, "body" ‖ AD_session ‖ every envelope byte through the encrypted header)`
//!
//! The 76 bytes are the AES-256-GCM key (32), the nonce (12) and the commitment (32). The info is
//! `join("sesame/1 body", AD_session, head)`; GCM takes the same bytes as AD.
//!
//! A state that was rolled back draws another salt, so no pair of key and nonce comes twice. The commitment
//! makes a ciphertext fit one key only.

use crate::{
    crypto::{aead, kdf, labels},
    error::Code,
    secret::Secret,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The values that a body is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// The envelope's salt.
    pub salt: &'a [u8; 16],
    /// AD_session.
    pub associated_data: &'a [u8; 32],
    /// Every envelope byte through the encrypted header.
    pub head: &'a [u8],
}

/// What one message key makes for one body.
pub struct BodyKeys {
    key: Secret<32>,
    nonce: [u8; 12],
    /// Makes the ciphertext fit one key only.
    pub commitment: [u8; 32],
    info: Vec<u8>,
}

impl BodyKeys {
    /// Encrypts the padded body that `to` holds from `begin` on, where it lies.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn seal_from(self, to: &mut Vec<u8>, begin: usize) -> Result<(), Code> {
        aead::seal_from(to, begin, &self.key, &self.nonce, &self.info)
    }
}

/// Derives key, nonce and commitment of a body.
#[must_use]
pub fn derive(message_key: &Secret<32>, bound: Bound<'_>) -> BodyKeys {
    let info = kdf::join(&[labels::BODY, bound.associated_data, bound.head]);
    let keys = kdf::hkdf::<76>(bound.salt, message_key.expose(), &info);
    let mut rest = keys.expose().iter().skip(32);
    let mut take = |to: &mut [u8]| to.iter_mut().zip(&mut rest).for_each(|(to, from)| *to = *from);
    let (mut nonce, mut commitment) = ([0; 12], [0; 32]);
    take(&mut nonce);
    take(&mut commitment);
    BodyKeys { key: keys.part(0), nonce, commitment, info }
}

/// Encrypts a padded body. Returns the commitment and the ciphertext. The same input gives the same bytes.
///
/// # Errors
/// [`Code::TooLarge`].
pub fn seal(message_key: &Secret<32>, bound: Bound<'_>, padded: &[u8]) -> Result<([u8; 32], Vec<u8>), Code> {
    let keys = derive(message_key, bound);
    Ok((keys.commitment, aead::seal(&keys.key, &keys.nonce, &keys.info, padded)?))
}

/// Decrypts a body. The commitment is compared before GCM runs (A46).
///
/// # Errors
/// [`Code::AuthenticationFailed`].
pub fn open(
    message_key: &Secret<32>,
    bound: Bound<'_>,
    commitment: &[u8; 32],
    body: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Code> {
    let keys = derive(message_key, bound);
    if !bool::from(keys.commitment.ct_eq(commitment)) {
        return Err(Code::AuthenticationFailed);
    }
    aead::open(&keys.key, &keys.nonce, &keys.info, body)
}
