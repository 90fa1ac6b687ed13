//! Which operations count (X 11), as a function of the set alone.
//!
//! > The author must be a member at the point that the operation cites. A leave removes its author and nobody else.
//!
//! A retirement counts whatever else the set holds, because it is the word of an account key about its own device; a leave counts unless its
//! device was retired before. So the rules have no cycle: whether an operation counts depends on retirements and on what has a lower Lamport
//! number. What a leaver's devices say beside the leave stands: it was said by a member. An operation "depends on" a void add only if its
//! author is a member by that add alone (`docs/adr/0007`, `docs/adr/0036`).

use super::operation::Operation;
use crate::{
    ids::{AccountKey, DeviceId, OperationId, UserId},
    wire::group::Body,
};
use std::collections::BTreeMap;

/// The causal past of an operation: one bit for each operation of the set.
#[derive(Clone, Debug, Default)]
pub(super) struct Past(Vec<u64>);

impl Past {
    pub(super) fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    pub(super) fn add(&mut self, at: usize) {
        if self.0.len() <= at / 64 {
            self.0.resize(at / 64 + 1, 0);
        }
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    pub(super) fn unite(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(to, from)| *to |= from);
    }
}

/// One reason why a user may be a member: the create, or one entry of an add.
#[derive(Clone, Debug)]
pub(super) struct Tag {
    pub(super) at: usize,
    pub(super) account_key: AccountKey,
    /// The leaves that it names, by place in the set.
    leaves: Vec<usize>,
}

/// The standing of a user by one tag.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stand {
    /// Not a member: the add does not count, the user declined, or left without the tag naming that leave.
    None,
    /// The user is invited back and has not answered.
    Invited,
    /// The user is a member.
    Member,
}

/// The operations of a set, sorted by kind and by the user they concern.
pub(super) struct Judge<'a> {
    operations: &'a [Operation],
    past: &'a [Past],
    pub(super) tags: BTreeMap<&'a UserId, Vec<Tag>>,
    pub(super) leaves: BTreeMap<&'a UserId, Vec<usize>>,
    /// Answers to each invitation: the index of the answer, and whether it accepts.
    answers: BTreeMap<OperationId, Vec<(usize, bool)>>,
    retires: BTreeMap<(&'a UserId, DeviceId), Vec<(usize, u64)>>,
    /// For each operation, whether it counts.
    pub(super) valid: Vec<bool>,
}

impl<'a> Judge<'a> {
    /// `users` holds the decoded form of every user id that an add names.
    pub(super) fn new(
        operations: &'a [Operation],
        past: &'a [Past],
        places: &BTreeMap<OperationId, usize>,
        users: &'a BTreeMap<Vec<u8>, UserId>,
    ) -> Self {
        let mut judge = Self {
            operations,
            past,
            tags: BTreeMap::new(),
            leaves: BTreeMap::new(),
            answers: BTreeMap::new(),
            retires: BTreeMap::new(),
            valid: vec![false; operations.len()],
        };
        for (at, operation) in operations.iter().enumerate() {
            let author = &operation.author;
            match &operation.form.body {
                Body::Create { account_key, .. } => {
                    let tag = Tag { at, account_key: AccountKey(*account_key), leaves: Vec::new() };
                    judge.tags.entry(author).or_default().push(tag);
                }
                Body::Add { members } => {
                    for added in members.as_slice() {
                        let Some(user) = users.get(added.user.as_slice()) else { continue };
                        let named = added.leaves.iter().filter_map(|id| places.get(&OperationId(*id)).copied());
                        let tag = Tag { at, account_key: AccountKey(added.account_key), leaves: named.collect() };
                        judge.tags.entry(user).or_default().push(tag);
                    }
                }
                Body::Leave => judge.leaves.entry(author).or_default().push(at),
                Body::Accept { add } => judge.answers.entry(OperationId(*add)).or_default().push((at, true)),
                Body::Decline { add } => judge.answers.entry(OperationId(*add)).or_default().push((at, false)),
                Body::Retire { device, last } => {
                    judge.retires.entry((author, DeviceId(*device))).or_default().push((at, *last));
                }
                Body::Info { .. } => {}
            }
        }
        // Parents before children: a child has a greater Lamport number.
        let mut order: Vec<(usize, &Operation)> = operations.iter().enumerate().collect();
        order.sort_by_key(|(_, operation)| operation.order());
        for (at, operation) in order {
            let counts = judge.counts(at, operation);
            if let Some(valid) = judge.valid.get_mut(at) {
                *valid = counts;
            }
        }
        for leaves in judge.leaves.values_mut() {
            leaves.retain(|at| judge.valid.get(*at).copied().unwrap_or(false));
        }
        judge
    }

