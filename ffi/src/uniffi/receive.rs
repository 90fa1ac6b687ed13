//! What came of each envelope.

use super::{
    bytes::number,
    generated::{Event, Message},
};
use crate::host::user_name;
use sesame_core::event::{self as core, NextStep, Received as CoreReceived};

/// The device that an envelope says it comes from.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct Sender {
    /// The user.
    pub user: String,
    /// The user's device.
    pub device: u32,
    /// Whether the envelope's gate fits the keys that are known for this device. If not, anybody may have written this address on it.
    pub authenticated: bool,
}

impl From<core::Sender> for Sender {
    fn from(sender: core::Sender) -> Self {
        Self { user: user_name(&sender.user), device: sender.device.0, authenticated: sender.authenticated }
    }
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
    /// It was received before; nothing changed by it, and it may be confirmed to the server.
    Duplicate {
        /// Which envelope, from 0.
        envelope: u32,
    },
    /// It could not be opened; nothing changed by it.
    Failure {
        /// Which envelope, from 0.
        envelope: u32,
        /// The sender, if the envelope can be read so far.
        sender: Option<Sender>,
        /// The code that says why.
        code: i32,
        /// Why, in words.
        reason: String,
        /// Whether to confirm it to the server: it will never open. Else leave it there and fetch again.
        confirm: bool,
    },
    /// It waits here for `registry.accept_identity`, or for its group to be known, and may be confirmed to the server.
    Held {
        /// Which envelope, from 0.
        envelope: u32,
    },
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
            CoreReceived::Duplicate { envelope } => Self::Duplicate { envelope: number(envelope) },
            CoreReceived::Failure { envelope, sender, code, next } => Self::Failure {
                envelope: number(envelope),
                sender: sender.map(Sender::from),
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
