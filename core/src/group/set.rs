//! The set of operations that a device has for one group.
//!
//! Whether an operation enters depends only on the operation and on its past, never on the order of arrival. What of it is *kept* is a function of
//! what has entered: for each slot, the two operations with the lowest ids, and the whole past of each. The rest are *spares*. So a device
//! that signs many operations under one number takes no room from anybody, and two devices that have heard the same keep the same
//! (`docs/adr/0036`).

use super::{
    index::Index,
    operation::{Operation, group_id, is_last_word},
    past::Past,
};
use crate::{
    crypto::{
        kdf::{join, sha256},
        labels,
    },
    error::Code,
    ids::{AccountKey, DeviceId, GroupId, OperationId, UserId},
    limits::{MAX_OPERATION_BYTES_TAKEN, MAX_OPERATIONS_TAKEN},
    model::Claim,
    wire::group::Body,
};
use std::collections::{BTreeMap, BTreeSet};

/// All operations of one group that a device has.
#[derive(Clone, Debug)]
pub struct Set {
    id: GroupId,
    /// All that have entered. Its indices are the operations' *places*; parents come before their children.
    pub(super) operations: Vec<Operation>,
    /// The past of each.
    pub(super) past: Vec<Past>,
    pub(super) places: BTreeMap<OperationId, usize>,
    /// The decoded form of every user id that an add names.
    pub(super) users: BTreeMap<Vec<u8>, UserId>,
    pub(super) index: Index,
    /// The places of what is kept.
    pub(super) kept: Past,
    /// Whether something that was kept may be kept no more.
    unsettled: bool,
}

/// The result of [`Set::take`].
#[derive(Debug, Default)]
pub struct Taken {
    /// The operations that the set did not have before. Parents come before their children.
    pub new: Vec<OperationId>,
    /// The operations with a parent that the set does not have yet.
    pub waiting: Vec<Operation>,
    /// Why each of the offered operations that can never enter was refused.
    pub refused: Vec<Code>,
    /// Spares that the set had before, and forgot to have room.
    pub dropped: Vec<Operation>,
    /// Whether the set takes nothing but last words any more.
    pub full: bool,
}

/// The user and the device that signed an operation.
pub type Author = (UserId, DeviceId);

impl Set {
    /// An empty set for the group with this id.
    #[must_use]
    pub fn new(id: GroupId) -> Self {
        Self {
            id,
            operations: Vec::new(),
            past: Vec::new(),
            places: BTreeMap::new(),
            users: BTreeMap::new(),
            index: Index::default(),
            kept: Past::default(),
            unsettled: false,
        }
    }

    /// A set from operations that had entered before they were stored, in any order.
    ///
    /// # Errors
    /// [`Code::RecordInconsistent`] if one of them does not enter.
    pub fn restore(id: GroupId, mut operations: Vec<Operation>) -> Result<Self, Code> {
        let mut set = Self::new(id);
        operations.sort_by(|a, b| a.order().cmp(&b.order()));
        for operation in operations {
            if !set.enter(operation).map_err(|_| Code::RecordInconsistent)? {
                return Err(Code::RecordInconsistent);
            }
        }
        set.settle();
        Ok(set)
    }

    /// The GroupID.
    #[must_use]
    pub fn id(&self) -> GroupId {
        self.id
    }

    /// Whether this operation has entered.
    #[must_use]
    pub fn has(&self, id: &OperationId) -> bool {
        self.places.contains_key(id)
    }

    /// The operation with this id, if it has entered.
    #[must_use]
    pub fn operation(&self, id: &OperationId) -> Option<&Operation> {
        self.places.get(id).and_then(|at| self.operations.get(*at))
    }

    /// All that have entered, spares included, parents before children.
    #[must_use]
    pub fn entered(&self) -> &[Operation] {
        &self.operations
    }

    /// The operations that are kept, with their places, in no order that two devices share.
    pub(super) fn kept(&self) -> impl Iterator<Item = (usize, &Operation)> {
        self.operations.iter().enumerate().filter(|(at, _)| self.kept.has(*at))
    }

    /// The operations that are kept, parents before children, in an order that is the same on every device.
    #[must_use]
    pub fn operations(&self) -> Vec<&Operation> {
        let mut all: Vec<&Operation> = self.kept().map(|(_, operation)| operation).collect();
        all.sort_by_key(|operation| operation.order());
        all
    }

