//! Device lists: descent, forks, our own list, removed devices (X 5). The numbers are those of the findings.

use sesame_core::{
    error::Code,
    event::{Event, Received, RequestKind},
    ids::{DeviceId, Scope},
    internal::{
        keys::{
            chain::Chain,
            device_list::{List, Listing, VerifiedDeviceList},
        },
        steps::Steps,
        store::Kind,
        wire::{
            answer::Lists,
            content::{Body, ListClaim, Prelude, Stamp},
        },
    },
};
use sesame_tests::{ALICE, BOB, Name, World, events, messages, user};
use std::collections::BTreeSet;

const DAY: u64 = 24 * 60 * 60 * 1_000;

/// The list that follows another, shown with the hashes of those before it.
fn next(world: &World, before: &VerifiedDeviceList, devices: &[Listing]) -> VerifiedDeviceList {
    let mut list = world.forge_list("alice", Some(&before.list), devices).unwrap();
    let mut chain = before.branch.clone();
    chain.join(&list.branch, usize::MAX);
    list.branch = chain;
    list
}

/// The list `epochs` later, with the same devices.
fn later(world: &World, before: &VerifiedDeviceList, epochs: usize) -> VerifiedDeviceList {
    (0..epochs).fold(before.clone(), |list, _| next(world, &list, &before.list.devices))
}

fn bare(list: &VerifiedDeviceList) -> Vec<u8> {
    list.shown(0).unwrap()
}

/// Events of these results, but for the numbers that a made-up message leaves out.
fn told(results: &[Received]) -> usize {
    events(results).iter().filter(|event| !matches!(event, Event::Gap { .. })).count()
}

fn forks(found: &[Event]) -> usize {
    found.iter().filter(|event| matches!(event, Event::DeviceListFork { .. })).count()
}

/// A message that a device could write with all it has, in its direct session, and that says this of itself.
fn said(world: &World, from: Name, to: Name, salt: u8, change: impl FnOnce(Prelude) -> Prelude) -> Vec<u8> {
    let stamp = Stamp { content_id: [salt; 16], sent_at: world.now };
    let body = Body::Message { stamp, payload: vec![salt].into() };
    let prelude = change(world.prelude(from, to, u64::from(salt)));
    let content = [prelude.encode().unwrap(), body.encode().unwrap()].concat();
    world.craft(from, to, Scope::Direct, [salt; 16], &content)
}

fn asks_for(world: &mut World, name: Name, of: &str) -> bool {
    let requests: Vec<_> = std::iter::from_fn(|| world.next(name).unwrap()).collect();
    requests.iter().any(|request| request.kind == RequestKind::Lists && request.users.contains(&user(of)))
}

#[test]
fn n_t03_a_claim_of_a_newer_own_list_makes_a_linked_device_ask_the_server() {
    let mut world = World::pair(303);
    let laptop = {
        world.link("alice");
        world.link("alice")
    };
    world.send(BOB, &["alice"], b"x");
    world.receive(laptop).unwrap();
    world.run(laptop);
    // The laptop is not told of this list; Bob hears of it from the server.
    world.remove(("alice", 2));
    world.send(BOB, &["alice"], b"y");
    world.receive(laptop).unwrap();
    // What was encrypted before that names the old list.
    assert!(!asks_for(&mut world, laptop, "alice"));
    world.send(BOB, &["alice"], b"z");
    world.receive(laptop).unwrap();
    assert!(asks_for(&mut world, laptop, "alice"));
}

