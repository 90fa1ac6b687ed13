//! What the server gave for what a send lacks, and what came of it: the inner form of its answers.

use crate::{
    error::Code,
    event::Event,
    ids::{DeviceId, UserId},
};

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
