//! Sends that are not settled, at rest: recipes instead of ciphertexts, and the plaintext once.

use super::{Again, Opening, Record, secret_form};
use crate::{
    error::Code,
    ids::{AccountKey, ContentId, DeviceId, Fingerprint, Scope, SendId, UserId},
    model::Claim,
    secret::Shared,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// One call of `batch_encrypt`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SendHead {
    /// The same in every copy and resend.
    pub content_id: ContentId,
    /// When it was sent, in ms.
    pub sent_at: u64,
    /// The users that have a part, the sender's own last.
    pub users: Vec<SentTo>,
    /// Set for a targeted message: the only device that it is for.
    pub target: Option<DeviceId>,
    /// Set for what is said in a group.
    pub group: Option<ToGroup>,
    /// Whether the library made the send by itself: its end is no event.
    pub quiet: bool,
    /// What it says.
    pub says: Says,
    /// A hash of what `batch_encrypt` was called with: a repeated call is the same send.
    pub arguments: [u8; 32],
}
impl Record for SendHead {
    const SPARE: bool = true;
}

impl SendHead {
    /// The entry of a user: the users rise, and our own comes last.
    #[must_use]
    pub fn to(&self, user: &UserId) -> Option<&SentTo> {
        let (last, others) = self.users.split_last()?;
        if last.user == *user {
            return Some(last);
        }
        others.binary_search_by(|to| to.user.cmp(user)).ok().and_then(|at| others.get(at))
    }

    /// The sessions that the send is said in.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.group.map_or(Scope::Direct, |group| group.scope)
    }
}

/// What a send says.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Says {
    /// The payload, or operations.
    Payload,
    /// That this device logs out.
    Departure,
    /// A step of a hand-over, which is the payload: a `wire::handover::Handover`.
    Handover,
    /// What the payload, a `wire::retry::Retry`, asks of one device; under the control key if it is `sealed` so, else in a direct session (X 8).
    Retry {
        /// Whether no session is needed.
        sealed: bool,
    },
    /// What was sent before: the payload is what a content has after its prelude, its mark included (X 8).
    Again {
        /// What is sent again.
        again: Again,
        /// The length of the app's bytes in it.
        payload: u32,
        /// What the padding keeps free beside them, without a riding list, in bytes.
        room: u32,
    },
}

impl Says {
    /// Whether it goes out without a session.
    #[must_use]
    pub fn needs_no_session(self) -> bool {
        self == Self::Retry { sealed: true }
    }
}

/// What is the same for all recipients of something said in a group.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ToGroup {
    /// A group's scope.
    pub scope: Scope,
    /// What the sender knew of the group's operations.
    pub claim: Claim,
    /// Whether the payload is operations, not the app's.
    pub operations: bool,
    /// What a transcript of the same direct message would add, in bytes, so that sizes tell nothing (X 10).
    pub transcript_room: u32,
}

/// A user that a send goes to, with the pin as it was when the send was made: a ciphertext must not change with it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SentTo {
    /// The user id.
    pub user: UserId,
    /// The pinned account key, absent at first contact; in a group the key of the member, and nobody else's devices get it.
    pub account_key: Option<AccountKey>,
    /// Further keys under which a group names the user, while we have pinned none: the signed list decides which of them is the member.
    pub also: Vec<AccountKey>,
    /// Whether the user compared safety numbers.
    pub verified: bool,
    /// Whether this user gets [`SendBody::welcome`] instead of the payload.
    pub welcome: bool,
}

/// What is said.
#[derive(Clone, Deserialize, Serialize)]
pub struct SendBody {
    /// The app's bytes, or operations.
    #[serde(with = "super::bytes_form")]
    pub payload: Vec<u8>,
    /// A group's whole state, for those whom it takes in.
    #[serde(with = "super::bytes_form")]
    pub welcome: Vec<u8>,
}
impl Record for SendBody {
    const SPARE: bool = true;
}

// By hand: a derived Debug would print what is said.
impl core::fmt::Debug for SendBody {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SendBody({} and {} bytes)", self.payload.len(), self.welcome.len())
    }
}

impl Drop for SendBody {
    fn drop(&mut self) {
        self.payload.zeroize();
        self.welcome.zeroize();
    }
}

/// Where the send stands with one user.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum PartState {
    /// Something is missing, or a batch waits for the server's word.
    Open,
    /// Given up; the code's number says why.
    Failed(u16),
    /// The server has taken it.
    Taken,
    /// Withdrawn by the app; the code's number says whether it may have been sent all the same.
    Cancelled(u16),
}

/// How much of a send is left, so that no answer has to read the whole send.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct SendTally {
    /// Parts that are open, apart from the copies for our own user.
    pub open: u32,
    /// Whether the part of our own user is open.
    pub own_open: bool,
    /// Whether the send goes to our own user alone, so that its end is the end of that part.
    pub to_self: bool,
    /// The inbox item that tells of the end.
    pub item: Option<u64>,
    /// Whether the app has acked that item.
    pub acked: bool,
    /// When it was sent, or last tried again, in ms: its age counts from then.
    pub tried_at: u64,
}
impl Record for SendTally {
    const SPARE: bool = true;
    const CHANGES: bool = true;
}

impl SendTally {
    /// Whether nothing of the send is left to do for the app.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.open == 0 && !(self.to_self && self.own_open)
    }
}

