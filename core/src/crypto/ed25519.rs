//! Ed25519 (RFC 8032), verified strictly: no low-order key, no non-canonical point, no malleable signature (A26).
//!
//! A context label stands before every signed message, so that a signature serves one purpose only (A21).

use super::kdf::join;
use crate::{context::Context, error::Code, secret::Secret};
use ed25519_dalek::{Signature as Inner, Signer, SigningKey as InnerKey, VerifyingKey as InnerPublic};
use std::sync::Arc;

/// Bytes of a signature.
pub const SIGNATURE: usize = 64;

/// A checked public key, 32 bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// Checks 32 bytes from outside.
    ///
    /// # Errors
    /// [`Code::BadKeyEncoding`] when they are no canonical point; [`Code::WeakPublicKey`] when it has low order.
    pub fn decode(bytes: [u8; 32]) -> Result<Self, Code> {
        let key = InnerPublic::from_bytes(&bytes).map_err(|_| Code::BadKeyEncoding)?;
        if key.to_edwards().compress().to_bytes() != bytes {
            return Err(Code::BadKeyEncoding);
        }
        if key.is_weak() {
            return Err(Code::WeakPublicKey);
        }
        Ok(Self(bytes))
    }

    /// Takes bytes that were checked before they were sealed in a record.
    pub(crate) fn from_checked(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the compressed point.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Checks a signature made for this `label`.
    ///
    /// # Errors
    /// [`Code::BadSignature`].
    pub fn verify(&self, label: &[u8], message: &[u8], signature: &[u8; SIGNATURE]) -> Result<(), Code> {
        InnerPublic::from_bytes(&self.0)
            .and_then(|key| key.verify_strict(&join(&[label, message]), &Inner::from_bytes(signature)))
            .map_err(|_| Code::BadSignature)
    }
}

/// A private key, wiped when its last holder is dropped; a clone shares the bytes. It is made of its seed alone, so no call can pair it with another's public key (A27).
#[derive(Clone, Debug)]
pub struct SigningKey(Arc<Secret<32>>);

impl SigningKey {
    /// Draws a fresh key.
    pub fn generate(context: &mut Context<'_>) -> Self {
        Self(Arc::new(Secret::init_with(|seed| context.rng.fill_bytes(seed))))
    }

    /// Takes a stored 32-byte seed.
    #[must_use]
    pub fn from_seed(seed: impl Into<Arc<Secret<32>>>) -> Self {
        Self(seed.into())
    }

    /// The seed, to be sealed in a record.
    #[must_use]
    pub fn seed(&self) -> &Arc<Secret<32>> {
        &self.0
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(InnerKey::from_bytes(self.0.expose()).verifying_key().to_bytes())
    }

    /// Signs `message` for the purpose that `label` names.
    #[must_use]
    pub fn sign(&self, label: &[u8], message: &[u8]) -> [u8; SIGNATURE] {
        InnerKey::from_bytes(self.0.expose()).sign(&join(&[label, message])).to_bytes()
    }
}
