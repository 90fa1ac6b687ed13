//! An envelope is opened: on a stored session, or by an initiation that makes one (Sesame 3.4; X 1, X 3).

use super::{
    content::{self, HeardPrelude},
    hold,
    incoming::{Entry, Fellow, Found, Incoming, Opened, Stop},
    lists, pre_keys, retry,
};
use crate::{
    clock::{self, Age, Moment},
    context::Timestamp,
    crypto::{
        ed25519::{Verifier, VerifyingKey},
        x25519::PublicPoint,
    },
    error::Code,
    event::{Event, Flags, Item},
    flow::lists as flow_lists,
    ids::{AccountKey, DeviceId, Scope},
    keys::{
        chain::Relation,
        device_list::{List, Sender, VerifiedDeviceList},
        party::{DecodedParty, Party},
    },
    limits::{MAX_LATENCY, OLD_LIST},
    model::{Peer, SessionMeta, order},
    ratchet::{Delta, Position},
    record::{Cause, IndexEntry},
    session::{self, Session},
    store::Kind,
    tx::{Call, sessions},
    wire::{
        content::{self as form, Body, Marks, Prelude},
        envelope::{Initiation, Route},
    },
};
use std::borrow::Cow;

/// Opens one envelope. `fellows` begin the same session, if it begins one.
pub(super) fn open<'a>(call: &mut Call<'_>, entry: &'a Entry<'a>, fellows: &'a [Fellow<'a>]) -> Result<Opened, Stop> {
    let envelope = entry.envelope;
    let to = &envelope.head.recipient;
    if (to.user.as_slice(), DeviceId(to.device)) != (call.user().as_bytes(), call.device()) {
        return Err(Code::WrongRecipient.into());
    }
    let (user, device) = envelope.sender().ok_or(Code::NonCanonical)?;
    // Nobody else can be this device; what claims to be is reflected or forged (A11).
    if call.us.party.is_device(&user, device) {
        return Err(Code::Forged.into());
    }
    let (gate, found) = (entry.gate.as_ref(), entry.found.as_ref());
    let head = envelope.head_in(entry.bytes)?;
    let incoming = Incoming { envelope, head, gate, found, index: entry.index, fellows, user, device };
    match &envelope.head.route {
        Route::Ordinary { locator } => ordinary(call, &incoming, locator),
        Route::Initiation(initiation) => by_initiation(call, &incoming, initiation),
    }
}

/// > check the gate (one HMAC), unmask, look `(peer device, chain_tag)` up in an index, open one header, then one body
fn ordinary(call: &mut Call<'_>, incoming: &Incoming<'_>, locator: &[u8; 16]) -> Result<Opened, Stop> {
    // A forgery costs an HMAC, and no copy of the record.
    let peer = call.tx.known_peer(&incoming.user, incoming.device)?.ok_or(Code::NoSession)?;
    let pair = peer.receiving();
    incoming.check_gate(&call.tx, &pair)?;
    let (session, chain) = match incoming.found {
        Some(found) => (found.session.id, found.position.order().0),
        None => {
            let tag = pair.mask(&incoming.envelope.head.salt, locator);
            if tag == session::CONTROL_TAG {
                retry::open(call, incoming, &peer).map_err(Stop::Said)?;
                return Ok(Opened::default());
            }
            let entry: IndexEntry = call.tx.get(&call.tx.places().index(&peer, &tag))?.ok_or(Code::NoSession)?;
            (entry.session, entry.chain)
        }
    };
    let meta = peer.sessions.iter().find(|meta| meta.id == session).copied().ok_or(Code::NoSession)?;
    on_session(call, incoming, Peer::clone(&peer), meta, chain)
}

/// On a session that is stored. The gate was checked.
fn on_session(
    call: &mut Call<'_>,
    incoming: &Incoming<'_>,
    mut peer: Peer,
    meta: SessionMeta,
    chain: u32,
) -> Result<Opened, Stop> {
    check_not_long_removed(&peer, call.at.age)?;
    if !order::may_receive(&meta, &peer.sessions, call.at.age) {
        return Err(Code::NoSession.into());
    }
    let mut session = sessions::load(&call.tx, &peer, meta).map_err(Stop::on(meta.id))?;
    let position = position(incoming, &session, chain).map_err(Stop::on(meta.id))?;
    incoming.count_steps(call, &session, &position)?;
    let Call { tx, context, .. } = call;
    let load = |chain, number| sessions::block(tx, &peer, &meta, chain, number);
    let (delta, content) = session::open(&session, context, &position, (incoming.envelope, incoming.head), &load)
        .map_err(Stop::on(meta.id))?;
    let (prelude, marks, body) = form::decode_marked(&content)?;
    check_marks(&meta, incoming, marks)?;
    let riding = lists::riding(call, &peer, &prelude)?;
    let heard = lists::hear(call, &mut peer, &prelude, riding.as_ref())?;
    let flags = Flags {
        from_removed_device: peer.stale_since.is_some(),
        older_session: order::is_stale(&meta, &peer.sessions),
        ..Flags::default()
    };
    sessions::settle_step(&mut call.tx, &mut peer, &mut session, delta, call.at.age)?;
    let said = content::OpenedContent { meta, prelude, again: marks.again, body, flags };
    finish(call, incoming, heard, peer, said)
}

