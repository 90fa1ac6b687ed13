//! The store fails at every operation in turn: the call errs, memory and disk are as before, the same call then succeeds.

use sesame_core::context::Context;
use sesame_core::error::{Code, Error};
use sesame_core::ids::{ContentId, DeviceId, GroupKind};
use sesame_core::internal::steps::{Answers, Rejection, Steps};
use sesame_core::{device::Device, event::GroupChange};
use sesame_core::{
    internal::store::{Kind, Sealer},
    store::{Changes, CommitError, Generation, MemoryStore, Query, Snapshot, Store, StoreError, StoreErrorKind},
};
use sesame_tests::store::{Fault, Operation};
use sesame_tests::{ALICE, BOB, DAY, Name, World, is_of, store_key, user};
use std::fmt::Debug;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

type Call<'a> = dyn Fn(&Device, &mut Context<'_>) -> Result<String, Error> + 'a;

/// What a call said, to compare with what it says another time.
fn said<T: Debug>(result: Result<T, Error>) -> Result<String, Error> {
    result.map(|said| format!("{said:?}"))
}

/// Far more store operations than a call makes.
const ENDLESS: u64 = 10_000;

/// Fails each store operation of `call` once, in each way, always from the same rows and the same randomness; gives how many faults there
/// were.
fn fail_everywhere(world: &mut World, name: Name, claim: &str, call: &Call<'_>) -> usize {
    let (untouched, rng) = (world.dump(name), world.rng.clone());
    let store = world.hosts[&name].store.clone();
    let attempt = |world: &mut World, fault: Option<(u64, Fault)>| {
        store.inner.restore(untouched.clone());
        world.rng = rng.clone();
        if let Some((operation, fault)) = fault {
            store.fail_at(operation, fault);
        }
        let result = world.with(name, |device, context| call(device, context));
        (store.struck(), result, world.dump(name))
    };
    let (_, succeeds, done) = attempt(world, None);
    assert!(succeeds.is_ok(), "{claim}: {succeeds:?}");
    assert_ne!(done, untouched, "{claim} writes nothing, so a fault shows nothing");
    let mut faults = 0;
    for fault in [Fault::Fails, Fault::LostUnknown, Fault::LandsUnknown] {
        let mut commits = 0;
        for operation in 0.. {
            let at = format!("{claim}, {fault:?} at {operation}");
            assert!(operation < ENDLESS, "{at}: the call does not come to its end");
            let (struck, result, dump) = attempt(world, Some((operation, fault)));
            let Some(struck) = struck else {
                // The call was over before: every one of its operations has failed once.
                assert!(result == succeeds, "{at}: another answer than without the fault");
                assert!(dump == done, "{at}");
                break;
            };
            faults += 1;
            commits += usize::from(struck == Operation::Commit);
            if (struck, fault) == (Operation::Commit, Fault::LandsUnknown) {
                // The commit is read back, and the call says what it says when nothing fails.
                assert!(result == succeeds, "{at}: another answer than without the fault");
                assert!(dump == done, "{at}");
            } else {
                assert_eq!(result.map(drop).map_err(|error| error.code), Err(Code::StoreIo), "{at}, a {struck:?}");
                assert!(dump == untouched, "{at}, a {struck:?}");
            }
        }
        assert_eq!(commits, 1, "{claim}, {fault:?}: one call is one commit");
    }
    store.inner.restore(untouched);
    faults
}

