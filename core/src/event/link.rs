//! Linking, as an app and its server see it (X 7).

use crate::ids::LinkId;
use core::fmt;

/// One of the two things that a primary puts into the box of a link. The numbers are those of the server's interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum LinkLeg {
    /// Who the primary is. Put at once.
    Hello = 1,
    /// What the new device needs. Put once the list that names it is published.
    Answer = 2,
}

/// A link that the primary has begun, before its app confirms it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PendingLinkView {
    /// The link's name.
    pub id: LinkId,
    /// 15 decimal digits. The app shows them, and goes on only if the user sees the same ones on the new device.
    pub digits: String,
    /// When the link can no longer be confirmed, in ms since 1970, by the new device's clock.
    pub expires_at: u64,
}

/// Bytes that the primary puts into the box of a link at the server.
#[derive(Clone, Eq, PartialEq)]
pub struct LinkPost {
    /// The box.
    pub id: LinkId,
    /// The place in the box.
    pub leg: LinkLeg,
    /// What to put there. It is sealed.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for LinkPost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkPost({:?}, {} bytes)", self.leg, self.bytes.len())
    }
}

/// What a new device waits for: one leg of its box at the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LinkWait {
    /// The box.
    pub id: LinkId,
    /// The place in the box.
    pub leg: LinkLeg,
}
