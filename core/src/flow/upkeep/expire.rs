//! What has lived long enough is deleted: sessions, prekeys, ids of envelopes, what is held, sessions of groups that are over,
//! links that have expired (Sesame 6.4; X 3, X 6 to X 9).

use super::{link, publish::one_time_ids};
use crate::{
    clock::{Age, Moment},
    error::Code,
    event::Event,
    ids::{Scope, UserId},
    limits::{KEEP_RECEIVED_IDS, KEEP_SENT, MAX_RECEIVED_IDS},
    model::{GroupRecord, Peer, SessionMeta},
    record::{Made, Own, PendingUpload, PreKeyBook, SeenEnvelope, SentPart},
    registry::expiry,
    store::{Kind, Places, PreKeyUse, RowKey},
    tx::{Tx, healing, held, inbox, ledger, sessions},
    wire::envelope::Envelope,
};
use std::collections::{BTreeMap, BTreeSet};

/// Deletes what is due and not kept by device; gives the events of what was held.
pub(super) fn rest(tx: &mut Tx<'_>, own: &Own, at: Moment) -> Result<Vec<Event>, Code> {
    let read_at = Age(own.mailbox_emptied_at);
    pre_keys(tx, read_at, at.age)?;
    let mut dropped = held_envelopes(tx, read_at)?;
    dropped.extend(held_contents(tx, read_at)?);
    let mut count = held::count(tx)?;
    for group in tx.groups()? {
        if let Some(invitation) = group.invitation {
            count.entry(invitation.user).or_default().1 += 1;
        }
    }
    ledger::recount(tx, count)?;
    link::forget_old(tx, at.age)?;
    healing::forget_said(tx, at.age)?;
    inbox::look_through(tx)?;
    Ok(dropped.into_iter().map(|user| Event::HeldDropped { user }).collect())
}

/// What devices and received ids are measured by.
pub(super) struct Measure {
    us: UserId,
    groups: BTreeMap<Scope, GroupRecord>,
    /// When the mailbox was read to its end: nothing expires before.
    read_at: Age,
    at: Moment,
}

impl Measure {
    pub(super) fn of(tx: &Tx<'_>, own: &Own, at: Moment) -> Result<Self, Code> {
        let groups = tx.groups()?.into_iter().map(|group| (group.scope, group)).collect();
        Ok(Self { us: own.user.clone(), groups, read_at: Age(own.mailbox_emptied_at), at })
    }

    /// Deletes what is due of the devices in a bucket, and of the ids that were received from them. Gives the number of rows it looked at. The
    /// bucket was read before.
    pub(super) fn bucket(&self, tx: &mut Tx<'_>, bucket: u8) -> Result<usize, Code> {
        let keys = tx.keys_read(&Places::bucket(Kind::Peer, bucket));
        for key in &keys {
            if let Some(peer) = tx.get_sound::<Peer>(key)? {
                tx.one(|tx| self.peer(tx, peer))?;
            }
        }
        Ok(keys.len() + self.seen_envelopes(tx, bucket)? + self.sent(tx, bucket)?)
    }

    /// What went out so long ago that nobody asks for it.
    fn sent(&self, tx: &mut Tx<'_>, bucket: u8) -> Result<usize, Code> {
        let keys = tx.keys_read(&Places::bucket(Kind::SentPart, bucket));
        for key in &keys {
            if tx.get::<SentPart>(key)?.is_some_and(|sent| self.at.age.since(Age(sent.at)) > KEEP_SENT) {
                tx.delete(*key);
            }
        }
        Ok(keys.len())
    }

    fn peer(&self, tx: &mut Tx<'_>, mut peer: Peer) -> Result<(), Code> {
        // A removed device's record stays without its sessions: the floor outlives them (X 3).
        let dead = if expiry::is_forgotten(&peer, self.read_at, self.at.age) {
            peer.sessions.clone()
        } else {
            expiry::dead_sessions(&peer, self.read_at, self.at.age)
        };
        if !dead.is_empty() {
            sessions::forget(tx, &mut peer, &dead, self.at.now)?;
            tx.put_peer(&peer)?;
        }
        let mut over: Vec<SessionMeta> = Vec::new();
        for session in peer.sessions.iter().filter(|session| session.scope != Scope::Direct) {
            if self.is_over(tx, &peer, session)? {
                over.push(*session);
            }
        }
        if over.is_empty() {
            return Ok(());
        }
        sessions::forget(tx, &mut peer, &over, self.at.now)?;
        // A group that never became ours leaves nothing: its openings came inside direct messages, which cannot be replayed.
        peer.floors.retain(|(scope, _)| *scope == Scope::Direct || self.groups.contains_key(scope));
        for strange in over.iter().filter(|session| !self.groups.contains_key(&session.scope)) {
            tx.delete(tx.places().heard(&peer.user, peer.device, strange.scope.group().as_ref()));
        }
        tx.put_peer(&peer)
    }

