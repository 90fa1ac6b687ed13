//! Sessions in the store: their parts, their index, their end.

use super::work::Work;
use crate::{
    error::Code,
    ids::{DeviceId, SessionId, UserId},
    model::{Peer, SessionMeta},
    ratchet::Delta,
    record::{Beginning, Block, Directory, Hot, IndexEntry, SessionCold},
    registry::devices,
    session::Session,
    store::{Key, Kind},
};

/// Reads a session; a part that is missing or does not fit is [`Code::RecordInconsistent`].
pub(super) fn load(work: &Work<'_>, peer: &Peer, meta: SessionMeta) -> Result<Session, Code> {
    let places = work.places();
    let keys = [Kind::Session, Kind::Chains, Kind::Skipped].map(|kind| places.session(kind, peer, meta.id));
    work.prefetch_missing(&keys)?;
    let [cold, hot, directory] = keys;
    let (cold, hot) = work.get::<SessionCold>(&cold)?.zip(work.get::<Hot>(&hot)?).ok_or(Code::RecordInconsistent)?;
    let directory = work.get::<Directory>(&directory)?.unwrap_or_default();
    Session::from_parts(meta, cold, hot, directory)
}

/// Writes a whole new session with its first index entry, and drops those that it displaces.
pub(super) fn insert(work: &mut Work<'_>, peer: &mut Peer, session: &Session) -> Result<(), Code> {
    let places = work.places();
    work.put(places.session(Kind::Session, peer, session.meta.id), &session.cold())?;
    work.put(places.session(Kind::Chains, peer, session.meta.id), &session.ratchet.hot)?;
    let (tag, chain) = session.ratchet.first_tag();
    work.put(places.index(peer, &tag), &IndexEntry { session: session.meta.id, chain })?;
    for gone in peer.insert(session.meta) {
        remove_rows(work, peer, gone)?;
    }
    Ok(())
}

/// Writes what one step changed.
fn write(work: &mut Work<'_>, peer: &Peer, session: &Session, delta: &Delta, cold: bool) -> Result<(), Code> {
    let places = work.places();
    let id = session.meta.id;
    work.put(places.session(Kind::Chains, peer, id), &delta.hot)?;
    if cold || delta.cold.is_some() {
        work.put(places.session(Kind::Session, peer, id), &session.cold())?;
    }
    if let Some(directory) = &delta.directory {
        let key = places.session(Kind::Skipped, peer, id);
        match directory.blocks.is_empty() {
            true => work.delete(key),
            false => work.put(key, directory)?,
        }
    }
    for ((chain, number), block) in &delta.blocks {
        let key = places.block(peer, id, *chain, *number);
        match block {
            Some(block) => work.put(key, block)?,
            None => work.delete(key),
        }
    }
    for (tag, chain) in &delta.tags_added {
        work.put(places.index(peer, tag), &IndexEntry { session: id, chain: *chain })?;
    }
    for tag in &delta.tags_removed {
        work.delete(places.index(peer, tag));
    }
    Ok(())
}

/// Writes a step, and what the first answer changes: the session stops initiating (Sesame 2.3).
pub(super) fn settle_step(
    work: &mut Work<'_>,
    peer: &mut Peer,
    session: &mut Session,
    delta: Delta,
    now: u64,
) -> Result<(), Code> {
    let answered = session.meta.answered_at.is_none();
    let Some(meta) = peer.sessions.iter_mut().find(|meta| meta.id == session.meta.id) else {
        // One too many, and the lowest: it is forgotten with its first message.
        return work.put_peer(peer);
    };
    meta.answered_at = meta.answered_at.or(Some(now));
    meta.initiating = false;
    session.meta = *meta;
    if let Some(Beginning::Opening(opening)) = session.beginning.take() {
        answer_carrier(work, peer, opening.carrier, now)?;
    }
    let cold = delta.cold.clone();
    if let Some(cold) = cold {
        session.ratchet.cold = cold;
    }
    write(work, peer, session, &delta, answered)?;
    if delta.directory.is_some() {
        bound_skipped(work, peer)?;
    }
    work.put_peer(peer)
}

