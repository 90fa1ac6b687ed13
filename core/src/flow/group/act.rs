//! An act in a group: an operation is signed, taken, and told to everybody whom it concerns (D6).

use super::{
    bundles, hear,
    state::{self, Changed, Lists, Loaded, Offered},
    sync,
    tell::{Said, Told, say, sent_to, to_group},
    who::{Taker, Teller},
};
use crate::{
    error::{Code, Error},
    event::{GroupChange, PendingSend, Standing},
    flow::send::{self, Message},
    group::{
        history,
        operation::{Operation, group_id, is_last_word, keeps_out},
        set::Set,
    },
    ids::{AccountKey, ContentId, DeviceId, GroupId, GroupKind, Scope, UserId},
    keys::device_list::VerifiedDeviceList,
    limits::{MAX_ADDED, MAX_GROUP_STATE, MAX_MEMBERS},
    model::{GroupRecord, identities},
    record::{Says, SendBody},
    store::{Kind, Places, RowKey},
    tx::{Call, inbox, ledger},
    wire::group::{Added, Body, Bundle, Change},
};
use std::collections::BTreeSet;

/// A new group, and the send that tells of it.
pub(crate) fn found(
    call: &mut Call<'_>,
    kind: GroupKind,
    change: &Change,
    users: &[UserId],
    origin: Option<GroupId>,
) -> Result<(GroupId, PendingSend), Error> {
    let known = |_: &UserId| None;
    let added = added(call, users, known, |_, _| Vec::new())?;
    found_of(call, kind, change, added, origin)
}

/// The same of users and the account keys that they are added under.
fn found_of(
    call: &mut Call<'_>,
    kind: GroupKind,
    change: &Change,
    mut added: Vec<Added>,
    origin: Option<GroupId>,
) -> Result<(GroupId, PendingSend), Error> {
    added.retain(|added| added.user.as_slice() != call.user().as_bytes());
    if added.len() >= MAX_MEMBERS {
        return Err(Error::of(Code::TooMany, "users"));
    }
    let own = own_list(call)?;
    let account_key = call.us.party.account();
    let random = call.context.random();
    let id = group_id(&account_key, &random);
    let mut set = Set::new(id);
    let mut operations = Vec::new();
    let create = Body::Create {
        kind: kind.number(),
        account_key: account_key.0,
        random,
        change: change.clone(),
        origin: origin.map(|id| id.0),
    };
    let adds = added.chunks(MAX_ADDED).map(|members| Body::Add { members: members.to_vec().into() });
    for body in core::iter::once(create).chain(adds) {
        let operation = sign(call, &set, &own, body)?;
        set.insert(operation.clone())?;
        operations.push(operation);
    }
    let taker = Taker::of(call);
    let loaded = Loaded { group: None, set: Set::new(id), view: None };
    let offered = Offered { operations, lists: cited(own), ..Offered::default() };
    let Changed { group, set, .. } =
        state::take(&mut call.tx, taker, loaded, offered, Teller::Ourselves)?.changed().ok_or(Code::Internal)?;
    let told = Told { users: group.users().cloned().collect(), welcomed: BTreeSet::new() };
    let mut whole = bundles::whole(&call.tx, &set)?;
    let last = whole.pop().ok_or(Code::Internal)?;
    for payload in whole {
        say(call, &group, &told, Said::quietly(payload))?;
    }
    let send = say(call, &group, &told, Said::aloud(last))?;
    Ok((id, send))
}

/// A new group of the members but `users`, with the same info.
pub(crate) fn fork_without(
    call: &mut Call<'_>,
    group: &GroupRecord,
    users: &[UserId],
) -> Result<(GroupId, PendingSend), Error> {
    let us = call.user();
    if let Some(item) = users.iter().position(|user| user == us || !group.is_member(user)) {
        return Err(Error::of_item(Code::InvalidArgument, "users", item));
    }
    let stay: Vec<UserId> = group.users().filter(|user| !users.contains(user) && *user != us).cloned().collect();
    let change = form(&GroupChange::whole(&group.info))?;
    let Scope::Group(kind, origin) = group.scope else { return Err(Code::Internal.into()) };
    // Members whom we do not know yet are asked over under the key by which this group names them.
    let hint = |user: &UserId| group.member(user).and_then(|member| member.account_keys.first()).copied();
    let added = added(call, &stay, hint, |_, _| Vec::new())?;
    found_of(call, kind, &change, added, Some(origin))
}

