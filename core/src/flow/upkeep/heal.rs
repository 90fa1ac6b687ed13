//! What does not open is asked for, and what is asked for is sent again (X 8). The loop of requests does both, once all mail of a page was heard.

use super::again;
use crate::{
    clock::Age,
    error::{Code, Error},
    event::Event,
    flow::{receive::retry, send},
    ids::{DeviceId, EnvelopeId, Scope, UserId},
    limits::{MAX_ASKED_BEFORE, MAX_RETRIES, RETRY_PAUSE, RETRY_WINDOW},
    model::Peer,
    record::{Counters, Healing, Says, SendBody},
    store::Kind,
    tx::{Call, healing},
    wire::retry::Retry,
};

/// Asks and answers what is due; `None` when nothing is.
pub(super) fn if_due(call: &mut Call<'_>) -> Result<Option<Vec<Event>>, Error> {
    let counters = call.tx.counters()?;
    if counters.heals_at.is_none_or(|at| at > call.at.age.0) {
        return Ok(None);
    }
    call.tx.put_counters(&Counters { heals_at: None, ..counters })?;
    let mut events = Vec::new();
    for mut healing in healing::all(&call.tx)? {
        events.extend(call.one(|call| one(call, &mut healing))?.unwrap_or_default());
    }
    Ok(Some(events))
}

/// How long it is until something is due, in ms.
pub(super) fn due_in(call: &Call<'_>) -> Result<Option<u64>, Code> {
    Ok(call.tx.counters()?.heals_at.map(|at| at.saturating_sub(call.at.age.0)))
}

/// What is due between this device and another one.
fn one(call: &mut Call<'_>, healing: &mut Healing) -> Result<Vec<Event>, Error> {
    let mut events = Vec::new();
    let peer = call.tx.peer(&healing.user, healing.device)?;
    let Some(mut peer) = peer.filter(|peer| is_in_order(call, peer)) else {
        // Who was removed, or is contested, is not asked and not answered.
        (healing.owed, healing.heard) = (Vec::new(), Vec::new());
        healing::put(&mut call.tx, healing)?;
        return Ok(events);
    };
    let age = call.at.age;
    for times in [&mut healing.asked_at, &mut healing.answered_at] {
        times.retain(|at| age.since(Age(*at)) < RETRY_WINDOW);
    }
    if !healing.heard.is_empty() && !waits(call, &healing.answered_at)? {
        events.extend(answer(call, &mut peer, healing)?);
    }
    if !healing.owed.is_empty() && !waits(call, &healing.asked_at)? {
        events.extend(ask(call, &mut peer, healing)?);
    }
    healing::put(&mut call.tx, healing)?;
    Ok(events)
}

fn is_in_order(call: &Call<'_>, peer: &Peer) -> bool {
    let user = call.tx.readable(&peer.user).ok().flatten();
    user.is_some_and(|user| retry::is_in_order(&user, peer))
}

/// Whether as much as is allowed has happened at these times; then it goes on when the oldest of them is long enough ago.
fn waits(call: &mut Call<'_>, times: &[u64]) -> Result<bool, Code> {
    let (true, Some(oldest)) = (times.len() >= MAX_RETRIES, times.first()) else { return Ok(false) };
    healing::is_due_at(&mut call.tx, Age(*oldest).plus(RETRY_WINDOW))?;
    Ok(true)
}

/// Whether the two have begun anew a short time ago; if so, what needs it waits.
fn has_reset(call: &mut Call<'_>, healing: &Healing) -> Result<bool, Code> {
    let Some(at) = healing.reset_at.filter(|at| call.at.age.since(Age(*at)) < RETRY_WINDOW) else { return Ok(false) };
    healing::is_due_at(&mut call.tx, Age(at).plus(RETRY_WINDOW))?;
    Ok(true)
}

/// Whether the device was asked just now; if so, what came since waits.
fn has_just_asked(call: &mut Call<'_>, healing: &Healing) -> Result<bool, Code> {
    let is_new = |at: &u64| call.at.age.since(Age(*at)) < RETRY_PAUSE;
    let Some(at) = healing.asked_at.last().copied().filter(is_new) else { return Ok(false) };
    healing::is_due_at(&mut call.tx, Age(at).plus(RETRY_PAUSE))?;
    Ok(true)
}