/// > that also marks the direct session that carried it as answered (X 4)
fn answer_carrier(work: &mut Work<'_>, peer: &mut Peer, carrier: Option<SessionId>, now: u64) -> Result<(), Code> {
    let Some(meta) = peer.sessions.iter_mut().find(|meta| Some(meta.id) == carrier && meta.initiating) else {
        return Ok(());
    };
    meta.initiating = false;
    meta.answered_at = meta.answered_at.or(Some(now));
    let key = work.places().session(Kind::Session, peer, carrier.ok_or(Code::Internal)?);
    let cold: SessionCold = work.get(&key)?.ok_or(Code::RecordInconsistent)?;
    work.put(key, &SessionCold { beginning: None, ..cold })
}

/// Keeps the skipped keys of a device within their bound (A30). A session that pays keeps marks, so that its messages fail as expired.
fn bound_skipped(work: &mut Work<'_>, peer: &Peer) -> Result<(), Code> {
    let places = work.places();
    let mut counts = Vec::new();
    for meta in &peer.sessions {
        let directory: Option<Directory> = work.get(&places.session(Kind::Skipped, peer, meta.id))?;
        let keys =
            directory.iter().flat_map(|directory| &directory.blocks).map(|entry| entry.stored.count_ones() as usize);
        counts.push((*meta, keys.sum()));
    }
    for meta in devices::skipped_surplus(&counts) {
        let key = places.session(Kind::Skipped, peer, meta.id);
        let mut directory: Directory = work.get(&key)?.ok_or(Code::RecordInconsistent)?;
        for entry in &mut directory.blocks {
            entry.expired |= entry.stored;
            entry.stored = 0;
            work.delete(places.block(peer, meta.id, entry.chain, entry.block));
        }
        work.put(key, &directory)?;
        let key = places.session(Kind::Chains, peer, meta.id);
        let mut hot: Hot = work.get(&key)?.ok_or(Code::RecordInconsistent)?;
        hot.oldest_skipped = None;
        work.put(key, &hot)?;
    }
    Ok(())
}

/// Reads a block of skipped keys.
pub(super) fn block(work: &Work<'_>, peer: &Peer, meta: &SessionMeta, chain: u32, number: u32) -> Result<Block, Code> {
    work.get(&work.places().block(peer, meta.id, chain, number))?.ok_or(Code::RecordInconsistent)
}

/// Forgets sessions: their floor rises, their rows go.
pub(super) fn forget(work: &mut Work<'_>, peer: &mut Peer, gone: &[SessionMeta]) -> Result<(), Code> {
    peer.forget(gone);
    gone.iter().try_for_each(|meta| remove_rows(work, peer, *meta))
}

fn remove_rows(work: &mut Work<'_>, peer: &Peer, meta: SessionMeta) -> Result<(), Code> {
    let places = work.places();
    for kind in [Kind::Session, Kind::Chains, Kind::Skipped] {
        work.delete(places.session(kind, peer, meta.id));
    }
    for key in work.keys(&places.session(Kind::Block, peer, meta.id))? {
        work.delete(key);
    }
    for key in work.keys(&places.device(Kind::Index, &peer.user, peer.device))? {
        // An entry that does not open leads nowhere, and goes as well.
        if work.get_sound::<IndexEntry>(&key)?.is_none_or(|entry| entry.session == meta.id) {
            work.delete(key);
        }
    }
    Ok(())
}

/// Deletes a DeviceRecord and everything under it (delete, Sesame 3.2).
pub(super) fn remove_peer(work: &mut Work<'_>, user: &UserId, device: DeviceId) -> Result<(), Code> {
    let kinds = [Kind::Peer, Kind::Session, Kind::Chains, Kind::Skipped, Kind::Block, Kind::Index, Kind::Heard];
    let mut keys: Vec<Key> = Vec::new();
    for kind in kinds {
        keys.extend(work.keys(&work.places().device(kind, user, device))?);
    }
    keys.into_iter().for_each(|key| work.delete(key));
    Ok(())
}
