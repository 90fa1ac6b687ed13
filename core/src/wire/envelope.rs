//! The envelope: everything that a server or a network sees of a message (X 1).
//!
//! ```text
//! version u8 = 1, suite u8 = 1
//! sender, recipient: user opaque<1..64> (u8 length), device u32
//! salt 16
//! kind u8: 1 ordinary   locator 16
//!          2 initiation account key 32, signing key 32, IK 32, EK 32, generation u64,
//!                       signed prekey id u32, one-time prekey id optional<u32>, KEM prekey id u32, KEM ciphertext 1568
//! header opaque<58..512> (u16 length)   -- encrypted
//! gate 16, commitment 32
//! body opaque<784..98320> (u32 length)  -- encrypted, padded
//! ```
//!
//! Integers are big-endian. This module knows no keys; whoever holds them checks the gate and opens the body.

use super::{codec, padding::STEPS};
use crate::{
    crypto::{aead::TAG, mlkem::CIPHERTEXT},
    error::Code,
    ids::{DeviceId, UserId},
    limits::MAX_USER_ID,
};
use tls_codec::{TlsByteVecU8, TlsByteVecU16, TlsByteVecU32, TlsDeserializeBytes, TlsSerialize, TlsSize};

codec::quiet!(Address, Route, Initiation, Head, Envelope);

/// The only version of the wire.
pub const VERSION: u8 = 1;
/// The only suite: X25519, ML-KEM-1024, SHA-256, AES-256-GCM, Ed25519.
pub const SUITE: u8 = 1;
/// The smallest encrypted header: ratchet key 32, pn 4, n 4, length 2 of an empty chunk, tag 16.
pub const MIN_HEADER: usize = 32 + 4 + 4 + 2 + TAG;
/// The largest encrypted header.
pub const MAX_HEADER: usize = 512;
/// The largest encoded envelope in bytes: head, header, gate, commitment and body at their largest.
pub const MAX_ENVELOPE: usize =
    2 + 2 * (1 + MAX_USER_ID + 4) + 16 + 1 + 149 + CIPHERTEXT + 2 + MAX_HEADER + 48 + 4 + 98_304 + TAG;

/// The address of a device. It is only a claim until the gate is checked.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Address {
    /// The user id, 1 to 64 bytes.
    pub user: TlsByteVecU8,
    /// The device id.
    pub device: u32,
}

/// The fields that lead to the session of an envelope.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
// A route lives as long as its envelope is handled; a box would save nothing.
#[allow(clippy::large_enum_variant)]
pub enum Route {
    /// A message of an established session.
    #[tls_codec(discriminant = 1)]
    Ordinary {
        /// The masked chain tag.
        locator: [u8; 16],
    },
    /// A message of an initiating session (Sesame 2.3).
    Initiation(Initiation),
}

/// The clear fields of PQXDH's initial message (PQXDH 3.3).
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Initiation {
    /// The initiator's account key. It completes the party together with the next two fields, so that the
    /// responder can bind the session to it before knowing the initiator's device list.
    pub account_key: [u8; 32],
    /// The initiator's signing key.
    pub signing_key: [u8; 32],
    /// The initiator's IK.
    pub identity_key: [u8; 32],
    /// The initiator's EK.
    pub ephemeral_key: [u8; 32],
    /// The generation of the session (X 3), below 2^63.
    pub generation: u64,
    /// The id of the signed prekey that was used.
    pub signed_pre_key: u32,
    /// The id of the one-time prekey that was used, if any.
    pub one_time_pre_key: Option<u32>,
    /// The id of the KEM prekey that was used.
    pub kem_pre_key: u32,
    /// The KEM ciphertext.
    pub kem_ciphertext: [u8; CIPHERTEXT],
}

/// All fields before the gate. The gate and the body are bound to them.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Head {
    /// [`VERSION`].
    pub version: u8,
    /// [`SUITE`].
    pub suite: u8,
    /// The sender's address, as the envelope claims it.
    pub sender: Address,
    /// The recipient's address.
    pub recipient: Address,
    /// 16 fresh random bytes; also the id of the envelope.
    pub salt: [u8; 16],
    /// The fields that lead to the session.
    pub route: Route,
    /// The encrypted header.
    pub header: TlsByteVecU16,
}

/// The fields in the clear besides the addresses, for [`length`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Clear {
    /// Those of an ordinary envelope: the locator.
    Ordinary,
    /// Those of an initiation with a one-time prekey.
    Initiation,
}

/// The size of an envelope in bytes, from the lengths of both user ids and of the padded body.
///
/// ```
/// use sesame_core::internal::wire::envelope::{Clear, length};
/// assert_eq!(length((5, 3), Clear::Ordinary, 768), 949);
/// ```
#[must_use]
pub fn length((sender, recipient): (usize, usize), clear: Clear, padded: usize) -> usize {
    let route = match clear {
        Clear::Ordinary => 16,
        Clear::Initiation => 4 * 32 + 8 + 4 + 5 + 4 + CIPHERTEXT,
    };
    2 + (1 + sender + 4) + (1 + recipient + 4) + 16 + 1 + route + 2 + MIN_HEADER + 16 + 32 + 4 + padded + TAG
}

