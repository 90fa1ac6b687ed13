//! What is due by time: prekeys, lists, sessions, ids, what is held (X 3, X 5, X 6, X 8, X 9).

use sesame_core::error::Code;
use sesame_core::event::{Event, Received};
use sesame_core::internal::record::{PreKeyBook, Record};
use sesame_core::internal::steps::{Need, Steps};
use sesame_core::internal::store::{Kind, Places, PreKeyUse, Sealer};
use sesame_core::internal::wire::bundle::{Bundle, Publication};
use sesame_core::{
    context::{Context, Timestamp},
    ids::DeviceId,
};
use sesame_tests::{ALICE, BOB, DAY, Name, World, events, failures, is_of, messages, server, store_key, user};
use std::collections::BTreeSet;

fn daily(world: &mut World, name: Name, days: u64) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..days {
        world.pass(DAY);
        events.extend(world.with(name, |d, c| d.tick(c, true)).unwrap());
    }
    events
}

#[test]
fn a_device_that_has_not_rotated_for_14_days_publishes_before_it_sends() {
    let mut world = World::pair(1);
    world.pass(14 * DAY);
    assert!(!world.encrypt(BOB, &["alice"], b"x").needs.contains(&Need::Publication));
    world.pass(1);
    let send = world.encrypt(BOB, &["alice"], b"y");
    assert_eq!((send.needs.clone(), send.batches.len()), (vec![Need::Publication], 0));
    world.publish(BOB);
    let send = world.with(BOB, |d, c| d.pending(c, &send.id)).unwrap().unwrap();
    assert_eq!((send.needs.len(), send.batches.len()), (0, 2));
}

#[test]
fn the_lasting_prekeys_rotate_every_2_days_and_live_30_days_after_they_were_replaced() {
    let mut world = World::strangers(2);
    let lasting = |world: &World| {
        let rows = world.dump(ALICE);
        let there = |usage| (0..1_000).filter(|id| rows.contains_key(&*Places::pre_key(usage, *id))).count();
        there(PreKeyUse::Signed) + there(PreKeyUse::LastResort)
    };
    assert_eq!(lasting(&world), 2);
    world.pass(2 * DAY);
    assert_eq!(world.with(ALICE, |d, c| d.publication(c, None)).unwrap(), None, "not before they are older than that");
    world.pass(1);
    world.publish(ALICE);
    assert_eq!(lasting(&world), 4);
    daily(&mut world, ALICE, 30);
    assert_eq!(lasting(&world), 4);
    world.pass(2 * DAY);
    world.with(ALICE, |d, c| d.tick(c, false)).unwrap();
    assert_eq!(lasting(&world), 4, "not by the clock alone");
    world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
    assert_eq!(lasting(&world), 2);
}

#[test]
fn the_primary_signs_its_list_anew_every_week_and_peers_take_it() {
    let mut world = World::pair(3);
    let before = world.list("alice").list.epoch;
    assert_eq!(daily(&mut world, ALICE, 7), []);
    daily(&mut world, ALICE, 1);
    // The server is asked first whether there is a newer one.
    world.run(ALICE);
    assert_eq!(world.list("alice").list.epoch, before + 1);
    world.publish(BOB);
    world.send(ALICE, &["bob"], b"x");
    assert_eq!(failures(&world.receive(BOB).unwrap()), []);
    let known = world.with(BOB, |d, c| d.users(c)).unwrap();
    assert!(known.iter().any(|view| view.user == user("alice") && view.epoch == before + 1));
}

#[test]
fn a_list_older_than_35_days_shows() {
    let mut world = World::pair(4);
    let old = Event::DeviceListOld { user: user("alice") };
    assert!(!daily(&mut world, BOB, 35).contains(&old));
    assert!(daily(&mut world, BOB, 1).contains(&old));
}

#[test]
fn a_session_sends_for_90_days_and_receives_for_160() {
    let mut world = World::pair(5);
    let session = world.session(BOB, ALICE).unwrap().id;
    world.send(BOB, &["alice"], b"kept back");
    let late = world.steal(ALICE);
    for _ in 0..45 {
        daily(&mut world, ALICE, 2);
        world.with(BOB, |d, c| d.tick(c, true)).unwrap();
        world.publish(ALICE);
        world.publish(BOB);
    }
    assert_eq!(world.session(BOB, ALICE).unwrap().id, session);
    world.pass(DAY);
    assert_eq!(world.session(BOB, ALICE), None, "the next send begins another");
    world.send(BOB, &["alice"], b"x");
    assert_ne!(world.session(BOB, ALICE).unwrap().id, session);
    assert_eq!(world.read(ALICE), [b"x"]);
    let results = world.decrypt(ALICE, &late);
    assert!(messages(&results)[0].flags.older_session);
    let cold = world.rows(ALICE, &[Kind::Session]);
    daily(&mut world, ALICE, 31);
    assert_eq!(world.rows(ALICE, &[Kind::Session]), cold - 1, "MAXLATENCY after its successor was used");
}

