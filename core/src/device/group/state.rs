//! A group's operations meet the store: what new ones change besides the set.

use super::super::{settle, work::Work};
use crate::{
    context::Timestamp,
    error::Code,
    event::{Event, Standing},
    group::{
        change,
        operation::Operation,
        set::{Set, View},
    },
    ids::{AccountKey, DeviceId, GroupId, OperationId, Scope, UserId},
    keys::device_list::VerifiedDeviceList,
    limits::{MAX_BUNDLE, MAX_WAITING},
    model::{GroupRecord, User},
    record::{SendHead, StoredList, StoredOperation, Waiting},
    registry::trust,
    store::{Kind, Places},
    wire::group::{Bundle, EMPTY_BUNDLE, SignedOperation},
};
use std::collections::{BTreeMap, BTreeSet};

/// A group with its operations.
#[derive(Clone)]
pub(in super::super) struct Loaded {
    pub(in super::super) group: Option<GroupRecord>,
    pub(in super::super) set: Set,
    pub(in super::super) view: Option<View>,
}

/// Lists that operations cite, by their hash.
pub(in super::super) type Lists = BTreeMap<[u8; 32], VerifiedDeviceList>;

pub(in super::super) fn load(work: &Work<'_>, id: &GroupId) -> Result<Loaded, Code> {
    let group = work.group(id)?;
    let mut operations = Vec::new();
    for key in work.keys(&work.places().group(Kind::Operation, id))? {
        let stored: StoredOperation = work.get(&key)?.ok_or(Code::RecordInconsistent)?;
        operations.push(Operation::from_record(stored)?);
    }
    let mut set = Set::new(*id);
    let taken = set.take(operations, Vec::new()).map_err(|_| Code::RecordInconsistent)?;
    if !taken.waiting.is_empty() {
        return Err(Code::RecordInconsistent);
    }
    let view = set.view();
    if view.is_some() != group.is_some() {
        return Err(Code::RecordInconsistent);
    }
    Ok(Loaded { group, set, view })
}

/// The operations in a bundle that are not known, their signatures checked, and the lists that they cite.
pub(in super::super) fn verify(
    work: &Work<'_>,
    set: &Set,
    id: &GroupId,
    bundle: &Bundle,
) -> Result<(Vec<Operation>, Lists), Code> {
    let mut lists = Lists::new();
    for list in bundle.lists.as_slice() {
        let list = VerifiedDeviceList::verify(list.as_slice())?;
        lists.insert(list.list.hash, list);
    }
    let mut operations = Vec::new();
    for signed in bundle.operations.as_slice() {
        if set.has(&Operation::id_of(signed)) {
            continue;
        }
        let cited = crate::wire::group::Operation::decode(signed.operation.as_slice())?.list;
        if !lists.contains_key(&cited)
            && let Some(stored) = work.get::<StoredList>(&work.places().in_group(Kind::GroupList, id, &cited))?
        {
            let list = VerifiedDeviceList::verify(&stored.signed).map_err(|_| Code::RecordInconsistent)?;
            lists.insert(list.list.hash, list);
        }
        operations.push(Operation::verify(signed, |hash| lists.get(hash))?);
    }
    Ok((operations, lists))
}

/// Whose word operations are.
#[derive(Clone, Copy)]
pub(in super::super) enum Teller<'a> {
    /// Our own user's, by any of its devices.
    Ourselves,
    /// Another user's device, with the account key of its session.
    Other(&'a UserId, &'a AccountKey),
}

