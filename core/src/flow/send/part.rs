//! One user's part of a send, device by device: on the scope's own session, or inside a direct message (Sesame 3.3; X 4).

use super::outbox;
use crate::{
    error::Code,
    ids::{DeviceId, Fingerprint, Scope, SessionId},
    keys::{device_list::List, party::Party},
    model::{Peer, SessionMeta, User},
    record::{Beginning, Entry, Nested, Opening, Recipe, SendHead, SendPart, SessionCold},
    registry::send::{self, Aim, Need},
    session,
    store::Kind,
    tx::{
        Call, Tx,
        ahead::Recipient,
        own::OwnList,
        sends::{Sending, UserContent},
        sessions::{self, Sender, Step},
    },
    wire::{
        content::{ListClaim, Marks, Prelude},
        padding, size,
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

/// A device, what a content for it must say, and what is said to its user.
#[derive(Clone, Copy)]
pub(super) struct To<'a> {
    us: &'a Party,
    user: &'a User,
    peer: &'a Peer,
    /// The name that a batch gives the device.
    fingerprint: Fingerprint,
    own: &'a OwnList,
    said: &'a UserContent,
}

impl<'a> To<'a> {
    pub(super) fn new(
        us: &'a Party,
        (user, peer, fingerprint): (&'a User, &'a Peer, Fingerprint),
        own: &'a OwnList,
        sending: &'a Sending,
    ) -> Result<Self, Code> {
        let said = outbox::content_for(sending, &user.user, &us.user)?;
        Ok(Self { us, user, peer, fingerprint, own, said })
    }

    /// > Our full list rides along until that device claims our epoch; every initiation carries it.
    fn prelude(&self, session: &Sender, list: bool) -> Result<Vec<u8>, Code> {
        let Self { user, own, .. } = self;
        let prelude = Prelude {
            version: 1,
            my_list: own.list.claim(),
            your_list: user.list.as_ref().map_or_else(ListClaim::default, List::claim),
            list: if list { own.shown()?.to_vec() } else { Vec::new() }.into(),
            sequence: session.sequence().saturating_add(1),
        };
        let marks = Marks { reset: session.meta().reset && session.meta().initiating, again: None };
        Ok([prelude.encode()?, marks.encode()].concat())
    }

    fn list_rides(&self, session: &Sender) -> bool {
        session.meta().initiating || self.peer.knows_epoch < self.own.list.epoch
    }

    /// The next message of a session, with a salt that was drawn for it: what makes the ciphertext, and what it changes of the session.
    fn sealed(&self, session: &Sender, salt: [u8; 16]) -> Result<(Recipe, Step), Code> {
        let (us, peer, pair) = (self.us, self.peer, self.peer.sending());
        let route = session::Route { sender: (&us.user, us.device), recipient: (&peer.user, peer.device), pair: &pair };
        let sealed = session::seal(session.outgoing()?, salt, route)?;
        Ok((sealed.recipe, session.step(sealed.sent)))
    }

    /// A message that a session has for itself, and what it changes of the session.
    pub(super) fn on(&self, session: &Sender, salt: [u8; 16]) -> Result<(Entry, Step), Code> {
        let rides = self.list_rides(session);
        let prelude = self.prelude(session, rides)?;
        let room = self.room(rides)?;
        padding::padded_len(self.said.payload, room, prelude.len().saturating_add(self.said.body.len()))?;
        let (recipe, step) = self.sealed(session, salt)?;
        let room = room_form(room)?;
        let Self { peer: Peer { device, .. }, fingerprint, .. } = *self;
        Ok((Entry { device: *device, fingerprint, prelude, room, recipe, nested: None }, step))
    }

    /// What is said without a session, under the control key (X 8).
    fn under_control(&self, salt: [u8; 16]) -> Result<Entry, Code> {
        let Self { us, peer, fingerprint, .. } = *self;
        let pair = peer.sending();
        let route = session::Route { sender: (&us.user, us.device), recipient: (&peer.user, peer.device), pair: &pair };
        let recipe = session::seal_control(salt, route)?;
        let room = room_form(padding::ALLOWANCE)?;
        Ok(Entry { device: peer.device, fingerprint, prelude: Vec::new(), room, recipe, nested: None })
    }

    /// The stored parts of a session with the device.
    fn sender(&self, tx: &Tx<'_>, ahead: &Recipient, meta: SessionMeta) -> Result<Sender, Failure> {
        let ahead = ahead.sender(meta.id).cloned().map(Ok);
        let sender = ahead.unwrap_or_else(|| sessions::sender(tx, self.peer, meta));
        sender.and_then(|sender| sender.outgoing().map(drop).map(|()| sender)).map_err(|code| match code {
            Code::RecordCorrupt | Code::RecordInconsistent => Failure::Damaged(meta.id),
            code => Failure::Other(code),
        })
    }

    /// What the padding keeps free beside the payload.
    fn room(&self, list: bool) -> Result<usize, Code> {
        Ok(self.said.room + if list { padding::riding(self.own.signed()?.len()) } else { 0 })
    }
}

/// Encrypts for every device that has a usable session and no ciphertext yet; gives what the part still waits for.
pub(crate) fn advance(
    call: &mut Call<'_>,
    sending: &Sending,
    part: &mut SendPart,
    own: &OwnList,
) -> Result<Vec<Need>, Code> {
    let to = match Recipient::read(&call.tx, &part.user) {
        // Nothing is sent under a pin that cannot be read.
        Err(code) if code.is_damage() => {
            part.fail(Code::RecordCorrupt);
            return Ok(Vec::new());
        }
        to => to?,
    };
    advance_to(call, sending, part, own, to)
}

/// The same for a user of whom all was read ahead.
pub(crate) fn advance_to(
    call: &mut Call<'_>,
    sending: &Sending,
    part: &mut SendPart,
    own: &OwnList,
    mut to: Recipient,
) -> Result<Vec<Need>, Code> {
    let user = to.user.clone();
    // One contested identity does not keep a group waiting: the send goes to the others.
    if user.as_deref().is_some_and(|user| is_contested(&sending.head, user)) {
        part.fail(Code::IdentityNotAccepted);
        return Ok(Vec::new());
    }
    let aim = aim(call, sending);
    loop {
        // A damaged DeviceRecord is not made anew: its floor would be lost, and replays would pass (X 3).
        for device in &to.peers.damaged {
            if let Some(fingerprint) = user.as_ref().and_then(|user| user.fingerprint(*device)) {
                part.skip(*device, fingerprint, Code::RecordCorrupt);
            }
        }
        let plan = send::plan(part, user.as_deref(), |device| to.peers.get(device), aim);
        let (Some(user), false) = (&user, plan.encrypt.is_empty()) else { return Ok(plan.needs) };
        let mut is_whole = true;
        for (device, fingerprint) in plan.encrypt {
            let Some(peer) = to.peers.get(device) else { continue };
            let recipient = To::new(aim.us, (user, peer, fingerprint), own, sending)?;
            if aim.sessionless {
                note(part, (device, fingerprint), recipient.under_control(call.context.random()))?;
                continue;
            }
            let made = match encrypt(call, recipient, &to, aim.scope) {
                Ok(entry) => Ok(entry),
                Err(Failure::Other(code)) => Err(code),
                Err(Failure::Damaged(session)) => {
                    forget_damaged(call, peer, session)?;
                    is_whole = false;
                    continue;
                }
            };
            note(part, (device, fingerprint), made)?;
        }
        if is_whole {
            return Ok(plan.needs);
        }
        // What takes the place of a damaged session is tried.
        to = Recipient::read(&call.tx, &part.user)?;
    }
}

/// Adds a device's ciphertext to its part.
pub(super) fn note(
    part: &mut SendPart,
    (device, fingerprint): (DeviceId, Fingerprint),
    made: Result<Entry, Code>,
) -> Result<(), Code> {
    match made {
        Ok(entry) => part.entries.push(entry),
        // No padding size holds the content with the lists: this device gets nothing, and the app is told.
        Err(Code::TooLarge) => part.skip(device, fingerprint, Code::TooLarge),
        Err(code) => return Err(code),
    }
    Ok(())
}

/// Which devices a send is for.
pub(super) fn aim<'a>(call: &Call<'a>, sending: &Sending) -> Aim<'a> {
    Aim::of(&call.us.party, &sending.head, call.at)
}

