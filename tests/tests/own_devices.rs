//! What becomes of an account whose devices are lost, stolen or replaced (X 7).

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use sesame_core::{context::Timestamp, event::Event};
use sesame_tests::{ALICE, BOB, DAY, Host, JEN, World, messages, user};

/// The device of Alice is gone with its store. Whoever has it may go on with it.
fn lose(world: &mut World) -> Host {
    world.requests.remove(&ALICE);
    world.hosts.remove(&ALICE).unwrap()
}

#[test]
fn n_v04_a_user_whose_account_was_reset_is_another_identity_until_the_app_accepts_it() {
    let mut world = World::acquainted(404, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let id = world.found(BOB, "Trip", &["alice", "jen"]);
    let old_key = world.list("alice").account();
    let stolen = lose(&mut world);
    assert!(world.relay.reset(Timestamp(world.now), &user("alice")));
    // Whoever has the old device publishes its account again, before the user does.
    world.hosts.insert(ALICE, stolen);
    for _ in 0..8 {
        world.fetch(ALICE);
        world.pass(60 * 60 * 1_000);
    }
    assert_eq!(world.relay.device_list(&user("alice")), None);
    let stolen = lose(&mut world);
    world.create("alice");
    let new_key = world.list("alice").account();
    assert_ne!(new_key, old_key);

    let send = world.begin(BOB, &["alice"], b"is it you?");
    world.run(BOB);
    let said = Event::IdentityChanged { user: user("alice"), pinned: old_key, claimed: new_key, was_verified: false };
    assert!(world.inbox_events(BOB).contains(&said));
    assert!(world.mails(ALICE).is_empty(), "nothing is sent before the app accepts");
    assert!(world.status(BOB, &send.id).is_some(), "the send waits");
    world
        .with_requests(BOB, |device, context, requests| {
            device.accept_identity(context, requests, &user("alice"), &new_key)
        })
        .unwrap();
    world.run(BOB);
    assert_eq!(world.read(ALICE), [b"is it you?"]);
    world.send(ALICE, &["bob"], b"it is me");
    assert_eq!(world.read(BOB), [b"it is me"]);

    // The group names the old identity. One call lets the new one in.
    assert_eq!(world.group(BOB, id).unwrap().conflicts, [user("alice")]);
    world.act(BOB, id, |group, context| group.readmit(context, &user("alice"))).unwrap();
    world.rest();
    assert_eq!(world.members(ALICE, id), ["alice", "bob", "jen"]);
    world.say(BOB, id, b"welcome back").unwrap();
    let heard = world.rest();
    let of_alice = heard.iter().filter(|(name, _)| *name == ALICE).flat_map(|(_, results)| messages(results));
    assert_eq!(of_alice.map(|message| message.payload.clone()).collect::<Vec<_>>(), [b"welcome back"]);

    // The old device comes back, and the account stays the new one's.
    let honest = world.hosts.insert(ALICE, stolen).unwrap();
    world.requests.remove(&ALICE);
    for _ in 0..8 {
        world.fetch(ALICE);
        world.pass(DAY);
    }
    assert_eq!(world.list("alice").account(), new_key);
    world.hosts.insert(ALICE, honest);
    world.requests.remove(&ALICE);
    world.send(JEN, &["bob"], b"and the others never noticed");
    assert_eq!(world.read(BOB).last().map(Vec::as_slice), Some(b"and the others never noticed".as_slice()));
}
