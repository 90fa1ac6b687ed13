//! One user's part of a send, device by device: on the scope's own session, or inside a direct message (Sesame 3.3; X 4).

use super::{
    Device,
    lists::OwnList,
    outbox::{self, SaidTo},
    sessions,
    work::Work,
};
use crate::{
    context::Context,
    error::Code,
    ids::{Scope, SessionId},
    keys::device_list::List,
    model::{Peer, SessionMeta, User, order},
    record::{Beginning, Entry, Nested, PartState, SendBody, SendHead, SendPart, SessionCold},
    session::{self, Session},
    store::Kind,
    wire::{
        content::{ListClaim, Prelude},
        padding,
    },
};

/// Why there is no ciphertext for a device.
enum Failure {
    /// The session's parts do not open or do not fit each other.
    Damaged(SessionId),
    Other(Code),
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self::Other(code)
    }
}

/// A device with what a content for it must say.
struct To<'a> {
    user: &'a User,
    peer: &'a Peer,
    own: &'a OwnList,
}

impl To<'_> {
    /// > Our full list rides along until that device claims our epoch; every initiation carries it.
    fn prelude(&self, session: &Session, list: bool) -> Result<Vec<u8>, Code> {
        let Self { user, own, .. } = self;
        let prelude = Prelude {
            version: 1,
            my_list: own.list.claim(),
            your_list: user.list.as_ref().map_or_else(ListClaim::default, List::claim),
            list: if list { own.signed.clone() } else { Vec::new() }.into(),
            sequence: session.ratchet.hot.sequence.saturating_add(1),
        };
        prelude.encode()
    }

    fn list_rides(&self, session: &Session) -> bool {
        session.meta.initiating || self.peer.knows_epoch < self.own.list.epoch
    }
}

