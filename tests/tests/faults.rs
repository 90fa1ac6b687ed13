//! The store fails at every operation in turn: the call errs, memory and disk are as before, the same call then succeeds.

use sesame_core::context::Context;
use sesame_core::error::{Code, Error};
use sesame_core::ids::{DeviceId, GroupKind};
use sesame_core::store::{Changes, CommitError, Generation, MemoryStore, Query, Snapshot, Store, StoreError};
use sesame_core::{
    device::Device,
    event::{Answers, GroupChange, Rejection},
};
use sesame_tests::store::Fault;
use sesame_tests::{ALICE, BOB, DAY, Name, World, store_key, user};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

type Call<'a> = dyn Fn(&Device, &mut Context<'_>) -> Result<(), Error> + 'a;

/// Fails each store operation of `call` once, in each way, and then lets it succeed; gives how many faults there were.
fn fail_everywhere(world: &mut World, name: Name, claim: &str, call: &Call<'_>) -> usize {
    let mut faults = 0;
    let untouched = world.dump(name);
    for fault in [Fault::Fails, Fault::LostUnknown] {
        for operation in 0..200 {
            let store = world.hosts[&name].store.clone();
            store.fail_at(operation, fault);
            let result = world.with(name, |device, context| call(device, context));
            if store.calm() {
                assert!(result.is_ok(), "{claim}: {result:?}");
                // Everything as it was, for the other kind of fault.
                store.inner.restore(untouched.clone());
                break;
            }
            faults += 1;
            let error = result.expect_err(claim);
            assert_eq!(error.code, Code::StoreIo, "{claim}, {fault:?} at {operation}");
            assert_eq!(world.dump(name), untouched, "{claim}, {fault:?} at {operation}");
        }
    }
    let store = world.hosts[&name].store.clone();
    for operation in 0..200 {
        store.inner.restore(untouched.clone());
        store.fail_at(operation, Fault::LandsUnknown);
        let result = world.with(name, |device, context| call(device, context));
        let reached = !store.calm();
        match result {
            Ok(_) if !reached => break,
            // A commit that landed without the store's knowing: read back, and reported as what it is.
            Ok(_) => faults += 1,
            Err(error) => {
                faults += 1;
                assert_eq!(error.code, Code::StoreIo, "{claim}: a load");
                assert_eq!(world.dump(name), untouched, "{claim}: a load");
            }
        }
    }
    store.inner.restore(untouched);
    assert!(faults > 2, "{claim}: hardly a store operation was seen");
    faults
}

#[test]
fn a_commit_that_fails_at_every_store_operation_leaves_everything_as_it_was() {
    let mut world = World::pair(1);
    world.link("alice");
    world.create("carol");
    let mut faults = 0;

    faults += fail_everywhere(&mut world, BOB, "batch_encrypt", &|d, c| {
        d.batch_encrypt(c, &[user("alice"), user("carol")], b"x", None).map(drop)
    });
    let send = world.encrypt(BOB, &["alice"], b"stale");
    let id = send.id;
    let rejection = Rejection::Mismatch { device_list: world.relay.device_list(&user("alice")).unwrap() };
    faults +=
        fail_everywhere(&mut world, BOB, "rejected", &|d, c| d.rejected(c, &id, &user("alice"), &rejection).map(drop));
    world.with(BOB, |d, c| d.rejected(c, &id, &user("alice"), &rejection)).unwrap();
    let bundle = world.relay.bundle(&user("alice"), DeviceId(2)).unwrap();
    let answers = Answers { bundles: vec![bundle], ..Answers::default() };
    faults += fail_everywhere(&mut world, BOB, "apply", &|d, c| d.apply(c, &answers).map(drop));
    world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
    faults += fail_everywhere(&mut world, BOB, "accepted", &|d, c| d.accepted(c, &id, &user("alice")).map(drop));
    let left = world.with(BOB, |d, c| d.pending(c, &id)).unwrap().unwrap();
    assert_eq!(world.drive(BOB, left).unwrap(), None);

    let mails = world.mails(("alice", 2));
    faults += fail_everywhere(&mut world, ("alice", 2), "batch_decrypt of an initiation", &|d, c| {
        d.batch_decrypt(c, &mails).map(drop)
    });
    let mails = world.mails(ALICE);
    faults += fail_everywhere(&mut world, ALICE, "batch_decrypt", &|d, c| d.batch_decrypt(c, &mails).map(drop));
    world.decrypt(ALICE, &mails);
    faults += fail_everywhere(&mut world, ALICE, "ack", &|d, c| {
        let ids: Vec<u64> = d.inbox(c)?.iter().map(|item| item.id).collect();
        d.ack(c, &ids).map(drop)
    });
    world.pass(8 * DAY);
    faults += fail_everywhere(&mut world, ALICE, "tick", &|d, c| d.tick(c, true).map(drop));
    faults += fail_everywhere(&mut world, ALICE, "publication", &|d, c| d.publication(c, None).map(drop));
    let upload = world.with(ALICE, |d, c| d.publication(c, None)).unwrap().unwrap();
    faults += fail_everywhere(&mut world, ALICE, "published", &|d, c| d.published(c, &upload.id).map(drop));
    faults += fail_everywhere(&mut world, ALICE, "remove_device", &|d, c| d.remove_device(c, DeviceId(2)).map(drop));
    println!("{faults} faults");
    assert!(faults > 150, "{faults}");
}

