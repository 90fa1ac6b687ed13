//! What a device remembers from one call to the next changes nothing: not beside another process, not after a commit that failed, not when
//! the store was put back (ADR 31).

use sesame_core::{
    context::{Context, Timestamp},
    device::Device,
    event::Event,
    internal::{steps::Steps, store::Kind},
};
use sesame_tests::{ALICE, BOB, Name, World, failures, is_of, store::Fault, store_key, user};
use std::{collections::BTreeMap, sync::Arc};

/// A device, its rows, and what lies in its mailbox.
type Left = (Name, BTreeMap<Vec<u8>, Vec<u8>>, Vec<Vec<u8>>);

/// What is done to a world before each step, which is counted.
type Prepare<'a> = &'a dyn Fn(&mut World, usize);

/// Everything that a world holds.
fn all(world: &World) -> Vec<Left> {
    world.hosts.keys().map(|name| (*name, world.dump(*name), world.mails(*name))).collect()
}

#[test]
fn a_second_handle_on_the_same_store_is_seen_by_the_first() {
    let mut world = World::pair(310);
    let store = world.hosts[&BOB].store.clone();
    let second = Device::open(store, &store_key()).unwrap();
    let mut said = Vec::new();
    for round in 0..6_u8 {
        // By turns, each with a set that the other has made old.
        let text = [round; 3];
        if round % 2 == 0 {
            world.send(BOB, &["alice"], &text);
        } else {
            let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
            let send = second.encrypt(&mut context, &[user("alice")], &text, None).unwrap();
            world.drive(BOB, send).unwrap();
        }
        said.push(text.to_vec());
    }
    // A chain whose keys were given out twice would fail as reused.
    let mails = world.mails(ALICE);
    assert_eq!(failures(&world.decrypt(ALICE, &mails)), []);
    assert_eq!(world.inbox_texts(ALICE).split_off(1), said[1..], "{said:?}");
}

#[test]
fn a_commit_that_fails_or_lands_unseen_leaves_nothing_behind() {
    for fault in [Fault::Fails, Fault::LostUnknown, Fault::LandsUnknown] {
        for at in 0..6 {
            let mut world = World::pair(311);
            world.send(BOB, &["alice"], b"before");
            let store = world.hosts[&BOB].store.clone();
            store.fail_at(at, fault);
            let first = world.with(BOB, |device, c| device.batch_encrypt(c, &[user("alice")], b"perhaps", None));
            store.struck();
            let landed = first.is_ok();
            if let Ok(send) = first {
                world.drive(BOB, send).unwrap();
            }
            world.send(BOB, &["alice"], b"after");
            let mails = world.mails(ALICE);
            assert_eq!(failures(&world.decrypt(ALICE, &mails)), [], "{fault:?} at {at}");
            let texts = world.inbox_texts(ALICE);
            let expected: &[&[u8]] = if landed { &[b"before", b"perhaps", b"after"] } else { &[b"before", b"after"] };
            assert_eq!(texts[texts.len() - expected.len()..], *expected, "{fault:?} at {at}");
            // A key of the chain that the failed commit had used up would be missing now.
            let gaps = world.inbox_events(ALICE).into_iter().filter(|event| matches!(event, Event::Gap { .. }));
            assert_eq!(gaps.collect::<Vec<_>>(), [], "{fault:?} at {at}");
        }
    }
}

#[test]
fn a_store_that_was_put_back_is_read_anew() {
    let mut world = World::pair(312);
    world.send(BOB, &["alice"], b"one");
    let before = world.dump(BOB);
    world.send(BOB, &["alice"], b"lost with the copy");
    world.receive(ALICE).unwrap();
    world.hosts[&BOB].store.inner.restore(before.clone());
    // What it knows now is what lies there: the same send gives the same state as a handle that was opened just now.
    let rng = world.rng.clone();
    world.encrypt(BOB, &["alice"], b"again");
    let remembered = world.dump(BOB);
    world.hosts[&BOB].store.inner.restore(before);
    world.rng = rng;
    world.reopen(BOB);
    world.encrypt(BOB, &["alice"], b"again");
    assert_eq!(world.dump(BOB).keys().collect::<Vec<_>>(), remembered.keys().collect::<Vec<_>>());
    assert_eq!(world.dump(BOB), remembered);
}