/// From here on nothing is sent on any session with the device: the next one is a reset.
pub(crate) fn begin_anew(call: &mut Call<'_>, peer: &mut Peer, healing: &mut Healing) -> Result<Event, Code> {
    peer.demote_all();
    call.tx.put_peer(peer)?;
    (healing.reset_at, healing.resets) = (Some(call.at.age.0), true);
    healing::put(&mut call.tx, healing)?;
    Ok(Event::SessionReset { user: peer.user.clone(), device: peer.device, by_us: true })
}

/// The app begins anew with a device, whatever the sessions say.
pub(crate) fn by_app(call: &mut Call<'_>, user: &UserId, device: DeviceId) -> Result<Vec<Event>, Error> {
    if call.us.party.is_device(user, device) {
        return Err(Error::of(Code::InvalidArgument, "device"));
    }
    let known = call.tx.known(user)?.ok_or(Error::of(Code::UnknownUser, "user"))?;
    if known.claimed_key.is_some() {
        return Err(Error::of(Code::IdentityNotAccepted, "user"));
    }
    let peer = call.tx.peer(user, device)?.filter(|peer| retry::is_in_order(&known, peer));
    let mut peer = peer.ok_or(Error::of(Code::UnknownDevice, "device"))?;
    let mut healing = healing::of(&call.tx, user, device)?;
    let event = begin_anew(call, &mut peer, &mut healing)?;
    say(call, (user, device), &Retry::of(0, Vec::new()), false)?;
    Ok(vec![event])
}

/// Asks for what did not open. If the other device cannot begin a session that we open, the question goes in one that we begin.
fn ask(call: &mut Call<'_>, peer: &mut Peer, healing: &mut Healing) -> Result<Vec<Event>, Error> {
    // What came meanwhile, sent again, is not asked for.
    let mut owed = Vec::new();
    for one in core::mem::take(&mut healing.owed) {
        let key = call.tx.places().envelope(Kind::Received, &peer.user, peer.device, &EnvelopeId(one.salt));
        if !call.tx.exists(&key)? {
            owed.push(one);
        }
    }
    if owed.is_empty() {
        healing.begins = false;
        return Ok(Vec::new());
    }
    let waits = if healing.begins { has_reset(call, healing)? } else { has_just_asked(call, healing)? };
    if waits {
        healing.owed = owed;
        return Ok(Vec::new());
    }
    let mut events = Vec::new();
    if healing.begins {
        events.push(begin_anew(call, peer, healing)?);
    }
    healing.asked.extend(owed.iter().map(|owed| owed.salt));
    let surplus = healing.asked.len().saturating_sub(MAX_ASKED_BEFORE);
    healing.asked.drain(..surplus);
    healing.asked_at.push(call.at.age.0);
    let retry = Retry::of(peer.floor(Scope::Direct), owed);
    let sealed = !core::mem::take(&mut healing.begins);
    say(call, (&peer.user, peer.device), &retry, sealed)?;
    Ok(events)
}

/// A retry to one device. One that asks for nothing only begins a session.
pub(crate) fn say(call: &mut Call<'_>, to: (&UserId, DeviceId), retry: &Retry, sealed: bool) -> Result<(), Error> {
    let body = SendBody { payload: retry.encode()?, welcome: Vec::new() };
    send::quietly(call, to, None, (body, Says::Retry { sealed }))
}

/// Sends again what the other device asks for. If nothing that we say opens there, the two begin anew first.
///
/// What has become of the sessions since is seen by the records: a retry that comes late, or that somebody brings again, finds its session replaced, and
/// resets nothing.
fn answer(call: &mut Call<'_>, peer: &mut Peer, healing: &mut Healing) -> Result<Vec<Event>, Error> {
    let sent = again::Sent::to(call, peer)?;
    let mut events = Vec::new();
    let is_dead = healing.heard.iter().any(|heard| sent.is_in_use(call, peer, heard));
    if is_dead {
        if has_reset(call, healing)? {
            return Ok(events);
        }
        events.push(begin_anew(call, peer, healing)?);
    }
    healing.answered_at.push(call.at.age.0);
    let heard = core::mem::take(&mut healing.heard);
    let messages = sent.again(call, peer, &heard)?;
    if messages > 0 {
        events.push(Event::Resent { user: peer.user.clone(), device: peer.device, messages });
    } else if is_dead {
        say(call, (&peer.user, peer.device), &Retry::of(0, Vec::new()), false)?;
    }
    Ok(events)
}
