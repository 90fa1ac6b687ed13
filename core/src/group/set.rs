//! The set of operations that a device has for one group, and the view of the group that follows from it.
//!
//! Whether the set accepts an operation depends only on the operation and on its parents, never on the order of
//! arrival. The same holds for the view. So two devices with the same operations see the same group.

use super::{
    index::Index,
    operation::{Draft, Operation, group_id, is_last_word},
    validity::{Judge, Past, Stand},
};
use crate::{
    crypto::{
        kdf::{join, sha256},
        labels,
    },
    error::Code,
    event::GroupInfo,
    ids::{AccountKey, DeviceId, GroupId, GroupKind, OperationId, Scope, UserId},
    keys::party::Party,
    limits::{
        MAX_GROUP_SEQUENCE, MAX_LAST_WORDS, MAX_MEMBERS, MAX_OPERATION_BYTES_TAKEN, MAX_OPERATIONS,
        MAX_OPERATIONS_TAKEN, MAX_PARENTS, RESERVED_SEQUENCE,
    },
    model::{Claim, Member, among},
    wire::group::{Body, Change},
};
use std::collections::{BTreeMap, BTreeSet};

/// All operations of one group that a device has.
#[derive(Clone, Debug)]
pub struct Set {
    id: GroupId,
    operations: Vec<Operation>,
    past: Vec<Past>,
    places: BTreeMap<OperationId, usize>,
    users: BTreeMap<Vec<u8>, UserId>,
    index: Index,
}

/// The result of [`Set::take`].
#[derive(Debug, Default)]
pub struct Taken {
    /// The operations that the set did not have before. Parents come before their children.
    pub new: Vec<OperationId>,
    /// The operations with a parent that the set does not have yet.
    pub waiting: Vec<Operation>,
}

/// The user and the device that signed an operation.
pub type Author = (UserId, DeviceId);

/// The group as the operations define it.
#[derive(Clone, Debug)]
pub struct View {
    /// The kind and the id of the group.
    pub scope: Scope,
    /// The members, sorted by user id.
    pub members: Vec<Member>,
    /// Former members who are invited back, each with the add that invites them.
    pub invited: BTreeMap<UserId, OperationId>,
    /// Users who have left and are not members.
    pub former: Vec<UserId>,
    /// The name, the description and the other group info.
    pub info: GroupInfo,
    /// The digest of the set that this view follows from.
    pub claim: Claim,
    /// For each member, the author of the add or create that made the user a member.
    pub joined_by: BTreeMap<UserId, Author>,
    /// For each former member, the author of the leave.
    pub left_by: BTreeMap<UserId, Author>,
    /// The newest operation that changed the group info, and its author.
    pub informed_by: (OperationId, Author),
    /// For each invitation, the author of the add.
    pub authors: BTreeMap<OperationId, Author>,
    /// Operations that do not count.
    pub void: BTreeSet<OperationId>,
    /// The group that this one is a fork of.
    pub origin: Option<GroupId>,
}

