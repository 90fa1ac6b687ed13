//! Housekeeping: what is due by time (X 3, X 5, X 6, X 8, X 9). The library sends nothing by itself; this only prepares.

use super::{damage, expire, forget, hand_over, heal, link, own_list};
use crate::{
    clock::{self, Age},
    context::Timestamp,
    error::{Code, Error},
    event::Event,
    flow::{
        group::sync,
        lists,
        receive::release,
        send::{self, outcome},
    },
    limits::{HOUSEKEEPING, OLD_LIST},
    model::User,
    record::{Counters, Own, ServerState},
    registry::trust,
    store::{Kind, Places, Query},
    tx::Call,
};

/// So many rows are looked at in one call, and the rest of their bucket: a few milliseconds of work.
const SLICE: usize = 128;
/// So many buckets are read from the store at once.
const AT_ONCE: u8 = 32;
/// When the next slice is due, in ms, if no request is given out before.
const NEXT_SLICE: u64 = 1_000;

/// What housekeeping has done in a call.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) events: Vec<Event>,
    /// Whether sends may have changed by it.
    pub(crate) sends: bool,
}

/// Does what is due by time, a slice in each call, if a day has passed since it was last done to its end; `None` when nothing was done.
///
/// Without a mailbox that was read to its end nothing is forgotten, whatever the clock says; `expire` sees to that.
pub(crate) fn if_due(call: &mut Call<'_>) -> Result<Option<Kept>, Error> {
    own_list::recover(call)?;
    let released = release::early(call)?;
    let healed = heal::if_due(call)?;
    let mut kept = Kept { sends: released || healed.is_some(), events: healed.unwrap_or_default() };
    let server = call.tx.server()?;
    let passed = call.at.age.since(Age(server.kept_at)) >= HOUSEKEEPING;
    let Some(from) = server.keeping.or(passed.then_some(0)) else {
        let counters = call.tx.counters()?;
        if counters.lagging {
            call.tx.put_counters(&Counters { lagging: false, ..counters })?;
            sync::serve_all_lags(call)?;
            hand_over::go_on(call)?;
            return Ok(Some(Kept { sends: true, ..kept }));
        }
        return Ok(kept.sends.then_some(kept));
    };
    let keeping = slice(call, from, &mut kept)?;
    let kept_at = if keeping.is_none() { call.at.age.0 } else { server.kept_at };
    let server = ServerState { kept_at, keeping, ..call.tx.server()? };
    call.tx.put_server(&server)?;
    Ok(Some(kept))
}

/// How long it is until something is due by time, in ms: this, an answer of a link that is put again, or what came too early.
pub(crate) fn due_in(call: &Call<'_>) -> Result<u64, Code> {
    let ServerState { kept_at, keeping, .. } = call.tx.server()?;
    if keeping.is_some() {
        return Ok(NEXT_SLICE);
    }
    let left = HOUSEKEEPING.saturating_sub(call.at.age.since(Age(kept_at)));
    let housekeeping = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
    let early = call.tx.counters()?.early.map(|from| from.saturating_mul(1_000).saturating_sub(call.now().0));
    let others = [link::due_in(call)?, early, heal::due_in(call)?];
    Ok(others.into_iter().flatten().fold(housekeeping, u64::min))
}

/// Does all that is due. `mailbox_empty`: the mailbox has just been fetched and decrypted to its end.
pub(crate) fn tick(call: &mut Call<'_>, mailbox_empty: bool) -> Result<Vec<Event>, Error> {
    call.observe()?;
    if mailbox_empty {
        let mut own = call.tx.own()?;
        own.mailbox_emptied_at = call.at.age.0;
        call.tx.put_own(&own)?;
    }
    release::early(call)?;
    let mut kept = Kept { events: heal::if_due(call)?.unwrap_or_default(), ..Kept::default() };
    let mut from = Some(0);
    while let Some(bucket) = from {
        from = slice(call, bucket, &mut kept)?;
    }
    Ok(kept.events)
}

