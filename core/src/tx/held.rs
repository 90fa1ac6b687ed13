//! What is held (X 9).
//!
//! Held are whole envelopes that cannot be opened yet (their identity is not accepted, their time has not come, their device's list is not
//! proved), and opened contents of a group that does not know their sender yet. [`super::ledger`] counts their bytes.

use super::{
    Tx,
    ledger::{self, Count, Pool},
};
use crate::{
    error::Code,
    ids::{EnvelopeId, GroupId, UserId},
    limits::MIN_HELD,
    model::User,
    record::{Cause, Counters, Held, HeldContent},
    store::{Kind, Places, RowKey},
    wire::{
        content::{self, Body},
        envelope::{Envelope, Route},
    },
};
use std::collections::BTreeSet;

/// Keeps an envelope under its row's key. `false`: it is beyond the bounds, and nothing is kept.
pub(crate) fn put_envelope(tx: &mut Tx<'_>, user: &UserId, key: RowKey, held: &Held) -> Result<bool, Code> {
    if !ledger::enter(tx, user, Pool::Contents, held.envelope.len() as u64)? {
        return Ok(false);
    }
    if let Some(from) = held.cause.tried_from() {
        let early = tx.counters()?.early;
        note_early(tx, Some(early.map_or(from, |known| known.min(from))))?;
    }
    tx.put(key, held)?;
    Ok(true)
}

/// When something that came too early is tried again; `u64::MAX`: when a list of its user is taken.
pub(crate) fn note_early(tx: &mut Tx<'_>, early: Option<u64>) -> Result<(), Code> {
    let counters = tx.counters()?;
    if counters.early == early { Ok(()) } else { tx.put_counters(&Counters { early, ..counters }) }
}

/// A list of the user was taken: what its devices sent too early, or before a list of ours named them, may be taken now.
///
/// It is due at once, and nothing of anybody else is: each costs a key agreement.
pub(crate) fn try_early(tx: &mut Tx<'_>, user: &User) -> Result<(), Code> {
    if tx.counters()?.early.is_none() {
        return Ok(());
    }
    for listed in user.listed() {
        for key in tx.keys(&tx.places().device(Kind::Held, &user.user, listed.id))? {
            let waits = tx.get::<Held>(&key)?.filter(|held| held.cause.tried_from().is_some());
            if let Some(held) = waits {
                tx.put(key, &Held { cause: Cause::Early { from: 0 }, ..held })?;
                note_early(tx, Some(0))?;
            }
        }
    }
    Ok(())
}

/// The ids of prekeys that held envelopes name.
pub(crate) fn named_pre_keys(tx: &Tx<'_>) -> Result<BTreeSet<u32>, Code> {
    let mut named = BTreeSet::new();
    for (_, held) in envelopes(tx)? {
        let envelope = Envelope::decode(&held.envelope).map_err(|_| Code::RecordInconsistent)?;
        if let Route::Initiation(initiation) = &envelope.head.route {
            named.extend([initiation.signed_pre_key, initiation.kem_pre_key]);
            named.extend(initiation.one_time_pre_key);
        }
    }
    Ok(named)
}

/// Every held envelope, in the order of the rows.
pub(crate) fn envelopes(tx: &Tx<'_>) -> Result<Vec<(RowKey, Held)>, Code> {
    let mut all = Vec::new();
    for key in tx.keys(&Places::all(Kind::Held))? {
        all.extend(tx.get::<Held>(&key)?.map(|held| (key, held)));
    }
    Ok(all)
}

/// Deletes a held envelope.
pub(crate) fn take_envelope(tx: &mut Tx<'_>, key: RowKey, held: &Held) -> Result<(), Code> {
    tx.delete(key);
    match sender(held) {
        Some(user) => ledger::leave(tx, &user, Pool::Contents, held.envelope.len() as u64),
        None => Ok(()),
    }
}

fn sender(held: &Held) -> Option<UserId> {
    Some(Envelope::decode(&held.envelope).ok()?.sender()?.0)
}

/// > Group content whose group is not known yet is decrypted, committed and kept as *held* until the add arrives (X 9).
///
/// `false`: it is beyond the bounds, and nothing is kept.
pub(crate) fn put_content(tx: &mut Tx<'_>, group: &GroupId, held: &HeldContent, body: &Body) -> Result<bool, Code> {
    if !ledger::enter(tx, &held.user, pool(body), size(held))? {
        return Ok(false);
    }
    let envelope: &EnvelopeId = &held.envelope_id;
    let key = tx.places().held_content(group, &held.user, held.device, envelope);
    tx.put(key, held)?;
    Ok(true)
}

/// Whether there is room for a content of so many bytes.
pub(crate) fn has_room(tx: &Tx<'_>, user: &UserId, body: &Body, bytes: usize) -> Result<bool, Code> {
    ledger::has_room(tx, user, pool(body), bytes.max(MIN_HELD) as u64)
}

/// The held contents of one group, oldest first; what a device said, in the order in which it was said.
pub(crate) fn contents(tx: &Tx<'_>, group: &GroupId) -> Result<Vec<(RowKey, HeldContent)>, Code> {
    let mut all = with_prefix(tx, &tx.places().group(Kind::HeldContent, group))?;
    let sequence = |held: &HeldContent| content::decode(&held.content).map_or(0, |(prelude, _)| prelude.sequence);
    all.sort_by_cached_key(|(_, held)| (held.at, held.user.clone(), held.device, sequence(held)));
    Ok(all)
}

/// The held contents of every group, in the order of the rows.
pub(crate) fn all_contents(tx: &Tx<'_>) -> Result<Vec<(RowKey, HeldContent)>, Code> {
    with_prefix(tx, &Places::all(Kind::HeldContent))
}

fn with_prefix(tx: &Tx<'_>, prefix: &RowKey) -> Result<Vec<(RowKey, HeldContent)>, Code> {
    let mut all = Vec::new();
    for key in tx.keys(prefix)? {
        all.extend(tx.get::<HeldContent>(&key)?.map(|held| (key, held)));
    }
    Ok(all)
}

/// Deletes a held content.
pub(crate) fn take_content(tx: &mut Tx<'_>, key: RowKey, held: &HeldContent) -> Result<(), Code> {
    tx.delete(key);
    let (_, body) = content::decode(&held.content).map_err(|_| Code::RecordInconsistent)?;
    ledger::leave(tx, &held.user, pool(&body), size(held))
}

/// Counts everything that is held, by user. A row that does not open counts nothing.
pub(crate) fn count(tx: &Tx<'_>) -> Result<Count, Code> {
    let mut count = Count::new();
    for (_, held) in envelopes(tx)? {
        if let Some(user) = sender(&held) {
            ledger::count(&mut count, &user, Pool::Contents, held.envelope.len() as u64);
        }
    }
    for (_, held) in all_contents(tx)? {
        if let Ok((_, body)) = content::decode(&held.content) {
            ledger::count(&mut count, &held.user, pool(&body), size(&held));
        }
    }
    Ok(count)
}

/// What an opened content counts for.
pub(crate) fn pool(body: &Body) -> Pool {
    if matches!(body, Body::Operations { .. }) { Pool::Operations } else { Pool::Contents }
}

fn size(held: &HeldContent) -> u64 {
    held.content.len().max(MIN_HELD) as u64
}
