//! The decisions of the server, as functions over plain values. A server over SQL calls the same functions inside its transactions.

use core::fmt;
use sesame_core::{
    context::Timestamp,
    error::Code,
    event::Batch,
    ids::{AccountKey, DeviceId, Fingerprint, UserId},
    internal::{
        keys::{
            chain::{Chain, Relation, relate},
            device_list::{List, Listing, VerifiedDeviceList},
            party::fingerprint,
        },
        wire::{bundle::Publication, envelope::Envelope},
    },
};

/// A device with its keys, as the server compares devices.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Entry {
    /// The device id.
    pub device: DeviceId,
    /// The hash of the device's keys (X 6).
    pub fingerprint: Fingerprint,
}

impl Entry {
    fn of(user: &UserId, account_key: &AccountKey, listed: &Listing) -> Self {
        Self { device: listed.id, fingerprint: fingerprint(user, account_key, listed) }
    }
}

/// What the server must know of a user's current list to decide about uploads and batches.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// The user's account key.
    pub account_key: AccountKey,
    /// The epoch of the list.
    pub epoch: u64,
    /// The hash of the list.
    pub hash: [u8; 32],
    /// The history of the list (X 5).
    pub history: [u8; 32],
    /// The highest DeviceID that was ever given.
    pub last_id: u32,
    /// The listed devices, rising by id.
    pub view: Vec<Entry>,
}

impl Standing {
    /// Whether a list is this one or is proved to descend from it.
    fn is_followed_by(&self, offered: &VerifiedDeviceList) -> bool {
        let chain = Chain { first: self.epoch, history: self.history, hashes: vec![self.hash] };
        match relate(&chain, &offered.branch) {
            Relation::Same => true,
            Relation::Newer => {
                // An id that was given names that device for ever.
                let is_again = |entry: &Entry| entry.device.0 <= self.last_id && !self.view.contains(entry);
                let view = Self::from(offered).view;
                offered.list.last_id >= self.last_id && !view.iter().any(is_again)
            }
            Relation::Older | Relation::Fork | Relation::Unproved | Relation::Unknown => false,
        }
    }

    /// The listed device with this id.
    #[must_use]
    pub fn entry(&self, device: DeviceId) -> Option<&Entry> {
        self.view.iter().find(|entry| entry.device == device)
    }
}

impl From<&VerifiedDeviceList> for Standing {
    fn from(list: &VerifiedDeviceList) -> Self {
        let account_key = list.account();
        let devices = list.list.devices.iter();
        let view = devices.map(|listed| Entry::of(&list.user, &account_key, listed)).collect();
        let List { epoch, hash, history, last_id, .. } = list.list;
        Self { account_key, epoch, hash, history, last_id, view }
    }
}

/// Why an upload was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PublishError {
    /// The upload is malformed, or the signature of its list does not verify.
    Malformed(Code),
    /// The upload is not from the calling device, or the user's list does not name that device with these keys.
    NotListed,
    /// Nothing proves that the list descends from the current one, or it gives out an id again.
    NotASuccessor,
    /// The user has another account key.
    OtherAccount,
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed(code) => code.text(),
            Self::NotListed => "the upload is not from a listed device",
            Self::NotASuccessor => "the list does not descend from the current one",
            Self::OtherAccount => "the user has another account key",
        })
    }
}

impl core::error::Error for PublishError {}

/// Decides about an upload: `offered` is the verified list in it, if it has one. Gives how the user stands after it.
///
/// > The server takes any higher list that is proved to descend from its current one by its links. The device that uploads is on the list that
/// > holds afterwards, with the keys in the upload.
///
/// # Errors
/// A [`PublishError`]: nothing of the upload may be taken.
pub fn decide_publish(
    current: Option<&Standing>,
    upload: &Publication,
    offered: Option<&VerifiedDeviceList>,
) -> Result<Standing, PublishError> {
    let after = match (current, offered) {
        (_, Some(offered)) => {
            if offered.user.as_bytes() != upload.user.as_slice() {
                return Err(PublishError::NotListed);
            }
            if let Some(current) = current {
                if current.account_key != offered.account() {
                    return Err(PublishError::OtherAccount);
                }
                if !current.is_followed_by(offered) {
                    return Err(PublishError::NotASuccessor);
                }
            }
            Standing::from(offered)
        }
        (Some(current), None) => current.clone(),
        (None, None) => return Err(PublishError::NotListed),
    };
    match (uploader(&after.account_key, upload), after.entry(DeviceId(upload.device))) {
        (Some(uploader), Some(listed)) if uploader == *listed => Ok(after),
        _ => Err(PublishError::NotListed),
    }
}

/// The device that an upload says it comes from; `None` for a malformed user id.
fn uploader(account_key: &AccountKey, upload: &Publication) -> Option<Entry> {
    let user = UserId::try_new(upload.user.as_slice().to_vec())?;
    let listed = Listing {
        id: DeviceId(upload.device),
        signing_key: upload.signing_key,
        identity_key: upload.identity_key,
        added_at_epoch: 0,
    };
    Some(Entry::of(&user, account_key, &listed))
}

