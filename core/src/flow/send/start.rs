//! A new send, and what carries open sends on when something about a user has changed.

use super::{part, together};
use crate::{
    crypto::kdf::{join, sha256},
    error::{Code, Error},
    event::PendingSend,
    ids::{ContentId, DeviceId, Scope, UserId},
    limits::MAX_PAYLOAD,
    record::{PartState, Says, SendBody, SendHead, SentTo, ToGroup},
    store::Kind,
    tx::{
        Call, Ready, ahead,
        call::Waiting,
        ledger,
        own::OwnList,
        sends::{self, Sending},
    },
    wire::handover::Handover,
};
use std::sync::Arc;

/// What is to be said, and to whom.
pub(crate) struct Message {
    /// The users, our own last.
    pub(crate) users: Vec<SentTo>,
    /// The only device of a targeted message.
    pub(crate) target: Option<DeviceId>,
    /// What all recipients of a group's message have in common.
    pub(crate) group: Option<ToGroup>,
    /// The app's name for the message, or `None` for a fresh one.
    pub(crate) content_id: Option<ContentId>,
    /// The payload, or operations.
    pub(crate) body: SendBody,
    /// Whether the library says this by itself, so that its end is no event.
    pub(crate) quiet: bool,
    /// What it says.
    pub(crate) says: Says,
}

/// Asks the user's primary to remove this device (X 5). All own devices get it, since nobody knows which of them is the primary.
pub(crate) fn departure(call: &mut Call<'_>) -> Result<PendingSend, Error> {
    if call.tx.is_primary()? {
        let advice = "the primary does not log out: hand its part over to another device first, or delete the account";
        return Err(Error::of(Code::InvalidArgument, "device").so(advice));
    }
    let us = call.user().clone();
    let users = vec![sent_to(call, &us)?];
    let body = SendBody { payload: Vec::new(), welcome: Vec::new() };
    start(
        call,
        Message { users, target: None, group: None, content_id: None, body, quiet: false, says: Says::Departure },
    )
}

/// A step of a hand-over, for the other device alone. The library says it by itself.
pub(crate) fn handover(call: &mut Call<'_>, device: DeviceId, step: &Handover) -> Result<(), Error> {
    let us = call.user().clone();
    let users = vec![sent_to(call, &us)?];
    let body = SendBody { payload: step.encode()?, welcome: Vec::new() };
    let (target, says) = (Some(device), Says::Handover);
    start(call, Message { users, target, group: None, content_id: None, body, quiet: true, says })?;
    Ok(())
}

/// Something that the library says to one device by itself.
pub(crate) fn quietly(
    call: &mut Call<'_>,
    (user, device): (&UserId, DeviceId),
    group: Option<ToGroup>,
    (body, says): (SendBody, Says),
) -> Result<(), Error> {
    let users = vec![sent_to(call, user)?];
    start(call, Message { users, target: Some(device), group, content_id: None, body, quiet: true, says })?;
    Ok(())
}

/// Says something to users directly; our own user gets the transcript.
pub(crate) fn to_users(
    call: &mut Call<'_>,
    users: &[UserId],
    target: Option<DeviceId>,
    payload: &[u8],
    content_id: Option<ContentId>,
) -> Result<PendingSend, Error> {
    let places = |user| [Kind::User, Kind::Ledger].map(|kind| call.tx.places().user(kind, user));
    call.tx.prefetch_missing(&users.iter().flat_map(places).collect::<Vec<_>>())?;
    let us = call.user();
    for user in users.iter().filter(|user| *user != us) {
        ledger::make_known(&mut call.tx, user)?;
    }
    let users = users.iter().map(|user| sent_to(call, user)).collect::<Result<_, Code>>()?;
    let body = SendBody { payload: payload.to_vec(), welcome: Vec::new() };
    start(call, Message { users, target, group: None, content_id, body, quiet: false, says: Says::Payload })
}

/// A hash of what a send was called with.
fn arguments(message: &Message) -> [u8; 32] {
    let target = message.target.map_or_else(Vec::new, |device| device.0.to_be_bytes().to_vec());
    let group = message.group.and_then(|to| to.scope.group()).map_or_else(Vec::new, |id| id.0.to_vec());
    let mut fields: Vec<&[u8]> = vec![&target, &group, &message.body.payload];
    // The members of a group may change between two calls; the group is the argument.
    if group.is_empty() {
        fields.extend(message.users.iter().map(|to| to.user.as_bytes()));
    }
    sha256(&join(&fields))
}