/// Whether a group's message may not go to a user: another account key is claimed, or is that of the one who was meant.
pub(super) fn is_contested(head: &SendHead, user: &User) -> bool {
    head.group.is_some() && (user.claimed_key.is_some() || is_another(head, user))
}

/// A damaged session concerns its device alone: it is forgotten.
fn forget_damaged(call: &mut Call<'_>, peer: &Peer, session: SessionId) -> Result<(), Code> {
    let mut peer = peer.clone();
    let damaged: Vec<SessionMeta> = peer.sessions.iter().filter(|meta| meta.id == session).copied().collect();
    sessions::forget(&mut call.tx, &mut peer, &damaged, call.context.now)?;
    call.tx.put_peer(&peer)?;
    // Other sends may have counted on it.
    call.begun = None;
    Ok(())
}

/// Whether a user is not the one that was meant: the name has come to another account key.
fn is_another(head: &SendHead, user: &User) -> bool {
    let key = &user.account_key;
    head.to(&user.user).is_some_and(|to| to.account_key.is_some_and(|meant| meant != *key) && !to.also.contains(key))
}

fn encrypt(call: &mut Call<'_>, to: To<'_>, ahead: &Recipient, scope: Scope) -> Result<Entry, Failure> {
    match to.peer.standing(scope, call.at) {
        Some(meta) => encrypt_on(call, to, ahead, *meta),
        None => encrypt_inside(call, to, ahead, scope),
    }
}

