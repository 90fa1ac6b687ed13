//! What a content says of device lists (X 5): the sender's list is taken, claims are compared.

use super::content::HeardPrelude;
use crate::{
    clock::Age,
    error::Code,
    event::{Event, Item},
    flow::{
        lists::{self, Source, Taken},
        send,
    },
    keys::device_list::{Shown, VerifiedDeviceList},
    limits::{ASK_AGAIN, MAX_RIDING_HASHES},
    model::{Peer, User},
    tx::Call,
    wire::content::{ListClaim, Prelude},
};

/// Verifies the list that rides along with a content of `peer`, if there is one.
pub(super) fn riding(call: &Call<'_>, peer: &Peer, prelude: &Prelude) -> Result<Option<VerifiedDeviceList>, Code> {
    let riding = prelude.list.as_slice();
    if riding.is_empty() {
        return Ok(None);
    }
    lists::verify_from(&call.tx, &peer.user, &shown(riding)?, None).map(Some)
}

/// Decodes a list that rides along: the room of its message has place for 16 hashes (X 10).
pub(super) fn shown(riding: &[u8]) -> Result<Shown, Code> {
    let shown = Shown::decode(riding)?;
    if shown.links() > MAX_RIDING_HASHES + 1 { Err(Code::NonCanonical) } else { Ok(shown) }
}

/// Hears the prelude of a content that `peer` has sent, and the list that rides along with it.
pub(super) fn hear(
    call: &mut Call<'_>,
    peer: &mut Peer,
    prelude: &Prelude,
    riding: Option<&VerifiedDeviceList>,
) -> Result<HeardPrelude, Code> {
    let (mut events, mut relation) = (Vec::new(), None);
    if let Some(list) = riding {
        if list.user != peer.user || list.account() != peer.account_key {
            return Err(Code::WrongUser);
        }
        let taken: Taken = lists::take(call, list, Source::Message)?;
        events = taken.events;
        relation = Some(taken.relation);
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
    if peer.stale_since.is_none() {
        ask_for(call, &user, &prelude.my_list)?;
    }
    let own = call.tx.own_list(call.user())?;
    let claim = &prelude.your_list;
    if own.list.is_passed_by(claim) {
        ask_for_own(call)?;
    }
    if claim.epoch > peer.knows_epoch && own.hash_of(claim.epoch).is_some_and(|hash| hash.starts_with(&claim.hash)) {
        peer.knows_epoch = claim.epoch;
    }
    Ok(HeardPrelude { items: events.into_iter().map(Item::Event).collect(), user, relation })
}

/// A claim of another list than ours makes us ask the server, once a day. It raises nothing and stops no send: only a signed list does.
fn ask_for(call: &mut Call<'_>, user: &User, claim: &ListClaim) -> Result<(), Code> {
    if !user.list.as_ref().is_none_or(|list| list.is_passed_by(claim)) {
        return Ok(());
    }
    if user.user == *call.user() {
        return ask_for_own(call);
    }
    if is_day_over(call, user.asked_at) {
        call.tx.put_user(&User { asked_at: call.at.age.0, ..user.clone() })?;
        lists::want(call, &user.user)?;
    }
    Ok(())
}

/// The same for our own list, whoever claims it (T3).
fn ask_for_own(call: &mut Call<'_>) -> Result<(), Code> {
    let mut server = call.tx.server()?;
    if is_day_over(call, server.own_asked_at) {
        server.own_asked_at = call.at.age.0;
        call.tx.put_server(&server)?;
        lists::want(call, call.user())?;
    }
    Ok(())
}

fn is_day_over(call: &Call<'_>, since: u64) -> bool {
    call.at.age.since(Age(since)) >= ASK_AGAIN
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
