//! What one does in a group: each act an operation, signed, and sent as an ordinary encrypted message (D6).

use super::{
    super::{Device, Recipients, Send, SendId, SessionView, lists::OwnList, outbox, send::check_payload, work::Work},
    Cost,
    state::{self, Lists, Loaded, Teller},
    views::{GroupChange, GroupView, HistoryEntry},
};
use crate::{
    context::Context,
    error::{Code, Error},
    group::{
        operation::{Operation, group_id},
        set::Set,
    },
    ids::{DeviceId, GroupId, GroupKind, UserId},
    keys::device_list::VerifiedDeviceList,
    limits::{MAX_ADDED, MAX_MEMBERS},
    record::{Group as GroupRecord, SendBody, SentTo, Standing, ToGroup},
    store::Kind,
    wire::group::{Added, Body, Bundle, Change, SignedOperation},
};
use std::collections::BTreeSet;

/// A handle to one group of this device. It holds no state: every call reads the store.
#[derive(Clone, Copy, Debug)]
pub struct Group<'d> {
    device: &'d Device,
    id: GroupId,
}

/// What an act changes, and who is told what.
struct Told {
    /// Members, before or after it.
    users: BTreeSet<UserId>,
    /// Who gets the whole state instead of the operation.
    welcomed: BTreeSet<UserId>,
}

impl Device {
    /// Makes a group of this user and `users`, and tells them. Whoever is not known yet must be made known first: bring their signed
    /// device lists with [`Device::apply`].
    ///
    /// What is returned is the send that tells them; a state too large for one message goes in several, which [`Device::outbox`] gives.
    ///
    /// # Errors
    /// [`Code::UnknownUser`] or [`Code::IdentityNotAccepted`], with the user's place; [`Code::TooMany`] beyond 1,000 members;
    /// [`Code::InvalidArgument`] for info outside its bounds; as [`Device::batch_encrypt`].
    pub fn create_group(
        &self,
        context: &mut Context<'_>,
        kind: GroupKind,
        info: &GroupChange,
        users: &[UserId],
    ) -> Result<(Group<'_>, Send), Error> {
        let change = info.form()?;
        let (id, send) = self.run(context, |work, context| self.found(work, context, kind, &change, users))?;
        Ok((Group { device: self, id }, send))
    }

