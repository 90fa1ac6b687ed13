//! How an act in a group is done: an operation is signed, taken and told to whom it concerns (D6).

use super::{
    super::{Device, lists::OwnList, outbox, send::check_payload, work::Work},
    state::{self, Lists, Loaded, Teller},
};
use crate::{
    context::Context,
    error::{Code, Error},
    event::{Send, Standing},
    group::{
        operation::{Operation, group_id},
        set::{Set, is_last_word},
    },
    ids::{ContentId, DeviceId, GroupId, GroupKind, SendId, UserId},
    keys::device_list::VerifiedDeviceList,
    limits::{MAX_ADDED, MAX_GROUP_STATE, MAX_MEMBERS},
    model::GroupRecord,
    record::{SendBody, SentTo, ToGroup},
    store::{Key, Kind},
    wire::group::{Added, Body, Bundle, Change, SignedOperation},
};
use std::collections::BTreeSet;

/// What an act changes, and who is told what.
struct Told {
    /// Members, before or after it.
    users: BTreeSet<UserId>,
    /// Who gets the whole state instead of the operation.
    welcomed: BTreeSet<UserId>,
}

impl Device {
    /// A new group, and the send that tells of it.
    pub(super) fn found(
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
        let account_key = self.keys.party.account();
        let random = context.random();
        let id = group_id(&account_key, &random);
        let mut set = Set::new(id);
        let mut operations = Vec::new();
        let create = Body::Create { kind: kind.number(), account_key: account_key.0, random, change: change.clone() };
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
    pub(super) fn added(
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
                account_key: known.account_key.0,
                leaves: leaves(user).into(),
            });
        }
        added.sort_by(|a, b| a.user.as_slice().cmp(b.user.as_slice()));
        added.dedup_by(|a, b| a.user == b.user);
        Ok(added)
    }

    fn sign(&self, set: &Set, own: &OwnList, body: Body) -> Result<Operation, Code> {
        let draft = set.draft(&self.keys.party, body)?;
        Operation::sign(&self.keys, &own.list, draft)
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
        let may_always = is_last_word(&body);
        let operation = self.sign(&loaded.set, &own, body)?;
        if !may_always && state::size(work, &loaded.set)? + operation.signed.len() > MAX_GROUP_STATE {
            return Err(Code::TooManyOperations.into());
        }
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

    /// Operations that are sent to one user, or to one device, besides what is said to all.
    pub(super) fn sent_alone(&self, work: &Work<'_>, group: &GroupRecord, user: &UserId) -> Result<Vec<SentTo>, Code> {
        self.sent_in(work, group, &BTreeSet::from([user.clone()]), &BTreeSet::new())
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
        content_id: Option<ContentId>,
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
    /// Called when the list that no longer names the device has been taken: the operation cites it as its evidence. Also where this user is
    /// asked back: the device could accept. A group that is damaged, or that takes no word of ours any more, keeps no device on the list.
    pub(in super::super) fn retire(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        device: DeviceId,
    ) -> Result<(), Error> {
        for key in work.keys(&crate::store::Places::all(Kind::Group))? {
            work.begin_item();
            let retired = self.retire_in(work, context, &key, device);
            work.end_item(retired.is_ok());
            match retired {
                Err(error) if error.code == Code::TooManyOperations || error.code.is_damage() => {}
                other => other?,
            }
        }
        Ok(())
    }

    fn retire_in(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        key: &Key,
        device: DeviceId,
    ) -> Result<(), Error> {
        let Some(group) = work.get::<GroupRecord>(key)?.filter(|group| group.standing != Standing::Left) else {
            return Ok(());
        };
        let id = group.scope.group().ok_or(Code::RecordInconsistent)?;
        let loaded = state::load(work, &id)?;
        let last = loaded.set.last_sequence(self.user(), &self.keys.party.account(), device);
        self.act(work, context, loaded, Body::Retire { device: device.0, last }).map(drop)
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
