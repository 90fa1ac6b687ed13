//! The content of a message: the plaintext of an envelope's body (X 4, X 5, X 7, X 11).
//!
//! ```text
//! Content = Prelude ‖ Body
//! ListClaim: epoch u64, hash 16            -- epoch 0 and a zero hash: no list known
//! Prelude:   version u8 = 1
//!            my list ListClaim             -- the sender's own device list
//!            your list ListClaim           -- the recipient's, as the sender knows it
//!            list opaque (u16)             -- the sender's ShownList, until the recipient claims its epoch; else empty
//!            sequence u64                  -- counts what this device sent to that one in this scope, from 1
//! Stamp:     content id 16, sent_at u64 (ms)
//! Body: kind u8, 1 message     Stamp, payload opaque (u32)
//!                2 transcript  Stamp, recipients<1..> (u24 length in bytes) of SentTo, payload opaque (u32)
//!                3 opening     Opening (see `opening`)
//!                4 group       Stamp, GroupClaim, payload opaque (u32)
//!                5 operations  Stamp, GroupClaim, bundle opaque (u32): a Bundle (see `group`)
//!                6 departure   Stamp                        -- this device asks its primary to remove it
//!                7 hand-over   Stamp, Handover (see `handover`)
//!                8 retry       Retry (see `retry`)
//! Marks, between prelude and body: u8 = 9 in the messages of an initiating session that takes the place of all others (X 8)
//!                                  u8 = 10, salt 16 in what is sent again: the envelope in which it was sent first
//! SentTo:     user opaque<1..64> (u8), account key optional<32>, verified u8 (0 or 1)
//! GroupClaim: count u16, digest 16        -- which of the group's operations the sender has
//! ```
//!
//! Kinds 1 to 3 and 6 to 8 belong to direct sessions, kinds 4 and 5 to sessions of a group. The prelude differs for each
//! device; the bodies 1, 2, 4 and 5 are the same for all devices of a user. This module does not know who may
//! send what.

use super::{codec, handover::Handover, opening::Opening, retry::Retry};
use crate::{error::Code, limits::MAX_USER_ID};
use tls_codec::{
    DeserializeBytes, TlsByteVecU8, TlsByteVecU16, TlsByteVecU32, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU24,
};
use zeroize::Zeroize;

codec::quiet!(ListClaim, Prelude, SentTo, Stamp, GroupClaim);

/// The device list that a sender believes to be the newest.
#[derive(Clone, Copy, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ListClaim {
    /// The epoch of the list; 0 if none is known.
    pub epoch: u64,
    /// The first half of the hash of the list.
    pub hash: [u8; 16],
}

/// The part of a content that is made for one device.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Prelude {
    /// Always 1.
    pub version: u8,
    /// The sender's own device list.
    pub my_list: ListClaim,
    /// The recipient's device list, as the sender knows it.
    pub your_list: ListClaim,
    /// The sender's device list with at most 17 links, or empty.
    pub list: TlsByteVecU16,
    /// Counts the messages from this device to that device in this scope, from 1.
    pub sequence: u64,
}

/// A recipient in a transcript, with the pin that the sending device has for that user (X 5).
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct SentTo {
    /// The user id.
    pub user: TlsByteVecU8,
    /// The pinned account key; absent at first contact.
    pub account_key: Option<[u8; 32]>,
    /// 1 if the user has compared safety numbers, else 0.
    pub verified: u8,
}

/// The id and the time of a message. Every copy and every resend of the message has the same stamp.
#[derive(Clone, Copy, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Stamp {
    /// The id of the message, chosen by the app or drawn at random.
    pub content_id: [u8; 16],
    /// When the message was sent, by the sender's clock, in ms since 1970.
    pub sent_at: u64,
}

/// The operations of a group that a device has.
#[derive(Clone, Copy, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct GroupClaim {
    /// The number of operations.
    pub count: u16,
    /// The digest of all their ids.
    pub digest: [u8; 16],
}

/// The app's bytes, or operations: wiped when they are dropped.
#[derive(Clone, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Payload(TlsByteVecU32);

impl Payload {
    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The bytes, to be wiped by whoever takes them.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<u8> {
        core::mem::take(&mut self.0).into_vec()
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        core::mem::take(&mut self.0).into_vec().zeroize();
    }
}

codec::quiet!(Payload);

