//! What has become of a send, user by user.

use super::Skipped;
use crate::ids::{ContentId, DeviceId, GroupId, SendId, UserId};
use zeroize::Zeroize;

/// What has become of a send for one user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The app has withdrawn it.
    Cancelled,
    /// It was given up: none of the user's devices has got it.
    Failed,
    /// The server has taken it, for one of the user's devices at least.
    Sent,
    /// It is not settled.
    Waiting,
}

/// What a send that is not settled waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WaitingFor {
    /// The app's decision on a changed account key.
    Identity,
    /// Nothing: it is settled.
    Nothing,
    /// An upload of this device's own prekeys.
    Publication,
    /// The server: requests are due, or under way.
    Server,
}

/// How a send stands with one user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserStatus {
    /// The user.
    pub user: UserId,
    /// What has become of it.
    pub outcome: Outcome,
    /// What it waits for.
    pub waiting_for: WaitingFor,
    /// The number of devices that it was sent to.
    pub reached: u32,
    /// Listed devices that got nothing, and why.
    pub skipped: Vec<Skipped>,
    /// The number of the code that says why it failed or was cancelled, or 0.
    pub reason: u16,
}

/// How a send stands.
#[derive(Clone, Eq, PartialEq)]
pub struct SendStatus {
    /// The send's id, 16 bytes.
    pub id: SendId,
    /// The message's id, 16 bytes.
    pub content_id: ContentId,
    /// The group that it was sent to; absent for a direct send.
    pub group: Option<GroupId>,
    /// The app's bytes; empty for an act in a group.
    pub payload: Vec<u8>,
    /// Whether it is settled with every user. Copies for the sender's own devices do not count.
    pub finished: bool,
    /// How it stands with each user, rising by user.
    pub users: Vec<UserStatus>,
}

// By hand: a derived Debug would print the payload.
impl core::fmt::Debug for SendStatus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SendStatus({} users, {} bytes)", self.users.len(), self.payload.len())
    }
}

impl Drop for SendStatus {
    fn drop(&mut self) {
        self.payload.zeroize();
    }
}

/// A user for whom a send was given up or withdrawn.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FailedUser {
    /// The user.
    pub user: UserId,
    /// The number of the code that says why.
    pub reason: u16,
}

/// A listed device that got nothing of a send.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SkippedDevice {
    /// The user.
    pub user: UserId,
    /// The device.
    pub device: DeviceId,
    /// The number of the code that says why.
    pub reason: u16,
}
