//! What this library costs: sends and mailboxes of many devices, in a world without a network.

use crate::{
    TEXT,
    clock::{Figures, timed},
    weight::Scales,
};
use sesame::threads::Scoped;
use sesame_core::{
    context::{Context, Timestamp},
    device::{Device, Requests},
    event::{GroupChange, Recipients, RequestKind, ServerRequest},
    ids::{DeviceId, GroupId, GroupKind, UserId},
    limits::MAX_DIRECT_USERS,
    store::{Changes, Generation, MemoryStore, Store},
};
use sesame_sqlite::SqliteStore;
use sesame_tests::{ALICE, Name, World, failures, messages, store_key, user};
use std::{path::Path, sync::Arc, time::Instant};

/// The largest group: Alice and so many others.
pub const GROUP: usize = 999;

/// Alice with one device and so many users, in groups with her, all of whose devices have answered her there.
pub struct Crowd {
    pub world: World,
    groups: Vec<GroupId>,
    /// Every device but Alice's.
    others: Vec<Name>,
}

impl Crowd {
    /// Makes the users, the groups and the sessions. If `linked`, each user has two devices.
    pub fn gather(users: usize, linked: bool) -> Self {
        Self::gather_in_groups(users, GROUP, linked)
    }

    /// The same, with so many others in each group.
    pub fn gather_in_groups(users: usize, others: usize, linked: bool) -> Self {
        let mut world = World::new(users as u64);
        world.create("alice");
        let names = world.crowd(0..users, linked);
        let mut crowd = Self { world, groups: Vec::new(), others: Vec::new() };
        for members in names.chunks(others) {
            crowd.befriend(members, linked);
        }
        crowd
    }

    /// Makes so many users with one device each, who are in so many groups with Alice, and have answered her in all of them.
    pub fn gather_in_many_groups(users: usize, groups: usize) -> Self {
        let mut crowd = Self::gather(users, false);
        let others = crowd.others.clone();
        let members: Vec<&'static str> = others.iter().map(|(name, _)| *name).collect();
        for _ in 1..groups {
            crowd.befriend(&members, false);
        }
        Self { others, ..crowd }
    }