    /// Takes in all operations that can enter, in any order. Operations that have entered already are skipped.
    ///
    /// `waited` holds operations that arrived earlier and lacked parents. One that is refused touches no other.
    pub fn take(&mut self, offered: Vec<Operation>, waited: Vec<Operation>) -> Taken {
        let mut taken = Taken::default();
        let mut all: Vec<(Operation, bool)> = offered.into_iter().map(|operation| (operation, true)).collect();
        all.extend(waited.into_iter().map(|operation| (operation, false)));
        // If an operation is in both lists, the offered one is kept.
        all.sort_by(|(a, a_offered), (b, b_offered)| a.order().cmp(&b.order()).then(b_offered.cmp(a_offered)));
        all.dedup_by(|(a, _), (b, _)| a.id == b.id);
        let always = with_what_leads_there(&all);
        let mut may_drop = true;
        // A parent has a lower Lamport number than its child. In this order one pass is enough.
        for (operation, is_offered) in all {
            let id = operation.id;
            if self.has(&id) {
                continue;
            }
            if self.is_above(1) && may_drop {
                taken.dropped = self.drop_spares();
                taken.full = self.is_above(1);
                may_drop = false;
            }
            if self.is_above(1) && (self.is_above(2) || !always.contains(&id)) {
                continue;
            }
            match self.enter(operation.clone()) {
                Ok(true) => taken.new.push(id),
                Ok(false) => taken.waiting.push(operation),
                Err(code) if is_offered => taken.refused.push(code),
                Err(_) => {}
            }
        }
        self.settle();
        taken.new.retain(|id| self.has(id));
        taken
    }

    /// Takes in one operation; `false` if the set lacks a parent of it. Then, and if an error is returned, the set is unchanged.
    ///
    /// # Errors
    /// - [`Code::WrongScope`]: the operation belongs to another group.
    /// - [`Code::AuthorNotMember`]: no create or add in the operation's past names its author.
    /// - [`Code::ForbiddenOperation`]: an accept or decline of an add that does not invite the author, or an add that names as
    ///   a leave something that is no leave of that identity.
    /// - [`Code::MalformedOperation`]: a wrong Lamport number, a gap in the author's sequence, or a wrong GroupID.
    pub fn insert(&mut self, operation: Operation) -> Result<bool, Code> {
        let entered = self.enter(operation)?;
        self.settle();
        Ok(entered)
    }

    fn enter(&mut self, operation: Operation) -> Result<bool, Code> {
        if operation.form.group != self.id.0 {
            return Err(Code::WrongScope);
        }
        if self.has(&operation.id) {
            return Ok(true);
        }
        let mut past = Past::default();
        let mut lamport = 0;
        for parent in operation.parents() {
            let Some(at) = self.places.get(&parent).copied() else { return Ok(false) };
            let (known, before) = self.operations.get(at).zip(self.past.get(at)).ok_or(Code::Internal)?;
            lamport = lamport.max(known.form.lamport);
            past.unite(before);
            past.add(at);
        }
        if operation.form.lamport != lamport.saturating_add(1) {
            return Err(Code::MalformedOperation);
        }
        self.check(&operation, &past)?;
        if !self.follows_its_own(&operation, &past) {
            return Err(Code::MalformedOperation);
        }
        if let Body::Add { members } = &operation.form.body {
            for added in members.as_slice() {
                let bytes = added.user.as_slice().to_vec();
                let user = UserId::try_new(bytes.clone()).ok_or(Code::MalformedOperation)?;
                self.users.insert(bytes, user);
            }
        }
        let at = self.operations.len();
        self.places.insert(operation.id, at);
        let (rank, of) = self.index.note(&operation, at);
        if rank < KEPT_OF_A_SLOT {
            self.kept.unite(&past);
            self.kept.add(at);
            self.unsettled |= of > KEPT_OF_A_SLOT;
        }
        self.operations.push(operation);
        self.past.push(past);
        Ok(true)
    }

    /// Whether the operation has its author's previous operation in its past.
    ///
    /// A device knows its own operations. An operation without the previous one in its past would be dated
    /// back, for example to place a leave before the author's own add.
    fn follows_its_own(&self, operation: &Operation, past: &Past) -> bool {
        let mut slot = operation.slot();
        slot.sequence = slot.sequence.saturating_sub(1);
        slot.sequence == 0 || self.index.slot(&slot).any(|at| past.has(at))
    }

