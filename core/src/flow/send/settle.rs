//! The server's answer to a batch, and what it gave for needs (Sesame 3.3; X 5, X 6).

use super::{
    needs::{Answers, Applied, Refusal, Rejection},
    start,
};
use crate::{
    error::{Blame, Code, Error},
    event::Event,
    flow::lists::{self, Source, Taken},
    ids::{DeviceId, ListHash, Scope, SendId, UserId},
    keys::{
        bundle::VerifiedBundle,
        device_list::{List, VerifiedDeviceList},
        party::DecodedParty,
    },
    model::{Fork, Peer},
    record::{PartState, SendPart},
    registry::send,
    session,
    tx::{
        Call, healing,
        sends::{self, Part},
        sessions,
    },
    wire::bundle::Bundle,
};
use std::collections::BTreeSet;

/// The server refused a user's batch, because its view differs from the list that it shows.
pub(crate) fn stale(
    call: &mut Call<'_>,
    send: &SendId,
    user: &UserId,
    offered: &VerifiedDeviceList,
) -> Result<Stale, Error> {
    let mut part = open_part(call, send, user)?;
    let (before, named) = (epoch(call, user)?, served(call, user)?);
    let Taken { mut events, .. } = lists::take(call, offered, Source::Server)?;
    let record = call.tx.user(user)?;
    let is_blocked = record.as_ref().is_some_and(|user| user.claimed_key.is_some());
    // A newer list that waits for its proof: the server is asked for that.
    let is_it = |fork: &Fork| !fork.told && fork.list.hash == offered.list.hash;
    let waits = record.as_ref().is_some_and(|user| user.fork.as_ref().is_some_and(is_it));
    // In a fork the server may have the other list, or have changed to it: the batch is made for that one.
    let is_newer = epoch(call, user)? > before || waits || served(call, user)? != named;
    // > its answer "your view is stale" counts only with a newer signed list, else `ServerInconsistent`
    if !is_newer && !is_blocked {
        events.push(Event::ServerInconsistent { user: user.clone() });
    }
    send::refused(&mut part);
    sends::put_part(&mut call.tx, &call.us.party.user, send, part)?;
    start::follow_user(call, user)?;
    Ok(Stale { events, is_newer })
}

/// What a refusal for a stale view came to.
pub(crate) struct Stale {
    pub(crate) events: Vec<Event>,
    /// Whether the list that came with it is newer than ours, taken or waiting for its proof; or, in a fork, another one than the batch named.
    pub(crate) is_newer: bool,
}

fn open_part(call: &Call<'_>, send: &SendId, user: &UserId) -> Result<SendPart, Error> {
    let part = sends::part(&call.tx, send, user)?.filter(|part| part.state == PartState::Open);
    part.ok_or(Error::of(Code::UnknownSend, "send"))
}

/// The server says that there is no such user: every send to the user fails, and the next one asks again.
pub(crate) fn unknown_user(call: &mut Call<'_>, user: &UserId) -> Result<(), Code> {
    pause(call, user)?;
    for Part { send, .. } in sends::open_parts(&call.tx, user)? {
        let state = PartState::Failed(Code::UnknownUser.number());
        sends::close(&mut call.tx, &call.us.party.user, &send, user, state)?;
    }
    Ok(())
}

/// The list in a rejection, verified.
pub(crate) fn shown_list(rejection: &Rejection, user: &UserId) -> Result<Option<VerifiedDeviceList>, Error> {
    let Rejection::Mismatch { device_list } = rejection else { return Ok(None) };
    let list = VerifiedDeviceList::verify(device_list).map_err(|code| Error::of(code, "device_list"))?;
    if list.user != *user {
        return Err(Error::of(Code::WrongUser, "device_list"));
    }
    Ok(Some(list))
}

/// > mark stale: keep the time of the *first* marking
fn pause(call: &mut Call<'_>, user: &UserId) -> Result<(), Code> {
    if let Some(mut record) = call.tx.user(user)? {
        record.stale_since = record.stale_since.or(Some(call.at.age.0));
        call.tx.put_user(&record)?;
    }
    Ok(())
}

/// What the server gave for needs, on its way through.
#[derive(Default)]
struct Applying {
    applied: Applied,
    /// Users whose sends may go on.
    touched: BTreeSet<UserId>,
    /// Devices that get nothing, and why.
    skips: Vec<(UserId, DeviceId, Code)>,
}

/// Takes in what the server gave for needs. Each item is taken or refused by itself.
pub(crate) fn apply(call: &mut Call<'_>, answers: &Answers) -> Result<Applied, Error> {
    let lists = answers.device_lists.iter().map(|signed| VerifiedDeviceList::verify(signed)).collect();
    apply_with(call, lists, answers)
}

/// The same, with device lists that the caller has verified or tried to, instead of those in the answers.
pub(crate) fn apply_with(
    call: &mut Call<'_>,
    lists: Vec<Result<VerifiedDeviceList, Code>>,
    answers: &Answers,
) -> Result<Applied, Error> {
    let mut applying = Applying::default();
    apply_lists(call, lists, &mut applying)?;
    apply_bundles(call, &answers.bundles, &mut applying)?;
    for (user, device) in &answers.without_bundle {
        applying.skips.push((user.clone(), *device, Code::UnknownPreKey));
        applying.touched.insert(user.clone());
    }
    for user in &answers.unknown_users {
        call.one(|call| Ok(unknown_user(call, user)?))?;
    }
    for (user, device, code) in &applying.skips {
        call.one(|call| Ok(skip(call, user, *device, *code)?))?;
    }
    for user in &applying.touched {
        call.one(|call| Ok(start::follow_user(call, user)?))?;
    }
    Ok(applying.applied)
}

