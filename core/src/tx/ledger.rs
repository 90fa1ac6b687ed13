//! Who is known, and the ledger of what each user makes this device keep (X 9).
//!
//! > *Known*: we have written to the user directly from any own device, or the app has accepted them, or they came with the linking answer.
//!
//! What is held of a user counts for that user, whatever number of devices it comes from, and half of all room is kept for those who are
//! known: so strangers take nothing from a contact. It does not know what is held ([`super::held`]).

use super::Tx;
use crate::{
    clock::Age,
    error::Code,
    ids::{AccountKey, DeviceId, GroupId, Scope, UserId},
    limits::{
        ASK_STATE_AGAIN, MAX_BODY, MAX_DROPPED, MAX_HELD, MAX_HELD_KNOWN, MAX_HELD_OPERATIONS, MAX_HELD_OTHER,
        MAX_HELD_OTHERS, MAX_INVITATIONS, MAX_INVITATIONS_OF_USER,
    },
    record::{Counters, Kept, Ledger},
    store::{Kind, Places},
};
use std::collections::{BTreeMap, BTreeSet};

/// What is counted apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pool {
    /// Envelopes, and contents that are no operations.
    Contents,
    /// Group operations.
    Operations,
}

impl Kept {
    fn of(&mut self, pool: Pool) -> &mut u64 {
        match pool {
            Pool::Contents => &mut self.contents,
            Pool::Operations => &mut self.operations,
        }
    }

    fn enter(&mut self, pool: Pool, bytes: u64) -> u64 {
        let kept = self.of(pool);
        *kept = kept.saturating_add(bytes);
        *kept
    }

    fn leave(&mut self, pool: Pool, bytes: u64) {
        let kept = self.of(pool);
        *kept = kept.saturating_sub(bytes);
    }

    /// Adds what is held of one more user.
    fn add(&mut self, more: Self) {
        self.contents = self.contents.saturating_add(more.contents);
        self.operations = self.operations.saturating_add(more.operations);
    }
}

fn read(tx: &Tx<'_>, user: &UserId) -> Result<Ledger, Code> {
    Ok(tx.get(&tx.places().user(Kind::Ledger, user))?.unwrap_or_else(|| Ledger::of(user)))
}

fn put(tx: &mut Tx<'_>, ledger: &Ledger) -> Result<(), Code> {
    let key = tx.places().user(Kind::Ledger, &ledger.user);
    let empty = Ledger::of(&ledger.user);
    if *ledger == empty {
        tx.delete(key);
        return Ok(());
    }
    tx.put(key, ledger)
}

/// Our own devices are known.
fn is_own(tx: &Tx<'_>, user: &UserId) -> Result<bool, Code> {
    Ok(tx.own()?.user == *user)
}

/// Whether our user knows a user.
pub(crate) fn is_known(tx: &Tx<'_>, user: &UserId) -> Result<bool, Code> {
    Ok(read(tx, user)?.known || is_own(tx, user)?)
}

/// Whether this very identity is one that our user knows.
pub(crate) fn knows(tx: &Tx<'_>, user: &UserId, account_key: &AccountKey) -> Result<bool, Code> {
    let is_pinned = tx.readable(user)?.is_some_and(|pinned| pinned.account_key == *account_key);
    Ok(is_pinned && is_known(tx, user)?)
}

/// Our user has written to a user, or the app has accepted them.
pub(crate) fn make_known(tx: &mut Tx<'_>, user: &UserId) -> Result<(), Code> {
    let ledger = read(tx, user)?;
    if ledger.known {
        return Ok(());
    }
    let mut counters = tx.counters()?;
    for pool in [Pool::Contents, Pool::Operations] {
        counters.held_of_others.leave(pool, *ledger.held.clone().of(pool));
    }
    counters.invitations = counters.invitations.saturating_sub(ledger.invitations);
    if !ledger.dropped.is_empty() {
        (counters.lagging, counters.dropped) = (true, true);
    }
    if counters != tx.counters()? {
        tx.put_counters(&counters)?;
    }
    // What they asked before our user has written to them is for the app to answer.
    let mut unanswered = ledger.unanswered.clone();
    let groups = ledger.dropped.iter().filter_map(|(scope, _)| scope.group());
    let groups = groups.filter(|group| !ledger.unanswered.contains(group)).collect::<BTreeSet<_>>();
    unanswered.extend(groups);
    put(tx, &Ledger { known: true, told: false, unanswered, ..ledger })
}