#[test]
fn a_commit_that_fails_at_every_store_operation_leaves_everything_as_it_was() {
    let mut world = World::pair(1);
    world.link("alice");
    world.create("carol");
    let mut faults = 0;

    faults += fail_everywhere(&mut world, BOB, "batch_encrypt", &|d, c| {
        said(d.batch_encrypt(c, &[user("alice"), user("carol")], b"x", None))
    });
    let send = world.encrypt(BOB, &["alice"], b"stale");
    let id = send.id;
    let rejection = Rejection::Mismatch { device_list: world.relay.device_list(&user("alice")).unwrap() };
    faults +=
        fail_everywhere(&mut world, BOB, "rejected", &|d, c| said(d.rejected(c, &id, &user("alice"), &rejection)));
    world.with(BOB, |d, c| d.rejected(c, &id, &user("alice"), &rejection)).unwrap();
    let bundle = world.relay.bundle(&user("alice"), DeviceId(2)).unwrap();
    let answers = Answers { bundles: vec![bundle], ..Answers::default() };
    faults += fail_everywhere(&mut world, BOB, "apply", &|d, c| said(d.apply(c, &answers)));
    world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
    faults += fail_everywhere(&mut world, BOB, "accepted", &|d, c| said(d.accepted(c, &id, &user("alice"))));
    let left = world.with(BOB, |d, c| d.pending(c, &id)).unwrap().unwrap();
    assert_eq!(world.drive(BOB, left).unwrap(), None);

    let mails = world.mails(("alice", 2));
    faults +=
        fail_everywhere(&mut world, ("alice", 2), "batch_decrypt of an initiation", &|d, c| said(d.decrypt(c, &mails)));
    let mails = world.mails(ALICE);
    faults += fail_everywhere(&mut world, ALICE, "batch_decrypt", &|d, c| said(d.decrypt(c, &mails)));
    world.decrypt(ALICE, &mails);
    faults += fail_everywhere(&mut world, ALICE, "ack", &|d, c| {
        let ids: Vec<u64> = d.all_items(c)?.iter().map(|item| item.id).collect();
        said(d.ack(c, &ids))
    });
    world.pass(8 * DAY);
    faults += fail_everywhere(&mut world, ALICE, "tick", &|d, c| said(d.tick(c, true)));
    faults += fail_everywhere(&mut world, ALICE, "publication", &|d, c| said(d.publication(c, None)));
    let upload = world.with(ALICE, |d, c| d.publication(c, None)).unwrap().unwrap();
    faults += fail_everywhere(&mut world, ALICE, "published", &|d, c| said(d.published(c, &upload.id)));
    faults += fail_everywhere(&mut world, ALICE, "remove_device", &|d, c| said(d.remove_device(c, DeviceId(2))));
    println!("{faults} faults");
    assert!(faults > 150, "{faults}");
}

#[test]
fn a_commit_that_fails_in_a_group_leaves_everything_as_it_was() {
    let mut world = World::acquainted(2, &[("alice", 2), ("bob", 1), ("jen", 1)]);
    let mut faults = 0;
    let info = GroupChange { name: Some("Trip".into()), ..GroupChange::default() };
    faults += fail_everywhere(&mut world, ALICE, "create_group", &|d, c| {
        said(d.create_group(c, GroupKind::Pairwise, &info, &[user("bob")]))
    });
    let id = world.found(ALICE, "Trip", &["bob"]);
    faults += fail_everywhere(&mut world, ALICE, "add", &|d, c| said(d.group(c, &id)?.add(c, &[user("jen")])));
    world.act(ALICE, id, |group, c| group.add(c, &[user("jen")])).unwrap();
    let jen = ("jen", 1);
    let mails = world.mails(jen);
    faults += fail_everywhere(&mut world, jen, "hearing of a group", &|d, c| said(d.decrypt(c, &mails)));
    world.receive(BOB).unwrap();
    world.say(BOB, id, b"early").unwrap();
    let [add, early] = world.mails(jen).try_into().unwrap();
    faults += fail_everywhere(&mut world, jen, "holding", &|d, c| said(d.decrypt(c, std::slice::from_ref(&early))));
    world.decrypt(jen, std::slice::from_ref(&early));
    faults += fail_everywhere(&mut world, jen, "releasing", &|d, c| said(d.decrypt(c, std::slice::from_ref(&add))));
    world.decrypt(jen, std::slice::from_ref(&add));
    world.steal(jen);
    world.all_receive();
    faults += fail_everywhere(&mut world, BOB, "send", &|d, c| said(d.group(c, &id)?.send(c, b"x", None)));
    faults += fail_everywhere(&mut world, BOB, "rename", &|d, c| said(d.group(c, &id)?.rename(c, "New")));
    faults += fail_everywhere(&mut world, BOB, "fork_without", &|d, c| {
        said(d.group(c, &id)?.fork_without(c, &[user("jen")]))
    });
    faults += fail_everywhere(&mut world, BOB, "leave", &|d, c| said(d.group(c, &id)?.leave(c)));
    world.act(ALICE, id, |group, c| group.rename(c, "Lost")).unwrap();
    world.steal(BOB);
    world.say(ALICE, id, b"x").unwrap();
    world.receive(BOB).unwrap();
    faults += fail_everywhere(&mut world, BOB, "asking", &|d, c| said(d.tick(c, false)));
    world.receive(("alice", 2)).unwrap();
    let two = DeviceId(2);
    faults += fail_everywhere(&mut world, ALICE, "remove_device", &|d, c| said(d.remove_device(c, two)));
    println!("{faults} faults");
    assert!(faults > 150, "{faults}");
}

