//! What the receiving side keeps besides the inbox: counters, envelopes that were seen, and what is held (X 8, X 9).

use super::{Record, form::stored};
use crate::{
    event::Flags,
    ids::{AccountKey, DeviceId, EnvelopeId, GroupId, Scope, SessionId, UserId},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// Counters of this device.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Counters {
    /// The number of the newest inbox row, the first of which is 1: in C, 0 is no row.
    pub last_item: u64,
    /// Bytes held in all (X 9).
    pub held: Kept,
    /// Of these, what users who are not known have sent.
    pub held_of_others: Kept,
    /// Invitations of users who are not known.
    pub invitations: u16,
    /// Whether operations of somebody whom our user knows were dropped, and that device is to be asked for them.
    pub dropped: bool,
    /// The number of the newest send: sends are in the order in which they were made.
    pub last_send: u64,
    /// Whether a device may have other operations of a group than we, so that something is due to it.
    pub lagging: bool,
    /// The second of our clock from which something that came too early is tried again; 0: at the next occasion.
    pub early: Option<u64>,
    /// When something is to be asked of a device, or answered, by the age clock, in ms; 0: at the next occasion (X 8).
    pub heals_at: Option<u64>,
}
impl Record for Counters {}

/// Bytes that are held (X 9). Group operations have room of their own, so that neither keeps the other out.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Kept {
    /// Of envelopes, and of contents that are no operations.
    pub contents: u64,
    /// Of operations.
    pub operations: u64,
}

/// What a user may make this device keep, and what of it is taken (X 9). It outlives the user's record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Ledger {
    /// The user.
    pub user: UserId,
    /// Whether our user has written to this user, or has accepted them.
    pub known: bool,
    /// Bytes held.
    pub held: Kept,
    /// Invitations to groups that wait for our user's answer.
    pub invitations: u16,
    /// Whether the app was told that something was dropped, since there was room last.
    pub told: bool,
    /// Devices whose operations were dropped, each with its group: they are asked when there is room.
    pub dropped: Vec<(Scope, DeviceId)>,
    /// When they were asked last, by our age clock, in ms; 0: never.
    pub asked_at: u64,
    /// Groups that they asked our user into while they were not known, and that were dropped: what comes of them is still an invitation.
    pub unanswered: Vec<GroupId>,
}
impl Record for Ledger {
    // Whoever is forgotten by this is a stranger until our user writes to them again; what is held is counted anew each day.
    const SPARE: bool = true;
}

impl Ledger {
    /// The ledger of a user who is not known and of whom nothing is held.
    #[must_use]
    pub fn of(user: &UserId) -> Self {
        let (user, held) = (user.clone(), Kept::default());
        let (dropped, unanswered) = (Vec::new(), Vec::new());
        Self { user, known: false, held, invitations: 0, told: false, dropped, asked_at: 0, unanswered }
    }
}

/// That the app has forgotten a group (X 11): who is not known brings it back no more.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Forgotten {
    /// When, by our age clock, in ms.
    pub at: u64,
}
impl Record for Forgotten {
    const SPARE: bool = true;
}

/// How far a device's sequence has come.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Heard {
    /// The highest sequence number that was received from it.
    pub highest: u64,
}
impl Record for Heard {
    const SPARE: bool = true;
}

/// That an envelope was received (X 8).
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct SeenEnvelope {
    /// When, in ms.
    pub at: u64,
}
impl Record for SeenEnvelope {
    const SPARE: bool = true;
    const STAYS: bool = false;
}

/// Why an envelope is held as it came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// It comes from an identity with another account key, this one, which the app has not accepted.
    Identity(AccountKey),
    /// Its session is of a time that has not come yet.
    Early {
        /// The second of our clock from which it is taken.
        from: u64,
    },
    /// Its device stands on a list that is not taken.
    Unproved,
    /// It lies far ahead in its chain, and its user's messages have cost the call that it came in all the steps that they may (X 8).
    Steps,
}

impl Cause {
    /// The second from which an envelope that waits for this is tried by itself; `u64::MAX`: when a list of its user is taken. `None`: when the app says so.
    #[must_use]
    pub fn tried_from(self) -> Option<u64> {
        match self {
            Self::Identity(_) => None,
            Self::Early { from } => Some(from),
            Self::Steps => Some(0),
            Self::Unproved => Some(u64::MAX),
        }
    }
}

stored! { enum Cause { 0 = Identity(account_key), 1 = Early { from }, 2 = Unproved, 3 = Steps } }

/// An envelope that is authentic, and that cannot be opened yet (X 9).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Held {
    /// When it came, in ms.
    pub at: u64,
    /// What it waits for.
    pub cause: Cause,
    /// As it came.
    #[serde(with = "super::bytes_form")]
    pub envelope: Vec<u8>,
}
impl Record for Held {
    const SPARE: bool = true;
    const STAYS: bool = false;
}

/// Group content that waits for its group, or for its sender to turn out a member (X 9).
#[derive(Clone, Deserialize, Serialize)]
pub struct HeldContent {
    /// When it came, in ms.
    pub at: u64,
    /// The authenticated sender.
    pub user: UserId,
    /// The authenticated device.
    pub device: DeviceId,
    /// The envelope's name.
    pub envelope_id: EnvelopeId,
    /// The session that it came on.
    pub session_id: SessionId,
    /// What was unusual about it.
    pub flags: Flags,
    /// Opened, a `wire::content`.
    #[serde(with = "super::bytes_form")]
    pub content: Vec<u8>,
}
impl Record for HeldContent {
    const SPARE: bool = true;
    const STAYS: bool = false;
}

impl Drop for HeldContent {
    fn drop(&mut self) {
        self.content.zeroize();
    }
}

// By hand: a derived Debug would print the content.
impl core::fmt::Debug for HeldContent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "HeldContent({} bytes)", self.content.len())
    }
}
