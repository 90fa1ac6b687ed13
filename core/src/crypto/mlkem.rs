//! ML-KEM (FIPS 203): ML-KEM-1024, the post-quantum half of PQXDH, and ML-KEM-768 in [`kem768`], for a future
//! post-quantum ratchet.
//!
//! A private key is kept as its seed of 64 bytes (X 6) and expanded when it is used. The two parameter sets
//! differ in sizes only, so one macro writes both.

use crate::{
    context::Context,
    error::Code,
    secret::{Secret, Shared},
};

macro_rules! parameter_set {
    ($library:ident, $pair:ident, $public_key:literal, $ciphertext:literal) => {
        /// The size of a public (encapsulation) key in bytes.
        pub const PUBLIC_KEY: usize = $public_key;
        /// The size of a ciphertext in bytes.
        pub const CIPHERTEXT: usize = $ciphertext;

        /// A public key that has been checked.
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub struct PublicKey(Box<[u8; PUBLIC_KEY]>);

        impl PublicKey {
            /// Decodes and checks bytes from outside.
            ///
            /// # Errors
            /// [`Code::BadKeyEncoding`] if a coefficient is not reduced (FIPS 203 section 7.2, modulus check)
            /// or the length is wrong.
            pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
                let bytes: [u8; PUBLIC_KEY] = bytes.try_into().map_err(|_| Code::BadKeyEncoding)?;
                if !libcrux_ml_kem::$library::validate_public_key(&bytes.into()) {
                    return Err(Code::BadKeyEncoding);
                }
                Ok(Self(Box::new(bytes)))
            }

            /// The bytes of the encapsulation key.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY] {
                &self.0
            }

            /// `Encaps(self)`: a ciphertext for the owner of the key, and the shared secret in it.
            #[must_use]
            pub fn encapsulate(&self, context: &mut Context<'_>) -> (Box<[u8; CIPHERTEXT]>, Secret<32>) {
                let coins = Secret::<32>::init_with(|bytes| context.rng.fill_bytes(bytes));
                let (ciphertext, shared) = libcrux_ml_kem::$library::encapsulate(&(*self.0).into(), *coins.expose());
                (Box::new(*ciphertext.as_slice()), Secret::init_with(|bytes| *bytes = shared))
            }
        }

        /// A private key: its seed of 64 bytes. It is wiped when its last clone is dropped, because clones
        /// share the bytes.
        #[derive(Clone, Debug)]
        pub struct PrivateKey(Shared<64>);

        impl PrivateKey {
            /// Generates a key.
            pub fn generate(context: &mut Context<'_>) -> Self {
                Self(Shared::init_with(|seed| context.rng.fill_bytes(seed)))
            }

            /// Takes a stored seed (`d` then `z` of FIPS 203).
            #[must_use]
            pub fn from_seed(seed: impl Into<Shared<64>>) -> Self {
                Self(seed.into())
            }

            /// The seed, to be stored in a sealed record.
            #[must_use]
            pub fn seed(&self) -> &Shared<64> {
                &self.0
            }

            /// The public key.
            #[must_use]
            pub fn public_key(&self) -> PublicKey {
                PublicKey(Box::new(*self.pair().pk()))
            }

            /// `Decaps(self, ciphertext)`. A wrong ciphertext gives another secret, never an error (implicit
            /// rejection).
            #[must_use]
            pub fn decapsulate(&self, ciphertext: &[u8; CIPHERTEXT]) -> Secret<32> {
                self.open(ciphertext).1
            }

            /// The public key and `Decaps(self, ciphertext)`, from one expansion of the seed.
            #[must_use]
            pub fn open(&self, ciphertext: &[u8; CIPHERTEXT]) -> (PublicKey, Secret<32>) {
                let pair = self.pair();
                let shared = libcrux_ml_kem::$library::decapsulate(pair.private_key(), &(*ciphertext).into());
                (PublicKey(Box::new(*pair.pk())), Secret::init_with(|bytes| *bytes = shared))
            }

            fn pair(&self) -> libcrux_ml_kem::$library::$pair {
                libcrux_ml_kem::$library::generate_key_pair(*self.0.expose())
            }
        }
    };
}

parameter_set!(mlkem1024, MlKem1024KeyPair, 1_568, 1_568);

/// ML-KEM-768.
pub mod kem768 {
    use super::{Code, Context, Secret, Shared};

    parameter_set!(mlkem768, MlKem768KeyPair, 1_184, 1_088);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Timestamp;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn one_expansion_gives_what_two_give() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut context = Context { now: Timestamp(0), rng: &mut rng };
        let (ours, other) = (PrivateKey::generate(&mut context), PrivateKey::generate(&mut context));
        let (ciphertext, shared) = ours.public_key().encapsulate(&mut context);
        let (public_key, opened) = ours.open(&ciphertext);
        assert_eq!((public_key, opened.expose()), (ours.public_key(), shared.expose()));
        // A ciphertext for another key is no error, and gives another secret (implicit rejection).
        let (public_key, opened) = other.open(&ciphertext);
        assert_eq!((public_key, opened.expose()), (other.public_key(), other.decapsulate(&ciphertext).expose()));
        assert_ne!(opened.expose(), shared.expose());
    }
}
