//! What a device receives: messages, events, and what came of each envelope.

use super::bytes::Bytes;
use crate::host::user_name;
use sesame_core::{
    event as core,
    event::{MessageKind, NextStep, Received as CoreReceived},
    ids::DeviceId,
};

/// A message that was opened and authenticated.
#[derive(Clone, ::uniffi::Record)]
pub struct Message {
    /// The same in every copy and resend, 16 bytes.
    pub content_id: Bytes,
    /// The authenticated sender.
    pub user: String,
    /// The authenticated device.
    pub device: u32,
    /// The group that it was said in, 32 bytes; absent for a direct message.
    pub group: Option<Bytes>,
    /// The session that it came on, 32 bytes.
    pub session_id: Bytes,
    /// The sender's clock, in ms since 1970.
    pub sent_at: u64,
    /// Counts what that device sent to this one, from 1.
    pub sequence: u64,
    /// For a transcript, what another device of this user sent: to whom it went. Else absent.
    pub recipients: Option<Vec<String>>,
    /// The app's bytes.
    pub payload: Bytes,
    /// The sending device is no longer on its user's list.
    pub from_removed_device: bool,
    /// It began a session without a one-time key.
    pub no_one_time_key: bool,
    /// A newer session has already been used.
    pub older_session: bool,
    /// The sender has left the group; nothing shows whether this was said before.
    pub from_former_member: bool,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({} bytes)", self.payload.len())
    }
}

/// Something that the app should know.
#[derive(Clone, Debug, ::uniffi::Enum)]
pub enum Event {
    /// A newer signed device list was taken.
    DeviceListChanged {
        /// Whose.
        user: String,
        /// Devices that it names first.
        added: Vec<u32>,
        /// Devices that it names no more.
        removed: Vec<u32>,
    },
    /// Two signed lists contradict each other; sends go only to devices on both.
    DeviceListFork {
        /// Whose.
        user: String,
        /// The signed list that was known.
        known: Bytes,
        /// The one that contradicts it; empty when only a claim of it was seen.
        other: Bytes,
    },
    /// A list jumped so far that its ancestry could not be checked.
    DeviceListGap {
        /// Whose.
        user: String,
    },
    /// The newest list is older than 35 days.
    DeviceListOld {
        /// Whose.
        user: String,
    },
    /// An older list than the known one was offered and refused.
    DeviceListRollback {
        /// Whose.
        user: String,
        /// The epoch that was offered.
        epoch: u64,
    },
    /// Messages of a device are missing: lost, withheld, or still to come.
    Gap {
        /// Whose.
        user: String,
        /// Which device's.
        device: u32,
        /// In which group, 32 bytes; absent for direct messages.
        group: Option<Bytes>,
        /// The first missing sequence number.
        first: u64,
        /// The last missing sequence number.
        last: u64,
    },
    /// A group's member was added.
    GroupAdded {
        /// In which group, 32 bytes.
        group: Bytes,
        /// Who did it.
        user: String,
        /// On which device.
        device: u32,
        /// Who is a member now.
        added: Vec<String>,
    },
    /// A device has other operations of a group than this one: call `tick`, and submit what is in the outbox then.
    GroupDiverged {
        /// In which group, 32 bytes.
        group: Bytes,
        /// Whose device.
        user: String,
        /// Which.
        device: u32,
    },
    /// A device told members of a group different things.
    GroupEquivocation {
        /// In which group, 32 bytes.
        group: Bytes,
        /// Whose device.
        user: String,
        /// Which.
        device: u32,
    },
    /// This user, who had left a group, is asked back: `group.accept()` or `group.decline()`.
    GroupInvited {
        /// Into which group, 32 bytes.
        group: Bytes,
        /// Who asks.
        user: String,
        /// On which device.
        device: u32,
    },
    /// This user is a member of a group now.
    GroupJoined {
        /// Of which group, 32 bytes.
        group: Bytes,
        /// Who did it.
        user: String,
        /// On which device.
        device: u32,
    },
    /// A member has left.
    GroupLeft {
        /// Which group, 32 bytes.
        group: Bytes,
        /// Who.
        user: String,
        /// On which device.
        device: u32,
    },
    /// These users are no members after all: who added them had left.
    GroupRevoked {
        /// In which group, 32 bytes.
        group: Bytes,
        /// Who.
        users: Vec<String>,
    },
    /// A group's name or other info was changed.
    GroupUpdated {
        /// In which group, 32 bytes.
        group: Bytes,
        /// Who did it.
        user: String,
        /// On which device.
        device: u32,
        /// The operation that did it, 32 bytes.
        operation: Bytes,
    },
    /// What was held for a user was dropped for age or size.
    HeldDropped {
        /// From whom.
        user: String,
    },
    /// A bundle older than 14 days was used: the device may be idle.
    IdleDevice {
        /// Whose.
        user: String,
        /// Which.
        device: u32,
    },
    /// Another account key claims this user; sending is blocked and what arrives is held until the app accepts it.
    IdentityChanged {
        /// Who.
        user: String,
        /// The account key that was pinned, 32 bytes.
        pinned: Bytes,
        /// The account key that claims the user, 32 bytes.
        claimed: Bytes,
        /// Whether the app had verified the pinned key.
        was_verified: bool,
    },
    /// The server refused a batch and showed no newer list.
    ServerInconsistent {
        /// Whose batch.
        user: String,
    },
    /// A session was begun by the other side.
    SessionStarted {
        /// By whom.
        user: String,
        /// From which device.
        device: u32,
        /// Equal on both sides, 32 bytes.
        session_id: Bytes,
    },
    /// An event that this version of the bindings has no name for.
    Other,
}

