//! The handles of this device: `Device`, `DeviceRegistry`, `Session`, `Linking`.

use super::bytes::{Bytes, StoreKey, list};
use super::clock::{TestClock, clock};
use super::error::Result;
use super::generated::{
    AccountKey, Answered, Batch, ContentId, DeviceView, GroupChange, GroupId, GroupKind, GroupView, HandoverId,
    HandoverView, Health, LinkId, ListHash, MailResult, PendingLink, PendingSend, RequestId, SendId, SendStatus,
    ServerRequest, SessionView, UserView,
};
use super::given::id16;
use super::group::{self, Group, NewGroup, user_ids};
use super::receive::InboxItem;
use super::store::Store;
use crate::host::{server, store_key, user_id, user_name};
use sesame::{Client, Host};
use sesame_core::{
    error::{Code, Error},
    ids::{self, DeviceId, UserId},
};
use std::{sync::Arc, time::Duration};

/// This device. Any thread may call it; every call reads the store and commits once.
#[derive(::uniffi::Object)]
pub struct Device {
    client: Arc<Client>,
}

impl Device {
    fn over(client: Client) -> Arc<Self> {
        Arc::new(Self { client: Arc::new(client) })
    }
}

fn host(store: &Store, store_key: StoreKey, clock: Option<&TestClock>) -> Result<Host> {
    Ok(Host::new(store.inner.clone(), self::store_key(store_key.0)?).with_clock(self::clock(clock)))
}

fn send_id(send: &[u8]) -> std::result::Result<ids::SendId, Error> {
    id16(send, "send").map(ids::SendId)
}

fn list_hash(hash: &[u8]) -> std::result::Result<ids::ListHash, Error> {
    <[u8; 32]>::try_from(hash).map(ids::ListHash).map_err(|_| Error::of(Code::InvalidArgument, "hash"))
}

fn handover_id(handover: &[u8]) -> std::result::Result<ids::HandoverId, Error> {
    id16(handover, "handover").map(ids::HandoverId)
}

fn link_id(link: &[u8]) -> std::result::Result<ids::LinkId, Error> {
    id16(link, "link").map(ids::LinkId)
}

#[::uniffi::export]
impl Device {
    /// A user's first device, its primary, with a new account key, in an empty store. `store_key` is 32 bytes that the app keeps in its
    /// keychain; `user` is 1 to 64 bytes of UTF-8. `server` is the name of the server, which requests are signed for; `token` is what the
    /// server asks of a new user.
    #[::uniffi::constructor(default(token = None, clock = None))]
    pub fn create(
        store: Arc<Store>,
        store_key: StoreKey,
        user: String,
        server: String,
        token: Option<Bytes>,
        clock: Option<Arc<TestClock>>,
    ) -> Result<Arc<Self>> {
        let (host, user) = (host(&store, store_key, clock.as_deref())?, user_id(&user)?);
        let server = self::server(&server, token.as_deref().unwrap_or_default())?;
        Ok(Self::over(Client::create(host, &user, &server)?))
    }

    /// Opens the device in a store.
    #[::uniffi::constructor(default(clock = None))]
    pub fn open(store: Arc<Store>, store_key: StoreKey, clock: Option<Arc<TestClock>>) -> Result<Arc<Self>> {
        Ok(Self::over(Client::open(host(&store, store_key, clock.as_deref())?)?))
    }

    /// The next request to the server, or nothing when nothing is due now: a POST of `body` to `path` with `headers`. Send it within a
    /// minute and give the answer to `respond`; it is in no other request until then. Several may be sent side by side.
    pub fn next_request(&self) -> Result<Option<ServerRequest>> {
        Ok(self.client.next_request()?.map(ServerRequest::from))
    }

    /// Takes in the server's answer to a request: the HTTP status, or 0 when none came, and the body. Whatever the server says is no error.
    #[::uniffi::method(default(body = None))]
    pub fn respond(&self, id: RequestId, status: u16, body: Option<Bytes>) -> Result<Answered> {
        let id = ids::RequestId(id16(&id, "id")?);
        Ok(self.client.respond(&id, status, body.as_deref().unwrap_or_default())?.into())
    }

    /// Takes a request back that was not sent: it is given out again at once.
    pub fn release(&self, id: RequestId) -> Result<()> {
        Ok(self.client.release(&ids::RequestId(id16(&id, "id")?))?)
    }

