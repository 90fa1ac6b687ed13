//! A session at rest, in parts that change at different speeds: what every message changes is small and alone.

use super::{Record, secret_form};
use crate::{ids::SessionId, secret::Shared};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What changes with a DH ratchet step only (Double Ratchet 4.3).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Cold {
    /// AD_session (X 2).
    pub associated_data: [u8; 32],
    /// RK.
    #[serde(with = "secret_form::secret")]
    pub root: Shared<32>,
    /// DHs.
    pub ours: RatchetKeys,
    /// DHr.
    pub their_ratchet: Option<[u8; 32]>,
    /// HKs.
    #[serde(with = "secret_form::option")]
    pub sending_header: Option<Shared<32>>,
    /// NHKs.
    #[serde(with = "secret_form::secret")]
    pub next_sending_header: Shared<32>,
    /// PN.
    pub previous_length: u32,
    /// The number of the current receiving chain; 0 before the first.
    pub chain: u32,
    /// HKr.
    #[serde(with = "secret_form::option")]
    pub receiving_header: Option<Shared<32>>,
    /// NHKr.
    #[serde(with = "secret_form::secret")]
    pub next_receiving_header: Shared<32>,
    /// Receiving chains that may still have skipped message keys, oldest first.
    pub old_chains: Vec<OldChain>,
}

/// A key pair of the ratchet. Both halves are kept, so that no message computes the public one again.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RatchetKeys {
    /// The private key.
    #[serde(with = "secret_form::secret")]
    pub private: Shared<32>,
    /// The public key, which every header names. Absent until this side sends: the sending half of the DH ratchet step is owed till then.
    pub public: Option<[u8; 32]>,
}

/// A receiving chain that was left by a DH ratchet step.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct OldChain {
    /// Its number.
    pub number: u32,
    /// Its header key.
    #[serde(with = "secret_form::secret")]
    pub header: Shared<32>,
}

/// What changes with every message.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Hot {
    /// CKs.
    #[serde(with = "secret_form::option")]
    pub sending_chain: Option<Shared<32>>,
    /// Ns.
    pub sent: u32,
    /// CKr.
    #[serde(with = "secret_form::option")]
    pub receiving_chain: Option<Shared<32>>,
    /// Nr.
    pub received: u32,
    /// Counts what this device sent to that one in this scope, over all sessions.
    pub sequence: u64,
    /// Messages accepted on this session.
    pub accepted: u64,
    /// The value of `accepted` when the oldest stored message key was skipped.
    pub oldest_skipped: Option<u64>,
}
impl Record for Hot {
    const CHANGES: bool = true;
}

/// The whole of what changes rarely.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SessionCold {
    /// The ratchet's part, which every step of the session shares.
    pub ratchet: Arc<Cold>,
    /// What every message of an initiating session repeats; gone with the first answer.
    pub beginning: Option<Beginning>,
}
impl Record for SessionCold {}

/// How an initiating session begins.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Beginning {
    /// By PQXDH: the clear fields of its initiation (PQXDH 3.3).
    Initiation(Vec<u8>),
    /// Inside a direct message (X 4).
    Opening(Opening),
}

/// What opens a session in a scope.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Opening {
    /// E_A.
    pub ephemeral_key: [u8; 32],
    /// The 32 random bytes.
    #[serde(with = "secret_form::secret")]
    pub seed: Shared<32>,
    /// The direct session that carried it, as long as it was only one: an answer in the scope answers that one too.
    pub carrier: Option<SessionId>,
}

/// Where the skipped message keys of a session are.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Directory {
    /// One entry for each block of 16, oldest first.
    pub blocks: Vec<BlockEntry>,
    /// Runs of numbers whose keys were thrown away unused or never made, oldest first.
    pub expired: Vec<ExpiredRun>,
}
impl Record for Directory {}

/// Neighbouring message numbers of a receiving chain.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ExpiredRun {
    /// The receiving chain.
    pub chain: u32,
    /// The first number.
    pub from: u32,
    /// The number after the last.
    pub until: u32,
}

/// What is known of 16 neighbouring message numbers.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BlockEntry {
    /// The receiving chain.
    pub chain: u32,
    /// The first message number, divided by 16.
    pub block: u32,
    /// Which of the 16 keys are stored.
    pub stored: u16,
    /// Which of the 16 were thrown away unused. When all were, they become a part of a run.
    pub expired: u16,
    /// The value of `Hot::accepted` when the block was begun.
    pub born: u64,
}

/// Up to 16 skipped message keys.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Block {
    /// The keys by their place, 0 to 15, rising.
    pub keys: Vec<Slot>,
}
impl Record for Block {}

/// One skipped message key.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Slot {
    /// The message number modulo 16.
    pub place: u8,
    /// MK.
    #[serde(with = "secret_form::secret")]
    pub key: Shared<32>,
}

/// From a chain tag to its session (X 1).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct IndexEntry {
    /// SessionID.
    pub session: SessionId,
    /// The receiving chain that the tag belongs to.
    pub chain: u32,
}
impl Record for IndexEntry {
    // What comes on its chain has no session then, and the peer is asked to begin another.
    const SPARE: bool = true;
}