#[test]
fn one_seed_gives_the_same_bytes_twice() {
    let play = || {
        let mut world = World::pair(77);
        world.link("alice");
        world.send(BOB, &["alice"], b"x");
        world.receive(("alice", 2)).unwrap();
        (world.dump(ALICE), world.dump(BOB), world.mails(ALICE))
    };
    assert_eq!(play(), play());
    assert_ne!(World::pair(77).dump(BOB), World::pair(78).dump(BOB));
}

#[test]
fn a_session_that_sends_rewrites_little_more_than_its_chains() {
    let mut world = World::pair(5);
    // The first message of a sending chain writes its key pair as well.
    world.send(BOB, &["alice"], b"first");
    let store = world.hosts[&BOB].store.clone();
    let before = world.dump(BOB);
    store.take_written();
    let send = world.encrypt(BOB, &["alice"], b"x");
    let written = store.take_written();
    let after = world.dump(BOB);
    let changed: Vec<(&Vec<u8>, usize)> =
        after.iter().filter(|(key, row)| before.get(*key) != Some(row)).map(|(key, row)| (key, row.len())).collect();
    println!("rows written by one send: {changed:02x?}");
    assert_eq!(changed.iter().map(|(_, length)| *length as u64).sum::<u64>(), written, "no row is written as it was");
    let sealer = Sealer::new(&store_key());
    let kinds = [Kind::Peer, Kind::Session, Kind::Chains, Kind::Skipped, Kind::Block, Kind::Index];
    let sessions: Vec<_> = changed.iter().filter(|(key, _)| is_of(key, &kinds)).collect();
    let [(key, length)] = sessions[..] else { panic!("of the session only its chains: {changed:02x?}") };
    assert!(key.starts_with(&sealer.places.device(Kind::Chains, &user("alice"), DeviceId(1))), "{key:02x?}");
    assert!(*length <= 120, "{length}");
    assert_eq!(world.drive(BOB, send).unwrap(), None);
}

/// Holds like a plain lock: who asks for it twice waits for ever, here an error.
struct Strict {
    rows: MemoryStore,
    held: AtomicBool,
    holds: AtomicU64,
    conflicts: AtomicU64,
}

impl Store for Strict {
    fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
        if hold {
            self.holds.fetch_add(1, Ordering::SeqCst);
            if self.held.swap(true, Ordering::SeqCst) {
                return Err(StoreErrorKind::Misbehaves.into());
            }
        }
        self.rows.load(queries, hold)
    }

    fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
        self.held.store(false, Ordering::SeqCst);
        let lost = self.conflicts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if lost.is_ok() { Err(CommitError::Conflict) } else { self.rows.commit(expected, changes) }
    }

    fn release(&self) {
        assert!(self.held.swap(false, Ordering::SeqCst), "released without a hold");
    }
}

