//! What a set knows of its operations by signer, by author and by whom they name (X 11). An insertion asks this instead of each operation, so
//! that a set of n operations costs no n squared. It judges nothing.

use super::operation::{Operation, is_last_word};
use crate::{
    ids::{AccountKey, DeviceId, UserId},
    wire::group::Body,
};
use std::collections::BTreeMap;

/// What an insertion asks of the operations that are there, so that it need not look at each.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Operations that are no last words, and their bytes.
    pub(super) others: usize,
    pub(super) bytes: usize,
    signers: BTreeMap<(UserId, AccountKey, DeviceId), Signed>,
    pub(super) last_words: BTreeMap<(UserId, AccountKey), usize>,
    /// The places of the operations that name an identity as a member: a create names its creator, an add the users whom it adds.
    pub(super) naming: BTreeMap<(UserId, AccountKey), Vec<usize>>,
}

/// What one device has signed.
#[derive(Clone, Debug, Default)]
pub(super) struct Signed {
    /// Operations that are no last words.
    pub(super) others: u64,
    /// The places of all, by sequence number. Two may have the same.
    pub(super) places: BTreeMap<u64, Vec<usize>>,
}

impl Index {
    /// Takes in an operation that is at this place.
    pub(super) fn note(&mut self, operation: &Operation, at: usize) {
        let identity = (operation.author.clone(), operation.account_key);
        let signed = self.signers.entry(owned(operation)).or_default();
        signed.places.entry(operation.form.sequence).or_default().push(at);
        if is_last_word(&operation.form.body) {
            *self.last_words.entry(identity.clone()).or_default() += 1;
        } else {
            signed.others += 1;
            self.others += 1;
            self.bytes = self.bytes.saturating_add(operation.signed.len());
        }
        match &operation.form.body {
            Body::Create { .. } => self.naming.entry(identity).or_default().push(at),
            Body::Add { members } => {
                for added in members.as_slice() {
                    if let Some(user) = UserId::try_new(added.user.as_slice().to_vec()) {
                        self.naming.entry((user, AccountKey(added.account_key))).or_default().push(at);
                    }
                }
            }
            _ => {}
        }
    }

    /// What the device that signed an operation has signed.
    pub(super) fn signed(&self, operation: &Operation) -> Option<&Signed> {
        self.signers.get(&owned(operation))
    }
}

fn owned(operation: &Operation) -> (UserId, AccountKey, DeviceId) {
    let (user, account_key, device) = operation.signer();
    (user.clone(), *account_key, device)
}