#[test]
fn n_t03_a_claim_is_asked_about_once_a_day_and_blocks_and_raises_nothing() {
    let mut world = World::pair(313);
    for name in ["carol", "dave"] {
        world.create(name);
        world.send((name, 1), &["alice"], b"hello");
        world.receive(ALICE).unwrap();
        world.send(ALICE, &[name], b"hello");
        world.receive((name, 1)).unwrap();
    }
    world.run(ALICE);
    // Each claims a list of his or her own, and one of ours.
    for (name, days, asked) in [("bob", 0, 2), ("carol", 0, 1), ("dave", 1, 2)] {
        world.pass(days * DAY);
        let claim = ListClaim { epoch: 1 << 40, hash: [5; 16] };
        let claims = |prelude| Prelude { your_list: claim, my_list: claim, ..prelude };
        let envelope = said(&world, (name, 1), ALICE, 9, claims);
        let results = world.decrypt(ALICE, &[envelope]);
        assert_eq!((messages(&results).len(), told(&results)), (1, 0));
        assert_eq!(world.rows(ALICE, &[Kind::Wanted]), asked, "{name}");
        assert_eq!(world.encrypt(ALICE, &[name], b"not blocked").needs, []);
        world.run(ALICE);
        assert_eq!(world.rows(ALICE, &[Kind::Wanted]), 0);
    }
    let is_alarm = |event: &Event| matches!(event, Event::OwnListAhead { .. } | Event::DeviceListFork { .. });
    assert!(!world.inbox_events(ALICE).iter().any(is_alarm));
}

#[test]
fn n_t03_a_linked_device_is_told_that_its_own_list_is_old() {
    let mut world = World::pair(304);
    let tablet = world.link("alice");
    world.pass(36 * DAY);
    let old = Event::DeviceListOld { user: user("alice") };
    assert!(world.with(tablet, |d, c| d.tick(c, true)).unwrap().contains(&old));
    assert!(!world.with(ALICE, |d, c| d.tick(c, true)).unwrap().contains(&old), "the primary signs it anew");
}

#[test]
fn n_t03_a_list_that_the_primary_did_not_sign_is_an_alarm_and_is_not_taken() {
    let mut world = World::pair(305);
    let known = world.list("alice");
    let mut devices = known.list.devices.clone();
    devices.push(world.ghost(2, 2));
    let thief = next(&world, &known, &devices);
    let alarm = Event::OwnListAhead {
        known: known.signed.clone(),
        other: thief.signed.clone(),
        known_hash: known.list.name(),
        other_hash: thief.list.name(),
    };
    assert_eq!(world.show(ALICE, thief.shown(16).unwrap()), (vec![alarm], vec![]));
    assert_eq!(world.show(ALICE, thief.shown(16).unwrap()), (vec![], vec![]), "once");
    let follows = bare(&later(&world, &thief, 30));
    assert_eq!(world.show(ALICE, follows), (vec![], vec![]), "nor for what follows it");
    // Nothing is signed and no list goes up until the app has decided; messages go on.
    let new = world.begin_link();
    assert_eq!(world.link_device(ALICE, new.linking.code()), Err(Code::OwnListNotAdopted));
    assert_eq!(world.with(ALICE, |d, c| d.remove_device(c, DeviceId(2))).unwrap_err().code, Code::OwnListNotAdopted);
    world.send(ALICE, &["bob"], b"goes on");
    assert_eq!(world.read(BOB), [b"goes on".to_vec()]);
    // The app rejects it: the thief's branch raises nothing again, and our own goes on.
    world.resolve_fork(ALICE, "alice", &known.list.name()).unwrap();
    let own = world.list("alice");
    assert_eq!(own.list.hash, known.list.hash);
    // A server that insists is told of again, since nothing that is signed here would go up beside its list.
    assert_eq!(world.show(ALICE, thief.shown(16).unwrap()).0.len(), 1);
    world.resolve_fork(ALICE, "alice", &known.list.name()).unwrap();
    assert_eq!(world.link("alice"), ("alice", 2));
}

