//! ML-KEM-1024 (FIPS 203), the post-quantum half of PQXDH.
//!
//! A private key is kept as its 64-byte seed (X 6) and expanded at use.

use crate::{context::Context, error::Code, secret::Secret};
use libcrux_ml_kem::mlkem1024 as kem;
use std::sync::Arc;

/// Bytes of a public (encapsulation) key.
pub const PUBLIC_KEY: usize = 1_568;
/// Bytes of a ciphertext.
pub const CIPHERTEXT: usize = 1_568;

/// A checked public key, 1,568 bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicKey(Box<[u8; PUBLIC_KEY]>);

impl PublicKey {
    /// Checks bytes from outside.
    ///
    /// # Errors
    /// [`Code::BadKeyEncoding`] when a coefficient is not reduced (FIPS 203 section 7.2, modulus check) or the length differs.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        let bytes: [u8; PUBLIC_KEY] = bytes.try_into().map_err(|_| Code::BadKeyEncoding)?;
        if !kem::validate_public_key(&bytes.into()) {
            return Err(Code::BadKeyEncoding);
        }
        Ok(Self(Box::new(bytes)))
    }

    /// The bytes of the encapsulation key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY] {
        &self.0
    }

    /// `Encaps(self)`: a ciphertext for the owner and the secret that it carries.
    #[must_use]
    pub fn encapsulate(&self, context: &mut Context<'_>) -> (Box<[u8; CIPHERTEXT]>, Secret<32>) {
        let coins = Secret::<32>::init_with(|bytes| context.rng.fill_bytes(bytes));
        let (ciphertext, shared) = kem::encapsulate(&(*self.0).into(), *coins.expose());
        (Box::new(*ciphertext.as_slice()), Secret::init_with(|bytes| *bytes = shared))
    }
}

/// A private key: its 64-byte seed, wiped when its last holder is dropped; a clone shares the bytes.
#[derive(Clone, Debug)]
pub struct PrivateKey(Arc<Secret<64>>);

impl PrivateKey {
    /// Draws a fresh key.
    pub fn generate(context: &mut Context<'_>) -> Self {
        Self(Arc::new(Secret::init_with(|seed| context.rng.fill_bytes(seed))))
    }

    /// Takes a stored seed (`d` then `z` of FIPS 203).
    #[must_use]
    pub fn from_seed(seed: impl Into<Arc<Secret<64>>>) -> Self {
        Self(seed.into())
    }

    /// The seed, to be sealed in a record.
    #[must_use]
    pub fn seed(&self) -> &Arc<Secret<64>> {
        &self.0
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(Box::new(*kem::generate_key_pair(*self.0.expose()).pk()))
    }

    /// `Decaps(self, ciphertext)`; a wrong ciphertext gives another secret, never an error (implicit rejection).
    #[must_use]
    pub fn decapsulate(&self, ciphertext: &[u8; CIPHERTEXT]) -> Secret<32> {
        let pair = kem::generate_key_pair(*self.0.expose());
        let shared = kem::decapsulate(pair.private_key(), &(*ciphertext).into());
        Secret::init_with(|bytes| *bytes = shared)
    }
}
