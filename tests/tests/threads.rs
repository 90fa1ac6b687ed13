//! What comes out of a large batch does not depend on threads: neither on how many there are, nor on which is faster, nor on one that leaves
//! its jobs to others (ADR 34).

use sesame_core::{
    device::Device,
    ids::DeviceId,
    internal::store::Kind,
    threads::{Caller, MIN_ITEMS, Threads},
};
use sesame_tests::{ALICE, Name, World, failures, is_of, store_key, user};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Threads of which none is like another: jobs begin in an order of their own, and some are left to the caller.
struct Wild {
    count: usize,
    ran: AtomicUsize,
}

impl Threads for Wild {
    fn count(&self) -> usize {
        self.count
    }

    fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync)) {
        thread::scope(|scope| {
            for at in (0..jobs).rev().filter(|at| at % 5 != 2) {
                self.ran.fetch_add(1, Ordering::Relaxed);
                scope.spawn(move || job(at));
            }
        });
    }
}

/// How many jobs ran on threads since the last time.
fn ran(threads: &AtomicUsize) -> usize {
    threads.swap(0, Ordering::Relaxed)
}

/// What a device has stored, and what it has given out for the server.
type Left = (BTreeMap<Vec<u8>, Vec<u8>>, Vec<Vec<u8>>);

fn on(world: &mut World, name: Name, threads: Arc<dyn Threads>) {
    let host = world.hosts.get_mut(&name).unwrap();
    host.device = Device::open(host.store.clone(), &store_key()).unwrap().on_threads(threads);
}

/// Everything that Alice has for the server; it takes it.
fn give(world: &mut World) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    while let Some(request) = world.next(ALICE).unwrap() {
        let (status, body) = world.perform(&request);
        bodies.push(request.body.clone());
        world.respond(ALICE, &request.id, (status, &body)).unwrap();
    }
    bodies
}

/// Alice talks to a group of so many users with two devices each: first inside direct messages, since nobody has answered; then on their
/// own sessions, but for the devices whose records have been damaged or that are gone.
///
/// `beside` sees the jobs that were run by each of Alice's steps.
fn play(threads: &Arc<dyn Threads>, users: usize, mut beside: impl FnMut(&str)) -> Left {
    let mut world = World::new(340);
    world.create("alice");
    let names = world.crowd(0..users, true);
    world.show_lists(ALICE, &names);
    on(&mut world, ALICE, threads.clone());
    let (group, send) = world.found_quietly(ALICE, "All of us", &names);
    world.drive(ALICE, send).unwrap();
    let mut bodies = Vec::new();
    world.whisper(ALICE, group, b"inside");
    bodies.extend(give(&mut world));
    for name in names.iter().flat_map(|name| [(*name, 1), (*name, 2)]) {
        assert_eq!(failures(&world.receive(name).unwrap()), []);
        // Nobody of them has written to Alice. The answer itself stays in the outbox.
        world.in_group(name, group, |group, context| group.accept(context)).unwrap();
        let answer = world.whisper(name, group, b"here");
        let to_alice = answer.batches.iter().find(|batch| batch.user.as_str() == "alice").unwrap();
        world.relay.submit((&user(name.0), DeviceId(name.1)), to_alice).unwrap();
    }
    // One mailbox with everybody's answer.
    beside("what came before");
    assert_eq!(failures(&world.receive(ALICE).unwrap()), []);
    beside("the commit of a mailbox");
    // The first part of a session is damaged here, the record of a device there; both are noticed when they are read again.
    for (kind, at) in [(Kind::Chains, 3), (Kind::Peer, 50)] {
        let mut rows = world.dump(ALICE);
        let key = rows.keys().filter(|key| is_of(key, &[kind])).nth(at).unwrap().clone();
        rows.get_mut(&key).unwrap()[20] ^= 1;
        world.hosts[&ALICE].store.inner.restore(rows);
    }
    on(&mut world, ALICE, threads.clone());
    for text in [b"one".as_slice(), b"two"] {
        world.in_group(ALICE, group, |group, context| group.send(context, text, None)).unwrap();
        beside("a send and its commit");
        bodies.extend(give(&mut world));
        beside("its requests");
    }
    (world.dump(ALICE), bodies)
}

#[test]
fn no_byte_depends_on_how_many_threads_there_are() {
    // Two whole requests, one of them without the devices that get nothing.
    let users = MIN_ITEMS + 6;
    let alone = play(&(Arc::new(Caller) as Arc<dyn Threads>), users, |_| ());
    for count in [2, 3, 8] {
        let wild = Arc::new(Wild { count, ran: AtomicUsize::new(0) });
        let threads = wild.clone() as Arc<dyn Threads>;
        // A batch is cut into at least `4 * count - 3` jobs, of which a fifth is left to the caller.
        let batch = (4 * count - 3) * 4 / 5;
        let beside = play(&threads, users, |step| {
            let least = if step == "a send and its commit" { 2 * batch } else { batch };
            assert!(ran(&wild.ran) >= least, "{step}: jobs on {count} threads");
        });
        assert_eq!(beside.1.len(), alone.1.len());
        assert!(beside.1 == alone.1, "requests differ with {count} threads");
        let differ: Vec<u8> =
            alone.0.iter().filter(|(key, row)| beside.0.get(*key) != Some(row)).map(|(key, _)| key[0]).collect();
        assert!(beside.0 == alone.0, "{count} threads: rows of these kinds differ: {differ:?}");
    }
}
