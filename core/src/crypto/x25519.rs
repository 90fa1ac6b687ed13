//! X25519 (RFC 7748) with the two checks that the specifications leave open: a public key is canonical and not
//! of low order, and a shared secret is contributory (PQXDH 4, Double Ratchet 6).
//!
//! This module does not know which key of the protocol a key is.

use crate::{context::Context, error::Code, secret::Secret};
use curve25519_dalek::montgomery::MontgomeryPoint;
use std::sync::Arc;
use x25519_dalek::{PublicKey as Point, StaticSecret};

/// A public key that has been checked, 32 bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PublicKey([u8; 32]);

/// The field prime 2^255 - 19, little-endian.
const P: [u8; 32] = {
    let mut p = [0xff; 32];
    p[0] = 0xed;
    p[31] = 0x7f;
    p
};

impl PublicKey {
    /// Decodes and checks 32 bytes from outside.
    ///
    /// # Errors
    /// [`Code::BadKeyEncoding`] if `u >= p` or the top bit is set. [`Code::WeakPublicKey`] if the point has low
    /// order, has a part of low order, or lies on the twist.
    pub fn decode(bytes: [u8; 32]) -> Result<Self, Code> {
        if bytes.iter().rev().ge(P.iter().rev()) {
            return Err(Code::BadKeyEncoding);
        }
        // An honest key is a multiple of the base point: it lies on the curve, not on its twist, and has no
        // part of small order. A key with such a part would give the same shared secrets under other bytes
        // (A18).
        let point = MontgomeryPoint(bytes).to_edwards(0).ok_or(Code::WeakPublicKey)?;
        if point.is_small_order() || !point.is_torsion_free() {
            return Err(Code::WeakPublicKey);
        }
        Ok(Self(bytes))
    }

    /// Takes bytes that were checked before they were stored.
    pub(crate) fn from_checked(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the u coordinate, little-endian.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A private key. It is wiped when its last clone is dropped, because clones share the bytes.
#[derive(Clone, Debug)]
pub struct PrivateKey(Arc<Secret<32>>);

impl PrivateKey {
    /// Generates a key.
    pub fn generate(context: &mut Context<'_>) -> Self {
        Self(Arc::new(Secret::init_with(|bytes| context.rng.fill_bytes(bytes))))
    }

    /// Takes 32 stored bytes; every value is a private key (RFC 7748 section 5 clamps).
    #[must_use]
    pub fn from_secret(bytes: impl Into<Arc<Secret<32>>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, to be stored in a sealed record.
    #[must_use]
    pub fn secret(&self) -> &Arc<Secret<32>> {
        &self.0
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(*Point::from(&StaticSecret::from(*self.0.expose())).as_bytes())
    }

    /// `DH(self, theirs)`.
    ///
    /// # Errors
    /// [`Code::WeakPublicKey`] if the result is all zero (RFC 7748 section 6.1).
    pub fn diffie_hellman(&self, theirs: &PublicKey) -> Result<Secret<32>, Code> {
        let shared = StaticSecret::from(*self.0.expose()).diffie_hellman(&Point::from(theirs.0));
        if !shared.was_contributory() {
            return Err(Code::WeakPublicKey);
        }
        Ok(Secret::init_with(|bytes| bytes.copy_from_slice(shared.as_bytes())))
    }
}
