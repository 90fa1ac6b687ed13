//! The steps of a hand-over of the primary's part to another own device (X 7).
//!
//! ```text
//! Handover: id 16, step u8, 1 offer   secret 32     -- from the primary: both now show the digits
//!                           2 accept                -- to the primary: the user has confirmed on the other device
//!                           3 key     seed 32       -- from the primary, once the user has confirmed there too: the account key
//!                           4 done                  -- to the former primary: the list that rides along names the new one
//!                           5 cancel                -- from either, before the key has come
//! ```
//!
//! This module does not know who may say what.

use super::codec;
use crate::error::Code;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};
use zeroize::Zeroize;

codec::quiet!(Handover, Step);

/// A step, with the hand-over that it belongs to.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Handover {
    /// The hand-over, drawn by the primary.
    pub id: [u8; 16],
    /// The step.
    pub step: Step,
}

/// What a step says.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
pub enum Step {
    /// The primary offers its part.
    #[tls_codec(discriminant = 1)]
    Offer {
        /// What the digits are made of.
        secret: [u8; 32],
    },
    /// The user has compared the digits on the other device.
    #[tls_codec(discriminant = 2)]
    Accept,
    /// The account key.
    #[tls_codec(discriminant = 3)]
    Key {
        /// Its seed.
        seed: [u8; 32],
    },
    /// The list that names the new primary is signed.
    #[tls_codec(discriminant = 4)]
    Done,
    /// Nothing comes of it.
    #[tls_codec(discriminant = 5)]
    Cancel,
}

impl Drop for Step {
    fn drop(&mut self) {
        match self {
            Self::Offer { secret: bytes } | Self::Key { seed: bytes } => bytes.zeroize(),
            Self::Accept | Self::Done | Self::Cancel => {}
        }
    }
}

impl Handover {
    /// Decodes a step.
    ///
    /// # Errors
    /// The codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        codec::decode(bytes)
    }

    /// Encodes a step.
    ///
    /// # Errors
    /// [`Code::TooLarge`], which cannot happen.
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}