#[test]
fn ids_of_received_envelopes_are_kept_30_days() {
    let mut world = World::pair(6);
    let kept = world.rows(ALICE, &[Kind::Received]);
    assert!(kept > 0);
    daily(&mut world, ALICE, 30);
    assert_eq!(world.rows(ALICE, &[Kind::Received]), kept);
    daily(&mut world, ALICE, 1);
    assert_eq!(world.rows(ALICE, &[Kind::Received]), 0);
}

#[test]
fn what_is_held_is_bounded_at_256_kib_for_a_known_user_and_30_days() {
    let mut world = World::pair(7);
    let mut other = World::new(70);
    other.now = world.now;
    other.create("bob");
    other.create("alice");
    // Another Bob, who knows the real Alice: her list and bundles are on his server.
    other.relay = {
        let upload = |world: &mut World, relay: &mut sesame_relay::Relay, name: Name| {
            world.pass(3 * DAY);
            let upload = world.with(name, |d, c| d.publication(c, Some(0))).unwrap().unwrap();
            relay.publish((&user(name.0), sesame_core::ids::DeviceId(1)), &upload.bytes).unwrap();
            world.with(name, |d, c| d.published(c, &upload.id)).unwrap();
        };
        let mut relay = sesame_relay::Relay::new(server().name());
        upload(&mut world, &mut relay, ALICE);
        upload(&mut other, &mut relay, BOB);
        relay
    };
    other.now = world.now;
    for _ in 0..90 {
        other.send(BOB, &["alice"], b"it is me");
    }
    let mails = other.mails(ALICE);
    let results = world.decrypt(ALICE, &mails);
    let held = results.iter().filter(|r| matches!(r, Received::Held { .. })).count();
    let dropped = events(&results).iter().filter(|e| matches!(e, Event::HeldDropped { .. })).count();
    let changed = events(&results).iter().filter(|e| matches!(e, Event::IdentityChanged { .. })).count();
    assert_eq!((results.len(), dropped, changed), (held + 2, 1, 1), "what is too much is said once");
    assert_eq!(held, 256 * 1_024 / mails[0].len());
    assert_eq!(failures(&world.decrypt(ALICE, &mails[..1])), [Code::Duplicate]);
    let forgotten = daily(&mut world, ALICE, 31);
    assert_eq!(forgotten.iter().filter(|e| matches!(e, Event::HeldDropped { .. })).count(), 1);
    assert_eq!(world.rows(ALICE, &[Kind::Held]), 0);
}

