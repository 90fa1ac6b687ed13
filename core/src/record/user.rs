//! A UserRecord at rest (Sesame 3.1).

use super::Record;
use crate::ids::{DeviceId, UserId};
use serde::{Deserialize, Serialize};

/// What is known of a user.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct User {
    /// The user id.
    pub user: UserId,
    /// The pinned account key.
    pub account_key: [u8; 32],
    /// Whether the app compared safety numbers for this key.
    pub verified: bool,
    /// The newest list that was taken.
    pub list: Option<List>,
    /// Another account key that claims this user and waits for the app.
    pub claimed_key: Option<[u8; 32]>,
    /// Two lists that contradict each other.
    pub fork: Option<Fork>,
    /// The highest epoch that a device of this user claimed without showing its list.
    pub claimed_epoch: u64,
    /// When the server first said that there is no such user, in ms.
    pub stale_since: Option<u64>,
}
impl Record for User {}

/// A verified list.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct List {
    /// Its epoch.
    pub epoch: u64,
    /// SHA-256 of what was signed.
    pub hash: [u8; 32],
    /// In ms.
    pub issued_at: u64,
    /// The devices, rising by id.
    pub devices: Vec<Device>,
    /// Hashes of the lists before it, newest first.
    pub ancestors: Vec<[u8; 32]>,
}

/// A listed device.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Device {
    /// DeviceID.
    pub id: DeviceId,
    /// Ed25519.
    pub signing_key: [u8; 32],
    /// IK.
    pub identity_key: [u8; 32],
    /// The epoch that first named it.
    pub added_at_epoch: u64,
}

/// Evidence of a fork: two lists, each as it was signed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fork {
    /// The one that was known.
    pub known: Vec<u8>,
    /// The one that contradicts it.
    pub other: Vec<u8>,
    /// DeviceIDs that stand on both with the same keys: all that is sent to until the app decides.
    pub on_both: Vec<DeviceId>,
}
