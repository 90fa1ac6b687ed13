//! The host's clock is wrong for a while: what one wrong reading does, and what it does not (X "Clock").

use sesame_core::event::Event;
use sesame_core::internal::steps::Steps;
use sesame_core::internal::store::Kind;
use sesame_tests::{ALICE, BOB, DAY, World, events, messages};

fn daily(world: &mut World, days: u64) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..days {
        world.pass(DAY);
        for name in [ALICE, BOB] {
            events.extend(world.with(name, |d, c| d.tick(c, true)).unwrap());
            // The loop asks for our list before it is signed anew.
            world.run(name);
            world.publish(name);
        }
    }
    events
}

#[test]
fn n_l04_what_was_published_under_a_clock_a_year_ahead_is_renewed() {
    let mut world = World::strangers(4);
    world.create("carol");
    world.jump(366);
    world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
    world.run(ALICE);
    assert!(world.list("alice").list.issued_at > world.now - DAY, "its list has the wrong date");
    world.jump(-366);
    daily(&mut world, 1);
    assert!(world.list("alice").list.issued_at <= world.now, "and is signed anew at once, not in a year");
    world.send(BOB, &["alice"], b"hello");
    assert_eq!(world.read(ALICE), [b"hello"]);
    daily(&mut world, 8);
    world.send(("carol", 1), &["alice"], b"hello");
    assert_eq!(world.read(ALICE), [b"hello"]);
    // At rest: a clock that was ahead does not make it publish for ever.
    assert_eq!(world.with(ALICE, |d, c| d.publication(c, None)).unwrap(), None);
}

#[test]
fn n_l05_one_reading_200_days_ahead_deletes_nothing() {
    let mut world = World::pair(5);
    world.send(BOB, &["alice"], b"late");
    let late = world.steal(ALICE);
    let kinds = [Kind::Session, Kind::Chains, Kind::Peer, Kind::Received, Kind::PreKey];
    let before = world.rows(ALICE, &kinds);
    world.jump(200);
    for _ in 0..3 {
        assert_eq!(world.with(ALICE, |d, c| d.tick(c, true)).unwrap(), [], "nobody's list is said to be old");
    }
    world.jump(-200);
    assert!(world.own(ALICE).mailbox_emptied_at <= world.now + 3 * DAY);
    assert!(world.rows(ALICE, &kinds) >= before);
    let results = world.decrypt(ALICE, &late);
    assert_eq!(messages(&results)[0].payload, b"late");
    assert!(!messages(&results)[0].flags.older_session && events(&results).is_empty());
    world.send(ALICE, &["bob"], b"and on");
    assert_eq!(world.read(BOB), [b"and on"]);
    // A clock that really was set forward is followed after a day.
    world.jump(200);
    for _ in 0..4 {
        world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
        world.pass(DAY);
    }
    assert_eq!(world.rows(ALICE, &[Kind::Session]), 0);
}

#[test]
fn n_l06_a_session_begun_under_a_clock_a_year_ahead_ages() {
    let mut world = World::strangers(6);
    // The bundle is of the same clock, so that it is taken.
    world.jump(365);
    world.publish(ALICE);
    world.send(BOB, &["alice"], b"from next year");
    assert_eq!(world.read(ALICE), [b"from next year"]);
    world.send(ALICE, &["bob"], b"hi");
    assert_eq!(world.read(BOB), [b"hi"]);
    world.jump(-365);
    for (of, with) in [(ALICE, BOB), (BOB, ALICE)] {
        let peer = world.peer(of, with);
        assert!(peer.sessions[0].created_at <= world.now + 3 * DAY, "its age is of the age clock");
        assert!(world.session(of, with).is_some());
    }
    daily(&mut world, 96);
    assert_eq!((world.session(ALICE, BOB), world.session(BOB, ALICE)), (None, None), "no longer used to send");
    daily(&mut world, 70);
    assert_eq!(world.rows(ALICE, &[Kind::Session]) + world.rows(BOB, &[Kind::Session]), 0);
    world.send(BOB, &["alice"], b"a new one");
    assert_eq!(world.read(ALICE), [b"a new one"]);
}
