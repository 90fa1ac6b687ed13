//! Sending: one call, a batch for each user (Sesame 3.3; D8).

use super::{Device, outbox, warm, work::Work};
use crate::{
    context::Context,
    error::{Code, Error},
    event::{Recipients, Send},
    ids::{ContentId, DeviceId, Scope, SendId, UserId},
    limits::MAX_RECIPIENTS,
    record::{SendBody, SendHead, SendPart, SentTo, ToGroup},
    store::{Kind, Places},
    wire::padding,
};

impl Device {
    /// Encrypts `payload` for every device of every recipient, and a transcript for the user's own other devices. Recipients are users, or
    /// one group: its members then get it in ratchets of the group's own (D5).
    ///
    /// What is missing comes back as needs; what can be encrypted is, at once. `content_id` is the app's own id, or `None` for a
    /// fresh one. Nothing is returned before it is committed; after a crash [`Device::outbox`] gives the same bytes.
    ///
    /// # Errors
    /// [`Code::EmptyBatch`] without recipient; [`Code::TooMany`]; [`Code::TooLarge`] when the payload fits no step of the padding;
    /// [`Code::NotListed`] when this device is not on its own user's list; [`Code::UnknownGroup`] or [`Code::NotAMember`]; the store's. Then
    /// nothing has changed.
    pub fn batch_encrypt<'r>(
        &self,
        context: &mut Context<'_>,
        to: impl Into<Recipients<'r>>,
        payload: &[u8],
        content_id: Option<ContentId>,
    ) -> Result<Send, Error> {
        let recipients = match to.into() {
            Recipients::Users(users) => users,
            Recipients::Group(group) => return self.send_to_group(context, group, payload, content_id),
        };
        if recipients.is_empty() {
            return Err(Error::of(Code::EmptyBatch, "recipients"));
        }
        if recipients.len() > MAX_RECIPIENTS {
            return Err(Error::of(Code::TooMany, "recipients"));
        }
        let mut users: Vec<UserId> = Vec::with_capacity(recipients.len() + 1);
        for user in recipients.iter().filter(|user| *user != self.user()) {
            if !users.contains(user) {
                users.push(user.clone());
            }
        }
        users.push(self.user().clone());
        self.send(context, users, None, payload, content_id)
    }

    /// Encrypts `payload` for one device alone, without a transcript: control messages, receipts.
    ///
    /// # Errors
    /// As [`Device::batch_encrypt`].
    pub fn encrypt_to(
        &self,
        context: &mut Context<'_>,
        user: &UserId,
        device: DeviceId,
        payload: &[u8],
    ) -> Result<Send, Error> {
        if (user, device) == self.us() {
            return Err(Error::of(Code::InvalidArgument, "device"));
        }
        self.send(context, vec![user.clone()], Some(device), payload, None)
    }

    fn send(
        &self,
        context: &mut Context<'_>,
        users: Vec<UserId>,
        target: Option<DeviceId>,
        payload: &[u8],
        content_id: Option<ContentId>,
    ) -> Result<Send, Error> {
        check_payload(payload)?;
        self.run(context, |work, context| {
            warm::for_users(work, &users, Scope::Direct, context.now)?;
            let users = users.iter().map(|user| sent_to(work, user, self.user())).collect::<Result<_, Code>>()?;
            let body = SendBody { payload: payload.to_vec(), welcome: Vec::new() };
            let id = self.start(work, context, (users, target, None, content_id), &body)?;
            outbox::view(self, work, context.now, &id)?.ok_or(Code::Internal.into())
        })
    }

    /// Writes a new send and takes it as far as it goes.
    pub(super) fn start(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        (users, target, group, content_id): (Vec<SentTo>, Option<DeviceId>, Option<ToGroup>, Option<ContentId>),
        body: &SendBody,
    ) -> Result<SendId, Error> {
        let names: Vec<UserId> = users.iter().map(|to| to.user.clone()).collect();
        let scope = group.as_ref().map_or(Scope::Direct, |to| to.scope);
        warm::for_users(work, &names, scope, context.now)?;
        let own = self.own_list(work)?;
        own.list.device(self.id()).ok_or(Code::NotListed)?;
        let id = SendId(context.random());
        let content_id = content_id.unwrap_or_else(|| ContentId(context.random()));
        let head = SendHead { content_id, sent_at: context.now.0, users, target, group };
        work.put(Places::send(Kind::SendHead, &id), &head)?;
        work.put(Places::send(Kind::SendBody, &id), body)?;
        let places = work.places();
        let keys = head.users.iter().flat_map(|to| {
            [places.user(Kind::User, &to.user), places.user(Kind::List, &to.user), places.part(&to.user, &id)]
        });
        work.prefetch_missing(&keys.collect::<Vec<_>>())?;
        for SentTo { user, .. } in &head.users {
            let mut part = SendPart::new(user.clone());
            self.advance(work, context, (&head, body), &mut part, &own)?;
            if part.skips.iter().any(|skip| skip.reason == Code::TooLarge.number()) {
                return Err(Error::of(Code::TooLarge, "payload"));
            }
            work.put(work.places().part(user, &id), &part)?;
        }
        Ok(id)
    }

    /// Something about a user has changed: every open part of it is taken as far as it goes.
    pub(super) fn advance_user(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        user: &UserId,
    ) -> Result<(), Code> {
        let own = self.own_list(work)?;
        for key in work.keys(&work.places().user(Kind::SendPart, user))? {
            let id = Places::send_of(&key)?;
            let Some(mut part) = work.get::<SendPart>(&key)? else { continue };
            let (head, body) = outbox::read(work, &id)?.ok_or(Code::RecordInconsistent)?;
            self.advance(work, context, (&head, &body), &mut part, &own)?;
            work.put(key, &part)?;
        }
        Ok(())
    }
}

/// The app's bytes fit the largest step of the padding.
pub(super) fn check_payload(payload: &[u8]) -> Result<(), Error> {
    let fits = padding::padded_len(payload.len(), padding::room(0), 0);
    fits.map(drop).map_err(|code| Error::of(code, "payload"))
}

/// A recipient with our pin; our own devices need none for their own user.
fn sent_to(work: &Work<'_>, user: &UserId, us: &UserId) -> Result<SentTo, Code> {
    let known = work.user(user)?.filter(|known| known.user != *us);
    Ok(SentTo {
        user: user.clone(),
        account_key: known.as_ref().map(|known| known.account_key),
        verified: known.is_some_and(|known| known.verified),
        welcome: false,
    })
}
