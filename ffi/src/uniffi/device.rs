//! The handles of this device: `Device`, `DeviceRegistry`, `Session`, `Linking`.

use super::bytes::{Bytes, list};
use super::error::Result;
use super::generated::{
    Answers, Applied, DeviceView, Event, GroupChange, GroupKind, GroupView, PendingSend, Publication, SessionView,
    UserView,
};
use super::given::id16;
use super::group::{self, Group, NewGroup};
use super::receive::Received;
use super::store::Store;
use crate::host::{store_key, user_id, user_name};
use sesame::Client;
use sesame_core::{
    error::{Code, Error},
    event::{self, Rejection},
    ids::{AccountKey, ContentId, DeviceId, PublicationId, SendId, UserId},
};
use std::sync::Arc;

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

fn rejected(client: &Client, send: &[u8], user: &str, rejection: &Rejection) -> Result<PendingSend> {
    let (send, user) = (SendId(id16(send, "send")?), user_id(user)?);
    Ok(client.rejected(&send, &user, rejection)?.into())
}

#[::uniffi::export]
impl Device {
    /// A user's first device, its primary, with a new account key, in an empty store. `store_key` is 32 bytes that the app keeps in its
    /// keychain; `user` is 1 to 64 bytes of UTF-8.
    #[::uniffi::constructor]
    pub fn create(store: Arc<Store>, store_key: Bytes, user: String) -> Result<Arc<Self>> {
        let (key, user) = (self::store_key(store_key.0)?, user_id(&user)?);
        Ok(Self::over(Client::create(store.inner.clone(), key, &user)?))
    }

    /// Opens the device in a store.
    #[::uniffi::constructor]
    pub fn open(store: Arc<Store>, store_key: Bytes) -> Result<Arc<Self>> {
        Ok(Self::over(Client::open(store.inner.clone(), self::store_key(store_key.0)?)?))
    }

    /// The user that this device belongs to.
    pub fn user(&self) -> Result<String> {
        Ok(self.client.call(|device, _| Ok(user_name(device.user())))?)
    }

    /// This device's id, unique within its user.
    pub fn id(&self) -> Result<u32> {
        Ok(self.client.call(|device, _| Ok(device.id().0))?)
    }

    /// What to upload next, or nothing when nothing is due; ask again after `published`. `left` is how many one-time prekeys the server
    /// still has.
    #[::uniffi::method(default(left = None))]
    pub fn publication(&self, left: Option<u32>) -> Result<Option<Publication>> {
        let publication = self.client.publication(left)?;
        Ok(publication.map(Publication::from))
    }

    /// The server has taken an upload.
    pub fn published(&self, id: Bytes) -> Result<()> {
        let id = id16(&id, "id")?;
        Ok(self.client.published(&PublicationId(id))?)
    }

    /// Users and their devices.
    pub fn registry(&self) -> Arc<DeviceRegistry> {
        Arc::new(DeviceRegistry { client: self.client.clone() })
    }

    /// The session with one device.
    pub fn session(&self, user: String, device: u32) -> Result<Arc<Session>> {
        Ok(Arc::new(Session { client: self.client.clone(), user: user_id(&user)?, device: DeviceId(device) }))
    }

    /// Encrypts for every device of every recipient, and a transcript for the user's own other devices. Give `content_id`, 16 bytes, for
    /// an id of your own.
    #[::uniffi::method(default(content_id = None))]
    pub fn batch_encrypt(
        &self,
        recipients: Vec<String>,
        payload: Bytes,
        content_id: Option<Bytes>,
    ) -> Result<PendingSend> {
        let users = recipients.iter().map(|user| user_id(user)).collect::<std::result::Result<Vec<UserId>, Error>>()?;
        let content_id = content_id.map(|id| id16(&id, "content_id")).transpose()?;
        let send = self.client.batch_encrypt(&users, &payload, content_id.map(ContentId))?;
        Ok(send.into())
    }

    /// Makes a group of this user and `users`, whose account keys must be known: bring their device lists with `registry.apply` first.
    pub fn create_group(&self, kind: GroupKind, info: GroupChange, users: Vec<String>) -> Result<Arc<NewGroup>> {
        group::create(&self.client, kind, info, &users)
    }

    /// The group with this id, 32 bytes.
    pub fn group(&self, id: Bytes) -> Result<Arc<Group>> {
        group::handle(&self.client, group::group_id(&id)?)
    }

    /// Every group that this device knows, those that its user has left included.
    pub fn groups(&self) -> Result<Vec<GroupView>> {
        let views = self.client.groups()?;
        Ok(views.into_iter().map(GroupView::from).collect())
    }

    /// The server has taken a user's batch whole.
    pub fn accepted(&self, send: Bytes, user: String) -> Result<()> {
        let (send, user) = (SendId(id16(&send, "send")?), user_id(&user)?);
        Ok(self.client.accepted(&send, &user)?)
    }

    /// The server has refused a user's batch whole, with the user's signed device list.
    pub fn rejected(&self, send: Bytes, user: String, device_list: Bytes) -> Result<PendingSend> {
        rejected(&self.client, &send, &user, &Rejection::Mismatch { device_list: device_list.0 })
    }

    /// The server does not know a user.
    pub fn no_such_user(&self, send: Bytes, user: String) -> Result<PendingSend> {
        rejected(&self.client, &send, &user, &Rejection::NoSuchUser)
    }