    fn check(&self, operation: &Operation, past: &Past) -> Result<(), Code> {
        let seen = |id: &[u8; 32]| {
            let at = self.places.get(&OperationId(*id)).filter(|at| past.has(**at));
            at.and_then(|at| self.operations.get(*at))
        };
        match &operation.form.body {
            Body::Create { account_key, random, .. } => {
                let account_key = AccountKey(*account_key);
                let fits = group_id(&account_key, random) == self.id && account_key == operation.account_key;
                return if fits { Ok(()) } else { Err(Code::MalformedOperation) };
            }
            Body::Add { members } => {
                for added in members.as_slice() {
                    let theirs = |leave: &[u8; 32]| {
                        seen(leave).is_some_and(|leave| {
                            matches!(leave.form.body, Body::Leave)
                                && leave.author.as_bytes() == added.user.as_slice()
                                && leave.account_key.0 == added.account_key
                        })
                    };
                    if !added.leaves.iter().all(theirs) {
                        return Err(Code::ForbiddenOperation);
                    }
                }
            }
            Body::Accept { add } | Body::Decline { add } => {
                let names_author = |add: &Operation| match &add.form.body {
                    Body::Add { members } => members.iter().any(|added| {
                        added.user.as_slice() == operation.author.as_bytes()
                            && added.account_key == operation.account_key.0
                            && !added.leaves.as_slice().is_empty()
                    }),
                    _ => false,
                };
                if !seen(add).is_some_and(names_author) {
                    return Err(Code::ForbiddenOperation);
                }
            }
            Body::Info { .. } | Body::Leave | Body::Retire { .. } => {}
        }
        // The author must have been named by some add or by the create. If the author may no longer speak, the
        // operation is still inserted, but does not count: other devices may have inserted it before they could
        // know.
        let naming = self.index.naming.get(&(operation.author.clone(), operation.account_key));
        let named = naming.is_some_and(|places| places.iter().any(|at| past.has(*at)));
        if named { Ok(()) } else { Err(Code::AuthorNotMember) }
    }

    /// Finds anew what is kept, once something was displaced.
    fn settle(&mut self) {
        if !core::mem::take(&mut self.unsettled) {
            return;
        }
        let mut kept = Past::default();
        for (_, at) in self.index.slots().flat_map(|slot| slot.iter().take(KEPT_OF_A_SLOT)) {
            kept.add(*at);
            self.past.get(*at).into_iter().for_each(|past| kept.unite(past));
        }
        self.kept = kept;
    }

    /// Whether what has entered passes so many times the bounds.
    fn is_above(&self, times: usize) -> bool {
        self.operations.len() >= times * MAX_OPERATIONS_TAKEN || self.index.bytes > times * MAX_OPERATION_BYTES_TAKEN
    }

    /// Forgets the spares.
    fn drop_spares(&mut self) -> Vec<Operation> {
        self.settle();
        if self.kept.count() == self.operations.len() {
            return Vec::new();
        }
        let (mut rest, mut dropped) = (Self::new(self.id), Vec::new());
        for (at, operation) in core::mem::take(&mut self.operations).into_iter().enumerate() {
            // What is kept is kept with its past, so that it enters again.
            if !self.kept.has(at) || rest.enter(operation.clone()) != Ok(true) {
                dropped.push(operation);
            }
        }
        *self = rest;
        dropped
    }

    /// Whether the create or any add that has entered names this identity, even if that operation does not count or is a spare: what such a
    /// newcomer says makes it kept.
    #[must_use]
    pub fn names(&self, user: &UserId, account_key: &AccountKey) -> bool {
        self.index.naming.contains_key(&(user.clone(), *account_key))
    }

    /// The digest and the number of the operations that are kept.
    ///
    /// > `digest = SHA-256(join(label, every operation's id, rising))[16]`
    #[must_use]
    pub fn claim(&self) -> Claim {
        let ids: Vec<&[u8]> =
            self.places.iter().filter(|(_, at)| self.kept.has(**at)).map(|(id, _)| id.0.as_slice()).collect();
        let count = u16::try_from(ids.len()).unwrap_or(u16::MAX);
        let fields: Vec<&[u8]> = core::iter::once(labels::GROUP_DIGEST).chain(ids).collect();
        let mut digest = [0; 16];
        digest.iter_mut().zip(sha256(&join(&fields))).for_each(|(to, from)| *to = from);
        Claim { count, digest }
    }

    /// Devices that signed two operations with the same sequence number, each with two of them (A53).
    #[must_use]
    pub fn equivocators(&self) -> BTreeMap<Author, (&Operation, &Operation)> {
        let mut twice = BTreeMap::new();
        for slot in self.index.slots() {
            let mut lowest = slot.iter().filter_map(|(_, at)| self.operations.get(*at));
            if let (Some(one), Some(other)) = (lowest.next(), lowest.next()) {
                twice.entry((one.author.clone(), one.device())).or_insert((one, other));
            }
        }
        twice
    }

    /// Whether an operation is before another.
    pub(super) fn is_before(&self, earlier: usize, later: usize) -> bool {
        self.past.get(later).is_some_and(|past| past.has(earlier))
    }
}

/// Of the operations with one slot, so many with the lowest ids are kept. Two are enough to show an equivocation, and an honest device has
/// one.
const KEPT_OF_A_SLOT: usize = 2;

/// The last words among these operations, and what lies before them: a full set has room for them.
fn with_what_leads_there(all: &[(Operation, bool)]) -> BTreeSet<OperationId> {
    let mut wanted = BTreeSet::new();
    // Children come after their parents.
    for (operation, _) in all.iter().rev() {
        if is_last_word(&operation.form.body) || wanted.contains(&operation.id) {
            wanted.insert(operation.id);
            wanted.extend(operation.parents());
        }
    }
    wanted
}
