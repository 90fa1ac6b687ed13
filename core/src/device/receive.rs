//! Receiving: bytes, envelope, gate, session, content, admission, inbox; each envelope by itself, all in one commit
//! (Sesame 3.4; X 1, X 3, X 5).

use super::{
    Device,
    content::Said,
    pre_keys,
    received::{BatchResults, Incoming, Numbered, Opened, sender},
    sessions, warm,
    work::Work,
};
use crate::{
    context::Context,
    crypto::{ed25519::VerifyingKey, x25519},
    error::{Blame, Code, Error},
    event::{Event, Flags, Item, NextStep, Received},
    ids::{EnvelopeId, Scope},
    keys::{
        device_list::{List, VerifiedDeviceList},
        pair::PairKeys,
        party::Party,
    },
    limits::MAX_BATCH,
    model::{Peer, SessionMeta, order},
    ratchet::Delta,
    record::{self, IndexEntry},
    session,
    store::{Kind, Places, PreKeyUse},
    wire::{
        content,
        envelope::{Envelope, Initiation, Route},
    },
};

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
            warm::for_envelopes(self, work, &decoded)?;
            let mut batch = BatchResults::default();
            for (at, (decoded, bytes)) in decoded.iter().zip(envelopes).enumerate() {
                match decoded {
                    Ok(envelope) => self.receive(work, context, (at, envelope, bytes), &mut batch)?,
                    Err(code) => batch.results.push(failure(at, *code)),
                }
            }
            self.note_gaps(work, &mut batch)?;
            Ok(batch.results)
        })
    }

    pub(super) fn receive(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        (at, envelope, bytes): (usize, &Envelope, &[u8]),
        batch: &mut BatchResults,
    ) -> Result<(), Error> {
        work.begin_item();
        let opened = self.open_one(work, context, envelope, bytes).and_then(|opened| {
            let mut items = Vec::with_capacity(opened.items.len());
            for item in opened.items {
                items.push((super::inbox::put(work, &item)?, item));
            }
            Ok((items, opened.held, opened.numbered))
        });
        work.end_item(opened.is_ok());
        match opened {
            Ok((items, held, numbered)) => {
                let items = items.into_iter().map(|(id, item)| Received::Item { envelope: at, id, item });
                batch.results.extend(items);
                if held {
                    batch.results.push(Received::Held { envelope: at });
                }
                if let Some((user, device)) = sender(envelope) {
                    let numbered = numbered.into_iter().map(|(group, sequence)| Numbered {
                        envelope: at,
                        user: user.clone(),
                        device,
                        group,
                        sequence,
                    });
                    batch.numbered.extend(numbered);
                }
            }
            // The store moved on or cannot be read at all: the call fails, not the envelope. A damaged row concerns its envelope only.
            Err(code) if code.blame() == Blame::Store && !code.is_damage() => return Err(code.into()),
            Err(code) => batch.results.push(failure(at, code)),
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
            Route::Ordinary { locator } => self.open_ordinary(work, context, &incoming, locator),
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
    ) -> Result<Opened, Code> {
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
    ) -> Result<Opened, Code> {
        if !order::may_receive(&meta, &peer.sessions, context.now) {
            return Err(Code::NoSession);
        }
        let mut session = sessions::load(work, &peer, meta)?;
        let load = |chain, number| sessions::block(work, &peer, &meta, chain, number);
        let (delta, content) = session::open(&session, context, chain, (incoming.envelope, incoming.head), &load)?;
        let (prelude, body) = content::decode(&content)?;
        let (items, user) = self.hear(work, context, &mut peer, &prelude)?;
        let flags = Flags {
            from_removed_device: peer.stale_since.is_some(),
            older_session: order::is_stale(&meta, &peer.sessions),
            ..Flags::default()
        };
        sessions::settle_step(work, &mut peer, &mut session, delta, context.now.0)?;
        remember(work, incoming, context.now.0)?;
        let said = Said { meta, prelude, body, flags };
        let opened = self.take_in(work, context, incoming, (&user, peer), said)?;
        let items = [items, opened.items].concat();
        self.follow(work, context, &items)?;
        Ok(Opened { items, ..opened })
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
            && user.account_key.0 != initiation.account_key
        {
            return self.hold(work, context, incoming, (user, &party), bytes);
        }
        let peer = match work.peer(&incoming.user, incoming.device)? {
            Some(peer) if peer.is(&party) => peer,
            // A DeviceID is never used again (X 5); the same one with other keys is somebody else (A05).
            Some(_) => return Err(Code::IdentityChanged),
            None => Peer::new(&self.keys, &party)?,
        };
        check_gate(work, incoming, &peer.receiving())?;
        if let Some(meta) = peer.sessions.iter().find(|meta| meta.ephemeral_key == initiation.ephemeral_key).copied() {
            // Every message of an initiating session is on its initiator's first chain.
            return self.open_on(work, context, incoming, peer, meta, 1);
        }
        self.accept(work, context, incoming, peer, initiation)
    }

    /// An initiation that matches no session: builds the matching one (Sesame 3.4), if it is not a replay (X 3).
    fn accept(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        incoming: &Incoming<'_>,
        mut peer: Peer,
        initiation: &Initiation,
    ) -> Result<Opened, Code> {
        if initiation.generation <= peer.floor(Scope::Direct) {
            return Err(Code::ReplayedInitiation);
        }
        let (named, used) = pre_keys::named(work, initiation)?;
        let party = peer.party();
        let mut session = session::accept(&self.keys, &named, &party, initiation, context.now)?;
        let load = |_, _| Err(Code::RecordInconsistent);
        let (delta, content) = session::open(&session, context, 1, (incoming.envelope, incoming.head), &load)?;
        let (prelude, body) = content::decode(&content)?;
        // > Every initiation carries the sender's signed device list in its body.
        let list = VerifiedDeviceList::verify(prelude.list.as_slice())?;
        if list.user != party.user {
            return Err(Code::WrongUser);
        }
        if list.account_key != party.account_key {
            return Err(Code::IdentityChanged);
        }
        let (mut items, user) = self.hear(work, context, &mut peer, &prelude)?;
        let on = |list: &List| {
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
            ..Flags::default()
        };
        session.ratchet.hot.sequence = self.sequence(work, &peer, Scope::Direct)?;
        let sequence = session.ratchet.hot.sequence;
        // It has decrypted something already: it does not count among the unanswered, which go first.
        session.meta.answered_at = Some(context.now.0);
        sessions::insert(work, &mut peer, &session)?;
        let delta = Delta { hot: record::Hot { sequence, ..delta.hot }, ..delta };
        sessions::settle_step(work, &mut peer, &mut session, delta, context.now.0)?;
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
        let said = Said { meta, prelude, body, flags };
        let opened = self.take_in(work, context, incoming, (&user, peer), said)?;
        let items = [items, opened.items].concat();
        self.follow(work, context, &items)?;
        Ok(Opened { items, ..opened })
    }
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
    let key = work.places().envelope(
        Kind::Received,
        &incoming.user,
        incoming.device,
        &EnvelopeId(incoming.envelope.head.salt),
    );
    if work.exists(&key)? { Err(Code::Duplicate) } else { Ok(()) }
}

fn remember(work: &mut Work<'_>, incoming: &Incoming<'_>, at: u64) -> Result<(), Code> {
    let key = work.places().envelope(
        Kind::Received,
        &incoming.user,
        incoming.device,
        &EnvelopeId(incoming.envelope.head.salt),
    );
    work.put(key, &record::SeenEnvelope { at })
}