impl Initiation {
    /// Encodes the clear fields for a record.
    ///
    /// # Errors
    /// [`Code::TooLarge`], which cannot happen.
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }

    /// Decodes the clear fields from a record.
    ///
    /// # Errors
    /// The codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        codec::decode(bytes)
    }
}

impl Head {
    /// Encodes the head: the bytes that the gate and the body are bound to.
    ///
    /// # Errors
    /// [`Code::TooLarge`] if a field is too long for its length field.
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

/// Bytes after a length of 32 bits.
pub type Bytes = TlsByteVecU32;

/// One ciphertext for one device.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Envelope {
    /// All fields before the gate.
    pub head: Head,
    /// The first 16 bytes of an HMAC over the head.
    pub gate: [u8; 16],
    /// The commitment to the body's key.
    pub commitment: [u8; 32],
    /// The encrypted, padded body.
    pub body: Bytes,
}

impl Envelope {
    /// The device that the envelope says it comes from; `None` for a malformed user id. The gate proves it, not this.
    #[must_use]
    pub fn sender(&self) -> Option<(UserId, DeviceId)> {
        let from = &self.head.sender;
        UserId::try_new(from.user.as_slice().to_vec()).map(|user| (user, DeviceId(from.device)))
    }

    /// Decodes an envelope and checks its form. No key is used.
    ///
    /// # Errors
    /// [`Code::Truncated`], [`Code::TrailingData`], [`Code::TooLarge`], [`Code::UnsupportedVersion`],
    /// [`Code::UnknownType`] or [`Code::NonCanonical`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        if bytes.len() > MAX_ENVELOPE {
            return Err(Code::TooLarge);
        }
        // The version is checked first: another version may have another layout.
        match bytes {
            [VERSION, SUITE, ..] | [VERSION] | [] => {}
            _ => return Err(Code::UnsupportedVersion),
        }
        let envelope: Self = codec::decode(bytes)?;
        envelope.check()?;
        Ok(envelope)
    }

    /// Encodes the envelope for the server.
    ///
    /// # Errors
    /// As [`Envelope::decode`]: an envelope that it would refuse is not encoded.
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        self.check()?;
        codec::encode(self)
    }

    /// The length of an envelope whose head and body have these lengths.
    #[must_use]
    pub fn assembled_len(head: usize, body: usize) -> usize {
        // Gate, commitment, and the length of the body.
        head.saturating_add(16 + 32 + 4).saturating_add(body)
    }

    /// The bytes before the gate, in the envelope as it came.
    ///
    /// # Errors
    /// [`Code::Truncated`] if `bytes` are not this envelope's.
    pub fn head_in<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], Code> {
        let after = self.gate.len() + self.commitment.len() + 4 + self.body.as_slice().len();
        let length = bytes.len().checked_sub(after).ok_or(Code::Truncated)?;
        bytes.get(..length).ok_or(Code::Truncated)
    }

    /// Encodes an envelope from its parts. `head` is an encoded [`Head`].
    #[must_use]
    pub fn assemble(head: &[u8], gate: &[u8; 16], commitment: &[u8; 32], body: &[u8]) -> Vec<u8> {
        let mut envelope = Self::begin(head, gate, commitment, body.len());
        envelope.extend_from_slice(body);
        envelope
    }

    /// Everything before the body, with room for one of `body` bytes.
    #[must_use]
    pub fn begin(head: &[u8], gate: &[u8; 16], commitment: &[u8; 32], body: usize) -> Vec<u8> {
        // A body is one padding step and a tag, far below 4 GiB.
        let length = u32::try_from(body).unwrap_or(u32::MAX).to_be_bytes();
        let mut envelope = Vec::with_capacity(Self::assembled_len(head.len(), body));
        for part in [head, gate, commitment, &length] {
            envelope.extend_from_slice(part);
        }
        envelope
    }

    fn check(&self) -> Result<(), Code> {
        let Self { head: Head { version, suite, sender, recipient, salt: _, route, header }, body, .. } = self;
        if (*version, *suite) != (VERSION, SUITE) {
            return Err(Code::UnsupportedVersion);
        }
        for address in [sender, recipient] {
            match address.user.as_slice().len() {
                0 => return Err(Code::NonCanonical),
                length if length > MAX_USER_ID => return Err(Code::TooLarge),
                _ => {}
            }
        }
        match route {
            Route::Initiation(initiation) if initiation.generation >> 63 != 0 => return Err(Code::NonCanonical),
            _ => {}
        }
        match header.as_slice().len() {
            length if length < MIN_HEADER => return Err(Code::Truncated),
            length if length > MAX_HEADER => return Err(Code::TooLarge),
            _ => {}
        }
        let padded = body.as_slice().len().checked_sub(TAG).ok_or(Code::Truncated)?;
        if !STEPS.contains(&padded) {
            return Err(Code::NonCanonical);
        }
        Ok(())
    }
}