impl Device {
    /// Encrypts for whom a session is there and nothing was encrypted yet.
    pub(super) fn advance(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        (head, body): (&SendHead, &SendBody),
        part: &mut SendPart,
        own: &OwnList,
    ) -> Result<(), Code> {
        let user = work.user(&part.user)?;
        let scope = head.scope();
        let meant = head.users.iter().find(|to| to.user == part.user).and_then(|to| to.account_key);
        if let (Some(_), Some(user), Some(meant)) = (head.group, &user, meant)
            && user.account_key != meant
            && user.claimed_key.is_none()
        {
            part.state = PartState::Failed(Code::IdentityNotAccepted.number());
            return Ok(());
        }
        // A damaged session concerns its device alone: it is forgotten, and what takes its place is tried once more.
        for _ in 0..2 {
            let (peers, damaged) = work.peers(user.as_ref())?;
            // A damaged DeviceRecord is not made anew: its floor would be lost, and replays would pass (X 3).
            damaged.into_iter().for_each(|device| part.skip(device, Code::RecordCorrupt));
            let find = |device| Ok(peers.iter().find(|peer| peer.device == device));
            let plan = part.plan(user.as_ref(), find, &self.keys.party, (head.target, scope), context.now)?;
            let Some(user) = &user else { return Ok(()) };
            if plan.encrypt.is_empty() {
                return Ok(());
            }
            let said = outbox::said(head, body, &part.user, self.user())?;
            for device in plan.encrypt {
                let Some(peer) = peers.iter().find(|peer| peer.device == device) else { continue };
                match self.encrypt(work, context, &To { user, peer, own }, scope, &said) {
                    Ok(entry) => part.entries.push(entry),
                    // No step holds it once the lists are with it: this device gets nothing, and the app is told.
                    Err(Failure::Other(Code::TooLarge)) => part.skip(device, Code::TooLarge),
                    Err(Failure::Other(code)) => return Err(code),
                    Err(Failure::Damaged(id)) => {
                        let mut peer = peer.clone();
                        let damaged: Vec<SessionMeta> = peer.sessions.iter().filter(|m| m.id == id).copied().collect();
                        sessions::forget(work, &mut peer, &damaged)?;
                        work.put_peer(&peer)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn encrypt(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        to: &To<'_>,
        scope: Scope,
        said: &SaidTo,
    ) -> Result<Entry, Failure> {
        match to.peer.standing(scope, context.now) {
            Some(meta) => self.encrypt_on(work, context, to, *meta, said),
            None => self.encrypt_inside(work, context, to, scope, said),
        }
    }

    /// On a session that the message has for itself.
    fn encrypt_on(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        to: &To<'_>,
        meta: SessionMeta,
        said: &SaidTo,
    ) -> Result<Entry, Failure> {
        let session = load(work, to.peer, meta)?;
        let rides = to.list_rides(&session);
        let prelude = to.prelude(&session, rides)?;
        let room = said.room + if rides { to.own.signed.len() } else { 0 };
        padding::padded_len(said.payload, room, prelude.len().saturating_add(said.body.len()))?;
        let salt = context.random();
        let recipe = self.seal(work, to.peer, &session, salt)?;
        Ok(Entry { device: to.peer.device, prelude, room: room_form(room)?, recipe, nested: None })
    }

    /// > The opening and the nesting are repeated until *any* message of the scope session comes back.
    fn encrypt_inside(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        to: &To<'_>,
        scope: Scope,
        said: &SaidTo,
    ) -> Result<Entry, Failure> {
        let direct = *to.peer.active(Scope::Direct, context.now).ok_or(Code::NoSession)?;
        let carrier = load(work, to.peer, direct)?;
        let mut peer = to.peer.clone();
        let mut inner = match peer.active(scope, context.now) {
            Some(meta) => load(work, &peer, *meta)?,
            None => {
                let generation = order::next_generation(&peer.sessions, scope, peer.floor(scope), context.now);
                let mut session = session::open_scope(&self.keys, context, &peer.party(), (scope, generation))?;
                session.ratchet.hot.sequence = self.sequence(work, &peer, scope)?;
                if let Some(Beginning::Opening(opening)) = &mut session.beginning {
                    opening.carrier = Some(direct.id);
                }
                sessions::insert(work, &mut peer, &session)?;
                work.put_peer(&peer)?;
                session
            }
        };
        let Some(Beginning::Opening(opening)) = &mut inner.beginning else {
            return Err(Code::RecordInconsistent.into());
        };
        if opening.carrier.is_some_and(|carrier| carrier != direct.id) {
            // Several direct sessions have carried it: an answer no longer says which of them arrived.
            opening.carrier = None;
            let cold = SessionCold { ratchet: inner.ratchet.cold.clone(), beginning: inner.beginning.clone() };
            work.put(work.places().session(Kind::Session, &peer, inner.meta.id), &cold)?;
        }
        let Some(Beginning::Opening(opening)) = inner.beginning.clone() else {
            return Err(Code::RecordInconsistent.into());
        };
        let rides = to.list_rides(&carrier);
        let (outer_prelude, prelude) = (to.prelude(&carrier, rides)?, to.prelude(&inner, false)?);
        let room = said.room + if rides { to.own.signed.len() } else { 0 };
        let length = outer_prelude.len() + NESTING + prelude.len() + said.body.len();
        padding::padded_len(said.payload, room, length)?;
        let salt = context.random();
        let sealed = session::seal_nested(&inner, salt)?;
        work.put(work.places().session(Kind::Chains, &peer, inner.meta.id), &sealed.hot)?;
        let generation = inner.meta.generation;
        let nested = Nested { opening, generation, prelude, recipe: sealed.recipe };
        let recipe = self.seal(work, &peer, &carrier, salt)?;
        let (room, nested) = (room_form(room)?, Some(nested));
        Ok(Entry { device: peer.device, prelude: outer_prelude, room, recipe, nested })
    }

    fn seal(
        &self,
        work: &mut Work<'_>,
        peer: &Peer,
        session: &Session,
        salt: [u8; 16],
    ) -> Result<crate::record::Recipe, Code> {
        let (sender, recipient, pair) = (&self.keys.party, peer.party(), peer.sending());
        let route = session::Route { sender, recipient: &recipient, pair: &pair };
        let sealed = session::seal(session, salt, route)?;
        work.put(work.places().session(Kind::Chains, peer, session.meta.id), &sealed.hot)?;
        Ok(sealed.recipe)
    }
}

/// What an opening adds to the content that rides in it, in bytes: kind, scope, generation, E_A, seed, header, commitment, length, tag.
pub(super) const NESTING: usize = 1 + 33 + 8 + 32 + 32 + 2 + 58 + 32 + 3 + 16;

fn room_form(room: usize) -> Result<u32, Code> {
    u32::try_from(room).map_err(|_| Code::TooLarge)
}

fn load(work: &Work<'_>, peer: &Peer, meta: SessionMeta) -> Result<Session, Failure> {
    sessions::load(work, peer, meta).map_err(|code| match code {
        Code::RecordCorrupt | Code::RecordInconsistent => Failure::Damaged(meta.id),
        code => Failure::Other(code),
    })
}
