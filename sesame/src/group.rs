//! A handle to one group.

use crate::Client;
#[cfg(doc)]
use sesame_core::error::Code;
use sesame_core::{
    context::Context,
    error::Error,
    event::{Cost, GroupChange, GroupView, HistoryEntry, PendingSend, SessionView},
    ids::{ContentId, DeviceId, GroupId, UserId},
};

/// One group of a client. The handle holds no state: every call reads the store.
#[derive(Clone, Copy, Debug)]
pub struct Group<'c> {
    pub(crate) client: &'c Client,
    pub(crate) id: GroupId,
}

impl<'c> Group<'c> {
    /// GroupID, 32 bytes.
    #[must_use]
    pub fn id(&self) -> GroupId {
        self.id
    }

    fn call<T>(
        &self,
        call: impl FnOnce(sesame_core::device::Group<'_>, &mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.client.call(|device, context| call(device.group(context, &self.id)?, context))
    }

    /// Members, info, and how our user stands.
    ///
    /// # Errors
    /// The store's.
    pub fn view(&self) -> Result<GroupView, Error> {
        self.call(|group, context| group.view(context))
    }

    /// Adds users, at most 200 at once. Each of their devices gets all operations of the group; a user who has left it before is asked, and
    /// is a member again after accepting.
    ///
    /// # Errors
    /// [`Code::NotAMember`]; [`Code::GroupOverfull`]; [`Code::EmptyBatch`]; [`Code::AlreadyMember`], [`Code::UnknownUser`] or [`Code::IdentityNotAccepted`], with the
    /// user's place; [`Code::TooMany`]; [`Code::TooManyOperations`].
    pub fn add(&self, users: &[UserId]) -> Result<PendingSend, Error> {
        self.call(|group, context| group.add(context, users))
    }

    /// Adds a member anew under the account key that this device knows, after the member's identity has changed and the app has accepted it:
    /// the group shows such a member among its `conflicts`. The former identity stays named, and each member goes by the key that they know.
    ///
    /// # Errors
    /// [`Code::NotAMember`]; [`Code::GroupOverfull`]; [`Code::UnknownUser`]; [`Code::IdentityNotAccepted`]; [`Code::InvalidArgument`] if the
    /// user is no member under another key; [`Code::TooMany`]; [`Code::TooManyOperations`].
    pub fn readmit(&self, user: &UserId) -> Result<PendingSend, Error> {
        self.call(|group, context| group.readmit(context, user))
    }

    /// Changes name, description and the like; what is absent stays.
    ///
    /// # Errors
    /// [`Code::NotAMember`]; [`Code::GroupOverfull`]; [`Code::InvalidArgument`] for nothing, or for what is outside its bounds; [`Code::TooManyOperations`].
    pub fn update_info(&self, change: &GroupChange) -> Result<PendingSend, Error> {
        self.call(|group, context| group.update_info(context, change))
    }

    /// Changes the name: a short form of [`Group::update_info`].
    ///
    /// # Errors
    /// As there.
    pub fn rename(&self, name: &str) -> Result<PendingSend, Error> {
        self.call(|group, context| group.rename(context, name))
    }

    /// Leaves, for good unless this user accepts an invitation back. The others send it nothing more once they know.
    ///
    /// # Errors
    /// [`Code::NotAMember`].
    pub fn leave(&self) -> Result<PendingSend, Error> {
        self.call(|group, context| group.leave(context))
    }

    /// Says yes to an invitation: by somebody whom our user does not know, or to come back after a leave. What was held for the
    /// group is in the inbox then.
    ///
    /// # Errors
    /// [`Code::NotInvited`].
    pub fn accept(&self) -> Result<PendingSend, Error> {
        self.call(|group, context| group.accept(context))
    }

    /// Stays away, after an invitation. Who asked learns of it.
    ///
    /// # Errors
    /// [`Code::NotInvited`].
    pub fn decline(&self) -> Result<PendingSend, Error> {
        self.call(|group, context| group.decline(context))
    }

    /// Makes a new group of the members but `users`, with the same info. Nobody removes another: the old group stays as it is, nothing is
    /// said to those left out, and this user leaves the old one by [`Group::leave`], if at all.
    ///
    /// # Errors
    /// [`Code::NotAMember`]; [`Code::InvalidArgument`] when a user is none of the other members; as [`Client::create_group`].
    pub fn fork_without(&self, users: &[UserId]) -> Result<(Group<'c>, PendingSend), Error> {
        let (id, send) = self.call(|group, context| {
            let (fork, send) = group.fork_without(context, users)?;
            Ok((fork.id(), send))
        })?;
        Ok((Group { client: self.client, id }, send))
    }

    /// Forgets a group that our user has left: its operations, its sessions, and what is held for it.
    ///
    /// # Errors
    /// [`Code::AlreadyMember`] while our user is a member; the store's.
    pub fn forget(&self) -> Result<(), Error> {
        self.call(|group, context| group.forget(context))
    }

    /// Sends the app's bytes to all members, and a transcript to the user's own other devices.
    ///
    /// # Errors
    /// As [`Client::batch_encrypt`], which it is.
    pub fn send(&self, payload: &[u8], content_id: Option<ContentId>) -> Result<PendingSend, Error> {
        self.call(|group, context| group.send(context, payload, content_id))
    }

    /// The group's active session with a device, or `None` when the next send opens one.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; the store's.
    pub fn session(&self, user: &UserId, device: DeviceId) -> Result<Option<SessionView>, Error> {
        self.call(|group, context| group.session(context, user, device))
    }

    /// All operations of the group, those that do not count included, in an order that is the same for all members.
    ///
    /// # Errors
    /// The store's.
    pub fn history(&self) -> Result<Vec<HistoryEntry>, Error> {
        self.call(|group, context| group.history(context))
    }

    /// What a message of `length` bytes will cost now.
    ///
    /// # Errors
    /// [`Code::PayloadTooLarge`]; the store's.
    pub fn cost(&self, length: usize) -> Result<Cost, Error> {
        self.call(|group, context| group.cost(context, length))
    }
}
