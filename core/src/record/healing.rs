//! What is kept to heal: what a device asks of another one and was asked by it, and what was sent and may be asked for again (X 8).

use super::{Record, SendBody, SendHead, form::stored};
use crate::{
    ids::{DeviceId, Fingerprint, Scope, SendId, SessionId, UserId},
    wire::retry::{Asked, Cause},
};
use serde::{Deserialize, Serialize};

stored! {
    enum Cause {
        1 = NoSession,
        2 = ReusedIndex,
        3 = TooFarAhead,
        4 = UnknownPreKey,
        5 = ReplayedInitiation,
        6 = MessageKeyExpired,
        7 = BadBody,
    }
}

stored! { struct Asked { salt, cause } }

/// What is to be healed between this device and another one. There is none while everything opens.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Healing {
    /// The other device's user.
    pub user: UserId,
    /// The other device.
    pub device: DeviceId,
    /// Its envelopes that did not open and are to be asked for, in the order in which they came.
    pub owed: Vec<Asked>,
    /// Whether the other device cannot begin a session that we open: ours does.
    pub begins: bool,
    /// The salts that were asked for, the newest last.
    pub asked: Vec<[u8; 16]>,
    /// What it asks for, and was not answered yet.
    pub heard: Vec<Asked>,
    /// What the generation of our next reset lies above: its floor, as it said with that, or a session of its that did not open.
    pub floor: u64,
    /// When it was asked, by the age clock, within [`crate::limits::RETRY_WINDOW`].
    pub asked_at: Vec<u64>,
    /// When it was answered, likewise.
    pub answered_at: Vec<u64>,
    /// When this device began anew with it, by the age clock.
    pub reset_at: Option<u64>,
    /// Whether the next direct session with it is a reset.
    pub resets: bool,
}
impl Record for Healing {
    const SPARE: bool = true;
}

impl Healing {
    /// Nothing is to be healed.
    #[must_use]
    pub fn of(user: UserId, device: DeviceId) -> Self {
        Self {
            user,
            device,
            owed: Vec::new(),
            begins: false,
            asked: Vec::new(),
            heard: Vec::new(),
            floor: 0,
            asked_at: Vec::new(),
            answered_at: Vec::new(),
            reset_at: None,
            resets: false,
        }
    }
}

/// What went out to one user: enough to know an envelope again when it is asked for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SentPart {
    /// When it was sent, by the age clock, in ms.
    pub at: u64,
    /// What was sent again by it.
    pub again: Option<Again>,
    /// The scope that it was said in.
    pub scope: Scope,
    /// Whether what was said is a group's operations.
    pub operations: bool,
    /// One for each device that got an envelope.
    pub envelopes: Vec<SentEnvelope>,
}
impl Record for SentPart {
    const SPARE: bool = true;
    const STAYS: bool = false;
}

/// One envelope that went out.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SentEnvelope {
    /// The DeviceID.
    pub device: DeviceId,
    /// The keys that it was made for.
    pub fingerprint: Fingerprint,
    /// Its salt.
    pub salt: [u8; 16],
    /// The session that it was sealed on; for what was nested, the direct one around it.
    pub session: SessionId,
}

/// A message that is sent again.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Again {
    /// The send by which it went out first.
    pub of: SendId,
    /// How often it has been sent again with this.
    pub times: u8,
    /// The salt of the envelope in which the device got it first.
    pub salt: [u8; 16],
}

/// What was said by a send whose parts are settled.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Sent {
    /// When it was sent, by the age clock, in ms.
    pub at: u64,
    /// To whom.
    pub head: SendHead,
    /// What.
    pub body: SendBody,
}
impl Record for Sent {
    const SPARE: bool = true;
    const STAYS: bool = false;
}

/// For how many days what was sent is kept, as the app has set it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Keeping {
    /// The days; 0: nothing is kept.
    pub days: u32,
}
impl Record for Keeping {}
