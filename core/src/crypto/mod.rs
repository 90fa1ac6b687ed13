//! The primitives, behind types that cannot be mixed up. The only place that names a cryptographic crate.
//!
//! It does not know the protocol: what is hashed or signed, and why, is decided above.

pub mod aead;
pub mod ed25519;
pub mod kdf;
pub mod labels;
pub mod mlkem;
pub mod x25519;
