//! What an opened content says: in its own scope, or to open another (X 4).

use super::{
    hand_over, hold,
    incoming::{Incoming, Opened, Stop},
    retry,
};
use crate::{
    agreement::opening::Opened as OpenedScope,
    error::Code,
    event::{Event, Flags, Item, Message, MessageKind},
    flow::{group::hear, lists},
    ids::{ContentId, GroupId, GroupKind, Scope},
    keys::chain::Relation,
    model::{Peer, SessionMeta, User, order},
    record::HeardHandover,
    registry::admission::{self, Speaker},
    secret::Secret,
    session::{self, Session},
    store::Kind,
    tx::{Call, held, ledger, sessions},
    wire::{
        content::{self, Body, Prelude},
        opening::Opening,
    },
};
use std::sync::Arc;

/// What a prelude came to: the speaker's record, and what the app should know.
pub(super) struct HeardPrelude {
    pub(super) items: Vec<Item>,
    pub(super) user: Arc<User>,
    /// How the list that rode along stood to ours.
    pub(super) relation: Option<Relation>,
}

/// A content with the session that it came on.
pub(super) struct OpenedContent {
    pub(super) meta: SessionMeta,
    pub(super) prelude: Prelude,
    /// The salt of the envelope in which it was sent first, if it is sent again.
    pub(super) again: Option<[u8; 16]>,
    pub(super) body: Body,
    pub(super) flags: Flags,
}

/// Hears a content, once its step is written: in its own scope, or as the opening of another.
pub(super) fn hear(
    call: &mut Call<'_>,
    incoming: &Incoming<'_>,
    user: &User,
    mut peer: Peer,
    said: OpenedContent,
) -> Result<Opened, Stop> {
    let mut numbered = vec![(said.meta.scope.group(), said.prelude.sequence)];
    let mut said = match said {
        OpenedContent { meta, body: Body::Opening(opening), flags, .. } if meta.scope == Scope::Direct => {
            let Some(nested) = open_nested(call, incoming, (user, &mut peer), flags, &opening)? else {
                let items = dropped(call, incoming, &opening)?;
                return Ok(Opened { items, held: false, numbered });
            };
            numbered.push((nested.meta.scope.group(), nested.prelude.sequence));
            nested
        }
        said => said,
    };
    if let Some(first) = said.again {
        // > A resend carries the same content id, by which a duplicate is dropped.
        if !incoming.is_new(&mut call.tx, first, call.at.age)? {
            return Ok(Opened { numbered, ..Opened::default() });
        }
        said.flags.resent = true;
    }
    admission::fits(&said.body, said.meta.scope)?;
    let speaker = Speaker { user, device: &peer, scope: said.meta.scope };
    if said.meta.scope == Scope::Direct {
        let kind = admission::admit(&said.body, speaker, call.user())?;
        if matches!(said.body, Body::Departure { .. }) {
            return Ok(Opened { items: wants_removal(call, incoming)?, held: false, numbered });
        }
        if let Body::Handover { stamp, handover } = &said.body {
            let (device, sequence, sent_at) = (peer.device, said.prelude.sequence, stamp.sent_at);
            let items = hand_over::hear(call, &peer, handover, HeardHandover { device, sequence, sent_at })?;
            return Ok(Opened { items, held: false, numbered });
        }
        if let Body::Retry { retry } = &said.body {
            retry::hear(call, (&peer.user, peer.device), retry)?;
            return Ok(Opened { numbered, ..Opened::default() });
        }
        let events: Vec<Event> = lists::learn_pins(call, &said.body)?;
        let mut items: Vec<Item> = events.into_iter().map(Item::Event).collect();
        items.push(Item::Message(message(incoming, said, kind)?));
        return Ok(Opened { items, held: false, numbered });
    }
    admission::admit_group(&said.body, speaker, call.user())?;
    let in_group = hear::GroupContent {
        user: incoming.user.clone(),
        device: incoming.device,
        account_key: peer.account_key,
        envelope_id: incoming.id(),
        session_id: said.meta.id,
        flags: said.flags,
        prelude: said.prelude,
        body: said.body,
    };
    let heard = hear::hear(call, said.meta.scope, in_group).map_err(Stop::Said)?;
    Ok(Opened { items: heard.items, held: heard.held, numbered })
}

/// An own device asks to be removed, which only the primary can do.
fn wants_removal(call: &Call<'_>, incoming: &Incoming<'_>) -> Result<Vec<Item>, Code> {
    let is_primary = call.tx.is_primary()?;
    Ok(is_primary.then_some(Item::Event(Event::DeviceWantsRemoval { device: incoming.device })).into_iter().collect())
}

