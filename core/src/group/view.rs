//! The group as its operations define it: a function of what is kept.

use super::{
    operation::{Operation, keeps_out},
    set::{Author, Set},
    validity::{Judge, Stand},
};
use crate::{
    event::GroupInfo,
    ids::{AccountKey, GroupId, GroupKind, OperationId, Scope, UserId},
    limits::MAX_MEMBERS,
    model::{Claim, Member, among, identities},
    wire::group::{Body, Change},
};
use std::collections::{BTreeMap, BTreeSet};

/// The group as the operations define it.
#[derive(Clone, Debug)]
pub struct View {
    /// The kind and the id of the group.
    pub scope: Scope,
    /// The members, sorted by user id, each with its account keys, rising.
    pub members: Vec<Member>,
    /// Former members who are invited back, each with the add that invites them.
    pub invited: BTreeMap<(UserId, AccountKey), OperationId>,
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
    /// How many members each user has made, who added any.
    pub adders: BTreeMap<UserId, usize>,
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

    /// Whether this very identity is a member.
    #[must_use]
    pub fn has(&self, user: &UserId, account_key: &AccountKey) -> bool {
        among(&self.members, user).is_some_and(|member| member.account_keys.contains(account_key))
    }

    /// The add that invites this identity back.
    #[must_use]
    pub fn invitation(&self, user: &UserId, account_key: &AccountKey) -> Option<OperationId> {
        self.invited.get(&(user.clone(), *account_key)).copied()
    }

    /// Whether there are more members than a group may have.
    #[must_use]
    pub fn is_overfull(&self) -> bool {
        identities(&self.members) > MAX_MEMBERS
    }
}

/// Who is a member, is invited, or has left, with the operations that say so.
#[derive(Default)]
struct Standings<'a> {
    members: BTreeMap<&'a UserId, (&'a Operation, Vec<AccountKey>)>,
    invited: BTreeMap<(&'a UserId, AccountKey), &'a Operation>,
    left: BTreeMap<&'a UserId, &'a Operation>,
    adders: BTreeMap<UserId, usize>,
}

impl Set {
    /// The view that follows from what is kept, or `None` if no create is.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        let creates = self.kept().filter_map(|(_, operation)| match &operation.form.body {
            Body::Create { kind, origin, .. } => Some((operation.order(), *kind, *origin)),
            _ => None,
        });
        let (_, kind, origin) = creates.min()?;
        let scope = Scope::Group(GroupKind::from_number(kind)?, self.id());
        let judge = Judge::new((&self.operations, &self.past), &self.kept, &self.places, &self.users);
        let Standings { members, mut invited, mut left, adders } = self.standings(&judge);
        invited.retain(|(user, key), _| !members.get(user).is_some_and(|(_, keys)| keys.contains(key)));
        left.retain(|user, _| !members.contains_key(user));
        let author = |operation: &Operation| (operation.author.clone(), operation.device());
        let (info, informed_by) = self.info(&judge.valid)?;
        let void = self.kept().filter(|(at, _)| !judge.valid.get(*at).copied().unwrap_or(false));
        Some(View {
            origin: origin.map(GroupId),
            scope,
            invited: invited.iter().map(|((user, key), add)| (((*user).clone(), *key), add.id)).collect(),
            former: left.keys().map(|user| (*user).clone()).collect(),
            left_by: left.iter().map(|(user, leave)| ((*user).clone(), author(leave))).collect(),
            joined_by: members.iter().map(|(user, (first, _))| ((*user).clone(), author(first))).collect(),
            info,
            claim: self.claim(),
            informed_by,
            adders,
            void: void.map(|(_, operation)| operation.id).collect(),
            members: members
                .into_iter()
                .map(|(user, (_, account_keys))| Member { user: user.clone(), account_keys })
                .collect(),
        })
    }

    /// The adds that count and name an identity, by order.
    #[must_use]
    pub fn adders_of(&self, user: &UserId, account_key: &AccountKey, view: &View) -> Vec<&Operation> {
        let names = |operation: &Operation| match &operation.form.body {
            Body::Add { members } => members
                .as_slice()
                .iter()
                .any(|added| added.user.as_slice() == user.as_bytes() && added.account_key == account_key.0),
            _ => false,
        };
        let adds = self.kept().map(|(_, operation)| operation);
        let mut adds: Vec<&Operation> =
            adds.filter(|operation| !view.void.contains(&operation.id) && names(operation)).collect();
        adds.sort_by_key(|operation| operation.order());
        adds
    }

    /// Whether an identity has said something here that counts, other than that it leaves or stays away.
    #[must_use]
    pub fn has_word_of(&self, user: &UserId, account_key: &AccountKey, view: &View) -> bool {
        self.kept().any(|(_, operation)| {
            (&operation.author, &operation.account_key) == (user, account_key)
                && !view.void.contains(&operation.id)
                && !keeps_out(&operation.form.body)
        })
    }

    fn standings<'a>(&'a self, judge: &Judge<'a>) -> Standings<'a> {
        let mut standings = Standings::default();
        let operation = |at: &usize| self.operations.get(*at);
        for (&(user, account_key), identity) in &judge.identities {
            let mut made_by: Option<&Operation> = None;
            for tag in &identity.tags {
                let Some(add) = operation(&tag.at) else { continue };
                match judge.stand(identity, tag, None) {
                    Stand::Member => {
                        let (first, keys) = standings.members.entry(user).or_insert((add, Vec::new()));
                        if add.order() < first.order() {
                            *first = add;
                        }
                        if keys.last() != Some(&account_key) {
                            keys.push(account_key);
                        }
                        made_by = made_by.filter(|first| first.order() < add.order()).or(Some(add));
                    }
                    Stand::Invited => {
                        let first = standings.invited.entry((user, account_key)).or_insert(add);
                        if add.order() < first.order() {
                            *first = add;
                        }
                    }
                    Stand::None => {}
                }
            }
            if let Some(made_by) = made_by {
                *standings.adders.entry(made_by.author.clone()).or_default() += 1;
            }
            // Who left by several devices has left by the last leave in the order that all devices share.
            if let Some(leave) = identity.leaves.iter().filter_map(operation).max_by_key(|leave| leave.order()) {
                let last = standings.left.entry(user).or_insert(leave);
                if leave.order() > last.order() {
                    *last = leave;
                }
            }
        }
        standings
    }

    /// > Title and other info: last writer by (Lamport, user, device, op hash)
    ///
    /// The rule applies to each field by itself: a new name does not undo a new picture.
    fn info(&self, valid: &[bool]) -> Option<(GroupInfo, (OperationId, Author))> {
        let mut info = GroupInfo::default();
        let mut last = None;
        let counted = self.kept().filter(|(at, _)| valid.get(*at).copied().unwrap_or(false));
        let mut counted: Vec<&Operation> = counted.map(|(_, operation)| operation).collect();
        counted.sort_by_key(|operation| operation.order());
        for operation in counted {
            if let Body::Create { change, .. } | Body::Info { change } = &operation.form.body {
                apply(&mut info, change);
                last = Some((operation.id, (operation.author.clone(), operation.device())));
            }
        }
        Some((info, last?))
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