/// Goes on from a bucket. Gives the one to go on with in the next call, or `None` when everything is done.
fn slice(call: &mut Call<'_>, from: u8, kept: &mut Kept) -> Result<Option<u8>, Error> {
    let next = look_at(call, from, kept)?;
    let damaged = call.tx.take_damaged();
    kept.events.extend(damage::of_slice(&mut call.tx, &damaged, (from, next))?);
    Ok(next)
}

fn look_at(call: &mut Call<'_>, from: u8, kept: &mut Kept) -> Result<Option<u8>, Error> {
    let own = call.tx.own()?;
    if from == 0 {
        kept.sends = true;
        outcome::expire(call)?;
        kept.events.extend(forget::invitations(call, Age(own.mailbox_emptied_at))?);
        kept.events.extend(expire::rest(&mut call.tx, &own, call.at)?);
    }
    let measure = expire::Measure::of(&call.tx, &own, call.at)?;
    let mut looked_at = 0;
    for bucket in from..=u8::MAX {
        if looked_at >= SLICE {
            return Ok(Some(bucket));
        }
        if bucket == from || bucket.is_multiple_of(AT_ONCE) {
            let buckets = bucket..=bucket.saturating_add(AT_ONCE - 1 - bucket % AT_ONCE);
            let of = |kind| buckets.clone().map(move |bucket| Query::Prefix(Places::bucket(kind, bucket).to_vec()));
            call.tx.prefetch(
                &[Kind::Peer, Kind::Received, Kind::SentPart, Kind::User].into_iter().flat_map(of).collect::<Vec<_>>(),
            )?;
        }
        looked_at += measure.bucket(&mut call.tx, bucket)?;
        looked_at += old_lists(call, &own, bucket, &mut kept.events)?;
    }
    kept.sends = true;
    sync::serve_all_lags(call)?;
    hand_over::go_on(call)?;
    if own_list::is_to_be_signed(call)? || own.handed_to.is_some() {
        // First the server is asked: if this store was put back, the newest list is there; and so is that of the new primary.
        lists::want(call, call.user())?;
    }
    Ok(None)
}

/// Says which users' lists have not been signed anew for long, and which were not proved for a day; asks for those that wait. Gives the number
/// of rows it looked at.
fn old_lists(call: &mut Call<'_>, own: &Own, bucket: u8, events: &mut Vec<Event>) -> Result<usize, Code> {
    let keys = call.tx.keys_read(&Places::bucket(Kind::User, bucket));
    for key in &keys {
        let Some(user) = call.tx.get_sound::<User>(key)? else { continue };
        let issued = user.list.as_ref().map(|list| Timestamp(list.issued_at));
        // One wrong reading would raise it for everybody. Who signs the list has no need to be told that it is old.
        let is_old = |issued| !call.at.in_doubt && clock::is_old(issued, call.now(), OLD_LIST);
        let is_signed_here = user.user == *call.user() && own.is_primary();
        if !is_signed_here && issued.is_some_and(is_old) {
            events.push(Event::DeviceListOld { user: user.user.clone() });
        }
        if user.fork.as_ref().is_some_and(|fork| !fork.told) {
            unproved(call, own, &user, events)?;
        }
    }
    Ok(keys.len())
}

/// A list waits for its proof: the server is asked once more, or the day is over and the app is told.
fn unproved(call: &mut Call<'_>, own: &Own, user: &User, events: &mut Vec<Event>) -> Result<(), Code> {
    let stored = call.tx.stored_list(&user.user)?;
    let online = Age(own.mailbox_emptied_at);
    match trust::overdue(user, &stored.signed, online, lists::seat(call)?) {
        None => lists::want(call, &user.user),
        Some((after, event)) => {
            call.tx.put_user(&after)?;
            events.push(event);
            send::follow_user(call, &user.user)
        }
    }
}
