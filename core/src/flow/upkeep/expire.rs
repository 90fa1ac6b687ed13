//! What has lived long enough is deleted: sessions, prekeys, ids of envelopes, what is held, sessions of groups that are over,
//! links that have expired (Sesame 6.4; X 3, X 6 to X 9).

use super::link;
use crate::{
    context::Timestamp,
    error::Code,
    event::Event,
    ids::{Scope, UserId},
    limits::{KEEP_RECEIVED_IDS, MAX_RECEIVED_IDS},
    model::{GroupRecord, SessionMeta},
    record::{Own, SeenEnvelope},
    registry::expiry,
    store::{Key, Kind, Places, PreKeyUse},
    tx::{Tx, held, sessions},
    wire::envelope::Envelope,
};
use std::collections::BTreeMap;

/// Deletes all that is due; gives the events of what was held.
pub(super) fn all(tx: &mut Tx<'_>, own: &Own, now: Timestamp) -> Result<Vec<Event>, Code> {
    let emptied_at = own.mailbox_emptied_at;
    peers(tx, emptied_at, now)?;
    pre_keys(tx, emptied_at, now)?;
    // Nothing expires before the mailbox was read to its end.
    let read_at = Timestamp(emptied_at.min(now.0));
    seen_envelopes(tx, read_at)?;
    let mut events = held_envelopes(tx, read_at)?;
    events.extend(held_contents(tx, read_at)?);
    scopes(tx, &own.user, emptied_at, now)?;
    link::forget_old(tx, now)?;
    Ok(events)
}

fn peers(tx: &mut Tx<'_>, emptied_at: u64, now: Timestamp) -> Result<(), Code> {
    for mut peer in tx.all_peers()? {
        // A removed device's record stays without its sessions: the floor outlives them (X 3).
        let dead = if expiry::is_forgotten(&peer, emptied_at, now) {
            peer.sessions.clone()
        } else {
            expiry::dead_sessions(&peer, emptied_at, now)
        };
        if !dead.is_empty() {
            sessions::forget(tx, &mut peer, &dead)?;
            tx.put_peer(&peer)?;
        }
    }
    Ok(())
}

fn pre_keys(tx: &mut Tx<'_>, emptied_at: u64, now: Timestamp) -> Result<(), Code> {
    let mut book = tx.book()?;
    let before = book.lasting.len();
    for pair in book.lasting.iter().filter(|pair| expiry::is_outlived(pair, emptied_at, now)) {
        tx.delete(Places::pre_key(PreKeyUse::Signed, pair.id));
        tx.delete(Places::pre_key(PreKeyUse::LastResort, pair.id));
    }
    book.lasting.retain(|pair| !expiry::is_outlived(pair, emptied_at, now));
    if book.lasting.len() != before {
        tx.put_book(&book)?;
    }
    Ok(())
}

/// > kept 30 days, at most 4,096 per peer device
fn seen_envelopes(tx: &mut Tx<'_>, read_at: Timestamp) -> Result<(), Code> {
    let mut kept: BTreeMap<Vec<u8>, Vec<(u64, Key)>> = BTreeMap::new();
    for key in tx.keys(&Places::all(Kind::Received))? {
        let Some(SeenEnvelope { at }) = tx.get(&key)? else { continue };
        if read_at.since(Timestamp(at)) > KEEP_RECEIVED_IDS {
            tx.delete(key);
        } else if let Some((device, _)) = key.split_last_chunk::<16>() {
            kept.entry(device.to_vec()).or_default().push((at, key));
        }
    }
    for mut of_device in kept.into_values().filter(|of_device| of_device.len() > MAX_RECEIVED_IDS) {
        of_device.sort_unstable();
        let surplus = of_device.len() - MAX_RECEIVED_IDS;
        for (_, key) in of_device.into_iter().take(surplus) {
            tx.delete(key);
        }
    }
    Ok(())
}

fn held_envelopes(tx: &mut Tx<'_>, read_at: Timestamp) -> Result<Vec<Event>, Code> {
    let mut events = Vec::new();
    for (key, held) in held::envelopes(tx)? {
        if read_at.since(Timestamp(held.at)) <= KEEP_RECEIVED_IDS {
            continue;
        }
        let envelope = Envelope::decode(&held.envelope).map_err(|_| Code::RecordInconsistent)?;
        events.extend(envelope.sender().map(|(user, _)| Event::HeldDropped { user }));
        held::take_envelope(tx, key, &held)?;
    }
    Ok(events)
}

fn held_contents(tx: &mut Tx<'_>, read_at: Timestamp) -> Result<Vec<Event>, Code> {
    let mut events = Vec::new();
    for (key, held) in held::all_contents(tx)? {
        if read_at.since(Timestamp(held.at)) > KEEP_RECEIVED_IDS {
            held::take_content(tx, key, &held)?;
            events.push(Event::HeldDropped { user: held.user.clone() });
        }
    }
    Ok(events)
}

/// Sessions in scopes that are over: of a group that somebody left, and of one that never became ours.
fn scopes(tx: &mut Tx<'_>, us: &UserId, emptied_at: u64, now: Timestamp) -> Result<(), Code> {
    let groups: BTreeMap<Scope, GroupRecord> = tx.groups()?.into_iter().map(|group| (group.scope, group)).collect();
    for mut peer in tx.all_peers()? {
        let mut over: Vec<SessionMeta> = Vec::new();
        for session in peer.sessions.iter().filter(|session| session.scope != Scope::Direct) {
            let is_over = match (groups.get(&session.scope), session.scope.group()) {
                (Some(group), _) => is_over(group, [us, &peer.user], emptied_at, now),
                (None, Some(id)) => tx.keys(&tx.places().group(Kind::HeldContent, &id))?.is_empty(),
                (None, None) => false,
            };
            if is_over {
                over.push(*session);
            }
        }
        if over.is_empty() {
            continue;
        }
        sessions::forget(tx, &mut peer, &over)?;
        // A group that never became ours leaves nothing: its openings came inside direct messages, which cannot be replayed.
        peer.floors.retain(|(scope, _)| *scope == Scope::Direct || groups.contains_key(scope));
        tx.put_peer(&peer)?;
    }
    Ok(())
}

fn is_over(group: &GroupRecord, users: [&UserId; 2], emptied_at: u64, now: Timestamp) -> bool {
    let left = users.into_iter().filter_map(|user| group.left_at(user)).min();
    left.is_some_and(|at| expiry::is_over(at.0, emptied_at, now))
}