/// One result for an envelope; an envelope may give several.
#[derive(Clone, Debug, ::uniffi::Enum)]
pub enum Received {
    /// Something was said. It waits in the inbox until `ack`.
    Message {
        /// Which envelope, from 0; in the inbox 0.
        envelope: u32,
        /// For `ack`.
        id: u64,
        /// What was said.
        content: Message,
    },
    /// Something happened. It waits in the inbox until `ack`.
    Event {
        /// Which envelope, from 0; in the inbox 0.
        envelope: u32,
        /// For `ack`.
        id: u64,
        /// What happened.
        content: Event,
    },
    /// It could not be opened; nothing changed by it.
    Failure {
        /// Which envelope, from 0.
        envelope: u32,
        /// Why.
        code: i32,
        /// Why, in words.
        reason: String,
        /// Whether to confirm it to the server: it will never open. Else leave it there and fetch again.
        confirm: bool,
    },
    /// It waits here for `registry.accept_identity`, and may be confirmed to the server.
    Held {
        /// Which envelope, from 0.
        envelope: u32,
    },
}

fn ids(devices: &[DeviceId]) -> Vec<u32> {
    devices.iter().map(|device| device.0).collect()
}

pub(super) fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl From<core::Event> for Event {
    fn from(event: core::Event) -> Self {
        use core::Event as E;
        let name = |user| user_name(&user);
        match event {
            E::DeviceListChanged { user, added, removed } => {
                Self::DeviceListChanged { user: name(user), added: ids(&added), removed: ids(&removed) }
            }
            E::DeviceListFork { user, known, other } => {
                Self::DeviceListFork { user: name(user), known: known.into(), other: other.into() }
            }
            E::DeviceListGap { user } => Self::DeviceListGap { user: name(user) },
            E::DeviceListOld { user } => Self::DeviceListOld { user: name(user) },
            E::DeviceListRollback { user, epoch } => Self::DeviceListRollback { user: name(user), epoch },
            E::Gap { user, device, group, first, last } => {
                let group = group.map(|group| group.0.to_vec().into());
                Self::Gap { user: name(user), device: device.0, group, first, last }
            }
            E::GroupAdded { group, user, device, added } => Self::GroupAdded {
                group: group.0.to_vec().into(),
                user: name(user),
                device: device.0,
                added: added.iter().map(user_name).collect(),
            },
            E::GroupDiverged { group, user, device } => {
                Self::GroupDiverged { group: group.0.to_vec().into(), user: name(user), device: device.0 }
            }
            E::GroupEquivocation { group, user, device } => {
                Self::GroupEquivocation { group: group.0.to_vec().into(), user: name(user), device: device.0 }
            }
            E::GroupInvited { group, user, device } => {
                Self::GroupInvited { group: group.0.to_vec().into(), user: name(user), device: device.0 }
            }
            E::GroupJoined { group, user, device } => {
                Self::GroupJoined { group: group.0.to_vec().into(), user: name(user), device: device.0 }
            }
            E::GroupLeft { group, user, device } => {
                Self::GroupLeft { group: group.0.to_vec().into(), user: name(user), device: device.0 }
            }
            E::GroupRevoked { group, users } => {
                Self::GroupRevoked { group: group.0.to_vec().into(), users: users.iter().map(user_name).collect() }
            }
            E::GroupUpdated { group, user, device, operation } => Self::GroupUpdated {
                group: group.0.to_vec().into(),
                user: name(user),
                device: device.0,
                operation: operation.0.to_vec().into(),
            },
            E::HeldDropped { user } => Self::HeldDropped { user: name(user) },
            E::IdleDevice { user, device } => Self::IdleDevice { user: name(user), device: device.0 },
            E::IdentityChanged { user, pinned, claimed, was_verified } => Self::IdentityChanged {
                user: name(user),
                pinned: pinned.0.to_vec().into(),
                claimed: claimed.0.to_vec().into(),
                was_verified,
            },
            E::ServerInconsistent { user } => Self::ServerInconsistent { user: name(user) },
            E::SessionStarted { user, device, session_id } => {
                Self::SessionStarted { user: name(user), device: device.0, session_id: session_id.0.to_vec().into() }
            }
            _ => Self::Other,
        }
    }
}

