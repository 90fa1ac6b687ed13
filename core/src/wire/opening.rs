//! The encoding of an opening: it opens a session of a group's scope inside a direct message (X 4).
//!
//! ```text
//! Opening: scope kind u8, scope id 32, generation u64, E_A 32, seed 32,
//!          nested: header opaque<58..512> (u16), commitment 32, body opaque<16..> (u24)
//! ```
//!
//! The nested message has no salt, locator, gate or padding of its own. It uses those of the envelope around
//! it.

use super::envelope::{MAX_HEADER, MIN_HEADER};
use crate::{crypto::aead::TAG, error::Code};
use tls_codec::{TlsByteVecU16, TlsByteVecU24, TlsDeserializeBytes, TlsSerialize, TlsSize};
use zeroize::Zeroize;

super::codec::quiet!(Opening);

/// An opening and its nested message.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Opening {
    /// The kind of the scope.
    pub kind: u8,
    /// GroupID.
    pub group: [u8; 32],
    /// The generation of the session (X 3), below 2^63.
    pub generation: u64,
    /// E_A: the opener's first ratchet key.
    pub ephemeral_key: [u8; 32],
    /// 32 random bytes, from which the shared secret is derived.
    pub seed: [u8; 32],
    /// The encrypted header of the nested message.
    pub header: TlsByteVecU16,
    /// The commitment to the key of the nested body.
    pub commitment: [u8; 32],
    /// The encrypted body of the nested message, not padded.
    pub body: TlsByteVecU24,
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

impl Opening {
    pub(super) fn check(&self) -> Result<(), Code> {
        if self.generation >> 63 != 0 {
            return Err(Code::NonCanonical);
        }
        if !(MIN_HEADER..=MAX_HEADER).contains(&self.header.as_slice().len()) || self.body.as_slice().len() < TAG {
            return Err(Code::Truncated);
        }
        Ok(())
    }
}