    /// Ends every pause, and takes every request back: the network is there again.
    pub fn retry_now(&self) -> Result<()> {
        Ok(self.client.retry_now()?)
    }

    /// The next requests fetch the mailbox, up to so many envelopes. What they say is in the inbox afterwards.
    #[::uniffi::method(default(limit = 10000))]
    pub fn request_mail(&self, limit: u32) -> Result<()> {
        Ok(self.client.request_mail(limit)?)
    }

    /// How long it is until `next_request` has something to give: zero when it has now, a day at most.
    pub fn due_in(&self) -> Result<Duration> {
        Ok(self.client.due_in()?)
    }

    /// How this device stands with its server.
    pub fn health(&self) -> Result<Health> {
        Ok(self.client.health()?.into())
    }

    /// Whether this device holds the account key: it links and removes devices.
    pub fn is_primary(&self) -> Result<bool> {
        Ok(self.client.is_primary()?)
    }

    /// The user that this device belongs to.
    #[must_use]
    pub fn user(&self) -> String {
        user_name(self.client.user())
    }

    /// This device's id, unique within its user.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.client.id().0
    }

    /// Users and their devices.
    pub fn registry(&self) -> Arc<DeviceRegistry> {
        Arc::new(DeviceRegistry { client: self.client.clone() })
    }

    /// The session with one device.
    pub fn session(&self, user: String, device: u32) -> Result<Arc<Session>> {
        Ok(Arc::new(Session { client: self.client.clone(), user: user_id(&user)?, device: DeviceId(device) }))
    }

    /// Encrypts for every device of every recipient, at most 256 users, and a transcript for the user's own other devices. Give `content_id`,
    /// 16 bytes, for an id of your own. The end of the send is an event in the inbox.
    #[::uniffi::method(default(content_id = None))]
    pub fn batch_encrypt(
        &self,
        recipients: Vec<String>,
        payload: Bytes,
        content_id: Option<ContentId>,
    ) -> Result<PendingSend> {
        let users = recipients.iter().map(|user| user_id(user)).collect::<std::result::Result<Vec<UserId>, Error>>()?;
        let content_id = content_id.map(|id| id16(&id, "content_id")).transpose()?;
        let send = self.client.batch_encrypt(&users, &payload, content_id.map(ids::ContentId))?;
        Ok(send.into())
    }

    /// How a send stands; nothing once the app has acked its end.
    pub fn send_status(&self, send: SendId) -> Result<Option<SendStatus>> {
        Ok(self.client.send_status(&send_id(&send)?)?.map(SendStatus::from))
    }

    /// The same by the content id, the app's own or the one that was made for it.
    pub fn send_with(&self, content_id: ContentId) -> Result<Option<SendStatus>> {
        let content_id = ids::ContentId(id16(&content_id, "content_id")?);
        Ok(self.client.send_with(&content_id)?.map(SendStatus::from))
    }

    /// Every send whose end the app has not acked, oldest first.
    pub fn sends(&self) -> Result<Vec<SendStatus>> {
        Ok(self.client.sends()?.into_iter().map(SendStatus::from).collect())
    }

    /// The batches of a send that the server may have now, to look at.
    pub fn batches(&self, send: SendId) -> Result<Vec<Batch>> {
        Ok(self.client.batches(&send_id(&send)?)?.into_iter().map(Batch::from).collect())
    }

    /// Withdraws a send for these users, or for all. A batch that was given out already may have been sent: its outcome says so.
    #[::uniffi::method(default(users = None))]
    pub fn cancel(&self, send: SendId, users: Option<Vec<String>>) -> Result<()> {
        let users = users.map(|users| user_ids(&users)).transpose()?;
        Ok(self.client.cancel(&send_id(&send)?, users.as_deref())?)
    }

    /// Tries a send again for every user for whom it failed or was withdrawn.
    pub fn retry(&self, send: SendId) -> Result<()> {
        Ok(self.client.retry(&send_id(&send)?)?)
    }

    /// Makes a group of this user and `users`, who must be known: `registry.look_up` asks the server for those who are not.
    pub fn create_group(&self, kind: GroupKind, info: GroupChange, users: Vec<String>) -> Result<Arc<NewGroup>> {
        group::create(&self.client, kind, info, &users)
    }

    /// The group with this id, 32 bytes.
    pub fn group(&self, id: GroupId) -> Result<Arc<Group>> {
        group::handle(&self.client, group::group_id(&id)?)
    }

    /// Every group that this device knows, those that its user has left included.
    pub fn groups(&self) -> Result<Vec<GroupView>> {
        let views = self.client.groups()?;
        Ok(views.into_iter().map(GroupView::from).collect())
    }

    /// Opens envelopes that came by another way than the loop of requests: a push, or a transport of the app's own. What they say is in the
    /// inbox. `complete` says that these were the last ones in the mailbox.
    #[::uniffi::method(default(complete = false))]
    pub fn batch_decrypt(&self, envelopes: Vec<Bytes>, complete: bool) -> Result<Vec<MailResult>> {
        let envelopes: Vec<Vec<u8>> = list(envelopes);
        let results = self.client.batch_decrypt(&envelopes, complete)?;
        Ok(results.into_iter().map(MailResult::from).collect())
    }

    /// What was received or happened and was not acked, oldest first, after one item and at most so many.
    #[::uniffi::method(default(after = 0, limit = 256))]
    pub fn inbox(&self, after: u64, limit: u32) -> Result<Vec<InboxItem>> {
        let rows = self.client.inbox(after, usize::try_from(limit).unwrap_or(usize::MAX))?;
        Ok(rows.into_iter().map(InboxItem::from).collect())
    }

    /// The app has these items safe; they are deleted here.
    pub fn ack(&self, ids: Vec<u64>) -> Result<()> {
        Ok(self.client.ack(&ids)?)
    }

    /// Tells the server where it may knock when mail comes: at most 512 bytes that the app and its push service understand; none: nowhere.
    #[::uniffi::method(default(value = None))]
    pub fn set_push(&self, value: Option<Bytes>) -> Result<()> {
        Ok(self.client.set_push(value.as_deref().unwrap_or_default())?)
    }

    /// Sets for how many days this device keeps what it has sent, to send it again to a device that could not open it: 14 until this is called;
    /// 0 keeps nothing. What is older goes at once. It is sealed like all else in the store.
    pub fn keep_sent(&self, days: u32) -> Result<()> {
        Ok(self.client.keep_sent(days)?)
    }

    /// Bounds the decoded rows of the store that this device keeps in memory from one call to the next, in bytes; 0 keeps none. Until this is
    /// called it is 32 MiB. What is kept beyond the limit is wiped at once. The limit holds as long as the device is open, and is not stored.
    /// It changes how fast calls are, and nothing that they give. A call may need more while it runs.
    pub fn set_memory_limit(&self, limit: u64) -> Result<()> {
        Ok(self.client.set_memory_limit(usize::try_from(limit).unwrap_or(usize::MAX))?)
    }

    /// Deletes the account at the server. The next request does; nothing else goes out after it. The store stays until the app deletes it.
    pub fn delete_account(&self) -> Result<()> {
        Ok(self.client.delete_account()?)
    }

    /// This device logs out: it asks the user's primary to remove it, whose app gets `DeviceWantsRemoval` and calls `remove_device`. Until
    /// then others go on to send to it. When the send's end is in the inbox, the store may be erased.
    pub fn log_out(&self) -> Result<PendingSend> {
        Ok(self.client.log_out()?.into())
    }

    /// On the primary: reads the code that a new device shows. Nothing is signed yet: show the digits, and call `confirm_link` once the user
    /// has seen the same ones on the new device.
    pub fn link_device(&self, code: String) -> Result<PendingLink> {
        Ok(self.client.link_device(&code)?.into())
    }

    /// The user has seen the same digits on both devices: the new device is put on the list. Gives its id.
    pub fn confirm_link(&self, link: LinkId) -> Result<u32> {
        Ok(self.client.confirm_link(&link_id(&link)?)?.0)
    }

    /// Gives a link up, for example because the digits differ. Its code is never taken again.
    pub fn cancel_link(&self, link: LinkId) -> Result<()> {
        Ok(self.client.cancel_link(&link_id(&link)?)?)
    }

    /// On the primary: offers its part, the account key, to another device on the list. Show the digits: the other device has them in the event
    /// `HandoverOffered`. The key goes out once the apps on both have called `confirm_handover`. The same call again gives the same hand-over; a
    /// call for another device takes its place.
    pub fn hand_over(&self, device: u32) -> Result<HandoverView> {
        Ok(self.client.hand_over(DeviceId(device))?.into())
    }

    /// The user has seen the same digits on both devices: each of the two apps says so.
    pub fn confirm_handover(&self, handover: HandoverId) -> Result<()> {
        Ok(self.client.confirm_handover(&handover_id(&handover)?)?)
    }

    /// Gives a hand-over up, on either device. The primary goes on as it was.
    pub fn cancel_handover(&self, handover: HandoverId) -> Result<()> {
        Ok(self.client.cancel_handover(&handover_id(&handover)?)?)
    }

    /// On the primary: takes the list of this hash, 32 bytes, for its own, which `OwnListAhead` was about, and signs the next one on top of it.
    pub fn adopt_own_list(&self, hash: ListHash) -> Result<()> {
        Ok(self.client.adopt_own_list(&list_hash(&hash)?)?)
    }

    /// On the primary: takes a device off the list.
    pub fn remove_device(&self, device: u32) -> Result<()> {
        Ok(self.client.remove_device(DeviceId(device))?)
    }

    /// Wipes the keys from memory and lets go of the store; every later call fails with code 106. Closing twice does nothing.
    pub fn wipe(&self) -> Result<()> {
        Ok(self.client.close()?)
    }
}

