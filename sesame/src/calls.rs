//! The calls of a client: each is the core's call of that name, under the lock, with the time and fresh randomness.

use crate::{Client, Group};
#[cfg(doc)]
use sesame_core::error::Code;
use sesame_core::{
    error::Error,
    event::{
        Answered, Batch, DeviceView, GroupChange, GroupView, HandoverView, Health, InboxItem, MailResult, PendingSend,
        Recipients, SendStatus, ServerRequest, SessionView, UserView,
    },
    ids::{AccountKey, ContentId, DeviceId, GroupId, GroupKind, HandoverId, ListHash, RequestId, SendId, UserId},
};
use std::time::Duration;

impl Client {
    /// The next request to the server, or `None` when nothing is due now. It is lent for a minute: until [`Client::respond`],
    /// [`Client::release`] or the end of the minute its work is in no other request. Several may be sent side by side.
    ///
    /// ```no_run
    /// # fn transport(_: &sesame::ServerRequest) -> (u16, Vec<u8>) { unimplemented!() }
    /// # fn run(client: &sesame::Client) -> Result<(), sesame::Error> {
    /// while let Some(request) = client.next_request()? {
    ///     let (status, body) = transport(&request); // POST request.body to request.path; status 0 when no answer came
    ///     client.respond(&request.id, status, &body)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// That is the whole transport of an app. The loop always ends: a failure pauses it, and [`Client::due_in`] says when to come back.
    ///
    /// # Errors
    /// The store's.
    pub fn next_request(&self) -> Result<Option<ServerRequest>, Error> {
        self.call_with(|core, context, requests| core.next_request(context, requests))
    }

    /// Takes in the server's answer to a request: the HTTP status, or 0 when none came, and the body. All that it says is settled in one
    /// commit. Whatever the server says is no error.
    ///
    /// # Errors
    /// [`Code::ForeignRequest`] when another device gave the request out; the store's. The request stays lent then.
    pub fn respond(&self, id: &RequestId, status: u16, body: &[u8]) -> Result<Answered, Error> {
        self.call_with(|core, context, requests| core.respond(context, requests, id, (status, body)))
    }

    /// Takes a request back that was not sent: it is given out again at once. One whose minute is over is no error.
    ///
    /// # Errors
    /// [`Code::ForeignRequest`] when another device gave the request out; as [`Client::call`].
    pub fn release(&self, id: &RequestId) -> Result<(), Error> {
        self.call_with(|core, _, requests| core.release(requests, id))
    }

