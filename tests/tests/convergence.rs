//! Both sides come to use one session, whatever crossed, was lost or arrived twice (T27 to T35; the order of X 3).

use sesame_core::error::Code;
use sesame_core::event::Received;
use sesame_core::internal::store::Kind;
use sesame_core::limits::MAX_OLD_CHAINS;
use sesame_tests::{ALICE, BOB, DAY, Name, Weather, World, failures, messages, user};

fn agree(world: &mut World) {
    let (ours, theirs) = (world.session(ALICE, BOB).unwrap(), world.session(BOB, ALICE).unwrap());
    assert_eq!(ours.id, theirs.id);
}

/// Both begin at once and submit; nothing is delivered yet.
fn cross(world: &mut World) {
    let from_bob = world.encrypt(BOB, &["alice"], b"from bob");
    let from_alice = world.encrypt(ALICE, &["bob"], b"from alice");
    assert_eq!(world.drive(BOB, from_bob).unwrap(), None);
    assert_eq!(world.drive(ALICE, from_alice).unwrap(), None);
}

fn exchange(world: &mut World) {
    world.send(ALICE, &["bob"], b"a");
    world.send(BOB, &["alice"], b"b");
    assert_eq!(failures(&world.receive(ALICE).unwrap()), []);
    assert_eq!(failures(&world.receive(BOB).unwrap()), []);
}

#[test]
fn t27_simultaneous_initiation_agrees_as_soon_as_both_have_received() {
    for seed in 0..20 {
        let mut world = World::strangers(2_700 + seed);
        cross(&mut world);
        assert_ne!(world.session(ALICE, BOB).unwrap().id, world.session(BOB, ALICE).unwrap().id, "each has its own");
        assert_eq!((world.read(ALICE), world.read(BOB)), (vec![b"from bob".to_vec()], vec![b"from alice".to_vec()]));
        agree(&mut world);
        exchange(&mut world);
        agree(&mut world);
        assert!(!world.session(ALICE, BOB).unwrap().initiating && !world.session(BOB, ALICE).unwrap().initiating);
    }
}

#[test]
fn t28_one_of_the_two_initiations_is_lost() {
    for lost in [ALICE, BOB] {
        let mut world = World::strangers(28);
        cross(&mut world);
        world.steal(lost);
        assert_eq!(world.read(if lost == ALICE { BOB } else { ALICE }).len(), 1);
        exchange(&mut world);
        agree(&mut world);
    }
}

#[test]
fn t29_both_are_lost_and_then_tried_again() {
    let mut world = World::strangers(29);
    cross(&mut world);
    world.steal(ALICE);
    world.steal(BOB);
    exchange(&mut world);
    exchange(&mut world);
    agree(&mut world);
}

#[test]
fn t30_fifty_crossings_lose_nothing_and_grow_nothing() {
    let mut world = World::strangers(30);
    cross(&mut world);
    world.receive(ALICE).unwrap();
    world.receive(BOB).unwrap();
    let kinds = [Kind::Session, Kind::Chains, Kind::Skipped, Kind::Block, Kind::Index];
    let rows = |world: &World| world.rows(ALICE, &kinds);
    exchange(&mut world);
    let before = rows(&world);
    for _ in 0..50 {
        exchange(&mut world);
        agree(&mut world);
    }
    let after = rows(&world);
    assert!(after <= before + MAX_OLD_CHAINS, "the tags of old chains and no more: {before} {after}");
}

/// That nothing fails but what has come before.
fn only_duplicates(results: &[Received]) {
    assert!(failures(results).iter().all(|code| *code == Code::Duplicate), "{:?}", failures(results));
}

#[test]
fn t31_crossings_with_losses_settle_when_the_network_is_quiet() {
    for seed in 0..20 {
        let mut world = World::strangers(3_100 + seed);
        world.weather = Weather { drop: 40, duplicate: 20, delay: 20, reorder: true, ..Weather::default() };
        for _ in 0..15 {
            world.send(ALICE, &["bob"], b"a");
            world.send(BOB, &["alice"], b"b");
            only_duplicates(&world.receive(ALICE).unwrap());
            only_duplicates(&world.receive(BOB).unwrap());
        }
        world.weather = Weather::default();
        for name in [ALICE, BOB, ALICE, BOB] {
            only_duplicates(&world.receive(name).unwrap());
        }
        exchange(&mut world);
        agree(&mut world);
    }
}