#[test]
fn n_t04_a_list_far_ahead_without_proof_is_not_taken_and_shows_after_a_day() {
    let mut world = World::pair(404);
    let first = world.list("alice");
    let mut devices = first.list.devices.clone();
    devices.push(world.ghost(2, 2));
    let far = later(&world, &next(&world, &first, &devices), 19);
    assert_eq!(world.show(BOB, far.shown(16).unwrap()), (vec![], vec![]));
    assert_eq!(world.recipients(BOB, "alice"), BTreeSet::from([1]), "only devices on both");
    let tick = |world: &mut World| world.with(BOB, |d, c| d.tick(c, true)).unwrap();
    assert_eq!(forks(&tick(&mut world)), 0);
    world.pass(DAY + 1);
    // The day counts while we hear from the server.
    assert_eq!(forks(&tick(&mut world)), 1);
    assert_eq!(forks(&tick(&mut world)), 0, "once");
    // The proof may still come: then there is no fork.
    let (found, _) = world.show(BOB, far.shown(usize::MAX).unwrap());
    assert!(matches!(found[..], [Event::DeviceListChanged { .. }]), "{found:?}");
    assert!(world.recipients(BOB, "alice").contains(&2));
}

#[test]
fn n_t04_a_device_that_was_offline_for_days_asks_before_it_raises_an_alarm() {
    let mut world = World::pair(414);
    let first = world.list("alice");
    let far = later(&world, &first, 20);
    world.with(BOB, |d, c| d.tick(c, true)).unwrap();
    world.show(BOB, far.shown(16).unwrap());
    world.pass(5 * DAY);
    assert_eq!(forks(&world.with(BOB, |d, c| d.tick(c, false)).unwrap()), 0);
    assert_eq!(world.rows(BOB, &[Kind::Wanted]), 1, "it asks");
}

#[test]
fn n_t04_the_server_proves_what_a_message_could_not() {
    let mut world = World::pair(424);
    for _ in 0..20 {
        world.link("alice");
        let newest = world.list("alice").list.devices.last().unwrap().id.0;
        world.remove(("alice", newest));
    }
    // Bob has seen none of these 40 lists; the message brings the newest 16 hashes.
    world.send(ALICE, &["bob"], b"x");
    let results = world.receive(BOB).unwrap();
    assert_eq!(messages(&results).len(), 1);
    assert_eq!(events(&results).len(), 0);
    world.run(BOB);
    let known = world.with(BOB, |d, c| d.users(c)).unwrap();
    assert!(known.iter().any(|view| view.user == user("alice") && view.epoch == 41 && !view.forked));
}

#[test]
fn n_t05_the_app_names_the_branch_and_its_later_lists_are_followed() {
    let mut world = World::pair(505);
    let first = world.list("alice");
    let mut devices = first.list.devices.clone();
    devices.push(world.ghost(2, 2));
    let thief = next(&world, &first, &devices);
    assert_eq!(world.show(BOB, thief.shown(16).unwrap()).0.len(), 1, "the thief comes first, and is taken");
    world.link("alice");
    let honest = world.list("alice");
    assert_eq!(forks(&world.show(BOB, honest.shown(16).unwrap()).0), 1);
    assert_eq!(world.recipients(BOB, "alice"), BTreeSet::from([1]));
    let view = world.with(BOB, |d, c| d.users(c)).unwrap().into_iter().find(|view| view.user == user("alice")).unwrap();
    assert_eq!(
        (view.forked, view.list_hash, view.other_hash),
        (true, Some(thief.list.name()), Some(honest.list.name()))
    );
    let neither = first.list.name();
    assert_eq!(world.resolve_fork(BOB, "alice", &neither).unwrap_err().code, Code::InvalidArgument);
    world.resolve_fork(BOB, "alice", &honest.list.name()).unwrap();
    assert_eq!(world.resolve_fork(BOB, "alice", &honest.list.name()).unwrap_err().code, Code::InvalidArgument);
    for _ in 0..3 {
        world.pass(8 * DAY);
        world.run(ALICE);
    }
    assert_eq!(world.list("alice").list.epoch, 5);
    world.send(BOB, &["alice"], b"x");
    assert_eq!(world.read(("alice", 2)), [b"x".to_vec()]);
    for shown in [thief.shown(16).unwrap(), later(&world, &thief, 3).shown(16).unwrap(), bare(&thief)] {
        assert_eq!(world.show(BOB, shown), (vec![], vec![]), "a rejected branch raises nothing again");
    }
}