/// What the app hears of an opening for which there is no room.
fn dropped(call: &mut Call<'_>, incoming: &Incoming<'_>, opening: &Opening) -> Result<Vec<Item>, Code> {
    let kind = GroupKind::from_number(opening.kind).ok_or(Code::UnknownGroupKind)?;
    let of = (Scope::Group(kind, GroupId(opening.group)), incoming.device);
    let is_first = ledger::note_dropped(&mut call.tx, &incoming.user, Some(of))?;
    Ok(is_first.then(|| Item::Event(Event::HeldDropped { user: incoming.user.clone() })).into_iter().collect())
}

/// > A scope session is opened by content of a direct message (X 4)
///
/// > Same SessionID again: reuse.
///
/// `None`: it begins a session in a group that is not known yet, and there is no room to hold what it says. Nothing is written: such a session
/// stays as long as what is held of it, and would take room for nothing. The opening is repeated until it is answered, so that it comes
/// again.
fn open_nested(
    call: &mut Call<'_>,
    incoming: &Incoming<'_>,
    (user, peer): (&User, &mut Peer),
    flags: Flags,
    opening: &Opening,
) -> Result<Option<OpenedContent>, Stop> {
    let kind = GroupKind::from_number(opening.kind).ok_or(Code::UnknownGroupKind)?;
    let scope = Scope::Group(kind, GroupId(opening.group));
    let at = call.at;
    let same = |meta: &&SessionMeta| meta.scope == scope && meta.ephemeral_key == opening.ephemeral_key;
    let known = peer.sessions.iter().find(same).copied();
    let mut session = match known {
        Some(meta) if !order::may_receive(&meta, &peer.sessions, at.age) => return Err(Code::NoSession.into()),
        Some(meta) => sessions::load(&call.tx, peer, meta).map_err(Stop::on(meta.id))?,
        None if opening.generation <= peer.floor(scope) => return Err(Code::ReplayedInitiation.into()),
        None => {
            hold::in_time(user, peer, (scope, opening.generation), at.now)?;
            accept_opening(call, peer, scope, opening)?
        }
    };
    let meta = session.meta;
    let nested = (opening, &incoming.envelope.head.salt);
    let position = session::position_nested(&session.ratchet.cold, opening, nested.1).map_err(Stop::on(meta.id))?;
    incoming.count_steps(call, &session, &position)?;
    let Call { tx, context, .. } = call;
    let load = |chain, number| sessions::block(tx, peer, &meta, chain, number);
    let (delta, content) =
        session::open_nested(&session, context, &position, nested, &load).map_err(Stop::on(meta.id))?;
    let (prelude, marks, body) = content::decode_marked(&content)?;
    if marks.reset {
        return Err(Code::NonCanonical.into());
    }
    if known.is_none() {
        let is_known = call.tx.exists(&call.tx.places().group(Kind::Group, &GroupId(opening.group)))?;
        if !is_known && !held::has_room(&call.tx, &peer.user, &body, content.len())? {
            return Ok(None);
        }
        session.meta.answered_at = Some(at.age.0);
        sessions::insert(&mut call.tx, peer, &mut session, at.now)?;
    }
    let flags = Flags { older_session: order::is_stale(&meta, &peer.sessions), ..flags };
    sessions::settle_step(&mut call.tx, peer, &mut session, delta, at.age)?;
    Ok(Some(OpenedContent { meta, prelude, again: marks.again, body, flags }))
}

fn accept_opening(call: &Call<'_>, peer: &Peer, scope: Scope, opening: &Opening) -> Result<Session, Code> {
    let seed = Secret::init_with(|seed| *seed = opening.seed);
    let (generation, ephemeral_key) = (opening.generation, &opening.ephemeral_key);
    let opened = OpenedScope { scope, generation, ephemeral_key, seed: &seed };
    session::accept_opening(call.us, &peer.party(), opened, call.at)
}

fn message(incoming: &Incoming<'_>, said: OpenedContent, kind: MessageKind) -> Result<Message, Code> {
    let (Body::Message { stamp, payload } | Body::Transcript { stamp, payload, .. }) = said.body else {
        return Err(Code::WrongScope);
    };
    Ok(Message {
        content_id: ContentId(stamp.content_id),
        envelope_id: incoming.id(),
        user: incoming.user.clone(),
        device: incoming.device,
        group: None,
        session_id: said.meta.id,
        sent_at: stamp.sent_at,
        sequence: said.prelude.sequence,
        kind,
        payload: payload.into_vec(),
        flags: said.flags,
    })
}
