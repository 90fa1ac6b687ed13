//! The mailbox of each device, and the receipts of the batches that were put into mailboxes.

use crate::{
    Caller,
    limits::{KEEP_RECEIPTS, PAGE},
};
use core::fmt;
use sesame_core::{
    context::Timestamp,
    event::Batch,
    ids::{DeviceId, UserId},
};
use std::collections::{BTreeMap, VecDeque};

/// Why a batch was refused. Nothing of it was taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// An envelope is malformed, or names another sender or recipient than the batch.
    Malformed,
    /// The recipient does not exist.
    NoSuchUser,
    /// The calling device is not on its own user's current list, so it was removed.
    NotListed,
    /// The batch does not match the recipient's current device list.
    Stale {
        /// The current signed list.
        device_list: Vec<u8>,
        /// Listed devices that the batch does not name with their keys.
        missing: Vec<DeviceId>,
        /// Devices that the batch names and the list does not name with the same keys.
        gone: Vec<DeviceId>,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the batch is malformed",
            Self::NoSuchUser => "the recipient does not exist",
            Self::NotListed => "the calling device was removed",
            Self::Stale { .. } => "the batch does not match the recipient's device list",
        })
    }
}

impl core::error::Error for Refusal {}

/// An envelope in a mailbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mail {
    /// The id for [`crate::Relay::confirm`].
    pub id: u64,
    /// The envelope, as it was sent.
    pub envelope: Vec<u8>,
}

/// A batch that was taken.
#[derive(Clone, Copy)]
pub(crate) struct Taken {
    /// The id of its envelopes.
    pub(crate) id: u64,
    /// The hash of the device list that it was compared with.
    pub(crate) list: [u8; 32],
}

/// What a page of mail may hold.
#[derive(Clone, Copy)]
pub(crate) struct Page {
    /// Only envelopes with a higher id.
    pub(crate) after: u64,
    /// The most envelopes.
    pub(crate) limit: usize,
}

/// The name of a batch that was taken: for whom, and its receipt.
type Receipt = (UserId, [u8; 16]);

#[derive(Clone, Default)]
pub(crate) struct Mailboxes {
    /// The newest id. Each batch has one, for all its envelopes, so an id is unique in a mailbox.
    newest: u64,
    boxes: BTreeMap<(UserId, DeviceId), BTreeMap<u64, Vec<u8>>>,
    receipts: BTreeMap<Receipt, Taken>,
    /// The receipts in the order of their time.
    ages: VecDeque<(Timestamp, Receipt)>,
}

impl Mailboxes {
    /// Puts the envelopes of a batch that was compared with the list of this hash.
    pub(crate) fn put(&mut self, batch: &Batch, list: [u8; 32]) -> Taken {
        self.newest = self.newest.saturating_add(1);
        for outgoing in &batch.envelopes {
            let mailbox = self.boxes.entry((batch.user.clone(), outgoing.device)).or_default();
            mailbox.insert(self.newest, outgoing.envelope.clone());
        }
        Taken { id: self.newest, list }
    }

    /// The devices of a batch whose mailboxes hold as many envelopes as they may.
    pub(crate) fn full(&self, batch: &Batch, limit: usize) -> Vec<DeviceId> {
        let devices = batch.envelopes.iter().map(|outgoing| outgoing.device);
        devices.filter(|device| self.count((&batch.user, *device)) >= limit).collect()
    }

    pub(crate) fn receipt(&self, receipt: &Receipt) -> Option<Taken> {
        self.receipts.get(receipt).copied()
    }

    pub(crate) fn remember(&mut self, receipt: Receipt, taken: Taken, now: Timestamp) {
        self.receipts.insert(receipt.clone(), taken);
        self.ages.push_back((now, receipt));
    }

    pub(crate) fn drop_old_receipts(&mut self, now: Timestamp) {
        while let Some((_, receipt)) = self.ages.pop_front_if(|(taken_at, _)| now.since(*taken_at) >= KEEP_RECEIPTS) {
            self.receipts.remove(&receipt);
        }
    }

    pub(crate) fn fetch(&self, (user, device): Caller<'_>, limit: usize) -> Vec<Mail> {
        let mailbox = self.boxes.get(&(user.clone(), device));
        let mails = mailbox.into_iter().flatten().map(|(id, envelope)| Mail { id: *id, envelope: envelope.clone() });
        mails.take(limit).collect()
    }

    /// A page of a mailbox, oldest first, and how many envelopes come after it.
    pub(crate) fn page(&self, (user, device): Caller<'_>, page: Page) -> (Vec<Mail>, usize) {
        let Some(mailbox) = self.boxes.get(&(user.clone(), device)) else { return Default::default() };
        let (mut mails, mut bytes, mut left) = (Vec::<Mail>::new(), 0, 0);
        let first = page.after.checked_add(1);
        for (id, envelope) in first.into_iter().flat_map(|first| mailbox.range(first..)) {
            let fits = mails.is_empty() || bytes + envelope.len() <= PAGE;
            if left > 0 || !fits || mails.len() == page.limit {
                left += 1;
                continue;
            }
            bytes += envelope.len();
            mails.push(Mail { id: *id, envelope: envelope.clone() });
        }
        (mails, left)
    }

    /// Deletes envelopes by their ids. Ids of others have no effect.
    pub(crate) fn confirm(&mut self, (user, device): Caller<'_>, ids: &[u64]) {
        if let Some(mailbox) = self.boxes.get_mut(&(user.clone(), device)) {
            for id in ids {
                mailbox.remove(id);
            }
        }
    }

    /// Deletes envelopes up to an id. An id that no envelope has yet has no effect, so that the same request later deletes nothing new.
    pub(crate) fn confirm_through(&mut self, (user, device): Caller<'_>, through: u64) {
        let mailbox = self.boxes.get_mut(&(user.clone(), device));
        if let Some(mailbox) = mailbox.filter(|_| through <= self.newest) {
            mailbox.retain(|id, _| *id > through);
        }
    }

    pub(crate) fn drop_device(&mut self, (user, device): Caller<'_>) {
        self.boxes.remove(&(user.clone(), device));
    }

    pub(crate) fn drop_user(&mut self, user: &UserId) {
        self.boxes.retain(|(owner, _), _| owner != user);
        self.receipts.retain(|(recipient, _), _| recipient != user);
        self.ages.retain(|(_, (recipient, _))| recipient != user);
    }

    pub(crate) fn waiting(&self) -> BTreeMap<(UserId, DeviceId), usize> {
        self.boxes.iter().map(|(owner, mailbox)| (owner.clone(), mailbox.len())).collect()
    }

    fn count(&self, (user, device): Caller<'_>) -> usize {
        self.boxes.get(&(user.clone(), device)).map_or(0, BTreeMap::len)
    }
}
