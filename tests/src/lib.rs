//! The simulated world: real library code, one seed, one thread and a clock of its own. Its network loses,
//! repeats and reorders envelopes. Its stores fail when a test tells them to.
//!
//! The world uses only what an app can use, except where a test needs more.

pub mod bad_inputs;
pub mod craft;
pub mod curve;
pub mod groups;
pub mod handing;
pub mod large;
pub mod linking;
pub mod lists;
pub mod played;
pub mod pump;
pub mod restoring;
pub mod source;
pub mod spoilt;
pub mod store;
pub mod vectors;

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng, TryRng},
};
use sesame_core::internal::steps::{Rejection, Standing as Sending, Steps};
use sesame_core::{
    context::{Context, Timestamp},
    device::{Device, Requests},
    error::{Code, Error},
    event::{Event, Item, LinkLeg, Message, PendingSend, Received, Server},
    ids::{DeviceId, ListHash, SendId, UserId},
    internal::{
        crypto::ed25519::SigningKey,
        keys::device_list::{self, VerifiedDeviceList},
        record::{Own, Record},
        store::{Kind, Places, Sealer},
    },
    secret::Secret,
    store::MemoryStore,
};
use sesame_relay::{Refusal, Relay};
use std::{collections::BTreeMap, sync::Arc};
use store::FaultyStore;

/// A day in milliseconds.
pub const DAY: u64 = 24 * 60 * 60 * 1_000;

/// Alice's first device.
pub const ALICE: Name = ("alice", 1);
/// Bob's first device.
pub const BOB: Name = ("bob", 1);
/// Jen's device.
pub const JEN: Name = ("jen", 1);

/// The name of a device in the world: user name and device id.
pub type Name = (&'static str, u32);

/// The user id with this name.
#[must_use]
pub fn user(name: &str) -> UserId {
    UserId::try_new(name.as_bytes().to_vec()).unwrap()
}

/// The server of every device in the world.
#[must_use]
pub fn server() -> Server {
    Server::named("relay.test").unwrap()
}

/// The store key of every device in the world.
#[must_use]
pub fn store_key() -> Secret<32> {
    Secret::init_with(|key| key.fill(0x5a))
}

/// A generator that is broken: it returns the same byte always.
#[derive(Clone, Copy, Debug)]
pub struct Stuck(pub u8);

impl TryRng for Stuck {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::from_ne_bytes([self.0; 4]))
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from_ne_bytes([self.0; 8]))
    }
    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Self::Error> {
        to.fill(self.0);
        Ok(())
    }
}

/// A device and its store.
pub struct Host {
    /// The store of the device.
    pub store: Arc<FaultyStore>,
    /// The device.
    pub device: Device,
}

/// What the network does to fetched envelopes; each number is a percentage.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// Percentage of envelopes that are lost for good.
    pub drop: u32,
    /// Percentage of envelopes that arrive again in a later fetch.
    pub duplicate: u32,
    /// Percentage of envelopes that arrive in a later fetch only.
    pub delay: u32,
    /// Whether the order of a fetch is shuffled.
    pub reorder: bool,
    /// Percentage of batches whose answer is lost. The sender then submits the same bytes again.
    pub unanswered: u32,
}

/// The world.
pub struct World {
    /// The server.
    pub relay: Relay,
    /// Every device, by name.
    pub hosts: BTreeMap<Name, Host>,
    /// The only source of randomness.
    pub rng: ChaCha20Rng,
    /// The only clock, in ms since 1970.
    pub now: u64,
    /// What the network does to fetched envelopes.
    pub weather: Weather,
    /// What each device's handle knows of its requests.
    pub requests: BTreeMap<Name, Requests>,
    /// If set, half of the calls read a clock that is up to 50 years away, to either side.
    pub jumps: Option<ChaCha20Rng>,
}