/// Where an envelope stands in its session. Most headers were opened before ([`super::order`]).
fn position<'a>(incoming: &Incoming<'a>, session: &Session, chain: u32) -> Result<Cow<'a, Position>, Code> {
    match incoming.found.filter(|found| found.session.id == session.meta.id) {
        Some(found) => Ok(Cow::Borrowed(&found.position)),
        None => session::position(&session.ratchet.cold, chain, incoming.envelope).map(Cow::Owned),
    }
}

/// Only the messages that begin a direct session say that it is a reset, and all of them do.
fn check_marks(meta: &SessionMeta, incoming: &Incoming<'_>, marks: Marks) -> Result<(), Code> {
    let begins = matches!(incoming.envelope.head.route, Route::Initiation(_));
    if marks.reset == (begins && meta.reset) { Ok(()) } else { Err(Code::NonCanonical) }
}

/// An initiation: held for an identity that is not accepted, opened on the session that it has made before, or the first of its session.
fn by_initiation(call: &mut Call<'_>, incoming: &Incoming<'_>, initiation: &Initiation) -> Result<Opened, Stop> {
    let initiator = named_party(call, incoming, initiation)?;
    let party = initiator.party();
    if party.identity_key == call.us.party.identity_key {
        return Err(Code::KeyReuse.into());
    }
    if let Some(user) = call.tx.user(&incoming.user)?
        && user.account_key != party.account()
    {
        return Err(claim(call, incoming, &initiator, initiation));
    }
    let peer = match call.tx.peer(&incoming.user, incoming.device)? {
        Some(peer) if peer.is(party) => peer,
        // A DeviceID is never used again (X 5); the same one with other keys is somebody else (A05).
        Some(_) => return Err(Code::IdentityChanged.into()),
        None => Peer::new(call.us, &initiator.decoded()?.party)?,
    };
    incoming.check_gate(&call.tx, &peer.receiving())?;
    if let Some(meta) = peer.sessions.iter().find(|meta| meta.ephemeral_key == initiation.ephemeral_key).copied() {
        // Every message of an initiating session is on its initiator's first chain.
        return on_session(call, incoming, peer, meta, 1);
    }
    accept(call, incoming, peer, &initiator, initiation)
}

/// The device that an initiation names.
enum Initiator {
    /// The device is known by these keys. They were checked when it became known, and none is decoded before it is needed.
    Known(Party),
    /// The keys were decoded and checked just now.
    New(Box<Decoded>),
}

/// The decoded keys of an initiator. Its signing key is only checked: it signs nothing here.
#[derive(Clone)]
struct Decoded {
    party: DecodedParty,
    account: Verifier,
}

impl Initiator {
    fn party(&self) -> &Party {
        match self {
            Self::Known(party) => party,
            Self::New(decoded) => decoded.party.party(),
        }
    }

    fn decoded(&self) -> Result<Decoded, Code> {
        Ok(match self {
            Self::Known(party) => {
                Decoded { account: Verifier::of(&party.account_key)?, party: DecodedParty::of(party.clone())? }
            }
            Self::New(decoded) => Decoded::clone(decoded),
        })
    }
}

/// The party that an initiation names. A device that is known with these keys must fit its gate before any point is decoded; and its keys
/// were checked when it became known.
fn named_party(call: &Call<'_>, incoming: &Incoming<'_>, initiation: &Initiation) -> Result<Initiator, Code> {
    let known = match call.tx.known_peer(&incoming.user, incoming.device) {
        // A record that does not open is reported by the step that needs it.
        Err(code) if code.is_damage() => None,
        known => known?,
    };
    if let Some(peer) = known.filter(|peer| is_of(initiation, peer)) {
        incoming.check_gate(&call.tx, &peer.receiving())?;
        return Ok(Initiator::Known(peer.party()));
    }
    let account = Verifier::decode(initiation.account_key)?;
    let signing_key = VerifyingKey::decode(initiation.signing_key)?;
    let identity = PublicPoint::decode(initiation.identity_key)?;
    let names = (incoming.user.clone(), incoming.device);
    let party = DecodedParty::new(names, account.key(), signing_key, identity);
    Ok(Initiator::New(Box::new(Decoded { party, account })))
}