fn apply_lists(
    call: &mut Call<'_>,
    lists: Vec<Result<VerifiedDeviceList, Code>>,
    applying: &mut Applying,
) -> Result<(), Error> {
    for (item, verified) in lists.into_iter().enumerate() {
        call.tx.begin_item();
        let taken = verified.and_then(|list| Ok((lists::take(call, &list, Source::Answer)?, list.user)));
        call.tx.end_item(taken.is_ok());
        match taken {
            Ok((taken, user)) => {
                applying.applied.events.extend(taken.events);
                applying.touched.insert(user);
            }
            Err(code) => refuse(&mut applying.applied, "device_lists", item, code)?,
        }
    }
    Ok(())
}

fn apply_bundles(call: &mut Call<'_>, bundles: &[Vec<u8>], applying: &mut Applying) -> Result<(), Error> {
    let mut seen: BTreeSet<(UserId, DeviceId)> = BTreeSet::new();
    for (item, bytes) in bundles.iter().enumerate() {
        let bundle = match Bundle::decode(bytes) {
            Ok(bundle) => bundle,
            Err(code) => {
                refuse(&mut applying.applied, "bundles", item, code)?;
                continue;
            }
        };
        let Some(user) = UserId::try_new(bundle.user.as_slice().to_vec()) else { continue };
        let device = DeviceId(bundle.device);
        call.tx.begin_item();
        let taken = if seen.insert((user.clone(), device)) {
            begin_session(call, &user, device, &bundle)
        } else {
            Err(Code::DuplicateDevice)
        };
        call.tx.end_item(taken.is_ok());
        match taken {
            Ok(event) => applying.applied.events.extend(event),
            Err(code) => {
                refuse(&mut applying.applied, "bundles", item, code)?;
                if code != Code::DuplicateDevice {
                    applying.skips.push((user.clone(), device, code));
                }
            }
        }
        applying.touched.insert(user);
    }
    Ok(())
}

/// prep(U, D, pk), Sesame 3.2: an initiating session, if none is usable.
fn begin_session(call: &mut Call<'_>, user: &UserId, device: DeviceId, bundle: &Bundle) -> Result<Option<Event>, Code> {
    let record = call.tx.user(user)?.ok_or(Code::BundleMismatch)?;
    if record.claimed_key.is_some() {
        return Err(Code::IdentityNotAccepted);
    }
    if !record.recipients(&call.us.party).iter().any(|listed| listed.id == device) {
        return Err(Code::BundleMismatch);
    }
    let theirs = DecodedParty::of(record.listed_party(device).ok_or(Code::BundleMismatch)?)?;
    let verified = VerifiedBundle::verify(bundle, &theirs, call.now())?;
    let mut peer = match call.tx.peer(user, device)?.filter(|peer| peer.is(theirs.party())) {
        Some(peer) => peer,
        None => Peer::new(call.us, &theirs)?,
    };
    if peer.active(Scope::Direct, call.at).is_some() {
        return Ok(None);
    }
    let mut healing = healing::of(&call.tx, user, device)?;
    let generation = if healing.resets {
        peer.reset_above(healing.floor, call.now())
    } else {
        peer.next_generation(Scope::Direct, call.now())
    };
    let mut session = session::initiate(call.us, &mut call.context, &verified, (generation, call.at.age))?;
    if core::mem::take(&mut healing.resets) {
        session.meta.reset = true;
        healing.floor = 0;
        healing::put(&mut call.tx, &healing)?;
    }
    sessions::insert(&mut call.tx, &mut peer, &mut session, call.context.now)?;
    call.tx.put_peer(&peer)?;
    Ok(verified.idle.then(|| Event::IdleDevice { user: user.clone(), device }))
}

/// Open parts that wait for this device's bundle go without it, and say so (X 6).
fn skip(call: &mut Call<'_>, user: &UserId, device: DeviceId, code: Code) -> Result<(), Code> {
    let Some(record) = call.tx.user(user)? else { return Ok(()) };
    let is_recipient = record.recipients(&call.us.party).iter().any(|listed| listed.id == device);
    let Some(fingerprint) = record.fingerprint(device).filter(|_| is_recipient) else { return Ok(()) };
    let is_usable = |peer: Peer| peer.is_listed(&record) && peer.active(Scope::Direct, call.at).is_some();
    if call.tx.peer(user, device)?.is_some_and(is_usable) {
        return Ok(());
    }
    for Part { send, mut part } in sends::open_parts(&call.tx, user)? {
        if !part.has_entry(device) {
            part.skip(device, fingerprint, code);
            sends::put_part(&mut call.tx, &call.us.party.user, &send, part)?;
        }
    }
    Ok(())
}

/// The list whose devices a batch names.
fn served(call: &Call<'_>, user: &UserId) -> Result<Option<ListHash>, Code> {
    Ok(call.tx.known(user)?.and_then(|user| user.served().map(List::name)))
}

fn epoch(call: &Call<'_>, user: &UserId) -> Result<u64, Code> {
    Ok(call.tx.user(user)?.map_or(0, |user| user.epoch()))
}

/// A store that fails ends the call; anything else concerns the item.
fn refuse(applied: &mut Applied, field: &'static str, item: usize, code: Code) -> Result<(), Error> {
    if code.blame() == Blame::Store && !code.is_damage() {
        return Err(code.into());
    }
    applied.refusals.push(Refusal { field, item, code });
    Ok(())
}
