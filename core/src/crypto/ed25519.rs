//! Ed25519 (RFC 8032) with strict verification: low-order keys, non-canonical points and malleable signatures
//! are refused (A26).
//!
//! A context label stands before every signed message, so that a signature serves one purpose only (A21).

use super::kdf::join;
use crate::{context::Context, error::Code, secret::Shared};
use ed25519_dalek::{Signature as Inner, Signer, SigningKey as InnerKey, VerifyingKey as InnerPublic};

/// The size of a signature in bytes.
pub const SIGNATURE: usize = 64;

/// A public key that has been checked, 32 bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// Decodes and checks 32 bytes from outside.
    ///
    /// # Errors
    /// As [`Verifier::decode`].
    pub fn decode(bytes: [u8; 32]) -> Result<Self, Code> {
        Ok(Verifier::decode(bytes)?.key())
    }

    /// Takes bytes that were checked before they were stored.
    pub(crate) fn from_checked(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the compressed point.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Verifies a signature that was made for this `label`.
    ///
    /// # Errors
    /// [`Code::BadSignature`].
    pub fn verify(&self, label: &[u8], message: &[u8], signature: &[u8; SIGNATURE]) -> Result<(), Code> {
        Verifier::of(self)?.verify(label, message, signature)
    }
}

/// A checked public key with its decompressed point, for a key that verifies more than once or was just decoded. It is never stored.
#[derive(Clone, Copy, Debug)]
pub struct Verifier(InnerPublic);

impl Verifier {
    /// Decodes and checks 32 bytes from outside.
    ///
    /// # Errors
    /// [`Code::BadKeyEncoding`] if the bytes are no canonical point. [`Code::WeakPublicKey`] if the point has
    /// low order.
    pub fn decode(bytes: [u8; 32]) -> Result<Self, Code> {
        let key = InnerPublic::from_bytes(&bytes).map_err(|_| Code::BadKeyEncoding)?;
        if key.to_edwards().compress().to_bytes() != bytes {
            return Err(Code::BadKeyEncoding);
        }
        if key.is_weak() {
            return Err(Code::WeakPublicKey);
        }
        Ok(Self(key))
    }

    /// The point of a key that was checked before.
    ///
    /// # Errors
    /// [`Code::BadSignature`] if the bytes are no point, which no checked key is: nothing verifies under them.
    pub fn of(key: &VerifyingKey) -> Result<Self, Code> {
        InnerPublic::from_bytes(&key.0).map(Self).map_err(|_| Code::BadSignature)
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> VerifyingKey {
        VerifyingKey(self.0.to_bytes())
    }

    /// Verifies a signature that was made for this `label`.
    ///
    /// # Errors
    /// [`Code::BadSignature`].
    pub fn verify(&self, label: &[u8], message: &[u8], signature: &[u8; SIGNATURE]) -> Result<(), Code> {
        let signature = Inner::from_bytes(signature);
        self.0.verify_strict(&join(&[label, message]), &signature).map_err(|_| Code::BadSignature)
    }
}

/// A private key. It is wiped when its last clone is dropped, because clones share the bytes. It consists of
/// its seed alone, so it cannot be paired with the public key of another (A27).
#[derive(Clone, Debug)]
pub struct SigningKey(Shared<32>);

impl SigningKey {
    /// Generates a key.
    pub fn generate(context: &mut Context<'_>) -> Self {
        Self(Shared::init_with(|seed| context.rng.fill_bytes(seed)))
    }

    /// Takes a stored seed of 32 bytes.
    #[must_use]
    pub fn from_seed(seed: impl Into<Shared<32>>) -> Self {
        Self(seed.into())
    }

    /// The seed, to be stored in a sealed record.
    #[must_use]
    pub fn seed(&self) -> &Shared<32> {
        &self.0
    }

    /// The public key.
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
