//! Which operations count (X 11), as a function of what is kept alone.
//!
//! > The author must be a member at the point that the operation cites. A leave removes its author and nobody else.
//!
//! A retirement counts whatever else the set holds, because it is the word of an account key about its own device; a leave counts unless its
//! device was retired before. So the rules have no cycle: whether an operation counts depends on retirements and on what has a lower Lamport
//! number. What a leaver's devices say beside the leave stands: it was said by a member. An operation "depends on" a void add only if its
//! author is a member by that add alone (`docs/adr/0007`, `docs/adr/0036`).

use super::{operation::Operation, past::Past};
use crate::{
    ids::{AccountKey, DeviceId, OperationId, UserId},
    limits::MAX_MEMBERS,
    wire::group::{Added, Body},
};
use std::collections::{BTreeMap, BTreeSet};

/// One reason why an identity may be a member: the create, or one entry of an add.
#[derive(Clone, Debug)]
pub(super) struct Tag {
    pub(super) at: usize,
    /// The leaves that it names, by place in the set.
    leaves: Vec<usize>,
}

/// The standing of an identity by one tag.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stand {
    /// Not a member: the add does not count, the user declined, or left without the tag naming that leave.
    None,
    /// The user is invited back and has not answered.
    Invited,
    /// The user is a member.
    Member,
}

/// What the operations say of one identity: a user under an account key. The same user id with another account key is another person.
#[derive(Default)]
pub(super) struct Identity {
    pub(super) tags: Vec<Tag>,
    /// The leaves that count.
    pub(super) leaves: Vec<usize>,
    left: Past,
    /// The identity's answers to each invitation, by the place of the add: the place of the answer, and whether it accepts.
    answers: BTreeMap<usize, Vec<(usize, bool)>>,
    /// The places of everything above. How the identity stands by a past depends on nothing else of that past.
    marks: Past,
    /// What was asked last: the marks in that past, and whether the identity was a member by them.
    last: Option<(Past, bool)>,
}

/// A device of an identity.
type Signer<'a> = (&'a UserId, AccountKey, DeviceId);

/// The operations of a set, sorted by kind and by whom they concern.
pub(super) struct Judge<'a> {
    operations: &'a [Operation],
    past: &'a [Past],
    pub(super) identities: BTreeMap<(&'a UserId, AccountKey), Identity>,
    /// The places of creates and adds, in order.
    naming: Vec<usize>,
    users: &'a BTreeMap<Vec<u8>, UserId>,
    /// The retirements of each device, by place, with the last sequence number that stands.
    retires: BTreeMap<Signer<'a>, Vec<(usize, u64)>>,
    /// For each operation, whether it counts.
    pub(super) valid: Vec<bool>,
}

impl<'a> Judge<'a> {
    /// `kept` are the places that are looked at. `users` holds the decoded form of every user id that an add names.
    pub(super) fn new(
        (operations, past): (&'a [Operation], &'a [Past]),
        kept: &Past,
        places: &BTreeMap<OperationId, usize>,
        users: &'a BTreeMap<Vec<u8>, UserId>,
    ) -> Self {
        let valid = vec![false; operations.len()];
        let (identities, retires, naming) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        let mut judge = Self { operations, past, identities, naming, users, retires, valid };
        let mut order: Vec<(usize, &Operation)> =
            operations.iter().enumerate().filter(|(at, _)| kept.has(*at)).collect();
        for (at, operation) in &order {
            judge.note(*at, operation, places);
        }
        judge.note_leaves(&order);
        // Parents before children: a child has a greater Lamport number.
        order.sort_by_key(|(_, operation)| operation.order());
        for (at, operation) in order {
            let counts = judge.counts(at, operation);
            if let Some(valid) = judge.valid.get_mut(at) {
                *valid = counts;
            }
        }
        judge
    }