impl From<core::Message> for Message {
    fn from(mut message: core::Message) -> Self {
        let recipients = match &message.kind {
            MessageKind::Message => None,
            MessageKind::Transcript { recipients } => Some(recipients.iter().map(user_name).collect()),
        };
        Self {
            content_id: message.content_id.0.to_vec().into(),
            user: user_name(&message.user),
            device: message.device.0,
            group: message.group.map(|group| group.0.to_vec().into()),
            session_id: message.session_id.0.to_vec().into(),
            sent_at: message.sent_at,
            sequence: message.sequence,
            recipients,
            payload: std::mem::take(&mut message.payload).into(),
            from_removed_device: message.flags.from_removed_device,
            no_one_time_key: message.flags.no_one_time_key,
            older_session: message.flags.older_session,
            from_former_member: message.flags.from_former_member,
        }
    }
}

fn item(envelope: usize, id: u64, item: core::Item) -> Received {
    let envelope = number(envelope);
    match item {
        core::Item::Message(message) => Received::Message { envelope, id, content: message.into() },
        core::Item::Event(event) => Received::Event { envelope, id, content: event.into() },
    }
}

impl From<CoreReceived> for Received {
    fn from(received: CoreReceived) -> Self {
        match received {
            CoreReceived::Item { envelope, id, item: content } => item(envelope, id, content),
            CoreReceived::Failure { envelope, code, next } => Self::Failure {
                envelope: number(envelope),
                code: i32::from(code.number()),
                reason: code.text().to_owned(),
                confirm: next == NextStep::Confirm,
            },
            CoreReceived::Held { envelope } => Self::Held { envelope: number(envelope) },
        }
    }
}

impl From<core::InboxItem> for Received {
    fn from(row: core::InboxItem) -> Self {
        item(0, row.id, row.item)
    }
}
