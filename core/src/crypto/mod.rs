//! The cryptographic primitives, each kind of key a type of its own. Only this module names a cryptographic
//! crate.
//!
//! This module does not know the protocol. The modules above decide what is hashed or signed, and why.

pub mod aead;
pub mod ed25519;
pub mod kdf;
pub mod labels;
pub mod mlkem;
pub mod x25519;