/// Whether a user asked our user into a group while not known, and it was dropped.
pub(crate) fn is_unanswered(tx: &Tx<'_>, user: &UserId, group: &GroupId) -> Result<bool, Code> {
    Ok(read(tx, user)?.unanswered.contains(group))
}

/// What a user asked is before the app, or the app has answered.
pub(crate) fn note_answered(tx: &mut Tx<'_>, user: &UserId, group: &GroupId) -> Result<(), Code> {
    let mut ledger = read(tx, user)?;
    if !ledger.unanswered.contains(group) {
        return Ok(());
    }
    ledger.unanswered.retain(|known| known != group);
    put(tx, &ledger)
}

/// Whether so many more bytes of a user may be held.
pub(crate) fn has_room(tx: &Tx<'_>, user: &UserId, pool: Pool, bytes: u64) -> Result<bool, Code> {
    let mut ledger = read(tx, user)?;
    let mut counters = tx.counters()?;
    let known = ledger.known || is_own(tx, user)?;
    let most = match (known, pool) {
        (false, _) => MAX_HELD_OTHER,
        (true, Pool::Contents) => MAX_HELD_KNOWN,
        (true, Pool::Operations) => MAX_HELD_OPERATIONS,
    };
    Ok(ledger.held.enter(pool, bytes) <= most
        && counters.held.enter(pool, bytes) <= MAX_HELD
        && (known || counters.held_of_others.enter(pool, bytes) <= MAX_HELD_OTHERS))
}

/// Counts what comes in. `false`: there is no room for it.
pub(super) fn enter(tx: &mut Tx<'_>, user: &UserId, pool: Pool, bytes: u64) -> Result<bool, Code> {
    if !has_room(tx, user, pool, bytes)? {
        return Ok(false);
    }
    let (mut ledger, mut counters) = (read(tx, user)?, tx.counters()?);
    ledger.held.enter(pool, bytes);
    ledger.told = false;
    counters.held.enter(pool, bytes);
    if !ledger.known && !is_own(tx, user)? {
        counters.held_of_others.enter(pool, bytes);
    }
    put(tx, &ledger)?;
    tx.put_counters(&counters)?;
    Ok(true)
}

/// Counts what goes out.
pub(super) fn leave(tx: &mut Tx<'_>, user: &UserId, pool: Pool, bytes: u64) -> Result<(), Code> {
    let (mut ledger, mut counters) = (read(tx, user)?, tx.counters()?);
    ledger.held.leave(pool, bytes);
    ledger.told = false;
    counters.held.leave(pool, bytes);
    if !ledger.known && !is_own(tx, user)? {
        counters.held_of_others.leave(pool, bytes);
    }
    counters.lagging |= !ledger.dropped.is_empty();
    put(tx, &ledger)?;
    tx.put_counters(&counters)
}

/// Something of a user was dropped. Gives whether the app is to be told: once, until there is room again.
pub(crate) fn note_dropped(tx: &mut Tx<'_>, user: &UserId, of: Option<(Scope, DeviceId)>) -> Result<bool, Code> {
    let mut ledger = read(tx, user)?;
    let first = !core::mem::replace(&mut ledger.told, true);
    let more = of.filter(|of| !ledger.dropped.contains(of) && ledger.dropped.len() < MAX_DROPPED);
    ledger.dropped.extend(more);
    if first || more.is_some() {
        put(tx, &ledger)?;
    }
    let counters = tx.counters()?;
    if more.is_some() && !counters.dropped {
        tx.put_counters(&Counters { dropped: true, ..counters })?;
    }
    Ok(first)
}

/// Somebody whom our user knows speaks in a group of which nothing has come: the add is lost, or on its way. That device is asked.
pub(crate) fn note_missing(tx: &mut Tx<'_>, user: &UserId, of: (Scope, DeviceId)) -> Result<(), Code> {
    let mut ledger = read(tx, user)?;
    if !ledger.known && !is_own(tx, user)? {
        return Ok(());
    }
    if !ledger.dropped.contains(&of) && ledger.dropped.len() < MAX_DROPPED {
        ledger.dropped.push(of);
        put(tx, &ledger)?;
    }
    let before = tx.counters()?;
    let counters = Counters { dropped: true, lagging: true, ..before };
    if counters == before { Ok(()) } else { tx.put_counters(&counters) }
}

