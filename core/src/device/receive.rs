//! Receiving: bytes, envelope, gate, session, content, admission, inbox; each envelope by itself, all in one commit
//! (Sesame 3.4; X 1, X 3, X 5).

use super::{Device, lists::as_items, pre_keys, sessions, work::Work};
use crate::{
    context::Context,
    crypto::{ed25519::VerifyingKey, x25519},
    error::{Blame, Code, Error},
    ids::{DeviceId, UserId},
    keys::{device_list::VerifiedDeviceList, pair::PairKeys, party::Party},
    limits::MAX_BATCH,
    ratchet::Delta,
    record::{self, Event, Flags, IndexEntry, Item, Message, Peer, Scope, SessionMeta, User},
    registry::{
        admission::{self, Speaker},
        devices, trust,
    },
    session::{self, Session, order},
    store::{Kind, Places, PreKeyUse, Query},
    wire::{
        content::{self, Body, ListClaim, Prelude, Tail},
        envelope::{Envelope, Initiation, Route},
    },
};

/// What to do with an envelope that gave a failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NextStep {
    /// Confirm it to the server: it will never open.
    Confirm,
    /// Leave it in the mailbox and fetch again: the store failed, not the envelope.
    Keep,
}

/// One result for an envelope; an envelope may give several.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Received {
    /// A message or an event; it waits in the inbox under `id` until it is acked.
    Item {
        /// Which envelope, from 0.
        envelope: usize,
        /// For [`Device::ack`].
        id: u64,
        /// What it is.
        item: Item,
    },
    /// It could not be opened; nothing changed by it.
    Failure {
        /// Which envelope, from 0.
        envelope: usize,
        /// Why.
        code: Code,
        /// What to do with it.
        next: NextStep,
    },
    /// It waits for the app to accept a changed identity (X 9); it is safe here and may be confirmed.
    Held {
        /// Which envelope, from 0.
        envelope: usize,
    },
}

/// What one envelope came to.
pub(super) enum Opened {
    Items(Vec<Item>),
    Held(Vec<Item>),
}

/// An envelope with what its sender is to us.
pub(super) struct Incoming<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) head: &'a [u8],
    pub(super) user: UserId,
    pub(super) device: DeviceId,
}

impl Device {
    /// Opens the envelopes of a fetched mailbox, in any order. What they say waits in the inbox until it is acked; only when this call
    /// has returned may they be confirmed to the server.
    ///
    /// Each envelope stands alone: one that fails changes nothing and hinders no other.
    ///
    /// # Errors
    /// [`Code::EmptyBatch`]; [`Code::TooMany`] beyond 4,096; the store's. Then nothing has changed.
    pub fn batch_decrypt(&self, context: &mut Context<'_>, envelopes: &[Vec<u8>]) -> Result<Vec<Received>, Error> {
        if envelopes.is_empty() {
            return Err(Error::of(Code::EmptyBatch, "envelopes"));
        }
        if envelopes.len() > MAX_BATCH {
            return Err(Error::of(Code::TooMany, "envelopes"));
        }
        self.run(context, |work, context| {
            let decoded: Vec<Result<Envelope, Code>> = envelopes.iter().map(|bytes| Envelope::decode(bytes)).collect();
            self.prefetch(work, &decoded)?;
            let mut results = Vec::with_capacity(decoded.len());
            for (at, (decoded, bytes)) in decoded.iter().zip(envelopes).enumerate() {
                match decoded {
                    Ok(envelope) => self.receive(work, context, (at, envelope, bytes), &mut results)?,
                    Err(code) => results.push(failure(at, *code)),
                }
            }
            self.note_gaps(work, &mut results)?;
            Ok(results)
        })
    }

    /// What all envelopes will need, in one load.
    fn prefetch(&self, work: &Work<'_>, decoded: &[Result<Envelope, Code>]) -> Result<(), Code> {
        let places = work.places();
        let mut queries = std::collections::BTreeSet::new();
        for envelope in decoded.iter().flatten() {
            let Some((user, device)) = sender(envelope) else { continue };
            queries.insert(Query::Exact(places.user(Kind::User, &user)));
            queries.insert(Query::Exact(places.device(Kind::Peer, &user, device)));
            queries.insert(Query::Exact(places.salted(Kind::Received, &user, device, &envelope.head.salt)));
        }
        work.prefetch(&queries.into_iter().collect::<Vec<_>>())
    }