#[test]
fn t32_random_play_then_quiet_agrees_within_one_exchange() {
    for seed in 0..12 {
        let mut world = World::strangers(3_200 + seed);
        world.weather = Weather { drop: 15, duplicate: 25, delay: 30, reorder: true, ..Weather::default() };
        let mut devices: Vec<Name> = vec![ALICE, BOB];
        let mut removed = false;
        for _ in 0..80 {
            let at = world.below(devices.len());
            let me = devices[at];
            let them = if me.0 == "alice" { "bob" } else { "alice" };
            match world.below(20) {
                0 if devices.len() < 5 => {
                    let new = world.link(if me.0 == "alice" { "alice" } else { "bob" });
                    devices.push(new);
                }
                1 => world.reopen(me),
                2 => world.pass(DAY / 2),
                3 if me.1 != 1 => {
                    world.remove(me);
                    removed = true;
                    devices.retain(|name| *name != me);
                }
                4..=11 => {
                    world.send(me, &[them], b"x");
                }
                _ => {
                    // What a removed device still had under way to its siblings is refused.
                    let may_fail = |code: &Code| *code == Code::Duplicate || (removed && *code == Code::NotListed);
                    let failed = failures(&world.receive(me).unwrap());
                    assert!(failed.iter().all(may_fail), "seed {seed}: {failed:?}");
                }
            }
        }
        world.weather = Weather::default();
        for _ in 0..2 {
            for name in devices.clone() {
                world.receive(name).unwrap();
            }
            for name in devices.clone() {
                world.send(name, &[if name.0 == "alice" { "bob" } else { "alice" }], b"quiet");
            }
        }
        for name in devices.clone() {
            only_duplicates(&world.receive(name).unwrap());
        }
        for a in &devices {
            for b in devices.iter().filter(|b| *b != a) {
                let (ours, theirs) = (world.session(*a, *b).unwrap(), world.session(*b, *a).unwrap());
                assert_eq!(ours.id, theirs.id, "seed {seed}: {a:?} {b:?}");
            }
        }
    }
}

#[test]
fn t33_lockstep_loses_nothing_and_agrees_at_once() {
    let mut world = World::strangers(33);
    cross(&mut world);
    for round in 0..300 {
        // Both always send before they receive: activate-on-receive would swap for ever.
        let (a, b) = (world.read(ALICE), world.read(BOB));
        assert_eq!((a.len(), b.len()), (1, 1), "{round}");
        agree(&mut world);
        world.send(ALICE, &["bob"], b"a");
        world.send(BOB, &["alice"], b"b");
    }
}

#[test]
fn t34_a_delayed_old_message_never_brings_an_old_session_back() {
    let mut world = World::strangers(34);
    cross(&mut world);
    let (late_to_alice, late_to_bob) = (world.mails(ALICE), world.mails(BOB));
    world.receive(ALICE).unwrap();
    world.receive(BOB).unwrap();
    world.send(ALICE, &["bob"], b"kept back");
    let kept = world.steal(BOB);
    exchange(&mut world);
    let active = world.session(ALICE, BOB).unwrap().id;
    world.decrypt(ALICE, &late_to_alice);
    world.decrypt(BOB, &late_to_bob);
    assert_eq!(messages(&world.decrypt(BOB, &kept)).len(), 1);
    assert_eq!(world.session(ALICE, BOB).unwrap().id, active);
    assert_eq!(world.session(BOB, ALICE).unwrap().id, active);
}

#[test]
fn t35_three_devices_by_three_agree_pair_by_pair() {
    let mut world = World::strangers(35);
    for name in ["alice", "bob"] {
        world.link(name);
        world.link(name);
    }
    let all: Vec<Name> = world.hosts.keys().copied().collect();
    let sends: Vec<_> = all
        .iter()
        .map(|name| (*name, world.encrypt(*name, &[if name.0 == "alice" { "bob" } else { "alice" }], b"all at once")))
        .collect();
    for (name, send) in sends {
        assert_eq!(world.drive(name, send).unwrap(), None);
    }
    for name in &all {
        assert_eq!(world.read(*name).len(), 5, "{name:?}");
    }
    for a in &all {
        for b in all.iter().filter(|b| *b != a) {
            assert_eq!(world.session(*a, *b).unwrap().id, world.session(*b, *a).unwrap().id, "{a:?} {b:?}");
        }
    }
    let devices = world.with(ALICE, |d, c| d.devices(c, &user("bob"))).unwrap();
    assert_eq!(devices.len(), 3);
}