    /// The group with this id.
    ///
    /// # Errors
    /// [`Code::UnknownGroup`]; the store's.
    pub fn group(&self, context: &mut Context<'_>, id: &GroupId) -> Result<Group<'_>, Error> {
        self.run(context, |work, _| work.group(id)?.map(drop).ok_or(Code::UnknownGroup.into()))?;
        Ok(Group { device: self, id: *id })
    }

    /// Every group that this device knows, those that its user has left included, rising by id.
    ///
    /// # Errors
    /// The store's.
    pub fn groups(&self, context: &mut Context<'_>) -> Result<Vec<GroupView>, Error> {
        self.run(context, |work, _| {
            let mut views = Vec::new();
            for key in work.keys(&crate::store::Places::all(Kind::Group))? {
                views.extend(work.get::<GroupRecord>(&key)?.and_then(GroupView::of));
            }
            views.sort_by_key(|view: &GroupView| view.id);
            Ok(views)
        })
    }

    fn found(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        kind: GroupKind,
        change: &Change,
        users: &[UserId],
    ) -> Result<(GroupId, Send), Error> {
        let mut added = self.added(work, users, |_| Vec::new())?;
        added.retain(|added| added.user.as_slice() != self.user().as_bytes());
        if added.len() >= MAX_MEMBERS {
            return Err(Error::of(Code::TooMany, "users"));
        }
        let own = self.own_list(work)?;
        let account_key = *self.keys.party.account_key.as_bytes();
        let random = context.random();
        let id = group_id(&account_key, &random);
        let mut set = Set::new(id);
        let mut operations = Vec::new();
        let create = Body::Create { kind: kind.number(), account_key, random, change: change.clone() };
        let adds = added.chunks(MAX_ADDED).map(|members| Body::Add { members: members.to_vec().into() });
        for body in core::iter::once(create).chain(adds) {
            let operation = self.sign(&set, &own, body)?;
            set.insert(operation.clone())?;
            operations.push(operation);
        }
        let now = (context.now, self.us());
        let loaded = Loaded { group: None, set: Set::new(id), view: None };
        let taken = state::take(work, now, loaded, (operations, cited(&own)?), Teller::Ourselves)?;
        let (loaded, _) = taken.ok_or(Code::Internal)?;
        let group = loaded.group.as_ref().ok_or(Code::Internal)?;
        let users: BTreeSet<UserId> = group.members.iter().map(|member| member.user.clone()).collect();
        let mut whole = state::encoded_bundles(work, &loaded.set)?;
        let payload = whole.pop().ok_or(Code::Internal)?;
        for payload in whole {
            self.say(
                work,
                context,
                group,
                (users.clone(), BTreeSet::new()),
                SendBody { payload, welcome: Vec::new() },
            )?;
        }
        let send =
            self.say(work, context, group, (users, BTreeSet::new()), SendBody { payload, welcome: Vec::new() })?;
        Ok((id, outbox::view(self, work, context.now, &send)?.ok_or(Code::Internal)?))
    }

    /// Entries of an add, rising by user.
    fn added(
        &self,
        work: &Work<'_>,
        users: &[UserId],
        leaves: impl Fn(&UserId) -> Vec<[u8; 32]>,
    ) -> Result<Vec<Added>, Error> {
        let mut added: Vec<Added> = Vec::new();
        for (item, user) in users.iter().enumerate() {
            let error = |code| Error { code, item: Some(item), field: Some("users") };
            let known = work.user(user)?.ok_or(error(Code::UnknownUser))?;
            if known.claimed_key.is_some() {
                return Err(error(Code::IdentityNotAccepted));
            }
            added.push(Added {
                user: user.as_bytes().to_vec().into(),
                account_key: known.account_key,
                leaves: leaves(user).into(),
            });
        }
        added.sort_by(|a, b| a.user.as_slice().cmp(b.user.as_slice()));
        added.dedup_by(|a, b| a.user == b.user);
        Ok(added)
    }

    fn sign(&self, set: &Set, own: &OwnList, body: Body) -> Result<Operation, Code> {
        let draft = set.draft(self.user(), self.id(), body)?;
        Operation::sign(&self.keys, &own.list.hash, draft)
    }

    /// Signs one operation, takes it and sends it. Gives the send.
    pub(in super::super) fn act(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        loaded: Loaded,
        body: Body,
    ) -> Result<SendId, Error> {
        let own = self.own_list(work)?;
        let before: Vec<UserId> =
            loaded.group.iter().flat_map(|group| &group.members).map(|member| member.user.clone()).collect();
        let welcomed: BTreeSet<UserId> = match &body {
            Body::Add { members } => {
                members.iter().filter_map(|added| UserId::try_new(added.user.as_slice().to_vec())).collect()
            }
            _ => BTreeSet::new(),
        };
        let operation = self.sign(&loaded.set, &own, body)?;
        let now = (context.now, self.us());
        let offered = (vec![operation.clone()], cited(&own)?);
        let (loaded, _) = state::take(work, now, loaded, offered, Teller::Ourselves)?.ok_or(Code::Internal)?;
        let group = loaded.group.as_ref().ok_or(Code::Internal)?;
        let after = group.members.iter().map(|member| member.user.clone());
        let mut users: BTreeSet<UserId> = before.into_iter().chain(after).collect();
        users.extend(welcomed.iter().cloned());
        users.insert(self.user().clone());
        self.tell(work, context, &loaded, &[&operation], Told { users, welcomed })
    }

    /// Sends an operation to those who have the rest, and the whole state to those who have nothing.
    fn tell(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        loaded: &Loaded,
        operations: &[&Operation],
        told: Told,
    ) -> Result<SendId, Error> {
        let Told { users, welcomed } = told;
        let group = loaded.group.as_ref().ok_or(Code::Internal)?;
        let own = self.own_list(work)?;
        let mut whole = match welcomed.is_empty() {
            true => Vec::new(),
            false => state::encoded_bundles(work, &loaded.set)?,
        };
        // The last message of a large state goes with the operation itself.
        let welcome = whole.pop().unwrap_or_default();
        for payload in whole {
            let body = SendBody { payload, welcome: Vec::new() };
            self.say(work, context, group, (welcomed.clone(), BTreeSet::new()), body)?;
        }
        let payload = bundle(&own, operations)?;
        self.say(work, context, group, (users, welcomed), SendBody { payload, welcome })
    }

    /// Sends operations in a group.
    fn say(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        group: &GroupRecord,
        (users, welcomed): (BTreeSet<UserId>, BTreeSet<UserId>),
        body: SendBody,
    ) -> Result<SendId, Error> {
        let to = self.sent_in(work, group, &users, &welcomed)?;
        let said = to_group(group, &to, self.user(), true);
        self.start(work, context, (to, None, Some(said), None), &body)
    }

    /// Users of a send in a group, our own last, each with the account key that the group knows them by: whoever holds the name under
    /// another key is not the member.
    fn sent_in(
        &self,
        work: &Work<'_>,
        group: &GroupRecord,
        users: &BTreeSet<UserId>,
        welcomed: &BTreeSet<UserId>,
    ) -> Result<Vec<SentTo>, Code> {
        let others = users.iter().filter(|user| *user != self.user());
        let to = |user: &UserId| {
            let keys = group.members.iter().find(|member| member.user == *user).map(|m| m.account_keys.as_slice());
            let pinned = work.user(user)?.map(|known| known.account_key);
            let account_key = match (keys, pinned) {
                (Some(keys), Some(pinned)) if keys.contains(&pinned) => Some(pinned),
                (Some([key, ..]), Some(_)) | (Some([key]), None) => Some(*key),
                _ => None,
            };
            let welcome = welcomed.contains(user);
            Ok(SentTo { user: user.clone(), account_key, verified: false, welcome })
        };
        others.chain(users.get(self.user())).map(to).collect()
    }

    /// A message to a group, on its way like any other.
    pub(in super::super) fn send_to_group(
        &self,
        context: &mut Context<'_>,
        id: GroupId,
        payload: &[u8],
        content_id: Option<[u8; 16]>,
    ) -> Result<Send, Error> {
        check_payload(payload)?;
        self.run(context, |work, context| {
            let mut group = work.group(&id)?.ok_or(Code::UnknownGroup)?;
            if group.standing != Standing::Member {
                return Err(Code::NotAMember.into());
            }
            let users: BTreeSet<UserId> = group.members.iter().map(|member| member.user.clone()).collect();
            let to = self.sent_in(work, &group, &users, &BTreeSet::new())?;
            let said = to_group(&group, &to, self.user(), false);
            let body = SendBody { payload: payload.to_vec(), welcome: Vec::new() };
            let send = self.start(work, context, (to, None, Some(said), content_id), &body)?;
            self.serve_lags(work, context, &id, &mut group)?;
            outbox::view(self, work, context.now, &send)?.ok_or(Code::Internal.into())
        })
    }

    /// > Removing a device emits `retire(device, last sequence)` for each group (X 11).
    ///
    /// Called when the list that no longer names the device has been taken: the operation cites it as its evidence.
    pub(in super::super) fn retire(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        device: DeviceId,
    ) -> Result<(), Error> {
        for key in work.keys(&crate::store::Places::all(Kind::Group))? {
            let Some(group) = work.get::<GroupRecord>(&key)?.filter(|g| g.standing == Standing::Member) else {
                continue;
            };
            let id = group.scope.group().ok_or(Code::RecordInconsistent)?;
            let loaded = state::load(work, &id)?;
            let last = loaded.set.last_sequence(self.user(), device);
            self.act(work, context, loaded, Body::Retire { device: device.0, last })?;
        }
        Ok(())
    }
}

/// What is the same for all recipients of something said in a group.
pub(super) fn to_group(group: &GroupRecord, to: &[SentTo], us: &UserId, operations: bool) -> ToGroup {
    // What a transcript of a direct message to the same users would hold beside the payload: prelude 59, kind 1, stamp 24, lengths 7, the
    // padding's mark 1, and for each user a length, the id, the pin and a flag.
    let recipients: usize = to.iter().filter(|to| to.user != *us).map(|to| 1 + to.user.as_bytes().len() + 33 + 1).sum();
    let transcript_room = u32::try_from(92 + recipients).unwrap_or(u32::MAX);
    ToGroup { scope: group.scope, claim: group.claim, operations, transcript_room }
}

fn cited(own: &OwnList) -> Result<Lists, Code> {
    let list = VerifiedDeviceList::verify(&own.signed).map_err(|_| Code::RecordInconsistent)?;
    Ok(Lists::from([(list.list.hash, list)]))
}

/// Operations of ours, with our list.
fn bundle(own: &OwnList, operations: &[&Operation]) -> Result<Vec<u8>, Code> {
    let operations: Vec<SignedOperation> =
        operations.iter().map(|o| SignedOperation::decode(&o.signed)).collect::<Result<_, _>>()?;
    Bundle { lists: vec![own.signed.clone().into()].into(), operations: operations.into() }.encode()
}

impl<'d> Group<'d> {
    /// GroupID, 32 bytes.
    #[must_use]
    pub fn id(&self) -> GroupId {
        self.id
    }

