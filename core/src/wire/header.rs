//! The Double Ratchet's header, before it is encrypted (Double Ratchet 3.1, 4.1).
//!
//! ```text
//! Header: ratchet key 32, pn u32, n u32, chunk opaque (u16; empty)
//! ```
//!
//! The chunk is reserved for a post-quantum ratchet. A header whose chunk is not empty is refused.

use super::codec;
use crate::error::Code;
use tls_codec::{TlsByteVecU16, TlsDeserializeBytes, TlsSerialize, TlsSize};

codec::quiet!(Header);

/// `HEADER(dh, pn, n)`.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Header {
    /// The sender's current ratchet public key.
    pub dh: [u8; 32],
    /// The number of messages in the sender's previous chain.
    pub pn: u32,
    /// The number of the message in its chain, from 0.
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

    /// Decodes a decrypted header and checks its form.
    ///
    /// # Errors
    /// [`Code::UnsupportedVersion`] if the chunk is not empty. The codec's errors.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        let header: Self = codec::decode(bytes)?;
        if header.chunk.as_slice().is_empty() { Ok(header) } else { Err(Code::UnsupportedVersion) }
    }

    /// Encodes the header.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}
