//! The Sesame specification, rule by rule (T3 to T26), in the direct scope. `core/src/model/order.rs` tests T1, T2 and T21.

use sesame_core::error::Code;
use sesame_core::event::{DeviceState, Event, MessageKind, Received, Sender};
use sesame_core::ids::{AccountKey, DeviceId};
use sesame_core::internal::steps::{Answers, Need, Rejection, Steps};
use sesame_core::internal::store::Kind;
use sesame_core::internal::wire::envelope::Envelope;
use sesame_relay::Refusal;
use sesame_tests::store::Fault;
use sesame_tests::{ALICE, BOB, DAY, World, events, failures, is_of, messages, server, spoilt, user};

fn state(world: &mut World, of: (&'static str, u32), peer: &str, device: u32) -> Option<DeviceState> {
    let devices = world.with(of, |d, c| d.devices(c, &user(peer))).unwrap();
    devices.iter().find(|view| view.device == DeviceId(device)).map(|view| view.state)
}

fn texts(results: &[Received]) -> Vec<&[u8]> {
    messages(results).iter().map(|message| message.payload.as_slice()).collect()
}

#[test]
fn t03_sessions_of_a_removed_device_go_after_maxlatency_and_a_full_fetch_and_our_own_record_stays() {
    let mut world = World::pair(3);
    world.link("alice");
    world.send(BOB, &["alice"], b"x");
    world.remove(("alice", 2));
    world.send(BOB, &["alice"], b"y");
    assert_eq!(state(&mut world, BOB, "alice", 2), Some(DeviceState::Stale));
    world.pass(31 * DAY);
    world.with(BOB, |d, c| d.tick(c, false)).unwrap();
    assert_eq!(state(&mut world, BOB, "alice", 2), Some(DeviceState::Stale), "not by the clock alone");
    world.with(BOB, |d, c| d.tick(c, true)).unwrap();
    assert_eq!(state(&mut world, BOB, "alice", 2), None);
    let users = world.with(BOB, |d, c| d.users(c)).unwrap();
    assert!(users.iter().any(|view| view.user == user("bob")));
    world.publish(ALICE);
    world.publish(BOB);
    world.send(BOB, &["alice"], b"z");
}

#[test]
fn t04_the_same_keys_change_nothing_a_new_device_is_added_and_we_never_add_ourselves() {
    let mut world = World::pair(4);
    let list = world.relay.device_list(&user("alice")).unwrap();
    let before = world.dump(BOB);
    let answers = Answers { device_lists: vec![list], ..Answers::default() };
    let applied = world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
    assert_eq!((applied.events, applied.refusals), (vec![], vec![]));
    assert_eq!(world.dump(BOB), before, "the same list again writes nothing");
    world.link("alice");
    let session = world.session(BOB, ALICE).unwrap().id;
    world.send(BOB, &["alice"], b"x");
    assert_eq!(world.session(BOB, ALICE).unwrap().id, session, "the known device keeps its session");
    assert_eq!(state(&mut world, BOB, "alice", 2), Some(DeviceState::Active));
    assert_eq!(state(&mut world, BOB, "bob", 1), Some(DeviceState::Own));
}

#[test]
fn t05_prep_begins_a_session_only_where_none_is_usable() {
    let mut world = World::strangers(5);
    let send = world.encrypt(BOB, &["alice"], b"x");
    let list = world.relay.answer(&send.needs);
    world.with(BOB, |d, c| d.apply(c, &list)).unwrap();
    let bundle = world.relay.bundle(&user("alice"), DeviceId(1)).unwrap();
    let answers = Answers { bundles: vec![bundle], ..Answers::default() };
    world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
    let session = world.session(BOB, ALICE).unwrap();
    assert!(session.initiating);
    let again = world.relay.bundle(&user("alice"), DeviceId(1)).unwrap();
    let answers = Answers { bundles: vec![again], ..Answers::default() };
    let before = world.dump(BOB);
    world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
    assert_eq!(world.dump(BOB), before, "an active session is there");
}

#[test]
fn t06_first_contact_is_list_then_bundle_then_accepted() {
    let mut world = World::strangers(6);
    let send = world.encrypt(BOB, &["alice"], b"x");
    assert_eq!(send.needs, [Need::DeviceList(user("alice"))]);
    let answers = world.relay.answer(&send.needs);
    world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
    let send = world.with(BOB, |d, c| d.pending(c, &send.id)).unwrap().unwrap();
    assert_eq!(send.needs, [Need::Bundle(user("alice"), DeviceId(1))]);
    assert_eq!(world.drive(BOB, send).unwrap(), None);
    assert_eq!(world.read(ALICE), [b"x"]);
}

#[test]
fn t07_a_device_added_mid_conversation_gets_what_is_sent_from_then_on() {
    let mut world = World::pair(7);
    world.send(BOB, &["alice"], b"before");
    world.link("alice");
    world.send(BOB, &["alice"], b"after");
    assert_eq!(world.read(("alice", 2)), [b"after"]);
    assert_eq!(world.read(ALICE), [b"before".to_vec(), b"after".to_vec()]);
}

#[test]
fn t08_a_removed_device_is_stale_and_gets_nothing() {
    let mut world = World::pair(8);
    world.link("alice");
    world.send(BOB, &["alice"], b"both");
    world.steal(("alice", 2));
    world.remove(("alice", 2));
    world.send(BOB, &["alice"], b"one");
    assert_eq!(state(&mut world, BOB, "alice", 2), Some(DeviceState::Stale));
    assert_eq!(world.mails(("alice", 2)), Vec::<Vec<u8>>::new());
}

#[test]
fn t09_removed_and_added_in_one_answer() {
    let mut world = World::pair(9);
    world.link("alice");
    world.send(BOB, &["alice"], b"x");
    world.with(ALICE, |d, c| d.remove_device(c, DeviceId(2))).unwrap();
    let new = world.link_quietly("alice");
    world.publish(ALICE);
    world.publish(new);
    let send = world.encrypt(BOB, &["alice"], b"y");
    let rejection = Rejection::Mismatch { device_list: world.relay.device_list(&user("alice")).unwrap() };
    let send = world.with(BOB, |d, c| d.rejected(c, &send.id, &user("alice"), &rejection)).unwrap();
    let changed = |event: &Event| {
        matches!(event, Event::DeviceListChanged { added, removed, .. }
        if *added == [DeviceId(3)] && *removed == [DeviceId(2)])
    };
    assert!(send.events.iter().any(changed));
    assert_eq!(world.drive(BOB, send).unwrap(), None);
    assert_eq!(world.read(("alice", 3)), [b"y"]);
    assert_eq!(state(&mut world, BOB, "alice", 2), Some(DeviceState::Stale));
}

#[test]
fn t10_a_deleted_user_is_paused_and_the_others_are_still_sent_to() {
    let mut world = World::pair(10);
    world.create("carol");
    let send = world.encrypt(BOB, &["alice", "carol"], b"x");
    let id = send.id;
    let send = world.with(BOB, |d, c| d.rejected(c, &id, &user("alice"), &Rejection::NoSuchUser)).unwrap();
    assert_eq!(send.failed, [(user("alice"), Code::UnknownUser.number())]);
    let left = world.drive(BOB, send).unwrap().unwrap();
    assert_eq!((left.batches, left.needs), (vec![], vec![]));
    assert_eq!(world.read(("carol", 1)), [b"x"]);
    let users = world.with(BOB, |d, c| d.users(c)).unwrap();
    assert!(users.iter().any(|view| view.user == user("alice") && view.paused));
    world.ack_end(BOB, id);
    assert_eq!(world.with(BOB, |d, c| d.outbox(c)).unwrap(), []);
    // The server says otherwise later: the next send asks for the list, and goes on.
    world.send(BOB, &["alice"], b"back");
    assert_eq!(world.read(ALICE), [b"back"]);
}

#[test]
fn t11_a_server_that_always_refuses_is_given_up_after_five_rounds() {
    let mut world = World::pair(11);
    let send = world.encrypt(BOB, &["alice"], b"x");
    let before = send.batches[0].clone();
    let rejection = Rejection::Mismatch { device_list: world.relay.device_list(&user("alice")).unwrap() };
    for round in 1..=5 {
        let send = world.with(BOB, |d, c| d.rejected(c, &send.id, &user("alice"), &rejection)).unwrap();
        assert!(send.events.contains(&Event::ServerInconsistent { user: user("alice") }));
        assert_eq!(send.failed.len(), usize::from(round == 5), "{round}");
        if round < 5 {
            assert_eq!(send.batches[0], before, "no key is used twice for the same message");
        } else {
            assert_eq!(send.failed, [(user("alice"), Code::TooManyRounds.number())]);
        }
    }
    let again = world.with(BOB, |d, c| d.rejected(c, &send.id, &user("alice"), &rejection)).unwrap_err();
    assert_eq!(again.code, Code::UnknownSend);
}

#[test]
fn t12_a_garbage_answer_changes_nothing() {
    let mut world = World::pair(12);
    let send = world.encrypt(BOB, &["alice"], b"x");
    let before = world.dump(BOB);
    let of_bob = world.relay.device_list(&user("bob")).unwrap();
    for (device_list, code) in [(vec![], Code::Truncated), (vec![0xff; 40], Code::Truncated), (of_bob, Code::WrongUser)]
    {
        let rejection = Rejection::Mismatch { device_list };
        let error = world.with(BOB, |d, c| d.rejected(c, &send.id, &user("alice"), &rejection)).unwrap_err();
        assert_eq!((error.code, error.field), (code, Some("device_list")));
        assert_eq!(world.dump(BOB), before);
    }
}

#[test]
fn t13_a_bundle_that_does_not_verify_skips_its_device_and_no_ratchet_rewinds() {
    let mut world = World::pair(13);
    world.link("alice");
    let send = world.encrypt(BOB, &["alice"], b"x");
    let before = send.batches[0].clone();
    let sent = world.session(BOB, ALICE).unwrap().sent;
    let rejection = Rejection::Mismatch { device_list: world.relay.device_list(&user("alice")).unwrap() };
    let send = world.with(BOB, |d, c| d.rejected(c, &send.id, &user("alice"), &rejection)).unwrap();
    let mut bundle = world.relay.bundle(&user("alice"), DeviceId(2)).unwrap();
    let last = bundle.len() - 1;
    bundle[last] ^= 1;
    let answers = Answers { bundles: vec![bundle], ..Answers::default() };
    let applied = world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
    assert_eq!(
        applied.refusals.iter().map(|r| (r.field, r.item, r.code)).collect::<Vec<_>>(),
        [("bundles", 0, Code::BadSignature)]
    );
    let send = world.with(BOB, |d, c| d.pending(c, &send.id)).unwrap().unwrap();
    let batch = send.batches.iter().find(|batch| batch.user == user("alice")).unwrap();
    assert_eq!(batch.envelopes, before.envelopes);
    assert_eq!(
        batch.skips.iter().map(|skip| (skip.device, skip.reason)).collect::<Vec<_>>(),
        [(DeviceId(2), Code::BadSignature.number())]
    );
    assert_eq!(world.session(BOB, ALICE).unwrap().sent, sent);
    assert_eq!(world.drive(BOB, send).unwrap(), None, "one broken tablet does not silence its owner");
    assert_eq!(world.read(ALICE), [b"x"]);
}

#[test]
fn t14_a_single_device_sends_itself_an_empty_batch_and_learns_of_a_linked_one() {
    let mut world = World::strangers(14);
    let send = world.encrypt(ALICE, &["alice"], b"note");
    assert_eq!((send.batches.len(), send.batches[0].envelopes.len(), send.needs.len()), (1, 0, 0));
    assert_eq!(world.drive(ALICE, send).unwrap(), None);
    world.link("alice");
    world.link("alice");
    // The second device has never heard of the third.
    world.send(("alice", 2), &["alice"], b"note");
    assert_eq!((world.read(ALICE), world.read(("alice", 3))), (vec![b"note".to_vec()], vec![b"note".to_vec()]));
}

#[test]
fn t16_of_three_users_each_is_settled_by_itself() {
    let mut world = World::pair(16);
    world.create("carol");
    world.create("dan");
    world.link("carol");
    world.send(BOB, &["carol", "dan"], b"meet");
    world.link("carol");
    let send = world.encrypt(BOB, &["alice", "carol", "dan"], b"x");
    let id = send.id;
    let mut outcomes = Vec::new();
    for batch in &send.batches {
        let missing = match world.relay.submit((&user("bob"), DeviceId(1)), batch) {
            Ok(()) => {
                world.with(BOB, |d, c| d.accepted(c, &id, &batch.user)).unwrap();
                vec![]
            }
            Err(Refusal::Stale { missing, gone, .. }) => {
                assert_eq!(gone, []);
                missing
            }
            Err(other) => panic!("{other:?}"),
        };
        outcomes.push((batch.user.clone(), missing));
    }
    let expected = [("alice", vec![]), ("carol", vec![DeviceId(3)]), ("dan", vec![]), ("bob", vec![])];
    assert_eq!(outcomes, expected.map(|(name, missing)| (user(name), missing)));
    let left = world.with(BOB, |d, c| d.pending(c, &id)).unwrap().unwrap();
    assert_eq!(left.batches.iter().map(|batch| batch.user.clone()).collect::<Vec<_>>(), [user("carol")]);
    assert_eq!(world.drive(BOB, left).unwrap(), None);
    for name in [ALICE, ("carol", 1), ("carol", 2), ("carol", 3), ("dan", 1)] {
        let read = world.read(name);
        assert_eq!(read.iter().filter(|text| *text == b"x").count(), 1, "{name:?}");
    }
}

#[test]
fn t17_out_of_order_duplicated_and_replayed_in_the_same_and_in_a_later_fetch() {
    let mut world = World::pair(17);
    for text in [b"1", b"2", b"3"] {
        world.send(BOB, &["alice"], text);
    }
    let mails = world.steal(ALICE);
    let order = [&mails[2], &mails[0], &mails[2], &mails[1], &mails[0]].map(Clone::clone);
    let results = world.decrypt(ALICE, &order);
    assert_eq!(texts(&results), [b"3", b"1", b"2"]);
    assert_eq!(failures(&results), [Code::Duplicate, Code::Duplicate]);
    world.reopen(ALICE);
    assert_eq!(failures(&world.decrypt(ALICE, &mails)), [Code::Duplicate; 3]);
}

#[test]
fn t18_copies_of_an_initiation_make_one_session_and_use_one_key_in_any_order_and_with_any_one_lost() {
    let orders: [&[usize]; 8] =
        [&[0, 1, 2], &[2, 1, 0], &[1, 2, 0], &[0, 2], &[2, 0], &[1, 2], &[2, 1], &[1, 0, 0, 1, 2]];
    for order in orders {
        let mut world = World::strangers(18);
        for text in [b"0", b"1", b"2"] {
            world.send(BOB, &["alice"], text);
        }
        let mails = world.steal(ALICE);
        let keys = |world: &World| world.rows(ALICE, &[Kind::PreKey]);
        let before = keys(&world);
        let chosen: Vec<Vec<u8>> = order.iter().map(|at| mails[*at].clone()).collect();
        let results = world.decrypt(ALICE, &chosen);
        let distinct = order.iter().collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!(messages(&results).len(), distinct, "{order:?}");
        let started = events(&results).iter().filter(|e| matches!(e, Event::SessionStarted { .. })).count();
        assert_eq!(started, 1);
        assert_eq!(before - keys(&world), 2, "one curve key and one KEM key");
        let (ours, theirs) = (world.session(ALICE, BOB).unwrap(), world.session(BOB, ALICE).unwrap());
        assert_eq!((ours.id, ours.inactive), (theirs.id, 0));
    }
}

#[test]
fn t19_a_tampered_byte_at_any_position_is_a_typed_error_and_changes_nothing() {
    let mut world = World::strangers(19);
    world.send(BOB, &["alice"], b"initiation");
    let initiation = world.steal(ALICE).remove(0);
    flip_every_byte(&mut world, &initiation);
    assert_eq!(world.refusal(ALICE, &initiation), None);
    world.send(ALICE, &["bob"], b"answer");
    world.receive(BOB).unwrap();
    world.send(BOB, &["alice"], b"ordinary");
    let ordinary = world.steal(ALICE).remove(0);
    flip_every_byte(&mut world, &ordinary);
    assert_eq!(world.refusal(ALICE, &ordinary), None);
}

fn flip_every_byte(world: &mut World, envelope: &[u8]) {
    // But that the sender is to be asked for what has a good gate, if it is known.
    let rows = |world: &World| {
        let mut rows = world.dump(ALICE);
        rows.retain(|key, _| !is_of(key, &[Kind::Clock, Kind::Counters, Kind::Healing]));
        rows
    };
    let before = rows(world);
    for at in 0..envelope.len() {
        let mut bad = envelope.to_vec();
        bad[at] ^= 1 << (at % 8);
        assert_eq!(world.refusal(ALICE, &bad), Some(spoilt::envelope(envelope, &bad)), "byte {at}");
        assert_eq!(rows(world), before, "byte {at}");
    }
}

/// Two sessions of one pair: both begin at once. Gives the envelopes of both initiations, undelivered.
fn crossed(seed: u64) -> (World, Vec<u8>, Vec<u8>) {
    let mut world = World::strangers(seed);
    let from_bob = world.encrypt(BOB, &["alice"], b"from bob");
    let from_alice = world.encrypt(ALICE, &["bob"], b"from alice");
    world.drive(BOB, from_bob).unwrap();
    world.drive(ALICE, from_alice).unwrap();
    let (to_alice, to_bob) = (world.steal(ALICE).remove(0), world.steal(BOB).remove(0));
    (world, to_alice, to_bob)
}

#[test]
fn t20_a_message_on_a_lower_session_decrypts_and_does_not_activate_it() {
    let (mut world, to_alice, to_bob) = crossed(20);
    world.decrypt(ALICE, &[to_alice]);
    world.decrypt(BOB, &[to_bob]);
    let active = world.session(ALICE, BOB).unwrap().id;
    assert_eq!(world.session(BOB, ALICE).unwrap().id, active, "the order decides alike on both sides");
    for _ in 0..3 {
        world.send(ALICE, &["bob"], b"a");
        world.send(BOB, &["alice"], b"b");
        world.receive(ALICE).unwrap();
        world.receive(BOB).unwrap();
        assert_eq!(world.session(ALICE, BOB).unwrap().id, active);
        assert_eq!(world.session(BOB, ALICE).unwrap().id, active);
    }
}

#[test]
fn t20_an_older_session_raises_a_flag_once_its_successor_was_used() {
    // Which of the two is higher is chance, so it is looked up in a world of the same seed.
    let (mut world, to_alice, to_bob) = crossed(2_020);
    world.decrypt(ALICE, &[to_alice]);
    world.decrypt(BOB, &[to_bob]);
    let higher = world.session(ALICE, BOB).unwrap().id;

    let (mut world, to_alice, to_bob) = crossed(2_020);
    let bob_wins = world.session(BOB, ALICE).unwrap().id == higher;
    let (winner, loser, first, late) =
        if bob_wins { (BOB, ALICE, to_alice, to_bob) } else { (ALICE, BOB, to_bob, to_alice) };
    world.decrypt(loser, &[first]);
    world.send(loser, &[winner.0], b"on the higher one");
    let results = world.receive(winner).unwrap();
    assert_eq!((messages(&results)[0].session_id, messages(&results)[0].flags.older_session), (higher, false));
    let results = world.decrypt(winner, &[late]);
    assert_ne!(messages(&results)[0].session_id, higher);
    assert!(messages(&results)[0].flags.older_session);
    assert_eq!(world.session(winner, loser).unwrap().id, higher);
}

#[test]
fn t22_a_late_message_of_a_removed_device_decrypts_flagged_and_the_device_stays_stale() {
    let mut world = World::pair(22);
    world.link("alice");
    world.send(("alice", 2), &["bob"], b"hello");
    world.receive(BOB).unwrap();
    world.send(("alice", 2), &["bob"], b"late");
    let late = world.steal(BOB);
    world.remove(("alice", 2));
    world.send(BOB, &["alice"], b"x");
    let results = world.decrypt(BOB, &late);
    assert_eq!(texts(&results), [b"late"]);
    assert!(messages(&results)[0].flags.from_removed_device);
    assert_eq!(state(&mut world, BOB, "alice", 2), Some(DeviceState::Stale));
}

#[test]
fn t23_an_ordinary_message_of_a_stranger_gives_its_typed_cause() {
    let mut world = World::pair(23);
    world.send(BOB, &["alice"], b"x");
    let mail = world.steal(ALICE).remove(0);
    // A new Alice in an empty store knows nobody.
    let mut other = World::new(23);
    other.create("alice");
    assert_eq!(other.refusal(ALICE, &mail), Some(Code::NoSession));
}

/// Bob's account is made anew: another account key, the same user id, on a server that has forgotten the old one.
fn reborn_bob(world: &mut World) {
    let mut fresh = World::new(999);
    fresh.now = world.now;
    fresh.create("bob");
    let bob = fresh.hosts.remove(&BOB).unwrap();
    world.hosts.insert(BOB, bob);
    let mut relay = sesame_relay::Relay::new(server().name());
    std::mem::swap(&mut relay, &mut fresh.relay);
    world.relay = relay;
    // Alice's list and keys go to the new server as well.
    let upload = world.with(ALICE, |d, c| d.publication(c, Some(0))).unwrap().unwrap();
    world.relay.publish((&user("alice"), DeviceId(1)), &upload.bytes).unwrap();
    world.with(ALICE, |d, c| d.published(c, &upload.id)).unwrap();
}

#[test]
fn t24_a_changed_account_key_blocks_holds_and_goes_on_after_acceptance() {
    let mut world = World::pair(24);
    world.with(ALICE, |d, c| d.mark_verified(c, &user("bob"))).unwrap();
    world.pass(3 * DAY);
    reborn_bob(&mut world);
    world.publish(BOB);
    world.send(BOB, &["alice"], b"it is me");
    let results = world.receive(ALICE).unwrap();
    assert_eq!(texts(&results), Vec::<&[u8]>::new());
    assert!(results.iter().any(|r| matches!(r, Received::Held { .. })));
    assert!(events(&results).iter().any(|e| matches!(e, Event::IdentityChanged { was_verified: true, .. })));
    let send = world.encrypt(ALICE, &["bob"], b"blocked");
    assert_eq!(send.needs, [Need::IdentityAcceptance(user("bob"))]);
    assert!(send.batches.iter().all(|batch| batch.user != user("bob")));
    let waiting = world.with(ALICE, |d, c| d.users(c)).unwrap();
    let claimed = waiting.iter().find_map(|view| view.claimed_key).unwrap();
    let wrong = world.with(ALICE, |d, c| d.accept(c, &user("bob"), &AccountKey([7; 32]))).unwrap_err();
    assert_eq!((wrong.code, wrong.field), (Code::InvalidArgument, Some("account_key")));
    let results = world.with(ALICE, |d, c| d.accept(c, &user("bob"), &claimed)).unwrap();
    assert_eq!(texts(&results), [b"it is me"]);
    let send = world.with(ALICE, |d, c| d.pending(c, &send.id)).unwrap().unwrap();
    assert_eq!(world.drive(ALICE, send).unwrap(), None);
    assert_eq!(world.read(BOB), [b"blocked"]);
    let users = world.with(ALICE, |d, c| d.users(c)).unwrap();
    assert!(users.iter().any(|view| view.user == user("bob") && !view.verified && view.claimed_key.is_none()));
}

#[test]
fn t25_an_envelope_that_claims_to_be_from_this_device_is_refused() {
    let mut world = World::strangers(25);
    world.send(BOB, &["alice"], b"x");
    let mail = world.steal(ALICE).remove(0);
    // "bob", 1 in the sender's place becomes "alice", 1.
    let mut forged = mail[..2].to_vec();
    forged.extend_from_slice(b"\x05alice\0\0\0\x01");
    forged.extend_from_slice(&mail[2 + 1 + 3 + 4..]);
    assert_eq!(world.refusal(ALICE, &forged), Some(Code::Forged));
}

#[test]
fn t26_a_crash_before_the_commit_leaves_the_message_to_be_read_once_later() {
    let mut world = World::pair(26);
    world.send(BOB, &["alice"], b"x");
    let mails = world.mails(ALICE);
    let before = world.dump(ALICE);
    for operation in 0.. {
        assert!(operation < 1_000, "a call that does not come to its end");
        let store = world.hosts[&ALICE].store.clone();
        store.fail_at(operation, Fault::Fails);
        let result = world.with(ALICE, |d, c| d.decrypt(c, &mails));
        if store.struck().is_none() {
            assert_eq!(texts(&result.unwrap()), [b"x"]);
            break;
        }
        assert_eq!(result.unwrap_err().code, Code::StoreIo);
        assert_eq!(world.dump(ALICE), before);
        world.reopen(ALICE);
    }
    assert_eq!(failures(&world.decrypt(ALICE, &mails)), [Code::Duplicate]);
}

#[test]
fn a_transcript_says_to_whom_it_went() {
    let mut world = World::pair(27);
    world.link("bob");
    world.create("carol");
    world.send(BOB, &["alice", "carol"], b"x");
    let results = world.receive(("bob", 2)).unwrap();
    let recipients = vec![user("alice"), user("carol")];
    assert_eq!(messages(&results)[0].kind, MessageKind::Transcript { recipients });
}

#[test]
fn pins_and_verified_flags_travel_with_transcripts_and_a_differing_pin_blocks() {
    let mut world = World::pair(28);
    world.link("bob");
    world.create("carol");
    world.with(BOB, |d, c| d.mark_verified(c, &user("alice"))).unwrap();
    // The tablet was linked before Carol was known; it hears of her with the second message to her.
    world.send(BOB, &["carol"], b"first contact");
    world.send(BOB, &["carol", "alice"], b"again");
    world.receive(("bob", 2)).unwrap();
    let known = world.with(("bob", 2), |d, c| d.users(c)).unwrap();
    let pinned = |name: &str| known.iter().find(|view| view.user == user(name)).unwrap();
    assert_eq!(pinned("carol").account_key, world.list("carol").account());
    assert!(pinned("alice").verified && !pinned("carol").verified);
    // The server shows the tablet another Dan than the phone.
    world.create("dan");
    let mut other = World::new(280);
    other.create("dan");
    let answers = Answers { device_lists: vec![other.list("dan").shown(16).unwrap()], ..Answers::default() };
    world.with(("bob", 2), |d, c| d.apply(c, &answers)).unwrap();
    world.send(BOB, &["dan"], b"x");
    world.send(BOB, &["dan"], b"y");
    let results = world.receive(("bob", 2)).unwrap();
    assert!(events(&results).iter().any(|event| matches!(event, Event::IdentityChanged { .. })));
    let send = world.encrypt(("bob", 2), &["dan"], b"blocked");
    assert_eq!(send.needs, [Need::IdentityAcceptance(user("dan"))]);
}

#[test]
fn a_removed_device_is_cut_off_by_the_server_and_knows_it_when_its_list_comes() {
    let mut world = World::pair(29);
    world.link("bob");
    world.send(("bob", 2), &["alice"], b"x");
    world.remove(("bob", 2));
    let send = world.encrypt(("bob", 2), &["alice"], b"y");
    assert_eq!(world.drive(("bob", 2), send).unwrap_err().code, Code::NotListed);
    let answers = Answers { device_lists: vec![world.list("bob").shown(16).unwrap()], ..Answers::default() };
    world.with(("bob", 2), |d, c| d.apply(c, &answers)).unwrap();
    let error = world.with(("bob", 2), |d, c| d.encrypt(c, &[user("alice")], b"z", None)).unwrap_err();
    assert_eq!(error.code, Code::DeviceRemoved);
}

#[test]
fn a_failure_names_its_sender_and_whether_the_gate_fits_and_a_duplicate_is_no_failure() {
    let mut world = World::pair(58);
    world.send(BOB, &["alice"], b"once");
    let [envelope] = &world.steal(ALICE)[..] else { panic!("one envelope") };
    let mut changed = envelope.clone();
    *changed.last_mut().unwrap() ^= 1;
    let mut forged = Envelope::decode(envelope).unwrap();
    forged.gate[0] ^= 1;
    let forged =
        Envelope::assemble(&forged.head.encode().unwrap(), &forged.gate, &forged.commitment, forged.body.as_slice());
    let results = world.decrypt(ALICE, &[changed, forged, envelope[..9].to_vec(), envelope.clone(), envelope.clone()]);
    let senders: Vec<_> = results
        .iter()
        .filter_map(|result| match result {
            Received::Failure { sender, code, .. } => Some((*code, sender.clone())),
            _ => None,
        })
        .collect();
    let bob = |authenticated| Some(Sender { user: user("bob"), device: DeviceId(1), authenticated });
    let expected = [(Code::AuthenticationFailed, bob(true)), (Code::Forged, bob(false)), (Code::Truncated, None)];
    assert_eq!(senders, expected);
    assert_eq!(results.last(), Some(&Received::Duplicate { envelope: 4 }));
}

#[test]
fn a57_a_hole_in_a_senders_sequence_shows_once_and_a_late_message_fills_it_silently() {
    let mut world = World::pair(57);
    for n in 0..8_u8 {
        world.send(BOB, &["alice"], &[n]);
    }
    let mails = world.steal(ALICE);
    let gaps = |results: &[Received]| -> Vec<(u64, u64)> {
        let of = |event: &&Event| match event {
            Event::Gap { user: of, device, first, last, .. } if *of == user("bob") && device.0 == 1 => {
                Some((*first, *last))
            }
            _ => None,
        };
        events(results).iter().filter_map(of).collect()
    };
    // Bob's first message was "hello": these have the numbers 2 to 9. In any order within one batch nothing is missing.
    assert_eq!(gaps(&world.decrypt(ALICE, &[mails[1].clone(), mails[0].clone()])), []);
    assert_eq!(gaps(&world.decrypt(ALICE, &[mails[7].clone(), mails[4].clone()])), [(4, 5), (7, 8)]);
    assert_eq!(gaps(&world.decrypt(ALICE, &[mails[2].clone()])), []);
    let late = world.decrypt(ALICE, &mails);
    assert_eq!((gaps(&late), messages(&late).len()), (vec![], 3));
}
