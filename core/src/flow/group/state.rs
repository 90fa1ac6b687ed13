//! What new operations of a group change in the store besides the set.

use super::{
    consent::{self, Asked},
    who::{Taker, Teller},
};
use crate::{
    clock::Age,
    error::{Blame, Code},
    event::{Event, Standing},
    group::{
        change::{self, Us},
        operation::Operation,
        set::{Author, Set},
        view::View,
    },
    ids::{AccountKey, GroupId, OperationId, Scope, UserId},
    keys::device_list::VerifiedDeviceList,
    limits::{MAX_LATENCY, MAX_WAITING},
    model::{GroupRecord, Invitation},
    record::{PartState, SendHead, StoredList, StoredOperation, Waiting},
    store::{Kind, Places},
    tx::{Tx, ledger, sends},
    wire::group::{self as form, Body, Bundle, SignedOperation},
};
use std::collections::{BTreeMap, BTreeSet};

/// A group with its operations.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) group: Option<GroupRecord>,
    pub(crate) set: Set,
    pub(crate) view: Option<View>,
}

/// Lists that operations cite, by their hash.
pub(crate) type Lists = BTreeMap<[u8; 32], VerifiedDeviceList>;

/// What a bundle brings: operations whose signatures are checked, with the lists that they cite.
#[derive(Clone, Default)]
pub(crate) struct Offered {
    pub(crate) operations: Vec<Operation>,
    pub(crate) lists: Lists,
    /// Why others in the bundle were refused, each by itself.
    pub(crate) refused: Vec<Code>,
    /// Whether something in it is known already.
    pub(crate) repeats: bool,
}

/// What came of operations.
pub(crate) enum Outcome {
    /// No add has named our user or the teller yet, and nothing changed.
    Early,
    /// The teller has invited our user too often, or too many others have (X 11). Nothing changed.
    TooMany,
    /// They were taken.
    Changed(Box<Changed>),
}

impl Outcome {
    /// What changed, if anything did.
    pub(crate) fn changed(self) -> Option<Changed> {
        if let Self::Changed(changed) = self { Some(*changed) } else { None }
    }
}

/// What came of operations that were taken.
pub(crate) struct Changed {
    pub(crate) group: GroupRecord,
    pub(crate) set: Set,
    pub(crate) events: Vec<Event>,
}

/// Reads a group with all its operations.
pub(crate) fn load(tx: &Tx<'_>, id: &GroupId) -> Result<Loaded, Code> {
    let group = tx.group(id)?;
    let mut operations = Vec::new();
    for key in tx.keys(&tx.places().group(Kind::Operation, id))? {
        let stored: StoredOperation = tx.get(&key)?.ok_or(Code::RecordInconsistent)?;
        operations.push(Operation::from_record(stored)?);
    }
    let set = Set::restore(*id, operations)?;
    let view = set.view();
    if view.is_some() != group.is_some() {
        return Err(Code::RecordInconsistent);
    }
    Ok(Loaded { group, set, view })
}

/// The operations in a bundle that are not known, their signatures checked. One that is refused is refused alone.
///
/// # Errors
/// The store's.
pub(crate) fn verify(tx: &Tx<'_>, set: &Set, bundle: &Bundle) -> Result<Offered, Code> {
    let mut offered = Offered::default();
    for list in bundle.lists.as_slice() {
        match VerifiedDeviceList::verify_signed(list.as_slice()) {
            Ok(list) => drop(offered.lists.insert(list.list.hash, list)),
            Err(code) => offered.refused.push(code),
        }
    }
    for signed in bundle.operations.as_slice() {
        if set.has(&Operation::id_of(signed)) {
            offered.repeats = true;
            continue;
        }
        match verify_one(tx, set, &mut offered.lists, signed) {
            Ok(operation) => offered.operations.push(operation),
            Err(code) if code.blame() == Blame::Store => return Err(code),
            Err(code) => offered.refused.push(code),
        }
    }
    Ok(offered)
}

