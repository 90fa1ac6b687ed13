//! The simulated world: real library code, one seed, one thread, a clock of its own, a network that loses, repeats and reorders, and
//! stores that fail when they are told to.
//!
//! It knows nothing that an app would not know, but for what a test asks of it.

pub mod bad_inputs;
pub mod craft;
pub mod curve;
pub mod groups;
pub mod store;
pub mod vectors;

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use sesame_core::{
    context::{Context, Timestamp},
    crypto::ed25519::SigningKey,
    device::{Device, Item, Message, Received, Rejection, Send, SendId},
    error::{Code, Error},
    ids::{DeviceId, UserId},
    keys::device_list::{self, VerifiedDeviceList},
    record::{Own, Record},
    secret::Secret,
    store::{Kind, MemoryStore, Places, Sealer},
};
use sesame_relay::{Refusal, Relay};
use std::{collections::BTreeMap, sync::Arc};
use store::FaultyStore;

/// A day, in ms.
pub const DAY: u64 = 24 * 60 * 60 * 1_000;

/// Alice's first device.
pub const ALICE: Name = ("alice", 1);
/// Bob's first device.
pub const BOB: Name = ("bob", 1);
/// Jen\'s device.
pub const JEN: Name = ("jen", 1);

/// Names a device in the world: user name and number.
pub type Name = (&'static str, u32);

/// A user id from a name.
#[must_use]
pub fn user(name: &str) -> UserId {
    UserId::try_new(name.as_bytes().to_vec()).unwrap()
}

/// The key of every store in the world.
#[must_use]
pub fn store_key() -> Secret<32> {
    Secret::init_with(|key| key.fill(0x5a))
}

/// A device with its store.
pub struct Host {
    /// Where it keeps everything.
    pub store: Arc<FaultyStore>,
    /// The device.
    pub device: Device,
}

/// What the network does to what is fetched, each of 100.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// An envelope is lost for good.
    pub drop: u32,
    /// An envelope comes again in a later fetch as well.
    pub duplicate: u32,
    /// An envelope comes with a later fetch.
    pub delay: u32,
    /// The order is shuffled.
    pub reorder: bool,
    /// The server's answer to a batch is lost: the sender submits the same bytes again.
    pub unanswered: u32,
}

/// Everything there is.
pub struct World {
    /// The server.
    pub relay: Relay,
    /// Every device.
    pub hosts: BTreeMap<Name, Host>,
    /// The only source of chance.
    pub rng: ChaCha20Rng,
    /// The only clock, in ms.
    pub now: u64,
    /// What fetches go through.
    pub weather: Weather,
}