impl World {
    /// Makes an empty world.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            relay: Relay::new(server().name()),
            hosts: BTreeMap::new(),
            rng: ChaCha20Rng::seed_from_u64(seed),
            now: 1_800_000_000_000,
            weather: Weather::default(),
            requests: BTreeMap::new(),
            jumps: None,
        }
    }

    /// What the clock of a device shows to a call.
    pub fn reading(&mut self) -> Timestamp {
        let years = 2 * 50 * 365 * DAY;
        let away = self.jumps.as_mut().map(|jumps| (jumps.next_u32() % 2 == 0, jumps.next_u64() % years));
        match away {
            Some((true, away)) => Timestamp((self.now + away).saturating_sub(years / 2)),
            _ => Timestamp(self.now),
        }
    }

    /// Calls a device with the world's clock and randomness.
    pub fn with<T>(&mut self, name: Name, call: impl FnOnce(&Device, &mut Context<'_>) -> T) -> T {
        let mut context = Context { now: self.reading(), rng: &mut self.rng };
        call(&self.hosts.get(&name).unwrap().device, &mut context)
    }

    /// Time passes. Every device looks at its clock each day, as one that is on does.
    pub fn pass(&mut self, ms: u64) {
        let mut left = ms;
        while left > 3 * DAY {
            left -= DAY;
            self.now += DAY;
            for host in self.hosts.values() {
                // Not from the world's generator: what a test draws does not depend on how long it waits.
                let mut rng = ChaCha20Rng::seed_from_u64(self.now);
                let mut context = Context { now: Timestamp(self.now), rng: &mut rng };
                // A store that fails just now, or was erased, misses it.
                let _ = host.device.observe(&mut context);
            }
        }
        self.now += left;
    }

    /// The clock of every device jumps, without a look at it in between.
    pub fn jump(&mut self, days: i64) {
        self.now = self.now.saturating_add_signed(days * DAY as i64);
    }

    /// A random number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.rng.next_u64() % n as u64) as usize
    }

    /// Creates a user's first device and publishes it.
    pub fn create(&mut self, name: &'static str) -> Name {
        let name = self.create_quietly(name);
        self.publish(name);
        name
    }

    /// Creates a user's first device and publishes nothing.
    pub fn create_quietly(&mut self, name: &'static str) -> Name {
        let store = Arc::new(FaultyStore::new(MemoryStore::new()));
        let mut context = Context { now: Timestamp(self.now), rng: &mut self.rng };
        let device = Device::create(store.clone(), &store_key(), &mut context, &user(name), &server()).unwrap();
        self.hosts.insert((name, 1), Host { store, device });
        (name, 1)
    }

    /// Links one more device to a user through the primary, and publishes both.
    pub fn link(&mut self, name: &'static str) -> Name {
        let new = self.link_quietly(name);
        self.publish((name, 1));
        self.publish(new);
        new
    }

    /// Links one more device to a user, and publishes nothing.
    pub fn link_quietly(&mut self, name: &'static str) -> Name {
        self.link_by((name, 1))
    }

    /// The same through this primary.
    pub fn link_by(&mut self, primary: Name) -> Name {
        let name = primary.0;
        let store = Arc::new(FaultyStore::new(MemoryStore::new()));
        let mut context = Context { now: Timestamp(self.now), rng: &mut self.rng };
        let linking = Device::begin_link(store.clone(), &store_key(), &mut context, &server()).unwrap();
        let primary = &self.hosts.get(&primary).unwrap().device;
        let link = primary.link_device(&mut context, linking.code()).unwrap();
        let hello = primary.link_leg(&mut context, &link.id, LinkLeg::Hello).unwrap().unwrap();
        assert_eq!(linking.hear_hello(&mut context, &hello).unwrap(), link.digits);
        linking.confirm(&mut context).unwrap();
        let id = primary.confirm_link(&mut context, &link.id).unwrap();
        let answer = primary.link_leg(&mut context, &link.id, LinkLeg::Answer).unwrap().unwrap();
        let device = linking.complete(&mut context, &answer).unwrap();
        assert_eq!(device.id(), id);
        let new = (name, id.0);
        self.hosts.insert(new, Host { store, device });
        new
    }

    /// Removes a device from its user's list, and publishes the list.
    pub fn remove(&mut self, name: Name) {
        self.with((name.0, 1), |device, context| device.remove_device(context, DeviceId(name.1))).unwrap();
        self.publish((name.0, 1));
    }

    /// Uploads the next publication: the list, the lasting keys and a chunk of one-time keys.
    pub fn publish_once(&mut self, name: Name) {
        if let Some(upload) = self.with(name, |device, context| device.publication(context, None)).unwrap() {
            self.relay.publish((&user(name.0), DeviceId(name.1)), &upload.bytes).unwrap();
            self.with(name, |device, context| device.published(context, &upload.id)).unwrap();
        }
    }

    /// Uploads until nothing is due.
    pub fn publish(&mut self, name: Name) {
        while let Some(upload) = self.with(name, |device, context| device.publication(context, None)).unwrap() {
            self.relay.publish((&user(name.0), DeviceId(name.1)), &upload.bytes).unwrap();
            self.with(name, |device, context| device.published(context, &upload.id)).unwrap();
        }
    }

    /// Closes a device and opens it again.
    pub fn reopen(&mut self, name: Name) {
        self.requests.remove(&name);
        let host = self.hosts.get_mut(&name).unwrap();
        host.device = Device::open(host.store.clone(), &store_key()).unwrap();
    }

    /// Puts an old copy of a device's store back.
    pub fn put_back(&mut self, name: Name, rows: BTreeMap<Vec<u8>, Vec<u8>>) {
        self.hosts.get(&name).unwrap().store.inner.restore(rows);
        self.reopen(name);
    }

    /// Spoils the last byte of each row of these kinds.
    pub fn spoil(&mut self, name: Name, kinds: &[Kind]) {
        let mut rows = self.dump(name);
        let meant = rows.iter_mut().filter(|(key, _)| is_of(key, kinds));
        meant.for_each(|(_, row)| *row.last_mut().unwrap() ^= 1);
        self.put_back(name, rows);
    }

    /// Sends a message and drives the send to the end, as an app would.
    ///
    /// # Panics
    /// If the send does not come to an end.
    pub fn send(&mut self, from: Name, to: &[&str], text: &[u8]) -> SendId {
        let users: Vec<UserId> = to.iter().map(|name| user(name)).collect();
        let send = self.with(from, |device, context| device.encrypt(context, &users, text, None)).unwrap();
        let id = send.id;
        let left = self.drive(from, send).unwrap();
        assert_eq!(left, None, "the send is not settled");
        id
    }

    /// Submits batches, reports the answers and answers needs until nothing more can be done. Returns what is
    /// left of the send.
    ///
    /// # Errors
    /// The errors of the device's calls.
    pub fn drive(&mut self, from: Name, send: impl AsSend) -> Result<Option<Sending>, Error> {
        let id = send.id();
        for _ in 0..20 {
            let view = self.with(from, |device, context| device.pending(context, &id))?;
            let Some(send) = view else {
                self.ack_end(from, id);
                return Ok(None);
            };
            if send.batches.is_empty() && send.needs.is_empty() {
                return Ok(Some(send));
            }
            for batch in &send.batches {
                let caller = user(from.0);
                if self.weather.unanswered > 0 && self.rng.next_u32() % 100 < self.weather.unanswered {
                    let _ = self.relay.submit((&caller, DeviceId(from.1)), batch);
                    continue;
                }
                match self.relay.submit((&caller, DeviceId(from.1)), batch) {
                    Ok(()) => self.with(from, |device, context| device.accepted(context, &id, &batch.user))?,
                    Err(Refusal::Stale { device_list, .. }) => {
                        let rejection = Rejection::Mismatch { device_list };
                        self.with(from, |d, context| d.rejected(context, &id, &batch.user, &rejection))?;
                    }
                    Err(Refusal::NoSuchUser) => {
                        let rejection = Rejection::NoSuchUser;
                        self.with(from, |d, context| d.rejected(context, &id, &batch.user, &rejection))?;
                    }
                    Err(Refusal::NotListed) => return Err(Code::NotListed.into()),
                    Err(Refusal::Malformed) => panic!("the relay could not read a batch"),
                }
            }
            if send.needs.contains(&sesame_core::internal::steps::Need::Publication) {
                self.publish(from);
            }
            let answers = self.relay.answer(&send.needs);
            if answers != sesame_core::internal::steps::Answers::default() {
                self.with(from, |device, context| device.apply(context, &answers))?;
            } else if send.batches.is_empty() {
                return Ok(Some(send));
            }
        }
        panic!("the send goes round in circles");
    }

    /// How a send stands beneath the loop.
    ///
    /// # Panics
    /// If the send is gone.
    pub fn standing_of(&mut self, name: Name, send: &impl AsSend) -> Sending {
        let id = send.id();
        self.with(name, |device, context| device.pending(context, &id)).unwrap().unwrap()
    }

    /// Withdraws a send for these users, and acks its end if that was the last of it.
    pub fn withdraw(&mut self, name: Name, send: &impl AsSend, users: &[UserId]) {
        let id = send.id();
        self.with(name, |device, context| device.cancel(context, &Requests::new(), &id, Some(users))).unwrap();
        self.ack_end(name, id);
    }

    /// Acks the item that tells of a send's end, if it is there.
    pub fn ack_end(&mut self, name: Name, id: SendId) {
        let items = self.with(name, |device, context| device.all_items(context)).unwrap();
        let of_it = |item: &Item| matches!(item, Item::Event(Event::SendFinished { send, .. }) if *send == id);
        let ids: Vec<u64> = items.iter().filter(|row| of_it(&row.item)).map(|row| row.id).collect();
        self.with(name, |device, context| device.ack(context, &ids)).unwrap();
    }

    /// Fetches the mailbox through the weather, decrypts it in one call, confirms and acks. Returns all
    /// results.
    ///
    /// # Errors
    /// The errors of [`Device::batch_decrypt`].
    pub fn receive(&mut self, name: Name) -> Result<Vec<Received>, Error> {
        let owner = user(name.0);
        let mut mails = self.relay.fetch((&owner, DeviceId(name.1)), 4_096);
        let mut keep = Vec::new();
        let weather = self.weather;
        let mut chance = |percent: u32| self.rng.next_u32() % 100 < percent;
        mails.retain(|mail| {
            if chance(weather.drop) {
                return false;
            }
            let later = chance(weather.delay);
            if later || chance(weather.duplicate) {
                keep.push(mail.id);
            }
            !later
        });
        let all: Vec<u64> = self.relay.fetch((&owner, DeviceId(name.1)), 4_096).iter().map(|mail| mail.id).collect();
        if weather.reorder {
            for at in (1..mails.len()).rev() {
                let other = self.below(at + 1);
                mails.swap(at, other);
            }
        }
        let envelopes: Vec<Vec<u8>> = mails.iter().map(|mail| mail.envelope.clone()).collect();
        let results = if envelopes.is_empty() {
            Vec::new()
        } else {
            self.with(name, |device, context| device.decrypt(context, &envelopes))?
        };
        let confirmed: Vec<u64> = all.into_iter().filter(|id| !keep.contains(id)).collect();
        self.relay.confirm((&owner, DeviceId(name.1)), &confirmed);
        let acks: Vec<u64> = results.iter().filter_map(item_id).collect();
        self.with(name, |device, context| device.ack(context, &acks))?;
        Ok(results)
    }

    /// The envelopes in a mailbox, in order. They stay there.
    #[must_use]
    pub fn mails(&self, name: Name) -> Vec<Vec<u8>> {
        self.relay.fetch((&user(name.0), DeviceId(name.1)), 4_096).into_iter().map(|mail| mail.envelope).collect()
    }

    /// Removes everything from a mailbox without delivering it.
    pub fn steal(&mut self, name: Name) -> Vec<Vec<u8>> {
        let owner = user(name.0);
        let mails = self.relay.fetch((&owner, DeviceId(name.1)), 4_096);
        let ids: Vec<u64> = mails.iter().map(|mail| mail.id).collect();
        self.relay.confirm((&owner, DeviceId(name.1)), &ids);
        mails.into_iter().map(|mail| mail.envelope).collect()
    }

    /// Calls `batch_decrypt` with these envelopes, whatever the mailbox holds.
    pub fn decrypt(&mut self, name: Name, envelopes: &[Vec<u8>]) -> Vec<Received> {
        self.with(name, |device, context| device.decrypt(context, envelopes)).unwrap()
    }

    /// The failure that one envelope gives, or `None` if it opens.
    pub fn refusal(&mut self, name: Name, envelope: &[u8]) -> Option<Code> {
        failures(&self.decrypt(name, &[envelope.to_vec()])).first().copied()
    }

    /// The active session of one device with another.
    pub fn session(&mut self, of: Name, with: Name) -> Option<sesame_core::event::SessionView> {
        self.with(of, |device, context| device.session(context, &user(with.0), DeviceId(with.1))).unwrap()
    }

    /// Encrypts a message and submits nothing.
    pub fn encrypt(&mut self, from: Name, to: &[&str], text: &[u8]) -> Sending {
        let users: Vec<UserId> = to.iter().map(|name| user(name)).collect();
        self.with(from, |device, context| device.encrypt(context, &users, text, None)).unwrap()
    }

    /// A world of two users with one device each who have talked.
    #[must_use]
    pub fn pair(seed: u64) -> Self {
        let mut world = Self::strangers(seed);
        world.send(BOB, &["alice"], b"hello");
        world.receive(ALICE).unwrap();
        world.send(ALICE, &["bob"], b"hi");
        world.receive(BOB).unwrap();
        world
    }

    /// A world of two users with one device each who have not talked.
    #[must_use]
    pub fn strangers(seed: u64) -> Self {
        let mut world = Self::new(seed);
        world.create("alice");
        world.create("bob");
        world
    }

    /// The payloads of a fetch, in order.
    pub fn read(&mut self, name: Name) -> Vec<Vec<u8>> {
        messages(&self.receive(name).unwrap()).into_iter().map(|message| message.payload.clone()).collect()
    }

    /// A device's own record, decrypted: what a thief with the store key has.
    #[must_use]
    pub fn own(&self, name: Name) -> Own {
        let (key, sealer) = (Places::only(Kind::Own), Sealer::new(&store_key()));
        let row = self.dump(name).remove(&*key).unwrap();
        Own::decode(&sealer.open(&key, &row).unwrap()).unwrap()
    }

    /// A list of this user, signed with the account key of the primary device, with any content.
    ///
    /// # Errors
    /// The errors of the list's encoding.
    pub fn forge_list(
        &self,
        name: &'static str,
        before: Option<&sesame_core::internal::keys::device_list::List>,
        devices: &[sesame_core::internal::keys::device_list::Listing],
    ) -> Result<VerifiedDeviceList, Code> {
        let account = SigningKey::from_seed(self.own((name, 1)).account.unwrap());
        device_list::sign(&account, &user(name), before, devices, Timestamp(self.now))
    }

    /// The app of a device decides a fork.
    ///
    /// # Errors
    /// The call's.
    pub fn resolve_fork(&mut self, name: Name, other: &str, hash: &ListHash) -> Result<(), Error> {
        self.with_requests(name, |device, context, requests| device.resolve_fork(context, requests, &user(other), hash))
    }

    /// The current list on the server, verified.
    #[must_use]
    pub fn list(&self, name: &str) -> VerifiedDeviceList {
        VerifiedDeviceList::verify(&self.relay.device_list(&user(name)).unwrap()).unwrap()
    }

    /// The number of rows of these kinds in the store of a device.
    #[must_use]
    pub fn rows(&self, name: Name, kinds: &[Kind]) -> usize {
        self.dump(name).keys().filter(|key| is_of(key, kinds)).count()
    }

    /// All rows in the store of a device.
    #[must_use]
    pub fn dump(&self, name: Name) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.hosts.get(&name).unwrap().store.inner.dump()
    }
}

