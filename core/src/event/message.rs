//! Messages, and the items of an inbox.

use super::Event;
use crate::ids::{ContentId, DeviceId, EnvelopeId, GroupId, SessionId, UserId};
use zeroize::Zeroize;

/// What an inbox holds until the app acks it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Item {
    /// Something that happened.
    Event(Event),
    /// A message.
    Message(Message),
}

/// What a message was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MessageKind {
    /// A message for our user.
    Message,
    /// A copy of what another device of our user sent (D8).
    Transcript {
        /// The users whom it was sent to.
        recipients: Vec<UserId>,
    },
}

/// What is unusual about a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Flags {
    /// The sending device is no longer on its user's list (X 5).
    pub from_removed_device: bool,
    /// The message began a session without a one-time prekey, curve or KEM (A15).
    pub no_one_time_key: bool,
    /// The message came on a session that a newer one has replaced (X 3).
    pub older_session: bool,
    /// The sender has left the group; nothing shows whether this was said before (D6).
    pub from_former_member: bool,
    /// The message was sent again because this device had asked for it: others may have come before it (X 8).
    pub resent: bool,
}

/// A message that was opened and authenticated. Its payload is wiped when it is dropped.
#[derive(Clone, Eq, PartialEq)]
pub struct Message {
    /// The message's id, 16 bytes: the same in every copy and resend.
    pub content_id: ContentId,
    /// The envelope's id, 16 bytes.
    pub envelope_id: EnvelopeId,
    /// The authenticated sender.
    pub user: UserId,
    /// The authenticated device.
    pub device: DeviceId,
    /// The group that the message belongs to; absent for a direct message.
    pub group: Option<GroupId>,
    /// The session that the message came on.
    pub session_id: SessionId,
    /// The sender's clock, in ms since 1970.
    pub sent_at: u64,
    /// Counts what that device sent to this one, in the group or directly, from 1.
    pub sequence: u64,
    /// Whether it is a message or a transcript.
    pub kind: MessageKind,
    /// The app's bytes.
    pub payload: Vec<u8>,
    /// What is unusual about it.
    pub flags: Flags,
}

impl Drop for Message {
    fn drop(&mut self) {
        self.payload.zeroize();
    }
}

// By hand: a derived Debug would print the payload.
impl core::fmt::Debug for Message {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Message({} bytes)", self.payload.len())
    }
}