    fn with<T>(
        &self,
        context: &mut Context<'_>,
        mut call: impl FnMut(&mut Work<'_>, &mut Context<'_>, Loaded) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.device.run(context, |work, context| {
            let loaded = state::load(work, &self.id)?;
            if loaded.group.is_none() {
                return Err(Code::UnknownGroup.into());
            }
            call(work, context, loaded)
        })
    }

    /// One operation as a member, and the send that tells the others.
    fn as_member(
        &self,
        context: &mut Context<'_>,
        body: impl Fn(&Work<'_>, &Loaded) -> Result<Body, Error>,
    ) -> Result<Send, Error> {
        self.with(context, |work, context, loaded| {
            if loaded.group.as_ref().is_none_or(|group| group.standing != Standing::Member) {
                return Err(Code::NotAMember.into());
            }
            let body = body(work, &loaded)?;
            self.speak(work, context, loaded, body)
        })
    }

    fn speak(&self, work: &mut Work<'_>, context: &mut Context<'_>, loaded: Loaded, body: Body) -> Result<Send, Error> {
        let send = self.device.act(work, context, loaded, body)?;
        let mut group = work.group(&self.id)?.ok_or(Code::Internal)?;
        self.device.serve_lags(work, context, &self.id, &mut group)?;
        outbox::view(self.device, work, context.now, &send)?.ok_or(Code::Internal.into())
    }

    /// Members, info, and how our user stands.
    ///
    /// # Errors
    /// The store's.
    pub fn view(&self, context: &mut Context<'_>) -> Result<GroupView, Error> {
        self.device
            .run(context, |work, _| work.group(&self.id)?.and_then(GroupView::of).ok_or(Code::UnknownGroup.into()))
    }

    /// Adds users, at most 200 at once. Each of their devices gets all operations of the group; who has left it before is asked, and is a
    /// member again when they accept.
    ///
    /// # Errors
    /// [`Code::NotAMember`]; [`Code::EmptyBatch`]; [`Code::AlreadyMember`], [`Code::UnknownUser`] or [`Code::IdentityNotAccepted`], with the
    /// user's place; [`Code::TooMany`]; [`Code::TooManyOperations`].
    pub fn add(&self, context: &mut Context<'_>, users: &[UserId]) -> Result<Send, Error> {
        if users.is_empty() {
            return Err(Error::of(Code::EmptyBatch, "users"));
        }
        self.as_member(context, |work, Loaded { group, set, .. }| {
            let members = group.iter().flat_map(|group| &group.members).collect::<Vec<_>>();
            let known = |user: &UserId| members.iter().any(|member| member.user == *user);
            if let Some(item) = users.iter().position(known) {
                return Err(Error { code: Code::AlreadyMember, item: Some(item), field: Some("users") });
            }
            if users.len() > MAX_ADDED || members.len() + users.len() > MAX_MEMBERS {
                return Err(Error::of(Code::TooMany, "users"));
            }
            let leaves = |user: &UserId| set.leaves_of(user).into_iter().map(|leave| leave.0).collect();
            let added = self.device.added(work, users, leaves)?;
            Ok(Body::Add { members: added.into() })
        })
    }

    /// Changes name, description and the like; what is absent stays.
    ///
    /// # Errors
    /// [`Code::NotAMember`]; [`Code::InvalidArgument`] for nothing, or for what is outside its bounds; [`Code::TooManyOperations`].
    pub fn update_info(&self, context: &mut Context<'_>, change: &GroupChange) -> Result<Send, Error> {
        let change = change.form()?;
        if change.is_empty() {
            return Err(Error::of(Code::InvalidArgument, "change"));
        }
        self.as_member(context, |_, _| Ok(Body::Info { change: change.clone() }))
    }

    /// Changes the name: a short form of [`Group::update_info`].
    ///
    /// # Errors
    /// As there.
    pub fn rename(&self, context: &mut Context<'_>, name: &str) -> Result<Send, Error> {
        self.update_info(context, &GroupChange { name: Some(name.to_owned()), ..GroupChange::default() })
    }

    /// Leaves, for good unless this user accepts an invitation back. The others send it nothing more once they know.
    ///
    /// # Errors
    /// [`Code::NotAMember`].
    pub fn leave(&self, context: &mut Context<'_>) -> Result<Send, Error> {
        self.as_member(context, |_, _| Ok(Body::Leave))
    }

    /// Comes back, after a leave and an invitation.
    ///
    /// # Errors
    /// [`Code::NotInvited`].
    pub fn accept(&self, context: &mut Context<'_>) -> Result<Send, Error> {
        self.answer(context, |add| Body::Accept { add })
    }

    /// Stays away, after a leave and an invitation.
    ///
    /// # Errors
    /// [`Code::NotInvited`].
    pub fn decline(&self, context: &mut Context<'_>) -> Result<Send, Error> {
        self.answer(context, |add| Body::Decline { add })
    }

    fn answer(&self, context: &mut Context<'_>, body: impl Fn([u8; 32]) -> Body) -> Result<Send, Error> {
        self.with(context, |work, context, loaded| {
            let Some(Standing::Invited(add)) = loaded.group.as_ref().map(|group| group.standing) else {
                return Err(Code::NotInvited.into());
            };
            self.speak(work, context, loaded, body(add.0))
        })
    }

    /// Makes a new group of the members but `users`, with the same info. Nobody removes another: the old group stays as it is, nothing is
    /// said to those left out, and this user leaves the old one by [`Group::leave`], if at all.
    ///
    /// # Errors
    /// [`Code::NotAMember`]; [`Code::InvalidArgument`] when a user is none of the other members; as [`Device::create_group`].
    pub fn fork_without(&self, context: &mut Context<'_>, users: &[UserId]) -> Result<(Group<'d>, Send), Error> {
        let (id, send) = self.with(context, |work, context, loaded| {
            let group = loaded.group.as_ref().ok_or(Code::UnknownGroup)?;
            if group.standing != Standing::Member {
                return Err(Code::NotAMember.into());
            }
            let member = |user: &UserId| user != self.device.user() && group.members.iter().any(|m| m.user == *user);
            if let Some(item) = users.iter().position(|user| !member(user)) {
                return Err(Error { code: Code::InvalidArgument, item: Some(item), field: Some("users") });
            }
            let stay: Vec<UserId> = group
                .members
                .iter()
                .map(|member| member.user.clone())
                .filter(|user| !users.contains(user) && user != self.device.user())
                .collect();
            let change = GroupChange::whole(&group.info).form()?;
            let crate::record::Scope::Group(kind, _) = group.scope else { return Err(Code::Internal.into()) };
            self.device.found(work, context, kind, &change, &stay)
        })?;
        Ok((Group { device: self.device, id }, send))
    }

    /// Sends the app's bytes to all members, and a transcript to the user's own other devices.
    ///
    /// # Errors
    /// As [`Device::batch_encrypt`], which it is.
    pub fn send(&self, context: &mut Context<'_>, payload: &[u8], content_id: Option<[u8; 16]>) -> Result<Send, Error> {
        self.device.batch_encrypt(context, Recipients::Group(self.id), payload, content_id)
    }

    /// The group's active session with a device, or `None` when the next send opens one.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; the store's.
    pub fn session(
        &self,
        context: &mut Context<'_>,
        user: &UserId,
        device: DeviceId,
    ) -> Result<Option<SessionView>, Error> {
        self.device.run(context, |work, context| {
            let group = work.group(&self.id)?.ok_or(Code::UnknownGroup)?;
            work.user(user)?.ok_or(Code::UnknownUser)?;
            super::super::views::session_view(work, context.now, (user, device), group.scope).map_err(Error::from)
        })
    }

    /// All operations of the group, those that do not count included, in an order that is the same for all members.
    ///
    /// # Errors
    /// The store's.
    pub fn history(&self, context: &mut Context<'_>) -> Result<Vec<HistoryEntry>, Error> {
        self.with(context, |_, _, Loaded { set, view, .. }| {
            let void = view.map(|view| view.void).unwrap_or_default();
            Ok(set.operations().into_iter().map(|operation| HistoryEntry::of(operation, &void)).collect())
        })
    }

    /// What a message of `length` bytes will cost now.
    ///
    /// # Errors
    /// [`Code::TooLarge`]; the store's.
    pub fn cost(&self, context: &mut Context<'_>, length: usize) -> Result<Cost, Error> {
        self.device.run(context, |work, context| {
            let group = work.group(&self.id)?.ok_or(Code::UnknownGroup)?;
            self.device.cost(work, context, &group, length).map_err(Error::from)
        })
    }
}
