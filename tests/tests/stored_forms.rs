//! Every byte that a played world leaves behind: rows, mailboxes, and how much chance was drawn.
//!
//! A change of a stored form, of the wire, or of the order in which a call draws its randomness changes a digest below. If the change is
//! meant, it is a new version of a form or of the wire, and CHANGELOG names it.

use sesame_core::{
    context::{Context, Timestamp},
    device::Device,
    event::Recipients,
    internal::crypto::kdf::sha256,
    store::MemoryStore,
};
use sesame_tests::{ALICE, BOB, JEN, Name, World, store_key, user};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const TABLET: Name = ("alice", 2);

/// A history that writes every kind of row that a store holds.
fn play() -> World {
    let mut world = World::new(20_261_129);
    for name in ["alice", "bob", "jen"] {
        world.create(name);
    }
    world.link("alice");
    world.send(ALICE, &["bob", "jen"], b"hello");
    for name in [BOB, JEN, TABLET] {
        world.receive(name).unwrap();
    }
    world.send(BOB, &["alice"], b"hi");
    world.receive(ALICE).unwrap();
    // Messages that come out of order leave skipped keys.
    for text in [b"one", b"two", b"six"] {
        world.send(BOB, &["alice"], text);
    }
    let late = world.steal(ALICE);
    world.decrypt(ALICE, &late[2..]);
    // A group, a leave, an invitation back; what a stranger to the group holds.
    let group = world.found(ALICE, "Trip", &["bob", "jen"]);
    for name in [BOB, JEN, TABLET] {
        world.receive(name).unwrap();
    }
    for name in [BOB, ALICE, JEN] {
        let send =
            world.with(name, |d, c| d.batch_encrypt(c, Recipients::Group(group), b"in the group", None)).unwrap();
        world.drive(name, send).unwrap();
    }
    for name in [ALICE, BOB, JEN, TABLET] {
        world.receive(name).unwrap();
    }
    let send = world.with(JEN, |d, c| d.group(c, &group)?.leave(c)).unwrap();
    world.drive(JEN, send).unwrap();
    world.receive(ALICE).unwrap();
    let send = world.with(ALICE, |d, c| d.group(c, &group)?.add(c, &[user("jen")])).unwrap();
    world.drive(ALICE, send).unwrap();
    // Bob hears the new add before the leave that it names.
    let mails = world.steal(BOB);
    world.decrypt(BOB, &mails[1..]);
    // A new link that nobody answered, a send that waits, a removed device, housekeeping.
    world.encrypt(BOB, &["alice", "carol"], b"for later");
    world.remove(TABLET);
    world.pass(3 * sesame_tests::DAY);
    world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
    world.publish(ALICE);
    world.encrypt(ALICE, &["bob"], b"not settled");
    // What Jen holds: a message of a group whose add she has not seen.
    let other = world.found(ALICE, "Later", &["bob"]);
    world.act(ALICE, other, |group, c| group.add(c, &[user("jen")])).unwrap();
    world.steal(JEN);
    world.receive(BOB).unwrap();
    world.say(BOB, other, b"welcome, Jen").unwrap();
    world.receive(JEN).unwrap();
    stranger_as_bob(&mut world);
    world.pass(3 * sesame_tests::DAY);
    world.with(ALICE, |d, c| d.publication(c, Some(0))).unwrap();
    world
}

/// Somebody under Bob's name writes to Alice, who holds it.
fn stranger_as_bob(world: &mut World) {
    let mut elsewhere = World::new(7);
    elsewhere.now = world.now;
    elsewhere.create("bob");
    let mut send = elsewhere.encrypt(BOB, &["alice"], b"it is me");
    while !send.needs.is_empty() {
        let mut answers = world.relay.answer(&send.needs);
        answers.unknown_users.clear();
        elsewhere.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
        send = elsewhere.with(BOB, |d, c| d.pending(c, &send.id)).unwrap().unwrap();
    }
    let batch = send.batches.iter().find(|batch| batch.user == user("alice")).unwrap();
    assert_eq!(batch.skips, []);
    world.decrypt(ALICE, &[batch.envelopes[0].envelope.clone()]);
}

/// One digest for each host and kind of row, one for each mailbox, and one for the chance that is left.
fn digests(world: &mut World) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let hosts: Vec<Name> = world.hosts.keys().copied().collect();
    for (name, number) in hosts {
        for (key, row) in world.dump((name, number)) {
            let kind = key.first().copied().unwrap_or_default();
            let bytes = all.entry(format!("{name} {number} kind {kind:02}")).or_default();
            for part in [key, row] {
                bytes.extend((part.len() as u64).to_be_bytes());
                bytes.extend(part);
            }
        }
        let bytes = all.entry(format!("{name} {number} mailbox")).or_default();
        world.mails((name, number)).iter().for_each(|mail| bytes.extend(mail));
    }
    let chance = (world.below(usize::MAX) as u64).to_be_bytes();
    all.insert("chance".to_owned(), chance.to_vec());
    all.into_iter().map(|(name, bytes)| (name, hex::encode(&sha256(&bytes)[..8]))).collect()
}

/// The row of a device that waits for its primary.
fn linking(world: &mut World) -> String {
    let store = Arc::new(MemoryStore::new());
    let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
    Device::begin_link(store.clone(), &store_key(), &mut context).unwrap();
    hex::encode(&sha256(&store.dump().into_values().collect::<Vec<_>>().concat())[..8])
}

#[test]
fn a_played_world_leaves_the_bytes_that_it_always_left() {
    let mut world = play();
    let linking = linking(&mut world);
    let mut digests = digests(&mut world);
    digests.insert("linking".to_owned(), linking);
    let kinds: BTreeSet<&str> =
        digests.keys().filter_map(|name| name.split_once("kind ")).map(|(_, kind)| kind).collect();
    // Every kind from 1 to 27 but Linking, which a device that is made has no more.
    assert_eq!(kinds.len(), 26, "{kinds:?}");
    let lines: Vec<String> = digests.iter().map(|(name, digest)| format!("{name} {digest}")).collect();
    let said = lines.join("\n") + "\n";
    let committed = include_str!("stored_forms.txt");
    assert!(said == committed, "these are other bytes; now:\n{said}");
}
