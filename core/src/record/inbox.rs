//! What was received and not handed over yet, at rest.

use super::Record;
use crate::ids::{DeviceId, GroupId, OperationId, SessionId, UserId};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// Counters of this device.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Counters {
    /// The number of the newest inbox row, the first of which is 1: in C, 0 is no row.
    pub last_item: u64,
    /// Bytes held in all (X 9), group operations apart.
    pub held: u64,
    /// Bytes of group operations held in all.
    pub held_operations: u64,
}
impl Record for Counters {}

/// What the app has not acked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Item {
    /// Something that happened.
    Event(Event),
    /// Something that was said.
    Message(Message),
}
impl Record for Item {}

/// What a message was.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum MessageKind {
    /// For this user.
    Message,
    /// What another device of this user sent, and to whom (D8).
    Transcript {
        /// All users that it went to.
        recipients: Vec<UserId>,
    },
}

/// What is unusual about a message.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Flags {
    /// The sending device is no longer on its user's list (X 5).
    pub from_removed_device: bool,
    /// It began a session without a one-time key, curve or KEM (A15).
    pub no_one_time_key: bool,
    /// `StaleSessionUsed`: a newer session has already been used (X 3).
    pub older_session: bool,
    /// The sender has left the group; nothing shows whether this was said before (D6).
    pub from_former_member: bool,
}

/// A message that was opened and authenticated.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Message {
    /// The same in every copy and resend.
    pub content_id: [u8; 16],
    /// The envelope's salt.
    pub envelope_id: [u8; 16],
    /// The authenticated sender.
    pub user: UserId,
    /// The authenticated device.
    pub device: DeviceId,
    /// The group that it was said in; absent for a direct message.
    pub group: Option<GroupId>,
    /// The session that it came on.
    pub session: SessionId,
    /// The sender's clock, in ms.
    pub sent_at: u64,
    /// Counts what that device sent to this one, in the group or directly, from 1.
    pub sequence: u64,
    /// Message or transcript.
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

/// Something that the app should know.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Event {
    /// A newer signed list was taken (X 5).
    DeviceListChanged {
        /// Whose.
        user: UserId,
        /// Devices that it names first.
        added: Vec<DeviceId>,
        /// Devices that it names no more.
        removed: Vec<DeviceId>,
    },
    /// Two signed lists contradict each other; sends go only to devices on both (X 5).
    DeviceListFork {
        /// Whose.
        user: UserId,
        /// The signed list that was known.
        known: Vec<u8>,
        /// The signed list that contradicts it.
        other: Vec<u8>,
    },
    /// A list jumped by more than 16 epochs, so that its ancestry could not be checked (X 5).
    DeviceListGap {
        /// Whose.
        user: UserId,
    },
    /// The newest list is older than 35 days (X 5).
    DeviceListOld {
        /// Whose.
        user: UserId,
    },
    /// An older list than the known one was offered and refused (A02).
    DeviceListRollback {
        /// Whose.
        user: UserId,
        /// The epoch that was offered.
        epoch: u64,
    },
    /// Messages of a device are missing: lost, withheld, or still to come (A57).
    Gap {
        /// Whose.
        user: UserId,
        /// Which device's.
        device: DeviceId,
        /// In which group; absent for direct messages.
        group: Option<GroupId>,
        /// The first missing sequence number.
        from: u64,
        /// The last missing sequence number.
        to: u64,
    },
    /// A group's member was added, or has accepted an invitation.
    GroupAdded {
        /// In which group.
        group: GroupId,
        /// Who did it.
        user: UserId,
        /// On which device.
        device: DeviceId,
        /// Who is a member now.
        added: Vec<UserId>,
    },
    /// A device has other operations of a group than this one; what one of both lacks is sent after [`crate::device::Device::tick`] (D6).
    GroupDiverged {
        /// In which group.
        group: GroupId,
        /// Whose device.
        user: UserId,
        /// Which.
        device: DeviceId,
    },
    /// A device signed two operations under one number: it told members different things (A53).
    GroupEquivocation {
        /// In which group.
        group: GroupId,
        /// Whose device.
        user: UserId,
        /// Which.
        device: DeviceId,
    },
    /// This user, who had left a group, is asked back; see [`crate::device::Group::accept`].
    GroupInvited {
        /// Into which group.
        group: GroupId,
        /// Who asks.
        user: UserId,
        /// On which device.
        device: DeviceId,
    },
    /// This user is a member of a group now.
    GroupJoined {
        /// Of which group.
        group: GroupId,
        /// Who did it.
        user: UserId,
        /// On which device.
        device: DeviceId,
    },
    /// A member has left.
    GroupLeft {
        /// Which group.
        group: GroupId,
        /// Who.
        user: UserId,
        /// On which device.
        device: DeviceId,
    },
    /// These users are no members after all: who added them had left, which was not known yet.
    GroupRevoked {
        /// In which group.
        group: GroupId,
        /// Who.
        users: Vec<UserId>,
    },
    /// A group's name or other info was changed.
    GroupUpdated {
        /// In which group.
        group: GroupId,
        /// Who did it.
        user: UserId,
        /// On which device.
        device: DeviceId,
        /// The operation that did it.
        operation: OperationId,
    },
    /// What was held for a user was dropped for age or size (X 9).
    HeldDropped {
        /// From whom.
        user: UserId,
    },
    /// A bundle that is older than 14 days was used: the device may be idle (X 6).
    IdleDevice {
        /// Whose.
        user: UserId,
        /// Which.
        device: DeviceId,
    },
    /// Another account key claims this user; sending is blocked and what arrives is held until the app accepts it (X 5).
    IdentityChanged {
        /// Who.
        user: UserId,
        /// The account key that was pinned.
        pinned: [u8; 32],
        /// The account key that claims the user.
        claimed: [u8; 32],
        /// Whether the app had verified the pinned key (A14).
        was_verified: bool,
    },
    /// The server refused a batch and showed no newer list (X 5).
    ServerInconsistent {
        /// Whose batch.
        user: UserId,
    },
    /// A session was begun by the other side.
    SessionStarted {
        /// By whom.
        user: UserId,
        /// From which device.
        device: DeviceId,
        /// Equal on both sides.
        session_id: SessionId,
    },
}

/// How far a device's sequence has come.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Heard {
    /// The highest sequence number that was received from it.
    pub highest: u64,
}
impl Record for Heard {}

/// That an envelope was received (X 8).
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Received {
    /// In ms.
    pub at: u64,
}
impl Record for Received {}

/// An initiation that waits for the app to accept its sender (X 9).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Held {
    /// In ms.
    pub at: u64,
    /// As it came.
    pub envelope: Vec<u8>,
}
impl Record for Held {}

/// Group content that waits for its group, or for its sender to turn out a member (X 9).
#[derive(Clone, Deserialize, Serialize)]
pub struct HeldContent {
    /// In ms.
    pub at: u64,
    /// The authenticated sender.
    pub user: UserId,
    /// The authenticated device.
    pub device: DeviceId,
    /// The envelope's salt.
    pub envelope_id: [u8; 16],
    /// The session that it came on.
    pub session: SessionId,
    /// What was unusual about it.
    pub flags: Flags,
    /// Opened, a `wire::content`.
    pub content: Vec<u8>,
}
impl Record for HeldContent {}

impl Drop for HeldContent {
    fn drop(&mut self) {
        self.content.zeroize();
    }
}

// By hand: a derived Debug would print the content.
impl core::fmt::Debug for HeldContent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "HeldContent({} bytes)", self.content.len())
    }
}