impl View {
    /// Whether `user` is a member.
    #[must_use]
    pub fn is_member(&self, user: &UserId) -> bool {
        among(&self.members, user).is_some()
    }
}

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
        }
    }

    /// The GroupID.
    #[must_use]
    pub fn id(&self) -> GroupId {
        self.id
    }

    /// Whether the set has this operation.
    #[must_use]
    pub fn has(&self, id: &OperationId) -> bool {
        self.places.contains_key(id)
    }

    /// The operation with this id.
    #[must_use]
    pub fn operation(&self, id: &OperationId) -> Option<&Operation> {
        self.places.get(id).and_then(|at| self.operations.get(*at))
    }

    /// All operations, parents before children, in an order that is the same on every device.
    #[must_use]
    pub fn operations(&self) -> Vec<&Operation> {
        let mut all: Vec<&Operation> = self.operations.iter().collect();
        all.sort_by_key(|operation| operation.order());
        all
    }

    /// Inserts all operations that can be inserted, in any order. Operations that the set has already are
    /// skipped.
    ///
    /// `waited` holds operations that arrived earlier and lacked parents. If one of them is refused now, it is
    /// dropped and the others are not affected.
    ///
    /// # Errors
    /// The first error of [`Set::insert`] for an operation in `offered`, other than [`Code::MissingParents`].
    /// After an error the set must not be used any more.
    pub fn take(&mut self, offered: Vec<Operation>, waited: Vec<Operation>) -> Result<Taken, Code> {
        let mut taken = Taken::default();
        let mut all: Vec<(Operation, bool)> = offered.into_iter().map(|operation| (operation, true)).collect();
        all.extend(waited.into_iter().map(|operation| (operation, false)));
        // If an operation is in both lists, the offered one is kept.
        all.sort_by(|(a, a_offered), (b, b_offered)| a.order().cmp(&b.order()).then(b_offered.cmp(a_offered)));
        all.dedup_by(|(a, _), (b, _)| a.id == b.id);
        // A parent has a lower Lamport number than its child. In this order one pass is enough.
        for (operation, is_offered) in all {
            let id = operation.id;
            if self.has(&id) {
                continue;
            }
            match self.insert(operation.clone()) {
                Ok(()) => taken.new.push(id),
                Err(Code::MissingParents) => taken.waiting.push(operation),
                Err(code) if is_offered => return Err(code),
                Err(_) => {}
            }
        }
        Ok(taken)
    }

    /// Inserts one operation. If an error is returned, the set is unchanged.
    ///
    /// # Errors
    /// - [`Code::WrongScope`]: the operation belongs to another group.
    /// - [`Code::GroupExists`]: a second create.
    /// - [`Code::MissingParents`]: the set lacks a parent.
    /// - [`Code::AuthorNotMember`]: no create or add in the operation's past names its author.
    /// - [`Code::ForbiddenOperation`]: an accept or decline of an add that does not invite the author, or an add that names as
    ///   a leave something that is no leave of that user.
    /// - [`Code::MalformedOperation`]: a wrong Lamport number, a gap in the author's sequence, or a wrong GroupID.
    /// - [`Code::TooManyOperations`]: a limit is reached.
    pub fn insert(&mut self, operation: Operation) -> Result<(), Code> {
        if operation.form.group != self.id.0 {
            return Err(Code::WrongScope);
        }
        if !self.has_room_for(&operation) {
            return Err(Code::TooManyOperations);
        }
        let mut past = Past::default();
        let mut lamport = 0;
        for parent in operation.parents() {
            let at = *self.places.get(&parent).ok_or(Code::MissingParents)?;
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
        self.places.insert(operation.id, self.operations.len());
        self.index.note(&operation, self.operations.len());
        self.operations.push(operation);
        self.past.push(past);
        Ok(())
    }

    /// Whether the limits allow one more operation of this class.
    ///
    /// Leaves and retirements have a limit of their own. So a member who fills the group cannot stop others
    /// from leaving it or from retiring a stolen device. Each limit counts operations of one class only. So
    /// whatever fits in one order of arrival fits in every other order.
    fn has_room_for(&self, operation: &Operation) -> bool {
        let index = &self.index;
        if is_last_word(&operation.form.body) {
            let identity = (operation.author.clone(), operation.account_key);
            return index.last_words.get(&identity).is_none_or(|count| *count < MAX_LAST_WORDS);
        }
        let of_device = index.signed(operation).map_or(0, |signed| signed.others);
        let bytes = index.bytes.saturating_add(operation.signed.len());
        // The sequence of a device ends at `MAX_GROUP_SEQUENCE`, but two operations with the same number count
        // as two.
        index.others < MAX_OPERATIONS_TAKEN && bytes <= MAX_OPERATION_BYTES_TAKEN && of_device < MAX_GROUP_SEQUENCE
    }

    /// Whether the operation has its author's previous operation in its past.
    ///
    /// A device knows its own operations. An operation without the previous one in its past would be dated
    /// back, for example to place a leave before the author's own add.
    fn follows_its_own(&self, operation: &Operation, past: &Past) -> bool {
        let Some(before) = operation.form.sequence.checked_sub(1).filter(|before| *before > 0) else {
            return operation.form.sequence == 1;
        };
        let theirs = self.index.signed(operation).and_then(|signed| signed.places.get(&before));
        theirs.is_some_and(|places| places.iter().any(|at| past.has(*at)))
    }

    fn check(&self, operation: &Operation, past: &Past) -> Result<(), Code> {
        let seen = |id: &[u8; 32]| {
            let at = self.places.get(&OperationId(*id)).filter(|at| past.has(**at));
            at.and_then(|at| self.operations.get(*at))
        };
        match &operation.form.body {
            Body::Create { account_key, random, .. } => {
                let account_key = AccountKey(*account_key);
                if group_id(&account_key, random) != self.id || account_key != operation.account_key {
                    return Err(Code::MalformedOperation);
                }
                return if self.operations.is_empty() { Ok(()) } else { Err(Code::GroupExists) };
            }
            Body::Add { members } => {
                for added in members.as_slice() {
                    let theirs = |leave: &[u8; 32]| {
                        let leave = seen(leave).filter(|leave| leave.author.as_bytes() == added.user.as_slice());
                        leave.is_some_and(|leave| matches!(leave.form.body, Body::Leave))
                    };
                    if !added.leaves.iter().all(theirs) {
                        return Err(Code::ForbiddenOperation);
                    }
                }
            }
            Body::Accept { add } | Body::Decline { add } => {
                let names_author = |add: &Operation| match &add.form.body {
                    Body::Add { members } => members.iter().any(|added| {
                        added.user.as_slice() == operation.author.as_bytes() && !added.leaves.as_slice().is_empty()
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

    /// Whether the create or any add names this identity, even if that operation does not count.
    #[must_use]
    pub fn names(&self, user: &UserId, account_key: &AccountKey) -> bool {
        self.index.naming.contains_key(&(user.clone(), *account_key))
    }

    /// The digest and the number of the operations in the set.
    ///
    /// > `digest = SHA-256(join(label, every operation's id, rising))[16]`
    #[must_use]
    pub fn claim(&self) -> Claim {
        let fields: Vec<&[u8]> =
            core::iter::once(labels::GROUP_DIGEST).chain(self.places.keys().map(|id| id.0.as_slice())).collect();
        let mut digest = [0; 16];
        digest.iter_mut().zip(sha256(&join(&fields))).for_each(|(to, from)| *to = from);
        Claim { count: u16::try_from(self.operations.len()).unwrap_or(u16::MAX), digest }
    }

    /// Devices that signed two operations with the same sequence number (A53).
    #[must_use]
    pub fn equivocators(&self) -> BTreeSet<(UserId, DeviceId)> {
        let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
        for operation in &self.operations {
            if !seen.insert((operation.signer(), operation.form.sequence)) {
                twice.insert((operation.author.clone(), operation.device()));
            }
        }
        twice
    }

    /// The view that follows from the operations, or `None` if the set has no create.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        let Body::Create { kind, origin, .. } = &self.operations.first()?.form.body else { return None };
        let scope = Scope::Group(GroupKind::from_number(*kind)?, self.id);
        let judge = Judge::new(&self.operations, &self.past, &self.places, &self.users);
        let author = |at: usize| self.operations.get(at).map(|o| (o.author.clone(), o.device()));
        let mut members: Vec<((usize, &Operation), Member)> = Vec::new();
        let (mut invited, mut former) = (BTreeMap::new(), Vec::new());
        let (mut joined_by, mut left_by) = (BTreeMap::new(), BTreeMap::new());
        let last_leave = |user: &UserId| {
            let leaves = judge.leaves.get(user)?.iter().filter_map(|at| self.operations.get(*at));
            leaves.max_by_key(|leave| leave.order())
        };
        for (user, tags) in &judge.tags {
            let mut tags: Vec<_> = tags.iter().filter_map(|tag| Some((self.operations.get(tag.at)?, tag))).collect();
            tags.sort_by_key(|(operation, _)| operation.order());
            let mut account_keys: Vec<AccountKey> = Vec::new();
            let mut first = None;
            for (operation, tag) in tags {
                match judge.stand(user, tag, |_| true) {
                    Stand::Member => {
                        first = first.or(Some((tag.at, operation)));
                        if !account_keys.contains(&tag.account_key) {
                            account_keys.push(tag.account_key);
                        }
                    }
                    Stand::Invited => {
                        invited.entry((*user).clone()).or_insert(operation.id);
                    }
                    Stand::None => {}
                }
            }
            if let Some(first) = first {
                members.push((first, Member { user: (*user).clone(), account_keys }));
            } else if let Some(last) = last_leave(user) {
                former.push((*user).clone());
                left_by.insert((*user).clone(), (last.author.clone(), last.device()));
            }
        }
        // Concurrent adds may name more members than a group may have. Then the later entries do not count.
        members.sort_by(|((_, a), _), ((_, b), _)| a.order().cmp(&b.order()));
        members.truncate(MAX_MEMBERS);
        members.sort_by(|(_, a), (_, b)| a.user.cmp(&b.user));
        for ((at, _), member) in &members {
            joined_by.extend(author(*at).map(|by| (member.user.clone(), by)));
            invited.remove(&member.user);
        }
        let authors = invited.values().filter_map(|add| Some((*add, author(*self.places.get(add)?)?))).collect();
        let (info, informed_by) = self.info(&judge.valid)?;
        let void = self.operations.iter().zip(&judge.valid).filter(|(_, valid)| !**valid).map(|(o, _)| o.id);
        Some(View {
            origin: origin.map(GroupId),
            scope,
            members: members.into_iter().map(|(_, member)| member).collect(),
            invited,
            former,
            info,
            claim: self.claim(),
            joined_by,
            left_by,
            informed_by,
            authors,
            void: void.collect(),
        })
    }

    /// > Title and other info: last writer by (Lamport, user, device, op hash)
    ///
    /// The rule applies to each field by itself: a new name does not undo a new picture.
    fn info(&self, valid: &[bool]) -> Option<(GroupInfo, (OperationId, Author))> {
        let mut info = GroupInfo::default();
        let mut last = None;
        let mut counted: Vec<&Operation> =
            self.operations.iter().zip(valid).filter(|(_, valid)| **valid).map(|(operation, _)| operation).collect();
        counted.sort_by_key(|operation| operation.order());
        for operation in counted {
            if let Body::Create { change, .. } | Body::Info { change } = &operation.form.body {
                apply(&mut info, change);
                last = Some((operation.id, (operation.author.clone(), operation.device())));
            }
        }
        Some((info, last?))
    }

    /// The next operation of a device, with its sequence number and its parents.
    ///
    /// # Errors
    /// [`Code::TooManyOperations`] if the device has no sequence number left or the group is full.
    pub fn draft(&self, party: &Party, body: Body) -> Result<Draft, Code> {
        let account_key = party.account();
        let signer = (&party.user, &account_key, party.device);
        let own = self.operations.iter().enumerate().filter(|(_, o)| o.signer() == signer);
        let last = own.max_by_key(|(_, o)| o.form.sequence);
        let sequence = last.map_or(0, |(_, last)| last.form.sequence).saturating_add(1);
        let (most, full) = if is_last_word(&body) {
            (MAX_GROUP_SEQUENCE, false)
        } else {
            let others = self.operations.iter().filter(|o| !is_last_word(&o.form.body)).count();
            (MAX_GROUP_SEQUENCE - RESERVED_SEQUENCE, others >= MAX_OPERATIONS)
        };
        if sequence > most || full {
            return Err(Code::TooManyOperations);
        }
        let built_upon: BTreeSet<OperationId> = self.operations.iter().flat_map(Operation::parents).collect();
        let mut heads: Vec<(bool, usize, &Operation)> = self
            .operations
            .iter()
            .enumerate()
            .filter(|(_, o)| !built_upon.contains(&o.id))
            .map(|(at, head)| (last.is_some_and(|(own, _)| at == own || self.is_before(own, at)), at, head))
            .collect();
        // The first parent must have this device's previous operation in its past. The others are the newest
        // heads.
        heads.sort_by_key(|(knows_own, _, head)| core::cmp::Reverse((*knows_own, head.form.lamport)));
        if let Some(rest) = heads.get_mut(1..) {
            rest.sort_by_key(|(_, _, head)| core::cmp::Reverse(head.form.lamport));
        }
        heads.truncate(MAX_PARENTS);
        let lamport = heads.iter().map(|(_, _, head)| head.form.lamport).max().unwrap_or(0).saturating_add(1);
        let mut parents: Vec<OperationId> = heads.iter().map(|(_, _, head)| head.id).collect();
        parents.sort_unstable();
        Ok(Draft { group: self.id, sequence, lamport, parents, body })
    }

    fn is_before(&self, earlier: usize, later: usize) -> bool {
        self.past.get(later).is_some_and(|past| past.has(earlier))
    }

    /// The users in `add`, if `add` and some operation of the given device are concurrent. Those users were
    /// welcomed without that operation, and only its author can know that they lack it.
    #[must_use]
    pub fn uninformed(&self, add: &OperationId, (user, device): (&UserId, DeviceId)) -> Vec<UserId> {
        let Some(place) = self.places.get(add).copied() else { return Vec::new() };
        let Some((add, past)) = self.operations.get(place).zip(self.past.get(place)) else { return Vec::new() };
        let Body::Add { members } = &add.form.body else { return Vec::new() };
        let mut own = self
            .operations
            .iter()
            .zip(&self.past)
            .enumerate()
            .filter(|(_, (operation, _))| operation.author == *user && operation.device() == device);
        // Concurrent: neither has the other in its past.
        let aside = own.any(|(at, (_, seen))| at != place && !past.has(at) && !seen.has(place));
        let added = members.iter().filter_map(|added| self.users.get(added.user.as_slice()).cloned());
        if aside { added.collect() } else { Vec::new() }
    }

    /// The leaves of a user with the past of each leave, and nothing later.
    #[must_use]
    pub fn farewell(&self, user: &UserId) -> Vec<&Operation> {
        self.with_past(|operation| operation.author == *user && matches!(operation.form.body, Body::Leave))
    }

    /// The wanted operations and their whole past, parents first.
    fn with_past(&self, wanted: impl Fn(&Operation) -> bool) -> Vec<&Operation> {
        let mut shown = Past::default();
        for (at, _) in self.operations.iter().enumerate().filter(|(_, operation)| wanted(operation)) {
            shown.add(at);
            self.past.get(at).into_iter().for_each(|past| shown.unite(past));
        }
        let mut all: Vec<&Operation> =
            self.operations.iter().enumerate().filter(|(at, _)| shown.has(*at)).map(|(_, o)| o).collect();
        all.sort_by_key(|operation| operation.order());
        all
    }

    /// The leaves of a user that an invitation back must name. A leave with a later leave of the same user
    /// after it is not needed.
    #[must_use]
    pub fn leaves_of(&self, user: &UserId) -> Vec<OperationId> {
        let all: Vec<(usize, &Operation)> = self
            .operations
            .iter()
            .enumerate()
            .filter(|(_, o)| o.author == *user && matches!(o.form.body, Body::Leave))
            .collect();
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

fn apply(info: &mut GroupInfo, change: &Change) {
    let Change { name, description, picture, timer, app_data } = change;
    // The texts were checked when the operation was decoded.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if let Some(name) = name {
        info.name = text(name.as_slice());
    }
    if let Some(description) = description {
        info.description = text(description.as_slice());
    }
    if let Some(picture) = picture {
        info.picture = picture.as_slice().to_vec();
    }
    if let Some(timer) = timer {
        info.timer = *timer;
    }
    if let Some(app_data) = app_data {
        info.app_data = app_data.as_slice().to_vec();
    }
}