/// Verifies one operation under the list that it cites, which is in the bundle or is cited by an operation of the group.
fn verify_one(tx: &Tx<'_>, set: &Set, lists: &mut Lists, signed: &SignedOperation) -> Result<Operation, Code> {
    let cited = form::Operation::decode(signed.operation.as_slice())?.list;
    if !lists.contains_key(&cited)
        && let Some(stored) = tx.get::<StoredList>(&tx.places().in_group(Kind::GroupList, &set.id(), &cited))?
    {
        let list = VerifiedDeviceList::verify_signed(&stored.signed).map_err(|_| Code::RecordInconsistent)?;
        lists.insert(list.list.hash, list);
    }
    Operation::verify(signed, |hash| lists.get(hash))
}

/// > From the leaver's own devices, new adds and updates are refused once we have known the leave for MAXLATENCY.
fn is_long_gone(group: &GroupRecord, user: &UserId, age: Age) -> bool {
    !group.is_member(user) && group.left_at(user).is_some_and(|at| age.since(at) > MAX_LATENCY)
}

/// Takes operations as far as their parents are there.
///
/// # Errors
/// The first reason for which something was refused, if nothing else came of it. Nothing is written then.
pub(crate) fn take(
    tx: &mut Tx<'_>,
    taker: Taker<'_>,
    loaded: Loaded,
    offered: Offered,
    from: Teller<'_>,
) -> Result<Outcome, Code> {
    let Loaded { group, mut set, view: before } = loaded;
    let Offered { mut operations, lists, mut refused, repeats } = offered;
    if let Teller::Other(user, ..) = from
        && group.as_ref().is_some_and(|group| is_long_gone(group, user, taker.age))
    {
        let before = operations.len();
        operations.retain(|operation| !matches!(operation.form.body, Body::Add { .. } | Body::Info { .. }));
        if operations.len() < before {
            refused.push(Code::AuthorNotMember);
        }
    }
    let us = taker.user;
    let waiting = tx.places().group(Kind::Waiting, &set.id());
    let waited: Waiting = tx.get(&waiting)?.unwrap_or_default();
    let waited: Vec<Operation> = waited.operations.into_iter().map(Operation::from_record).collect::<Result<_, _>>()?;
    let mut loose: BTreeSet<[u8; 32]> = waited.iter().map(|operation| operation.form.list).collect();
    let told_twice: BTreeSet<Author> = set.equivocators().into_keys().collect();
    let names: BTreeSet<OperationId> = operations.iter().map(|operation| operation.id).collect();
    let mut taken = set.take(operations, waited);
    let came: Vec<&OperationId> = taken.new.iter().chain(taken.waiting.iter().map(|waiting| &waiting.id)).collect();
    refused.append(&mut taken.refused);
    if let Some(code) = refused.first()
        && !repeats
        && !came.into_iter().any(|id| names.contains(id))
    {
        return Err(*code);
    }
    let Some(after) = set.view() else { return Ok(Outcome::Early) };
    let mut standing = standing(&after, us, &taker.account_key);
    if let Teller::Other(user, account_key, _) = from {
        // Perhaps the add that names the teller, or us, has not come yet.
        if (group.is_none() && standing == Standing::Left) || !set.names(user, account_key) {
            return Ok(Outcome::Early);
        }
        // Who has forgotten a group after leaving it is asked back by whom they know, and by nobody else.
        if group.is_none() && matches!(standing, Standing::Invited(_)) && !ledger::knows(tx, user, account_key)? {
            return Ok(Outcome::Early);
        }
    }
    let invited = group.as_ref().and_then(|group| group.invitation.clone());
    let mut invitation = None;
    if standing == Standing::Member {
        match consent::asked(tx, taker, group.as_ref(), (&set, &after, &taken.new), from)? {
            Asked::No => {}
            Asked::ByNobody => return Ok(Outcome::Early),
            Asked::By(asked, add) => {
                let is_new = group.as_ref().is_none_or(|group| group.invitation.is_none());
                if is_new && !ledger::enter_invitation(tx, &asked.user)? {
                    return Ok(Outcome::TooMany);
                }
                ledger::note_answered(tx, &asked.user, &set.id())?;
                (standing, invitation) = (Standing::Invited(add), Some(asked));
            }
        }
    }
    // What was just offered comes before what has waited. So nobody fills the room with operations that build upon nothing and keeps others
    // out; what is dropped comes again by sync.
    taken
        .waiting
        .sort_by(|a, b| names.contains(&b.id).cmp(&names.contains(&a.id)).then_with(|| a.order().cmp(&b.order())));
    taken.waiting.truncate(MAX_WAITING);
    let new: Vec<&Operation> = taken.new.iter().filter_map(|name| set.operation(name)).collect();
    write(tx, &set.id(), &new, &taken.waiting, &lists)?;
    put_back(tx, &set, &lists)?;
    for spare in &taken.dropped {
        tx.delete(tx.places().in_group(Kind::Operation, &set.id(), &spare.id.0));
        loose.insert(spare.form.list);
    }
    forget_lists(tx, &set, &taken.waiting, loose);
    let stood = group.as_ref().map(|group| group.standing);
    let by = match (&invitation, standing) {
        (Some(invitation), _) => Some((invitation.user.clone(), invitation.device)),
        (None, Standing::Invited(add)) => set.operation(&add).map(Operation::by),
        (None, _) => after.joined_by.get(us).cloned(),
    };
    let mut events = change::events(before.as_ref(), &after, Us { user: us, stood, stands: standing, by });
    for ((user, device), (known, other)) in set.equivocators() {
        if !told_twice.contains(&(user.clone(), device)) {
            let [known, other] = [known, other].map(|operation| operation.signed.clone());
            events.push(Event::GroupEquivocation { group: set.id(), user, device, known, other });
        }
    }
    if taken.full && !group.as_ref().is_some_and(|group| group.full) {
        events.push(Event::GroupFull { group: set.id() });
    }
    if after.is_overfull() && !before.as_ref().is_some_and(View::is_overfull) {
        let mut adders: Vec<(&UserId, &usize)> = after.adders.iter().collect();
        adders.sort_by(|(_, a), (_, b)| b.cmp(a));
        let users = adders.into_iter().map(|(user, _)| user.clone()).collect();
        events.push(Event::GroupOverfull { group: set.id(), users });
    }
    if invitation.is_some() {
        // What goes on there is no affair of ours before the app has answered.
        events.retain(|event| matches!(event, Event::GroupInvited { .. }));
    }
    let has_left = !set.leaves_of(us, &taker.account_key).is_empty();
    let is_asked = invited.is_some() || (group.is_none() && matches!(from, Teller::Refusing));
    let declines = standing == Standing::Left
        && has_left
        && is_asked
        && (invited.is_some() || consent::is_decline(tx, taker, (&set, &after))?);
    let ours = Ours { user: us, standing, invitation, has_left, declines };
    let mut group = advance(group, &after, ours, taker.age);
    if let Some(invited) = invited.filter(|_| group.invitation.is_none()) {
        ledger::leave_invitation(tx, &invited.user)?;
    }
    if declines {
        consent::drop_held(tx, &set.id())?;
    }
    if standing == Standing::Member && stood != Some(standing) && matches!(from, Teller::Ourselves) {
        consent::make_adder_known(tx, taker, (&set, &after))?;
    }
    group.full |= taken.full;
    for user in taken.new.iter().flat_map(|name| set.uninformed(name, (us, taker.device))) {
        if user != *us && !group.owed.contains(&user) {
            group.owed.push(user);
        }
    }
    let were = before.iter().flat_map(|view| &view.members).map(|member| &member.user);
    // Who spoke before anything was known of the group may have been asked.
    let asked = after.former.iter().filter(|_| before.is_none());
    for user in were.chain(asked).filter(|user| *user != us && !after.is_member(user)) {
        drop_pending(tx, us, user, group.scope)?;
    }
    for user in consent::added_by_us(&new, taker) {
        ledger::make_known(tx, &user)?;
    }
    consent::bring_back(tx, &set.id())?;
    tx.put_group(&set.id(), &group)?;
    Ok(Outcome::Changed(Box::new(Changed { group, set, events })))
}

