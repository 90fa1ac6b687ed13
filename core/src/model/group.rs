//! A group as this device knows it: what follows from its operations, and what the record alone remembers (D6, X 11).

use crate::{
    clock::Age,
    event::{GroupInfo, GroupView, MemberView, Standing},
    ids::{AccountKey, DeviceId, Scope, UserId},
    limits::MAX_MEMBERS,
};

/// A group. Everything before `left_at` follows from its operations.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupRecord {
    /// The group's kind and id.
    pub scope: Scope,
    /// How our user stands in it.
    pub standing: Standing,
    /// The members, rising by user.
    pub members: Vec<Member>,
    /// Users who have left and are not back, rising.
    pub former: Vec<UserId>,
    /// Name, description and the like.
    pub info: GroupInfo,
    /// The operations that all this follows from.
    pub claim: Claim,
    /// When our user or another left, in ms: their sessions in this scope die MAXLATENCY later. Of our own user 0 if it has declined.
    pub left_at: Vec<(UserId, u64)>,
    /// Devices that had other operations when they were last heard.
    pub lags: Vec<Lag>,
    /// Devices that were sent the group's whole state lately.
    pub pushed: Vec<Pushed>,
    /// Members who received the group's state from another device before that device had our concurrent operation: the state is owed to
    /// them.
    pub owed: Vec<UserId>,
    /// Who asks our user in, while the app has not answered (X 11).
    pub invitation: Option<Invitation>,
    /// Whether our user has declined an invitation to it.
    pub declined: bool,
    /// Whether the app was told that the group takes nothing but leaves and retirements any more.
    pub full: bool,
}

/// Our user was told of an add by somebody whom our user does not know: the app has to answer before anything more is heard of the group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invitation {
    /// Who told of it. The author of the add is no more than a name.
    pub user: UserId,
    /// The device that told of it.
    pub device: DeviceId,
    /// When that was heard, in ms.
    pub at: u64,
}

/// A member.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Member {
    /// The user.
    pub user: UserId,
    /// The account keys that adds name, rising; more than one when adds differ: our pin decides, so that nobody can displace a member.
    pub account_keys: Vec<AccountKey>,
}

/// Which operations of a group a device has: how many, and their digest.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Claim {
    /// How many.
    pub count: u16,
    /// Their digest.
    pub digest: [u8; 16],
}

/// A lagging device: it had other operations than this one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lag {
    /// The user of the device.
    pub user: UserId,
    /// The device.
    pub device: DeviceId,
    /// The operations that it had.
    pub claim: Claim,
    /// Whether it asked for ours.
    pub asked: bool,
    /// Whether it told us its operations, and had others still once we had taken them.
    pub told: bool,
    /// The operations that we had when we last sent it something about this, and when that was, in ms.
    pub served: Option<(Claim, u64)>,
}

/// How often a device was sent the whole state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pushed {
    /// The user of the device.
    pub user: UserId,
    /// The device.
    pub device: DeviceId,
    /// When it was first sent the state, in ms.
    pub since: u64,
    /// How often since then.
    pub times: u8,
}

impl GroupRecord {
    /// A group of which nothing is known but that it is there.
    #[must_use]
    pub fn unknown(scope: Scope) -> Self {
        Self {
            scope,
            standing: Standing::Left,
            members: Vec::new(),
            former: Vec::new(),
            info: GroupInfo::default(),
            claim: Claim::default(),
            left_at: Vec::new(),
            lags: Vec::new(),
            pushed: Vec::new(),
            owed: Vec::new(),
            invitation: None,
            declined: false,
            full: false,
        }
    }

    /// Whether a user is a member, under any account key.
    #[must_use]
    pub fn is_member(&self, user: &UserId) -> bool {
        self.member(user).is_some()
    }

    /// The member with this user id.
    #[must_use]
    pub fn member(&self, user: &UserId) -> Option<&Member> {
        among(&self.members, user)
    }

    /// Whether this identity is a member.
    #[must_use]
    pub fn has(&self, user: &UserId, account_key: &AccountKey) -> bool {
        self.member(user).is_some_and(|member| member.account_keys.contains(account_key))
    }

    /// Whether adds that did not know of each other have made more members than a group may have.
    #[must_use]
    pub fn is_overfull(&self) -> bool {
        identities(&self.members) > MAX_MEMBERS
    }

    /// The members' user ids, rising.
    pub fn users(&self) -> impl Iterator<Item = &UserId> {
        self.members.iter().map(|member| &member.user)
    }

    /// When a user left, if that user is not back.
    #[must_use]
    pub fn left_at(&self, user: &UserId) -> Option<Age> {
        self.left_at.iter().find(|(known, _)| known == user).map(|(_, at)| Age(*at))
    }

    /// Whether our user has declined to be in the group, and is not asked back by somebody who may ask.
    #[must_use]
    pub fn is_declined(&self) -> bool {
        self.declined && self.standing == Standing::Left
    }

    /// The group as the app sees it. `conflicts` are the members whom we know under another account key.
    #[must_use]
    pub fn view(&self, conflicts: Vec<UserId>) -> Option<GroupView> {
        let Scope::Group(kind, id) = self.scope else { return None };
        let mut diverged = Vec::new();
        if self.standing == Standing::Member {
            for lag in self.lags.iter().filter(|lag| self.is_member(&lag.user)) {
                diverged.push((lag.user.clone(), lag.device));
            }
        }
        let members = self.members.iter().cloned();
        let members = members.map(|Member { user, account_keys }| MemberView { user, account_keys }).collect();
        Some(GroupView { id, kind, standing: self.standing, members, conflicts, info: self.info.clone(), diverged })
    }
}

/// How many identities are members: a user whom adds name under several account keys counts for each.
#[must_use]
pub fn identities(members: &[Member]) -> usize {
    members.iter().map(|member| member.account_keys.len()).sum()
}

/// The member with this user id, among members that rise by user id.
#[must_use]
pub fn among<'a>(members: &'a [Member], user: &UserId) -> Option<&'a Member> {
    members.binary_search_by(|member| member.user.cmp(user)).ok().and_then(|at| members.get(at))
}