/// Whether an initiation names the keys of this device.
fn is_of(initiation: &Initiation, peer: &Peer) -> bool {
    initiation.account_key == peer.account_key.0
        && (initiation.signing_key, initiation.identity_key) == (peer.signing_key, peer.identity_key)
}

/// An initiation that matches no session: builds the matching one (Sesame 3.4), if it is not a replay (X 3).
fn accept(
    call: &mut Call<'_>,
    incoming: &Incoming<'_>,
    mut peer: Peer,
    initiator: &Initiator,
    initiation: &Initiation,
) -> Result<Opened, Stop> {
    if initiation.generation <= peer.floor(Scope::Direct) {
        return Err(Code::ReplayedInitiation.into());
    }
    if call.tx.exists(&incoming.place(&call.tx, Kind::Held))? {
        return Err(Code::Duplicate.into());
    }
    let Proof { theirs, mut session, delta, prelude, marks, body, list, pre_keys } =
        prove(call, incoming, initiator, initiation)?;
    let party = theirs.party();
    let at = call.at;
    let mut heard = lists::hear(call, &mut peer, &prelude, Some(&list))?;
    match standing(&heard, &list.list, party, at) {
        Standing::Listed => {}
        // > A removed device: its late messages are delivered flagged.
        Standing::Removed => peer.stale_since = peer.stale_since.or(Some(at.age.0)),
        Standing::Unproved => return Err(Stop::Unproved(Box::new(list))),
        Standing::Unlisted => return Err(Code::NotListed.into()),
    }
    check_not_long_removed(&peer, at.age)?;
    hold::in_time(&heard.user, &peer, (Scope::Direct, initiation.generation), at.now)?;
    let meta = session.meta;
    let flags = Flags {
        from_removed_device: peer.stale_since.is_some(),
        no_one_time_key: pre_keys.used.is_empty(),
        older_session: order::is_stale(&meta, &[peer.sessions.as_slice(), &[meta]].concat()),
        ..Flags::default()
    };
    // It has decrypted something already: it does not count among the unanswered, which go first.
    session.meta.answered_at = Some(at.age.0);
    session.meta.reset = marks.reset;
    sessions::insert(&mut call.tx, &mut peer, &mut session, at.now)?;
    if marks.reset {
        heard.items.push(Item::Event(retry::began_anew(call, &mut peer)?));
    }
    sessions::settle_step(&mut call.tx, &mut peer, &mut session, delta, at.age)?;
    pre_keys.spend(&mut call.tx)?;
    let started = Event::SessionStarted { user: party.user.clone(), device: party.device, session_id: meta.id };
    heard.items.push(Item::Event(started));
    let said = content::OpenedContent { meta: session.meta, prelude, again: marks.again, body, flags };
    finish(call, incoming, heard, peer, said)
}

/// What an initiation comes to once its body has opened, before anything is believed or written.
struct Proof {
    theirs: DecodedParty,
    session: Session,
    delta: Delta,
    prelude: Prelude,
    marks: Marks,
    body: Body,
    /// The list that it carries, signed by the account key that it names.
    list: VerifiedDeviceList,
    pre_keys: pre_keys::Named,
}

/// Opens the body of an initiation with the private keys that it names. Nothing is written.
///
/// > Every initiation carries the sender's signed device list in its body.
fn prove(
    call: &mut Call<'_>,
    incoming: &Incoming<'_>,
    initiator: &Initiator,
    initiation: &Initiation,
) -> Result<Proof, Stop> {
    let pre_keys = pre_keys::named(&call.tx, initiation)?;
    let Decoded { party: theirs, account } = initiator.decoded()?;
    let party = theirs.party();
    let session = session::accept(call.us, &pre_keys.keys, &theirs, initiation, call.at)?;
    let position = position(incoming, &session, 1)?;
    check_is_first(incoming, &session, &position)?;
    incoming.count_steps(call, &session, &position)?;
    let load = |_, _| Err(Code::RecordInconsistent);
    let opened = (incoming.envelope, incoming.head);
    let (delta, content) = session::open(&session, &mut call.context, &position, opened, &load)?;
    let (prelude, marks, body) = form::decode_marked(&content)?;
    let sender = Sender { party, account: &account };
    let shown = lists::shown(prelude.list.as_slice())?;
    let list = flow_lists::verify_from(&call.tx, &party.user, &shown, Some(&sender))?;
    if list.user != party.user {
        return Err(Code::WrongUser.into());
    }
    if list.account_key != party.account_key {
        return Err(Code::IdentityChanged.into());
    }
    Ok(Proof { theirs, session, delta, prelude, marks, body, list, pre_keys })
}

