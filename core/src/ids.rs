//! Names of users, devices and sessions (Sesame 2.2).
//!
//! They are names only: nothing here says who owns one.

use crate::limits::MAX_USER_ID;
use core::fmt;

/// A user's name, 1 to 64 bytes, chosen by the app.
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

    /// The bytes that the app gave.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

// A user id is personal data and has no place in a log.
impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserId({} bytes)", self.0.len())
    }
}

/// A device's number, unique within its user and never used again.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DeviceId(pub u32);

/// A session's name, 32 bytes, equal at both ends and never on the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionId(pub [u8; 32]);

/// What kind of group a scope belongs to. The numbers are those of scopes on the wire and in AD_session: 1 is the direct scope.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum GroupKind {
    /// Pairwise fan-out: a ratchet for each pair of devices in the group (D5).
    Pairwise = 2,
}

impl GroupKind {
    /// The kind with this number, if it is known.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        (number == Self::Pairwise.number()).then_some(Self::Pairwise)
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// A group's name, 32 bytes: a hash of its creator's account key and 32 random bytes. Knowing it is worth nothing (A48).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct GroupId(pub [u8; 32]);

/// An operation's name, 32 bytes: the hash of what its author signed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OperationId(pub [u8; 32]);
