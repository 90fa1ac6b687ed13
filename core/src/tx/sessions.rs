//! Sessions in the store: their parts, their index, their end.

use super::Tx;
use crate::{
    clock::Age,
    context::Timestamp,
    error::Code,
    ids::{DeviceId, Scope, SessionId, UserId},
    model::{Peer, SessionMeta},
    ratchet::{Delta, Sent},
    record::{Beginning, Block, Directory, Hot, IndexEntry, SessionCold},
    registry::devices,
    session::{Outgoing, Session},
    store::{Kind, RowKey},
};
use std::sync::Arc;

/// Reads a session; a part that is missing or does not fit is [`Code::RecordInconsistent`].
pub(crate) fn load(tx: &Tx<'_>, peer: &Peer, meta: SessionMeta) -> Result<Session, Code> {
    let places = tx.places();
    let [cold, hot, directory] = places.session_rows([Kind::Session, Kind::Chains, Kind::Skipped], peer, meta.id);
    let (cold, hot) = tx.shared::<SessionCold>(&cold)?.zip(tx.get::<Hot>(&hot)?).ok_or(Code::RecordInconsistent)?;
    let directory = tx.get::<Directory>(&directory)?.unwrap_or_default();
    Session::from_parts(meta, &cold, hot, directory)
}

/// A session that is to send: its stored parts, without a copy.
#[derive(Clone)]
pub(crate) struct Sender {
    meta: SessionMeta,
    cold: Arc<SessionCold>,
    hot: Arc<Hot>,
    /// Where the two lie.
    places: [RowKey; 2],
}

/// What a message on its way out changes of its session.
pub(crate) struct Step {
    hot: (RowKey, Arc<Hot>),
    /// Set by the first message of a new sending chain.
    cold: Option<(RowKey, Arc<SessionCold>)>,
}

impl Sender {
    pub(super) fn new(meta: SessionMeta, cold: Arc<SessionCold>, hot: Arc<Hot>, places: [RowKey; 2]) -> Self {
        Self { meta, cold, hot, places }
    }

    /// A session that is not in the store yet, or was just put there.
    pub(crate) fn of(session: Session, tx: &Tx<'_>, peer: &Peer) -> Self {
        let places = tx.places().session_rows([Kind::Session, Kind::Chains], peer, session.meta.id);
        Self::new(session.meta, Arc::new(session.cold()), Arc::new(session.ratchet.hot), places)
    }

    /// What a message changes, and where.
    pub(crate) fn step(&self, sent: Sent) -> Step {
        let [cold, hot] = self.places;
        let beginning = || self.cold.beginning.clone();
        let changed = sent.cold.map(|ratchet| (cold, Arc::new(SessionCold { ratchet, beginning: beginning() })));
        Step { hot: (hot, Arc::new(sent.hot)), cold: changed }
    }

    /// What sealing reads.
    pub(crate) fn outgoing(&self) -> Result<Outgoing<'_>, Code> {
        Outgoing::from_parts(&self.meta, &self.cold, &self.hot)
    }

    pub(crate) fn meta(&self) -> &SessionMeta {
        &self.meta
    }

    /// How many messages this device had sent to that one in the scope.
    pub(crate) fn sequence(&self) -> u64 {
        self.hot.sequence
    }

    /// The part that changes rarely.
    pub(crate) fn cold(&self) -> &SessionCold {
        &self.cold
    }
}

/// Reads what sending in a session needs.
pub(crate) fn sender(tx: &Tx<'_>, peer: &Peer, meta: SessionMeta) -> Result<Sender, Code> {
    let places = tx.places();
    let places = places.session_rows([Kind::Session, Kind::Chains], peer, meta.id);
    let [cold, hot] = &places;
    let (cold, hot) = tx.shared(cold)?.zip(tx.shared(hot)?).ok_or(Code::RecordInconsistent)?;
    Ok(Sender::new(meta, cold, hot, places))
}

/// Writes a whole new session with its first index entry, and deletes those that it displaces. The session goes on with the sequence of
/// its scope.
pub(crate) fn insert(tx: &mut Tx<'_>, peer: &mut Peer, session: &mut Session, now: Timestamp) -> Result<(), Code> {
    session.ratchet.hot.sequence = sequence(tx, peer, session.meta.scope)?;
    let places = tx.places();
    tx.put(places.session(Kind::Session, peer, session.meta.id), &session.cold())?;
    tx.put(places.session(Kind::Chains, peer, session.meta.id), &session.ratchet.hot)?;
    let (tag, chain) = session.ratchet.first_tag();
    tx.put(places.index(peer, &tag), &IndexEntry { session: session.meta.id, chain })?;
    for gone in peer.insert(session.meta, now) {
        keep_sequence(tx, peer, gone)?;
        remove_rows(tx, peer, gone)?;
    }
    Ok(())
}

