//! A world that has been played from one seed, in which every kind of row is written somewhere.

use crate::{ALICE, BOB, DAY, JEN, Name, World, user};
use sesame_core::internal::steps::Steps;
use sesame_core::{event::Recipients, ids::DeviceId};

/// Alice's second device.
pub const TABLET: Name = ("alice", 2);

/// A history that writes every kind of row that a store holds, but that of a device that waits to be linked.
///
/// # Panics
/// When a call does not do what the history needs.
#[must_use]
pub fn play() -> World {
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
    // Jen has not written to Alice, and is asked.
    world.say_yes(JEN, group);
    for name in [BOB, ALICE, JEN] {
        let send = world.with(name, |d, c| d.encrypt(c, Recipients::Group(group), b"in the group", None)).unwrap();
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
    world.pass(3 * DAY);
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
    // A group that is left and forgotten.
    let old = world.found(ALICE, "Old", &["bob"]);
    world.act(ALICE, old, |group, c| group.leave(c)).unwrap();
    world.in_group(ALICE, old, |group, c| group.forget(c)).unwrap();
    stranger_as_bob(&mut world);
    does_not_open(&mut world);
    // A user whose list is asked for.
    world.with(BOB, |d, c| d.look_up(c, &[user("zoe")])).unwrap();
    world.pass(3 * DAY);
    world.with(ALICE, |d, c| d.publication(c, Some(0))).unwrap();
    world
}

/// Something of Bob's does not open, and Alice's app says how long what she has sent is kept.
fn does_not_open(world: &mut World) {
    world.send(JEN, &["alice"], b"spoilt on the way");
    let mut mails = world.steal(ALICE);
    *mails.last_mut().unwrap().last_mut().unwrap() ^= 1;
    world.decrypt(ALICE, &mails[mails.len() - 1..]);
    world.with(ALICE, |device, context| device.keep_sent(context, 14)).unwrap();
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

/// A world in which a primary has offered its part to another device.
///
/// # Panics
/// Never.
#[must_use]
pub fn offered() -> World {
    let mut world = World::new(20_261_130);
    world.create("alice");
    world.link("alice");
    world.with(ALICE, |device, context| device.hand_over(context, DeviceId(TABLET.1))).unwrap();
    world
}
