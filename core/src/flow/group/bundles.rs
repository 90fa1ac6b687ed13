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
use std::collections::{BTreeMap, BTreeSet};

/// All operations of a group with the lists that they cite, parents first.
pub(crate) fn whole(tx: &Tx<'_>, set: &Set) -> Result<Vec<Vec<u8>>, Code> {
    encode(tx, &set.id(), &set.operations())
}

/// What shows that a user has left, for a device that has not heard it and may lack what came before.
pub(crate) fn farewell(tx: &Tx<'_>, set: &Set, user: &UserId) -> Result<Vec<Vec<u8>>, Code> {
    let words = set.farewell(user);
    if words.is_empty() { Ok(Vec::new()) } else { encode(tx, &set.id(), &words) }
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
pub(crate) fn size(set: &Set) -> usize {
    let operations = set.operations();
    // What spares cite goes to nobody.
    let lists: BTreeMap<[u8; 32], u32> = operations.iter().map(|o| (o.form.list, o.list_size)).collect();
    let lists: usize = lists.values().map(|size| *size as usize).sum();
    operations.iter().map(|operation| operation.signed.len()).sum::<usize>().saturating_add(lists)
}

/// Operations with the lists that they cite, in as many bundles as are needed.
///
/// What cites a list whose row is lost is left out: nobody could check it. Others tell it, and their bundles put the row back.
fn encode(tx: &Tx<'_>, id: &GroupId, operations: &[&Operation]) -> Result<Vec<Vec<u8>>, Code> {
    let mut packing = Packing::default();
    for operation in operations {
        let mut list = None;
        if !packing.cited.contains(&operation.form.list) {
            list = cited(tx, id, operation)?;
            if list.is_none() {
                continue;
            }
        }
        if packing.is_full(operation, list.as_deref()) {
            packing.close()?;
            list = cited(tx, id, operation)?;
        }
        packing.add(operation, list)?;
    }
    packing.close()?;
    Ok(packing.done)
}

/// The list that an operation cites, or `None` if its row is lost and it is not the newest of its user, which is kept in another place.
fn cited(tx: &Tx<'_>, id: &GroupId, operation: &Operation) -> Result<Option<Vec<u8>>, Code> {
    let key = tx.places().in_group(Kind::GroupList, id, &operation.form.list);
    if let Some(list) = tx.get::<StoredList>(&key)? {
        return Ok(Some(list.signed));
    }
    let known = tx.readable(&operation.author)?;
    let is_newest = known.and_then(|user| user.list.as_ref().map(|list| list.hash)) == Some(operation.form.list);
    let newest = if is_newest { tx.stored_list(&operation.author)?.signed } else { Vec::new() };
    Ok(Some(newest).filter(|list| !list.is_empty()))
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
