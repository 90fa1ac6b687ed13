//! What a call will need, read ahead: one load for each stage, not one for each device.
//!
//! Nothing is decided here. A row that is damaged or missing is passed over; the step that needs it reports it.

use super::{Tx, records::Peers, sessions::Sender};
use crate::{
    clock::Moment,
    error::Code,
    ids::{EnvelopeId, Scope, SessionId, UserId},
    model::{Peer, SessionMeta, User},
    record::{Hot, IndexEntry, SessionCold},
    store::{Kind, Places, PreKeyUse, RowKey},
    wire::envelope::{Envelope, Route},
};
use std::sync::Arc;

/// What is known of a user that something goes to.
pub(crate) struct Recipient {
    pub(crate) user: Option<Arc<User>>,
    pub(crate) peers: Peers,
    /// The sessions that were read ahead.
    senders: Vec<Sender>,
}

impl Recipient {
    /// Reads a user and the listed devices.
    pub(crate) fn read(tx: &Tx<'_>, user: &UserId) -> Result<Self, Code> {
        let user = tx.known(user)?;
        let peers = tx.listed_peers(user.as_deref())?;
        Ok(Self { user, peers, senders: Vec::new() })
    }

    /// A session that was read ahead.
    pub(crate) fn sender(&self, session: SessionId) -> Option<&Sender> {
        self.senders.iter().find(|sender| sender.meta().id == session)
    }
}

/// For a send to these users: their records, then their devices', then the sessions that the message is said in. A user of whom something is
/// damaged has none.
pub(crate) fn for_users(
    tx: &Tx<'_>,
    users: &[UserId],
    scope: Scope,
    at: Moment,
) -> Result<Vec<Option<Recipient>>, Code> {
    let places = tx.places();
    let keys: Vec<RowKey> = users.iter().map(|user| places.user(Kind::User, user)).collect();
    let known = tx.shared_all::<User>(&keys)?;
    let of_devices = |user: &User| -> Vec<RowKey> {
        user.listed().map(|device| places.device(Kind::Peer, &user.user, device.id)).collect()
    };
    let devices: Vec<Vec<RowKey>> =
        known.iter().map(|user| user.iter().flatten().flat_map(|user| of_devices(user)).collect()).collect();
    let mut peers = tx.shared_all::<Peer>(&devices.concat())?.into_iter();
    let mut recipients = Vec::with_capacity(users.len());
    let mut sessions = Vec::new();
    for (place, (user, devices)) in known.into_iter().zip(devices).enumerate() {
        let sound: Result<Vec<_>, Code> = peers.by_ref().take(devices.len()).collect::<Vec<_>>().into_iter().collect();
        let (Ok(user), Ok(sound)) = (user, sound) else {
            recipients.push(None);
            continue;
        };
        for peer in sound.iter().flatten() {
            sessions.extend(said_in(peer, scope, at).map(|meta| {
                let [cold, hot] = places.session_rows([Kind::Session, Kind::Chains], peer, meta.id);
                (place, meta, cold, hot)
            }));
        }
        let peers = Peers { sound: sound.into_iter().flatten().collect(), damaged: Vec::new() };
        recipients.push(Some(Recipient { user, peers, senders: Vec::new() }));
    }
    let cold = tx.shared_all::<SessionCold>(&sessions.iter().map(|(_, _, cold, _)| *cold).collect::<Vec<_>>())?;
    let hot = tx.shared_all::<Hot>(&sessions.iter().map(|(_, _, _, hot)| *hot).collect::<Vec<_>>())?;
    for (((place, meta, cold_at, hot_at), cold), hot) in sessions.into_iter().zip(cold).zip(hot) {
        if let (Ok(Some(cold)), Ok(Some(hot)), Some(Some(recipient))) = (cold, hot, recipients.get_mut(place)) {
            recipient.senders.push(Sender::new(meta, cold, hot, [cold_at, hot_at]));
        }
    }
    Ok(recipients)
}

/// The sessions that a message to a device is said in. What has no standing session in the scope rides inside a direct message.
fn said_in(peer: &Peer, scope: Scope, at: Moment) -> impl Iterator<Item = SessionMeta> {
    let metas = match peer.standing(scope, at) {
        Some(standing) => [Some(standing), None],
        None => [peer.active(Scope::Direct, at), peer.active(scope, at)],
    };
    metas.map(|meta| meta.copied()).into_iter().flatten()
}