/// The body of a content.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
pub enum Body {
    /// The app's payload for the recipient.
    #[tls_codec(discriminant = 1)]
    Message {
        /// The id and the time of the message.
        stamp: Stamp,
        /// The app's bytes.
        payload: Payload,
    },
    /// A copy of what an own device sent to others (D8).
    #[tls_codec(discriminant = 2)]
    Transcript {
        /// The id and the time of the message.
        stamp: Stamp,
        /// All users that the message was sent to.
        recipients: TlsVecU24<SentTo>,
        /// The app's bytes.
        payload: Payload,
    },
    /// The opening of a group session, with a nested message.
    #[tls_codec(discriminant = 3)]
    Opening(Opening),
    /// The app's payload for a group. If it comes from an own device, it is a transcript.
    #[tls_codec(discriminant = 4)]
    Group {
        /// The id and the time of the message.
        stamp: Stamp,
        /// The operations of the group that the sender had.
        claim: GroupClaim,
        /// The app's bytes.
        payload: Payload,
    },
    /// Operations of a group. A body without any operation asks for the missing ones.
    #[tls_codec(discriminant = 5)]
    Operations {
        /// The id and the time of the message.
        stamp: Stamp,
        /// The operations of the group that the sender had.
        claim: GroupClaim,
        /// An encoded [`super::group::Bundle`].
        bundle: Payload,
    },
    /// The sender, an own device, asks its primary to remove it (X 5).
    #[tls_codec(discriminant = 6)]
    Departure {
        /// The id and the time of the message.
        stamp: Stamp,
    },
    /// A step of a hand-over of the primary's part between own devices (X 7).
    #[tls_codec(discriminant = 7)]
    Handover {
        /// The id and the time of the message.
        stamp: Stamp,
        /// The step.
        handover: Handover,
    },
    /// The sender asks for what it could not open (X 8).
    #[tls_codec(discriminant = 8)]
    Retry {
        /// What it asks for; nothing, if the session alone is to be begun.
        retry: Retry,
    },
}

/// What stands between the prelude and the body of a content.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub struct Marks {
    /// The session takes the place of all others of the two devices (X 8).
    pub reset: bool,
    /// The content was sent before, first in the envelope with this salt.
    pub again: Option<[u8; 16]>,
}

impl core::fmt::Debug for Marks {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Marks({} bytes)", self.encode().len())
    }
}

/// The number of [`Marks::reset`].
const RESET: u8 = 9;
/// The number of [`Marks::again`].
const AGAIN: u8 = 10;

impl Marks {
    /// Encodes the marks.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { reset, again } = self;
        let mut bytes = Vec::new();
        if *reset {
            bytes.push(RESET);
        }
        if let Some(salt) = again {
            bytes.push(AGAIN);
            bytes.extend_from_slice(salt);
        }
        bytes
    }

    /// The marks that bytes begin with, and what follows them.
    fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), Code> {
        let (reset, bytes) = match bytes {
            [RESET, rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let [AGAIN, rest @ ..] = bytes else { return Ok((Self { reset, again: None }, bytes)) };
        let (salt, rest) = rest.split_first_chunk::<16>().ok_or(Code::Truncated)?;
        Ok((Self { reset, again: Some(*salt) }, rest))
    }
}

// Written by hand: a derived Debug would print the payload.
impl core::fmt::Debug for Body {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (name, length) = match self {
            Self::Message { payload, .. } => ("Message", payload.as_slice().len()),
            Self::Transcript { payload, .. } => ("Transcript", payload.as_slice().len()),
            Self::Opening(opening) => ("Opening", opening.body.as_slice().len()),
            Self::Group { payload, .. } => ("Group", payload.as_slice().len()),
            Self::Operations { bundle, .. } => ("Operations", bundle.as_slice().len()),
            Self::Departure { .. } => ("Departure", 0),
            Self::Handover { .. } => ("Handover", 0),
            Self::Retry { .. } => ("Retry", 0),
        };
        write!(f, "{name}({length} bytes)")
    }
}

impl Prelude {
    /// Encodes the first part of a content.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

impl Body {
    /// Encodes the second part of a content.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

/// Decodes both parts of a content that has no marks.
///
/// # Errors
/// As [`decode_marked`]; [`Code::UnknownType`] for marks.
pub fn decode(bytes: &[u8]) -> Result<(Prelude, Body), Code> {
    let (prelude, marks, body) = decode_marked(bytes)?;
    if marks == Marks::default() { Ok((prelude, body)) } else { Err(Code::UnknownType) }
}

/// Decodes both parts of a content, and the marks between them.
///
/// # Errors
/// [`Code::UnsupportedVersion`]. [`Code::NonCanonical`] for an empty or oversized user id, a transcript without
/// recipients, or a claim without an epoch. The codec's errors.
pub fn decode_marked(bytes: &[u8]) -> Result<(Prelude, Marks, Body), Code> {
    match bytes {
        [1, ..] | [] => {}
        _ => return Err(Code::UnsupportedVersion),
    }
    let (prelude, rest) = Prelude::tls_deserialize_bytes(bytes).map_err(|_| Code::Truncated)?;
    let (marks, rest) = Marks::decode(rest)?;
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
        Body::Retry { retry } => retry.check()?,
        Body::Message { .. }
        | Body::Group { .. }
        | Body::Operations { .. }
        | Body::Departure { .. }
        | Body::Handover { .. } => {}
    }
    Ok((prelude, marks, body))
}