#[test]
fn a_commit_that_fails_in_a_group_leaves_everything_as_it_was() {
    let mut world = World::acquainted(2, &[("alice", 2), ("bob", 1), ("jen", 1)]);
    let mut faults = 0;
    let info = GroupChange { name: Some("Trip".into()), ..GroupChange::default() };
    faults += fail_everywhere(&mut world, ALICE, "create_group", &|d, c| {
        d.create_group(c, GroupKind::Pairwise, &info, &[user("bob")]).map(drop)
    });
    let id = world.found(ALICE, "Trip", &["bob"]);
    faults += fail_everywhere(&mut world, ALICE, "add", &|d, c| d.group(c, &id)?.add(c, &[user("jen")]).map(drop));
    world.act(ALICE, id, |group, c| group.add(c, &[user("jen")])).unwrap();
    let jen = ("jen", 1);
    let mails = world.mails(jen);
    faults += fail_everywhere(&mut world, jen, "hearing of a group", &|d, c| d.batch_decrypt(c, &mails).map(drop));
    world.receive(BOB).unwrap();
    world.say(BOB, id, b"early").unwrap();
    let [add, early] = world.mails(jen).try_into().unwrap();
    faults +=
        fail_everywhere(&mut world, jen, "holding", &|d, c| d.batch_decrypt(c, std::slice::from_ref(&early)).map(drop));
    world.decrypt(jen, std::slice::from_ref(&early));
    faults +=
        fail_everywhere(&mut world, jen, "releasing", &|d, c| d.batch_decrypt(c, std::slice::from_ref(&add)).map(drop));
    world.decrypt(jen, std::slice::from_ref(&add));
    world.steal(jen);
    world.all_receive();
    faults += fail_everywhere(&mut world, BOB, "send", &|d, c| d.group(c, &id)?.send(c, b"x", None).map(drop));
    faults += fail_everywhere(&mut world, BOB, "rename", &|d, c| d.group(c, &id)?.rename(c, "New").map(drop));
    faults += fail_everywhere(&mut world, BOB, "fork_without", &|d, c| {
        d.group(c, &id)?.fork_without(c, &[user("jen")]).map(drop)
    });
    faults += fail_everywhere(&mut world, BOB, "leave", &|d, c| d.group(c, &id)?.leave(c).map(drop));
    world.act(ALICE, id, |group, c| group.rename(c, "Lost")).unwrap();
    world.steal(BOB);
    world.say(ALICE, id, b"x").unwrap();
    world.receive(BOB).unwrap();
    faults += fail_everywhere(&mut world, BOB, "asking", &|d, c| d.tick(c, false).map(drop));
    world.receive(("alice", 2)).unwrap();
    let two = DeviceId(2);
    faults += fail_everywhere(&mut world, ALICE, "remove_device", &|d, c| d.remove_device(c, two).map(drop));
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
    let store = world.hosts[&BOB].store.clone();
    let small = |world: &mut World, text: &[u8]| {
        let before = world.dump(BOB);
        let send = world.encrypt(BOB, &["alice"], text);
        let after = world.dump(BOB);
        let changed: Vec<(u8, usize)> = after
            .iter()
            .filter(|(key, row)| before.get(*key) != Some(row))
            .map(|(key, row)| (key[0], row.len()))
            .collect();
        world.drive(BOB, send).unwrap();
        changed
    };
    store.take_written();
    let changed = small(&mut world, b"x");
    let sessions: Vec<_> = changed.iter().filter(|(kind, _)| (6..=11).contains(kind)).collect();
    println!("rows written by one send: {changed:?}");
    assert_eq!(sessions.len(), 1, "of the session only its chains: {changed:?}");
    assert_eq!(sessions[0].0, 8);
    assert!(sessions[0].1 <= 120, "{sessions:?}");
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
                return Err(StoreError::Misbehaves);
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
    store.rows.commit(Generation::default(), &Changes { next: generation, rows: Default::default() }).unwrap();
    let device = Device::open(store.clone(), &store_key()).unwrap();
    store.conflicts.store(1, Ordering::SeqCst);
    let sent = world.with(BOB, |_, context| device.batch_encrypt(context, &[user("alice")], b"twice", None));
    assert!(sent.is_ok(), "{sent:?}");
    assert_eq!(store.holds.load(Ordering::SeqCst), 1);
    // One that loses every race gives up, and lets go as well.
    store.conflicts.store(u64::MAX, Ordering::SeqCst);
    let lost = world.with(BOB, |_, context| device.batch_encrypt(context, &[user("alice")], b"never", None));
    assert_eq!(lost.unwrap_err().code, Code::StoreBusy);
    assert!(!store.held.load(Ordering::SeqCst));
}

/// Loses its disk within a commit.
struct Lost(MemoryStore, AtomicBool);

impl Store for Lost {
    fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
        if self.1.load(Ordering::SeqCst) { Err(StoreError::Io) } else { self.0.load(queries, hold) }
    }

    fn commit(&self, _: Generation, _: &Changes) -> Result<(), CommitError> {
        self.1.store(true, Ordering::SeqCst);
        Err(CommitError::OutcomeUnknown)
    }

    fn release(&self) {}
}

#[test]
fn a_commit_that_cannot_be_read_back_says_that_nobody_knows() {
    let mut world = World::pair(72);
    let rows = MemoryStore::new();
    rows.restore(world.dump(BOB));
    let device = Device::open(Arc::new(Lost(rows, AtomicBool::new(false))), &store_key()).unwrap();
    let sent = world.with(BOB, |_, context| device.batch_encrypt(context, &[user("alice")], b"gone?", None));
    assert_eq!(sent.unwrap_err().code, Code::OutcomeUnknown);
}