/// Users, their devices, and whom to trust.
#[derive(::uniffi::Object)]
pub struct DeviceRegistry {
    client: Arc<Client>,
}

#[::uniffi::export]
impl DeviceRegistry {
    /// All users that are known, this one included.
    pub fn users(&self) -> Result<Vec<UserView>> {
        let users = self.client.users()?;
        Ok(users.into_iter().map(UserView::from).collect())
    }

    /// A user's devices, rising by id.
    pub fn devices(&self, user: String) -> Result<Vec<DeviceView>> {
        let user = user_id(&user)?;
        let devices = self.client.devices(&user)?;
        Ok(devices.into_iter().map(DeviceView::from).collect())
    }

    /// Asks the server for the device lists of these users, at most 100, so that they are known: the next requests do.
    pub fn look_up(&self, users: Vec<String>) -> Result<()> {
        Ok(self.client.look_up(&user_ids(&users)?)?)
    }

    /// Forgets a user: pin, list, sessions, what is held and what is being sent. A later message begins anew.
    pub fn forget(&self, user: String) -> Result<()> {
        Ok(self.client.forget(&user_id(&user)?)?)
    }

    /// The app has made sure that a user's changed account key, 32 bytes, is the user's; what was held is opened and goes
    /// to the inbox.
    pub fn accept_identity(&self, user: String, account_key: AccountKey) -> Result<()> {
        let user = user_id(&user)?;
        let key = <[u8; 32]>::try_from(&*account_key).map_err(|_| Error::of(Code::InvalidArgument, "account_key"))?;
        Ok(self.client.accept_identity(&user, &ids::AccountKey(key))?)
    }

