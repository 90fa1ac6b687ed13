//! What this library costs: sends and mailboxes of many devices, in a world without a network.

use crate::{
    TEXT,
    clock::{Figures, timed},
};
use sesame_core::{
    context::{Context, Timestamp},
    device::{Device, Requests},
    event::{Recipients, RequestKind, ServerRequest},
    ids::{DeviceId, GroupId, UserId},
    store::{Changes, Generation, MemoryStore, Store},
};
use sesame_sqlite::SqliteStore;
use sesame_tests::{ALICE, Name, World, failures, messages, store_key, user};
use std::{path::Path, sync::Arc};

/// Alice with one device, and a group of her and so many users with two devices each, all of which have answered her in it.
pub struct Crowd {
    world: World,
    group: GroupId,
    /// Every device but Alice's.
    others: Vec<Name>,
}

impl Crowd {
    /// Makes the users, the group and the sessions.
    pub fn gather(users: usize) -> Self {
        let mut world = World::new(users as u64);
        world.create("alice");
        let names = world.crowd(0..users, true);
        let others = names.iter().flat_map(|name| [(*name, 1), (*name, 2)]).collect();
        world.show_lists(ALICE, &names);
        let (group, send) = world.found_quietly(ALICE, "All of us", &names);
        assert_eq!(world.drive(ALICE, send).unwrap(), None);
        world.flush(ALICE);
        let mut crowd = Self { world, group, others };
        for name in crowd.others.clone() {
            let results = crowd.world.receive(name).unwrap();
            assert_eq!(failures(&results), []);
            crowd.answer(name, None);
        }
        assert_eq!(failures(&crowd.world.receive(ALICE).unwrap()), []);
        crowd
    }

    /// One device says something to Alice alone: what it has for others is withdrawn.
    fn answer(&mut self, name: Name, directly: Option<&[u8]>) {
        let Self { world, group, .. } = self;
        let send = match directly {
            None => world.whisper(name, *group, b"here"),
            Some(text) => world.encrypt(name, &["alice"], text),
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
            self.answer(name, Some(&[7; TEXT]));
        }
        self.world.steal(ALICE)
    }

    /// How many devices a message of Alice's goes to.
    pub fn devices(&self) -> usize {
        self.others.len()
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

    /// One message of Alice's to the group and to its end; notes what encrypting and settling cost.
    pub fn send(&mut self, alice: &mut Sender, figures: &mut Figures, [batch, settle]: [&'static str; 2]) {
        let (devices, group) = (self.devices(), self.group);
        let (requests, micros) = timed(|| {
            let text = [7; TEXT];
            alice
                .with(&mut self.world, |device, context, _| {
                    device.batch_encrypt(context, Recipients::Group(group), &text, None)
                })
                .unwrap();
            let mut given = Vec::new();
            while let Some(request) = alice.next(&mut self.world) {
                given.push(request);
            }
            given
        });
        figures.note(batch, micros / devices as f64);
        let mut settled = 0.0;
        for request in requests {
            assert_eq!(request.kind, RequestKind::Submit);
            let (status, body) = self.world.perform(&request);
            assert_eq!(status, 200);
            let (known, micros) = timed(|| {
                alice
                    .with(&mut self.world, |device, context, requests| {
                        device.respond(context, requests, &request.id, (status, &body))
                    })
                    .unwrap()
                    .known
            });
            assert!(known);
            settled += micros;
        }
        figures.note(settle, settled / (devices / 2) as f64);
        let items: Vec<u64> = alice
            .with(&mut self.world, |device, context, _| device.inbox(context, 0, 100))
            .unwrap()
            .iter()
            .map(|row| row.id)
            .collect();
        assert_eq!(items.len(), 1, "the end of the send");
        alice.with(&mut self.world, |device, context, _| device.ack(context, &items)).unwrap();
    }

    /// Alice opens a mailbox in one call.
    pub fn open(&mut self, alice: &mut Sender, figure: Option<(&mut Figures, &'static str)>, mailbox: &[Vec<u8>]) {
        let (results, micros) = timed(|| {
            alice.with(&mut self.world, |device, context, _| device.batch_decrypt(context, mailbox, false)).unwrap()
        });
        if let Some((figures, name)) = figure {
            figures.note(name, micros / mailbox.len() as f64);
        }
        assert!(results.iter().all(|result| !result.items.is_empty()), "all are opened");
        let items: Vec<u64> = results.iter().flat_map(|result| result.items.clone()).collect();
        alice.with(&mut self.world, |device, context, _| device.ack(context, &items)).unwrap();
    }

    /// Envelopes that nobody sent, for a device that knows all senders.
    pub fn forged(&mut self, alice: &mut Sender, figures: &mut Figures, mailbox: &[Vec<u8>]) {
        let spoilt: Vec<Vec<u8>> = mailbox
            .iter()
            .map(|envelope| {
                let mut spoilt = envelope.clone();
                // The salt: the gate no longer fits.
                spoilt[30] ^= 1;
                spoilt
            })
            .collect();
        for one in spoilt.iter().take(1) {
            alice
                .with(&mut self.world, |device, context, _| {
                    device.batch_decrypt(context, std::slice::from_ref(one), false)
                })
                .unwrap();
        }
        let results = figures.time("forged", spoilt.len(), || {
            alice.with(&mut self.world, |device, context, _| device.batch_decrypt(context, &spoilt, false)).unwrap()
        });
        assert!(results.iter().all(|result| result.items.is_empty()), "none is opened");
    }

    /// Alice says something to everybody directly, and everybody answers: each answer is a DH step for her.
    pub fn turn(&mut self, alice: &mut Sender) -> Vec<Vec<u8>> {
        let users: Vec<UserId> = self.others.iter().step_by(2).map(|name| user(name.0)).collect();
        for users in users.chunks(250) {
            alice
                .with(&mut self.world, |device, context, _| device.batch_encrypt(context, users, b"turn", None))
                .unwrap();
            while let Some(request) = alice.next(&mut self.world) {
                let (status, body) = self.world.perform(&request);
                alice
                    .with(&mut self.world, |device, context, requests| {
                        device.respond(context, requests, &request.id, (status, &body))
                    })
                    .unwrap();
            }
        }
        for name in self.others.clone() {
            // Among it is what the copy of Alice in a file has said, which does not open any more.
            let mails = self.world.steal(name);
            self.world.decrypt(name, &mails);
            self.answer(name, Some(&[7; TEXT]));
        }
        self.world.steal(ALICE)
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

    fn next(&mut self, world: &mut World) -> Option<ServerRequest> {
        self.with(world, |device, context, requests| device.next_request(context, requests)).unwrap()
    }
}

/// How long a device takes to open, with the rows that the store has.
pub fn reopen(alice: &Crowd, figures: &mut Figures, path: &Path) {
    drop(alice.alice_in_a_file(path));
    figures.time("open", 1, || {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(path).unwrap());
        Device::open(store, &store_key()).unwrap()
    });
}
