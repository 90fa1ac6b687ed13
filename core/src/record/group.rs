//! A group at rest: its operations as they were signed, and what follows from them (D6, X 11).

use super::{Claim, Record, Scope};
use crate::ids::{DeviceId, OperationId, UserId};
use serde::{Deserialize, Serialize};

/// A group as this device knows it. Everything before `left_at` follows from its operations.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Group {
    /// Its kind and id.
    pub scope: Scope,
    /// How our user stands in it.
    pub standing: Standing,
    /// The members, rising by user.
    pub members: Vec<Member>,
    /// Who has left and is not back, rising.
    pub former: Vec<UserId>,
    /// Who was called a member by a word that does not count, rising.
    pub misled: Vec<UserId>,
    /// Name, description and the like.
    pub info: GroupInfo,
    /// Which operations it follows from.
    pub claim: Claim,
    /// When our user or another left, in ms: their sessions in this scope die MAXLATENCY later.
    pub left_at: Vec<(UserId, u64)>,
    /// Devices that had other operations when they were last heard.
    pub lags: Vec<Lag>,
    /// Devices that were sent the whole state of late.
    pub pushed: Vec<Pushed>,
    /// Members who were told a state without an operation of this device, made at the same time.
    pub owed: Vec<UserId>,
}
impl Record for Group {}

/// How our user stands in a group.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Standing {
    /// Has left, or was never a member.
    Left,
    /// Has left and is asked back by this operation.
    Invited(OperationId),
    /// A member.
    Member,
}

/// A member.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// The account key that the add names; more than one when adds differ: our pin decides, so that nobody can displace a member.
    pub account_keys: Vec<[u8; 32]>,
}

/// What a group is called, and what else its members agreed upon.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct GroupInfo {
    /// At most 256 bytes.
    pub name: String,
    /// At most 2,048 bytes.
    pub description: String,
    /// Where a picture is, as the app says; at most 1,024 bytes.
    pub picture: Vec<u8>,
    /// After how many seconds messages should disappear; 0 for never.
    pub timer: u32,
    /// The app's own; at most 4,096 bytes.
    pub app_data: Vec<u8>,
}

/// A device that had other operations than this one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Lag {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub device: DeviceId,
    /// What it had.
    pub claim: Claim,
    /// Whether it asked.
    pub asked: bool,
    /// What we had when we last sent it something about this, and when, in ms.
    pub served: Option<(Claim, u64)>,
}

/// How often a device was sent the whole state.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Pushed {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub device: DeviceId,
    /// When it was first, in ms.
    pub since: u64,
    /// How often since then.
    pub times: u8,
}

/// An operation as it was signed.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StoredOperation {
    /// A `wire::group::SignedOperation`.
    pub signed: Vec<u8>,
    /// The author's account key, from the list that the operation cites.
    pub account_key: [u8; 32],
    /// The epoch of that list.
    pub epoch: u64,
}
impl Record for StoredOperation {}

/// Operations that wait for their parents.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Waiting {
    /// Oldest first.
    pub operations: Vec<StoredOperation>,
}
impl Record for Waiting {}