    /// The app has compared safety numbers.
    pub fn mark_verified(&self, user: String) -> Result<()> {
        let user = user_id(&user)?;
        Ok(self.client.mark_verified(&user)?)
    }

    /// The app decides a fork: the branch with the list of this hash, 32 bytes, is followed, and the other one raises nothing again.
    pub fn resolve_fork(&self, user: String, hash: ListHash) -> Result<()> {
        let user = user_id(&user)?;
        Ok(self.client.resolve_fork(&user, &list_hash(&hash)?)?)
    }

    /// 60 digits that both users see alike if they hold each other's account keys.
    pub fn safety_number(&self, user: String) -> Result<String> {
        let user = user_id(&user)?;
        Ok(self.client.safety_number(&user)?)
    }

    /// The same as text for a QR code.
    pub fn safety_code(&self, user: String) -> Result<String> {
        Ok(self.client.safety_code(&user_id(&user)?)?)
    }

    /// Whether a code that was read from the user's screen shows that both hold each other's account keys.
    pub fn compare_safety_code(&self, user: String, code: String) -> Result<bool> {
        Ok(self.client.compare_safety_code(&user_id(&user)?, &code)?)
    }
}

/// The session with one device: what is active now, whatever was before.
#[derive(::uniffi::Object)]
pub struct Session {
    client: Arc<Client>,
    user: UserId,
    device: DeviceId,
}

