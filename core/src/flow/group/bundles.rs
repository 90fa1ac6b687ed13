//! A group's operations on their way to others: bundles, each within one message (X 11).

use crate::{
    error::Code,
    group::{operation::Operation, set::Set},
    ids::{GroupId, UserId},
    limits::MAX_BUNDLE,
    record::StoredList,
    store::Kind,
    tx::{Tx, own::OwnList},
    wire::{
        group::{Bundle, EMPTY_BUNDLE, SignedOperation},
        size,
    },
};
use std::collections::BTreeSet;

/// All operations of a group with the lists that they cite, parents first.
pub(crate) fn whole(tx: &Tx<'_>, set: &Set) -> Result<Vec<Vec<u8>>, Code> {
    encode(tx, &set.id(), &set.operations())
}

/// What shows that a user has left, for a device that has not heard it and may lack what came before.
pub(crate) fn farewell(tx: &Tx<'_>, set: &Set, user: &UserId) -> Result<Vec<Vec<u8>>, Code> {
    encode(tx, &set.id(), &set.farewell(user))
}

/// Operations of this device, with our list.
pub(crate) fn of_ours(own: &OwnList, operations: &[&Operation]) -> Result<Vec<u8>, Code> {
    let mut signed = Vec::new();
    for operation in operations {
        signed.push(SignedOperation::decode(&operation.signed)?);
    }
    Bundle { lists: vec![own.signed()?.to_vec().into()].into(), operations: signed.into() }.encode()
}

/// The size of a group's state, in bytes: its operations with the lists that they cite.
pub(crate) fn size(tx: &Tx<'_>, set: &Set) -> Result<usize, Code> {
    let mut size = set.operations().iter().map(|operation| operation.signed.len()).sum();
    for key in tx.keys(&tx.places().group(Kind::GroupList, &set.id()))? {
        size += tx.get::<StoredList>(&key)?.map_or(0, |list| list.signed.len());
    }
    Ok(size)
}

/// Operations with the lists that they cite, in as many bundles as are needed.
fn encode(tx: &Tx<'_>, id: &GroupId, operations: &[&Operation]) -> Result<Vec<Vec<u8>>, Code> {
    let cited = |operation: &Operation| {
        let key = tx.places().in_group(Kind::GroupList, id, &operation.form.list);
        Ok::<_, Code>(tx.get::<StoredList>(&key)?.ok_or(Code::RecordInconsistent)?.signed)
    };
    let mut packing = Packing::default();
    for operation in operations {
        let mut list = None;
        if !packing.cited.contains(&operation.form.list) {
            list = Some(cited(operation)?);
        }
        if packing.is_full(operation, list.as_deref()) {
            packing.close()?;
            list = Some(cited(operation)?);
        }
        packing.add(operation, list)?;
    }
    packing.close()?;
    Ok(packing.done)
}

/// A bundle that is being filled, and those that are full.
struct Packing {
    lists: Vec<Vec<u8>>,
    operations: Vec<SignedOperation>,
    /// Bytes of the encoded bundle so far.
    size: usize,
    /// Hashes of the lists in it.
    cited: BTreeSet<[u8; 32]>,
    done: Vec<Vec<u8>>,
}

impl Default for Packing {
    fn default() -> Self {
        Self { lists: Vec::new(), operations: Vec::new(), size: EMPTY_BUNDLE, cited: BTreeSet::new(), done: Vec::new() }
    }
}

impl Packing {
    /// What an operation adds, in bytes.
    fn added(operation: &Operation, list: Option<&[u8]>) -> usize {
        operation.signed.len() + list.map_or(0, |list| size::riding(list.len()))
    }

    fn is_full(&self, operation: &Operation, list: Option<&[u8]>) -> bool {
        self.size + Self::added(operation, list) > MAX_BUNDLE && !self.operations.is_empty()
    }

    fn add(&mut self, operation: &Operation, list: Option<Vec<u8>>) -> Result<(), Code> {
        self.size += Self::added(operation, list.as_deref());
        if let Some(list) = list {
            self.lists.push(list);
            self.cited.insert(operation.form.list);
        }
        self.operations.push(SignedOperation::decode(&operation.signed).map_err(|_| Code::RecordInconsistent)?);
        Ok(())
    }

    /// Encodes the bundle and begins the next one.
    fn close(&mut self) -> Result<(), Code> {
        let lists: Vec<_> = core::mem::take(&mut self.lists).into_iter().map(Into::into).collect();
        let bundle = Bundle { lists: lists.into(), operations: core::mem::take(&mut self.operations).into() };
        self.done.push(bundle.encode()?);
        (self.size, self.cited) = (EMPTY_BUNDLE, BTreeSet::new());
        Ok(())
    }
}