/// Of the envelopes that begin the same session, the first one is opened first.
fn check_is_first(incoming: &Incoming<'_>, session: &Session, position: &Position) -> Result<(), Stop> {
    let mut before = position.order();
    let (mut found, mut is_first) = (Vec::with_capacity(incoming.fellows.len()), true);
    for Fellow { index, envelope } in incoming.fellows {
        // One whose header does not open says so when it is its turn.
        let Ok(position) = session::position(&session.ratchet.cold, 1, envelope) else { continue };
        is_first &= before <= position.order();
        before = before.max(position.order());
        found.push((*index, Found { session: session.meta, position }));
    }
    if is_first {
        return Ok(());
    }
    found.push((incoming.index, Found { session: session.meta, position: position.clone() }));
    Err(Stop::Behind(found))
}

/// > A claimed identity counts, blocks and raises an event only when it is proved: by an initiation whose body opened and carried the list
/// > signed by that account key with that device on it. Such an initiation is opened to check it and then held as it came; its one-time
/// > keys stay until it is accepted or dropped.
fn claim(call: &mut Call<'_>, incoming: &Incoming<'_>, initiator: &Initiator, initiation: &Initiation) -> Stop {
    match proved(call, incoming, initiator, initiation) {
        Ok(account_key) => Stop::Hold(Cause::Identity(account_key)),
        Err(stop) => stop,
    }
}

fn proved(
    call: &mut Call<'_>,
    incoming: &Incoming<'_>,
    initiator: &Initiator,
    initiation: &Initiation,
) -> Result<AccountKey, Stop> {
    // Our own user's account key does not change under us.
    if incoming.user == *call.user() {
        return Err(Code::IdentityChanged.into());
    }
    let (_, receiving) = call.us.pair(&initiator.decoded()?.party)?;
    incoming.check_gate(&call.tx, &receiving)?;
    if call.tx.exists(&incoming.place(&call.tx, Kind::Held))? {
        return Err(Code::Duplicate.into());
    }
    let Proof { theirs, list, .. } = prove(call, incoming, initiator, initiation)?;
    if names(&list.list, theirs.party()) { Ok(theirs.party().account()) } else { Err(Code::NotListed.into()) }
}

/// Whether a list names a party with its keys.
fn names(list: &List, party: &Party) -> bool {
    list.device(party.device).is_some_and(|listed| listed.party(&party.user, party.account_key) == *party)
}

/// > All envelopes of a removed device are refused once MAXLATENCY has passed since we learned of the removal (T9).
fn check_not_long_removed(peer: &Peer, age: Age) -> Result<(), Code> {
    let is_long = |since: u64| age.since(Age(since)) > MAX_LATENCY;
    if peer.stale_since.is_some_and(is_long) { Err(Code::NotListed) } else { Ok(()) }
}

/// How the device that begins a session stands on its user's lists.
enum Standing {
    /// Our newest list names it.
    Listed,
    /// An older list named it.
    Removed,
    /// A list names it that waits for its proof, or for the app's word.
    Unproved,
    /// Nothing shows that it ever was listed, or it was so long ago that nothing it has sent then is still under way.
    Unlisted,
}

/// How a party stands, that shows this list.
fn standing(heard: &HeardPrelude, shown: &List, party: &Party, at: Moment) -> Standing {
    let HeardPrelude { user, relation, .. } = heard;
    if user.list.as_ref().is_some_and(|newest| names(newest, party)) {
        return Standing::Listed;
    }
    if !names(shown, party) {
        return Standing::Unlisted;
    }
    if *relation == Some(Relation::Older) {
        // We may never have known it, so that its own list has to say when it was last there.
        let is_long = !at.in_doubt && clock::is_old(Timestamp(shown.issued_at), at.now, OLD_LIST + MAX_LATENCY);
        return if is_long { Standing::Unlisted } else { Standing::Removed };
    }
    let waits = user.fork.as_ref().is_some_and(|fork| fork.list.hash == shown.hash);
    if waits { Standing::Unproved } else { Standing::Unlisted }
}

/// The step is written: the envelope is remembered, its content is heard, and open sends follow what has changed.
fn finish(
    call: &mut Call<'_>,
    incoming: &Incoming<'_>,
    heard: HeardPrelude,
    peer: Peer,
    said: content::OpenedContent,
) -> Result<Opened, Stop> {
    incoming.remember(&mut call.tx, call.at.age)?;
    let opened = content::hear(call, incoming, &heard.user, peer, said)?;
    let mut items = heard.items;
    items.extend(opened.items);
    lists::follow(call, &items)?;
    Ok(Opened { items, ..opened })
}