#[::uniffi::export]
impl Session {
    /// The active session, or nothing when the next send begins one.
    pub fn info(&self) -> Result<Option<SessionView>> {
        let view = self.client.session(&self.user, self.device)?;
        Ok(view.map(SessionView::from))
    }

    /// Begins anew with the device, for a conversation that does not work though nothing says why: the next message to it begins a session that
    /// takes the place of all others, of groups as well. Nothing is lost by it.
    pub fn reset(&self) -> Result<()> {
        self.client.reset_session(&self.user, self.device)?;
        Ok(())
    }

    /// Encrypts for this device alone, without a transcript.
    pub fn encrypt(&self, payload: Bytes) -> Result<PendingSend> {
        let send = self.client.encrypt_to(&self.user, self.device, &payload)?;
        Ok(send.into())
    }
}

/// A new device that waits for its primary's answer.
#[derive(::uniffi::Object)]
pub struct Linking {
    link: sesame::Linking,
}

#[::uniffi::export]
impl Linking {
    /// Begins to link a new device in an empty store. `server` is the name of the server, as the user's other devices have it.
    #[::uniffi::constructor(default(clock = None))]
    pub fn begin(
        store: Arc<Store>,
        store_key: StoreKey,
        server: String,
        clock: Option<Arc<TestClock>>,
    ) -> Result<Arc<Self>> {
        let host = host(&store, store_key, clock.as_deref())?;
        let link = sesame::Linking::begin(host, &self::server(&server, &[])?)?;
        Ok(Arc::new(Self { link }))
    }

    /// Takes up a link that was begun before the app was closed.
    #[::uniffi::constructor(default(clock = None))]
    pub fn resume(store: Arc<Store>, store_key: StoreKey, clock: Option<Arc<TestClock>>) -> Result<Arc<Self>> {
        let link = sesame::Linking::resume(host(&store, store_key, clock.as_deref())?)?;
        Ok(Arc::new(Self { link }))
    }

    /// What to show as text or QR, to nobody but one's own primary; good for 10 minutes, once.
    pub fn code(&self) -> String {
        self.link.code().to_owned()
    }

    /// The digits to show, once the primary has said hello: the user compares them with those on the primary.
    pub fn digits(&self) -> Result<Option<String>> {
        Ok(self.link.digits()?)
    }

    /// The user has seen the same digits on both devices; only now is the primary's answer taken.
    pub fn confirm(&self) -> Result<()> {
        Ok(self.link.confirm()?)
    }

    /// Whether nothing more can come of this link: begin another one then. False once the device is there.
    pub fn expired(&self) -> Result<bool> {
        Ok(self.link.expired()?)
    }

    /// The next request to the server; see `Device.next_request`. Nothing while the app has to confirm, and once the device is there.
    pub fn next_request(&self) -> Result<Option<ServerRequest>> {
        Ok(self.link.next_request()?.map(ServerRequest::from))
    }

    /// Takes in the server's answer to a request; see `Device.respond`. `problem` says why nothing can come of the link.
    #[::uniffi::method(default(body = None))]
    pub fn respond(&self, id: RequestId, status: u16, body: Option<Bytes>) -> Result<Answered> {
        let id = ids::RequestId(id16(&id, "id")?);
        Ok(self.link.respond(&id, status, body.as_deref().unwrap_or_default())?.into())
    }

    /// Takes a request back that was not sent: it is given out again at once.
    pub fn release(&self, id: RequestId) -> Result<()> {
        Ok(self.link.release(&ids::RequestId(id16(&id, "id")?))?)
    }

    /// Ends every pause: the network is there again.
    pub fn retry_now(&self) -> Result<()> {
        Ok(self.link.retry_now()?)
    }

    /// How long it is until `next_request` has something to give: zero when it has now. It is a day while the app has to confirm, and when
    /// nothing more is asked: the device is there, or the link has expired or come to nothing.
    pub fn due_in(&self) -> Result<Duration> {
        Ok(self.link.due_in()?)
    }

    /// The device, once the primary's answer has come; it is given once.
    pub fn device(&self) -> Result<Option<Arc<Device>>> {
        Ok(self.link.device()?.map(Device::over))
    }
}