/// Writes new operations, those that wait for their parents, and the lists that either cite.
fn write(tx: &mut Tx<'_>, id: &GroupId, new: &[&Operation], waiting: &[Operation], lists: &Lists) -> Result<(), Code> {
    let places = tx.places();
    let kept = || new.iter().copied().chain(waiting);
    for list in lists.values().filter(|list| kept().any(|operation| operation.form.list == list.list.hash)) {
        let key = places.in_group(Kind::GroupList, id, &list.list.hash);
        tx.put(key, &StoredList { signed: list.signed.clone(), links: Vec::new() })?;
    }
    for operation in new {
        tx.put(places.in_group(Kind::Operation, id, &operation.id.0), &operation.record())?;
    }
    let key = places.group(Kind::Waiting, id);
    if waiting.is_empty() {
        tx.delete(key);
        return Ok(());
    }
    tx.put(key, &Waiting { operations: waiting.iter().map(Operation::record).collect() })
}

/// Puts back lists whose rows are lost, though an operation of the set cites them: without them nobody else could be told of it.
fn put_back(tx: &mut Tx<'_>, set: &Set, lists: &Lists) -> Result<(), Code> {
    for (hash, list) in lists {
        let key = tx.places().in_group(Kind::GroupList, &set.id(), hash);
        if tx.get::<StoredList>(&key)?.is_none() && set.entered().iter().any(|operation| operation.form.list == *hash) {
            tx.put(key, &StoredList { signed: list.signed.clone(), links: Vec::new() })?;
        }
    }
    Ok(())
}