    /// Whether a session's scope is over: of a group that somebody left, and of one that never became ours.
    fn is_over(&self, tx: &Tx<'_>, peer: &Peer, session: &SessionMeta) -> Result<bool, Code> {
        match (self.groups.get(&session.scope), session.scope.group()) {
            (Some(group), _) => {
                let left = [&self.us, &peer.user].into_iter().filter_map(|user| group.left_at(user)).min();
                // Who was not told of our leave may begin one later, and is told in it.
                Ok(left.is_some_and(|at| expiry::is_over(at.0.max(session.created_at), self.read_at, self.at.age)))
            }
            // In one that this device began it has asked for the group's state.
            (None, Some(_)) if session.initiating => Ok(false),
            (None, Some(id)) => Ok(tx.keys(&tx.places().group(Kind::HeldContent, &id))?.is_empty()),
            (None, None) => Ok(false),
        }
    }

    /// > kept 30 days, at most 4,096 per peer device
    fn seen_envelopes(&self, tx: &mut Tx<'_>, bucket: u8) -> Result<usize, Code> {
        let mut kept: BTreeMap<Vec<u8>, Vec<(u64, RowKey)>> = BTreeMap::new();
        let keys = tx.keys_read(&Places::bucket(Kind::Received, bucket));
        let looked_at = keys.len();
        for key in keys {
            let Some(SeenEnvelope { at }) = tx.get(&key)? else { continue };
            if self.read_at.since(Age(at)) > KEEP_RECEIVED_IDS {
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
        Ok(looked_at)
    }
}

fn pre_keys(tx: &mut Tx<'_>, emptied_at: Age, age: Age) -> Result<(), Code> {
    let mut book = tx.book()?;
    let before = (book.lasting.clone(), book.made.clone());
    let named = held::named_pre_keys(tx)?;
    // What the server has still to take is not old, whenever it was made.
    let waiting = tx.get::<PendingUpload>(&Places::only(Kind::Publication))?;
    let waiting: BTreeSet<u32> =
        waiting.iter().map(one_time_ids).collect::<Result<Vec<_>, _>>()?.concat().into_iter().collect();
    // What is held may still name what should go, and keeps it for a while.
    let spared = |held_since: &mut Option<u64>, is_named: bool| {
        is_named && expiry::is_kept_for_held(*held_since.get_or_insert(age.0), age)
    };
    for mut pair in core::mem::take(&mut book.lasting) {
        if !expiry::is_outlived(&pair, emptied_at, age) || spared(&mut pair.held_since, named.contains(&pair.id)) {
            book.lasting.push(pair);
            continue;
        }
        tx.delete(Places::pre_key(PreKeyUse::Signed, pair.id));
        tx.delete(Places::pre_key(PreKeyUse::LastResort, pair.id));
    }
    let mut old: Vec<Made> = Vec::new();
    for mut made in core::mem::take(&mut book.made) {
        let is_among = |ids: &BTreeSet<u32>| made.ids().any(|id| ids.contains(&id));
        let (is_waiting, is_named) = (is_among(&waiting), is_among(&named));
        let stays = !expiry::is_stale_made(&made, emptied_at, age) || is_waiting;
        if stays || spared(&mut made.held_since, is_named) {
            book.made.push(made);
        } else {
            old.push(made);
        }
    }
    if (&book.lasting, &book.made) == (&before.0, &before.1) {
        return Ok(());
    }
    let places = |id| [PreKeyUse::OneTimeCurve, PreKeyUse::OneTimeKem].map(|usage| Places::pre_key(usage, id));
    tx.prefetch_missing(&old.iter().flat_map(Made::ids).flat_map(places).collect::<Vec<_>>())?;
    for id in old.iter().flat_map(Made::ids) {
        one_time(tx, id, &mut book)?;
    }
    tx.put_book(&book)
}

/// Deletes what is left of a one-time pair. What the server had of it is gone already.
fn one_time(tx: &mut Tx<'_>, id: u32, book: &mut PreKeyBook) -> Result<(), Code> {
    let offered = [(PreKeyUse::OneTimeCurve, &mut book.curve_offered), (PreKeyUse::OneTimeKem, &mut book.kem_offered)];
    for (usage, offered) in offered {
        let key = Places::pre_key(usage, id);
        if tx.exists(&key)? {
            tx.delete(key);
            *offered = offered.saturating_sub(1);
        }
    }
    Ok(())
}

/// The users of whom something was held for too long.
fn held_envelopes(tx: &mut Tx<'_>, read_at: Age) -> Result<BTreeSet<UserId>, Code> {
    let mut dropped = BTreeSet::new();
    for (key, held) in held::envelopes(tx)? {
        if read_at.since(Age(held.at)) <= KEEP_RECEIVED_IDS {
            continue;
        }
        let envelope = Envelope::decode(&held.envelope).map_err(|_| Code::RecordInconsistent)?;
        dropped.extend(envelope.sender().map(|(user, _)| user));
        held::take_envelope(tx, key, &held)?;
    }
    Ok(dropped)
}

fn held_contents(tx: &mut Tx<'_>, read_at: Age) -> Result<BTreeSet<UserId>, Code> {
    let mut dropped = BTreeSet::new();
    for (key, held) in held::all_contents(tx)? {
        if read_at.since(Age(held.at)) > KEEP_RECEIVED_IDS {
            held::take_content(tx, key, &held)?;
            dropped.insert(held.user.clone());
        }
    }
    Ok(dropped)
}
