//! What a call will need, read ahead: one load for each stage, not one for each device.
//!
//! Nothing is decided here. A row that is damaged or missing is passed over; the step that needs it reports it.

use super::Tx;
use crate::{
    context::Timestamp,
    error::Code,
    ids::{EnvelopeId, Scope, UserId},
    model::{Peer, SessionMeta},
    record::IndexEntry,
    store::{Key, Kind, Places, PreKeyUse},
    wire::envelope::{Envelope, Route},
};

const PARTS: [Kind; 3] = [Kind::Session, Kind::Chains, Kind::Skipped];

fn parts<'a>(tx: &'a Tx<'_>, peer: &'a Peer, meta: &'a SessionMeta) -> impl Iterator<Item = Key> + 'a {
    PARTS.into_iter().map(|kind| tx.places().session(kind, peer, meta.id))
}

/// For a send to these users: their records, then their devices', then the sessions that the message is said in.
pub(crate) fn for_users(tx: &Tx<'_>, users: &[UserId], scope: Scope, now: Timestamp) -> Result<(), Code> {
    let places = tx.places();
    tx.prefetch_missing(&users.iter().map(|user| places.user(Kind::User, user)).collect::<Vec<_>>())?;
    let mut devices: Vec<Key> = Vec::new();
    for user in users {
        let Ok(Some(user)) = tx.known(user) else { continue };
        devices.extend(user.listed().map(|device| places.device(Kind::Peer, &user.user, device.id)));
    }
    tx.prefetch_missing(&devices)?;
    let mut sessions = Vec::new();
    for key in &devices {
        let Ok(Some(peer)) = tx.shared::<Peer>(key) else { continue };
        // What has no standing session in the scope rides inside a direct message.
        let standing = peer.standing(scope, now);
        sessions.extend(standing.into_iter().flat_map(|meta| parts(tx, &peer, meta)));
        if standing.is_none() {
            let metas = [peer.active(Scope::Direct, now), peer.active(scope, now)];
            sessions.extend(metas.into_iter().flatten().flat_map(|meta| parts(tx, &peer, meta)));
        }
    }
    tx.prefetch_missing(&sessions)
}

/// For opening envelopes: who sent them and what they name, then where each belongs, then the sessions.
pub(crate) fn for_envelopes(tx: &Tx<'_>, us: &UserId, envelopes: &[Result<Envelope, Code>]) -> Result<(), Code> {
    let places = tx.places();
    let mut first = vec![places.user(Kind::User, us), Places::only(Kind::Counters), Places::only(Kind::Book)];
    let mut from = Vec::new();
    for envelope in envelopes.iter().flatten() {
        let Some((user, device)) = envelope.sender() else { continue };
        first.push(places.user(Kind::User, &user));
        first.push(places.device(Kind::Peer, &user, device));
        first.push(places.heard(&user, device, None));
        first.push(places.envelope(Kind::Received, &user, device, &EnvelopeId(envelope.head.salt)));
        if let Route::Initiation(initiation) = &envelope.head.route {
            let (curve, kem) = (initiation.signed_pre_key, initiation.kem_pre_key);
            first.extend(initiation.one_time_pre_key.map(|id| Places::pre_key(PreKeyUse::OneTimeCurve, id)));
            first.push(Places::pre_key(PreKeyUse::Signed, curve));
            first.extend([PreKeyUse::LastResort, PreKeyUse::OneTimeKem].map(|usage| Places::pre_key(usage, kem)));
            first.push(places.user(Kind::List, &user));
        }
        from.push((envelope, user, device));
    }
    tx.prefetch_missing(&first)?;
    let mut ordinary = Vec::new();
    for (envelope, user, device) in from {
        let Ok(Some(peer)) = tx.known_peer(&user, device) else { continue };
        if let Route::Ordinary { locator } = &envelope.head.route {
            let index = places.index(&peer, &peer.receiving().mask(&envelope.head.salt, locator));
            ordinary.push((peer, index));
        }
    }
    tx.prefetch_missing(&ordinary.iter().map(|(_, index)| index.clone()).collect::<Vec<_>>())?;
    let mut sessions = Vec::new();
    for (peer, index) in &ordinary {
        let Ok(Some(entry)) = tx.get::<IndexEntry>(index) else { continue };
        let meta = peer.sessions.iter().find(|meta| meta.id == entry.session);
        sessions.extend(meta.into_iter().flat_map(|meta| parts(tx, peer, meta)));
    }
    tx.prefetch_missing(&sessions)
}