#[test]
fn with_many_contacts_a_call_does_a_slice_and_all_slices_do_everything_once() {
    let mut world = World::new(400);
    world.create("alice");
    let names: Vec<&'static str> =
        (0..400).map(|n| -> &'static str { Box::leak(format!("user {n}").into_boxed_str()) }).collect();
    for name in &names {
        world.create_quietly(name);
        world.publish_once((name, 1));
    }
    let needs: Vec<Need> = names.iter().map(|name| Need::DeviceList(user(name))).collect();
    let lists = world.relay.answer(&needs);
    world.with(ALICE, |device, context| device.apply(context, &lists)).unwrap();
    // The first day's is done to its end.
    for _ in 0..10 {
        world.run(ALICE);
        world.pass(1_000);
    }
    world.pass(100 * DAY);
    let dead = &mut |_: &mut World, _: &sesame_core::event::ServerRequest| (0, vec![]);
    let (mut old, mut calls) = (std::collections::BTreeMap::<String, usize>::new(), 0);
    loop {
        world.run_with(ALICE, dead);
        calls += 1;
        let events: Vec<Event> = world.inbox_events(ALICE);
        let ids: Vec<u64> = world.inbox(ALICE).iter().map(|row| row.id).collect();
        world.with(ALICE, |device, context| device.ack(context, &ids)).unwrap();
        for event in &events {
            if let Event::DeviceListOld { user } = event {
                *old.entry(format!("{:?}", user.as_bytes())).or_default() += 1;
            }
        }
        assert!(events.len() < 300, "{} in one call", events.len());
        if old.len() == names.len() {
            break;
        }
        assert!(calls < 20, "{calls} calls for {} users", old.len());
        let due = world.with_requests(ALICE, |device, context, requests| device.due_in(context, requests)).unwrap();
        assert!(due > 0 && due < 10_000, "it goes on soon: {due}");
        // A crash in between loses nothing and repeats nothing.
        world.reopen(ALICE);
        world.pass(1_000);
    }
    assert!(calls >= 2, "{calls}");
    assert!(old.values().all(|times| *times == 1));
    for _ in 0..3 {
        world.pass(1_000);
        world.run_with(ALICE, dead);
    }
    assert!(!world.inbox_events(ALICE).iter().any(|event| matches!(event, Event::DeviceListOld { .. })), "once a day");
}

/// The numbers that messages bear, and the gaps that were told.
fn heard(results: &[Received]) -> (Vec<u64>, Vec<(u64, u64)>) {
    let gaps = events(results).into_iter().filter_map(|event| match event {
        Event::Gap { first, last, .. } => Some((*first, *last)),
        _ => None,
    });
    (messages(results).iter().map(|message| message.sequence).collect(), gaps.collect())
}

#[test]
fn n_l08_a_sequence_does_not_begin_again_when_sessions_are_forgotten() {
    let mut world = World::pair(61);
    world.send(BOB, &["alice"], b"two");
    world.send(BOB, &["alice"], b"three");
    assert_eq!(heard(&world.receive(ALICE).unwrap()), (vec![2, 3], vec![]));
    let forget_each_other = |world: &mut World| {
        for _ in 0..163 {
            world.pass(DAY);
            for name in [ALICE, BOB] {
                world.with(name, |d, c| d.tick(c, true)).unwrap();
                world.relay.set_time(Timestamp(world.now));
                world.publish(name);
            }
        }
        assert_eq!(world.rows(ALICE, &[Kind::Session]) + world.rows(BOB, &[Kind::Session]), 0);
    };
    forget_each_other(&mut world);
    world.send(BOB, &["alice"], b"four");
    assert_eq!(heard(&world.receive(ALICE).unwrap()), (vec![4], vec![]));
    forget_each_other(&mut world);
    // The first message of the new session is withheld: that is seen.
    world.send(BOB, &["alice"], b"five");
    world.steal(ALICE);
    world.send(BOB, &["alice"], b"six");
    assert_eq!(heard(&world.receive(ALICE).unwrap()), (vec![6], vec![(5, 5)]));
}

#[test]
fn n_t12_one_time_keys_that_nobody_used_die_after_120_days() {
    let mut world = World::strangers(62);
    let made = world.rows(ALICE, &[Kind::PreKey]);
    assert_eq!(made, 2 + 2 * 40, "a lasting pair, and 40 of each kind");
    daily(&mut world, ALICE, 120);
    assert_eq!(world.rows(ALICE, &[Kind::PreKey]), made);
    world.pass(DAY);
    world.with(ALICE, |d, c| d.tick(c, false)).unwrap();
    assert_eq!(world.rows(ALICE, &[Kind::PreKey]), made, "not by the clock alone");
    world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
    assert_eq!(world.rows(ALICE, &[Kind::PreKey]), 2);
    // They do not count as offered any more: new ones go up.
    world.publish(ALICE);
    assert_eq!(world.rows(ALICE, &[Kind::PreKey]), 2 + 2 + 2 * 40);
}

/// A device makes keys and is then offline for twenty days. The server gives them out for ninety days from when it takes them.
#[test]
fn n_t12_one_time_keys_live_120_days_from_their_upload() {
    let mut world = World::strangers(66);
    world.with(ALICE, |d, c| d.publication(c, Some(0))).unwrap().unwrap();
    let made = world.rows(ALICE, &[Kind::PreKey]);
    daily(&mut world, ALICE, 20);
    world.relay.set_time(Timestamp(world.now));
    world.publish_once(ALICE);
    daily(&mut world, ALICE, 119);
    // The first forty of each kind are gone on day 121, what was made before day 0 and taken on day 20 is not.
    let left = world.rows(ALICE, &[Kind::PreKey]);
    assert!(left >= 40 && left < made, "{left} of {made}");
    daily(&mut world, ALICE, 2);
    assert!(world.rows(ALICE, &[Kind::PreKey]) <= 4, "{}", world.rows(ALICE, &[Kind::PreKey]));
}

/// What waits for the server is not old, whenever it was made: it may still take it.
#[test]
fn n_t12_keys_that_wait_for_their_upload_stay() {
    let mut world = World::strangers(67);
    let upload = world.with(ALICE, |d, c| d.publication(c, Some(0))).unwrap().unwrap();
    let ids: Vec<u32> =
        Publication::decode(&upload.bytes).unwrap().one_time.as_slice().iter().map(|key| key.id).collect();
    assert_eq!(ids.len(), 20);
    daily(&mut world, ALICE, 150);
    for id in ids {
        for usage in [PreKeyUse::OneTimeCurve, PreKeyUse::OneTimeKem] {
            assert!(world.dump(ALICE).contains_key(&*Places::pre_key(usage, id)), "{id}");
        }
    }
}

/// Somebody sends an envelope a week, each of which is held and names the same keys. They keep them for thirty days in all.
#[test]
fn n_t12_what_is_held_again_and_again_keeps_no_key_alive() {
    let mut world = World::strangers(68);
    let mut other = World::new(70);
    other.now = world.now;
    other.create("bob");
    world.send(ALICE, &["bob"], b"the real one");
    let answers = world.relay.answer(&[Need::DeviceList(user("alice")), Need::Bundle(user("alice"), DeviceId(1))]);
    let mut mails = Vec::new();
    for round in 0..20 {
        let send = other.encrypt(BOB, &["alice"], b"it is me");
        if round == 0 {
            other.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
        }
        let send = other.standing_of(BOB, &send);
        mails
            .push(send.batches.iter().find(|batch| batch.user == user("alice")).unwrap().envelopes[0].envelope.clone());
    }
    let keys = |world: &World| {
        let signed = world
            .dump(ALICE)
            .into_keys()
            .filter(|key| is_of(key, &[Kind::PreKey]) && key[1] == PreKeyUse::Signed as u8);
        signed.collect::<BTreeSet<Vec<u8>>>()
    };
    let first = keys(&world);
    assert_eq!(first.len(), 1);
    let (mut held, mut lived) = (0, 0);
    for (week, mail) in mails.iter().enumerate() {
        let results = world.decrypt(ALICE, std::slice::from_ref(mail));
        held += results.iter().filter(|result| matches!(result, Received::Held { .. })).count();
        for _ in 0..7 {
            daily(&mut world, ALICE, 1);
            world.relay.set_time(Timestamp(world.now));
            world.publish(ALICE);
        }
        if keys(&world).is_superset(&first) {
            lived = week + 1;
        }
    }
    assert!(held >= 5, "{held}");
    // Replaced after a week, then thirty days as always, and thirty more for what is held.
    assert!((9..=10).contains(&lived), "{lived} weeks");
}

#[test]
fn n_t12_ids_wrap_and_publications_go_on() {
    let mut world = World::strangers(63);
    let sealer = Sealer::new(&store_key());
    let key = Places::only(Kind::Book);
    let next = |world: &mut World| Bundle::decode(&world.relay.bundle(&user("alice"), DeviceId(1)).unwrap()).unwrap();
    // Alice has published for a thousand years, and her server has taken it.
    for given in [(1 << 23) - 31, (1 << 24) - 31] {
        let mut dump = world.dump(ALICE);
        let book = PreKeyBook::decode(&sealer.open(&key, &dump[&*key]).unwrap()).unwrap();
        let near = PreKeyBook { given, curve_offered: 0, kem_offered: 0, ..book };
        let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
        dump.insert(key.to_vec(), sealer.seal(&mut context, &key, &near.encode().unwrap()).unwrap());
        world.hosts[&ALICE].store.inner.restore(dump);
        while next(&mut world).one_time_pre_key.is_some() {}
        world.publish(ALICE);
    }
    let ids: Vec<u32> = std::iter::from_fn(|| next(&mut world).one_time_pre_key.map(|key| key.id)).collect();
    // The ids of the first 41 pairs are still in use.
    assert_eq!(ids, ((1 << 24) - 31..1 << 24).chain(41..50).collect::<Vec<u32>>());
    // A first message with one of them opens, once.
    world.with(ALICE, |d, c| d.publication(c, Some(0))).unwrap();
    world.publish(ALICE);
    world.send(BOB, &["alice"], b"hello");
    let mails = world.mails(ALICE);
    assert_eq!(world.read(ALICE), [b"hello"]);
    assert_eq!(failures(&world.decrypt(ALICE, &mails)), [Code::Duplicate]);
}
