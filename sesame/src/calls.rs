//! The calls of a client: each is the core's call of that name, under the lock, with the time and fresh randomness.

use crate::{Client, Group};
#[cfg(doc)]
use sesame_core::error::Code;
use sesame_core::{
    error::Error,
    event::{
        Answers, Applied, DeviceView, Event, GroupChange, GroupView, InboxItem, PendingSend, Publication, Received,
        Recipients, Rejection, SessionView, UserView,
    },
    ids::{AccountKey, ContentId, DeviceId, GroupId, GroupKind, PublicationId, SendId, UserId},
};

impl Client {
    /// Encrypts `payload` for every device of every recipient, and a transcript for the user's own other devices. Recipients are users, or
    /// one group: its members then get it in ratchets of the group's own (D5).
    ///
    /// What is missing comes back as needs; what can be encrypted is, at once. `content_id` is the app's own id, or `None` for a
    /// fresh one. Nothing is returned before it is committed; after a crash [`Client::outbox`] gives the same bytes.
    ///
    /// # Errors
    /// [`Code::EmptyBatch`] without recipient; [`Code::TooMany`]; [`Code::PayloadTooLarge`] when the payload fits no step of the padding;
    /// [`Code::DeviceRemoved`] when this device is not on its own user's list; [`Code::UnknownGroup`] or [`Code::NotAMember`]; the store's. Then
    /// nothing has changed.
    pub fn batch_encrypt<'r>(
        &self,
        to: impl Into<Recipients<'r>>,
        payload: &[u8],
        content_id: Option<ContentId>,
    ) -> Result<PendingSend, Error> {
        self.call(|core, context| core.batch_encrypt(context, to, payload, content_id))
    }

    /// Encrypts `payload` for one device alone, without a transcript: control messages, receipts.
    ///
    /// # Errors
    /// As [`Client::batch_encrypt`].
    pub fn encrypt_to(&self, user: &UserId, device: DeviceId, payload: &[u8]) -> Result<PendingSend, Error> {
        self.call(|core, context| core.encrypt_to(context, user, device, payload))
    }

    /// Every send that is not settled, oldest first; after a crash the same bytes as before.
    ///
    /// # Errors
    /// The store's.
    pub fn outbox(&self) -> Result<Vec<PendingSend>, Error> {
        self.call(|core, context| core.outbox(context))
    }

    /// One send, or `None` when it is settled.
    ///
    /// # Errors
    /// The store's.
    pub fn pending(&self, send: &SendId) -> Result<Option<PendingSend>, Error> {
        self.call(|core, context| core.pending(context, send))
    }

    /// The server has taken a user's batch whole. Settling what is settled already does nothing.
    ///
    /// # Errors
    /// The store's.
    pub fn accepted(&self, send: &SendId, user: &UserId) -> Result<(), Error> {
        self.call(|core, context| core.accepted(context, send, user))
    }

    /// Gives a user's part of a send up: nothing of it will be offered again.
    ///
    /// # Errors
    /// The store's.
    pub fn abandon(&self, send: &SendId, user: &UserId) -> Result<(), Error> {
        self.call(|core, context| core.abandon(context, send, user))
    }

    /// The server has refused a user's batch whole. The list that it shows is taken in, what is missing is encrypted or becomes a
    /// need, what was encrypted stays as it is. After five refusals the user's part is given up (`TooManyRounds`).
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] when no such part is open; what
    /// `VerifiedDeviceList::verify` says, [`Code::WrongUser`]; the store's.
    pub fn rejected(&self, send: &SendId, user: &UserId, rejection: &Rejection) -> Result<PendingSend, Error> {
        self.call(|core, context| core.rejected(context, send, user, rejection))
    }

    /// Takes in what the server gave for needs, in any order and at any time. Each item is taken or refused by itself.
    ///
    /// # Errors
    /// [`Code::TooMany`]; the store's.
    pub fn apply(&self, answers: &Answers) -> Result<Applied, Error> {
        self.call(|core, context| core.apply(context, answers))
    }

    /// Opens the envelopes of a fetched mailbox, in any order. What they say waits in the inbox until it is acked; only when this call
    /// has returned may they be confirmed to the server.
    ///
    /// Each envelope stands alone: one that fails changes nothing and hinders no other.
    ///
    /// # Errors
    /// [`Code::EmptyBatch`]; [`Code::TooMany`] beyond 4,096; the store's. Then nothing has changed.
    pub fn batch_decrypt(&self, envelopes: &[Vec<u8>]) -> Result<Vec<Received>, Error> {
        self.call(|core, context| core.batch_decrypt(context, envelopes))
    }

    /// Everything that was received and not acked, oldest first; after a crash the same items under the same ids.
    ///
    /// # Errors
    /// The store's.
    pub fn inbox(&self) -> Result<Vec<InboxItem>, Error> {
        self.call(|core, context| core.inbox(context))
    }

    /// The app has these items safe; they are deleted. An id that is not there is no error.
    ///
    /// # Errors
    /// The store's.
    pub fn ack(&self, ids: &[u64]) -> Result<(), Error> {
        self.call(|core, context| core.ack(context, ids))
    }

    /// What to upload next, or `None` when nothing is due. Ask again after [`Client::published`]: keys go up in chunks of 20.
    ///
    /// `left` is how many one-time prekeys the server says it still has of the scarcer kind; without it, what was used is counted here.
    ///
    /// # Errors
    /// The store's.
    pub fn publication(&self, left: Option<u32>) -> Result<Option<Publication>, Error> {
        self.call(|core, context| core.publication(context, left))
    }

    /// The server has taken an upload; only now do its one-time keys count as offered.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] when no such upload waits.
    pub fn published(&self, id: &PublicationId) -> Result<(), Error> {
        self.call(|core, context| core.published(context, id))
    }

    /// The primary reads a new device's code, after its user confirmed: a new list names the device, and the answer is sealed for it.
    ///
    /// The new list goes out with the next [`Client::publication`].
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::InvalidArgument`] for a code that has expired or was used; [`Code::TooManyOwnDevices`];
    /// what `LinkOffer::decode` says; [`Code::BadKeyEncoding`] or [`Code::WeakPublicKey`] for a
    /// key in it; [`Code::KeyReuse`].
    pub fn link(&self, code: &str) -> Result<Vec<u8>, Error> {
        self.call(|core, context| core.link(context, code))
    }

    /// The primary takes a device off the list (X 5). What others had ready for it, they no longer send. In each group its later operations
    /// are void; the sends that say so are in [`Client::outbox`], to be submitted after the new list is published.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::UnknownDevice`]; [`Code::InvalidArgument`] for the primary itself.
    pub fn remove_device(&self, device: DeviceId) -> Result<Vec<Event>, Error> {
        self.call(|core, context| core.remove_device(context, device))
    }

    /// Does what is due: forgets what has lived long enough, signs the device list anew every week (on the primary). Call it about once
    /// a day, after a `GroupDiverged` as well (what is due to devices with other operations is then in [`Client::outbox`]), and with
    /// `mailbox_empty` when the mailbox has just been fetched and decrypted to its end: nothing is forgotten by a clock alone.
    ///
    /// # Errors
    /// The store's.
    pub fn tick(&self, mailbox_empty: bool) -> Result<Vec<Event>, Error> {
        self.call(|core, context| core.tick(context, mailbox_empty))
    }

    /// All users that are known, this one included.
    ///
    /// # Errors
    /// The store's.
    pub fn users(&self) -> Result<Vec<UserView>, Error> {
        self.call(|core, context| core.users(context))
    }

    /// A user's devices, rising by id: those listed, and those that are kept for late messages. Of our own user, the others.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; the store's.
    pub fn devices(&self, user: &UserId) -> Result<Vec<DeviceView>, Error> {
        self.call(|core, context| core.devices(context, user))
    }

    /// The active session with a device, or `None` when the next send begins one.
    ///
    /// # Errors
    /// [`Code::UnknownUser`] when no such device is known; the store's.
    pub fn session(&self, user: &UserId, device: DeviceId) -> Result<Option<SessionView>, Error> {
        self.call(|core, context| core.session(context, user, device))
    }

    /// The app has made sure that the user's changed account key is the user's (X 5), and what was held for it is opened.
    ///
    /// The old identity's devices and sessions are gone with this; the next send needs the new list and bundles.
    ///
    /// With the pinned key the app dismisses the claim: nothing else changes, and what was held under the other key stays held till its time.
    ///
    /// `account_key` is the key that the app means: another one may have claimed the user while its user made up their mind.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::InvalidArgument`] when this key does not wait.
    pub fn accept_identity(&self, user: &UserId, account_key: &AccountKey) -> Result<Vec<Received>, Error> {
        self.call(|core, context| core.accept_identity(context, user, account_key))
    }

    /// The app has compared safety numbers for this user's pinned account key.
    ///
    /// # Errors
    /// [`Code::UnknownUser`].
    pub fn mark_verified(&self, user: &UserId) -> Result<(), Error> {
        self.call(|core, context| core.mark_verified(context, user))
    }

    /// The app decides a fork: from now on the newest list that was taken counts alone.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::InvalidArgument`] when there is no fork.
    pub fn resolve_fork(&self, user: &UserId) -> Result<(), Error> {
        self.call(|core, context| core.resolve_fork(context, user))
    }

    /// 60 digits that both users see alike if they hold each other's account keys (A19).
    ///
    /// Five digits at a time from SHA-256 over both (user id, account key), the smaller user id first.
    ///
    /// # Errors
    /// [`Code::UnknownUser`].
    pub fn safety_number(&self, user: &UserId) -> Result<String, Error> {
        self.call(|core, context| core.safety_number(context, user))
    }

    /// Makes a group of this user and `users`, and tells them. A user who is not known yet must be made known first: bring their signed
    /// device lists with [`Client::apply`].
    ///
    /// What is returned is the send that tells them; a state too large for one message goes in several, which [`Client::outbox`] gives.
    ///
    /// # Errors
    /// [`Code::UnknownUser`] or [`Code::IdentityNotAccepted`], with the user's place; [`Code::TooMany`] beyond 1,000 members;
    /// [`Code::InvalidArgument`] for info outside its bounds; as [`Client::batch_encrypt`].
    pub fn create_group(
        &self,
        kind: GroupKind,
        info: &GroupChange,
        users: &[UserId],
    ) -> Result<(Group<'_>, PendingSend), Error> {
        let (id, send) = self.call(|core, context| {
            let (group, send) = core.create_group(context, kind, info, users)?;
            Ok((group.id(), send))
        })?;
        Ok((Group { client: self, id }, send))
    }

    /// The group with this id.
    ///
    /// # Errors
    /// [`Code::UnknownGroup`]; the store's.
    pub fn group(&self, id: &GroupId) -> Result<Group<'_>, Error> {
        self.call(|core, context| core.group(context, id).map(|group| group.id()))?;
        Ok(Group { client: self, id: *id })
    }

    /// A handle to a group that was found before. The store is not read: if the group is not there, each call on the handle says so.
    #[must_use]
    pub fn known_group(&self, id: GroupId) -> Group<'_> {
        Group { client: self, id }
    }

    /// Every group that this device knows, those that its user has left included, rising by id.
    ///
    /// # Errors
    /// The store's.
    pub fn groups(&self) -> Result<Vec<GroupView>, Error> {
        self.call(|core, context| core.groups(context))
    }
}