/// The devices that are gone with a new list: those that it does not name, or names with other keys. Their prekeys, their mailboxes and
/// their push values go with them.
#[must_use]
pub fn departed(before: &Standing, after: &Standing) -> Vec<DeviceId> {
    before.view.iter().filter(|entry| !after.view.contains(entry)).map(|entry| entry.device).collect()
}

/// How an account ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// The account key has signed that it ends (`/v1/delete`).
    Deleted {
        /// When, by the clock of the user. What was signed before does not bring the account back.
        at: Timestamp,
    },
    /// The operator has forgotten it, for a user who has lost every device.
    Reset,
}

/// What the server keeps of an account that has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tombstone {
    /// The account key.
    pub account_key: AccountKey,
    /// How the account ended.
    pub end: End,
    /// Until when the tombstone counts.
    pub until: Timestamp,
}

/// Whether an account key may have a name of which these accounts have ended.
///
/// > For 90 days only the same account key may register the name of a deleted account again, and the account key of one that was reset may not.
#[must_use]
pub fn decide_name(tombstones: &[Tombstone], account_key: &AccountKey, now: Timestamp) -> bool {
    tombstones.iter().filter(|tombstone| now < tombstone.until).all(|tombstone| match tombstone.end {
        End::Deleted { .. } => tombstone.account_key == *account_key,
        End::Reset => tombstone.account_key != *account_key,
    })
}

/// The device that submits a batch. It is on its own user's list.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The user.
    pub user: &'a UserId,
    /// The device.
    pub entry: Entry,
}

/// The devices that a batch speaks for, rising by id: those that it names, and the sender if the batch is for the sender's own user.
/// `None` if the batch is malformed: a device is named twice, or an envelope is not from this sender to that device.
#[must_use]
pub fn spoken_for(sender: Sender<'_>, batch: &Batch) -> Option<Vec<Entry>> {
    let mut entries = Vec::with_capacity(batch.envelopes.len() + batch.skips.len() + 1);
    for outgoing in &batch.envelopes {
        let head = Envelope::decode(&outgoing.envelope).ok()?.head;
        let from = (head.sender.user.as_slice(), head.sender.device);
        let to = (head.recipient.user.as_slice(), head.recipient.device);
        if from != (sender.user.as_bytes(), sender.entry.device.0) || to != (batch.user.as_bytes(), outgoing.device.0) {
            return None;
        }
        entries.push(Entry { device: outgoing.device, fingerprint: outgoing.fingerprint });
    }
    entries.extend(batch.skips.iter().map(|skip| Entry { device: skip.device, fingerprint: skip.fingerprint }));
    if *sender.user == batch.user {
        entries.push(sender.entry);
    }
    entries.sort_unstable();
    entries.is_sorted_by(|one, next| one.device < next.device).then_some(entries)
}

/// Whether a batch that speaks for these devices is taken.
///
/// > A batch is taken if and only if the devices are exactly those on the current list, with the same keys; if the batch is targeted, if
/// > they are among them.
///
/// Both slices rise by device.
#[must_use]
pub fn decide_submit(view: &[Entry], spoken_for: &[Entry], targeted: bool) -> bool {
    if targeted { spoken_for.iter().all(|entry| view.contains(entry)) } else { view == spoken_for }
}

/// How the devices of a batch differ from the current list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Difference {
    /// Listed devices that the batch does not name.
    pub missing: Vec<DeviceId>,
    /// Devices that the batch names and the list does not.
    pub gone: Vec<DeviceId>,
    /// Devices that both name, with different keys.
    pub changed: Vec<DeviceId>,
}

/// Why a batch is not taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// An envelope is malformed, or names another sender or recipient than the batch.
    Malformed,
    /// The recipient does not exist.
    NoSuchUser,
    /// The sender is not on its own user's current list.
    NotListed,
    /// The batch does not match the recipient's current list.
    Stale(Difference),
}

/// Why [`decide_submit`] refuses a batch; `None` if it takes the batch. Each list rises.
#[must_use]
pub fn explain_refusal(view: &[Entry], spoken_for: &[Entry], targeted: bool) -> Option<Difference> {
    let find = |entries: &[Entry], device| entries.iter().find(|entry| entry.device == device).copied();
    let mut difference = Difference::default();
    for entry in spoken_for {
        match find(view, entry.device) {
            None => difference.gone.push(entry.device),
            Some(listed) if listed != *entry => difference.changed.push(entry.device),
            Some(_) => {}
        }
    }
    if !targeted {
        let missing = view.iter().filter(|entry| find(spoken_for, entry.device).is_none());
        difference.missing.extend(missing.map(|entry| entry.device));
    }
    (difference != Difference::default()).then_some(difference)
}

#[cfg(test)]
mod tests;