    fn past(&self, at: usize) -> Option<&Past> {
        self.past.get(at)
    }

    fn is_before(&self, earlier: usize, later: usize) -> bool {
        self.past(later).is_some_and(|past| past.has(earlier))
    }

    fn counts(&self, at: usize, operation: &Operation) -> bool {
        if self.is_retired(at, operation) {
            return false;
        }
        match &operation.form.body {
            Body::Create { .. } | Body::Leave | Body::Accept { .. } | Body::Decline { .. } | Body::Retire { .. } => {
                true
            }
            Body::Add { .. } | Body::Info { .. } => self.was_member(operation, at),
        }
    }

    /// > Removing a device emits `retire(device, last sequence)`; its later operations are void likewise.
    ///
    /// A device signs operations under lists that name it. Its retirement cites a later list that does not name
    /// it. A list from before the device was added does not name it either, but proves nothing: otherwise a
    /// stolen device could retire the devices that were added after it.
    fn is_retired(&self, at: usize, operation: &Operation) -> bool {
        if matches!(operation.form.body, Body::Retire { .. }) {
            return false;
        }
        let retires = self.retires.get(&(&operation.author, operation.device())).into_iter().flatten();
        let mut retires = retires.filter(|(retire, _)| {
            let later =
                |retire: &Operation| retire.account_key == operation.account_key && retire.epoch > operation.epoch;
            self.operations.get(*retire).is_some_and(later)
        });
        retires.any(|(retire, last)| operation.form.sequence > *last && !self.is_before(at, *retire))
    }

    /// The leaves of an identity. The same user id with another account key is another person and cannot leave
    /// for it.
    fn leaves_of<'b>(&'b self, user: &UserId, account_key: &'b AccountKey) -> impl Iterator<Item = usize> + 'b {
        let leaves = self.leaves.get(user).into_iter().flatten().copied();
        leaves.filter(|at| {
            let leave = self.operations.get(*at);
            leave.is_some_and(|leave| leave.account_key == *account_key && !self.is_retired(*at, leave))
        })
    }

    fn was_member(&self, operation: &Operation, at: usize) -> bool {
        let Some(past) = self.past(at) else { return false };
        let tags = self.tags.get(&operation.author).into_iter().flatten();
        tags.filter(|tag| tag.account_key == operation.account_key)
            .any(|tag| self.stand(&operation.author, tag, |at| past.has(at)) == Stand::Member)
    }

    /// The standing of `user` by one tag, considering only the operations for which `seen` is true.
    ///
    /// > a leave outranks every add that has not seen it; only an add that names the leave brings the person back, and only if that
    /// > person accepts
    pub(super) fn stand(&self, user: &UserId, tag: &Tag, seen: impl Fn(usize) -> bool) -> Stand {
        if !seen(tag.at) || !self.valid.get(tag.at).copied().unwrap_or(false) {
            return Stand::None;
        }
        for leave in self.leaves_of(user, &tag.account_key).filter(|leave| seen(*leave)) {
            if !tag.leaves.iter().any(|named| *named == leave || self.is_before(leave, *named)) {
                return Stand::None;
            }
        }
        if tag.leaves.is_empty() {
            return Stand::Member;
        }
        let add = self.operations.get(tag.at).map(|operation| operation.id);
        let answers = add.and_then(|add| self.answers.get(&add)).into_iter().flatten();
        let theirs = answers.filter(|(at, _)| {
            let by_user =
                self.operations.get(*at).is_some_and(|o| o.author == *user && o.account_key == tag.account_key);
            by_user && seen(*at) && self.valid.get(*at).copied().unwrap_or(false)
        });
        // A decline outranks an accept, in whatever order they arrive.
        match theirs.map(|(_, accepts)| *accepts).min() {
            None => Stand::Invited,
            Some(true) => Stand::Member,
            Some(false) => Stand::None,
        }
    }
}
