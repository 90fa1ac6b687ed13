//! A DeviceRecord at rest (Sesame 3.1).

use super::{Record, Shared, secret_form};
use crate::ids::{DeviceId, GroupId, GroupKind, SessionId, UserId};
use serde::{Deserialize, Serialize};

/// What a session is for (D5).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Scope {
    /// Direct messages between two users, and transcripts of them.
    Direct,
    /// One group.
    Group(GroupKind, GroupId),
}

impl Scope {
    /// Its kind and its id, as they are bound into AD_session (X 2) and written into an opening (X 4).
    #[must_use]
    pub fn name(&self) -> (u8, &[u8]) {
        match self {
            Self::Direct => (1, &[]),
            Self::Group(kind, id) => (kind.number(), &id.0),
        }
    }

    /// The group, if it is one's.
    #[must_use]
    pub fn group(&self) -> Option<GroupId> {
        match self {
            Self::Direct => None,
            Self::Group(_, id) => Some(*id),
        }
    }
}

/// What is known of another device.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Peer {
    /// The user id.
    pub user: UserId,
    /// The DeviceID.
    pub device: DeviceId,
    /// The account key that its pair keys are bound to.
    pub account_key: [u8; 32],
    /// Ed25519.
    pub signing_key: [u8; 32],
    /// IK.
    pub identity_key: [u8; 32],
    /// Pair keys of the direction to it: mask, gate, control.
    #[serde(with = "secret_form")]
    pub sending_pair: Shared<96>,
    /// Pair keys of the direction from it.
    #[serde(with = "secret_form")]
    pub receiving_pair: Shared<96>,
    /// When it left the list, in ms.
    pub stale_since: Option<u64>,
    /// The highest epoch of our own list that it claimed to know.
    pub knows_epoch: u64,
    /// Bytes of group content held from it (X 9).
    pub held: u64,
    /// Bytes of group operations held from it.
    pub held_operations: u64,
    /// For each scope the highest generation of any session forgotten (X 3).
    pub floors: Vec<(Scope, u64)>,
    /// Every session, in no order: which is active is derived (X 3).
    pub sessions: Vec<SessionMeta>,
}
impl Record for Peer {}

/// What decides over a session's place and life.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SessionMeta {
    /// SessionID.
    pub id: SessionId,
    /// What it is for.
    pub scope: Scope,
    /// Its place in the order.
    pub generation: u64,
    /// In ms; the start of its age.
    pub created_at: u64,
    /// EK of its initiation message, or E_A of its opening.
    pub ephemeral_key: [u8; 32],
    /// Whether this device began it and has no answer yet.
    pub initiating: bool,
    /// When it first decrypted something, in ms.
    pub answered_at: Option<u64>,
    /// Demoted by a reset (X 8).
    pub demoted: bool,
}
