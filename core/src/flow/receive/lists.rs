//! What a content says of device lists (X 5): the sender's list is taken, claims are compared.

use super::content::HeardPrelude;
use crate::{
    error::Code,
    event::{Event, Item},
    flow::{lists, send},
    keys::device_list::VerifiedDeviceList,
    model::{Peer, User},
    registry::trust,
    tx::Call,
    wire::content::{ListClaim, Prelude},
};

/// Verifies the list that rides along with a content of `peer`, if there is one.
pub(super) fn riding(call: &Call<'_>, peer: &Peer, prelude: &Prelude) -> Result<Option<VerifiedDeviceList>, Code> {
    let riding = prelude.list.as_slice();
    if riding.is_empty() { Ok(None) } else { lists::verify(&call.tx, &peer.user, riding).map(Some) }
}

/// Hears the prelude of a content that `peer` has sent, and the list that rides along with it.
pub(super) fn hear(
    call: &mut Call<'_>,
    peer: &mut Peer,
    prelude: &Prelude,
    riding: Option<&VerifiedDeviceList>,
) -> Result<HeardPrelude, Code> {
    let mut events = Vec::new();
    if let Some(list) = riding {
        if list.user != peer.user || list.account() != peer.account_key {
            return Err(Code::WrongUser);
        }
        // An older list than ours in an honest message is only late.
        let taken = lists::take(call, list)?;
        events.extend(taken.into_iter().filter(|event| !matches!(event, Event::DeviceListRollback { .. })));
        if let Some(known) = call.tx.peer(&peer.user, peer.device)? {
            peer.stale_since = known.stale_since;
        }
    }
    let user = call.tx.known(&peer.user)?.ok_or(Code::NotListed)?;
    // What a device says under an account key that is no longer pinned is not this user's word.
    if user.account_key != peer.account_key {
        return Err(Code::IdentityChanged);
    }
    // A removed device has no say on what list is newest.
    if peer.stale_since.is_none()
        && let Some(newer) = trust::note_claim(&user, &prelude.my_list)
    {
        call.tx.put_user(&newer)?;
    }
    // With the list itself at hand its evidence says more than the claim.
    if !events.iter().any(|event| matches!(event, Event::DeviceListFork { .. })) {
        events.extend(compare(call, &user, &prelude.my_list)?);
    }
    let own = call.tx.known(call.user())?.ok_or(Code::RecordInconsistent)?;
    if own.user != user.user {
        events.extend(compare(call, &own, &prelude.your_list)?);
    }
    let of_epoch = own.list.as_ref().and_then(|list| list.hash_of(prelude.your_list.epoch));
    if of_epoch.is_some_and(|hash| hash.starts_with(&prelude.your_list.hash)) {
        peer.knows_epoch = peer.knows_epoch.max(prelude.your_list.epoch);
    }
    let user = call.tx.known(&peer.user)?.ok_or(Code::NotListed)?;
    Ok(HeardPrelude { items: events.into_iter().map(Item::Event).collect(), user })
}

/// A claim about a list that we know: another hash is a fork that somebody was shown (A03).
fn compare(call: &Call<'_>, user: &User, claim: &ListClaim) -> Result<Option<Event>, Code> {
    let known = user.list.as_ref().and_then(|list| list.hash_of(claim.epoch));
    if claim.epoch == 0 || known.is_none_or(|hash| hash.starts_with(&claim.hash)) {
        return Ok(None);
    }
    let known = call.tx.signed_list(&user.user)?;
    Ok(Some(Event::DeviceListFork { user: user.user.clone(), known, other: Vec::new() }))
}

/// Open sends follow a list that has changed; only after the step is written, because they may use the same session.
pub(super) fn follow(call: &mut Call<'_>, items: &[Item]) -> Result<(), Code> {
    for item in items {
        if let Item::Event(Event::DeviceListChanged { user, .. } | Event::DeviceListFork { user, .. }) = item {
            send::follow_user(call, user)?;
        }
    }
    Ok(())
}