    pub(super) fn receive(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        (at, envelope, bytes): (usize, &Envelope, &[u8]),
        results: &mut Vec<Received>,
    ) -> Result<(), Error> {
        work.begin_item();
        let opened = self.open_one(work, context, envelope, bytes).and_then(|opened| {
            let (items, held) = match opened {
                Opened::Items(items) => (items, false),
                Opened::Held(items) => (items, true),
            };
            let mut numbered = Vec::with_capacity(items.len());
            for item in items {
                numbered.push((super::inbox::put(work, &item)?, item));
            }
            Ok((numbered, held))
        });
        work.end_item(opened.is_ok());
        match opened {
            Ok((items, held)) => {
                results.extend(items.into_iter().map(|(id, item)| Received::Item { envelope: at, id, item }));
                if held {
                    results.push(Received::Held { envelope: at });
                }
            }
            // The store moved on or cannot be read at all: the call fails, not the envelope. A damaged row concerns its envelope only.
            Err(code) if code.blame() == Blame::Store && !code.is_damage() => return Err(code.into()),
            Err(code) => results.push(failure(at, code)),
        }
        Ok(())
    }

    fn open_one(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        envelope: &Envelope,
        bytes: &[u8],
    ) -> Result<Opened, Code> {
        let to = &envelope.head.recipient;
        if (to.user.as_slice(), to.device) != (self.user().as_bytes(), self.id().0) {
            return Err(Code::WrongRecipient);
        }
        let (user, device) = sender(envelope).ok_or(Code::NonCanonical)?;
        // Nobody else can be this device; what claims to be is reflected or forged (A11).
        if (&user, device) == self.us() {
            return Err(Code::Forged);
        }
        let head = envelope.head.encode()?;
        let incoming = Incoming { envelope, head: &head, user, device };
        match &envelope.head.route {
            Route::Ordinary { locator } => self.open_ordinary(work, context, &incoming, locator).map(Opened::Items),
            Route::Initiation(initiation) => self.open_initiation(work, context, &incoming, initiation, bytes),
        }
    }

    /// > check the gate (one HMAC), unmask, look `(peer device, chain_tag)` up in an index, open one header, then one body
    fn open_ordinary(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        incoming: &Incoming<'_>,
        locator: &[u8; 16],
    ) -> Result<Vec<Item>, Code> {
        let salt = &incoming.envelope.head.salt;
        let peer = work.peer(&incoming.user, incoming.device)?.ok_or(Code::NoSession)?;
        let pair = peer.receiving();
        check_gate(work, incoming, &pair)?;
        let tag = pair.mask(salt, locator);
        let entry: IndexEntry = work.get(&work.places().index(&peer, &tag))?.ok_or(Code::NoSession)?;
        let meta = peer.sessions.iter().find(|meta| meta.id == entry.session).copied().ok_or(Code::NoSession)?;
        self.open_on(work, context, incoming, peer, meta, entry.chain)
    }

    /// Opens on a session that is stored.
    fn open_on(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        incoming: &Incoming<'_>,
        mut peer: Peer,
        meta: SessionMeta,
        chain: u32,
    ) -> Result<Vec<Item>, Code> {
        if !order::may_receive(&meta, &peer.sessions, context.now) {
            return Err(Code::NoSession);
        }
        let mut session = sessions::load(work, &peer, meta)?;
        let load = |chain, number| sessions::block(work, &peer, &meta, chain, number);
        let (delta, content) = session::open(&session, context, chain, (incoming.envelope, incoming.head), &load)?;
        let (prelude, tail) = content::decode(&content)?;
        let (mut items, user) = self.hear(work, context, &mut peer, &prelude)?;
        let flags = Flags {
            from_removed_device: peer.stale_since.is_some(),
            no_one_time_key: false,
            older_session: order::is_stale(&meta, &peer.sessions),
        };
        let message = self.admit(incoming, (&user, &peer), meta, (&prelude, &tail), flags)?;
        items.extend(as_items(self.learn_pins(work, &tail.body)?));
        items.push(Item::Message(message));
        settle_step(work, &mut peer, &mut session, delta, context.now.0)?;
        remember(work, incoming, context.now.0)?;
        self.follow(work, context, &items)?;
        Ok(items)
    }

