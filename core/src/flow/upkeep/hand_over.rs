//! A hand-over of the primary's part to another own device: what the apps of both say, and what follows (X 7).
//!
//! What is heard from the other device is in `receive::hand_over`.

use super::own_list;
use crate::{
    agreement::handover,
    error::{Code, Error},
    event::HandoverView,
    flow::{receive::hand_over, send},
    ids::{DeviceId, HandoverId},
    record::{Counters, PendingHandover},
    secret::Shared,
    store::{Kind, Places},
    tx::{Call, own::Primary},
    wire::handover::{Handover, Step},
};

fn view(pending: &PendingHandover) -> HandoverView {
    HandoverView { id: pending.id, device: pending.device, digits: handover::text(pending.digits) }
}

/// The primary offers its part to a listed device. The same call again gives the same hand-over; another device ends it and begins another one.
pub(crate) fn begin(call: &mut Call<'_>, device: DeviceId) -> Result<HandoverView, Error> {
    let under_way = hand_over::pending(call)?.filter(|pending| pending.gives);
    if let Some(given) = under_way.as_ref().filter(|given| given.device == device)
        && call.tx.own()?.handed_to.is_some()
    {
        // So an app that has lost its name can give it up.
        return Ok(view(given));
    }
    let Primary { own, .. } = call.tx.primary()?;
    own_list::check_adopted(call)?;
    if device == own.device {
        return Err(Error::of(Code::InvalidArgument, "device"));
    }
    let list = call.tx.own_list(call.user())?.list;
    // Who has just got the part hands it on once the list says so.
    if list.primary != own.device {
        return Err(Code::NotPrimary.into());
    }
    let listed = list.device(device).ok_or(Error::of(Code::UnknownDevice, "device"))?;
    let other = listed.party(call.user(), call.us.party.account_key);
    let fingerprint = other.fingerprint();
    if let Some(pending) = under_way {
        if (pending.device, pending.fingerprint) == (device, fingerprint) {
            return Ok(view(&pending));
        }
        say(call, &pending, Step::Cancel)?;
    }
    let id = HandoverId(call.context.random());
    let secret = Shared::init_with(|secret| call.context.rng.fill_bytes(secret));
    let pending = PendingHandover {
        id,
        device,
        fingerprint,
        gives: true,
        digits: handover::digits(&secret, &id, [&call.us.party, &other]),
        made_at: call.at.age.0,
        confirmed: false,
        accepted: false,
    };
    call.tx.put_handover(&pending)?;
    say(call, &pending, Step::Offer { secret: *secret.expose() })?;
    Ok(view(&pending))
}

/// The user has seen the same digits on both devices.
pub(crate) fn confirm(call: &mut Call<'_>, id: &HandoverId) -> Result<(), Error> {
    let advice = "it was cancelled, replaced, finished, or begun more than a day ago: the primary begins another one";
    let pending = named(call, id)?.ok_or(Error::of(Code::HandoverEnded, "handover").so(advice))?;
    if pending.confirmed {
        return Ok(());
    }
    let pending = PendingHandover { confirmed: true, ..pending };
    call.tx.put_handover(&pending)?;
    if pending.gives { go_on(call) } else { say(call, &pending, Step::Accept) }
}

/// The app gives it up, for example because the digits differ. One that is not known is no error.
pub(crate) fn cancel(call: &mut Call<'_>, id: &HandoverId) -> Result<(), Error> {
    // A device that has got the key does not give it back.
    let is_open = |pending: &PendingHandover| pending.gives || !pending.accepted;
    let Some(pending) = named(call, id)?.filter(is_open) else {
        // The row of a hand-over in which the key was sent may have been lost.
        let is_orphan = hand_over::pending(call)?.is_none() && call.tx.own()?.handed_to.is_some();
        return if is_orphan { Ok(hand_over::forget(call)?) } else { Ok(()) };
    };
    hand_over::forget(call)?;
    say(call, &pending, Step::Cancel)
}

fn named(call: &Call<'_>, id: &HandoverId) -> Result<Option<PendingHandover>, Code> {
    Ok(hand_over::pending(call)?.filter(|pending| pending.id == *id))
}

fn say(call: &mut Call<'_>, pending: &PendingHandover, step: Step) -> Result<(), Error> {
    send::handover(call, pending.device, &Handover { id: pending.id.0, step })
}

/// Once this device has signed the list that names it as the primary, the former one hears it with that list.
pub(crate) fn tell(call: &mut Call<'_>) -> Result<(), Error> {
    let Some(pending) = hand_over::pending(call)?.filter(|pending| !pending.gives && pending.accepted) else {
        return Ok(());
    };
    let list = call.tx.own_list(call.user())?.list;
    if list.primary != call.device() {
        return Ok(());
    }
    call.tx.delete(Places::only(Kind::Handover));
    if list.device(pending.device).is_some() { say(call, &pending, Step::Done) } else { Ok(()) }
}

/// Sends the account key, once the apps of both devices have confirmed and the server has our newest list. From then on this device signs nothing.
pub(super) fn go_on(call: &mut Call<'_>) -> Result<(), Error> {
    let is_ready = |pending: &PendingHandover| pending.gives && pending.confirmed && pending.accepted;
    let Some(pending) = hand_over::pending(call)?.filter(is_ready) else { return Ok(()) };
    let mut own = call.tx.own()?;
    if !own.is_primary() || own_list::is_ahead(call)? {
        return Ok(());
    }
    let list = call.tx.own_list(call.user())?.list;
    if call.tx.book()?.published_epoch < list.epoch {
        // A link that waits for it would never end. The loop comes again.
        let counters = call.tx.counters()?;
        return Ok(call.tx.put_counters(&Counters { lagging: true, ..counters })?);
    }
    // With other keys, or off the list, it is not the device that the user has seen.
    let party = list.device(pending.device).map(|listed| listed.party(call.user(), call.us.party.account_key));
    let is_same = party.is_some_and(|party| party.fingerprint() == pending.fingerprint);
    let Some(seed) = own.account.clone().filter(|_| is_same) else {
        call.tx.delete(Places::only(Kind::Handover));
        return Ok(());
    };
    own.handed_to = Some(pending.device);
    call.tx.put_own(&own)?;
    say(call, &pending, Step::Key { seed: *seed.expose() })
}