/// Writes what a message on its way out changed.
pub(crate) fn put_step(tx: &mut Tx<'_>, step: Step) -> Result<(), Code> {
    if let Some((place, cold)) = step.cold {
        tx.put_shared(place, cold)?;
    }
    let (place, hot) = step.hot;
    tx.put_shared(place, hot)
}

/// Writes what one step changed.
fn write(tx: &mut Tx<'_>, peer: &Peer, session: &Session, delta: &Delta, cold: bool) -> Result<(), Code> {
    let places = tx.places();
    let id = session.meta.id;
    tx.put(places.session(Kind::Chains, peer, id), &delta.hot)?;
    if cold || delta.cold.is_some() {
        tx.put_shared(places.session(Kind::Session, peer, id), Arc::new(session.cold()))?;
    }
    if let Some(directory) = &delta.directory {
        let key = places.session(Kind::Skipped, peer, id);
        if directory.blocks.is_empty() {
            tx.delete(key);
        } else {
            tx.put(key, directory)?;
        }
    }
    for ((chain, number), block) in &delta.blocks {
        let key = places.block(peer, id, *chain, *number);
        match block {
            Some(block) => tx.put(key, block)?,
            None => tx.delete(key),
        }
    }
    for (tag, chain) in &delta.tags_added {
        tx.put(places.index(peer, tag), &IndexEntry { session: id, chain: *chain })?;
    }
    for tag in &delta.tags_removed {
        tx.delete(places.index(peer, tag));
    }
    Ok(())
}

/// Writes a receiving step, and what the first answer changes: the session stops initiating (Sesame 2.3).
pub(crate) fn settle_step(
    tx: &mut Tx<'_>,
    peer: &mut Peer,
    session: &mut Session,
    mut delta: Delta,
    age: Age,
) -> Result<(), Code> {
    // Receiving sends nothing: the sequence stays as the session has it.
    delta.hot.sequence = session.ratchet.hot.sequence;
    let answered = session.meta.answered_at.is_none();
    let Some(meta) = peer.sessions.iter_mut().find(|meta| meta.id == session.meta.id) else {
        // There are more sessions than the limit and this one has the lowest generation: it is deleted with its first message.
        return tx.put_peer(peer);
    };
    meta.answered_at = meta.answered_at.or(Some(age.0));
    meta.initiating = false;
    session.meta = *meta;
    if let Some(Beginning::Opening(opening)) = session.beginning.take() {
        answer_carrier(tx, peer, opening.carrier, age)?;
    }
    if let Some(cold) = delta.cold.clone() {
        session.ratchet.cold = cold;
    }
    write(tx, peer, session, &delta, answered)?;
    if delta.directory.is_some() {
        bound_skipped(tx, peer)?;
    }
    tx.put_peer(peer)
}

/// > that also marks the direct session that carried it as answered (X 4)
fn answer_carrier(tx: &mut Tx<'_>, peer: &mut Peer, carrier: Option<SessionId>, age: Age) -> Result<(), Code> {
    let Some(meta) = peer.sessions.iter_mut().find(|meta| Some(meta.id) == carrier && meta.initiating) else {
        return Ok(());
    };
    meta.initiating = false;
    meta.answered_at = meta.answered_at.or(Some(age.0));
    let key = tx.places().session(Kind::Session, peer, carrier.ok_or(Code::Internal)?);
    // A damaged one is forgotten when it is used.
    let Some(cold) = tx.get_sound::<SessionCold>(&key)? else { return Ok(()) };
    tx.put(key, &SessionCold { beginning: None, ..cold })
}

