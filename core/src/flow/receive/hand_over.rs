//! A hand-over of the primary's part: what the other device says, and what follows from it (X 7).
//!
//! > The primary hands the account key to a listed own device, sealed in their direct session, confirmed by digits on both. The new primary signs
//! > the list that names itself; the old one deletes the account key on taking that list, not before.
//!
//! The app's part is in `upkeep::hand_over`.

use crate::{
    agreement::handover,
    clock::Age,
    crypto::ed25519::SigningKey,
    error::Code,
    event::{Event, Item},
    flow::lists,
    ids::HandoverId,
    limits::{HANDOVER_EXPIRY, MAX_LATENCY},
    model::Peer,
    record::{Counters, HeardHandover, Own, PendingHandover},
    secret::Shared,
    store::{Kind, Places},
    tx::{Call, sends},
    wire::handover::{Handover, Step},
};

/// The hand-over that is under way, unless its time is over. One in which the account key was sent waits for its end.
pub(crate) fn pending(call: &Call<'_>) -> Result<Option<PendingHandover>, Code> {
    let Some(pending) = call.tx.handover()? else { return Ok(None) };
    let is_given = if pending.gives { call.tx.own()?.handed_to.is_some() } else { pending.accepted };
    // Who has confirmed to take the key waits for it as long as a message may take.
    let most = if pending.confirmed && !pending.gives { MAX_LATENCY } else { HANDOVER_EXPIRY };
    let is_over = !is_given && call.at.age.since(Age(pending.made_at)) > most;
    Ok((!is_over).then_some(pending))
}

/// Hears a step from an own, listed device. What does not belong to a hand-over that is under way with this very device changes nothing.
pub(super) fn hear(call: &mut Call<'_>, peer: &Peer, said: &Handover, at: HeardHandover) -> Result<Vec<Item>, Code> {
    if matches!(said.step, Step::Offer { .. } | Step::Cancel) && is_late(call, at)? {
        // A later offer has taken its place, or it was cancelled.
        return Ok(Vec::new());
    }
    if let Step::Offer { secret } = &said.step {
        return offered(call, peer, HandoverId(said.id), secret);
    }
    let is_meant = |pending: &PendingHandover| {
        pending.id.0 == said.id && pending.device == peer.device && pending.fingerprint == peer.party().fingerprint()
    };
    let Some(pending) = pending(call)?.filter(is_meant) else { return Ok(Vec::new()) };
    match &said.step {
        Step::Offer { .. } => {}
        Step::Accept if pending.gives => {
            call.tx.put_handover(&PendingHandover { accepted: true, ..pending })?;
            // The loop of requests goes on with it: nothing is said while something is heard.
            let counters = call.tx.counters()?;
            call.tx.put_counters(&Counters { lagging: true, ..counters })?;
        }
        Step::Key { seed } if !pending.gives && pending.confirmed => take_key(call, pending, seed)?,
        Step::Cancel if pending.gives || !pending.accepted => forget(call)?,
        // What there is to do was done on taking the list.
        Step::Accept | Step::Key { .. } | Step::Done | Step::Cancel => {}
    }
    Ok(Vec::new())
}

/// Notes an offer or a cancel of the primary; gives whether one that was said later was heard before it.
fn is_late(call: &mut Call<'_>, at: HeardHandover) -> Result<bool, Code> {
    if call.tx.own_list(call.user())?.list.primary != at.device {
        return Ok(false);
    }
    let own = call.tx.own()?;
    let is_late = own.heard_handover.is_some_and(|heard| at.is_before(&heard));
    let heard = Some(at.after(own.heard_handover));
    if heard != own.heard_handover {
        call.tx.put_own(&Own { heard_handover: heard, ..own })?;
    }
    Ok(is_late)
}

/// The primary offers its part. The app compares the digits; a later offer takes the place of this one.
fn offered(call: &mut Call<'_>, peer: &Peer, id: HandoverId, secret: &[u8; 32]) -> Result<Vec<Item>, Code> {
    let list = call.tx.own_list(call.user())?.list;
    if list.primary != peer.device || call.tx.own()?.account.is_some() {
        return Ok(Vec::new());
    }
    if pending(call)?.is_some_and(|pending| pending.id == id) {
        return Ok(Vec::new());
    }
    let secret = Shared::init_with(|to| *to = *secret);
    let digits = handover::digits(&secret, &id, [&peer.party(), &call.us.party]);
    call.tx.put_handover(&PendingHandover {
        id,
        device: peer.device,
        fingerprint: peer.party().fingerprint(),
        gives: false,
        digits,
        made_at: call.at.age.0,
        confirmed: false,
        accepted: false,
    })?;
    let (device, digits) = (peer.device, handover::text(digits));
    Ok(vec![Item::Event(Event::HandoverOffered { device, digits, handover: id })])
}

/// The account key has come. The list that names this device as the primary is signed once the server has shown that ours is the newest.
fn take_key(call: &mut Call<'_>, pending: PendingHandover, seed: &[u8; 32]) -> Result<(), Code> {
    // The part has gone to another device since, or came back from a backup: that one signs.
    if call.tx.own_list(call.user())?.list.primary != pending.device {
        return Ok(());
    }
    let seed = Shared::init_with(|to| *to = *seed);
    let mut own = call.tx.own()?;
    if *SigningKey::from_seed(seed.clone()).verifying_key().as_bytes() != own.account_key.0 {
        return Ok(());
    }
    own.account = Some(seed);
    call.tx.put_own(&own)?;
    call.tx.put_handover(&PendingHandover { accepted: true, ..pending })?;
    lists::want(call, call.user())
}

/// The hand-over has ended without a new primary: this device goes on as it was, and what has not gone out does not go.
pub(crate) fn forget(call: &mut Call<'_>) -> Result<(), Code> {
    let mut own = call.tx.own()?;
    if own.handed_to.take().is_some() {
        call.tx.put_own(&own)?;
    }
    call.tx.delete(Places::only(Kind::Handover));
    let us = call.user().clone();
    sends::withdraw_handover(&mut call.tx, &us)
}