    /// Sorts an operation in, but for leaves: whether they count is known once all retirements are.
    fn note(&mut self, at: usize, operation: &'a Operation, places: &BTreeMap<OperationId, usize>) {
        let (author, account_key, users) = (&operation.author, operation.account_key, self.users);
        if matches!(operation.form.body, Body::Create { .. } | Body::Add { .. }) {
            self.naming.push(at);
        }
        let mut name = |user: &'a UserId, key: AccountKey, leaves: Vec<usize>| {
            let identity = self.identities.entry((user, key)).or_default();
            identity.tags.push(Tag { at, leaves });
            identity.marks.add(at);
        };
        match &operation.form.body {
            Body::Create { .. } => name(author, account_key, Vec::new()),
            Body::Add { members } => {
                for added in members.as_slice() {
                    let Some(user) = users.get(added.user.as_slice()) else { continue };
                    let named = added.leaves.iter().filter_map(|id| places.get(&OperationId(*id)).copied());
                    name(user, AccountKey(added.account_key), named.collect());
                }
            }
            Body::Accept { add } | Body::Decline { add } => {
                let Some(add) = places.get(&OperationId(*add)) else { return };
                let identity = self.identities.entry((author, account_key)).or_default();
                let accepts = matches!(operation.form.body, Body::Accept { .. });
                identity.answers.entry(*add).or_default().push((at, accepts));
                identity.marks.add(at);
            }
            Body::Retire { device, last } => {
                self.retires.entry((author, account_key, DeviceId(*device))).or_default().push((at, *last));
            }
            Body::Leave | Body::Info { .. } => {}
        }
    }

    fn note_leaves(&mut self, all: &[(usize, &'a Operation)]) {
        for (at, leave) in all.iter().filter(|(_, operation)| matches!(operation.form.body, Body::Leave)) {
            if !self.is_retired(*at, leave) {
                let identity = self.identities.entry((&leave.author, leave.account_key)).or_default();
                identity.leaves.push(*at);
                identity.left.add(*at);
                identity.marks.add(*at);
            }
        }
    }

    fn is_before(&self, earlier: usize, later: usize) -> bool {
        self.past.get(later).is_some_and(|past| past.has(earlier))
    }

    fn counts(&mut self, at: usize, operation: &'a Operation) -> bool {
        if self.is_retired(at, operation) {
            return false;
        }
        match &operation.form.body {
            Body::Create { .. } | Body::Leave | Body::Accept { .. } | Body::Decline { .. } | Body::Retire { .. } => {
                true
            }
            Body::Add { members } => self.was_member(operation, at) && self.has_room(at, members.as_slice()),
            Body::Info { .. } => self.was_member(operation, at),
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
        let device = (&operation.author, operation.account_key, operation.device());
        let mut retires = self.retires.get(&device).into_iter().flatten();
        retires.any(|(retire, last)| {
            let is_later = self.operations.get(*retire).is_some_and(|retire| retire.epoch > operation.epoch);
            is_later && operation.form.sequence > *last && !self.is_before(at, *retire)
        })
    }

    /// Whether the author was a member by what the operation has in its past. Who speaks often is asked about once, as long as nothing in
    /// the past of their words concerns them anew.
    fn was_member(&mut self, operation: &'a Operation, at: usize) -> bool {
        let key = (&operation.author, operation.account_key);
        let Some((past, identity)) = self.past.get(at).zip(self.identities.get(&key)) else { return false };
        let marks = identity.marks.common(past);
        if let Some((_, was)) = identity.last.as_ref().filter(|(known, _)| *known == marks) {
            return *was;
        }
        let was = identity.tags.iter().any(|tag| self.stand(identity, tag, Some(past)) == Stand::Member);
        if let Some(identity) = self.identities.get_mut(&key) {
            identity.last = Some((marks, was));
        }
        was
    }

    /// > An add counts only if the members by the operations before it, with those that it names, are at most 1,000.
    ///
    /// So nobody is cut: adds that do not know of each other may exceed the limit together, and the group is overfull.
    ///
    /// Looked at are the operations that made somebody a member, and only until there are too many: whoever names a hundred thousand identities
    /// in words that do not count costs nothing here.
    fn has_room(&self, at: usize, members: &[Added]) -> bool {
        if self.identities.len() <= MAX_MEMBERS {
            return true;
        }
        let Some(past) = self.past.get(at) else { return false };
        let named = members.iter().filter_map(|added| self.named(added));
        let mut found: BTreeSet<(&UserId, AccountKey)> = named.collect();
        let counting = |at: &&usize| past.has(**at) && self.valid.get(**at).copied().unwrap_or(false);
        for operation in self.naming.iter().filter(counting).filter_map(|at| self.operations.get(*at)) {
            let members = match &operation.form.body {
                Body::Add { members } => members.as_slice(),
                _ => &[],
            };
            let author = members.is_empty().then_some((&operation.author, operation.account_key));
            for key in members.iter().filter_map(|added| self.named(added)).chain(author) {
                let is_member = |identity: &Identity| {
                    identity.tags.iter().any(|tag| self.stand(identity, tag, Some(past)) == Stand::Member)
                };
                if !found.contains(&key) && self.identities.get(&key).is_some_and(is_member) {
                    found.insert(key);
                }
                if found.len() > MAX_MEMBERS {
                    return false;
                }
            }
        }
        found.len() <= MAX_MEMBERS
    }

    /// The identity that an entry of an add names.
    fn named(&self, added: &Added) -> Option<(&'a UserId, AccountKey)> {
        Some((self.users.get(added.user.as_slice())?, AccountKey(added.account_key)))
    }

    /// The standing of an identity by one tag, considering only what is in `seen`, or everything.
    ///
    /// > a leave outranks every add that has not seen it; only an add that names the leave brings the person back, and only if that
    /// > person accepts
    pub(super) fn stand(&self, identity: &Identity, tag: &Tag, seen: Option<&Past>) -> Stand {
        let counts = |at: usize| seen.is_none_or(|seen| seen.has(at)) && self.valid.get(at).copied().unwrap_or(false);
        if !counts(tag.at) {
            return Stand::None;
        }
        let stand = if tag.leaves.is_empty() {
            Stand::Member
        } else {
            let answers = identity.answers.get(&tag.at).into_iter().flatten();
            // A decline outranks an accept, in whatever order they arrive.
            match answers.filter(|(at, _)| counts(*at)).map(|(_, accepts)| *accepts).min() {
                None => Stand::Invited,
                Some(true) => Stand::Member,
                Some(false) => return Stand::None,
            }
        };
        if identity.left.is_covered(seen, &tag.leaves, self.past) { stand } else { Stand::None }
    }
}