/// Operations that were offered are taken, as far as their parents are there. `Ok(None)`: the group is not ours yet, or the teller has no
/// part in it yet; nothing changed.
///
/// Nothing is written when it errs: what a set refuses, [`Code::MissingParents`] when too many wait.
pub(in super::super) fn take(
    work: &mut Work<'_>,
    (now, us): (Timestamp, (&UserId, DeviceId)),
    loaded: Loaded,
    (operations, lists): (Vec<Operation>, Lists),
    from: Teller<'_>,
) -> Result<Option<(Loaded, Vec<Event>)>, Code> {
    let Loaded { group, mut set, view: before } = loaded;
    let (us, device) = us;
    let id = set.id();
    let places = work.places();
    let waiting_key = places.group(Kind::Waiting, &id);
    let waited: Waiting = work.get(&waiting_key)?.unwrap_or_default();
    let waited = waited.operations.into_iter().map(Operation::from_record).collect::<Result<_, _>>()?;
    let told_twice = set.equivocators();
    let offered: BTreeSet<OperationId> = operations.iter().map(|operation| operation.id).collect();
    let taken = set.take(operations, waited)?;
    let Some(after) = set.view() else { return Ok(None) };
    let standing = standing(&after, us);
    if let Teller::Other(user, account_key) = from {
        // Perhaps the add that names the teller, or us, has not come yet.
        if (group.is_none() && standing == Standing::Left) || !set.names(user, account_key) {
            return Ok(None);
        }
    }
    // What was just offered comes before what has waited: who fills the room with words that build upon nothing keeps nobody else out, and
    // what is dropped comes again by sync.
    let mut taken = taken;
    if taken.waiting.iter().filter(|waiting| offered.contains(&waiting.id)).count() > MAX_WAITING {
        return Err(Code::MissingParents);
    }
    taken.waiting.sort_by_key(|waiting| !offered.contains(&waiting.id));
    taken.waiting.truncate(MAX_WAITING);
    let kept = || taken.new.iter().filter_map(|name| set.operation(name)).chain(&taken.waiting);
    for list in lists.values().filter(|list| kept().any(|operation| operation.form.list == list.list.hash)) {
        let key = places.in_group(Kind::GroupList, &id, &list.list.hash);
        work.put(key, &StoredList { signed: list.signed.clone() })?;
    }
    for operation in taken.new.iter().filter_map(|name| set.operation(name)) {
        work.put(places.in_group(Kind::Operation, &id, &operation.id.0), &operation.record())?;
    }
    match taken.waiting.is_empty() {
        true => work.delete(waiting_key),
        false => {
            let operations = taken.waiting.iter().map(Operation::record).collect();
            work.put(waiting_key, &Waiting { operations })?;
        }
    }
    let mut events = change::events(before.as_ref(), &after, us);
    for (user, device) in set.equivocators().difference(&told_twice) {
        events.push(Event::GroupEquivocation { group: id, user: user.clone(), device: *device });
    }
    events.extend(pin_members(work, before.as_ref(), &after, us)?);
    let mut group = advance(group, &after, standing, now.0);
    for user in taken.new.iter().flat_map(|name| set.uninformed(name, (us, device))) {
        if user != *us && !group.owed.contains(&user) {
            group.owed.push(user);
        }
    }
    let were = before.iter().flat_map(|view| &view.members).map(|member| &member.user);
    for user in were.filter(|user| *user != us && !after.is_member(user)) {
        drop_pending(work, user, group.scope)?;
    }
    work.put_group(&id, &group)?;
    Ok(Some((Loaded { group: Some(group), set, view: Some(after) }, events)))
}

/// > An add names user id **and account key**; a different pin blocks (X 11).
fn pin_members(work: &mut Work<'_>, before: Option<&View>, after: &View, us: &UserId) -> Result<Vec<Event>, Code> {
    let mut events = Vec::new();
    for member in &after.members {
        if member.user == *us || before.is_some_and(|before| before.members.contains(member)) {
            continue;
        }
        match (work.user(&member.user)?, member.account_keys.as_slice()) {
            (None, [account_key]) => work.put_user(&User::pinned(member.user.clone(), *account_key))?,
            (Some(User { account_key, .. }), keys) if keys.contains(&account_key) => {}
            (Some(known), [account_key, ..]) => {
                let (blocked, event) = trust::block(&known, *account_key);
                work.put_user(&blocked)?;
                events.extend(event);
            }
            // Adds that name different keys: the first list that is seen decides, as at any first contact.
            (None | Some(_), _) => {}
        }
    }
    Ok(events)
}

/// All operations of a group with the lists that they cite, in as many bundles as are needed.
pub(in super::super) fn bundles(work: &Work<'_>, set: &Set, most: usize) -> Result<Vec<Bundle>, Code> {
    pack(work, &set.id(), &set.operations(), most)
}

