//! The encoding of what the primary sends to a new device: hello, answer, and what is inside (X 7).
//!
//! ```text
//! LinkHello:  version u8 = 1, ephemeral 32, sealed opaque (u16)
//! LinkSender (inside, sealed): account key 32, user opaque<1..64> (u8)
//! LinkAnswer: version u8 = 1, ephemeral 32, salt 16, sealed opaque (u32)
//! LinkGrant (inside, sealed): user opaque<1..64> (u8), device u32, device list opaque (u16), a SignedDeviceList,
//!             links (u24), up to 16,384 of 32: as in a ShownList, of all lists; contacts<0..> (u24): Contact,
//!             groups<0..> (u32): opaque (u24), each a Bundle with all of a group's operations (see `group`)
//! Contact:    user opaque<1..64> (u8), account key 32, verified u8 (0 or 1), known u8 (0 or 1), device list opaque (u16; may be empty): a ShownList
//! ```
//!
//! `link_code` has the code that the new device shows.

use super::codec;
use crate::{error::Code, limits::MAX_USER_ID};
pub use tls_codec::TlsByteVecU24;
use tls_codec::{
    TlsByteVecU8, TlsByteVecU16, TlsByteVecU32, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU24, TlsVecU32,
};

codec::quiet!(LinkHello, LinkSender, LinkAnswer, Contact, LinkGrant);

/// What the primary sends first. Whoever knows the code can read it.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct LinkHello {
    /// Always 1.
    pub version: u8,
    /// The primary's fresh X25519 key.
    pub ephemeral: [u8; 32],
    /// The encrypted [`LinkSender`].
    pub sealed: TlsByteVecU16,
}

/// The content of a hello: who the primary says it is.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct LinkSender {
    /// The account key.
    pub account_key: [u8; 32],
    /// The user id.
    pub user: TlsByteVecU8,
}

/// The primary's answer, made once both sides have confirmed the digits.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct LinkAnswer {
    /// Always 1.
    pub version: u8,
    /// The key of the hello that this answer follows.
    pub ephemeral: [u8; 32],
    /// Fresh for each answer.
    pub salt: [u8; 16],
    /// The encrypted [`LinkGrant`].
    pub sealed: TlsByteVecU32,
}

/// A contact that the primary has pinned.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Contact {
    /// The user id.
    pub user: TlsByteVecU8,
    /// The pinned account key.
    pub account_key: [u8; 32],
    /// 1 if the user has compared safety numbers, else 0.
    pub verified: u8,
    /// 1 if our user has written to this user or has accepted them (X 9), else 0.
    pub known: u8,
    /// The contact's newest device list with its links, or empty.
    pub device_list: TlsByteVecU16,
}

/// The content of an answer.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct LinkGrant {
    /// The user that the new device belongs to.
    pub user: TlsByteVecU8,
    /// The id of the new device.
    pub device: u32,
    /// The signed device list that names the new device.
    pub device_list: TlsByteVecU16,
    /// The history of the first list and the hashes of all lists before this one; none for a first list.
    pub links: TlsVecU24<[u8; 32]>,
    /// The contacts that the primary has pinned.
    pub contacts: TlsVecU24<Contact>,
    /// For each group, a bundle with all its operations.
    pub groups: TlsVecU32<TlsByteVecU24>,
}

impl LinkHello {
    /// Decodes a hello and checks its form.
    ///
    /// # Errors
    /// [`Code::UnsupportedVersion`] or the codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        match bytes {
            [1, ..] | [] => codec::decode(bytes),
            _ => Err(Code::UnsupportedVersion),
        }
    }

    /// Encodes the hello.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

impl LinkSender {
    /// Decodes the content of a hello and checks its form.
    ///
    /// # Errors
    /// [`Code::NonCanonical`] for a user id of another length, or the codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        let sender: Self = codec::decode(bytes)?;
        if !(1..=MAX_USER_ID).contains(&sender.user.as_slice().len()) {
            return Err(Code::NonCanonical);
        }
        Ok(sender)
    }

    /// Encodes the content of a hello, to be sealed.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

impl LinkAnswer {
    /// Decodes an answer and checks its form.
    ///
    /// # Errors
    /// [`Code::UnsupportedVersion`] or the codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        match bytes {
            [1, ..] | [] => codec::decode(bytes),
            _ => Err(Code::UnsupportedVersion),
        }
    }

    /// Encodes the answer.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

impl LinkGrant {
    /// Decodes a grant and checks its form.
    ///
    /// # Errors
    /// [`Code::NonCanonical`] or the codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        let grant: Self = codec::decode(bytes)?;
        let sizes = 1..=MAX_USER_ID;
        let users = grant.contacts.iter().map(|contact| &contact.user).chain([&grant.user]);
        if users.into_iter().any(|user| !sizes.contains(&user.as_slice().len()))
            || grant.contacts.iter().any(|contact| contact.verified > 1 || contact.known > 1)
        {
            return Err(Code::NonCanonical);
        }
        Ok(grant)
    }

    /// Encodes the grant, to be sealed.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}
