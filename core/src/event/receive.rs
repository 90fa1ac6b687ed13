//! What each envelope of a batch came to.

use super::Item;
use crate::{
    error::Code,
    ids::{DeviceId, UserId},
};

/// What to do with an envelope that gave a failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NextStep {
    /// Confirm it to the server: it will never open.
    Confirm,
    /// Leave it in the mailbox and fetch again: the store failed, not the envelope.
    Keep,
}

/// The device that an envelope says it comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sender {
    /// The user.
    pub user: UserId,
    /// The user's device.
    pub device: DeviceId,
    /// Whether the envelope's gate fits the keys that we know for this device. If not, anybody may have written this address on the envelope.
    pub authenticated: bool,
}

/// What has become of an envelope.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MailOutcome {
    /// It was received before.
    Duplicate,
    /// It waits in the store until the app accepts a changed identity, its group is known, or its time has come (X 9).
    Held,
    /// The store failed on it, and it may open later.
    Later,
    /// It was opened.
    Opened,
    /// It will never open.
    Refused,
}

/// What has become of one envelope, and what to do with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MailResult {
    /// What has become of it.
    pub outcome: MailOutcome,
    /// What it said, in the inbox.
    pub items: Vec<u64>,
    /// Whether it is to stay in the mailbox. Any other may be deleted there.
    pub keep: bool,
    /// The device that it says it comes from, where it was refused.
    pub sender: Option<Sender>,
    /// The number of the code that says why it was not opened, or why it is held, or 0. What is held until its group is known was opened.
    pub reason: u16,
}

impl MailResult {
    /// What has become of each of so many envelopes.
    #[must_use]
    pub(crate) fn of(envelopes: usize, received: Vec<Received>) -> Vec<Self> {
        let opened = Self { outcome: MailOutcome::Opened, items: vec![], keep: false, sender: None, reason: 0 };
        let mut results = vec![opened; envelopes];
        for received in received {
            let Some(result) = results.get_mut(received.envelope()) else { continue };
            match received {
                Received::Item { id, .. } => result.items.push(id),
                Received::Duplicate { .. } => result.outcome = MailOutcome::Duplicate,
                Received::Held { code, .. } => {
                    result.outcome = MailOutcome::Held;
                    result.reason = code.map_or(0, Code::number);
                }
                Received::Failure { sender, code, next, .. } => {
                    result.keep = next == NextStep::Keep;
                    result.outcome = if result.keep { MailOutcome::Later } else { MailOutcome::Refused };
                    result.sender = sender;
                    result.reason = code.number();
                }
            }
        }
        results
    }
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
    /// The envelope was received before; it changed nothing and may be confirmed.
    Duplicate {
        /// The envelope's place in the batch, from 0.
        envelope: usize,
    },
    /// The envelope could not be opened; it changed nothing.
    Failure {
        /// The envelope's place in the batch, from 0.
        envelope: usize,
        /// The sender, if the envelope can be read so far.
        sender: Option<Sender>,
        /// The code that says why.
        code: Code,
        /// What to do with it.
        next: NextStep,
    },
    /// The envelope waits in the store until the app accepts a changed identity, its group is known, or its time has come (X 9). It may be
    /// confirmed.
    Held {
        /// The envelope's place in the batch, from 0.
        envelope: usize,
        /// Why the envelope is held as it came; `None` for content that was opened.
        code: Option<Code>,
    },
}

impl Received {
    /// The envelope's place in the batch, from 0.
    #[must_use]
    pub fn envelope(&self) -> usize {
        match self {
            Self::Item { envelope, .. }
            | Self::Duplicate { envelope }
            | Self::Failure { envelope, .. }
            | Self::Held { envelope, .. } => *envelope,
        }
    }
}

/// A row of the inbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InboxItem {
    /// The inbox id, for `ack`.
    pub id: u64,
    /// A message or an event.
    pub item: Item,
}
