//! What a device makes out of a set: its next operation, and the operations that others are shown.

use super::{
    operation::{Draft, Operation, is_last_word},
    past::Past,
    set::Set,
};
use crate::{
    error::Code,
    ids::{AccountKey, DeviceId, OperationId, UserId},
    keys::party::Party,
    limits::{MAX_GROUP_SEQUENCE, MAX_GROUP_STATE, MAX_OPERATIONS, MAX_PARENTS, RESERVED_SEQUENCE},
    wire::group::Body,
};
use std::collections::BTreeSet;

impl Set {
    /// The next operation of a device, with its sequence number and its parents.
    ///
    /// # Errors
    /// [`Code::TooManyOperations`] if the device has no sequence number left or the group is full.
    pub fn draft(&self, party: &Party, body: Body) -> Result<Draft, Code> {
        let own = self.index.signed(party.account(), *party.signing_key.as_bytes()).last();
        let own = own.and_then(|at| Some((at, self.operations.get(at)?)));
        let sequence = own.map_or(0, |(_, own)| own.form.sequence).saturating_add(1);
        let full = self.kept().filter(|(_, o)| !is_last_word(&o.form.body)).count() >= MAX_OPERATIONS;
        let last_word = is_last_word(&body);
        let most = if last_word { MAX_GROUP_SEQUENCE } else { MAX_GROUP_SEQUENCE - RESERVED_SEQUENCE };
        if sequence > most || (full && !last_word) {
            return Err(Code::TooManyOperations);
        }
        let crowded = last_word && (full || self.index.bytes > MAX_GROUP_STATE);
        let parents = if crowded { self.least_parents(party, own) } else { self.heads(own) };
        let lamport = parents.iter().map(|parent| parent.form.lamport).max().unwrap_or(0).saturating_add(1);
        let mut parents: Vec<OperationId> = parents.iter().map(|parent| parent.id).collect();
        parents.sort_unstable();
        Ok(Draft { group: self.id(), sequence, lamport, parents, body })
    }

    /// The newest operations that nothing was built upon. The first has this device's previous operation in its past, or is it: a device
    /// builds upon its own word even if that is a spare.
    fn heads<'a>(&'a self, own: Option<(usize, &'a Operation)>) -> Vec<&'a Operation> {
        let built_upon: BTreeSet<OperationId> = self.kept().flat_map(|(_, operation)| operation.parents()).collect();
        let heads = self.kept().filter(|(_, operation)| !built_upon.contains(&operation.id));
        let spare = own.filter(|(at, _)| !self.kept.has(*at));
        let mut heads: Vec<(bool, &Operation)> = heads
            .chain(spare)
            .map(|(at, head)| (own.is_some_and(|(own, _)| at == own || self.is_before(own, at)), head))
            .collect();
        heads.sort_by_key(|(knows_own, head)| core::cmp::Reverse((*knows_own, head.form.lamport)));
        if let Some(rest) = heads.get_mut(1..) {
            rest.sort_by_key(|(_, head)| core::cmp::Reverse(head.form.lamport));
        }
        heads.truncate(MAX_PARENTS);
        heads.into_iter().map(|(_, head)| head).collect()
    }

    /// What a last word cites in a crowded set: no more than it must, so that everybody has it.
    fn least_parents<'a>(&'a self, party: &Party, own: Option<(usize, &'a Operation)>) -> Vec<&'a Operation> {
        let naming = self.index.naming.get(&(party.user.clone(), party.account())).into_iter().flatten();
        let naming = naming.filter(|at| self.kept.has(**at)).filter_map(|at| self.operations.get(*at));
        let mut parents: Vec<&Operation> = naming.min_by_key(|naming| naming.order()).into_iter().collect();
        parents.extend(own.map(|(_, own)| own).filter(|own| parents.iter().all(|parent| parent.id != own.id)));
        parents
    }

    /// The users in `add`, if `add` and some operation of the given device are concurrent. Those users were
    /// welcomed without that operation, and only its author can know that they lack it.
    #[must_use]
    pub fn uninformed(&self, add: &OperationId, (user, device): (&UserId, DeviceId)) -> Vec<UserId> {
        let Some(place) = self.places.get(add).copied().filter(|at| self.kept.has(*at)) else { return Vec::new() };
        let Some(Body::Add { members }) = self.operations.get(place).map(|add| &add.form.body) else {
            return Vec::new();
        };
        let mut own = self.kept().filter(|(_, operation)| operation.author == *user && operation.device() == device);
        // Concurrent: neither has the other in its past.
        let aside = own.any(|(at, _)| at != place && !self.is_before(at, place) && !self.is_before(place, at));
        let added = members.iter().filter_map(|added| self.users.get(added.user.as_slice()).cloned());
        if aside { added.collect() } else { Vec::new() }
    }

    /// The leaves of a user with the past of each leave, and nothing later.
    #[must_use]
    pub fn farewell(&self, user: &UserId) -> Vec<&Operation> {
        let mut shown = Past::default();
        let leaves = self.kept().filter(|(_, o)| o.author == *user && matches!(o.form.body, Body::Leave));
        for (at, _) in leaves {
            shown.add(at);
            self.past.get(at).into_iter().for_each(|past| shown.unite(past));
        }
        let mut all: Vec<&Operation> = self.kept().filter(|(at, _)| shown.has(*at)).map(|(_, o)| o).collect();
        all.sort_by_key(|operation| operation.order());
        all
    }

    /// The leaves of an identity that an invitation back must name. A leave with a later leave of the same identity
    /// after it is not needed.
    #[must_use]
    pub fn leaves_of(&self, user: &UserId, account_key: &AccountKey) -> Vec<OperationId> {
        let theirs = |o: &Operation| o.author == *user && o.account_key == *account_key;
        let all: Vec<(usize, &Operation)> =
            self.kept().filter(|(_, o)| matches!(o.form.body, Body::Leave) && theirs(o)).collect();
        let covered = |at: usize| all.iter().any(|(later, _)| self.is_before(at, *later));
        let mut leaves: Vec<OperationId> = all.iter().filter(|(at, _)| !covered(*at)).map(|(_, o)| o.id).collect();
        leaves.sort_unstable();
        leaves
    }

    /// The sequence number of a device's last operation, or 0 if it has none.
    #[must_use]
    pub fn last_sequence(&self, user: &UserId, account_key: &AccountKey, device: DeviceId) -> u64 {
        let own = self.operations.iter().filter(|o| o.signer() == (user, account_key, device));
        own.map(|o| o.form.sequence).max().unwrap_or(0)
    }
}