/// On a session that the message has for itself.
fn encrypt_on(call: &mut Call<'_>, to: To<'_>, ahead: &Recipient, meta: SessionMeta) -> Result<Entry, Failure> {
    let session = to.sender(&call.tx, ahead, meta)?;
    let (entry, step) = to.on(&session, call.context.random())?;
    sessions::put_step(&mut call.tx, step)?;
    Ok(entry)
}

/// Inside a direct message.
///
/// > The opening and the nesting are repeated until *any* message of the scope session comes back.
fn encrypt_inside(call: &mut Call<'_>, to: To<'_>, ahead: &Recipient, scope: Scope) -> Result<Entry, Failure> {
    let direct = *to.peer.active(Scope::Direct, call.at).ok_or(Code::NoSession)?;
    let carrier = to.sender(&call.tx, ahead, direct)?;
    let mut peer = to.peer.clone();
    let inner = match peer.active(scope, call.at) {
        Some(meta) => to.sender(&call.tx, ahead, *meta)?,
        None => open_scope(call, &mut peer, scope, direct.id)?,
    };
    let opening = carried_by(&mut call.tx, &peer, &inner, direct.id)?;
    let rides = to.list_rides(&carrier);
    let (outer_prelude, prelude) = (to.prelude(&carrier, rides)?, to.prelude(&inner, false)?);
    let room = to.room(rides)?;
    let length = outer_prelude.len() + size::nesting() + prelude.len() + to.said.body.len();
    padding::padded_len(to.said.payload, room, length)?;
    let salt = call.context.random();
    let sealed = session::seal_nested(inner.outgoing()?, salt)?;
    sessions::put_step(&mut call.tx, inner.step(sealed.sent))?;
    let nested = Some(Nested { opening, generation: inner.meta().generation, prelude, recipe: sealed.recipe });
    let (recipe, step) = to.sealed(&carrier, salt)?;
    sessions::put_step(&mut call.tx, step)?;
    Ok(Entry {
        device: peer.device,
        fingerprint: to.fingerprint,
        prelude: outer_prelude,
        room: room_form(room)?,
        recipe,
        nested,
    })
}

/// A new session in a group's scope, which `carrier` is the first to carry.
fn open_scope(call: &mut Call<'_>, peer: &mut Peer, scope: Scope, carrier: SessionId) -> Result<Sender, Code> {
    let generation = peer.next_generation(scope, call.now());
    let mut session = session::open_scope(call.us, &mut call.context, &peer.party(), (scope, generation, call.at.age))?;
    if let Some(Beginning::Opening(opening)) = &mut session.beginning {
        opening.carrier = Some(carrier);
    }
    sessions::insert(&mut call.tx, peer, &mut session, call.context.now)?;
    call.tx.put_peer(peer)?;
    Ok(Sender::of(session, &call.tx, peer))
}

/// The opening of a session that nobody has answered, now that `carrier` carries it. Once several direct sessions have carried it, an
/// answer no longer says which of them arrived.
fn carried_by(tx: &mut Tx<'_>, peer: &Peer, inner: &Sender, carrier: SessionId) -> Result<Opening, Code> {
    let Some(Beginning::Opening(mut opening)) = inner.cold().beginning.clone() else {
        return Err(Code::RecordInconsistent);
    };
    if opening.carrier.is_some_and(|known| known != carrier) {
        opening.carrier = None;
        let beginning = Some(Beginning::Opening(opening.clone()));
        let cold = SessionCold { ratchet: inner.cold().ratchet.clone(), beginning };
        tx.put(tx.places().session(Kind::Session, peer, inner.meta().id), &cold)?;
    }
    Ok(opening)
}

fn room_form(room: usize) -> Result<u32, Code> {
    u32::try_from(room).map_err(|_| Code::TooLarge)
}
