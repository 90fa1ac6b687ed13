//! Ids of users, devices, sessions, groups and operations (Sesame 2.2).
//!
//! An id is only a name. This module does not know who owns one.

use crate::{
    error::{Code, Error},
    limits::MAX_USER_ID,
};
use core::fmt;
use std::sync::Arc;

/// A user id: 1 to 64 bytes of UTF-8, chosen by the app. Two ids are the same user only if their bytes are equal: an app whose names may be
/// composed and decomposed normalises them first.
///
/// ```
/// use sesame_core::ids::UserId;
/// assert_eq!(UserId::try_new(b"alice".to_vec()).unwrap().as_str(), "alice");
/// assert!(UserId::try_new(vec![]).is_none());
/// assert!(UserId::try_new(vec![b'a'; 65]).is_none());
/// assert!(UserId::try_new(vec![0xff]).is_none());
/// ```
///
/// A clone shares the bytes: a send names each of its users a dozen times.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UserId(Arc<str>);

impl UserId {
    /// Takes 1 to 64 bytes of UTF-8; `None` for anything else.
    #[must_use]
    pub fn try_new(bytes: Vec<u8>) -> Option<Self> {
        let id = String::from_utf8(bytes).ok()?;
        (1..=MAX_USER_ID).contains(&id.len()).then(|| Self(id.into()))
    }

    /// The bytes of the id.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for UserId {
    type Error = Error;

    /// A user id of 1 to 64 bytes of UTF-8; any other length is [`Code::InvalidArgument`].
    fn try_from(user: &str) -> Result<Self, Error> {
        Self::try_new(user.as_bytes().to_vec()).ok_or(Error::of(Code::InvalidArgument, "user"))
    }
}

// A user id is personal data and must not appear in a log.
impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserId({} bytes)", self.0.len())
    }
}

/// Defines a name of fixed length: bytes that are compared, never read.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident($length:literal);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(pub [u8; $length]);
    )*};
}

names! {
    /// The public half of a user's account key, 32 bytes (Ed25519). It names an identity; whether it is a valid point is checked where it
    /// comes in.
    AccountKey(32);
    /// A message's name, 16 bytes, chosen by its sender: the same in every copy and resend.
    ContentId(16);
    /// An envelope's name, 16 bytes: its salt, chosen by its sender.
    EnvelopeId(16);
    /// A device with its keys, 16 bytes: a hash of the party. A batch names its devices by it, so that the same id with other keys is another
    /// device (X 6).
    Fingerprint(16);
    /// The name of a hand-over of the primary's part, 16 bytes, the same on both devices.
    HandoverId(16);
    /// A device list's name, 32 bytes: the SHA-256 of what its account key has signed.
    ListHash(32);
    /// The name of a link under way, 16 bytes, the same on both sides: the box at the server through which it goes.
    LinkId(16);
    /// The name of an upload of prekeys, 16 bytes. It never leaves the device.
    PublicationId(16);
    /// The name of a request to the server, 16 bytes: its first four bytes name the device that gave it out. It lives for one giving.
    RequestId(16);
    /// A send's name, 16 bytes, the same across crashes and processes. It never leaves the device.
    SendId(16);
}

/// A device's number, unique within its user and never used again.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DeviceId(pub u32);

/// A SessionID: 32 bytes, equal on both sides and never sent.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionId(pub [u8; 32]);

/// The kind of a group. The numbers are those of scopes on the wire and in AD_session, where 1 is the direct
/// scope.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum GroupKind {
    /// Pairwise fan-out: each pair of devices has its own ratchet in the group (D5).
    Pairwise = 2,
}

impl GroupKind {
    /// The kind with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        (number == Self::Pairwise.number()).then_some(Self::Pairwise)
    }

    /// The number of the kind.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// A GroupID: a hash of the creator's account key and 32 random bytes. Knowing it gives no rights (A48).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct GroupId(pub [u8; 32]);

/// An OperationID: the hash of the bytes that the author signed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OperationId(pub [u8; 32]);

/// What a session is for (D5).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Scope {
    /// Direct messages between two users, and transcripts of them.
    Direct,
    /// One group.
    Group(GroupKind, GroupId),
}

impl Scope {
    /// Its kind and its id, as they are bound into AD_session (X 2) and written into an opening (X 4).
    #[must_use]
    pub fn name(&self) -> (u8, &[u8]) {
        match self {
            Self::Direct => (1, &[]),
            Self::Group(kind, id) => (kind.number(), &id.0),
        }
    }

    /// The group, if it is a group's scope.
    #[must_use]
    pub fn group(&self) -> Option<GroupId> {
        match self {
            Self::Direct => None,
            Self::Group(_, id) => Some(*id),
        }
    }
}