/// Whether the row under this key is of one of these kinds.
#[must_use]
pub fn is_of(key: &[u8], kinds: &[Kind]) -> bool {
    kinds.iter().any(|kind| key.starts_with(&Places::all(*kind)))
}

fn item_id(received: &Received) -> Option<u64> {
    match received {
        Received::Item { id, .. } => Some(*id),
        _ => None,
    }
}

/// The messages among the results.
#[must_use]
pub fn messages(results: &[Received]) -> Vec<&Message> {
    results
        .iter()
        .filter_map(|received| match received {
            Received::Item { item: Item::Message(message), .. } => Some(message),
            _ => None,
        })
        .collect()
}

/// The failures among the results, duplicates included.
#[must_use]
pub fn failures(results: &[Received]) -> Vec<Code> {
    results
        .iter()
        .filter_map(|received| match received {
            Received::Failure { code, .. } => Some(*code),
            Received::Duplicate { .. } => Some(Code::Duplicate),
            _ => None,
        })
        .collect()
}

/// The events among the results.
#[must_use]
pub fn events(results: &[Received]) -> Vec<&sesame_core::event::Event> {
    results
        .iter()
        .filter_map(|received| match received {
            Received::Item { item: Item::Event(event), .. } => Some(event),
            _ => None,
        })
        .collect()
}

/// What names a send.
pub trait AsSend {
    /// The send's name.
    fn id(&self) -> SendId;
}

impl AsSend for SendId {
    fn id(&self) -> SendId {
        *self
    }
}

impl AsSend for PendingSend {
    fn id(&self) -> SendId {
        self.id
    }
}

impl AsSend for Sending {
    fn id(&self) -> SendId {
        self.id
    }
}