#[test]
fn a_device_that_remembers_nothing_or_less_does_the_same() {
    let limit = |world: &World, bytes: usize| {
        world.hosts.values().for_each(|host| host.device.set_memory_limit(bytes));
    };
    let reopen = |world: &mut World| {
        let names: Vec<Name> = world.hosts.keys().copied().collect();
        names.into_iter().for_each(|name| {
            let host = world.hosts.get_mut(&name).unwrap();
            host.device = Device::open(Arc::clone(&host.store) as Arc<_>, &store_key()).unwrap();
        });
    };
    let play = |prepare: Prepare<'_>| {
        let mut steps = 0;
        let mut world = World::acquainted(313, &[("alice", 2), ("bob", 1), ("jen", 1)]);
        let mut step = |world: &mut World| {
            prepare(world, steps);
            steps += 1;
        };
        let id = world.found(ALICE, "Trip", &["bob", "jen"]);
        for round in 0..12_u8 {
            step(&mut world);
            let from = [ALICE, BOB, ("jen", 1), ("alice", 2)][usize::from(round) % 4];
            world.say(from, id, &[round]).unwrap();
            step(&mut world);
            world.send(from, &[if from.0 == "bob" { "jen" } else { "bob" }], &[round]);
            step(&mut world);
            if round % 3 == 2 {
                world.all_receive();
            }
        }
        all(&world)
    };
    let remembers = play(&|_, _| ());
    let others: [(&str, Prepare<'_>); 4] = [
        ("opened anew before each step", &|world, _| reopen(world)),
        ("a limit of nothing", &|world, _| limit(world, 0)),
        ("a limit that some rows fit into", &|world, _| limit(world, 8_192)),
        ("another limit at each step", &|world, step| limit(world, [usize::MAX, 2_048, 0, 16_384][step % 4])),
    ];
    for (how, prepare) in others {
        for (one, other) in remembers.iter().zip(&play(prepare)) {
            assert!(one == other, "{how}: {:?}", one.0);
        }
    }
}

#[test]
fn a_limit_of_memory_holds_from_the_call_that_sets_it() {
    let mut world = World::pair(315);
    let mut asks = |limit: Option<usize>| {
        if let Some(bytes) = limit {
            world.hosts[&BOB].device.set_memory_limit(bytes);
        }
        world.hosts[&BOB].store.take_asked();
        world.send(BOB, &["alice"], b"again");
        world.hosts[&BOB].store.take_asked()
    };
    asks(None);
    let kept = asks(None);
    // The same call again: with no limit to speak of it asks for what is new, with none at all for everything, each time.
    let nothing = asks(Some(0));
    assert!(nothing > 2 * kept, "{nothing} and {kept}");
    assert_eq!(asks(None), nothing, "the limit holds after a call");
    let little = asks(Some(4_096));
    assert!(kept < little && little <= nothing, "{little} of {nothing}, and {kept}");
    asks(Some(32 * 1024 * 1024));
    assert_eq!(asks(None), kept, "and with the first limit it is as before");
}

#[test]
fn a_store_that_was_put_back_within_a_turn_goes_on_with_the_same_session() {
    // Bob has read and not answered: the half of the ratchet step that his answer needs is owed. Rows of then come back when it was made.
    for kinds in [&[][..], &[Kind::Session], &[Kind::Chains]] {
        let mut world = World::pair(314);
        world.send(ALICE, &["bob"], b"your turn");
        world.receive(BOB).unwrap();
        let session = world.session(BOB, ALICE).unwrap().id;
        let old = world.dump(BOB);
        world.send(BOB, &["alice"], b"answer");
        world.receive(ALICE).unwrap();
        world.send(ALICE, &["bob"], b"answered");
        let back: BTreeMap<_, _> = if kinds.is_empty() {
            old
        } else {
            let mut rows = world.dump(BOB);
            rows.extend(old.into_iter().filter(|(key, _)| is_of(key, kinds)));
            rows
        };
        world.hosts[&BOB].store.inner.restore(back);
        let lost_chain = kinds == [Kind::Chains];
        if !lost_chain {
            assert_eq!(world.read(BOB), [b"answered"], "{kinds:?}");
            assert_eq!(world.session(BOB, ALICE).unwrap().id, session);
        }
        // What was given out once is refused once; a session that lost its chain makes room for another. Then they talk.
        for text in [b"1", b"2"] {
            world.send(BOB, &["alice"], text);
        }
        assert_eq!(world.read(ALICE).last().unwrap(), b"2", "{kinds:?}");
        world.send(ALICE, &["bob"], b"3");
        assert_eq!(world.read(BOB).last().unwrap(), b"3", "{kinds:?}");
        assert_eq!(world.session(BOB, ALICE).unwrap().id == session, !lost_chain, "{kinds:?}");
    }
}