    /// One more group of Alice and these users.
    fn befriend(&mut self, members: &[&'static str], linked: bool) {
        self.world.show_lists(ALICE, members);
        let (group, send) = self.world.found_quietly(ALICE, "All of us", members);
        assert_eq!(self.world.drive(ALICE, send).unwrap(), None);
        self.world.flush(ALICE);
        let devices = if linked { 2 } else { 1 };
        for name in members.iter().flat_map(|name| (1..=devices).map(|device| (*name, device))) {
            let results = self.world.receive(name).unwrap();
            assert_eq!(failures(&results), []);
            // Nobody of them has written to Alice. The answer itself is not sent.
            let world = &mut self.world;
            let yes = world.in_group(name, group, |group, context| group.accept(context)).unwrap();
            world.withdraw(name, &yes, &[user("alice"), user(name.0)]);
            self.say_to_alice(name, Some(group));
            self.others.push(name);
        }
        self.groups.push(group);
        assert_eq!(failures(&self.world.receive(ALICE).unwrap()), []);
    }

    /// One device says something to Alice alone: what it has for others is withdrawn.
    fn say_to_alice(&mut self, name: Name, group: Option<GroupId>) {
        let world = &mut self.world;
        let send = match group {
            Some(group) => world.whisper(name, group, b"here"),
            None => world.encrypt(name, &["alice"], &[7; TEXT]),
        };
        let for_alice = send.batches.iter().find(|batch| batch.user == user("alice")).expect("a session with Alice");
        world.relay.submit((&user(name.0), DeviceId(name.1)), for_alice).unwrap();
        let users: Vec<UserId> = world
            .with(name, |device, context| device.send_status(context, &send.id))
            .unwrap()
            .map(|status| status.users.iter().map(|of| of.user.clone()).collect())
            .unwrap_or_default();
        world.withdraw(name, &send, &users);
    }

    /// A message from every device in Alice's mailbox, taken out of it.
    pub fn mailbox(&mut self) -> Vec<Vec<u8>> {
        for name in self.others.clone() {
            self.say_to_alice(name, None);
        }
        let envelopes = self.world.steal(ALICE);
        assert_eq!(envelopes.len(), self.others.len());
        envelopes
    }

    /// How many devices a message of Alice's goes to.
    pub fn devices(&self) -> usize {
        self.others.len()
    }

    /// Every user but Alice, in the order in which they came.
    pub fn users(&self) -> Vec<UserId> {
        self.others.iter().filter(|(_, device)| *device == 1).map(|(name, _)| user(name)).collect()
    }

    /// What Alice's store holds.
    fn rows(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.world.dump(ALICE).into_iter().collect()
    }

    /// The same device over another store.
    pub fn alice_over(&self, store: Arc<dyn Store>) -> Sender {
        let next = Generation { counter: 1, nonce: [1; 8] };
        let rows = self.rows().into_iter().map(|(key, row)| (key, Some(row))).collect();
        store.commit(Generation::default(), &Changes { next, rows }).unwrap();
        Sender { device: Device::open(store, &store_key()).unwrap(), requests: Requests::new() }
    }

    /// Alice's device over a store in memory.
    pub fn alice_in_memory(&self) -> Sender {
        self.alice_over(Arc::new(MemoryStore::new()))
    }

    /// Alice's device over a new file.
    pub fn alice_in_a_file(&self, path: &Path) -> Sender {
        self.alice_over(Arc::new(SqliteStore::open(path).unwrap()))
    }

    /// Alice's message to every group is begun; gives the microseconds.
    pub fn say_to_groups(&mut self, alice: &mut Sender) -> f64 {
        let groups = self.groups.clone();
        groups.into_iter().map(|group| self.begin(alice, Recipients::Group(group))).sum()
    }

    /// Alice's message to these users is begun; gives the microseconds.
    pub fn say_directly(&mut self, alice: &mut Sender, users: &[UserId]) -> f64 {
        users.chunks(MAX_DIRECT_USERS).map(|users| self.begin(alice, Recipients::Users(users))).sum()
    }

    fn begin(&mut self, alice: &mut Sender, to: Recipients<'_>) -> f64 {
        let (send, micros) = timed(|| {
            alice.with(&mut self.world, |device, context, _| device.batch_encrypt(context, to, &[7; TEXT], None))
        });
        send.unwrap();
        micros
    }

    /// Everything that Alice has for the server, and the microseconds of it.
    pub fn give(&mut self, alice: &mut Sender) -> (Vec<ServerRequest>, f64) {
        timed(|| std::iter::from_fn(|| alice.next(&mut self.world)).collect())
    }

    /// The server answers these requests, and what is in the inbox then is acked; gives the microseconds that the answers took Alice.
    pub fn settle(&mut self, alice: &mut Sender, requests: Vec<ServerRequest>) -> f64 {
        let micros = requests.iter().map(|request| self.answer(alice, request)).sum();
        alice.ack_all(&mut self.world);
        micros
    }

    /// The server answers one request; gives the microseconds that the answer took Alice.
    pub fn answer(&mut self, alice: &mut Sender, request: &ServerRequest) -> f64 {
        let (status, body) = self.world.perform(request);
        assert_eq!(status, 200);
        let (answered, micros) = timed(|| {
            alice.with(&mut self.world, |device, context, requests| {
                device.respond(context, requests, &request.id, (status, &body))
            })
        });
        assert!(answered.unwrap().known);
        micros
    }

    /// One message of Alice's to every group; notes what encrypting and settling cost.
    pub fn send(&mut self, alice: &mut Sender, figures: &mut Figures, [batch, settle]: [&'static str; 2]) {
        let begun = self.say_to_groups(alice);
        let (requests, given) = self.give(alice);
        figures.note(batch, (begun + given) / self.devices() as f64);
        figures.note(settle, self.settle(alice, requests) / self.users().len() as f64);
    }

    /// One message of Alice's to every group; notes the microseconds on the wall that encrypting took.
    pub fn race(&mut self, alice: &mut Sender, figures: &mut Figures, name: &'static str) {
        let begun = Instant::now();
        self.say_to_groups(alice);
        let (requests, _) = self.give(alice);
        figures.note(name, begun.elapsed().as_secs_f64() * 1e6 / self.devices() as f64);
        self.settle(alice, requests);
    }

    /// Alice makes one more group of everybody, and withdraws the send that would tell them; gives the microseconds of making it.
    pub fn found(&mut self, alice: &mut Sender) -> f64 {
        let users = self.users();
        let (made, micros) = timed(|| {
            let info = GroupChange::named("Once more");
            alice.with(&mut self.world, |device, context, _| {
                device.create_group(context, GroupKind::Pairwise, &info, &users).map(|(_, send)| send.id)
            })
        });
        let send = made.unwrap();
        alice.with(&mut self.world, |device, context, requests| device.cancel(context, requests, &send, None)).unwrap();
        alice.ack_all(&mut self.world);
        micros
    }

    /// Alice opens a mailbox in one call; gives the microseconds.
    pub fn open(&mut self, alice: &mut Sender, mailbox: &[Vec<u8>]) -> f64 {
        self.open_and_ack(alice, mailbox)[0]
    }

    /// The same, and the microseconds of reading and acking the inbox.
    pub fn open_and_ack(&mut self, alice: &mut Sender, mailbox: &[Vec<u8>]) -> [f64; 2] {
        let (results, micros) =
            timed(|| alice.with(&mut self.world, |device, context, _| device.batch_decrypt(context, mailbox, false)));
        let results = results.unwrap();
        assert!(results.iter().all(|result| !result.items.is_empty()), "all are opened");
        [micros, alice.ack_all(&mut self.world)]
    }

    /// Envelopes that nobody sent, for a device that knows all senders; gives the microseconds.
    pub fn forged(&mut self, alice: &mut Sender, mailbox: &[Vec<u8>]) -> f64 {
        let spoilt: Vec<Vec<u8>> = mailbox
            .iter()
            .map(|envelope| {
                let mut spoilt = envelope.clone();
                // The salt: the gate no longer fits.
                spoilt[30] ^= 1;
                spoilt
            })
            .collect();
        let mut open = |envelopes: &[Vec<u8>]| {
            let call =
                |device: &Device, context: &mut Context<'_>, _: &mut _| device.batch_decrypt(context, envelopes, false);
            timed(|| alice.with(&mut self.world, call))
        };
        // What the first one looks up is not of each one.
        open(&spoilt[..1]).0.unwrap();
        let (results, micros) = open(&spoilt);
        assert!(results.unwrap().iter().all(|result| result.items.is_empty()), "none is opened");
        micros
    }

    /// Alice says something to everybody directly, and everybody answers: each answer is a DH step for her.
    pub fn turn(&mut self, alice: &mut Sender) -> Vec<Vec<u8>> {
        let users = self.users();
        self.say_directly(alice, &users);
        let (requests, _) = self.give(alice);
        self.settle(alice, requests);
        for name in self.others.clone() {
            // Among it is what the copy of Alice in a file has said, which does not open any more.
            let mails = self.world.steal(name);
            self.world.decrypt(name, &mails);
            self.say_to_alice(name, None);
        }
        self.world.steal(ALICE)
    }

    /// Alice writes to so many new users and asks for their bundles; gives those requests, and the users' devices.
    pub fn approach(&mut self, alice: &mut Sender, count: usize) -> (Vec<ServerRequest>, Vec<Name>) {
        let known = self.world.hosts.len();
        let names = self.world.crowd(known..known + count, false);
        let users: Vec<UserId> = names.iter().map(|name| user(name)).collect();
        self.say_directly(alice, &users);
        let mut bundles = Vec::new();
        while bundles.is_empty() {
            let (requests, _) = self.give(alice);
            assert!(!requests.is_empty(), "bundles are asked for");
            for request in requests {
                if request.kind == RequestKind::Bundles {
                    bundles.push(request);
                } else {
                    self.answer(alice, &request);
                }
            }
        }
        (bundles, names.into_iter().map(|name| (name, 1)).collect())
    }

    /// Alice writes to so many new users, and they read it; notes what making and accepting a session cost.
    pub fn set_up(&mut self, alice: &mut Sender, figures: &mut Figures, count: usize) {
        let (bundles, names) = self.approach(alice, count);
        let out: f64 = bundles.iter().map(|request| self.answer(alice, request)).sum();
        figures.note("pqxdh out", out / count as f64);
        let (requests, _) = self.give(alice);
        self.settle(alice, requests);
        let read: f64 = names.into_iter().map(|name| self.read(name)).sum();
        figures.note("pqxdh in", read / count as f64);
    }

    /// A message of Alice's to every group over a new file; notes the bytes of rows for each device, written until all was given out, and when
    /// it was settled.
    pub fn weigh(&mut self, figures: &mut Figures, path: &Path) {
        let scales = Arc::new(Scales::before(Arc::new(SqliteStore::open(path).unwrap())));
        let mut alice = self.alice_over(scales.clone());
        // The first message of each chain is a DH step.
        for _ in 0..2 {
            scales.take();
            self.say_to_groups(&mut alice);
            let (requests, _) = self.give(&mut alice);
            let sent = scales.take();
            self.settle(&mut alice, requests);
            let devices = self.devices() as f64;
            figures.only("rows of a sent message, B", sent as f64 / devices);
            figures.only("rows when it is settled, B", scales.take() as f64 / devices);
        }
    }

    /// A device reads the one message that it has; gives the microseconds.
    pub fn read(&mut self, name: Name) -> f64 {
        let envelopes = self.world.steal(name);
        let (results, micros) = timed(|| self.world.decrypt(name, &envelopes));
        assert_eq!(messages(&results).len(), 1);
        micros
    }

    /// Everybody reads one message of the group; notes the seconds of processor time that this took in all.
    pub fn all_read(&mut self, figures: &mut Figures) {
        let mut total = 0.0;
        for name in self.others.clone() {
            // By turns of the copy of Alice in memory and of the one in a file, whose chains are the same; then one more of the first.
            let mails = self.world.steal(name);
            let (last, before) = mails.split_last().expect("a message");
            self.world.decrypt(name, &before.iter().step_by(2).cloned().collect::<Vec<_>>());
            let (results, micros) = timed(|| self.world.decrypt(name, std::slice::from_ref(last)));
            assert_eq!(messages(&results).len(), 1);
            total += micros;
        }
        figures.note("all read, s", total / 1e6);
    }
}

impl Sender {
    /// The same device, whose large batches run on so many threads.
    pub fn on_threads(self, count: usize) -> Self {
        Self { device: self.device.on_threads(Arc::new(Scoped::new(count))), ..self }
    }
}

/// A device with its requests.
pub struct Sender {
    device: Device,
    requests: Requests,
}

impl Sender {
    fn with<T>(&mut self, world: &mut World, call: impl FnOnce(&Device, &mut Context<'_>, &mut Requests) -> T) -> T {
        let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
        call(&self.device, &mut context, &mut self.requests)
    }

    /// The app takes everything out of the inbox and acks it; gives the microseconds.
    fn ack_all(&mut self, world: &mut World) -> f64 {
        let (items, looked) = timed(|| self.with(world, |device, context, _| device.inbox(context, 0, usize::MAX)));
        let ids: Vec<u64> = items.unwrap().iter().map(|row| row.id).collect();
        assert!(!ids.is_empty(), "something has come, or a send has ended");
        let (acked, micros) = timed(|| self.with(world, |device, context, _| device.ack(context, &ids)));
        acked.unwrap();
        looked + micros
    }

    fn next(&mut self, world: &mut World) -> Option<ServerRequest> {
        self.with(world, |device, context, requests| device.next_request(context, requests)).unwrap()
    }
}

/// Opens the device in a file; gives the microseconds.
pub fn open_file(path: &Path) -> f64 {
    timed(|| open_device(path)).1
}

/// Opens the device in a file.
pub fn open_device(path: &Path) -> Device {
    Device::open(Arc::new(SqliteStore::open(path).unwrap()), &store_key()).unwrap()
}

/// Alice's device says something to each of so many users of its crowd.
pub fn touch_all(alice: Device, users: usize) {
    // The clock of the crowd, which her sessions are of.
    let World { now, mut rng, .. } = World::new(0);
    let mut context = Context { now: Timestamp(now), rng: &mut rng };
    let users: Vec<UserId> = (0..users).map(|number| user(&format!("member {number:03}"))).collect();
    for users in users.chunks(MAX_DIRECT_USERS) {
        alice.batch_encrypt(&mut context, users, &[7; TEXT], None).unwrap();
    }
}
