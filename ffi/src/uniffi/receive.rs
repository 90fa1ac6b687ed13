//! What waits in the inbox.

use super::generated::{Event, Message};
use sesame_core::event as core;

/// An item of the inbox. It waits until `ack`.
#[derive(Clone, Debug, ::uniffi::Enum)]
pub enum InboxItem {
    /// Something was said.
    Message {
        /// For `ack`.
        id: u64,
        /// What was said.
        content: Message,
    },
    /// Something happened.
    Event {
        /// For `ack`.
        id: u64,
        /// What happened.
        content: Event,
    },
}

impl From<core::InboxItem> for InboxItem {
    fn from(row: core::InboxItem) -> Self {
        match row.item {
            core::Item::Message(message) => Self::Message { id: row.id, content: message.into() },
            core::Item::Event(event) => Self::Event { id: row.id, content: event.into() },
        }
    }
}