#[test]
fn n_t05_an_app_that_rejects_the_other_branch_keeps_its_own() {
    let mut world = World::pair(515);
    let first = world.list("alice");
    world.link("alice");
    let honest = world.list("alice");
    world.show(BOB, honest.shown(16).unwrap());
    let other = next(&world, &first, &first.list.devices);
    assert_eq!(forks(&world.show(BOB, other.shown(16).unwrap()).0), 1);
    world.resolve_fork(BOB, "alice", &honest.list.name()).unwrap();
    assert!(world.recipients(BOB, "alice").contains(&2));
    let follows = later(&world, &other, 2).shown(16).unwrap();
    assert_eq!(world.show(BOB, follows), (vec![], vec![]));
    // Another account key's owner can lie again, with a third branch: that is news.
    world.pass(1);
    let third = next(&world, &first, &first.list.devices);
    assert_eq!(forks(&world.show(BOB, third.shown(16).unwrap()).0), 1);
}

#[test]
fn n_t06_a_claim_alone_raises_nothing() {
    let mut world = World::pair(606);
    let claims = |prelude: Prelude| Prelude {
        your_list: ListClaim { epoch: 1, hash: [9; 16] },
        my_list: ListClaim { epoch: 1, hash: [8; 16] },
        ..prelude
    };
    let envelope = said(&world, BOB, ALICE, 5, claims);
    let results = world.decrypt(ALICE, &[envelope]);
    assert_eq!((messages(&results).len(), told(&results)), (1, 0));
}

#[test]
fn n_t06_each_fork_shows_two_lists_that_the_pinned_key_has_signed() {
    let mut world = World::pair(616);
    let first = world.list("alice");
    world.link("alice");
    let honest = world.list("alice");
    world.show(BOB, honest.shown(16).unwrap());
    let other = next(&world, &first, &first.list.devices);
    let (found, _) = world.show(BOB, other.shown(16).unwrap());
    let [Event::DeviceListFork { known, other: shown, .. }] = &found[..] else { panic!("{found:?}") };
    for list in [known, shown] {
        let list = VerifiedDeviceList::verify_signed(list).unwrap();
        assert_eq!((list.user.clone(), list.account()), (user("alice"), first.account()));
    }
    assert_ne!(known, shown);
}

#[test]
fn n_t08_an_id_that_comes_back_with_other_keys_is_a_fork_and_trusted_by_nobody() {
    let mut world = World::pair(808);
    world.link("alice");
    world.send(BOB, &["alice"], b"both");
    let old = world.list("alice");
    let without = next(&world, &old, &old.list.devices[..1]);
    let back = world.ghost(2, without.list.epoch + 1);
    let again = next(&world, &without, &[without.list.devices[0], back]);
    assert!(matches!(world.show(BOB, without.shown(16).unwrap()).0[..], [Event::DeviceListChanged { .. }]));
    let (found, refused) = world.show(BOB, again.shown(16).unwrap());
    assert_eq!((forks(&found), found.len(), refused), (1, 1, vec![]));
    assert_eq!(world.recipients(BOB, "alice"), BTreeSet::from([1]));
    // The app insists: nothing of the old device stays for the new one.
    world.resolve_fork(BOB, "alice", &again.list.name()).unwrap();
    let views = world.with(BOB, |d, c| d.devices(c, &user("alice"))).unwrap();
    let view = views.iter().find(|view| view.device == DeviceId(2)).unwrap();
    assert_eq!((view.identity_key, view.session), (back.identity_key, None));
}

