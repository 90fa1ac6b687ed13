//! The Double Ratchet's header, before it is encrypted (Double Ratchet 3.1, 4.1).
//!
//! ```text
//! Header: ratchet key 32, pn u32, n u32, chunk opaque (u16; empty)
//! ```
//!
//! The chunk is the place of a post-quantum ratchet, which does not exist yet: anything but empty is refused.

use super::codec;
use crate::error::Code;
use tls_codec::{TlsByteVecU16, TlsDeserializeBytes, TlsSerialize, TlsSize};

/// `HEADER(dh, pn, n)`.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Header {
    /// The sender's current ratchet public key.
    pub dh: [u8; 32],
    /// How many messages the sender's previous chain has.
    pub pn: u32,
    /// The message's number in its chain, from 0.
    pub n: u32,
    /// Empty.
    pub chunk: TlsByteVecU16,
}

impl Header {
    /// The header of message `n`.
    #[must_use]
    pub fn new(dh: [u8; 32], pn: u32, n: u32) -> Self {
        Self { dh, pn, n, chunk: Vec::new().into() }
    }

    /// Checks the form of a decrypted header.
    ///
    /// # Errors
    /// [`Code::UnsupportedVersion`] when the chunk is not empty, or the codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        let header: Self = codec::decode(bytes)?;
        if header.chunk.as_slice().is_empty() { Ok(header) } else { Err(Code::UnsupportedVersion) }
    }

    /// The bytes to encrypt.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}