/// A change of a group's info, checked, as it travels.
pub(crate) fn form(change: &GroupChange) -> Result<Change, Error> {
    history::form(change).map_err(|code| Error::of(code, "change"))
}

/// An add of `users` to a group.
pub(crate) fn add(call: &Call<'_>, loaded: &Loaded, users: &[UserId]) -> Result<Body, Error> {
    let group = loaded.group.as_ref().ok_or(Code::UnknownGroup)?;
    if let Some(item) = users.iter().position(|user| group.is_member(user)) {
        return Err(Error::of_item(Code::AlreadyMember, "users", item));
    }
    if users.len() > MAX_ADDED || identities(&group.members) + users.len() > MAX_MEMBERS {
        return Err(Error::of(Code::TooMany, "users"));
    }
    Ok(Body::Add { members: added(call, users, |_| None, leaves_in(&loaded.set))?.into() })
}

/// The leaves that an add of an identity names, so that it counts beside them.
fn leaves_in(set: &Set) -> impl Fn(&UserId, &AccountKey) -> Vec<[u8; 32]> {
    |user, account_key| set.leaves_of(user, account_key).into_iter().map(|leave| leave.0).collect()
}

/// An add of a member under the account key that we know, where the group names another.
pub(crate) fn readmit(call: &Call<'_>, loaded: &Loaded, user: &UserId) -> Result<Body, Error> {
    let error = |code| Error::of(code, "user");
    let group = loaded.group.as_ref().ok_or(Code::UnknownGroup)?;
    let known = call.tx.known(user)?.ok_or(error(Code::UnknownUser))?;
    if known.claimed_key.is_some() {
        return Err(error(Code::IdentityNotAccepted));
    }
    if group.member(user).is_none_or(|member| member.account_keys.contains(&known.account_key)) {
        return Err(error(Code::InvalidArgument));
    }
    if identities(&group.members) >= MAX_MEMBERS {
        return Err(error(Code::TooMany));
    }
    // A leave of the former identity does not bind the new one.
    let users = core::slice::from_ref(user);
    Ok(Body::Add { members: added(call, users, |_| None, leaves_in(&loaded.set))?.into() })
}

/// The entries of an add, rising by user, under the account keys that we know, or that `hint` gives for who is not known.
fn added(
    call: &Call<'_>,
    users: &[UserId],
    hint: impl Fn(&UserId) -> Option<AccountKey>,
    leaves: impl Fn(&UserId, &AccountKey) -> Vec<[u8; 32]>,
) -> Result<Vec<Added>, Error> {
    let mut added: Vec<Added> = Vec::new();
    for (item, user) in users.iter().enumerate() {
        let error = |code| Error::of_item(code, "users", item);
        let account_key = match call.tx.known(user)? {
            Some(known) if known.claimed_key.is_some() => return Err(error(Code::IdentityNotAccepted)),
            Some(known) => known.account_key,
            None => hint(user).ok_or(error(Code::UnknownUser))?,
        };
        added.push(Added {
            user: user.as_bytes().to_vec().into(),
            account_key: account_key.0,
            leaves: leaves(user, &account_key).into(),
        });
    }
    added.sort_by(|a, b| a.user.as_slice().cmp(b.user.as_slice()));
    added.dedup_by(|a, b| a.user == b.user);
    Ok(added)
}

fn sign(call: &Call<'_>, set: &Set, own: &VerifiedDeviceList, body: Body) -> Result<Operation, Code> {
    let draft = set.draft(&call.us.party, body)?;
    Operation::sign(call.us, own, draft)
}

/// Does one act, then sends what is due to devices that lag; gives the send that tells of the act.
pub(crate) fn act_and_sync(
    call: &mut Call<'_>,
    id: &GroupId,
    loaded: Loaded,
    body: Body,
) -> Result<PendingSend, Error> {
    let send = act(call, loaded, body)?;
    let mut group = call.tx.group(id)?.ok_or(Code::Internal)?;
    sync::serve_lags(call, id, &mut group)?;
    Ok(send)
}