#[test]
fn n_t09_a_removed_device_says_nothing_more_after_maxlatency() {
    let mut world = World::pair(909);
    let tablet = world.link("alice");
    world.send(BOB, &["alice"], b"x");
    world.receive(tablet).unwrap();
    let bundle_time = world.now;
    world.remove(tablet);
    world.send(BOB, &["alice"], b"y");
    let late = said(&world, tablet, BOB, 4, |prelude| prelude);
    let results = world.decrypt(BOB, &[late]);
    assert!(messages(&results)[0].flags.from_removed_device);
    world.pass(31 * DAY);
    assert!(world.now > bundle_time);
    let before = world.inbox_events(BOB).len();
    let envelope = said(&world, tablet, BOB, 5, |prelude| prelude);
    assert_eq!(world.refusal(BOB, &envelope), Some(Code::NotListed));
    assert_eq!(world.inbox_events(BOB).len(), before, "a thief does not fill the inbox");
}

#[test]
fn n_t16_a_restored_primary_adopts_the_servers_list_and_gives_out_new_ids() {
    let mut world = World::pair(316);
    let old = world.dump(ALICE);
    world.link("alice");
    let ahead = world.list("alice");
    world.put_back(ALICE, old);
    world.with(ALICE, |d, c| d.look_up(c, &[user("alice")])).unwrap();
    world.run(ALICE);
    assert!(
        world
            .inbox_events(ALICE)
            .iter()
            .any(|event| matches!(event, Event::OwnListAhead { other_hash, .. } if *other_hash == ahead.list.name()))
    );
    let none = sesame_core::ids::ListHash([0; 32]);
    assert_eq!(world.with(ALICE, |d, c| d.adopt_own_list(c, &none)).unwrap_err().code, Code::InvalidArgument);
    world.with(ALICE, |d, c| d.adopt_own_list(c, &ahead.list.name())).unwrap();
    world.run(ALICE);
    assert_eq!(world.list("alice").list.epoch, ahead.list.epoch + 1);
    assert_eq!(world.link("alice"), ("alice", 3), "an id is given once, for ever");
    world.send(ALICE, &["bob"], b"still here");
    assert_eq!(world.read(BOB), [b"still here".to_vec()]);
}

#[test]
fn n_t16_a_restored_primary_asks_before_it_signs_anew() {
    let mut world = World::pair(326);
    let old = world.dump(ALICE);
    world.link("alice");
    let ahead = world.list("alice");
    world.put_back(ALICE, old);
    world.pass(8 * DAY);
    world.run(ALICE);
    assert_eq!(world.list("alice").list.hash, ahead.list.hash, "no fork of its own goes out");
    assert_eq!(world.inbox_events(ALICE).iter().filter(|event| matches!(event, Event::OwnListAhead { .. })).count(), 1);
    assert_eq!(world.inbox_events(BOB).iter().filter(|event| matches!(event, Event::DeviceListFork { .. })).count(), 0);
}

#[test]
fn n_t16_a_removed_id_is_not_given_again() {
    let mut world = World::pair(336);
    let tablet = world.link("alice");
    world.remove(tablet);
    assert_eq!(world.link("alice"), ("alice", 3));
}

/// The first contact of a device that stands on a list which we cannot prove: it is held, not lost, and opens once the proof is there.
#[test]
fn what_a_device_says_that_stands_on_an_unproved_list_is_held_until_it_is_proved() {
    let mut world = World::pair(707);
    for _ in 0..10 {
        world.link("alice");
        let newest = world.list("alice").list.devices.last().unwrap().id.0;
        world.remove(("alice", newest));
    }
    let tablet = world.link("alice");
    world.send(tablet, &["bob"], b"from the new one");
    let results = world.receive(BOB).unwrap();
    assert!(matches!(results[..], [Received::Held { code: Some(Code::NotListed), .. }]), "{results:?}");
    world.run(BOB);
    world.run(BOB);
    assert_eq!(world.rows(BOB, &[Kind::Held]), 0);
    assert_eq!(world.inbox_texts(BOB), [b"from the new one".to_vec()]);
}

#[test]
fn the_chain_of_a_contact_is_damaged_and_nothing_is_lost() {
    let mut world = World::pair(717);
    world.link("alice");
    world.send(ALICE, &["bob"], b"x");
    world.receive(BOB).unwrap();
    world.spoil(BOB, &[Kind::Chain]);
    world.link("alice");
    world.send(ALICE, &["bob"], b"y");
    world.receive(BOB).unwrap();
    assert!(world.inbox_events(BOB).iter().all(|event| !matches!(event, Event::DeviceListFork { .. })));
    let view = world.with(BOB, |d, c| d.users(c)).unwrap().into_iter().find(|view| view.user == user("alice")).unwrap();
    assert_eq!(view.epoch, world.list("alice").list.epoch);
}