/// The devices that envelopes say they come from; none where it is not known or its record does not open.
pub(crate) fn senders<'a>(
    tx: &Tx<'_>,
    envelopes: impl Iterator<Item = &'a Envelope>,
) -> Result<Vec<Option<Arc<Peer>>>, Code> {
    let key = |envelope: &Envelope| {
        let (user, device) = envelope.sender()?;
        Some(tx.places().device(Kind::Peer, &user, device))
    };
    let keys: Vec<Option<RowKey>> = envelopes.map(key).collect();
    let mut known = tx.shared_all::<Peer>(&keys.iter().flatten().copied().collect::<Vec<_>>())?.into_iter();
    Ok(keys.into_iter().map(|key| key.and_then(|_| known.next()?.ok().flatten())).collect())
}

const TO_OPEN: [Kind; 3] = [Kind::Session, Kind::Chains, Kind::Skipped];

/// An envelope's session, as the index or the initiation names it.
pub(crate) struct Located {
    pub(crate) session: SessionMeta,
    pub(crate) chain: u32,
    /// Where the part of the session lies that holds the header keys.
    cold: RowKey,
}

impl Located {
    /// The part of the session that holds the header keys; `None` if it is damaged or missing.
    pub(crate) fn cold(&self, tx: &Tx<'_>) -> Option<Arc<SessionCold>> {
        tx.shared(&self.cold).ok().flatten()
    }
}

/// For opening envelopes: who sent them and what they name, then where each belongs, then the sessions. Gives where each belongs.
pub(crate) fn for_envelopes<'a>(
    tx: &Tx<'_>,
    us: &UserId,
    envelopes: impl Iterator<Item = Option<&'a Envelope>>,
) -> Result<Vec<Option<Located>>, Code> {
    let places = tx.places();
    let mut first = vec![places.user(Kind::User, us), Places::only(Kind::Counters), Places::only(Kind::Book)];
    let mut from = Vec::new();
    for envelope in envelopes {
        let sender = envelope.and_then(|envelope| Some((envelope, envelope.sender()?)));
        let Some((envelope, (user, device))) = sender else {
            from.push(None);
            continue;
        };
        first.push(places.user(Kind::User, &user));
        first.push(places.heard(&user, device, None));
        first.push(places.envelope(Kind::Received, &user, device, &EnvelopeId(envelope.head.salt)));
        if let Route::Initiation(initiation) = &envelope.head.route {
            let (curve, kem) = (initiation.signed_pre_key, initiation.kem_pre_key);
            first.extend(initiation.one_time_pre_key.map(|id| Places::pre_key(PreKeyUse::OneTimeCurve, id)));
            first.push(Places::pre_key(PreKeyUse::Signed, curve));
            first.extend([PreKeyUse::LastResort, PreKeyUse::OneTimeKem].map(|usage| Places::pre_key(usage, kem)));
            first.push(places.user(Kind::List, &user));
        }
        from.push(Some((envelope, user, device)));
    }
    tx.prefetch_missing(&first)?;
    let mut named = Vec::with_capacity(from.len());
    for sender in from {
        let peer = sender.and_then(|(envelope, user, device)| Some((envelope, tx.known_peer(&user, device).ok()??)));
        named.push(peer.map(|(envelope, peer)| match &envelope.head.route {
            Route::Ordinary { locator } => {
                let index = places.index(&peer, &peer.receiving().mask(&envelope.head.salt, locator));
                (peer, Named::Index(index))
            }
            Route::Initiation(initiation) => (peer, Named::EphemeralKey(initiation.ephemeral_key)),
        }));
    }
    let index = |(_, named): &(Arc<Peer>, Named)| if let Named::Index(index) = named { Some(*index) } else { None };
    tx.prefetch_missing(&named.iter().flatten().filter_map(index).collect::<Vec<_>>())?;
    let mut sessions = Vec::new();
    let mut located = Vec::with_capacity(named.len());
    for named in named {
        let session = named.and_then(|(peer, named)| {
            let (session, chain) = named.session(tx, &peer)?;
            let rows = places.session_rows(TO_OPEN, &peer, session.id);
            sessions.extend(rows);
            let [cold, ..] = rows;
            Some(Located { session, chain, cold })
        });
        located.push(session);
    }
    tx.prefetch_missing(&sessions)?;
    Ok(located)
}

/// What an envelope names its session by.
enum Named {
    /// The place of its chain's tag in the index.
    Index(RowKey),
    /// The ephemeral key of its initiation.
    EphemeralKey([u8; 32]),
}

impl Named {
    /// The stored session and its receiving chain.
    fn session(&self, tx: &Tx<'_>, peer: &Peer) -> Option<(SessionMeta, u32)> {
        let (session, chain) = match self {
            Self::Index(index) => {
                let entry: IndexEntry = tx.get(index).ok()??;
                (peer.sessions.iter().find(|meta| meta.id == entry.session), entry.chain)
            }
            // Every message of an initiating session is on its initiator's first chain.
            Self::EphemeralKey(key) => (peer.sessions.iter().find(|meta| meta.ephemeral_key == *key), 1),
        };
        Some((*session?, chain))
    }
}
