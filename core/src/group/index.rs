//! What a set knows of its operations by slot and by whom they name (X 11). An insertion asks this instead of each operation, so that a set of
//! n operations costs no n squared. It judges nothing.

use super::operation::{Operation, Slot};
use crate::{
    ids::{AccountKey, OperationId, UserId},
    wire::group::Body,
};
use std::collections::BTreeMap;

/// What an insertion asks of the operations that are there, so that it need not look at each.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Bytes of all operations and of the lists that they cite, each list once.
    pub(super) bytes: usize,
    lists: BTreeMap<[u8; 32], u32>,
    /// The operations of each slot, rising by id, with their places.
    slots: BTreeMap<Slot, Vec<(OperationId, usize)>>,
    /// The places of the operations that name an identity as a member: a create names its creator, an add the users whom it adds.
    pub(super) naming: BTreeMap<(UserId, AccountKey), Vec<usize>>,
}

impl Index {
    /// Takes in an operation that is at this place. Gives its rank among those of its slot, and how many there are.
    pub(super) fn note(&mut self, operation: &Operation, at: usize) -> (usize, usize) {
        self.bytes = self.bytes.saturating_add(operation.signed.len());
        if self.lists.insert(operation.form.list, operation.list_size).is_none() {
            self.bytes = self.bytes.saturating_add(operation.list_size as usize);
        }
        match &operation.form.body {
            Body::Create { .. } => {
                self.naming.entry((operation.author.clone(), operation.account_key)).or_default().push(at);
            }
            Body::Add { members } => {
                for added in members.as_slice() {
                    if let Some(user) = UserId::try_new(added.user.as_slice().to_vec()) {
                        self.naming.entry((user, AccountKey(added.account_key))).or_default().push(at);
                    }
                }
            }
            _ => {}
        }
        let slot = self.slots.entry(operation.slot()).or_default();
        let rank = slot.partition_point(|(id, _)| *id < operation.id);
        slot.insert(rank, (operation.id, at));
        (rank, slot.len())
    }

    /// The places of the operations in a slot, those with the lowest ids first.
    pub(super) fn slot(&self, slot: &Slot) -> impl Iterator<Item = usize> {
        self.slots.get(slot).into_iter().flatten().map(|(_, at)| *at)
    }

    /// The places of each slot's operations, those with the lowest ids first.
    pub(super) fn slots(&self) -> impl Iterator<Item = &[(OperationId, usize)]> {
        self.slots.values().map(Vec::as_slice)
    }

    /// The places of what a device has signed, rising by sequence number.
    pub(super) fn signed(&self, account_key: AccountKey, signing_key: [u8; 32]) -> impl Iterator<Item = usize> {
        let slot = |sequence| Slot { account_key, signing_key, sequence };
        self.slots.range(slot(0)..=slot(u64::MAX)).flat_map(|(_, places)| places.iter().map(|(_, at)| *at))
    }
}