#[test]
fn the_server_is_asked_from_the_list_that_we_hold() {
    let mut world = World::pair(727);
    let first = world.list("alice");
    let far = later(&world, &first, 40);
    world.show(BOB, far.shown(16).unwrap());
    world.with(BOB, |d, c| d.look_up(c, &[user("alice")])).unwrap();
    let shown = far.shown(usize::MAX).unwrap();
    world.run_with(BOB, &mut |world, request| {
        if request.kind != RequestKind::Lists {
            return world.perform(request);
        }
        let asked = sesame_core::internal::wire::request::Lists::decode(&request.body).unwrap();
        assert_eq!(asked.users.as_slice()[0].from, first.list.epoch);
        (200, Lists { lists: vec![Some(shown.clone().into())].into() }.encode().unwrap())
    });
    let view = world.with(BOB, |d, c| d.users(c)).unwrap().into_iter().find(|view| view.user == user("alice")).unwrap();
    assert_eq!((view.epoch, view.forked), (41, false));
}

/// What is kept of a branch is bounded, and a list that lies below all that is kept is asked for, and shown once its proof fails.
#[test]
fn a_chain_keeps_so_many_hashes_and_no_more() {
    let world = World::pair(737);
    let first = world.list("alice");
    let list: &List = &first.list;
    let mut chain = Chain::alone(list);
    let far = later(&world, &first, 1_100);
    chain.join(&far.branch, 1_024);
    assert_eq!((chain.hashes.len(), chain.newest()), (1_024, 1_101));
    assert_eq!(Chain::of(&far.list, &chain.links(0, usize::MAX)).unwrap(), chain);
}

/// A primary was put back, linked devices while it was offline, and meets the list of its former self, which is shorter than its own.
#[test]
fn n_t16_a_primary_that_adopts_a_shorter_branch_publishes_on_top_of_it() {
    let mut world = World::pair(346);
    let old = world.dump(ALICE);
    world.link("alice");
    let ahead = world.list("alice");
    world.put_back(ALICE, old);
    world.pass(1);
    for _ in 0..2 {
        world.link_quietly("alice");
    }
    world.run(ALICE);
    let forked =
        world.with(ALICE, |d, c| d.users(c)).unwrap().into_iter().find(|view| view.user == user("alice")).unwrap();
    assert_eq!(forked.other_hash, Some(ahead.list.name()));
    // Messages go on, and new keys go up, while the app has not decided.
    world.begin(ALICE, &["bob"], b"meanwhile");
    world.with_requests(ALICE, |_, _, requests| requests.retry_now());
    world.run(ALICE);
    assert_eq!(world.read(BOB), [b"meanwhile".to_vec()]);
    world.pass(3 * DAY);
    world.with_requests(ALICE, |_, _, requests| requests.retry_now());
    world.run(ALICE);
    world.with(ALICE, |d, c| d.adopt_own_list(c, &ahead.list.name())).unwrap();
    world.with_requests(ALICE, |_, _, requests| requests.retry_now());
    world.run(ALICE);
    assert_eq!(world.list("alice").list.epoch, ahead.list.epoch + 1);
    let last = world.list("alice").list.last_id;
    assert_eq!(world.link("alice"), ("alice", last + 1), "no id of either branch is given again");
}