/// Signs one operation, takes it, and sends it.
fn act(call: &mut Call<'_>, loaded: Loaded, body: Body) -> Result<PendingSend, Error> {
    let own = own_list(call)?;
    let mut told = Told::default();
    // Our user has never had a part in it.
    let is_closed = |group: &&GroupRecord| group.invitation.is_some() || group.declined;
    let closed = loaded.group.as_ref().filter(is_closed).filter(|_| keeps_out(&body));
    let only = closed.map(|group| strangers_told(call, group)).transpose()?;
    told.users.extend(loaded.group.iter().flat_map(|group| group.users().cloned()));
    if let Body::Add { members } = &body {
        let named = members.iter().filter_map(|added| UserId::try_new(added.user.as_slice().to_vec()));
        told.welcomed.extend(named);
    }
    let may_always = is_last_word(&body);
    if loaded.group.as_ref().is_some_and(GroupRecord::is_overfull) {
        if !may_always {
            return Err(Code::GroupOverfull.into());
        }
        // Whom nobody here knows is most likely made up.
        told.users = known(call, &told.users)?;
    }
    let operation = sign(call, &loaded.set, &own, body)?;
    if !may_always && bundles::size(&loaded.set) + operation.signed.len() > MAX_GROUP_STATE {
        return Err(Code::TooManyOperations.into());
    }
    let taker = Taker::of(call);
    let offered = Offered { operations: vec![operation.clone()], lists: cited(own), ..Offered::default() };
    let outcome = state::take(&mut call.tx, taker, loaded, offered, Teller::Ourselves)?;
    let changed = outcome.changed().ok_or(Code::Internal)?;
    if !changed.group.is_overfull() {
        told.users.extend(changed.group.users().cloned());
    }
    told.users.extend(told.welcomed.iter().cloned());
    let mut whole = Vec::new();
    if !told.welcomed.is_empty() {
        whole = bundles::whole(&call.tx, &changed.set)?;
    }
    if let Some(only) = only {
        told.users = only;
        // Our own devices may have been told of another part of it, or of nothing. In pieces it would look like a yes at first.
        let all = bundles::whole(&call.tx, &changed.set)?;
        if all.len() == 1 {
            (told.welcomed, whole) = (BTreeSet::from([call.user().clone()]), all);
        }
    }
    told.users.insert(call.user().clone());
    tell(call, &changed, &operation, &told, whole)
}

/// Who hears of it when our user stays out of a group of strangers: who asked, and whom our user knows. Not everybody whom they have named.
fn strangers_told(call: &Call<'_>, group: &GroupRecord) -> Result<BTreeSet<UserId>, Code> {
    let mut told: BTreeSet<UserId> = group.invitation.iter().map(|invitation| invitation.user.clone()).collect();
    for user in group.users() {
        if ledger::is_known(&call.tx, user)? {
            told.insert(user.clone());
        }
    }
    Ok(told)
}

fn known(call: &Call<'_>, users: &BTreeSet<UserId>) -> Result<BTreeSet<UserId>, Code> {
    let mut known = BTreeSet::new();
    for user in users {
        if call.tx.known(user)?.is_some() {
            known.insert(user.clone());
        }
    }
    Ok(known)
}

/// Sends an operation to those who have the rest, and what is there to those who have nothing.
fn tell(
    call: &mut Call<'_>,
    changed: &Changed,
    operation: &Operation,
    told: &Told,
    mut whole: Vec<Vec<u8>>,
) -> Result<PendingSend, Error> {
    let group = &changed.group;
    let own = call.tx.own_list(call.user())?;
    // The last message of a large state goes with the operation itself.
    let welcome = whole.pop().unwrap_or_default();
    let newcomers = Told { users: told.welcomed.clone(), welcomed: BTreeSet::new() };
    for payload in whole {
        say(call, group, &newcomers, Said::quietly(payload))?;
    }
    let payload = bundles::of_ours(&own, &[operation])?;
    say(call, group, told, Said { welcome, ..Said::aloud(payload) })
}

