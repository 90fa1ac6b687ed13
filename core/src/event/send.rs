//! Sends: whom they go to, and what goes to the server.

use crate::ids::{ContentId, DeviceId, Fingerprint, GroupId, SendId, UserId};

/// To whom a message goes.
#[derive(Clone, Copy, Debug)]
pub enum Recipients<'a> {
    /// One group.
    Group(GroupId),
    /// Users, directly.
    Users(&'a [UserId]),
}

impl From<GroupId> for Recipients<'_> {
    fn from(group: GroupId) -> Self {
        Self::Group(group)
    }
}

impl<'a> From<&'a [UserId]> for Recipients<'a> {
    fn from(users: &'a [UserId]) -> Self {
        Self::Users(users)
    }
}

impl<'a> From<&'a Vec<UserId>> for Recipients<'a> {
    fn from(users: &'a Vec<UserId>) -> Self {
        Self::Users(users)
    }
}

impl<'a, const N: usize> From<&'a [UserId; N]> for Recipients<'a> {
    fn from(users: &'a [UserId; N]) -> Self {
        Self::Users(users)
    }
}

/// A send on its way: the loop of requests brings it to its end, which [`Event::SendFinished`](crate::event::Event::SendFinished) tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PendingSend {
    /// The send's id, 16 bytes.
    pub id: SendId,
    /// The message's id, 16 bytes: it travels inside, the same in every copy.
    pub content_id: ContentId,
}

/// One user's ciphertexts: all of them go to the server together, or none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Batch {
    /// The user whose devices they are for.
    pub user: UserId,
    /// Whether it is for one device alone, so that the server does not compare it with the list.
    pub targeted: bool,
    /// One for each device, rising by device.
    pub envelopes: Vec<Outgoing>,
    /// Listed devices that get nothing, and why; the server counts them as named.
    pub skips: Vec<Skipped>,
}

/// One ciphertext for one device.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outgoing {
    /// The device that it is for.
    pub device: DeviceId,
    /// The keys that it is for.
    pub fingerprint: Fingerprint,
    /// The encoded envelope.
    pub envelope: Vec<u8>,
}

/// A listed device that gets nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Skipped {
    /// The device.
    pub device: DeviceId,
    /// The device's keys.
    pub fingerprint: Fingerprint,
    /// The number of the code that says why.
    pub reason: u16,
}