/// The send that has a content id.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct ContentOf {
    /// The send.
    pub send: SendId,
}
impl Record for ContentOf {
    const SPARE: bool = true;
}

/// A device that gets nothing, and why.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Skip {
    /// The DeviceID.
    pub device: DeviceId,
    /// The device's keys: a device that comes back with others is another one.
    pub fingerprint: Fingerprint,
    /// The number of the code that says why.
    pub reason: u16,
}

impl Skip {
    /// Whether the device is part of the batch. One that the server's list does not name is not.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.reason != Code::NotListed.number()
    }

    /// Whether the device is skipped because not all lists of its user name it.
    #[must_use]
    pub fn is_of_a_fork(&self) -> bool {
        !self.is_named() || self.reason == Code::DeviceListFork.number()
    }
}

/// The part of a send that goes to one user.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SendPart {
    /// The user id.
    pub user: UserId,
    /// Where it stands.
    pub state: PartState,
    /// How often the server refused it, or gave nothing new for it.
    pub refusals: u8,
    /// The devices that it was sent to, once it is taken.
    pub reached: u32,
    /// One for each device that has its ciphertext.
    pub entries: Vec<Entry>,
    /// Listed devices that get nothing.
    pub skips: Vec<Skip>,
}
impl Record for SendPart {
    const SPARE: bool = true;
}

impl SendPart {
    /// A part without any ciphertext.
    #[must_use]
    pub fn new(user: UserId) -> Self {
        Self { user, state: PartState::Open, refusals: 0, reached: 0, entries: Vec::new(), skips: Vec::new() }
    }

    /// Skips a device in this send. The app is told the reason.
    pub fn skip(&mut self, device: DeviceId, fingerprint: Fingerprint, reason: Code) {
        self.skips.retain(|skip| skip.device != device);
        self.skips.push(Skip { device, fingerprint, reason: reason.number() });
    }

    /// Gives the part up.
    pub fn fail(&mut self, reason: Code) {
        self.state = PartState::Failed(reason.number());
    }

    /// The part as it is kept after its end, which is in this state. What was taken needs no ciphertext any more; what was not keeps them, since
    /// a server may have taken it after all, and a retry must be the same batch then. A user none of whose devices was sent anything has not
    /// been reached.
    #[must_use]
    pub fn settled(&self, state: PartState, us: &UserId) -> Self {
        let taken = state == PartState::Taken;
        // Nobody else may be there to hear a note to oneself; but if others are, it was to reach them.
        let is_alone = self.user == *us && self.skips.is_empty();
        let nobody = taken && self.entries.is_empty() && !is_alone;
        let reason = self.skips.first().map_or(Code::UnknownUser.number(), |skip| skip.reason);
        Self {
            user: self.user.clone(),
            state: if nobody { PartState::Failed(reason) } else { state },
            refusals: self.refusals,
            reached: if taken { u32::try_from(self.entries.len()).unwrap_or(u32::MAX) } else { 0 },
            entries: if taken { Vec::new() } else { self.entries.clone() },
            skips: self.skips.clone(),
        }
    }

    /// The part once more, with the ciphertexts that it has.
    #[must_use]
    pub fn reopened(self) -> Self {
        Self { entries: self.entries, ..Self::new(self.user) }
    }

    /// The number of the code that the part was given up for.
    #[must_use]
    pub fn failure(&self) -> Option<u16> {
        match self.state {
            PartState::Open | PartState::Taken => None,
            PartState::Failed(code) | PartState::Cancelled(code) => Some(code),
        }
    }

    /// Whether a device has its ciphertext or is skipped.
    #[must_use]
    pub fn is_settled(&self, device: DeviceId) -> bool {
        self.has_entry(device) || self.skips.iter().any(|skip| skip.device == device)
    }

    /// Whether a device has its ciphertext.
    #[must_use]
    pub fn has_entry(&self, device: DeviceId) -> bool {
        self.entries.iter().any(|entry| entry.device == device)
    }
}

/// One ciphertext, as what makes it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Entry {
    /// The DeviceID.
    pub device: DeviceId,
    /// The keys that it was made for.
    pub fingerprint: Fingerprint,
    /// The encoded prelude of this device's content.
    #[serde(with = "super::bytes_form")]
    pub prelude: Vec<u8>,
    /// What the padding must have room for beside the payload, in bytes (X 10).
    pub room: u32,
    /// Everything else but the plaintext.
    pub recipe: Recipe,
    /// Set when a group's content rides inside a direct message (X 4).
    pub nested: Option<Nested>,
}

/// A message of a scope session that rides in an opening.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Nested {
    /// What opens the session.
    pub opening: Opening,
    /// The session's generation.
    pub generation: u64,
    /// The encoded prelude of the nested content.
    #[serde(with = "super::bytes_form")]
    pub prelude: Vec<u8>,
    /// Everything else but the plaintext.
    pub recipe: Recipe,
}

/// From a recipe and a content the same envelope comes out, always.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Recipe {
    /// The envelope's salt.
    pub salt: [u8; 16],
    /// Every envelope byte through the encrypted header.
    #[serde(with = "super::bytes_form")]
    pub head: Vec<u8>,
    /// The gate.
    pub gate: [u8; 16],
    /// AD_session.
    pub associated_data: [u8; 32],
    /// MK.
    #[serde(with = "secret_form::secret")]
    pub message_key: Shared<32>,
}
