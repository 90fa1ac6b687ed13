//! The main job, end to end.

use sesame_core::event::{DeviceState, Event, MessageKind};
use sesame_core::ids::DeviceId;
use sesame_core::internal::steps::{Rejection, Steps};
use sesame_relay::Refusal;
use sesame_tests::{World, events, failures, messages, user};

/// Alice has a phone and a laptop, Bob a phone and a tablet.
fn world() -> World {
    let mut world = World::new(1);
    world.create("alice");
    world.link("alice");
    world.create("bob");
    world.link("bob");
    world
}

#[test]
fn one_message_is_read_on_every_device_and_bobs_tablet_has_the_transcript() {
    let mut world = world();
    world.send(("bob", 1), &["alice"], b"hello");
    for name in [("alice", 1), ("alice", 2)] {
        let results = world.receive(name).unwrap();
        assert_eq!(failures(&results), []);
        let got = messages(&results);
        assert_eq!(got.len(), 1);
        assert_eq!(
            (got[0].payload.as_slice(), &got[0].user, got[0].device),
            (&b"hello"[..], &user("bob"), DeviceId(1))
        );
        assert_eq!(got[0].kind, MessageKind::Message);
        assert!(events(&results).iter().any(|event| matches!(event, Event::SessionStarted { .. })));
    }
    let results = world.receive(("bob", 2)).unwrap();
    assert_eq!(messages(&results)[0].kind, MessageKind::Transcript { recipients: vec![user("alice")] });
    world.send(("alice", 2), &["bob"], b"hi");
    assert_eq!(world.read(("bob", 1)), [b"hi"]);
    assert_eq!(world.read(("bob", 2)), [b"hi"]);
    assert_eq!(world.read(("alice", 1)), [b"hi"]);
}

#[test]
fn t15_a_stale_batch_is_refused_whole_and_resubmitted_byte_identical() {
    let mut world = world();
    world.send(("bob", 1), &["alice"], b"first");
    for device in 1..=2 {
        assert_eq!(world.read(("alice", device)), [b"first"]);
    }
    world.link("alice");
    let (bob, alice) = (user("bob"), user("alice"));
    let send = world.with(("bob", 1), |d, c| d.encrypt(c, &[user("alice")], b"second", None)).unwrap();
    let before = send.batches.iter().find(|batch| batch.user == alice).unwrap().clone();
    assert_eq!(before.envelopes.len(), 2);
    let refusal = world.relay.submit((&bob, DeviceId(1)), &before).unwrap_err();
    let Refusal::Stale { device_list, missing, gone } = refusal else { panic!("{refusal:?}") };
    assert_eq!((missing, gone), (vec![DeviceId(3)], vec![]));
    assert_eq!(world.relay.fetch((&alice, DeviceId(1)), 10), [], "a refused batch puts nothing into any mailbox");
    let id = send.id;
    let rejection = Rejection::Mismatch { device_list };
    let send = world.with(("bob", 1), |d, c| d.rejected(c, &id, &alice, &rejection)).unwrap();
    assert!(send.events.iter().any(|e| matches!(e, Event::DeviceListChanged { added, .. } if *added == [DeviceId(3)])));
    let answers = world.relay.answer(&send.needs);
    world.with(("bob", 1), |d, c| d.apply(c, &answers)).unwrap();
    let send = world.with(("bob", 1), |d, c| d.pending(c, &id)).unwrap().unwrap();
    let after = send.batches.iter().find(|batch| batch.user == alice).unwrap().clone();
    assert_eq!(after.envelopes[..2], before.envelopes[..], "unaffected ciphertexts stay as they are");
    assert_eq!(after.envelopes.len(), 3);
    assert_eq!(world.drive(("bob", 1), send).unwrap(), None);
    for device in 1..=3 {
        assert_eq!(world.read(("alice", device)), [b"second"]);
        assert_eq!(world.read(("alice", device)), Vec::<Vec<u8>>::new());
    }
    assert_eq!(world.read(("bob", 2)), [b"first".to_vec(), b"second".to_vec()]);
}

#[test]
fn everything_goes_on_after_a_restart() {
    let mut world = world();
    world.send(("bob", 1), &["alice"], b"before");
    for name in [("alice", 1), ("alice", 2), ("bob", 1), ("bob", 2)] {
        world.reopen(name);
    }
    assert_eq!(world.read(("alice", 1)), [b"before"]);
    world.reopen(("alice", 1));
    world.send(("alice", 1), &["bob"], b"after");
    assert_eq!(world.read(("bob", 1)), [b"after"]);
    let session = |world: &mut World, name, peer: &str| {
        world.with(name, |d, c| d.session(c, &user(peer), DeviceId(1))).unwrap().unwrap()
    };
    let (ours, theirs) = (session(&mut world, ("alice", 1), "bob"), session(&mut world, ("bob", 1), "alice"));
    assert_eq!((ours.id, ours.generation), (theirs.id, theirs.generation));
    let devices = world.with(("bob", 1), |d, c| d.devices(c, &user("alice"))).unwrap();
    assert!(devices.iter().all(|device| device.state == DeviceState::Active && device.session.is_some()));
    let number =
        |world: &mut World, name, peer: &str| world.with(name, |d, c| d.safety_number(c, &user(peer))).unwrap();
    let (a, b) = (number(&mut world, ("alice", 1), "bob"), number(&mut world, ("bob", 1), "alice"));
    assert_eq!((a.len(), &a), (60, &b));
}