/// Whoever signs lists can invent the history of an earlier one and show it with its true hash.
#[test]
fn an_invented_history_is_a_fork_and_stops_no_linking() {
    let mut world = World::pair(747);
    world.link("alice");
    world.show(BOB, world.list("alice").shown(16).unwrap());
    let second = world.list("alice");
    let made_up = List { history: [7; 32], ..second.list.clone() };
    let liar = world.forge_list("alice", Some(&made_up), &made_up.devices).unwrap();
    let links = vec![made_up.history, made_up.hash];
    let shown = sesame_core::internal::keys::device_list::show(&liar.signed, links).unwrap();
    let (found, refused) = world.show(BOB, shown);
    assert_eq!((forks(&found), found.len(), refused), (1, 1, vec![]));
    assert_eq!(world.link("bob"), ("bob", 2));
}

/// A list from before all that we remember waits, and is late and nothing else once the server has shown the hashes between.
#[test]
fn a_very_old_list_is_no_fork_once_the_hashes_between_are_known() {
    let world = World::pair(757);
    let first = world.list("alice");
    let old = later(&world, &first, 10);
    let newest = later(&world, &old, 40);
    let mut remembers_little = newest.clone();
    remembers_little.branch = newest.branch.newest_of(17);
    // Bob meets Alice late.
    let mut stranger = World::strangers(758);
    stranger.now = world.now;
    stranger.show(BOB, remembers_little.shown(16).unwrap());
    assert_eq!(stranger.show(BOB, bare(&old)), (vec![], vec![]), "it waits");
    stranger.show(BOB, newest.shown(usize::MAX).unwrap());
    stranger.pass(2 * DAY);
    assert_eq!(forks(&stranger.with(BOB, |d, c| d.tick(c, true)).unwrap()), 0);
    let view =
        stranger.with(BOB, |d, c| d.users(c)).unwrap().into_iter().find(|view| view.user == user("alice")).unwrap();
    assert_eq!((view.epoch, view.forked), (51, false));
}

/// A list whose ids were given out again is not laundered by one more list on top of it.
#[test]
fn n_t08_a_list_on_top_of_a_refused_one_is_refused() {
    let mut world = World::pair(818);
    let first = world.list("alice");
    world.link("alice");
    let old = world.list("alice");
    world.show(BOB, old.shown(16).unwrap());
    let other = world.ghost(2, 3);
    let again = next(&world, &old, &[old.list.devices[0], other]);
    assert_eq!(forks(&world.show(BOB, again.shown(16).unwrap()).0), 1);
    let third = world.ghost(3, 4);
    let on_top = next(&world, &again, &[old.list.devices[0], third]);
    let (found, _) = world.show(BOB, on_top.shown(16).unwrap());
    assert_eq!(found, [], "the app has heard of that branch");
    // Nor once something else is shown: what waits is judged again then, and stays what it is.
    for _ in 0..2 {
        let (found, _) = world.show(BOB, first.shown(16).unwrap());
        assert!(matches!(found[..], [Event::DeviceListRollback { .. }]), "{found:?}");
        assert_eq!(world.show(BOB, on_top.shown(16).unwrap()), (vec![], vec![]));
    }
    assert_eq!(world.recipients(BOB, "alice"), BTreeSet::from([1]));
    world.resolve_fork(BOB, "alice", &old.list.name()).unwrap();
    assert_eq!(
        world.show(BOB, on_top.shown(16).unwrap()),
        (vec![], vec![]),
        "nor after the app has rejected that branch"
    );
    assert!(!world.recipients(BOB, "alice").contains(&3));
}

/// What was told of our own lists is told once, whatever older ones come by.
#[test]
fn n_t03_an_alarm_is_raised_once() {
    let mut world = World::pair(325);
    let first = world.list("alice");
    world.link("alice");
    let known = world.list("alice");
    world.pass(1);
    let thief = next(&world, &known, &known.list.devices);
    assert!(matches!(world.show(ALICE, thief.shown(16).unwrap()).0[..], [Event::OwnListAhead { .. }]));
    for _ in 0..2 {
        let (found, _) = world.show(ALICE, first.shown(16).unwrap());
        assert!(matches!(found[..], [Event::DeviceListRollback { .. }]), "{found:?}");
    }
    world.with(ALICE, |d, c| d.adopt_own_list(c, &thief.list.name())).unwrap();
}
