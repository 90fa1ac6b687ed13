//! What the envelopes of a batch come to, for the app and on the way there.

use crate::{
    error::Code,
    ids::{DeviceId, GroupId, UserId},
    record::{Event, Item},
    wire::envelope::Envelope,
};

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
    /// A message or an event; it waits in the inbox under `id` until it is acked.
    Item {
        /// Which envelope, from 0.
        envelope: usize,
        /// For [`super::Device::ack`].
        id: u64,
        /// What it is.
        item: Item,
    },
    /// It could not be opened; nothing changed by it.
    Failure {
        /// Which envelope, from 0.
        envelope: usize,
        /// Why.
        code: Code,
        /// What to do with it.
        next: NextStep,
    },
    /// It waits for the app to accept a changed identity (X 9); it is safe here and may be confirmed.
    Held {
        /// Which envelope, from 0.
        envelope: usize,
    },
}

/// What one envelope came to.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) items: Vec<Item>,
    /// Whether it, or what was in it, is held.
    pub(super) held: bool,
    /// The contents' numbers, each in its scope.
    pub(super) numbered: Vec<(Option<GroupId>, u64)>,
}

impl Opened {
    pub(super) fn events(events: Vec<Event>) -> Self {
        Self { items: as_items(events), ..Self::default() }
    }
}

/// An envelope with what its sender is to us.
pub(super) struct Incoming<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) head: &'a [u8],
    pub(super) user: UserId,
    pub(super) device: DeviceId,
}

/// The number that one content bears.
pub(super) struct Numbered {
    pub(super) envelope: usize,
    pub(super) user: UserId,
    pub(super) device: DeviceId,
    pub(super) group: Option<GroupId>,
    pub(super) sequence: u64,
}

/// What has come of the envelopes of a batch so far.
#[derive(Default)]
pub(super) struct BatchResults {
    pub(super) results: Vec<Received>,
    pub(super) numbered: Vec<Numbered>,
}

pub(super) fn as_items(events: Vec<Event>) -> Vec<Item> {
    events.into_iter().map(Item::Event).collect()
}

/// From which device an envelope says that it is.
pub(super) fn sender(envelope: &Envelope) -> Option<(UserId, DeviceId)> {
    let from = &envelope.head.sender;
    UserId::try_new(from.user.as_slice().to_vec()).map(|user| (user, DeviceId(from.device)))
}