/// The devices whose operations were dropped and for whose there is room now; they are forgotten by it. A user is asked once an hour at most, and a
/// stranger not before our user has written to them: it would tell them that we are there.
pub(crate) fn take_dropped(tx: &mut Tx<'_>, age: Age) -> Result<Vec<(UserId, DeviceId, Scope)>, Code> {
    let (mut all, mut left) = (Vec::new(), false);
    if !tx.counters()?.dropped {
        return Ok(all);
    }
    for key in tx.keys(&Places::all(Kind::Ledger))? {
        let Some(mut ledger) = tx.get::<Ledger>(&key)?.filter(|ledger| !ledger.dropped.is_empty()) else { continue };
        if !ledger.known && !is_own(tx, &ledger.user)? {
            continue;
        }
        let was_asked = ledger.asked_at != 0 && age.since(Age(ledger.asked_at)) < ASK_STATE_AGAIN;
        if was_asked || !has_room(tx, &ledger.user, Pool::Operations, MAX_BODY as u64)? {
            left = true;
            continue;
        }
        ledger.asked_at = age.0;
        let dropped = core::mem::take(&mut ledger.dropped);
        all.extend(dropped.into_iter().map(|(scope, device)| (ledger.user.clone(), device, scope)));
        put(tx, &ledger)?;
    }
    let counters = tx.counters()?;
    tx.put_counters(&Counters { dropped: left, ..counters })?;
    Ok(all)
}

/// One more invitation. `false`: there are too many by users who are not known, and this is one of them.
pub(crate) fn enter_invitation(tx: &mut Tx<'_>, user: &UserId) -> Result<bool, Code> {
    let (mut ledger, mut counters) = (read(tx, user)?, tx.counters()?);
    let is_full = ledger.invitations >= MAX_INVITATIONS_OF_USER || counters.invitations >= MAX_INVITATIONS;
    if !ledger.known && is_full {
        return Ok(false);
    }
    ledger.invitations = ledger.invitations.saturating_add(1);
    if !ledger.known {
        counters.invitations += 1;
    }
    put(tx, &ledger)?;
    tx.put_counters(&counters)?;
    Ok(true)
}

/// An invitation was answered, or has ended.
pub(crate) fn leave_invitation(tx: &mut Tx<'_>, user: &UserId) -> Result<(), Code> {
    let (mut ledger, mut counters) = (read(tx, user)?, tx.counters()?);
    ledger.invitations = ledger.invitations.saturating_sub(1);
    ledger.told = false;
    if !ledger.known {
        counters.invitations = counters.invitations.saturating_sub(1);
    }
    put(tx, &ledger)?;
    tx.put_counters(&counters)
}

/// The user is forgotten.
pub(crate) fn forget(tx: &mut Tx<'_>, user: &UserId) {
    let key = tx.places().user(Kind::Ledger, user);
    tx.delete(key);
}

/// What is counted anew, by user: bytes held and invitations.
pub(crate) type Count = BTreeMap<UserId, (Kept, u16)>;

/// Adds to a count.
pub(super) fn count(count: &mut Count, user: &UserId, pool: Pool, bytes: u64) {
    count.entry(user.clone()).or_default().0.enter(pool, bytes);
}

/// Sets everything to what was counted: a damaged row would else take room for ever.
pub(crate) fn recount(tx: &mut Tx<'_>, mut count: Count) -> Result<(), Code> {
    for key in tx.keys(&Places::all(Kind::Ledger))? {
        if let Some(ledger) = tx.get::<Ledger>(&key)? {
            count.entry(ledger.user).or_default();
        }
    }
    let before = tx.counters()?;
    let (held, held_of_others, invitations) = Default::default();
    let mut counters = Counters { held, held_of_others, invitations, ..before };
    for (user, (held, invitations)) in count {
        let ledger = read(tx, &user)?;
        counters.held.add(held);
        if !ledger.known && !is_own(tx, &user)? {
            counters.held_of_others.add(held);
            counters.invitations = counters.invitations.saturating_add(invitations);
        }
        // Who has nothing here is told of again.
        let told = ledger.told && (held != Kept::default() || invitations > 0);
        if (ledger.held, ledger.invitations, ledger.told) != (held, invitations, told) {
            put(tx, &Ledger { held, invitations, told, ..ledger })?;
        }
    }
    if counters != before { tx.put_counters(&counters) } else { Ok(()) }
}
