//! A request is made of a piece of work: its body from the store, its signature for this minute.

use super::{
    choose::{self, Choice},
    link,
    queue::Queue,
    state::{Given, LENT, Next, Requests, Work, kind},
};
use crate::{
    context::Timestamp,
    error::{Code, Error},
    event::{Header, Item, ServerRequest},
    flow::{
        send::outbox,
        upkeep::{damage, publish, removal, tick},
    },
    ids::{DeviceId, PublicationId, RequestId, SendId, UserId},
    limits::MAX_SUBMITTED,
    record::{PendingUpload, SendPart},
    store::{Kind, Places},
    threads,
    tx::{
        Call, Ready, inbox,
        sends::{self, Sending},
    },
    wire::{
        auth::{self, Auth, Caller, Signed},
        request::{self as form, Path},
    },
};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

/// Does what is due by time, and makes the next request, if there is work.
pub(crate) fn next(call: &mut Call<'_>, requests: &Requests) -> Result<Next, Error> {
    let newest_send = call.tx.counters()?.last_send;
    let mut next = Next { newest_send, seen: call.tx.generation()?, ..Next::default() };
    // Mail or another process may have said so before any answer did.
    if removal::notice(call)? {
        next.over = Some(Code::RemovedFromAccount);
        return Ok(next);
    }
    if let Some(code) = choose::ended(call)? {
        next.over = Some(code);
        return Ok(next);
    }
    if let Some(kept) = tick::if_due(call)? {
        next.kept = kept.sends;
        for event in kept.events {
            inbox::put(&mut call.tx, &Item::Event(event))?;
        }
    }
    if requests.pause.left(call.now()) > 0 {
        return Ok(next);
    }
    let generation = call.tx.generation()?;
    // What another call, another process or housekeeping has changed is looked at anew.
    let known = requests.queue.as_ref().filter(|queue| queue.generation == generation && !next.kept);
    if known.is_none() {
        next.queue = Some(Queue::survey(call)?);
    }
    let queue = known.or(next.queue.as_ref()).ok_or(Code::Internal)?;
    next.given = match first(call, requests, queue) {
        // Something that was to go out does not open. What it belongs to ends, and the others go on.
        Err(error) if error.code.is_damage() => {
            damage::mend_all(call)?;
            next.kept = true;
            let queue = Queue::survey(call)?;
            let given = first(call, requests, &queue)?;
            next.queue = Some(queue);
            given
        }
        given => given?,
    };
    Ok(next)
}

/// The request for what comes first, if there is anything.
fn first(call: &mut Call<'_>, requests: &Requests, queue: &Queue) -> Result<Option<Given>, Error> {
    let work = match choose::next(call, requests, queue)? {
        None => None,
        Some(Choice::Work(work)) => Some(work),
        Some(Choice::Publish) => publish::publication(call, requests.stock)?.map(|upload| Work::Publication(upload.id)),
    };
    work.map(|work| give(call, requests, work)).transpose()
}

fn give(call: &mut Call<'_>, requests: &Requests, work: Work) -> Result<Given, Error> {
    let (work, body) = body(call, requests, work)?;
    let path = work.path();
    let mut headers = vec![Header { name: "Content-Type".into(), value: form::CONTENT_TYPE.into() }];
    // Whoever knows the box may write there: the new device has no user yet.
    if path != Path::Link {
        headers.push(Header { name: auth::HEADER.into(), value: sign(call, requests, path, &body)? });
    }
    let users = work.users().into_iter().collect();
    let request = ServerRequest { id: name(call), kind: kind(path), path: path.text().into(), headers, body, users };
    Ok(Given { request, work, until: Timestamp(call.now().0.saturating_add(LENT)) })
}

/// A name whose first bytes say which device gave it.
fn name(call: &mut Call<'_>) -> RequestId {
    let random: [u8; 12] = call.context.random();
    let mut name = [0; 16];
    name.iter_mut().zip(tag(call).into_iter().chain(random)).for_each(|(to, from)| *to = from);
    RequestId(name)
}

/// What the names of this device's requests begin with.
pub(super) fn tag(call: &Call<'_>) -> [u8; 4] {
    call.us.party.fingerprint().0.first_chunk().copied().unwrap_or_default()
}

fn sign(call: &mut Call<'_>, requests: &Requests, path: Path, body: &[u8]) -> Result<String, Error> {
    let server = call.tx.server()?;
    let time = call.now().0.saturating_add_signed(requests.offset);
    let caller = Caller { user: call.user().clone(), device: call.device(), time, nonce: call.context.random() };
    let signed = Signed { audience: &server.name, path, body };
    Ok(Auth::sign(&call.us.signing, caller, &signed).text()?)
}

