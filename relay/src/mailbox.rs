//! The mailbox of each device, and the rule for putting a batch into mailboxes.

use crate::{Caller, directory::Directory};
use core::fmt;
use sesame_core::{
    event::Batch,
    ids::{DeviceId, UserId},
    internal::wire::envelope::Envelope,
};
use std::collections::BTreeMap;

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
        /// Listed devices that the batch does not name.
        missing: Vec<DeviceId>,
        /// Devices that the batch names and the list does not.
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

#[derive(Clone, Debug, Default)]
pub(crate) struct Mailboxes {
    next: u64,
    boxes: BTreeMap<(UserId, DeviceId), BTreeMap<u64, Vec<u8>>>,
}

impl Mailboxes {
    pub(crate) fn submit(&mut self, directory: &Directory, from: Caller<'_>, batch: &Batch) -> Result<(), Refusal> {
        if !directory.devices(from.0).is_some_and(|own| own.contains(&from.1)) {
            return Err(Refusal::NotListed);
        }
        let mut listed = directory.devices(&batch.user).ok_or(Refusal::NoSuchUser)?;
        listed.retain(|device| (&batch.user, *device) != from);
        let mut named: Vec<DeviceId> = batch.envelopes.iter().map(|outgoing| outgoing.device).collect();
        for outgoing in &batch.envelopes {
            let envelope = Envelope::decode(&outgoing.envelope).map_err(|_| Refusal::Malformed)?;
            let (sender, recipient) = (&envelope.head.sender, &envelope.head.recipient);
            if (sender.user.as_slice(), sender.device) != (from.0.as_bytes(), from.1.0)
                || (recipient.user.as_slice(), recipient.device) != (batch.user.as_bytes(), outgoing.device.0)
            {
                return Err(Refusal::Malformed);
            }
        }
        named.extend(batch.skips.iter().map(|skip| skip.device));
        named.sort_unstable();
        let distinct = named.len();
        named.dedup();
        if named.len() != distinct {
            return Err(Refusal::Malformed);
        }
        let missing: Vec<DeviceId> = listed.iter().filter(|device| !named.contains(device)).copied().collect();
        let gone: Vec<DeviceId> = named.iter().filter(|device| !listed.contains(device)).copied().collect();
        if !gone.is_empty() || (!batch.targeted && !missing.is_empty()) {
            let device_list = directory.list(&batch.user).ok_or(Refusal::NoSuchUser)?;
            return Err(Refusal::Stale { device_list, missing, gone });
        }
        for outgoing in &batch.envelopes {
            let mailbox = self.boxes.entry((batch.user.clone(), outgoing.device)).or_default();
            mailbox.insert(self.next, outgoing.envelope.clone());
            self.next += 1;
        }
        Ok(())
    }

    pub(crate) fn fetch(&self, (user, device): Caller<'_>, limit: usize) -> Vec<Mail> {
        let mailbox = self.boxes.get(&(user.clone(), device));
        let mails = mailbox.into_iter().flatten().map(|(id, envelope)| Mail { id: *id, envelope: envelope.clone() });
        mails.take(limit).collect()
    }

    pub(crate) fn confirm(&mut self, (user, device): Caller<'_>, ids: &[u64]) {
        if let Some(mailbox) = self.boxes.get_mut(&(user.clone(), device)) {
            for id in ids {
                mailbox.remove(id);
            }
        }
    }

    pub(crate) fn waiting(&self) -> BTreeMap<(UserId, DeviceId), usize> {
        self.boxes.iter().map(|(owner, mailbox)| (owner.clone(), mailbox.len())).collect()
    }
}