/// Forgets those of these lists that no operation cites any more, be it one of the set or one that waits: else who sends operations that build
/// upon nothing would fill the store with lists.
fn forget_lists(tx: &mut Tx<'_>, set: &Set, waiting: &[Operation], mut loose: BTreeSet<[u8; 32]>) {
    for operation in set.entered().iter().chain(waiting) {
        loose.remove(&operation.form.list);
    }
    for list in loose {
        tx.delete(tx.places().in_group(Kind::GroupList, &set.id(), &list));
    }
}

/// How our user stands by the operations. An add of our name under another account key is none of ours.
fn standing(view: &View, us: &UserId, account_key: &AccountKey) -> Standing {
    match view.invitation(us, account_key) {
        _ if view.has(us, account_key) => Standing::Member,
        Some(add) => Standing::Invited(add),
        None => Standing::Left,
    }
}

/// How our own user stands, for the record.
struct Ours<'a> {
    user: &'a UserId,
    standing: Standing,
    invitation: Option<Invitation>,
    /// Whether a leave of ours is among the operations.
    has_left: bool,
    /// Whether our user declines by these operations.
    declines: bool,
}

/// What the operations make of the group, and what the record alone remembers.
fn advance(known: Option<GroupRecord>, view: &View, ours: Ours<'_>, age: Age) -> GroupRecord {
    let Ours { user: us, standing, invitation, has_left, declines } = ours;
    let was_member = known.as_ref().is_some_and(|group| group.standing == Standing::Member);
    let declined = standing != Standing::Member && (declines || known.as_ref().is_some_and(|group| group.declined));
    let (mut left_at, mut lags, pushed, owed, full) =
        known.map(|group| (group.left_at, group.lags, group.pushed, group.owed, group.full)).unwrap_or_default();
    // We need not agree with users with whom we share no group. A device whose claimed digest equals ours lags no more.
    lags.retain(|lag| view.is_member(&lag.user) && lag.claim != view.claim);
    // How our own user stands is not a matter of its name: an add under another account key may make that a member.
    let is_out = standing != Standing::Member && invitation.is_none();
    left_at.retain(|(user, _)| if user == us { is_out } else { view.former.contains(user) });
    if is_out && (was_member || has_left) && left_at.iter().all(|(known, _)| known != us) {
        left_at.push((us.clone(), if declines { Age::NEVER.0 } else { age.0 }));
    }
    for user in view.former.iter().filter(|user| *user != us) {
        if left_at.iter().all(|(known, _)| known != user) {
            left_at.push((user.clone(), age.0));
        }
    }
    GroupRecord {
        scope: view.scope,
        standing,
        members: view.members.clone(),
        former: view.former.clone(),
        info: view.info.clone(),
        claim: view.claim,
        left_at,
        lags,
        pushed,
        owed,
        invitation,
        declined,
        full,
    }
}

/// > A leave applied while a send is pending drops the leaver's batch from the outbox (A56).
fn drop_pending(tx: &mut Tx<'_>, us: &UserId, user: &UserId, scope: Scope) -> Result<(), Code> {
    for send in sends::of_user(tx, user)? {
        let head: Option<SendHead> = tx.get(&Places::send(Kind::SendHead, &send))?;
        if head.is_some_and(|head| head.group.is_some_and(|group| group.scope == scope)) {
            sends::close(tx, us, &send, user, PartState::Failed(Code::NotAMember.number()))?;
        }
    }
    Ok(())
}