/// The body of a request. Work that turned out to be smaller than it was chosen comes back as it is.
fn body(call: &mut Call<'_>, requests: &Requests, work: Work) -> Result<(Work, Vec<u8>), Error> {
    let body = match &work {
        Work::Submit(parts) => {
            let (parts, body) = submit(call, parts)?;
            return Ok((Work::Submit(parts), body));
        }
        Work::Bundles(devices) => bundles(devices)?,
        Work::Confirm(ids) => form::Confirm { through: 0, ids: ids.clone().into() }.encode()?,
        Work::Delete => delete(call, requests)?,
        Work::Link(post) => link::put(post)?,
        Work::Lists(users) => lists(call, users)?,
        Work::Mail { after, limit } => form::Mail { after: *after, limit: *limit }.encode()?,
        Work::Publication(id) => publication(call, id)?,
        Work::Push(value) => form::Push { value: value.clone().into() }.encode()?,
    };
    Ok((work, body))
}

/// The lists of these users, each with the hashes from the list that we hold, or from an older one that waits to be proved.
fn lists(call: &Call<'_>, users: &[UserId]) -> Result<Vec<u8>, Code> {
    let mut asked = Vec::with_capacity(users.len());
    for user in users {
        let known = match call.tx.known(user) {
            Err(code) if code.is_damage() => None,
            known => known?,
        };
        let waiting = known.as_ref().and_then(|user| user.fork.as_ref()).filter(|fork| !fork.told);
        let held = known.as_ref().map_or(0, |user| user.epoch());
        let from = waiting.map_or(held, |fork| fork.list.epoch.min(held));
        asked.push(form::Asked { user: user.clone(), from });
    }
    form::Lists { users: asked.into() }.encode()
}

fn bundles(devices: &[(UserId, DeviceId)]) -> Result<Vec<u8>, Code> {
    let wanted = |(user, device): &(UserId, DeviceId)| form::Wanted { user: user.clone(), device: *device };
    form::Bundles { devices: devices.iter().map(wanted).collect::<Vec<_>>().into() }.encode()
}

fn delete(call: &Call<'_>, requests: &Requests) -> Result<Vec<u8>, Code> {
    let account = call.tx.account()?.ok_or(Code::NotPrimary)?;
    let now = Timestamp(call.now().0.saturating_add_signed(requests.offset));
    form::Delete::sign(&account, &call.tx.server()?.name, call.user().clone(), now).encode()
}

/// The token goes with an upload until one has been taken.
fn publication(call: &Call<'_>, id: &PublicationId) -> Result<Vec<u8>, Code> {
    let waiting: Option<PendingUpload> = call.tx.get(&Places::only(Kind::Publication))?;
    let waiting = waiting.filter(|waiting| waiting.id == *id).ok_or(Code::Internal)?;
    let token = if call.tx.book()?.rotated_at.is_none() { call.tx.server()?.token } else { Vec::new() };
    form::Publish { token: token.into(), publication: waiting.bytes.into() }.encode()
}

/// The batches of these parts, as many as one request holds. Each envelope is computed from its recipe, always to the same bytes.
fn submit(call: &Call<'_>, parts: &[Ready]) -> Result<(Vec<Ready>, Vec<u8>), Error> {
    let mut sendings: BTreeMap<SendId, Sending> = BTreeMap::new();
    for ready in parts {
        if let Entry::Vacant(place) = sendings.entry(ready.send) {
            place.insert(sends::read(&call.tx, &ready.send)?.ok_or(Code::RecordInconsistent)?);
        }
    }
    let us = call.user();
    let (mut named, mut jobs, mut envelopes, mut bytes) = (Vec::new(), Vec::new(), 0, 0);
    for ready in parts {
        let sending = sendings.get(&ready.send).ok_or(Code::Internal)?;
        let part = sends::known_part(&call.tx, &ready.send, &ready.user)?.ok_or(Code::RecordInconsistent)?;
        bytes += outbox::length(sending, &part, us)?;
        if bytes > MAX_SUBMITTED && !jobs.is_empty() {
            break;
        }
        envelopes += part.entries.len();
        jobs.push((sending, part));
        named.push(ready.clone());
    }
    let batch = |(sending, part): (&Sending, Arc<SendPart>)| {
        outbox::batch(sending, &part, us).and_then(|batch| form::Batch::from(batch).encode())
    };
    let batches = threads::map(call.tx.threads(), envelopes, jobs, batch);
    Ok((named, form::Submit::encode_all(batches.into_iter().collect::<Result<_, Code>>()?)?))
}