/// The send that a repeated call began.
fn repeated(call: &Call<'_>, content_id: &ContentId, arguments: &[u8; 32]) -> Result<Option<PendingSend>, Error> {
    let Some(id) = sends::by_content(&call.tx, content_id)? else { return Ok(None) };
    let head = sends::head(&call.tx, &id)?.ok_or(Code::RecordInconsistent)?;
    if head.arguments != *arguments {
        return Err(Error::of(Code::ContentIdInUse, "content_id"));
    }
    Ok(Some(PendingSend { id, content_id: *content_id }))
}

/// Writes a new send and encrypts for every device that has a usable session. A call that is repeated with its content id begins nothing.
pub(crate) fn start(call: &mut Call<'_>, message: Message) -> Result<PendingSend, Error> {
    let arguments = arguments(&message);
    if let Some(content_id) = &message.content_id
        && let Some(send) = repeated(call, content_id, &arguments)?
    {
        return Ok(send);
    }
    let Message { users, target, group, content_id, body, quiet, says } = message;
    let names: Vec<UserId> = users.iter().map(|to| to.user.clone()).collect();
    let scope = group.as_ref().map_or(Scope::Direct, |to| to.scope);
    let ahead = ahead::for_users(&call.tx, &names, scope, call.at)?;
    let own = call.tx.own_list(call.user())?;
    check_account(call, &own)?;
    let content_id = content_id.unwrap_or_else(|| ContentId(call.context.random()));
    let head = SendHead { content_id, sent_at: call.now().0, users, target, group, quiet, says, arguments };
    let sending = Sending::new(Arc::new(head), Arc::new(body));
    let random = call.context.random();
    let id = sends::create(&mut call.tx, &call.us.party.user, (random, call.at.age), &sending)?;
    for (part, needs) in together::begin(call, &sending, &own, names.into_iter().zip(ahead))? {
        if part.skips.iter().any(|skip| skip.reason == Code::TooLarge.number()) {
            return Err(Error::of(Code::PayloadTooLarge, "payload"));
        }
        let is_own = part.user == *call.user();
        if let Some(begun) = &mut call.begun {
            let is_open = part.state == PartState::Open;
            let is_ready = is_open && needs.is_empty();
            let needs = if is_open { needs } else { Vec::new() };
            let part = Ready { send: id, is_own, user: part.user.clone() };
            begun.parts.push(Waiting { part, is_ready, needs });
        }
        sends::put_part(&mut call.tx, &call.us.party.user, &id, part)?;
    }
    Ok(PendingSend { id, content_id })
}

/// There is an account to send from, and this device belongs to it.
pub(crate) fn check_account(call: &Call<'_>, own: &OwnList) -> Result<(), Code> {
    let (is_listed, server) = (own.list.device(call.device()).is_some(), call.tx.server()?);
    if server.refused {
        return Err(Code::RegistrationRefused);
    }
    if is_listed && !server.delete && !server.deleted { Ok(()) } else { Err(Code::DeviceRemoved) }
}

/// Something about a user has changed: every open part of that user is encrypted as far as it goes.
pub(crate) fn follow_user(call: &mut Call<'_>, user: &UserId) -> Result<(), Code> {
    let own = call.tx.own_list(call.user())?;
    for sends::Part { send, mut part } in sends::open_parts(&call.tx, user)? {
        call.one(|call| {
            let sending = sends::read(&call.tx, &send)?.ok_or(Code::RecordInconsistent)?;
            part::advance(call, &sending, &mut part, &own)?;
            Ok(sends::put_part(&mut call.tx, &call.us.party.user, &send, part)?)
        })
        .map_err(|error| error.code)?;
    }
    Ok(())
}

/// The app's bytes are within the limit, so that no list and no transcript beside them makes the message too large.
pub(crate) fn check_payload(payload: &[u8]) -> Result<(), Error> {
    if payload.len() > MAX_PAYLOAD {
        return Err(Error::of(Code::PayloadTooLarge, "payload"));
    }
    Ok(())
}

/// A recipient with our pin; our own devices need none for their own user.
fn sent_to(call: &Call<'_>, user: &UserId) -> Result<SentTo, Code> {
    // If it cannot be read the part fails, and it alone.
    let known = call.tx.readable(user)?.filter(|known| known.user != *call.user());
    Ok(SentTo {
        user: user.clone(),
        account_key: known.as_ref().map(|known| known.account_key),
        also: Vec::new(),
        verified: known.is_some_and(|known| known.verified),
        welcome: false,
    })
}