#[test]
fn a_call_that_runs_again_holds_the_store_once_and_lets_go_whatever_comes() {
    let mut world = World::pair(71);
    let store = Arc::new(Strict {
        rows: MemoryStore::new(),
        held: AtomicBool::new(false),
        holds: AtomicU64::new(0),
        conflicts: AtomicU64::new(0),
    });
    let rows = world.dump(BOB);
    store.rows.restore(rows);
    let generation = world.hosts[&BOB].store.inner.load(&[], false).unwrap().generation;
    let restored = store.rows.load(&[], false).unwrap().generation;
    store.rows.commit(restored, &Changes { next: generation, rows: Default::default() }).unwrap();
    let device = Device::open(store.clone(), &store_key()).unwrap();
    store.conflicts.store(1, Ordering::SeqCst);
    let sent = world.with(BOB, |_, context| device.encrypt(context, &[user("alice")], b"twice", None));
    assert_eq!(sent.unwrap().batches.len(), 2, "Alice's, and the empty one for Bob's other devices");
    assert_eq!(store.holds.load(Ordering::SeqCst), 1);
    assert!(!store.held.load(Ordering::SeqCst));
    // One that loses every race gives up, and lets go as well.
    store.conflicts.store(u64::MAX, Ordering::SeqCst);
    let lost = world.with(BOB, |_, context| device.encrypt(context, &[user("alice")], b"never", None));
    assert_eq!(lost.unwrap_err().code, Code::StoreBusy);
    assert!(!store.held.load(Ordering::SeqCst));
}

/// Loses its disk within a commit.
struct Lost(MemoryStore, AtomicBool);

impl Store for Lost {
    fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
        if self.1.load(Ordering::SeqCst) { Err(StoreErrorKind::Io.into()) } else { self.0.load(queries, hold) }
    }

    fn commit(&self, _: Generation, _: &Changes) -> Result<(), CommitError> {
        self.1.store(true, Ordering::SeqCst);
        Err(CommitError::OutcomeUnknown(StoreErrorKind::Io.into()))
    }

    fn release(&self) {}
}

#[test]
fn a_commit_that_cannot_be_read_back_says_that_nobody_knows() {
    let mut world = World::pair(72);
    let rows = MemoryStore::new();
    rows.restore(world.dump(BOB));
    let device = Device::open(Arc::new(Lost(rows, AtomicBool::new(false))), &store_key()).unwrap();
    let sent = world.with(BOB, |_, context| device.encrypt(context, &[user("alice")], b"gone?", None));
    assert_eq!(sent.unwrap_err().code, Code::OutcomeUnknown);
}

/// Does not know whether its next commit landed; and before anybody can look, another process commits.
struct Overtaken {
    rows: MemoryStore,
    lands: bool,
    armed: AtomicBool,
}

impl Store for Overtaken {
    fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
        self.rows.load(queries, hold)
    }

    fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
        if !self.armed.swap(false, Ordering::SeqCst) {
            return self.rows.commit(expected, changes);
        }
        let mut before = expected;
        if self.lands {
            self.rows.commit(expected, changes)?;
            before = changes.next;
        }
        let next = Generation { counter: before.counter + 1, nonce: [9; 8] };
        self.rows.commit(before, &Changes { next, rows: Default::default() })?;
        Err(CommitError::OutcomeUnknown(StoreErrorKind::Io.into()))
    }

    fn release(&self) {
        self.rows.release();
    }
}

#[test]
fn n_l09_a_commit_that_another_process_hides_does_not_run_a_call_twice() {
    for lands in [true, false] {
        let mut world = World::pair(73);
        let rows = MemoryStore::new();
        rows.restore(world.dump(BOB));
        let store = Arc::new(Overtaken { rows, lands, armed: AtomicBool::new(false) });
        let device = Device::open(store.clone(), &store_key()).unwrap();
        store.armed.store(true, Ordering::SeqCst);
        let content = Some(ContentId([7; 16]));
        let alice = [user("alice")];
        let sent = world.with(BOB, |_, context| device.batch_encrypt(context, &alice, b"once", content));
        assert_eq!(sent.unwrap_err().code, Code::OutcomeUnknown);
        let sends = world.with(BOB, |_, context| device.sends(context)).unwrap();
        assert_eq!(sends.len(), usize::from(lands), "never two");
        // The app's own content id makes it one send, whatever happened.
        world.with(BOB, |_, context| device.batch_encrypt(context, &alice, b"once", content)).unwrap();
        assert_eq!(world.with(BOB, |_, context| device.sends(context)).unwrap().len(), 1);
    }
}
