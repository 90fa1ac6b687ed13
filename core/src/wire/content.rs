//! What is inside a message once it is open (X 4, X 5, X 7, X 11).
//!
//! ```text
//! Content = Prelude ‖ Body
//! ListClaim: epoch u64, hash 16            -- epoch 0 and a zero hash: no list known
//! Prelude:   version u8 = 1
//!            my list ListClaim             -- the sender's own device list
//!            your list ListClaim           -- the recipient's, as the sender knows it
//!            list opaque (u16)             -- the sender's SignedDeviceList, until the recipient claims its epoch; else empty
//!            sequence u64                  -- counts what this device sent to that one in this scope, from 1
//! Stamp:     content id 16, sent_at u64 (ms)
//! Body: kind u8, 1 message     Stamp, payload opaque (u32)
//!                2 transcript  Stamp, recipients<1..> (u24 length in bytes) of SentTo, payload opaque (u32)
//!                3 opening     Opening (see `opening`)
//!                4 group       Stamp, GroupClaim, payload opaque (u32)
//!                5 operations  Stamp, GroupClaim, bundle opaque (u32): a Bundle (see `group`)
//! SentTo:     user opaque<1..64> (u8), account key optional<32>, verified u8 (0 or 1)
//! GroupClaim: count u16, digest 16        -- which of the group's operations the sender has
//! ```
//!
//! 1 to 3 ride on direct sessions, 4 and 5 on a group's. The prelude differs from device to device; 1, 2, 4 and 5 are the same for all
//! devices of one user. It does not know who may say what.

use super::{codec, opening::Opening};
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

/// What names a message, in every copy and resend.
#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Stamp {
    /// The app's or a fresh one.
    pub content_id: [u8; 16],
    /// The sender's clock, in ms.
    pub sent_at: u64,
}

/// Which of a group's operations a device has.
#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct GroupClaim {
    /// How many.
    pub count: u16,
    /// Their digest.
    pub digest: [u8; 16],
}

/// What a message is.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
pub enum Body {
    /// The app's payload, for the recipient.
    #[tls_codec(discriminant = 1)]
    Message {
        /// Its name.
        stamp: Stamp,
        /// Opaque.
        payload: TlsByteVecU32,
    },
    /// What an own device sent to others (D8).
    #[tls_codec(discriminant = 2)]
    Transcript {
        /// Its name.
        stamp: Stamp,
        /// All users that it went to.
        recipients: TlsVecU24<SentTo>,
        /// Opaque.
        payload: TlsByteVecU32,
    },
    /// A group's content that opens its session.
    #[tls_codec(discriminant = 3)]
    Opening(Opening),
    /// The app's payload, for a group; from an own device it is a transcript.
    #[tls_codec(discriminant = 4)]
    Group {
        /// Its name.
        stamp: Stamp,
        /// What the sender knew of the group.
        claim: GroupClaim,
        /// Opaque.
        payload: TlsByteVecU32,
    },
    /// A group's operations; none at all asks for what is missing.
    #[tls_codec(discriminant = 5)]
    Operations {
        /// Its name.
        stamp: Stamp,
        /// What the sender knew of the group.
        claim: GroupClaim,
        /// A [`super::group::Bundle`].
        bundle: TlsByteVecU32,
    },
}

// By hand: a derived Debug would print the payload.
impl core::fmt::Debug for Body {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (name, length) = match self {
            Self::Message { payload, .. } => ("Message", payload.as_slice().len()),
            Self::Transcript { payload, .. } => ("Transcript", payload.as_slice().len()),
            Self::Opening(opening) => ("Opening", opening.body.as_slice().len()),
            Self::Group { payload, .. } => ("Group", payload.as_slice().len()),
            Self::Operations { bundle, .. } => ("Operations", bundle.as_slice().len()),
        };
        write!(f, "{name}({length} bytes)")
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

impl Body {
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
pub fn decode(bytes: &[u8]) -> Result<(Prelude, Body), Code> {
    match bytes {
        [1, ..] | [] => {}
        _ => return Err(Code::UnsupportedVersion),
    }
    let (prelude, rest) = Prelude::tls_deserialize_bytes(bytes).map_err(|_| Code::Truncated)?;
    let body: Body = codec::decode(rest)?;
    for claim in [&prelude.my_list, &prelude.your_list] {
        if claim.epoch >> 63 != 0 || (claim.epoch == 0 && claim.hash != [0; 16]) {
            return Err(Code::NonCanonical);
        }
    }
    if prelude.my_list.epoch == 0 || prelude.sequence == 0 {
        return Err(Code::NonCanonical);
    }
    match &body {
        Body::Transcript { recipients, .. } => {
            let sizes = 1..=MAX_USER_ID;
            if recipients.as_slice().is_empty()
                || recipients.iter().any(|to| to.verified > 1 || !sizes.contains(&to.user.as_slice().len()))
            {
                return Err(Code::NonCanonical);
            }
        }
        Body::Opening(opening) => opening.check()?,
        Body::Message { .. } | Body::Group { .. } | Body::Operations { .. } => {}
    }
    Ok((prelude, body))
}
