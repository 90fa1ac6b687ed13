//! Retries on their way in, and what is owed one (X 8). Nothing is sent from here: the loop of requests does that.
//!
//! A retry is owed to a device that we know for an envelope that is the device's, by its gate, and that does not open. A stranger gets none, since it
//! would show that this device is there.

use super::{incoming::Incoming, pre_keys};
use crate::{
    clock::Age,
    error::Code,
    event::{Event, Sender, Standing},
    ids::{DeviceId, Scope, UserId},
    limits::{MAX_ASKED, MAX_HEARD},
    model::{GroupRecord, Peer, User},
    record::Healing,
    session,
    tx::{Call, healing, ledger},
    wire::{
        envelope::{Envelope, Initiation, Route},
        retry::{Asked, Cause, Retry},
    },
};

/// Why the other device is asked again, if it is: by the code that its envelope has failed with.
fn cause(code: Code, peer: &Peer, envelope: &Envelope) -> Option<Cause> {
    let begins =
        |initiation: &Initiation| peer.sessions.iter().all(|session| session.ephemeral_key != initiation.ephemeral_key);
    Some(match code {
        Code::NoSession => Cause::NoSession,
        // A chain that is the sender's, with another ratchet key than it had: the sender was put back to before it, and has stepped anew.
        Code::ReusedIndex | Code::NonCanonical => Cause::ReusedIndex,
        Code::TooFarAhead => Cause::TooFarAhead,
        Code::UnknownPreKey | Code::PreKeyUsed => Cause::UnknownPreKey,
        Code::ReplayedInitiation => Cause::ReplayedInitiation,
        Code::MessageKeyExpired => Cause::MessageKeyExpired,
        Code::AuthenticationFailed => match &envelope.head.route {
            // The prekey that it names may have been another one, before this store was put back.
            Route::Initiation(initiation) if begins(initiation) => Cause::UnknownPreKey,
            _ => Cause::BadBody,
        },
        _ => return None,
    })
}

/// An envelope with a good gate has failed: its device is asked for it, if it is one that may be asked.
pub(super) fn owe(call: &mut Call<'_>, envelope: &Envelope, sender: &Sender, code: Code) -> Result<(), Code> {
    if !sender.authenticated {
        return Ok(());
    }
    let Some(peer) = call.tx.known_peer(&sender.user, sender.device)? else { return Ok(()) };
    let Some(cause) = cause(code, &peer, envelope) else { return Ok(()) };
    let asked = Asked { salt: envelope.head.salt, cause };
    let mut healing = healing::of(&call.tx, &peer.user, peer.device)?;
    let is_known = healing.asked.contains(&asked.salt) || healing.owed.iter().any(|owed| owed.salt == asked.salt);
    if is_known || healing.owed.len() >= MAX_ASKED || !may_be_asked(call, &peer)? {
        return Ok(());
    }
    if let Route::Initiation(initiation) = &envelope.head.route
        && cause == Cause::UnknownPreKey
    {
        let active = peer.active(Scope::Direct, call.at).map_or(0, |session| session.generation);
        // What another session has overtaken since needs no other one. Ours lies above it, whatever our clock shows.
        if initiation.generation > active {
            (healing.begins, healing.floor) = (true, healing.floor.max(initiation.generation));
        }
        pre_keys::recover(&mut call.tx, initiation, call.at.age)?;
    }
    healing.owed.push(asked);
    healing::put(&mut call.tx, &healing)?;
    healing::is_due_at(&mut call.tx, Age(0))
}

/// Whether our user knows the device's user, or is in a group with them; and the device is on its list with its keys, which nobody contests.
fn may_be_asked(call: &Call<'_>, peer: &Peer) -> Result<bool, Code> {
    let Some(user) = call.tx.readable(&peer.user)? else { return Ok(false) };
    if !is_in_order(&user, peer) {
        return Ok(false);
    }
    if ledger::knows(&call.tx, &peer.user, &user.account_key)? {
        return Ok(true);
    }
    let is_shared = |group: GroupRecord| group.standing == Standing::Member && group.has(&peer.user, &user.account_key);
    Ok(call.tx.groups()?.into_iter().any(is_shared))
}

/// Whether a device is on its user's list with its keys, and nobody contests the user's identity.
pub(crate) fn is_in_order(user: &User, peer: &Peer) -> bool {
    user.claimed_key.is_none() && peer.stale_since.is_none() && peer.is_listed(user)
}

/// Opens a retry under the control key. The gate was checked.
pub(super) fn open(call: &mut Call<'_>, incoming: &Incoming<'_>, peer: &Peer) -> Result<(), Code> {
    let retry = session::open_control(&peer.receiving(), (incoming.envelope, incoming.head))?;
    let user = call.tx.known(&peer.user)?.ok_or(Code::NotListed)?;
    if !is_in_order(&user, peer) {
        return Err(Code::NotListed);
    }
    incoming.remember(&mut call.tx, call.at.age)?;
    hear(call, (&peer.user, peer.device), &retry)
}

/// A device asks for what it could not open. It is answered by the loop of requests, when the rest of what it has said is heard.
pub(super) fn hear(call: &mut Call<'_>, (user, device): (&UserId, DeviceId), retry: &Retry) -> Result<(), Code> {
    if retry.asked.as_slice().is_empty() {
        return Ok(());
    }
    let mut healing = healing::of(&call.tx, user, device)?;
    for asked in retry.asked.as_slice() {
        let is_new = healing.heard.iter().all(|heard| heard.salt != asked.salt);
        if is_new && healing.heard.len() < MAX_HEARD {
            healing.heard.push(*asked);
        }
    }
    healing.floor = healing.floor.max(retry.floor);
    healing::put(&mut call.tx, &healing)?;
    healing::is_due_at(&mut call.tx, Age(0))
}

/// The other device has begun anew with ours.
pub(super) fn began_anew(call: &mut Call<'_>, peer: &mut Peer) -> Result<Event, Code> {
    peer.follow_resets(call.now());
    let (user, device) = (peer.user.clone(), peer.device);
    let healing = healing::of(&call.tx, &user, device)?;
    if healing.resets || healing.begins {
        // Both have asked for it at once: one session is enough.
        healing::put(&mut call.tx, &Healing { resets: false, begins: false, ..healing })?;
    }
    // What waited for a reset of ours waits no longer.
    healing::is_due_at(&mut call.tx, Age(0))?;
    Ok(Event::SessionReset { user, device, by_us: false })
}