impl World {
    /// An empty world.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            relay: Relay::new(),
            hosts: BTreeMap::new(),
            rng: ChaCha20Rng::seed_from_u64(seed),
            now: 1_800_000_000_000,
            weather: Weather::default(),
        }
    }

    /// Calls a device with the world's clock and chance.
    pub fn with<T>(&mut self, name: Name, call: impl FnOnce(&Device, &mut Context<'_>) -> T) -> T {
        let mut context = Context { now: Timestamp(self.now), rng: &mut self.rng };
        call(&self.hosts.get(&name).unwrap().device, &mut context)
    }

    /// Time passes.
    pub fn pass(&mut self, ms: u64) {
        self.now += ms;
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.rng.next_u64() % n as u64) as usize
    }

    /// A user's first device, published.
    pub fn create(&mut self, name: &'static str) -> Name {
        let name = self.create_quietly(name);
        self.publish(name);
        name
    }

    /// A user's first device, of which nobody knows.
    pub fn create_quietly(&mut self, name: &'static str) -> Name {
        let store = Arc::new(FaultyStore::new(MemoryStore::new()));
        let mut context = Context { now: Timestamp(self.now), rng: &mut self.rng };
        let device = Device::create(store.clone(), &store_key(), &mut context, &user(name)).unwrap();
        self.hosts.insert((name, 1), Host { store, device });
        (name, 1)
    }

    /// Links one more device through the user's primary, and publishes both.
    pub fn link(&mut self, name: &'static str) -> Name {
        let new = self.link_quietly(name);
        self.publish((name, 1));
        self.publish(new);
        new
    }

    /// Links one more device, and publishes nothing.
    pub fn link_quietly(&mut self, name: &'static str) -> Name {
        let store = Arc::new(FaultyStore::new(MemoryStore::new()));
        let mut context = Context { now: Timestamp(self.now), rng: &mut self.rng };
        let linking = Device::begin_link(store.clone(), &store_key(), &mut context).unwrap();
        let answer = self.hosts.get(&(name, 1)).unwrap().device.link(&mut context, linking.code()).unwrap();
        let device = linking.complete(&mut context, &answer).unwrap();
        let new = (name, device.id().0);
        self.hosts.insert(new, Host { store, device });
        new
    }

    /// Takes a device off its user's list, and publishes that.
    pub fn remove(&mut self, name: Name) {
        self.with((name.0, 1), |device, context| device.remove_device(context, DeviceId(name.1))).unwrap();
        self.publish((name.0, 1));
    }

    /// Uploads what is due first: the list, the lasting keys and a chunk of one-time keys.
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

    /// Closes and opens a device.
    pub fn reopen(&mut self, name: Name) {
        let host = self.hosts.get_mut(&name).unwrap();
        host.device = Device::open(host.store.clone(), &store_key()).unwrap();
    }

    /// Sends, and brings the send to its end as an app would.
    ///
    /// # Panics
    /// When it does not come to an end.
    pub fn send(&mut self, from: Name, to: &[&str], text: &[u8]) -> SendId {
        let users: Vec<UserId> = to.iter().map(|name| user(name)).collect();
        let send = self.with(from, |device, context| device.batch_encrypt(context, &users, text, None)).unwrap();
        let id = send.id;
        let left = self.drive(from, send).unwrap();
        assert_eq!(left, None, "the send is not settled");
        id
    }

    /// Submits, settles and answers needs until nothing more can be done; gives what is left.
    ///
    /// # Errors
    /// What a call of the device gives.
    pub fn drive(&mut self, from: Name, send: Send) -> Result<Option<Send>, Error> {
        let id = send.id;
        let mut view = Some(send);
        for _ in 0..20 {
            let Some(send) = view.take() else { return Ok(None) };
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
            if send.needs.contains(&sesame_core::device::Need::Publication) {
                self.publish(from);
            }
            let answers = self.relay.answer(&send.needs);
            if answers != sesame_core::device::Answers::default() {
                self.with(from, |device, context| device.apply(context, &answers))?;
            } else if send.batches.is_empty() {
                return Ok(Some(send));
            }
            view = self.with(from, |device, context| device.pending(context, &id))?;
        }
        panic!("the send goes round in circles");
    }

    /// Fetches the mailbox through the weather, decrypts it in one call, confirms, acks; gives all results.
    ///
    /// # Errors
    /// What [`Device::batch_decrypt`] gives.
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
        let results = match envelopes.is_empty() {
            true => Vec::new(),
            false => self.with(name, |device, context| device.batch_decrypt(context, &envelopes))?,
        };
        let confirmed: Vec<u64> = all.into_iter().filter(|id| !keep.contains(id)).collect();
        self.relay.confirm((&owner, DeviceId(name.1)), &confirmed);
        let acks: Vec<u64> = results.iter().filter_map(item_id).collect();
        self.with(name, |device, context| device.ack(context, &acks))?;
        Ok(results)
    }

    /// What waits in a mailbox, as it is; it stays there.
    #[must_use]
    pub fn mails(&self, name: Name) -> Vec<Vec<u8>> {
        self.relay.fetch((&user(name.0), DeviceId(name.1)), 4_096).into_iter().map(|mail| mail.envelope).collect()
    }

    /// Takes everything out of a mailbox and delivers it to nobody.
    pub fn steal(&mut self, name: Name) -> Vec<Vec<u8>> {
        let owner = user(name.0);
        let mails = self.relay.fetch((&owner, DeviceId(name.1)), 4_096);
        let ids: Vec<u64> = mails.iter().map(|mail| mail.id).collect();
        self.relay.confirm((&owner, DeviceId(name.1)), &ids);
        mails.into_iter().map(|mail| mail.envelope).collect()
    }

    /// One `batch_decrypt` of these envelopes, whatever the mailbox holds.
    pub fn decrypt(&mut self, name: Name, envelopes: &[Vec<u8>]) -> Vec<Received> {
        self.with(name, |device, context| device.batch_decrypt(context, envelopes)).unwrap()
    }

    /// The failure that one envelope gives, or `None` when it opens.
    pub fn refusal(&mut self, name: Name, envelope: &[u8]) -> Option<Code> {
        failures(&self.decrypt(name, &[envelope.to_vec()])).first().copied()
    }

    /// The active session of one device with another.
    pub fn session(&mut self, of: Name, with: Name) -> Option<sesame_core::device::SessionView> {
        self.with(of, |device, context| device.session(context, &user(with.0), DeviceId(with.1))).unwrap()
    }

    /// Encrypts and gives the send as it stands, nothing submitted.
    pub fn encrypt(&mut self, from: Name, to: &[&str], text: &[u8]) -> Send {
        let users: Vec<UserId> = to.iter().map(|name| user(name)).collect();
        self.with(from, |device, context| device.batch_encrypt(context, &users, text, None)).unwrap()
    }

    /// Two users who have talked, each with one device.
    #[must_use]
    pub fn pair(seed: u64) -> Self {
        let mut world = Self::strangers(seed);
        world.send(BOB, &["alice"], b"hello");
        world.receive(ALICE).unwrap();
        world.send(ALICE, &["bob"], b"hi");
        world.receive(BOB).unwrap();
        world
    }

    /// Two users who have not talked, each with one device.
    #[must_use]
    pub fn strangers(seed: u64) -> Self {
        let mut world = Self::new(seed);
        world.create("alice");
        world.create("bob");
        world
    }

    /// The payloads that a fetch gives, in order.
    pub fn read(&mut self, name: Name) -> Vec<Vec<u8>> {
        messages(&self.receive(name).unwrap()).into_iter().map(|message| message.payload.clone()).collect()
    }

    /// A device's own record, opened: what a thief with the store's key has.
    #[must_use]
    pub fn own(&self, name: Name) -> Own {
        let (key, sealer) = (Places::only(Kind::Own), Sealer::new(&store_key()));
        let row = self.dump(name).remove(&key).unwrap();
        Own::decode(&sealer.open(&key, &row).unwrap()).unwrap()
    }

    /// A list of this user, signed with the account key that its primary holds, whatever stands in it.
    ///
    /// # Errors
    /// What the list's form says.
    pub fn forge_list(
        &self,
        name: &'static str,
        before: Option<&sesame_core::record::List>,
        devices: &[sesame_core::record::Device],
    ) -> Result<VerifiedDeviceList, Code> {
        let account = SigningKey::from_seed(self.own((name, 1)).account.unwrap());
        device_list::sign(&account, &user(name), before, devices, Timestamp(self.now))
    }

    /// The current list on the server, verified.
    #[must_use]
    pub fn list(&self, name: &str) -> VerifiedDeviceList {
        VerifiedDeviceList::verify(&self.relay.device_list(&user(name)).unwrap()).unwrap()
    }

    /// The store of a device as a thief sees it.
    #[must_use]
    pub fn dump(&self, name: Name) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.hosts.get(&name).unwrap().store.inner.dump()
    }
}

fn item_id(received: &Received) -> Option<u64> {
    match received {
        Received::Item { id, .. } => Some(*id),
        _ => None,
    }
}

/// The messages among results.
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

/// The failures among results.
#[must_use]
pub fn failures(results: &[Received]) -> Vec<Code> {
    results
        .iter()
        .filter_map(|received| match received {
            Received::Failure { code, .. } => Some(*code),
            _ => None,
        })
        .collect()
}

/// The events among results.
#[must_use]
pub fn events(results: &[Received]) -> Vec<&sesame_core::device::Event> {
    results
        .iter()
        .filter_map(|received| match received {
            Received::Item { item: Item::Event(event), .. } => Some(event),
            _ => None,
        })
        .collect()
}