    /// Gives a user's part of a send up.
    pub fn abandon(&self, send: Bytes, user: String) -> Result<()> {
        let (send, user) = (SendId(id16(&send, "send")?), user_id(&user)?);
        Ok(self.client.abandon(&send, &user)?)
    }

    /// One send as it stands, or nothing when it is settled.
    pub fn pending(&self, send: Bytes) -> Result<Option<PendingSend>> {
        let send = SendId(id16(&send, "send")?);
        Ok(self.client.pending(&send)?.map(PendingSend::from))
    }

    /// Every send that is not settled, oldest first, with the same bytes as before.
    pub fn outbox(&self) -> Result<Vec<PendingSend>> {
        let sends = self.client.outbox()?;
        Ok(sends.into_iter().map(PendingSend::from).collect())
    }

    /// Opens the envelopes of a fetched mailbox, in any order. Confirm them to the server after this has returned.
    pub fn batch_decrypt(&self, envelopes: Vec<Bytes>) -> Result<Vec<Received>> {
        let envelopes: Vec<Vec<u8>> = list(envelopes);
        let results = self.client.batch_decrypt(&envelopes)?;
        Ok(results.into_iter().map(Received::from).collect())
    }

    /// Everything that was received and not acked, oldest first.
    pub fn inbox(&self) -> Result<Vec<Received>> {
        let rows = self.client.inbox()?;
        Ok(rows.into_iter().map(Received::from).collect())
    }

    /// The app has these items safe; they are deleted here.
    pub fn ack(&self, ids: Vec<u64>) -> Result<()> {
        Ok(self.client.ack(&ids)?)
    }

    /// Housekeeping, about once a day; with `mailbox_empty` when the mailbox has just been fetched to its end.
    #[::uniffi::method(default(mailbox_empty = false))]
    pub fn tick(&self, mailbox_empty: bool) -> Result<Vec<Event>> {
        let events = self.client.tick(mailbox_empty)?;
        Ok(events.into_iter().map(Event::from).collect())
    }

    /// On the primary: reads the code that a new device shows and gives the answer for it. Publish afterwards.
    pub fn confirm_link(&self, code: String) -> Result<Bytes> {
        Ok(self.client.link(&code)?.into())
    }

    /// On the primary: takes a device off the list. Publish afterwards.
    pub fn remove_device(&self, device: u32) -> Result<Vec<Event>> {
        let events = self.client.remove_device(DeviceId(device))?;
        Ok(events.into_iter().map(Event::from).collect())
    }

    /// Takes the device up from its store again after a fault of this library.
    pub fn reload(&self) -> Result<()> {
        Ok(self.client.reload()?)
    }

    /// Wipes the keys from memory; every later call fails with code 106.
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

    /// Takes in what the server gave for needs, in any order and at any time.
    pub fn apply(&self, answers: Answers) -> Result<Applied> {
        let answers = event::Answers::try_from(answers)?;
        Ok(self.client.apply(&answers)?.into())
    }

    /// The app has made sure that a user's changed account key, 32 bytes, is the user's; what was held is opened.
    pub fn accept_identity(&self, user: String, account_key: Bytes) -> Result<Vec<Received>> {
        let user = user_id(&user)?;
        let key = <[u8; 32]>::try_from(&*account_key).map_err(|_| Error::of(Code::InvalidArgument, "account_key"))?;
        let results = self.client.accept_identity(&user, &AccountKey(key))?;
        Ok(results.into_iter().map(Received::from).collect())
    }

    /// The app has compared safety numbers.
    pub fn mark_verified(&self, user: String) -> Result<()> {
        let user = user_id(&user)?;
        Ok(self.client.mark_verified(&user)?)
    }

    /// The app decides a fork: the newest list that was taken counts alone.
    pub fn resolve_fork(&self, user: String) -> Result<()> {
        let user = user_id(&user)?;
        Ok(self.client.resolve_fork(&user)?)
    }

    /// 60 digits that both users see alike if they hold each other's account keys.
    pub fn safety_number(&self, user: String) -> Result<String> {
        let user = user_id(&user)?;
        Ok(self.client.safety_number(&user)?)
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
    /// Begins to link a new device in an empty store.
    #[::uniffi::constructor]
    pub fn begin(store: Arc<Store>, store_key: Bytes) -> Result<Arc<Self>> {
        let link = sesame::Linking::begin(store.inner.clone(), self::store_key(store_key.0)?)?;
        Ok(Arc::new(Self { link }))
    }

    /// Takes up a link that was begun before the app was closed.
    #[::uniffi::constructor]
    pub fn resume(store: Arc<Store>, store_key: Bytes) -> Result<Arc<Self>> {
        let link = sesame::Linking::resume(store.inner.clone(), self::store_key(store_key.0)?)?;
        Ok(Arc::new(Self { link }))
    }

    /// What to show as text or QR, to nobody but one's own primary; good for 10 minutes, once.
    pub fn code(&self) -> String {
        self.link.code().to_owned()
    }

    /// Takes the primary's answer and gives the device. A wrong answer changes nothing: the right one may still come.
    pub fn complete(&self, answer: Bytes) -> Result<Arc<Device>> {
        Ok(Device::over(self.link.complete(&answer)?))
    }
}
