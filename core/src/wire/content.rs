//! What is inside a message once it is open (X 5, X 7).
//!
//! ```text
//! Content = Prelude ‖ Tail
//! ListClaim: epoch u64, hash 16            -- epoch 0 and a zero hash: no list known
//! Prelude:   version u8 = 1
//!            my list ListClaim             -- the sender's own device list
//!            your list ListClaim           -- the recipient's, as the sender knows it
//!            list opaque (u16)             -- the sender's SignedDeviceList, until the recipient claims its epoch; else empty
//!            sequence u64                  -- counts what this device sent to that one, from 1
//! Tail:      content id 16, sent_at u64 (ms)
//!            body: kind u8, 1 message     payload opaque (u32)
//!                           2 transcript  recipients<1..> (u24 length in bytes) of SentTo, payload opaque (u32)
//! SentTo:    user opaque<1..64> (u8), account key optional<32>, verified u8 (0 or 1)
//! ```
//!
//! The prelude differs from device to device, the tail is the same for all devices of one user. It does not know who may say what.

use super::codec;
use crate::{error::Code, limits::MAX_USER_ID};
use tls_codec::{
    DeserializeBytes, TlsByteVecU8, TlsByteVecU16, TlsByteVecU32, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU24,
};

/// Which device list a sender believes to be the newest.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ListClaim {
    /// Its epoch; 0 when none is known.
    pub epoch: u64,
    /// The first half of its hash.
    pub hash: [u8; 16],
}

/// What is for one device only.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Prelude {
    /// Always 1.
    pub version: u8,
    /// The sender's own list.
    pub my_list: ListClaim,
    /// The recipient's list.
    pub your_list: ListClaim,
    /// The sender's signed list, or empty.
    pub list: TlsByteVecU16,
    /// Counts messages from this device to that one.
    pub sequence: u64,
}

/// A recipient in a transcript, with the pin that the sending device has for them (X 5).
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct SentTo {
    /// Who.
    pub user: TlsByteVecU8,
    /// The pinned account key; absent at first contact.
    pub account_key: Option<[u8; 32]>,
    /// Whether the user compared safety numbers; 0 or 1.
    pub verified: u8,
}

/// What a message is.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
pub enum Body {
    /// The app's payload, for the recipient.
    #[tls_codec(discriminant = 1)]
    Message {
        /// Opaque.
        payload: TlsByteVecU32,
    },
    /// What an own device sent to others (D8).
    #[tls_codec(discriminant = 2)]
    Transcript {
        /// All users that it went to.
        recipients: TlsVecU24<SentTo>,
        /// Opaque.
        payload: TlsByteVecU32,
    },
}

/// What is the same for all devices of one user.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Tail {
    /// The app's or a fresh one; the same in every copy and resend.
    pub content_id: [u8; 16],
    /// The sender's clock, in ms.
    pub sent_at: u64,
    /// What it is.
    pub body: Body,
}

// By hand: a derived Debug would print the payload.
impl core::fmt::Debug for Tail {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Tail({} bytes of payload)", self.body.payload().len())
    }
}

impl Body {
    /// The app's bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        match self {
            Self::Message { payload } | Self::Transcript { payload, .. } => payload.as_slice(),
        }
    }
}

impl Prelude {
    /// The first part of a content.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

impl Tail {
    /// The second part of a content.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

/// Both parts of an opened content.
///
/// # Errors
/// [`Code::UnsupportedVersion`], [`Code::NonCanonical`] (an empty or oversized user id, no recipient, a claim without epoch) or the codec's.
pub fn decode(bytes: &[u8]) -> Result<(Prelude, Tail), Code> {
    match bytes {
        [1, ..] | [] => {}
        _ => return Err(Code::UnsupportedVersion),
    }
    let (prelude, rest) = Prelude::tls_deserialize_bytes(bytes).map_err(|_| Code::Truncated)?;
    let tail: Tail = codec::decode(rest)?;
    for claim in [&prelude.my_list, &prelude.your_list] {
        if claim.epoch >> 63 != 0 || (claim.epoch == 0 && claim.hash != [0; 16]) {
            return Err(Code::NonCanonical);
        }
    }
    if prelude.my_list.epoch == 0 || prelude.sequence == 0 {
        return Err(Code::NonCanonical);
    }
    if let Body::Transcript { recipients, .. } = &tail.body {
        let sizes = 1..=MAX_USER_ID;
        if recipients.as_slice().is_empty()
            || recipients.iter().any(|to| to.verified > 1 || !sizes.contains(&to.user.as_slice().len()))
        {
            return Err(Code::NonCanonical);
        }
    }
    Ok((prelude, tail))
}
