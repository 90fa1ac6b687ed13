//! Sending: one call, a batch for each user (Sesame 3.3; D8).

use super::Device;
use crate::{
    context::Context,
    error::{Code, Error},
    event::{Answers, Applied, PendingSend, Recipients, Rejection},
    flow::{
        group::act,
        send::{self, outbox, settle},
    },
    ids::{ContentId, DeviceId, SendId, UserId},
    limits::{MAX_BATCH, MAX_RECIPIENTS},
    tx::sends,
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
    ) -> Result<PendingSend, Error> {
        let users = match to.into() {
            Recipients::Users(users) => self.recipients(users)?,
            Recipients::Group(group) => {
                send::check_payload(payload)?;
                return self.call(context, |call| act::send(call, &group, payload, content_id));
            }
        };
        send::check_payload(payload)?;
        self.call(context, |call| send::to_users(call, &users, None, payload, content_id))
    }

    /// The recipients of a direct send, each once, and our own user last.
    fn recipients(&self, named: &[UserId]) -> Result<Vec<UserId>, Error> {
        if named.is_empty() {
            return Err(Error::of(Code::EmptyBatch, "recipients"));
        }
        if named.len() > MAX_RECIPIENTS {
            return Err(Error::of(Code::TooMany, "recipients"));
        }
        let mut users: Vec<UserId> = Vec::with_capacity(named.len() + 1);
        for user in named {
            if user != self.user() && !users.contains(user) {
                users.push(user.clone());
            }
        }
        users.push(self.user().clone());
        Ok(users)
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
    ) -> Result<PendingSend, Error> {
        if self.keys.party.is_device(user, device) {
            return Err(Error::of(Code::InvalidArgument, "device"));
        }
        send::check_payload(payload)?;
        self.call(context, |call| send::to_users(call, core::slice::from_ref(user), Some(device), payload, None))
    }

    /// Every send that is not settled, oldest first; after a crash the same bytes as before.
    ///
    /// # Errors
    /// The store's.
    pub fn outbox(&self, context: &mut Context<'_>) -> Result<Vec<PendingSend>, Error> {
        self.call(context, |call| Ok(outbox::all(call)?))
    }

    /// One send, or `None` when it is settled.
    ///
    /// # Errors
    /// The store's.
    pub fn pending(&self, context: &mut Context<'_>, send: &SendId) -> Result<Option<PendingSend>, Error> {
        self.call(context, |call| Ok(outbox::view(call, send)?))
    }

    /// The server has taken a user's batch whole. Settling what is settled already does nothing.
    ///
    /// # Errors
    /// The store's.
    pub fn accepted(&self, context: &mut Context<'_>, send: &SendId, user: &UserId) -> Result<(), Error> {
        self.call(context, |call| Ok(sends::close(&mut call.tx, send, user)?))
    }

    /// Gives a user's part of a send up: nothing of it will be offered again.
    ///
    /// # Errors
    /// The store's.
    pub fn abandon(&self, context: &mut Context<'_>, send: &SendId, user: &UserId) -> Result<(), Error> {
        self.call(context, |call| Ok(sends::close(&mut call.tx, send, user)?))
    }

    /// The server has refused a user's batch whole. The list that it shows is taken in, what is missing is encrypted or becomes a
    /// need, what was encrypted stays as it is. After five refusals the user's part is given up (`TooManyRounds`).
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] when no such part is open; what
    /// [`VerifiedDeviceList::verify`](crate::keys::device_list::VerifiedDeviceList::verify) says, [`Code::WrongUser`]; the store's.
    pub fn rejected(
        &self,
        context: &mut Context<'_>,
        send: &SendId,
        user: &UserId,
        rejection: &Rejection,
    ) -> Result<PendingSend, Error> {
        let shown = settle::shown_list(rejection, user)?;
        self.call(context, |call| settle::rejected(call, send, user, shown.as_ref()))
    }

    /// Takes in what the server gave for needs, in any order and at any time. Each item is taken or refused by itself.
    ///
    /// # Errors
    /// [`Code::TooMany`]; the store's.
    pub fn apply(&self, context: &mut Context<'_>, answers: &Answers) -> Result<Applied, Error> {
        if answers.device_lists.len() > MAX_BATCH || answers.bundles.len() > MAX_BATCH {
            return Err(Error::of(Code::TooMany, "answers"));
        }
        self.call(context, |call| settle::apply(call, answers))
    }
}