    fn open_initiation(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        incoming: &Incoming<'_>,
        initiation: &Initiation,
        bytes: &[u8],
    ) -> Result<Opened, Code> {
        let party = Party {
            user: incoming.user.clone(),
            account_key: VerifyingKey::decode(initiation.account_key)?,
            device: incoming.device,
            signing_key: VerifyingKey::decode(initiation.signing_key)?,
            identity_key: x25519::PublicKey::decode(initiation.identity_key)?,
        };
        if party.identity_key == self.keys.party.identity_key {
            return Err(Code::KeyReuse);
        }
        let user = work.user(&incoming.user)?;
        if let Some(user) = &user
            && user.account_key != initiation.account_key
        {
            return self.hold(work, context, incoming, (user, &party), bytes);
        }
        let peer = match work.peer(&incoming.user, incoming.device)? {
            Some(peer) if peer.is(&party) => peer,
            // A DeviceID is never used again (X 5); the same one with other keys is somebody else (A05).
            Some(_) => return Err(Code::IdentityChanged),
            None => devices::empty(&self.keys, &party)?,
        };
        check_gate(work, incoming, &peer.receiving())?;
        if let Some(meta) = peer.sessions.iter().find(|meta| meta.ephemeral_key == initiation.ephemeral_key).copied() {
            // Every message of an initiating session is on its initiator's first chain.
            return self.open_on(work, context, incoming, peer, meta, 1).map(Opened::Items);
        }
        self.accept(work, context, incoming, peer, initiation).map(Opened::Items)
    }

    /// An initiation that matches no session: builds the matching one (Sesame 3.4), if it is not a replay (X 3).
    fn accept(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        incoming: &Incoming<'_>,
        mut peer: Peer,
        initiation: &Initiation,
    ) -> Result<Vec<Item>, Code> {
        if initiation.generation <= peer.floor(Scope::Direct) {
            return Err(Code::ReplayedInitiation);
        }
        let (named, used) = pre_keys::named(work, initiation)?;
        let party = peer.party();
        let mut session = session::accept(&self.keys, &named, &party, initiation, context.now)?;
        let load = |_, _| Err(Code::RecordInconsistent);
        let (delta, content) = session::open(&session, context, 1, (incoming.envelope, incoming.head), &load)?;
        let (prelude, tail) = content::decode(&content)?;
        // > Every initiation carries the sender's signed device list in its body.
        let list = VerifiedDeviceList::verify(prelude.list.as_slice())?;
        if list.user != party.user {
            return Err(Code::WrongUser);
        }
        if list.account_key != party.account_key {
            return Err(Code::IdentityChanged);
        }
        let (mut items, user) = self.hear(work, context, &mut peer, &prelude)?;
        let on = |list: &record::List| {
            list.device(party.device).is_some_and(|device| device.party(&user.user, party.account_key) == party)
        };
        let newest = user.list.as_ref().ok_or(Code::NotListed)?;
        if !on(newest) {
            // > A removed device: its late messages are delivered flagged.
            // It was listed if the list that it shows is an ancestor of ours, and only then.
            if newest.hash_of(list.list.epoch) != Some(&list.list.hash) || !on(&list.list) {
                return Err(Code::NotListed);
            }
            peer.stale_since = peer.stale_since.or(Some(context.now.0));
        }
        let meta = session.meta;
        let flags = Flags {
            from_removed_device: peer.stale_since.is_some(),
            no_one_time_key: used.is_empty(),
            older_session: order::is_stale(&meta, &[peer.sessions.as_slice(), &[meta]].concat()),
        };
        let message = self.admit(incoming, (&user, &peer), meta, (&prelude, &tail), flags)?;
        items.extend(as_items(self.learn_pins(work, &tail.body)?));
        session.ratchet.hot.sequence = self.sequence(work, &peer)?;
        let sequence = session.ratchet.hot.sequence;
        // It has decrypted something already: it does not count among the unanswered, which go first.
        session.meta.answered_at = Some(context.now.0);
        sessions::insert(work, &mut peer, &session)?;
        let delta = Delta { hot: record::Hot { sequence, ..delta.hot }, ..delta };
        settle_step(work, &mut peer, &mut session, delta, context.now.0)?;
        // The one-time keys go with the success that used them, and only with it (A23).
        let mut book = super::publish::book(work)?;
        for key in used {
            match key {
                (PreKeyUse::OneTimeCurve, _) => book.curve_offered = book.curve_offered.saturating_sub(1),
                _ => book.kem_offered = book.kem_offered.saturating_sub(1),
            }
            work.delete(Places::pre_key(key.0, key.1));
        }
        work.put(Places::only(Kind::Book), &book)?;
        remember(work, incoming, context.now.0)?;
        let started = Event::SessionStarted { user: party.user, device: party.device, session_id: meta.id };
        items.push(Item::Event(started));
        items.push(Item::Message(message));
        self.follow(work, context, &items)?;
        Ok(items)
    }