    /// Ends every pause, and takes every request back: the network is there again.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn retry_now(&self) -> Result<(), Error> {
        self.call_with(|_, _, requests| {
            requests.retry_now();
            Ok(())
        })
    }

    /// The next requests fetch the mailbox, up to so many envelopes. What they say is in [`Client::inbox`] afterwards.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn request_mail(&self, limit: u32) -> Result<(), Error> {
        self.call_with(|_, _, requests| {
            requests.request_mail(limit);
            Ok(())
        })
    }

    /// How long it is until [`Client::next_request`] has something to give: zero when it has now, a day at most.
    ///
    /// # Errors
    /// The store's.
    pub fn due_in(&self) -> Result<Duration, Error> {
        self.call_with(|core, context, requests| core.due_in(context, requests)).map(Duration::from_millis)
    }

    /// How this device stands with its server.
    ///
    /// # Errors
    /// The store's.
    pub fn health(&self) -> Result<Health, Error> {
        self.call_with(|core, context, requests| core.health(context, requests))
    }

    /// Encrypts `payload` for every device of every recipient, and a transcript for the user's own other devices. Recipients are users, or
    /// one group: its members then get it in ratchets of the group's own (D5).
    ///
    /// The send goes out by [`Client::next_request`], and ends with [`Event::SendFinished`](crate::Event::SendFinished) in the inbox.
    /// `content_id` is the app's own id, or `None` for a fresh one. A call that is repeated with the id of a send whose end the app has not
    /// acked is the same send.
    ///
    /// # Errors
    /// [`Code::EmptyBatch`] without recipient; [`Code::TooMany`] beyond 256 users; [`Code::PayloadTooLarge`] beyond 65,536 bytes;
    /// [`Code::ContentIdInUse`] when another send has this id; [`Code::DeviceRemoved`] when this device is not on its own user's list;
    /// [`Code::UnknownGroup`] or [`Code::NotAMember`]; the store's. Then nothing has changed.
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

    /// How a send stands; `None` once the app has acked its end.
    ///
    /// # Errors
    /// The store's.
    pub fn send_status(&self, send: &SendId) -> Result<Option<SendStatus>, Error> {
        self.call(|core, context| core.send_status(context, send))
    }

    /// How the send with the app's own id stands; `None` once the app has acked its end.
    ///
    /// # Errors
    /// The store's.
    pub fn send_with(&self, content_id: &ContentId) -> Result<Option<SendStatus>, Error> {
        self.call(|core, context| core.send_with(context, content_id))
    }

    /// Every send whose end the app has not acked, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn sends(&self) -> Result<Vec<SendStatus>, Error> {
        self.call(|core, context| core.sends(context))
    }

    /// The batches of a send that the server may have now, to look at. They go to the server by [`Client::next_request`].
    ///
    /// # Errors
    /// The store's.
    pub fn batches(&self, send: &SendId) -> Result<Vec<Batch>, Error> {
        self.call(|core, context| core.batches(context, send))
    }

    /// Withdraws a send for these users, or for all. What is settled stays as it is. A batch that was given out already may have been sent:
    /// the outcome says [`Code::MaybeSent`] then.
    ///
    /// # Errors
    /// [`Code::UnknownSend`]; [`Code::UnknownUser`] for a user whom the send does not name; the store's.
    pub fn cancel(&self, send: &SendId, users: Option<&[UserId]>) -> Result<(), Error> {
        self.call_with(|core, context, requests| core.cancel(context, requests, send, users))
    }

    /// Tries a send again for every user for whom it failed or was withdrawn.
    ///
    /// # Errors
    /// [`Code::UnknownSend`]; the store's.
    pub fn retry(&self, send: &SendId) -> Result<(), Error> {
        self.call(|core, context| core.retry(context, send))
    }

    /// Opens envelopes that came by another way than the loop of requests: a push, or a transport of the app's own. They may come in any
    /// order. What they say waits in the inbox until it is acked; only when this call has returned may they be deleted where they lay.
    ///
    /// Each envelope stands alone: one that fails changes nothing and hinders no other. `complete` says that these were the last ones in the
    /// mailbox: nothing is forgotten before a mailbox was read to its end.
    ///
    /// # Errors
    /// [`Code::TooMany`] beyond 4,096; the store's. Then nothing has changed.
    pub fn batch_decrypt(&self, envelopes: &[impl AsRef<[u8]>], complete: bool) -> Result<Vec<MailResult>, Error> {
        self.call(|core, context| core.batch_decrypt(context, envelopes, complete))
    }

    /// What was received or happened and was not acked, oldest first, after the item with the id `after` and at most `limit`; after a crash
    /// the same items under the same ids.
    ///
    /// # Errors
    /// The store's.
    pub fn inbox(&self, after: u64, limit: usize) -> Result<Vec<InboxItem>, Error> {
        self.call(|core, context| core.inbox(context, after, limit))
    }

    /// The app has these items safe; they are deleted. An id that is not there is no error.
    ///
    /// # Errors
    /// The store's.
    pub fn ack(&self, ids: &[u64]) -> Result<(), Error> {
        self.call(|core, context| core.ack(context, ids))
    }

    /// Asks the server for the device lists of these users, so that they are known: the next requests do. A user whom the server does not
    /// know stays unknown. Sending to users needs no such call; making a group of them does.
    ///
    /// # Errors
    /// [`Code::TooMany`] beyond 100; the store's.
    pub fn look_up(&self, users: &[UserId]) -> Result<(), Error> {
        self.call(|core, context| core.look_up(context, users))
    }

    /// Tells the server where it may knock when mail comes: at most 512 bytes that the app and its push service understand. Empty: nowhere.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for a longer value; the store's.
    pub fn set_push(&self, value: &[u8]) -> Result<(), Error> {
        self.call(|core, context| core.set_push(context, value))
    }

    /// Sets for how many days this device keeps what it has sent, to send it again to a device that could not open it: 14 until this is called; 0 keeps
    /// nothing. What is older goes at once. It is sealed like all else in the store.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for more than 14 days; the store's.
    pub fn keep_sent(&self, days: u32) -> Result<(), Error> {
        self.call(|core, context| core.keep_sent(context, days))
    }

    /// Deletes the account at the server: its list, the keys and the mail of all its devices. The next request does; nothing else goes out
    /// after it. The store stays until the app deletes it.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; the store's.
    pub fn delete_account(&self) -> Result<(), Error> {
        self.call(|core, context| core.delete_account(context))
    }

    /// This device logs out: it asks the user's primary to remove it, whose app gets `DeviceWantsRemoval` and calls
    /// [`Client::remove_device`]. Until then others go on to send to it. When the send's end is in the inbox, the store may be erased.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] on the primary itself, which [`Client::delete_account`] is for; [`Code::DeviceRemoved`]; the store's.
    pub fn log_out(&self) -> Result<PendingSend, Error> {
        self.call(|core, context| core.log_out(context))
    }

    /// The primary takes a device off the list (X 5). What others had ready for it, they no longer send. In each group its later operations
    /// are void; the sends that say so follow the new list to the server.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::UnknownDevice`]; [`Code::InvalidArgument`] for the primary itself;
    /// [`Code::OwnListNotAdopted`].
    pub fn remove_device(&self, device: DeviceId) -> Result<(), Error> {
        self.call(|core, context| core.remove_device(context, device))
    }

    /// The primary takes the list of this hash, which it has not signed, for its own, and signs the next one on top of it: the answer to
    /// `OwnListAhead` when the user knows where that list comes from, a store that was put back above all (X 5). The devices on that list are the
    /// user's from then on.
    ///
    /// Until then no list goes up, and no device is linked or removed.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::InvalidArgument`] when no such list waits; [`Code::DeviceRemoved`] when the list does not name this device; the
    /// store's.
    pub fn adopt_own_list(&self, hash: &ListHash) -> Result<(), Error> {
        self.call(|core, context| core.adopt_own_list(context, hash))
    }

    /// The primary offers its part, which is the account key, to a listed device of the user. Both show the digits: here they are in what this
    /// gives, there in the event `HandoverOffered`. The key is sent once the apps on both have called [`Client::confirm_handover`]. Until
    /// then nothing has changed, for a day at most.
    ///
    /// The same call again gives the same hand-over. A call for another device takes its place.
    ///
    /// # Errors
    /// [`Code::NotPrimary`], also while the account key is on its way to a device: [`Client::cancel_handover`] then; [`Code::UnknownDevice`] for a
    /// device that is not on the list; [`Code::InvalidArgument`] for this one; [`Code::OwnListNotAdopted`]; the store's.
    pub fn hand_over(&self, device: DeviceId) -> Result<HandoverView, Error> {
        self.call(|core, context| core.hand_over(context, device))
    }

    /// The user has seen the same digits on both devices. Each of the two apps says so; the order does not matter.
    ///
    /// The primary then signs nothing more. The other device signs the list that names it as the primary, and on taking that list this one deletes the
    /// account key. All of it goes out with the next requests.
    ///
    /// # Errors
    /// [`Code::HandoverEnded`] for one that is not known, was cancelled, or was begun more than a day ago; the store's.
    pub fn confirm_handover(&self, handover: &HandoverId) -> Result<(), Error> {
        self.call(|core, context| core.confirm_handover(context, handover))
    }

    /// The app gives a hand-over up, on either device. One that is not known is no error.
    ///
    /// The primary goes on as it was, also if the account key has been sent and the other device has said nothing since. If that device has got it
    /// all the same, both have it, and [`Client::adopt_own_list`] decides.
    ///
    /// # Errors
    /// The store's.
    pub fn cancel_handover(&self, handover: &HandoverId) -> Result<(), Error> {
        self.call(|core, context| core.cancel_handover(context, handover))
    }

    /// Whether this device holds the account key: it signs the device list, links devices and removes them.
    ///
    /// # Errors
    /// The store's.
    pub fn is_primary(&self) -> Result<bool, Error> {
        self.call(|core, context| core.is_primary(context))
    }

    /// All users that are known, this one included.
    ///
    /// # Errors
    /// The store's.
    pub fn users(&self) -> Result<Vec<UserView>, Error> {
        self.call(|core, context| core.users(context))
    }

    /// A user's devices, rising by id: those listed, and those that are kept for late messages. This device is among those of its own user.
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

    /// Begins anew with a device, for a conversation that does not work though nothing says why: the next message to it begins a session that takes
    /// the place of all others, of groups as well. Nothing is lost by it. The library does so by itself when one of the two cannot open what the
    /// other one says (X 8).
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::UnknownDevice`] for a device with which there was no session yet, or which was removed;
    /// [`Code::IdentityNotAccepted`]; [`Code::InvalidArgument`] for this device itself; the store's.
    pub fn reset_session(&self, user: &UserId, device: DeviceId) -> Result<(), Error> {
        self.call(|core, context| core.reset_session(context, user, device))
    }

    /// The app has made sure that the user's changed account key is the user's (X 5), and what was held for it is opened: it goes to the inbox.
    ///
    /// The old identity's devices and sessions are gone with this; the next send needs the new list and bundles.
    ///
    /// With the pinned key the app dismisses the claim: nothing else changes, and what was held under the other key stays held till its time.
    ///
    /// `account_key` is the key that the app means: another one may have claimed the user while its user made up their mind.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::InvalidArgument`] when this key does not wait.
    pub fn accept_identity(&self, user: &UserId, account_key: &AccountKey) -> Result<(), Error> {
        self.call_with(|core, context, requests| core.accept_identity(context, requests, user, account_key))
    }

    /// Forgets a user: pin, list, sessions, what is held and what is being sent. A later message begins anew, with whatever identity it shows.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::InvalidArgument`] for our own user; [`Code::AlreadyMember`] while both are members of a group; the store's.
    pub fn forget(&self, user: &UserId) -> Result<(), Error> {
        self.call(|core, context| core.forget(context, user))
    }

    /// The safety number as text for a QR code: a mark and 52 characters of base32.
    ///
    /// # Errors
    /// [`Code::UnknownUser`].
    pub fn safety_code(&self, user: &UserId) -> Result<String, Error> {
        self.call(|core, context| core.safety_code(context, user))
    }

    /// Whether a code that was read from the user's screen shows that both hold each other's account keys.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::InvalidArgument`] for text that is no such code.
    pub fn compare_safety_code(&self, user: &UserId, code: &str) -> Result<bool, Error> {
        self.call(|core, context| core.compare_safety_code(context, user, code))
    }

    /// The app has compared safety numbers for this user's pinned account key.
    ///
    /// # Errors
    /// [`Code::UnknownUser`].
    pub fn mark_verified(&self, user: &UserId) -> Result<(), Error> {
        self.call(|core, context| core.mark_verified(context, user))
    }

    /// The app decides a fork: the branch with the list of this hash is followed, and the other one is rejected and raises nothing again (X 5).
    ///
    /// The hashes of both lists are in the event and in the user's view. Our own list on the device that signs it is not resolved to the other
    /// branch: [`Client::adopt_own_list`] signs on top of that.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::InvalidArgument`] when there is no fork, or neither list has this hash; the store's.
    pub fn resolve_fork(&self, user: &UserId, hash: &ListHash) -> Result<(), Error> {
        self.call_with(|core, context, requests| core.resolve_fork(context, requests, user, hash))
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
    /// device lists with [`Client::look_up`].
    ///
    /// What is returned is the send that tells them; a state too large for one message goes in several.
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
