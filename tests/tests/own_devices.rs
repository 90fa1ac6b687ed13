//! What becomes of an account whose devices are lost, stolen or replaced (X 7).

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use sesame_core::{
    context::Timestamp,
    device::{Device, Loss, RestoreRequests, Restoring},
    error::Code,
    event::{Event, GroupChange},
    ids::{DeviceId, GroupId},
    internal::{crypto::ed25519::SigningKey, keys::device_list::sign},
};
use sesame_tests::{
    ALICE, BOB, DAY, JEN, Name, World, lists::published, messages, pump::problem, restoring::Back, server,
    store::Fault, store_key, user,
};

#[test]
fn n_v04_a_user_whose_account_was_reset_is_another_identity_until_the_app_accepts_it() {
    let mut world = World::acquainted(404, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let id = world.found(BOB, "Trip", &["alice", "jen"]);
    let old_key = world.list("alice").account();
    let stolen = world.lose(ALICE);
    assert!(world.relay.reset(Timestamp(world.now), &user("alice")));
    // Whoever has the old device publishes its account again, before the user does.
    world.hosts.insert(ALICE, stolen);
    for _ in 0..8 {
        world.fetch(ALICE);
        world.pass(60 * 60 * 1_000);
    }
    assert_eq!(world.relay.device_list(&user("alice")), None);
    let stolen = world.lose(ALICE);
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

#[test]
fn n_v04_the_old_devices_of_an_account_that_was_reset_say_so_in_their_health() {
    let (mut world, _) = family(405);
    // The server has taken both.
    for name in [ALICE, TABLET] {
        world.pass(3 * DAY);
        world.fetch(name);
    }
    assert!(world.relay.reset(Timestamp(world.now), &user("alice")));
    for is_taken in [false, true] {
        if is_taken {
            // The user registers anew, on another phone.
            let old = world.lose(ALICE);
            world.create("alice");
            world.hosts.insert(ALICE, old);
            world.requests.remove(&ALICE);
        }
        for name in [ALICE, TABLET] {
            for _ in 0..24 {
                world.fetch(name);
                world.pass(60 * 60 * 1_000);
            }
            world.fetch(name);
            let health =
                world.with_requests(name, |device, context, requests| device.health(context, requests)).unwrap();
            // Its word is a server's, which ends nothing: there is no event, and the device goes on asking.
            let code = if name == ALICE { Code::RegistrationRefused } else { Code::ServerUnauthorized };
            assert_eq!(health.problem, code.number(), "{is_taken} {name:?}");
            assert!(!world.inbox_events(name).iter().any(|event| matches!(event, Event::RegistrationRefused { .. })));
        }
    }
}

/// Alice with a phone and a tablet, Bob and Jen, a group of the three. Alice has compared safety numbers with Bob.
fn family(seed: u64) -> (World, GroupId) {
    let mut world = World::acquainted(seed, &[("alice", 2), ("bob", 1), ("jen", 1)]);
    world.with(ALICE, |device, context| device.mark_verified(context, &user("bob"))).unwrap();
    let id = world.found(ALICE, "Trip", &["bob", "jen"]);
    world.say(TABLET, id, b"the tablet knows it").unwrap();
    world.rest();
    (world, id)
}

const TABLET: Name = ("alice", 2);
const BACK: Name = ("alice", 3);

/// Two messages each way with Bob, with the tablet by its transcripts, and in the group.
fn all_talk(world: &mut World, back: Name, id: GroupId) {
    world.send(back, &["bob"], b"back");
    assert_eq!(world.read(BOB), [b"back"]);
    assert_eq!(world.read(TABLET), [b"back"], "the transcript");
    world.send(BOB, &["alice"], b"good");
    assert_eq!((world.read(back), world.read(TABLET)), (vec![b"good".to_vec()], vec![b"good".to_vec()]));
    world.send(TABLET, &["jen"], b"from the tablet");
    assert_eq!(
        (world.read(back), world.read(JEN)),
        (vec![b"from the tablet".to_vec()], vec![b"from the tablet".to_vec()])
    );
    for speaker in [back, BOB, TABLET, JEN] {
        world.say(speaker, id, b"in the group").unwrap();
        let heard = world.rest();
        for name in [back, BOB, TABLET, JEN].into_iter().filter(|name| *name != speaker) {
            let results = heard.iter().filter(|(of, _)| *of == name).flat_map(|(_, results)| messages(results));
            let said = results.filter(|message| message.payload == b"in the group").count();
            assert_eq!(said, 1, "{name:?} heard {speaker:?}");
        }
    }
    let members = |world: &mut World, name| world.members(name, id);
    let all = members(world, BOB);
    assert!([back, TABLET, JEN].into_iter().all(|name| members(world, name) == all));
}

#[test]
fn a_restored_primary_takes_the_place_of_its_former_self() {
    let (mut world, id) = family(701);
    let backup = world.backup(ALICE);
    let account = world.list("alice").account();
    world.lose(ALICE);
    assert_eq!(world.restore("alice", &backup, Loss::Lost), Ok(BACK));
    let list = world.list("alice");
    let ids: Vec<u32> = list.list.devices.iter().map(|device| device.id.0).collect();
    assert_eq!((ids, list.list.primary.0, list.list.last_id, list.account()), (vec![2, 3], 3, 3, account));
    // Pins and what was verified came along, and no safety number has changed.
    let known = |world: &mut World, name: &str| {
        world.with(BACK, |d, c| d.users(c)).unwrap().into_iter().find(|view| view.user == user(name)).unwrap()
    };
    assert!(known(&mut world, "bob").verified && !known(&mut world, "jen").verified);
    assert_eq!(known(&mut world, "bob").account_key, world.list("bob").account());
    all_talk(&mut world, BACK, id);
    assert!(world.inbox_events(BOB).iter().all(|event| !matches!(event, Event::IdentityChanged { .. })));
    // The next device gets an id that was never given.
    let linked = world.link_by(BACK);
    assert_eq!(linked, ("alice", 4));
}

#[test]
fn a_restored_primary_goes_on_from_the_servers_newer_list() {
    let mut world = World::acquainted(702, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let backup = world.backup(ALICE);
    // Two devices come after the backup, and one of them goes.
    world.link("alice");
    let gone = world.link("alice");
    world.remove(gone);
    let id = world.found(BOB, "Later", &["alice", "jen"]);
    world.rest();
    world.lose(ALICE);
    let back = world.restore("alice", &backup, Loss::Lost).unwrap();
    assert_eq!(back, ("alice", 4), "3 was given before");
    let list = world.list("alice");
    assert_eq!(list.list.devices.iter().map(|device| device.id.0).collect::<Vec<_>>(), [2, 4]);
    // A group that is younger than the backup comes from who speaks in it, or from the tablet.
    world.say(BOB, id, b"who is back?").unwrap();
    let heard = world.rest();
    let results = heard.iter().filter(|(name, _)| *name == back).flat_map(|(_, results)| messages(results));
    assert_eq!(results.filter(|message| message.payload == b"who is back?").count(), 1);
    all_talk(&mut world, back, id);
}

#[test]
fn a_server_that_was_put_back_takes_what_follows_a_newer_backup() {
    let mut world = World::pair(703);
    let old = world.relay.clone();
    world.link("alice");
    world.remove(TABLET);
    let backup = world.backup(ALICE);
    world.lose(ALICE);
    world.relay = old;
    world.relay.restored();
    assert_eq!(world.restore("alice", &backup, Loss::Lost), Ok(BACK), "2 was given");
    world.send(BACK, &["bob"], b"back");
    world.publish(BOB);
    assert_eq!(world.read(BOB), [b"back"]);
    world.send(BOB, &["alice"], b"good");
    assert_eq!(world.read(BACK), [b"good"]);
}

#[test]
fn a_list_of_another_branch_or_of_another_account_key_ends_a_restore() {
    let mut world = World::pair(704);
    let first = world.list("alice");
    // A thief of the account key has another second list at the server than the backup.
    let mut devices = first.list.devices.clone();
    devices.push(world.ghost(2, 2));
    let thief = world.forge_list("alice", Some(&first.list), &devices).unwrap();
    let before = world.relay.clone();
    world.link("alice");
    let backup = world.backup(ALICE);
    let key = SigningKey::from_seed(world.own(ALICE).account.unwrap());
    world.relay = before;
    world.relay.publish((&user("alice"), DeviceId(1)), &published(&thief)).unwrap();
    world.lose(ALICE);
    let mut back = world.begin_restore(&backup, Loss::Lost).unwrap();
    let rows = back.store.inner.dump();
    let (is_there, answered) = world.run_restore(&mut back).unwrap();
    assert_eq!((is_there, answered.problem), (false, Code::BrokenChain.number()));
    assert_eq!(back.requests.over(), Some(Code::BrokenChain));
    assert_eq!(back.store.inner.dump(), rows, "nothing has changed");
    assert_eq!(back.restoring.device().unwrap_err().code, Code::ForeignStore);

    // A made-up server shows a list of another account key, whatever it says of the branch.
    let mut back = world.begin_restore(&backup, Loss::Lost).unwrap();
    let other = SigningKey::generate(&mut world.outside());
    assert_ne!(other.verifying_key(), key.verifying_key());
    let claimed =
        sign(&other, &user("alice"), Some(&world.list("alice").list), &devices, Timestamp(world.now)).unwrap();
    let request = back.restoring.next_request(&mut world.outside(), &mut back.requests).unwrap().unwrap();
    let body = problem(0, 0, claimed.shown(16).unwrap());
    let answer = (409, body.as_slice());
    let heard = back.restoring.respond(&mut world.outside(), &mut back.requests, &request.id, answer).unwrap();
    assert_eq!((heard.1, heard.0.problem), (false, Code::IdentityChanged.number()));
    // And so does the server once the account was reset and the name registered anew.
    world.relay.reset(Timestamp(world.now), &user("alice"));
    assert_eq!(world.restore("alice", &backup, Loss::Lost), Err(Code::RegistrationRefused));
    world.pass(90 * DAY);
    world.create("alice");
    assert_eq!(world.restore("alice", &backup, Loss::Lost), Err(Code::IdentityChanged));
}

#[test]
fn a_lost_primarys_words_stand_and_a_stolen_ones_are_void() {
    for (loss, name) in [(Loss::Lost, "said after the backup"), (Loss::Stolen, "Trip")] {
        let (mut world, id) = family(705);
        let backup = world.backup(ALICE);
        let named = |text: &str| GroupChange { name: Some(text.to_owned()), ..GroupChange::default() };
        world.act(ALICE, id, |group, context| group.update_info(context, &named("said after the backup"))).unwrap();
        world.rest();
        world.lose(ALICE);
        let back = world.restore("alice", &backup, loss).unwrap();
        world.flush(back);
        world.rest();
        all_talk(&mut world, back, id);
        for of in [back, BOB, TABLET, JEN] {
            assert_eq!(world.group(of, id).unwrap().info.name, name, "{loss:?}: {of:?}");
        }
    }
}

#[test]
fn what_the_former_device_says_after_the_restore_is_refused_in_the_end() {
    let (mut world, _) = family(706);
    let backup = world.backup(ALICE);
    let stolen = world.lose(ALICE);
    world.restore("alice", &backup, Loss::Stolen).unwrap();
    world.send(BOB, &["alice"], b"hello");
    world.hosts.insert(ALICE, stolen);
    // It has the account key, and its app is asked. It cannot adopt a list that does not name it.
    world.fetch(ALICE);
    let ahead = world.inbox_events(ALICE).into_iter().find_map(|event| match event {
        Event::OwnListAhead { other_hash, .. } => Some(other_hash),
        _ => None,
    });
    let adopted = world.with(ALICE, |device, context| device.adopt_own_list(context, &ahead.unwrap()));
    assert_eq!(adopted.unwrap_err().code, Code::DeviceRemoved);
    let before = world.list("alice");
    for _ in 0..8 {
        world.pass(DAY);
        world.fetch(ALICE);
    }
    assert_eq!(world.list("alice").list.hash, before.list.hash);
    assert!(!world.recipients(BOB, "alice").contains(&1));
}

#[test]
fn a_crash_at_any_operation_of_a_restore_gives_one_device_and_one_id() {
    for fault in [Fault::Fails, Fault::LandsUnknown, Fault::LostUnknown] {
        for n in 0.. {
            let (mut world, _) = family(707);
            let backup = world.backup(ALICE);
            // The server has a newer list, so that the restore signs twice.
            world.remove(TABLET);
            world.lose(ALICE);
            let mut back = world.begin_restore(&backup, Loss::Lost).unwrap();
            back.store.fail_at(n, fault);
            let done = world.run_restore(&mut back);
            let struck = back.store.struck();
            if done.is_err() {
                assert!(struck.is_some());
                // The app is opened again.
                let store = back.store.clone();
                match Restoring::resume(store.clone(), &store_key()) {
                    Ok(restoring) => {
                        back = Back { store, restoring, requests: RestoreRequests::new() };
                        assert!(world.run_restore(&mut back).unwrap().0);
                    }
                    Err(error) => assert_eq!((error.code, fault), (Code::ForeignStore, Fault::LandsUnknown)),
                }
            }
            let device = Device::open(back.store.clone(), &store_key()).unwrap();
            assert_eq!(device.id(), DeviceId(3));
            let list = world.list("alice").list;
            assert_eq!((list.last_id, list.devices.len()), (3, 1), "{fault:?} at {n}");
            if struck.is_none() {
                assert!(n > 2, "{fault:?}: only {n} operations");
                break;
            }
        }
    }
}

#[test]
fn an_answer_that_is_lost_costs_nothing() {
    let (mut world, _) = family(708);
    let backup = world.backup(ALICE);
    world.lose(ALICE);
    let mut back = world.begin_restore(&backup, Loss::Lost).unwrap();
    let request = back.restoring.next_request(&mut world.outside(), &mut back.requests).unwrap().unwrap();
    assert_eq!(world.perform(&request).0, 200);
    assert!(back.restoring.next_request(&mut world.outside(), &mut back.requests).unwrap().is_none(), "it is lent");
    let (answered, is_there) =
        back.restoring.respond(&mut world.outside(), &mut back.requests, &request.id, (0, &[])).unwrap();
    assert_eq!((is_there, answered.problem), (false, Code::ServerUnreachable.number()));
    back.requests.retry_now();
    assert!(world.run_restore(&mut back).unwrap().0);
    assert_eq!(world.join("alice", back), BACK);
    // A second restore from the same backup is the next device, and the first of the two stays until it is removed.
    assert_eq!(world.restore("alice", &backup, Loss::Lost), Ok(("alice", 4)));
    let list = world.list("alice").list;
    assert_eq!((list.primary.0, list.devices.iter().map(|device| device.id.0).collect()), (4, vec![2, 3, 4]));
}

#[test]
fn a_store_that_holds_something_is_no_place_for_a_restore() {
    let mut world = World::pair(709);
    let backup = world.backup(ALICE);
    let back = world.begin_restore(&backup, Loss::Lost).unwrap();
    let (key, mut context) = (store_key(), world.outside());
    let again = Device::restore(back.store.clone(), &key, &mut context, &server(), (&backup, Loss::Lost));
    assert_eq!(again.unwrap_err().code, Code::ForeignStore);
    assert_eq!(
        Device::begin_link(back.store.clone(), &key, &mut context, &server()).unwrap_err().code,
        Code::ForeignStore
    );
    let created = Device::create(back.store.clone(), &key, &mut context, &user("alice"), &server());
    assert_eq!(created.unwrap_err().code, Code::ForeignStore);
    assert_eq!(Device::open(back.store.clone(), &key).unwrap_err().code, Code::ForeignStore);
    let refused = world.with(BOB, |device, context| device.backup(context)).is_ok();
    assert!(refused, "every primary has one");
    let tablet = world.link("alice");
    assert_eq!(world.with(tablet, |device, context| device.backup(context)).unwrap_err().code, Code::NotPrimary);
}
