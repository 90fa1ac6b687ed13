//! One message under its key: a key, a nonce and a commitment from the message key, the salt and everything before it (X 2, S D3).
//!
//! > `HKDF(salt, message key, "body" ‖ AD_session ‖ every envelope byte through the encrypted header)`
//!
//! 76 bytes: AES-256-GCM key 32, nonce 12, commitment 32. The info, `join("sesame/1 body", AD_session, head)`, is GCM's AD as well.
//! A state that was rolled back draws another salt, so no (key, nonce) comes twice; and a ciphertext fits one key only.

use crate::{
    crypto::{aead, kdf, labels},
    error::Code,
    secret::Secret,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What a body is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// The envelope's salt.
    pub salt: &'a [u8; 16],
    /// AD_session.
    pub associated_data: &'a [u8; 32],
    /// Every envelope byte through the encrypted header.
    pub head: &'a [u8],
}

struct BodyKeys {
    key: Secret<32>,
    nonce: [u8; 12],
    commitment: [u8; 32],
    info: Vec<u8>,
}

fn derive(message_key: &Secret<32>, bound: Bound<'_>) -> BodyKeys {
    let info = kdf::join(&[labels::BODY, bound.associated_data, bound.head]);
    let keys = kdf::hkdf::<76>(bound.salt, message_key.expose(), &info);
    let mut rest = keys.expose().iter().skip(32);
    let mut take = |to: &mut [u8]| to.iter_mut().zip(&mut rest).for_each(|(to, from)| *to = *from);
    let (mut nonce, mut commitment) = ([0; 12], [0; 32]);
    take(&mut nonce);
    take(&mut commitment);
    BodyKeys { key: keys.part(0), nonce, commitment, info }
}

/// The commitment and the encrypted body. The same input gives the same bytes.
///
/// # Errors
/// [`Code::TooLarge`].
pub fn seal(message_key: &Secret<32>, bound: Bound<'_>, padded: &[u8]) -> Result<([u8; 32], Vec<u8>), Code> {
    let keys = derive(message_key, bound);
    Ok((keys.commitment, aead::seal(&keys.key, &keys.nonce, &keys.info, padded)?))
}

/// The padded body. The commitment is compared before GCM runs (A46).
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
