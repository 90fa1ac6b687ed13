//! X25519 (RFC 7748) with the two checks that the specifications leave open: a public key is canonical and not
//! of low order, and a shared secret is contributory (PQXDH 4, Double Ratchet 6).
//!
//! This module does not know which key of the protocol a key is.

use crate::{
    context::Context,
    error::Code,
    secret::{Secret, Shared},
};
use curve25519_dalek::{edwards::EdwardsPoint, montgomery::MontgomeryPoint, scalar::Scalar};
use subtle::ConstantTimeEq;
use x25519_dalek::{PublicKey as Point, StaticSecret};
use zeroize::Zeroizing;

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
    /// As [`PublicPoint::decode`].
    pub fn decode(bytes: [u8; 32]) -> Result<Self, Code> {
        Ok(PublicPoint::decode(bytes)?.key)
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

/// A checked public key with its point on the twisted Edwards form, which costs a square root to find. The check of a key finds the point as
/// well, and each DH with the key needs it. It is six times as large as the key, so that it is never stored.
#[derive(Clone, Copy, Debug)]
pub struct PublicPoint {
    key: PublicKey,
    point: EdwardsPoint,
}

impl PublicPoint {
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
        let decoded = Self::of(&PublicKey(bytes))?;
        if decoded.point.is_small_order() || !is_in_prime_order_subgroup(&decoded.point) {
            return Err(Code::WeakPublicKey);
        }
        Ok(decoded)
    }

    /// The point of a key that was checked before.
    ///
    /// # Errors
    /// [`Code::WeakPublicKey`] if the key lies on the twist, which no checked key does.
    pub fn of(key: &PublicKey) -> Result<Self, Code> {
        let point = MontgomeryPoint(key.0).to_edwards(0).ok_or(Code::WeakPublicKey)?;
        Ok(Self { key: *key, point })
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }
}

/// Whether the order l of the base point takes a point to zero: (l - 1) * point = -point. The point is public, so that the time that this
/// takes may depend on it.
fn is_in_prime_order_subgroup(point: &EdwardsPoint) -> bool {
    EdwardsPoint::vartime_double_scalar_mul_basepoint(&-Scalar::ONE, point, &Scalar::ZERO) == -point
}

/// A private key. It is wiped when its last clone is dropped, because clones share the bytes.
#[derive(Clone, Debug)]
pub struct PrivateKey(Shared<32>);

impl PrivateKey {
    /// Generates a key.
    pub fn generate(context: &mut Context<'_>) -> Self {
        Self(Shared::init_with(|bytes| context.rng.fill_bytes(bytes)))
    }

    /// Takes 32 stored bytes; every value is a private key (RFC 7748 section 5 clamps).
    #[must_use]
    pub fn from_secret(bytes: impl Into<Shared<32>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, to be stored in a sealed record.
    #[must_use]
    pub fn secret(&self) -> &Shared<32> {
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
    /// As [`PrivateKey::diffie_hellman_at`].
    pub fn diffie_hellman(&self, theirs: &PublicKey) -> Result<Secret<32>, Code> {
        self.diffie_hellman_at(&PublicPoint::of(theirs)?)
    }

    /// `DH(self, theirs)` with a key whose point is known already.
    ///
    /// X25519 is multiplication on the curve, which has two forms. It is done on the twisted Edwards form, where the library is faster on
    /// processors with vectors, and as constant in time (ADR 33). The sign of the point that is chosen does not matter: the result is the
    /// u coordinate.
    ///
    /// # Errors
    /// [`Code::WeakPublicKey`] if the result is all zero (RFC 7748 section 6.1).
    pub fn diffie_hellman_at(&self, theirs: &PublicPoint) -> Result<Secret<32>, Code> {
        let product = Zeroizing::new(theirs.point.mul_clamped(*self.0.expose()));
        let shared = Zeroizing::new(product.to_montgomery());
        if bool::from(shared.as_bytes().ct_eq(&[0; 32])) {
            return Err(Code::WeakPublicKey);
        }
        Ok(Secret::init_with(|bytes| bytes.copy_from_slice(shared.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Timestamp;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn an_agreement_is_what_x25519_gives() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut context = Context { now: Timestamp(0), rng: &mut rng };
        for _ in 0..200 {
            let (ours, theirs) = (PrivateKey::generate(&mut context), PrivateKey::generate(&mut context).public_key());
            let agreed = ours.diffie_hellman(&theirs).unwrap();
            let by_ladder = StaticSecret::from(*ours.0.expose()).diffie_hellman(&Point::from(theirs.0));
            assert_eq!(agreed.expose(), by_ladder.as_bytes());
            let checked = PublicPoint::decode(theirs.0).unwrap();
            assert_eq!(checked.key(), &theirs);
            assert_eq!(ours.diffie_hellman_at(&checked).unwrap().expose(), by_ladder.as_bytes());
        }
    }

    #[test]
    fn a_point_with_a_part_of_small_order_is_told_from_one_without() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut context = Context { now: Timestamp(0), rng: &mut rng };
        for _ in 0..20 {
            let honest = PrivateKey::generate(&mut context).public_key();
            let point = MontgomeryPoint(honest.0).to_edwards(0).unwrap();
            for (at, small) in curve25519_dalek::constants::EIGHT_TORSION.iter().enumerate() {
                let sum = point + small;
                assert_eq!(is_in_prime_order_subgroup(&sum), sum.is_torsion_free());
                assert_eq!(PublicKey::decode(sum.to_montgomery().0).is_ok(), at == 0, "{at}");
            }
        }
    }
}
