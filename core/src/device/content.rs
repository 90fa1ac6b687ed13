//! What an opened content says: of device lists, in its own scope, or to open another (X 4, X 5).

use super::{
    Device,
    group::Word,
    received::{Incoming, Opened, as_items},
    sessions,
    work::Work,
};
use crate::{
    agreement::opening::Opened as OpenedScope,
    context::Context,
    error::Code,
    event::{Event, Flags, Item, Message, MessageKind},
    ids::{ContentId, EnvelopeId, GroupId, GroupKind, Scope},
    keys::device_list::VerifiedDeviceList,
    model::{Peer, SessionMeta, User, order},
    ratchet::Delta,
    record,
    registry::{
        admission::{self, Speaker},
        trust,
    },
    secret::Secret,
    session,
    wire::{
        content::{self, Body, ListClaim, Prelude},
        opening::Opening,
    },
};

/// A content with the session that it came on.
pub(super) struct Said {
    pub(super) meta: SessionMeta,
    pub(super) prelude: Prelude,
    pub(super) body: Body,
    pub(super) flags: Flags,
}

impl Device {
    /// What a content says, once its step is written: it is heard in its own scope, or opens another.
    pub(super) fn take_in(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        incoming: &Incoming<'_>,
        (user, mut peer): (&User, Peer),
        said: Said,
    ) -> Result<Opened, Code> {
        let mut numbered = vec![(said.meta.scope.group(), said.prelude.sequence)];
        let said = match said {
            Said { meta, body: Body::Opening(opening), flags, .. } if meta.scope == Scope::Direct => {
                let nested = self.open_nested(work, context, incoming, (&mut peer, flags), &opening)?;
                numbered.push((nested.meta.scope.group(), nested.prelude.sequence));
                nested
            }
            said => said,
        };
        admission::fits(&said.body, said.meta.scope)?;
        let speaker = Speaker { user, device: &peer, scope: said.meta.scope };
        let Scope::Group(kind, group) = said.meta.scope else {
            let kind = admission::admit(&said.body, speaker, self.user())?;
            let mut items = as_items(self.learn_pins(work, &said.body)?);
            items.push(Item::Message(message(incoming, said, kind)?));
            return Ok(Opened { items, held: false, numbered });
        };
        admission::admit_group(&said.body, speaker, self.user())?;
        let word = Word {
            user: incoming.user.clone(),
            device: incoming.device,
            account_key: peer.account_key,
            envelope_id: EnvelopeId(incoming.envelope.head.salt),
            session_id: said.meta.id,
            flags: said.flags,
            prelude: said.prelude,
            body: said.body,
        };
        let heard = self.hear_in_group(work, context, (kind, group), word)?;
        Ok(Opened { items: heard.items, held: heard.held, numbered })
    }

    /// > A scope session is opened by content of a direct message (X 4)
    ///
    /// > Same SessionID again: reuse.
    fn open_nested(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        incoming: &Incoming<'_>,
        (peer, flags): (&mut Peer, Flags),
        opening: &Opening,
    ) -> Result<Said, Code> {
        let kind = GroupKind::from_number(opening.kind).ok_or(Code::UnknownGroupKind)?;
        let scope = Scope::Group(kind, GroupId(opening.group));
        let same = |meta: &&SessionMeta| meta.scope == scope && meta.ephemeral_key == opening.ephemeral_key;
        let known = peer.sessions.iter().find(same).copied();
        let mut session = match known {
            Some(meta) if !order::may_receive(&meta, &peer.sessions, context.now) => return Err(Code::NoSession),
            Some(meta) => sessions::load(work, peer, meta)?,
            None if opening.generation <= peer.floor(scope) => return Err(Code::ReplayedInitiation),
            None => {
                let seed = Secret::init_with(|seed| *seed = opening.seed);
                let (generation, ephemeral_key) = (opening.generation, &opening.ephemeral_key);
                let opened = OpenedScope { scope, generation, ephemeral_key, seed: &seed };
                session::accept_opening(&self.keys, &peer.party(), opened, context.now)?
            }
        };
        let meta = session.meta;
        let load = |chain, number| sessions::block(work, peer, &meta, chain, number);
        let salt = &incoming.envelope.head.salt;
        let (delta, content) = session::open_nested(&session, context, (opening, salt), &load)?;
        let (prelude, body) = content::decode(&content)?;
        if known.is_none() {
            session.ratchet.hot.sequence = self.sequence(work, peer, scope)?;
            session.meta.answered_at = Some(context.now.0);
            sessions::insert(work, peer, &session)?;
        }
        let delta = Delta { hot: record::Hot { sequence: session.ratchet.hot.sequence, ..delta.hot }, ..delta };
        let flags = Flags { older_session: order::is_stale(&meta, &peer.sessions), ..flags };
        sessions::settle_step(work, peer, &mut session, delta, context.now.0)?;
        Ok(Said { meta, prelude, body, flags })
    }

