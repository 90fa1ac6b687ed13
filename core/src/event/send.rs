//! Sends: what goes to the server, what must be brought first, and what the server answers.

use crate::{
    error::Code,
    ids::{ContentId, DeviceId, Fingerprint, GroupId, SendId, UserId},
};

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

/// A send on its way: the loop of requests brings it to its end, which [`Event::SendFinished`](super::Event::SendFinished) tells.
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

/// What the app has to bring before a batch is whole.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Need {
    /// The user's signed device list.
    DeviceList(UserId),
    /// A prekey bundle of this device.
    Bundle(UserId, DeviceId),
    /// The app's decision on a changed account key.
    IdentityAcceptance(UserId),
    /// An upload of fresh prekeys (X 6).
    Publication,
}

/// Why the server refused a batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rejection {
    /// The user's devices differ from those that the batch names; with the user's signed list, which alone counts (X 5).
    Mismatch {
        /// A signed device list.
        device_list: Vec<u8>,
    },
    /// There is no such user.
    NoSuchUser,
}

/// What the server gave for needs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Answers {
    /// Signed device lists.
    pub device_lists: Vec<Vec<u8>>,
    /// Prekey bundles.
    pub bundles: Vec<Vec<u8>>,
    /// Devices for which the server has no bundle.
    pub without_bundle: Vec<(UserId, DeviceId)>,
    /// Users that the server does not know.
    pub unknown_users: Vec<UserId>,
}

/// Something in the answers that was not taken. It changed nothing, but its device is skipped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// `device_lists` or `bundles`.
    pub field: &'static str,
    /// Its place in that list, from 0.
    pub item: usize,
    /// The code that says why.
    pub code: Code,
}

/// What came of the answers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Applied {
    /// What the app should know.
    pub events: Vec<Event>,
    /// What was refused.
    pub refusals: Vec<Refusal>,
}