/// Keeps the skipped keys of a device within their bound (A30). A session whose keys are deleted remembers their
/// numbers, so that its messages fail as expired.
fn bound_skipped(tx: &mut Tx<'_>, peer: &Peer) -> Result<(), Code> {
    let places = tx.places();
    let mut counts = Vec::new();
    for meta in &peer.sessions {
        // What is damaged of another session is no reason to refuse a message of this one.
        let directory = tx.get_sound::<Directory>(&places.session(Kind::Skipped, peer, meta.id))?;
        let keys =
            directory.iter().flat_map(|directory| &directory.blocks).map(|entry| entry.stored.count_ones() as usize);
        counts.push((*meta, keys.sum()));
    }
    for meta in devices::skipped_surplus(&counts) {
        let key = places.session(Kind::Skipped, peer, meta.id);
        let mut directory: Directory = tx.get(&key)?.ok_or(Code::RecordInconsistent)?;
        for entry in &mut directory.blocks {
            entry.expired |= entry.stored;
            entry.stored = 0;
            tx.delete(places.block(peer, meta.id, entry.chain, entry.block));
        }
        tx.put(key, &directory)?;
        let key = places.session(Kind::Chains, peer, meta.id);
        if let Some(mut hot) = tx.get_sound::<Hot>(&key)? {
            hot.oldest_skipped = None;
            tx.put(key, &hot)?;
        }
    }
    Ok(())
}

/// Reads a block of skipped keys.
pub(crate) fn block(tx: &Tx<'_>, peer: &Peer, meta: &SessionMeta, chain: u32, number: u32) -> Result<Block, Code> {
    tx.get(&tx.places().block(peer, meta.id, chain, number))?.ok_or(Code::RecordInconsistent)
}

/// How many messages this device has sent to that one in a scope, over all its sessions.
fn sequence(tx: &Tx<'_>, peer: &Peer, scope: Scope) -> Result<u64, Code> {
    let mut highest = peer.sequence(scope);
    for meta in peer.sessions.iter().filter(|meta| meta.scope == scope) {
        highest = highest.max(counted(tx, peer, meta)?);
    }
    Ok(highest)
}

/// How far a session has counted. A damaged one counts nothing: its session is forgotten when it is used.
fn counted(tx: &Tx<'_>, peer: &Peer, meta: &SessionMeta) -> Result<u64, Code> {
    let key = tx.places().session(Kind::Chains, peer, meta.id);
    Ok(tx.get_sound::<Hot>(&key)?.map_or(0, |hot| hot.sequence))
}

/// > The sequence of a scope never goes back: it is kept in the peer's record when the scope's sessions are forgotten.
fn keep_sequence(tx: &Tx<'_>, peer: &mut Peer, gone: SessionMeta) -> Result<(), Code> {
    let sequence = counted(tx, peer, &gone)?;
    peer.keep_sequence(gone.scope, sequence);
    Ok(())
}

/// Forgets sessions: their floor rises, their sequence stays, their rows go.
pub(crate) fn forget(tx: &mut Tx<'_>, peer: &mut Peer, gone: &[SessionMeta], now: Timestamp) -> Result<(), Code> {
    peer.forget(gone, now);
    gone.iter().try_for_each(|meta| keep_sequence(tx, peer, *meta))?;
    gone.iter().try_for_each(|meta| remove_rows(tx, peer, *meta))
}

fn remove_rows(tx: &mut Tx<'_>, peer: &Peer, meta: SessionMeta) -> Result<(), Code> {
    let places = tx.places();
    for kind in [Kind::Session, Kind::Chains, Kind::Skipped] {
        tx.delete(places.session(kind, peer, meta.id));
    }
    for key in tx.keys(&places.session(Kind::Block, peer, meta.id))? {
        tx.delete(key);
    }
    for key in tx.keys(&places.device(Kind::Index, &peer.user, peer.device))? {
        // An entry that does not open leads nowhere, and goes as well.
        if tx.get_sound::<IndexEntry>(&key)?.is_none_or(|entry| entry.session == meta.id) {
            tx.delete(key);
        }
    }
    Ok(())
}

/// Deletes a DeviceRecord and everything under it (delete, Sesame 3.2).
pub(crate) fn remove_peer(tx: &mut Tx<'_>, user: &UserId, device: DeviceId) -> Result<(), Code> {
    remove_damaged(tx, user, device)?;
    let key = tx.places().heard(user, device, None);
    tx.keys(&key)?.into_iter().for_each(|key| tx.delete(key));
    Ok(())
}

/// Deletes a DeviceRecord that need not open, with its sessions. What was heard of it stays, so that what comes again is not new.
pub(crate) fn remove_damaged(tx: &mut Tx<'_>, user: &UserId, device: DeviceId) -> Result<(), Code> {
    let kinds = [Kind::Peer, Kind::Session, Kind::Chains, Kind::Skipped, Kind::Block, Kind::Index, Kind::Healing];
    let mut keys: Vec<RowKey> = Vec::new();
    for kind in kinds {
        keys.extend(tx.keys(&tx.places().device(kind, user, device))?);
    }
    keys.into_iter().for_each(|key| tx.delete(key));
    Ok(())
}