    /// What a content says of device lists (X 5): theirs is taken in, claims are compared.
    pub(super) fn hear(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        peer: &mut Peer,
        prelude: &Prelude,
    ) -> Result<(Vec<Item>, User), Code> {
        let mut events = Vec::new();
        let riding = prelude.list.as_slice();
        if !riding.is_empty() {
            let list = VerifiedDeviceList::verify(riding)?;
            if list.user != peer.user || list.account() != peer.account_key {
                return Err(Code::WrongUser);
            }
            // An older list than ours in an honest message is only late.
            let taken = self.take_list(work, &list, context.now)?;
            events.extend(taken.into_iter().filter(|event| !matches!(event, Event::DeviceListRollback { .. })));
            if let Some(known) = work.peer(&peer.user, peer.device)? {
                peer.stale_since = known.stale_since;
            }
        }
        let user = work.user(&peer.user)?.ok_or(Code::NotListed)?;
        // What a device of an identity says that is not pinned any more is not this user's word.
        if user.account_key != peer.account_key {
            return Err(Code::IdentityChanged);
        }
        // A removed device has no say on what list is newest.
        if peer.stale_since.is_none()
            && let Some(newer) = trust::note_claim(&user, &prelude.my_list)
        {
            work.put_user(&newer)?;
        }
        // With the list itself at hand its evidence says more than the claim.
        if !events.iter().any(|event| matches!(event, Event::DeviceListFork { .. })) {
            events.extend(compare(work, &user, &prelude.my_list)?);
        }
        let own = self.own_list(work)?;
        if own.user.user != user.user {
            events.extend(compare(work, &own.user, &prelude.your_list)?);
        }
        if own.list.hash_of(prelude.your_list.epoch).is_some_and(|hash| hash.starts_with(&prelude.your_list.hash)) {
            peer.knows_epoch = peer.knows_epoch.max(prelude.your_list.epoch);
        }
        let user = work.user(&peer.user)?.ok_or(Code::NotListed)?;
        Ok((as_items(events), user))
    }

    /// Open sends follow a list that has changed; only after the step is written, for they may use the same session.
    pub(super) fn follow(&self, work: &mut Work<'_>, context: &mut Context<'_>, items: &[Item]) -> Result<(), Code> {
        for item in items {
            if let Item::Event(Event::DeviceListChanged { user, .. } | Event::DeviceListFork { user, .. }) = item {
                self.advance_user(work, context, user)?;
            }
        }
        Ok(())
    }
}

fn message(incoming: &Incoming<'_>, said: Said, kind: MessageKind) -> Result<Message, Code> {
    let (Body::Message { stamp, payload } | Body::Transcript { stamp, payload, .. }) = said.body else {
        return Err(Code::WrongScope);
    };
    Ok(Message {
        content_id: ContentId(stamp.content_id),
        envelope_id: EnvelopeId(incoming.envelope.head.salt),
        user: incoming.user.clone(),
        device: incoming.device,
        group: None,
        session_id: said.meta.id,
        sent_at: stamp.sent_at,
        sequence: said.prelude.sequence,
        kind,
        payload: payload.as_slice().to_vec(),
        flags: said.flags,
    })
}

/// A claim about a list that we know: another hash is a fork that somebody was shown (A03).
fn compare(work: &Work<'_>, user: &User, claim: &ListClaim) -> Result<Option<Event>, Code> {
    let known = user.list.as_ref().and_then(|list| list.hash_of(claim.epoch));
    if claim.epoch == 0 || known.is_none_or(|hash| hash.starts_with(&claim.hash)) {
        return Ok(None);
    }
    let known = super::lists::signed_list(work, &user.user)?;
    Ok(Some(Event::DeviceListFork { user: user.user.clone(), known, other: Vec::new() }))
}
