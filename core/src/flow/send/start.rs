//! A new send, and what carries open sends on when something about a user has changed.

use super::{outbox, part};
use crate::{
    error::{Code, Error},
    event::PendingSend,
    ids::{ContentId, DeviceId, Scope, SendId, UserId},
    record::{SendBody, SendHead, SendPart, SentTo, ToGroup},
    store::Kind,
    tx::{
        Call, ahead,
        sends::{self, Sending},
    },
    wire::padding,
};

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
}

/// Says something to users directly; our own user gets the transcript.
pub(crate) fn to_users(
    call: &mut Call<'_>,
    users: &[UserId],
    target: Option<DeviceId>,
    payload: &[u8],
    content_id: Option<ContentId>,
) -> Result<PendingSend, Error> {
    ahead::for_users(&call.tx, users, Scope::Direct, call.now())?;
    let users = users.iter().map(|user| sent_to(call, user)).collect::<Result<_, Code>>()?;
    let body = SendBody { payload: payload.to_vec(), welcome: Vec::new() };
    let id = start(call, Message { users, target, group: None, content_id, body })?;
    outbox::view(call, &id)?.ok_or(Code::Internal.into())
}

/// Writes a new send and encrypts for every device that has a usable session.
pub(crate) fn start(call: &mut Call<'_>, message: Message) -> Result<SendId, Error> {
    let Message { users, target, group, content_id, body } = message;
    let names: Vec<UserId> = users.iter().map(|to| to.user.clone()).collect();
    let scope = group.as_ref().map_or(Scope::Direct, |to| to.scope);
    ahead::for_users(&call.tx, &names, scope, call.now())?;
    let own = call.tx.own_list(call.user())?;
    own.list.device(call.device()).ok_or(Code::NotListed)?;
    let id = SendId(call.context.random());
    let content_id = content_id.unwrap_or_else(|| ContentId(call.context.random()));
    let head = SendHead { content_id, sent_at: call.now().0, users, target, group };
    let sending = Sending { head, body };
    sends::put(&mut call.tx, &id, &sending)?;
    let places = call.tx.places();
    let mut keys = Vec::new();
    for user in &names {
        keys.extend([places.user(Kind::User, user), places.user(Kind::List, user), places.part(user, &id)]);
    }
    call.tx.prefetch_missing(&keys)?;
    for user in names {
        let key = places.part(&user, &id);
        let mut part = SendPart::new(user);
        part::advance(call, &sending, &mut part, &own)?;
        if part.skips.iter().any(|skip| skip.reason == Code::TooLarge.number()) {
            return Err(Error::of(Code::TooLarge, "payload"));
        }
        call.tx.put(key, &part)?;
    }
    Ok(id)
}

/// Something about a user has changed: every open part of that user is encrypted as far as it goes.
pub(crate) fn follow_user(call: &mut Call<'_>, user: &UserId) -> Result<(), Code> {
    let own = call.tx.own_list(call.user())?;
    for sends::Part { key, send, mut part } in sends::parts(&call.tx, user)? {
        let sending = sends::read(&call.tx, &send)?.ok_or(Code::RecordInconsistent)?;
        part::advance(call, &sending, &mut part, &own)?;
        call.tx.put(key, &part)?;
    }
    Ok(())
}

/// The app's bytes fit the largest step of the padding.
pub(crate) fn check_payload(payload: &[u8]) -> Result<(), Error> {
    match padding::padded_len(payload.len(), padding::room(0), 0) {
        Ok(_) => Ok(()),
        Err(code) => Err(Error::of(code, "payload")),
    }
}

/// A recipient with our pin; our own devices need none for their own user.
fn sent_to(call: &Call<'_>, user: &UserId) -> Result<SentTo, Code> {
    let known = call.tx.user(user)?.filter(|known| known.user != *call.user());
    Ok(SentTo {
        user: user.clone(),
        account_key: known.as_ref().map(|known| known.account_key),
        verified: known.is_some_and(|known| known.verified),
        welcome: false,
    })
}