/// The app's yes: what was held is heard, and who invited is asked for the group's state. The send is our user's word on the other own
/// devices as well.
pub(crate) fn accept_invitation(call: &mut Call<'_>, id: &GroupId) -> Result<PendingSend, Error> {
    let group = call.tx.group(id)?.ok_or(Code::UnknownGroup)?;
    let invitation = group.invitation.clone().ok_or(Code::NotInvited)?;
    let group = hear::agree(call, id, group, &invitation)?;
    for item in hear::release(call, group.scope, *id)? {
        inbox::put(&mut call.tx, &item)?;
    }
    retire_removed(call, id)?;
    // Our own devices may not have been told of the group.
    let us = call.user().clone();
    let mut whole = bundles::whole(&call.tx, &state::load(&call.tx, id)?.set)?;
    let welcome = whole.pop().unwrap_or_default();
    let ours = Told { users: BTreeSet::from([us.clone()]), welcomed: BTreeSet::new() };
    for payload in whole {
        say(call, &group, &ours, Said::quietly(payload))?;
    }
    let told = Told { users: BTreeSet::from([invitation.user, us.clone()]), welcomed: BTreeSet::from([us]) };
    say(call, &group, &told, Said { welcome, ..Said::aloud(Bundle::default().encode()?) })
}

/// A message to a group, on its way like any other.
pub(crate) fn send(
    call: &mut Call<'_>,
    id: &GroupId,
    payload: &[u8],
    content_id: Option<ContentId>,
) -> Result<PendingSend, Error> {
    let group = call.tx.known_group(id)?.ok_or(Code::UnknownGroup)?;
    if group.standing != Standing::Member {
        return Err(Code::NotAMember.into());
    }
    if group.is_overfull() {
        return Err(Code::GroupOverfull.into());
    }
    let told = Told { users: group.users().cloned().collect(), welcomed: BTreeSet::new() };
    let users = sent_to(call, &group, &told)?;
    let to_group = to_group(&group, &users, call.user(), false);
    let body = SendBody { payload: payload.to_vec(), welcome: Vec::new() };
    let message =
        Message { users, target: None, group: Some(to_group), content_id, body, quiet: false, says: Says::Payload };
    let send = send::start(call, message)?;
    if !group.lags.is_empty() || !group.owed.is_empty() {
        sync::serve_lags(call, id, &mut GroupRecord::clone(&group))?;
    }
    Ok(send)
}

/// > Removing a device emits `retire(device, last sequence)` for each group (X 11).
///
/// Called when the list that no longer names the device has been taken: the operation cites it as its evidence. Groups that our user has left
/// count as well: the device could accept an invitation. A group that is damaged, or that takes no operation of ours any more, keeps no device
/// on the list. `last` is the device's last operation that counts; without it, the last one that is known here.
pub(crate) fn retire(call: &mut Call<'_>, device: DeviceId, last: Option<u64>) -> Result<(), Error> {
    for key in call.tx.keys(&Places::all(Kind::Group))? {
        call.tx.begin_item();
        let retired = retire_in(call, &key, device, last);
        call.tx.end_item(retired.is_ok());
        match retired {
            Err(error) if error.code == Code::TooManyOperations || error.code.is_damage() => {}
            other => other?,
        }
    }
    Ok(())
}

/// Nothing was said there while the app had not answered: our devices that were removed meanwhile or before are retired now.
fn retire_removed(call: &mut Call<'_>, id: &GroupId) -> Result<(), Error> {
    let key = call.tx.places().group(Kind::Group, id);
    let mut removed = Vec::new();
    for peer in call.tx.all_peers()? {
        if peer.user == *call.user() && peer.stale_since.is_some() {
            removed.push(peer.device);
        }
    }
    for device in removed {
        retire_in(call, &key, device, None)?;
    }
    Ok(())
}

fn retire_in(call: &mut Call<'_>, key: &RowKey, device: DeviceId, last: Option<u64>) -> Result<(), Error> {
    let group = call.tx.get::<GroupRecord>(key)?.filter(|group| group.invitation.is_none());
    let Some(group) = group else { return Ok(()) };
    let id = group.scope.group().ok_or(Code::RecordInconsistent)?;
    let loaded = state::load(&call.tx, &id)?;
    let known = || loaded.set.last_sequence(call.user(), &call.us.party.account(), device);
    let last = last.unwrap_or_else(known);
    act(call, loaded, Body::Retire { device: device.0, last })?;
    Ok(())
}

/// Our own newest list, which what we sign cites.
fn own_list(call: &Call<'_>) -> Result<VerifiedDeviceList, Code> {
    let own = call.tx.own_list(call.user())?;
    VerifiedDeviceList::verify_signed(own.signed()?).map_err(|_| Code::RecordInconsistent)
}

fn cited(own: VerifiedDeviceList) -> Lists {
    Lists::from([(own.list.hash, own)])
}
