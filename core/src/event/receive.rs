//! What each envelope of a batch came to.

use super::Item;
use crate::error::Code;

/// What to do with an envelope that gave a failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NextStep {
    /// Confirm it to the server: it will never open.
    Confirm,
    /// Leave it in the mailbox and fetch again: the store failed, not the envelope.
    Keep,
}

/// One result for an envelope; an envelope may give several.
#[derive(Clone, Debug, Eq, PartialEq)]
// Nearly all of them are items; a box would buy nothing.
#[allow(clippy::large_enum_variant)]
pub enum Received {
    /// A message or an event. It waits in the inbox under `id` until it is acked.
    Item {
        /// The envelope's place in the batch, from 0.
        envelope: usize,
        /// The inbox id, for `ack`.
        id: u64,
        /// The message or event.
        item: Item,
    },
    /// The envelope could not be opened; it changed nothing.
    Failure {
        /// The envelope's place in the batch, from 0.
        envelope: usize,
        /// The code that says why.
        code: Code,
        /// What to do with it.
        next: NextStep,
    },
    /// The envelope waits in the store until the app accepts a changed identity, or its group is known (X 9). It may be confirmed.
    Held {
        /// The envelope's place in the batch, from 0.
        envelope: usize,
    },
}

/// A row of the inbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InboxItem {
    /// The inbox id, for `ack`.
    pub id: u64,
    /// A message or an event.
    pub item: Item,
}
