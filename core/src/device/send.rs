//! Sending: one call for every device of every recipient, and what becomes of it (Sesame 3.3; D8).

use super::Device;
use crate::{
    context::Context,
    error::{Code, Error},
    event::{Batch, PendingSend, Recipients, SendStatus},
    flow::{
        group::act,
        requests::Requests,
        send::{self, outbox, outcome},
    },
    ids::{ContentId, DeviceId, SendId, UserId},
    limits::MAX_DIRECT_USERS,
    tx::sends,
};
use std::collections::BTreeSet;

impl Device {
    /// Encrypts `payload` for every device of every recipient, and a transcript for the user's own other devices. Recipients are users, or
    /// one group: its members then get it in ratchets of the group's own (D5).
    ///
    /// The send goes out by [`Device::next_request`], and ends with [`Event::SendFinished`](crate::event::Event::SendFinished) in the inbox.
    /// `content_id` is the app's own id, or `None` for a fresh one. A call that is repeated with the id of a send whose end the app has not
    /// acked is the same send.
    ///
    /// # Errors
    /// [`Code::EmptyBatch`] without recipient; [`Code::TooMany`] beyond 256 users; [`Code::PayloadTooLarge`] beyond 65,536 bytes;
    /// [`Code::ContentIdInUse`] when another send has this id; [`Code::DeviceRemoved`] when this device is not on its own user's list;
    /// [`Code::UnknownGroup`] or [`Code::NotAMember`]; the store's. Then nothing has changed.
    pub fn batch_encrypt<'r>(
        &self,
        context: &mut Context<'_>,
        to: impl Into<Recipients<'r>>,
        payload: &[u8],
        content_id: Option<ContentId>,
    ) -> Result<PendingSend, Error> {
        let users = match to.into() {
            Recipients::Users(users) => self.recipients(users)?,
            Recipients::Group(group) => {
                send::check_payload(payload)?;
                return self.call_begun(context, |call| act::send(call, &group, payload, content_id));
            }
        };
        send::check_payload(payload)?;
        self.call_begun(context, |call| send::to_users(call, &users, None, payload, content_id))
    }

    /// The recipients of a direct send, each once and rising, and our own user last. The batches go out in this order, as those of a group do.
    fn recipients(&self, named: &[UserId]) -> Result<Vec<UserId>, Error> {
        if named.is_empty() {
            return Err(Error::of(Code::EmptyBatch, "recipients"));
        }
        let others: BTreeSet<&UserId> = named.iter().filter(|user| *user != self.user()).collect();
        if others.len() > MAX_DIRECT_USERS {
            return Err(Error::of(Code::TooMany, "recipients"));
        }
        Ok(others.into_iter().chain([self.user()]).cloned().collect())
    }

    /// Encrypts `payload` for one device alone, without a transcript: control messages, receipts.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for this device itself; as [`Device::batch_encrypt`].
    pub fn encrypt_to(
        &self,
        context: &mut Context<'_>,
        user: &UserId,
        device: DeviceId,
        payload: &[u8],
    ) -> Result<PendingSend, Error> {
        if self.keys.party.is_device(user, device) {
            return Err(Error::of(Code::InvalidArgument, "device"));
        }
        send::check_payload(payload)?;
        self.call_begun(context, |call| send::to_users(call, core::slice::from_ref(user), Some(device), payload, None))
    }

    /// How a send stands; `None` once the app has acked its end.
    ///
    /// # Errors
    /// The store's.
    pub fn send_status(&self, context: &mut Context<'_>, send: &SendId) -> Result<Option<SendStatus>, Error> {
        self.call(context, |call| Ok(outcome::status(call, send)?))
    }

    /// How the send with the app's own id stands; `None` once the app has acked its end.
    ///
    /// # Errors
    /// The store's.
    pub fn send_with(&self, context: &mut Context<'_>, content_id: &ContentId) -> Result<Option<SendStatus>, Error> {
        self.call(context, |call| {
            let id = sends::by_content(&call.tx, content_id)?;
            Ok(id.map(|id| outcome::status(call, &id)).transpose()?.flatten())
        })
    }

    /// Every send whose end the app has not acked, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn sends(&self, context: &mut Context<'_>) -> Result<Vec<SendStatus>, Error> {
        self.call(context, |call| Ok(outcome::all(call)?))
    }

    /// The batches of a send that the server may have now, to look at. They go to the server by [`Device::next_request`].
    ///
    /// # Errors
    /// The store's.
    pub fn batches(&self, context: &mut Context<'_>, send: &SendId) -> Result<Vec<Batch>, Error> {
        self.call(context, |call| Ok(outbox::view(call, send)?.map_or_else(Vec::new, |send| send.batches)))
    }

    /// Withdraws a send for these users, or for all. What is settled stays as it is. A batch that was given out already may have been sent:
    /// the outcome says `MaybeSent` then.
    ///
    /// # Errors
    /// [`Code::UnknownSend`]; [`Code::UnknownUser`] for a user whom the send does not name; the store's.
    pub fn cancel(
        &self,
        context: &mut Context<'_>,
        requests: &Requests,
        send: &SendId,
        users: Option<&[UserId]>,
    ) -> Result<(), Error> {
        let may_have_given = |user: &UserId| requests.may_have_given(send, user);
        self.call(context, |call| outcome::cancel(call, send, users, &may_have_given))
    }

    /// Tries a send again for every user for whom it failed or was withdrawn.
    ///
    /// # Errors
    /// [`Code::UnknownSend`]; the store's.
    pub fn retry(&self, context: &mut Context<'_>, send: &SendId) -> Result<(), Error> {
        self.call(context, |call| outcome::retry(call, send))
    }
}