    /// What a content says of device lists (X 5): theirs is taken in, claims are compared.
    fn hear(
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
            if list.user != peer.user || *list.account_key.as_bytes() != peer.account_key {
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
    fn follow(&self, work: &mut Work<'_>, context: &mut Context<'_>, items: &[Item]) -> Result<(), Code> {
        for item in items {
            if let Item::Event(Event::DeviceListChanged { user, .. } | Event::DeviceListFork { user, .. }) = item {
                self.advance_user(work, context, user)?;
            }
        }
        Ok(())
    }

    fn admit(
        &self,
        incoming: &Incoming<'_>,
        (user, peer): (&User, &Peer),
        meta: SessionMeta,
        (prelude, tail): (&Prelude, &Tail),
        flags: Flags,
    ) -> Result<Message, Code> {
        let speaker = Speaker { user, device: peer, scope: meta.scope };
        let kind = admission::admit(&tail.body, speaker, self.user())?;
        let (Body::Message { payload } | Body::Transcript { payload, .. }) = &tail.body;
        Ok(Message {
            content_id: tail.content_id,
            envelope_id: incoming.envelope.head.salt,
            user: incoming.user.clone(),
            device: incoming.device,
            session: meta.id,
            sent_at: tail.sent_at,
            sequence: prelude.sequence,
            kind,
            payload: payload.as_slice().to_vec(),
            flags,
        })
    }
}

fn sender(envelope: &Envelope) -> Option<(UserId, DeviceId)> {
    let from = &envelope.head.sender;
    UserId::try_new(from.user.as_slice().to_vec()).map(|user| (user, DeviceId(from.device)))
}

fn failure(envelope: usize, code: Code) -> Received {
    let next = match code.blame() {
        Blame::Store | Blame::Internal => NextStep::Keep,
        Blame::App | Blame::Peer | Blame::Server => NextStep::Confirm,
    };
    Received::Failure { envelope, code, next }
}

/// The gate first, then whether this envelope was received before (X 1, X 8).
pub(super) fn check_gate(work: &Work<'_>, incoming: &Incoming<'_>, pair: &PairKeys) -> Result<(), Code> {
    pair.check_gate(incoming.head, &incoming.envelope.gate)?;
    let salt = &incoming.envelope.head.salt;
    let key = work.places().salted(Kind::Received, &incoming.user, incoming.device, salt);
    if work.exists(&key)? { Err(Code::Duplicate) } else { Ok(()) }
}

fn remember(work: &mut Work<'_>, incoming: &Incoming<'_>, at: u64) -> Result<(), Code> {
    let salt = &incoming.envelope.head.salt;
    let key = work.places().salted(Kind::Received, &incoming.user, incoming.device, salt);
    work.put(key, &record::Received { at })
}

/// Writes a step, and what the first answer changes: the session stops initiating (Sesame 2.3).
fn settle_step(
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
    session.initiation = None;
    let cold = delta.cold.clone();
    if let Some(cold) = cold {
        session.ratchet.cold = cold;
    }
    sessions::write(work, peer, session, &delta, answered)?;
    if delta.directory.is_some() {
        sessions::bound_skipped(work, peer)?;
    }
    work.put_peer(peer)
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
