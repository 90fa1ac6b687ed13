//! Ids of users, devices, sessions, groups and operations (Sesame 2.2).
//!
//! An id is only a name. This module does not know who owns one.

use crate::limits::MAX_USER_ID;
use core::fmt;

/// A user id: 1 to 64 bytes, chosen by the app.
///
/// ```
/// use sesame_core::ids::UserId;
/// assert_eq!(UserId::try_new(b"alice".to_vec()).unwrap().as_bytes(), b"alice");
/// assert!(UserId::try_new(vec![]).is_none());
/// assert!(UserId::try_new(vec![0; 65]).is_none());
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UserId(Vec<u8>);

impl UserId {
    /// Takes 1 to 64 bytes; `None` for any other length.
    #[must_use]
    pub fn try_new(bytes: Vec<u8>) -> Option<Self> {
        (1..=MAX_USER_ID).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// The bytes of the id.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

// A user id is personal data and must not appear in a log.
impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserId({} bytes)", self.0.len())
    }
}

/// A device id, unique within its user and never used again.
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