/// These operations with the lists that they cite, in bundles of at most so many bytes.
fn pack(work: &Work<'_>, id: &GroupId, operations: &[&Operation], most: usize) -> Result<Vec<Bundle>, Code> {
    let mut all = Vec::new();
    let (mut bundle, mut size, mut cited) = (Bundle::default(), EMPTY_BUNDLE, BTreeSet::new());
    for operation in operations {
        let hash = operation.form.list;
        let mut list = None;
        if !cited.contains(&hash) {
            let key = work.places().in_group(Kind::GroupList, id, &hash);
            list = Some(work.get::<StoredList>(&key)?.ok_or(Code::RecordInconsistent)?.signed);
        }
        let added = operation.signed.len() + list.as_ref().map_or(0, |list| list.len() + 2);
        if size + added > most && !bundle.operations.as_slice().is_empty() {
            all.push(core::mem::take(&mut bundle));
            (size, cited) = (EMPTY_BUNDLE, BTreeSet::new());
            let key = work.places().in_group(Kind::GroupList, id, &hash);
            list = Some(work.get::<StoredList>(&key)?.ok_or(Code::RecordInconsistent)?.signed);
        }
        if let Some(list) = list {
            size += list.len() + 2;
            let mut lists = bundle.lists.into_vec();
            lists.push(list.into());
            bundle.lists = lists.into();
            cited.insert(hash);
        }
        size += operation.signed.len();
        let mut operations = bundle.operations.into_vec();
        operations.push(SignedOperation::decode(&operation.signed).map_err(|_| Code::RecordInconsistent)?);
        bundle.operations = operations.into();
    }
    all.push(bundle);
    Ok(all)
}

/// The same, encoded, each within one message.
pub(super) fn encoded_bundles(work: &Work<'_>, set: &Set) -> Result<Vec<Vec<u8>>, Code> {
    bundles(work, set, MAX_BUNDLE)?.iter().map(Bundle::encode).collect()
}

/// How large a group's state is, in bytes: its operations with the lists that they cite.
pub(super) fn size(work: &Work<'_>, set: &Set) -> Result<usize, Code> {
    let mut size = set.operations().iter().map(|operation| operation.signed.len()).sum();
    for key in work.keys(&work.places().group(Kind::GroupList, &set.id()))? {
        size += work.get::<StoredList>(&key)?.map_or(0, |list| list.signed.len());
    }
    Ok(size)
}

/// That a user has left, for whoever has not heard it and may lack what came before.
pub(super) fn encoded_farewell(work: &Work<'_>, set: &Set, user: &UserId) -> Result<Vec<Vec<u8>>, Code> {
    pack(work, &set.id(), &set.farewell(user), MAX_BUNDLE)?.iter().map(Bundle::encode).collect()
}

/// What shows a misled user that nobody counts them in.
pub(super) fn encoded_evidence(work: &Work<'_>, set: &Set, user: &UserId) -> Result<Vec<Vec<u8>>, Code> {
    pack(work, &set.id(), &set.evidence_for(user), MAX_BUNDLE)?.iter().map(Bundle::encode).collect()
}

fn standing(view: &View, us: &UserId) -> Standing {
    match view.invited.get(us) {
        _ if view.is_member(us) => Standing::Member,
        Some(add) => Standing::Invited(*add),
        None => Standing::Left,
    }
}

/// What the operations make of the group, and what the record alone remembers.
fn advance(known: Option<GroupRecord>, view: &View, standing: Standing, now: u64) -> GroupRecord {
    let (mut left_at, mut lags, pushed, owed) =
        known.map(|group| (group.left_at, group.lags, group.pushed, group.owed)).unwrap_or_default();
    // With whom we share no group we need not agree; and whose claim we have come up to lags no more.
    let concerned = |user: &UserId| view.is_member(user) || view.misled.contains(user);
    lags.retain(|lag| concerned(&lag.user) && lag.claim != view.claim);
    left_at.retain(|(user, _)| view.former.contains(user));
    for user in &view.former {
        if left_at.iter().all(|(known, _)| known != user) {
            left_at.push((user.clone(), now));
        }
    }
    GroupRecord {
        scope: view.scope,
        standing,
        members: view.members.clone(),
        former: view.former.clone(),
        misled: view.misled.clone(),
        info: view.info.clone(),
        claim: view.claim,
        left_at,
        lags,
        pushed,
        owed,
    }
}

/// > A leave applied while a send is pending drops the leaver's batch from the outbox (A56).
fn drop_pending(work: &mut Work<'_>, user: &UserId, scope: Scope) -> Result<(), Code> {
    for key in work.keys(&work.places().user(Kind::SendPart, user))? {
        let send = Places::send_of(&key)?;
        let head: Option<SendHead> = work.get(&Places::send(Kind::SendHead, &send))?;
        if head.is_some_and(|head| head.group.is_some_and(|group| group.scope == scope)) {
            settle::close(work, &send, user)?;
        }
    }
    Ok(())
}
