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
