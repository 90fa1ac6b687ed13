//! What the envelopes of a batch come to, for the app and on the way there.

use crate::{
    event::{Event, Item, Received},
    ids::{DeviceId, GroupId, UserId},
    wire::envelope::Envelope,
};

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
