//! The attack catalogue, A01 to A29. `tests/README.md` says where each number is tested.

use sesame_core::error::{Code, Error};
use sesame_core::ids::DeviceId;
use sesame_core::internal::crypto::ed25519::SigningKey;
use sesame_core::internal::registry::admission::{self, Speaker};
use sesame_core::internal::steps::{Answers, Need, Rejection, Steps};
use sesame_core::internal::wire::bundle::Bundle;
use sesame_core::internal::wire::content::{Body, Prelude, SentTo, Stamp};
use sesame_core::internal::wire::{device_list::SignedDeviceList, padding};
use sesame_core::limits::ONE_TIME_PRE_KEYS;
use sesame_core::{
    context::{Context, Timestamp},
    internal::{
        keys::device_list::{self, List, Listing, VerifiedDeviceList},
        model::{Peer, User},
        session,
    },
};
use sesame_core::{
    device::Device,
    event::{Event, RequestKind},
};
use sesame_core::{ids::Scope, internal::record::Record};
use sesame_core::{
    internal::store::{Kind, Places, Sealer},
    store::MemoryStore,
};
use sesame_tests::store::{Fault, FaultyStore};
use sesame_tests::{ALICE, BOB, Stuck, World, events, failures, messages, server, store_key, user};
use std::collections::BTreeSet;
use std::sync::Arc;

#[test]
fn a01_a_ghost_device_that_the_server_adds_gets_nothing() {
    let mut world = World::pair(1);
    let honest = world.list("alice");
    for extra in [1, 5, 31] {
        let mut devices = honest.list.devices.clone();
        devices.extend((2..2 + extra).map(|id| world.ghost(id, 2)));
        // The server has no account key: it signs with another, or leaves the old signature on the longer list.
        let before = world.dump(BOB);
        let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
        let servers = SigningKey::generate(&mut context);
        let forged = world.forge_list("alice", Some(&honest.list), &devices).unwrap();
        let mut signed = SignedDeviceList::decode(&forged.signed).unwrap();
        signed.signature = servers.sign(b"sesame/1 sign device list", signed.list.as_slice());
        let shown = |signed: &SignedDeviceList| device_list::show(&signed.encode().unwrap(), Vec::new()).unwrap();
        assert_eq!(world.show(BOB, shown(&signed)), (vec![], vec![Code::BadSignature]));
        signed.signature = SignedDeviceList::decode(&honest.signed).unwrap().signature;
        assert_eq!(world.show(BOB, shown(&signed)), (vec![], vec![Code::BadSignature]));
        assert_eq!(world.dump(BOB), before);
        let send = world.encrypt(BOB, &["alice"], b"x");
        let rejection = Rejection::Mismatch { device_list: shown(&signed) };
        let error = world.with(BOB, |d, c| d.rejected(c, &send.id, &user("alice"), &rejection)).unwrap_err();
        assert_eq!((error.code, error.field), (Code::BadSignature, Some("device_list")));
        assert_eq!(world.recipients(BOB, "alice"), BTreeSet::from([1]));
    }
}

#[test]
fn a02_a_rollback_and_a_fork_are_typed_events_and_the_evidence_is_kept() {
    let mut world = World::pair(2);
    let old = world.list("alice");
    world.link("alice");
    world.send(BOB, &["alice"], b"x");
    world.remove(("alice", 2));
    world.send(BOB, &["alice"], b"y");
    let known = world.list("alice");
    let rollback = Event::DeviceListRollback { user: user("alice"), epoch: 1 };
    assert_eq!(world.show(BOB, old.shown(16).unwrap()), (vec![rollback], vec![]));
    assert_eq!(world.recipients(BOB, "alice"), BTreeSet::from([1]), "a revocation cannot be hidden");
    // The same epoch with another device, signed by the stolen account key.
    let mut devices = known.list.devices.clone();
    devices.push(world.ghost(9, known.list.epoch));
    let forked = world.forge_list("alice", Some(&world.list("alice").list), &devices).unwrap();
    let previous = List { epoch: known.list.epoch - 1, hash: [7; 32], ..known.list.clone() };
    let same_epoch = world.forge_list("alice", Some(&previous), &devices).unwrap();
    assert_eq!(same_epoch.list.epoch, known.list.epoch);
    let (found, refused) = world.show(BOB, same_epoch.shown(16).unwrap());
    assert_eq!(refused, []);
    assert_eq!(
        found,
        [Event::DeviceListFork {
            user: user("alice"),
            known: known.signed.clone(),
            other: same_epoch.signed.clone(),
            known_hash: known.list.name(),
            other_hash: same_epoch.list.name(),
        }]
    );
    assert_eq!(world.recipients(BOB, "alice"), BTreeSet::from([1]), "only devices on both");
    world.resolve_fork(BOB, "alice", &known.list.name()).unwrap();
    let (found, _) = world.show(BOB, forked.shown(16).unwrap());
    assert!(found.iter().any(|event| matches!(event, Event::DeviceListChanged { .. })));
}

#[test]
fn a02_in_a_fork_the_contested_device_is_skipped_and_the_server_still_takes_the_batch() {
    let mut world = World::pair(202);
    let first = world.list("alice");
    world.link("alice");
    world.send(BOB, &["alice"], b"both");
    // A fork of epoch 2 that does not know the second device.
    let other = world.forge_list("alice", Some(&first.list), &first.list.devices).unwrap();
    let (found, _) = world.show(BOB, other.shown(16).unwrap());
    assert!(matches!(found[..], [Event::DeviceListFork { .. }]));
    // The server has shown the other list last, which does not name that device; then it turns out to have the first one.
    for (text, skips) in [(b"x", vec![]), (b"z", vec![(2, Code::DeviceListFork.number())])] {
        let send = world.encrypt(BOB, &["alice"], text);
        let batch = send.batches.iter().find(|batch| batch.user == user("alice")).unwrap();
        assert_eq!(batch.envelopes.iter().map(|out| out.device.0).collect::<Vec<_>>(), [1]);
        assert_eq!(batch.skips.iter().map(|skip| (skip.device.0, skip.reason)).collect::<Vec<_>>(), skips);
        assert_eq!(world.drive(BOB, send).unwrap(), None);
    }
    let known = world.list("alice").list.name();
    world.resolve_fork(BOB, "alice", &known).unwrap();
    world.send(BOB, &["alice"], b"y");
    assert_eq!(world.read(("alice", 2)), [b"both".to_vec(), b"y".to_vec()]);
    assert_eq!(world.read(ALICE), [b"both".to_vec(), b"x".to_vec(), b"z".to_vec(), b"y".to_vec()]);
}

#[test]
fn a03_a_forked_view_shows_with_the_next_message() {
    let mut world = World::pair(3);
    let before = world.list("alice");
    world.link("alice");
    // The server shows Bob another list of the same epoch, signed by the stolen key.
    let mut devices = before.list.devices.clone();
    devices.push(world.ghost(2, 2));
    let other = world.forge_list("alice", Some(&before.list), &devices).unwrap();
    let (taken, _) = world.show(BOB, other.shown(16).unwrap());
    assert!(matches!(taken[..], [Event::DeviceListChanged { .. }]));
    world.send(ALICE, &["bob"], b"hello");
    let results = world.receive(BOB).unwrap();
    assert_eq!(messages(&results).len(), 1);
    let fork = |event: &&&Event| matches!(event, Event::DeviceListFork { user: of, .. } if *of == user("alice"));
    assert_eq!(events(&results).iter().filter(fork).count(), 1, "{:?}", events(&results));
}

#[test]
fn a04_a_new_device_is_announced_to_peers_and_to_own_devices_before_it_is_sent_to() {
    let mut world = World::pair(4);
    world.link("alice");
    world.send(("alice", 2), &["alice"], b"sync");
    world.receive(ALICE).unwrap();
    world.link("alice");
    world.send(ALICE, &["bob"], b"x");
    let added = |event: &&&Event| matches!(event, Event::DeviceListChanged { user: of, added, .. } if *of == user("alice") && added.contains(&DeviceId(3)));
    for name in [BOB, ("alice", 2)] {
        let results = world.receive(name).unwrap();
        assert_eq!(events(&results).iter().filter(added).count(), 1, "{name:?} {:?}", events(&results));
        let at = |found: &dyn Fn(&sesame_core::event::Received) -> bool| results.iter().position(found).unwrap();
        use sesame_core::event::{Item, Received};
        let event = at(&|r| matches!(r, Received::Item { item: Item::Event(Event::DeviceListChanged { .. }), .. }));
        let message = at(&|r| matches!(r, Received::Item { item: Item::Message(_), .. }));
        assert!(event < message, "first the event, then what was said");
    }
}

#[test]
fn a05_a_device_id_that_comes_back_with_other_keys_is_a_fork_and_gets_nothing() {
    let mut world = World::pair(5);
    let honest = world.list("alice");
    let imposter = world.ghost(1, 1);
    let forged = world.forge_list("alice", Some(&honest.list), &[imposter]).unwrap();
    let (found, refused) = world.show(BOB, forged.shown(16).unwrap());
    assert!(matches!(found[..], [Event::DeviceListFork { .. }]), "{found:?}");
    assert_eq!(refused, []);
    assert_eq!(world.recipients(BOB, "alice"), BTreeSet::new());
}

#[test]
fn a06_a_list_with_a_device_twice_or_out_of_order_is_malformed() {
    let mut world = World::pair(6);
    let honest = world.list("alice");
    let (two, three) = (world.ghost(2, 2), world.ghost(3, 2));
    let first = honest.list.devices[0];
    for (devices, code) in [
        (vec![first, two, two], Code::DuplicateDevice),
        (vec![first, three, two], Code::NonCanonical),
        (vec![first, Listing { identity_key: first.identity_key, ..two }], Code::KeyReuse),
        (vec![], Code::EmptyList),
    ] {
        assert_eq!(world.forge_list("alice", Some(&honest.list), &devices).map(drop), Err(code));
    }
}

#[test]
fn a07_more_than_32_devices_are_refused_before_anything_is_fetched() {
    let mut world = World::pair(7);
    let honest = world.list("alice");
    let mut devices = honest.list.devices.clone();
    devices.extend((2..=33).map(|id| world.ghost(id, 2)));
    assert_eq!(devices.len(), 33);
    assert_eq!(world.forge_list("alice", Some(&honest.list), &devices).map(drop), Err(Code::TooManyDevices));
    devices.pop();
    assert_eq!(world.forge_list("alice", Some(&honest.list), &devices).unwrap().list.devices.len(), 32);
}

#[test]
fn a08_contradictory_answers_end_after_five_rounds_and_burn_no_key_twice() {
    let mut world = World::pair(8);
    let send = world.encrypt(BOB, &["alice"], b"x");
    let used = world.session(BOB, ALICE).unwrap().sent;
    let (first, second) = (world.list("alice"), {
        world.link("alice");
        world.list("alice")
    });
    let mut rounds = 0;
    loop {
        let list = if rounds % 2 == 0 { &second } else { &first };
        let rejection = Rejection::Mismatch { device_list: list.shown(16).unwrap() };
        let answer = world.with(BOB, |d, c| d.rejected(c, &send.id, &user("alice"), &rejection)).unwrap();
        rounds += 1;
        if !answer.failed.is_empty() {
            break;
        }
        assert!(rounds < 10);
    }
    assert_eq!(rounds, 5);
    assert_eq!(world.session(BOB, ALICE).unwrap().sent, used);
}

#[test]
fn a09_a_transcript_from_anybody_but_an_own_listed_device_is_refused() {
    let mut world = World::pair(9);
    world.link("alice");
    let sealer = Sealer::new(&store_key());
    let mut read = |of: &str, id: u32| {
        world.send(("alice", 2), &["bob"], b"x");
        world.receive(ALICE).unwrap();
        let dump = world.dump(ALICE);
        let key = sealer.places.user(Kind::User, &user(of));
        let record = User::decode(&sealer.open(&key, &dump[&*key]).unwrap()).unwrap();
        let key = sealer.places.device(Kind::Peer, &user(of), DeviceId(id));
        (record, Peer::decode(&sealer.open(&key, &dump[&*key]).unwrap()).unwrap())
    };
    let (own, sibling) = read("alice", 2);
    let (theirs, stranger) = read("bob", 1);
    let recipient: Vec<u8> = b"bob".to_vec();
    let sent_to = SentTo { user: recipient.into(), account_key: None, verified: 0 };
    let stamp = Stamp { content_id: [7; 16], sent_at: 1 };
    let transcript = || Body::Transcript { stamp, recipients: vec![sent_to.clone()].into(), payload: vec![1].into() };
    let departure = || Body::Departure { stamp };
    let message = || Body::Message { stamp, payload: vec![1].into() };
    let admit = |body, user: &User, device: &Peer| {
        admission::admit(&body, Speaker { user, device, scope: Scope::Direct }, &own.user).map(drop)
    };
    assert_eq!(admit(transcript(), &own, &sibling), Ok(()));
    assert_eq!(admit(transcript(), &theirs, &stranger), Err(Code::NotListed));
    assert_eq!(admit(departure(), &own, &sibling), Ok(()));
    assert_eq!(admit(departure(), &theirs, &stranger), Err(Code::NotListed));
    let removed = Peer { stale_since: Some(1), ..sibling.clone() };
    assert_eq!(admit(transcript(), &own, &removed), Err(Code::NotListed));
    // A10: our user id alone, or our listed id with another key, does not make a device ours.
    let other_key = Peer { identity_key: [9; 32], ..sibling.clone() };
    assert_eq!(admit(transcript(), &own, &other_key), Err(Code::NotListed));
    for device in [&removed, &other_key] {
        assert_eq!(admit(departure(), &own, device), Err(Code::NotListed));
    }
    for (user, device) in [(&own, &sibling), (&theirs, &stranger), (&own, &removed)] {
        assert_eq!(admit(message(), user, device), Ok(()));
    }
}

#[test]
fn a10_a_contact_that_lists_a_key_of_ours_is_refused() {
    let mut world = World::pair(10);
    let bobs = world.list("bob").list.devices[0];
    let honest = world.list("alice");
    let thief = Listing { id: DeviceId(2), added_at_epoch: 2, ..bobs };
    let forged = world.forge_list("alice", Some(&honest.list), &[honest.list.devices[0], thief]).unwrap();
    assert_eq!(world.show(BOB, forged.shown(16).unwrap()), (vec![], vec![Code::KeyReuse]));
    let identity_only = Listing { signing_key: world.ghost(2, 2).signing_key, ..thief };
    let forged = world.forge_list("alice", Some(&honest.list), &[honest.list.devices[0], identity_only]).unwrap();
    assert_eq!(world.show(BOB, forged.shown(16).unwrap()), (vec![], vec![Code::KeyReuse]));
}

#[test]
fn a12_an_envelope_opens_at_its_own_recipient_only() {
    let mut world = World::pair(12);
    world.link("alice");
    world.link("bob");
    world.create("carol");
    let names = [ALICE, ("alice", 2), BOB, ("bob", 2), ("carol", 1)];
    for from in names {
        let others: Vec<&str> = ["alice", "bob", "carol"].into_iter().filter(|name| *name != from.0).collect();
        world.send(from, &others, b"x");
    }
    let mails: Vec<_> = names.iter().map(|name| (*name, world.steal(*name))).collect();
    for (to, mails) in &mails {
        for at in names.iter().filter(|at| *at != to) {
            let before = world.dump(*at);
            for mail in mails {
                assert_eq!(world.refusal(*at, mail), Some(Code::WrongRecipient));
            }
            assert_eq!(world.dump(*at), before);
        }
    }
    for (to, mails) in &mails {
        assert_eq!(failures(&world.decrypt(*to, mails)), []);
    }
}

/// An envelope with another sender or recipient in the clear.
fn rewritten(mail: &[u8], sender: Option<(&str, u32)>, recipient: Option<(&str, u32)>) -> Vec<u8> {
    use sesame_core::internal::wire::envelope::{Address, Envelope};
    let mut envelope = Envelope::decode(mail).unwrap();
    let address = |(name, device): (&str, u32)| Address { user: name.as_bytes().to_vec().into(), device };
    if let Some(sender) = sender {
        envelope.head.sender = address(sender);
    }
    if let Some(recipient) = recipient {
        envelope.head.recipient = address(recipient);
    }
    envelope.encode().unwrap()
}

#[test]
fn a11_our_own_envelopes_come_back_to_nobody() {
    let mut world = World::pair(11);
    world.link("alice");
    world.send(ALICE, &["bob"], b"x");
    world.receive(("alice", 2)).unwrap();
    world.send(ALICE, &["bob"], b"y");
    let mut mails = world.steal(BOB);
    mails.extend(world.steal(("alice", 2)));
    let mut reflected_ones = 0;
    for mail in &mails {
        for (at, sender) in [(ALICE, BOB), (ALICE, ("alice", 2)), (("alice", 2), ALICE), (("alice", 2), BOB)] {
            let before = world.dump(at);
            let reflected = rewritten(mail, Some(sender), Some(at));
            if reflected != *mail {
                let code = world.refusal(at, &reflected).unwrap();
                reflected_ones += 1;
                assert!([Code::Forged, Code::NoSession, Code::KeyReuse].contains(&code), "{code:?}");
                assert_eq!(world.dump(at), before);
            }
        }
    }
    assert_eq!(reflected_ones, 11, "one of twelve is what it was");
}

#[test]
fn a13_a_rewritten_sender_is_forged() {
    let mut world = World::pair(13);
    world.create("carol");
    world.send(("carol", 1), &["alice"], b"hello");
    world.receive(ALICE).unwrap();
    world.send(ALICE, &["carol"], b"hi");
    world.receive(("carol", 1)).unwrap();
    world.send(BOB, &["alice"], b"ordinary");
    let ordinary = world.steal(ALICE).remove(0);
    let mut other = World::strangers(13);
    other.send(BOB, &["alice"], b"initiation");
    let before = world.dump(ALICE);
    for sender in [("carol", 1), ("bob", 2), ("carol", 2), ("dan", 1)] {
        let code = world.refusal(ALICE, &rewritten(&ordinary, Some(sender), None)).unwrap();
        let known = sender == ("carol", 1);
        assert_eq!(code, if known { Code::Forged } else { Code::NoSession });
        assert_eq!(world.dump(ALICE), before);
    }
    let initiation = other.steal(ALICE).remove(0);
    let before = other.dump(ALICE);
    for sender in [("carol", 1), ("bob", 2)] {
        assert_eq!(other.refusal(ALICE, &rewritten(&initiation, Some(sender), None)), Some(Code::Forged));
        assert_eq!(other.dump(ALICE), before);
    }
}

#[test]
fn a15_an_empty_pool_still_serves_and_no_one_time_key_is_handed_out_twice() {
    let mut world = World::strangers(15);
    let mut ids = BTreeSet::new();
    for fetch in 0..1_000 {
        let bundle = Bundle::decode(&world.relay.bundle(&user("alice"), DeviceId(1)).unwrap()).unwrap();
        assert_eq!(bundle.one_time_pre_key.is_some(), fetch < ONE_TIME_PRE_KEYS);
        if let Some(key) = bundle.one_time_pre_key {
            assert!(ids.insert(key.id) && ids.insert(bundle.kem_pre_key.id + (1 << 24)));
        }
    }
    assert_eq!(world.relay.stock((&user("alice"), DeviceId(1))).one_time, 0);
    world.send(BOB, &["alice"], b"x");
    assert!(messages(&world.receive(ALICE).unwrap())[0].flags.no_one_time_key);
    // The server says that none is left: the next publication refills, with ids that were never used.
    let left = world.relay.stock((&user("alice"), DeviceId(1))).one_time;
    let upload = world.with(ALICE, |d, c| d.publication(c, Some(left))).unwrap().unwrap();
    let stock = world.relay.publish((&user("alice"), DeviceId(1)), &upload.bytes).unwrap();
    assert_eq!(stock.one_time, 20);
    let bundle = Bundle::decode(&world.relay.bundle(&user("alice"), DeviceId(1)).unwrap()).unwrap();
    assert!(ids.insert(bundle.one_time_pre_key.unwrap().id));
}

#[test]
fn a14_a_verified_contact_whose_account_key_changes_is_told_apart() {
    let mut world = World::pair(14);
    world.with(BOB, |d, c| d.mark_verified(c, &user("alice"))).unwrap();
    let mut other = World::new(140);
    other.create("alice");
    let (found, refused) = world.show(BOB, other.list("alice").shown(16).unwrap());
    assert_eq!(refused, []);
    assert!(matches!(found[..], [Event::IdentityChanged { was_verified: true, .. }]));
    let send = world.encrypt(BOB, &["alice"], b"x");
    assert_eq!(send.needs, [Need::IdentityAcceptance(user("alice"))]);
    assert!(send.batches.iter().all(|batch| batch.user != user("alice")));
}

#[test]
fn a21_a_signature_serves_one_purpose_and_one_device() {
    let mut world = World::strangers(21);
    world.link("alice");
    let send = world.encrypt(BOB, &["alice"], b"x");
    let answers = world.relay.answer(&send.needs);
    world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
    let mut first = Bundle::decode(&world.relay.bundle(&user("alice"), DeviceId(1)).unwrap()).unwrap();
    let second = Bundle::decode(&world.relay.bundle(&user("alice"), DeviceId(2)).unwrap()).unwrap();
    first.signed_pre_key = second.signed_pre_key;
    let answers = Answers { bundles: vec![first.encode().unwrap()], ..Answers::default() };
    let applied = world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
    assert_eq!(applied.refusals[0].code, Code::BadSignature);
}

#[test]
fn a22_an_initiation_is_accepted_once_before_and_after_everything() {
    let mut world = World::strangers(22);
    world.send(BOB, &["alice"], b"x");
    let mail = world.steal(ALICE);
    assert_eq!(messages(&world.decrypt(ALICE, &mail)).len(), 1);
    for round in 0..6 {
        for _ in 0..50 {
            // Its id is known for 30 days, and its session knows it for longer.
            let code = if round < 4 { Code::Duplicate } else { Code::ReusedIndex };
            assert_eq!(failures(&world.decrypt(ALICE, &mail)), [code], "{round}");
        }
        match round {
            0 => world.reopen(ALICE),
            1 => drop(world.send(ALICE, &["bob"], b"y")),
            2 => {
                world.pass(3 * sesame_tests::DAY);
                world.publish(ALICE);
            }
            3 => world.pass(40 * sesame_tests::DAY),
            _ => world.pass(100 * sesame_tests::DAY),
        }
        world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
    }
}

#[test]
fn a24_killed_anywhere_between_making_and_confirming_an_id_names_one_key() {
    let mut seen: std::collections::BTreeMap<u32, [u8; 32]> = std::collections::BTreeMap::new();
    let mut world = World::new(24);
    let store = Arc::new(FaultyStore::new(MemoryStore::new()));
    let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
    let device = Device::create(store.clone(), &store_key(), &mut context, &user("alice"), &server()).unwrap();
    let mut device = Some(device);
    for kill in 0..200_u64 {
        store.fail_at(kill * 5 % 31, if kill % 2 == 0 { Fault::Fails } else { Fault::LandsUnknown });
        let io = |error: Error| assert_eq!(error.code, Code::StoreIo, "{kill}");
        if let Some(upload) = device.as_ref().unwrap().publication(&mut context, Some(0)).unwrap_or_else(|error| {
            io(error);
            None
        }) {
            let form = sesame_core::internal::wire::bundle::Publication::decode(&upload.bytes).unwrap();
            for key in form.one_time.as_slice() {
                assert_eq!(*seen.entry(key.id).or_insert(key.key), key.key, "id {} names two keys", key.id);
            }
            device.as_ref().unwrap().published(&mut context, &upload.id).unwrap_or_else(io);
        }
        store.struck();
        device = Some(Device::open(store.clone(), &store_key()).unwrap());
    }
    assert!(seen.len() > 100, "{}", seen.len());
    // Every key that was ever offered is still there to decrypt with.
    let dump = store.inner.dump();
    for id in seen.keys() {
        let key = Places::pre_key(sesame_core::internal::store::PreKeyUse::OneTimeCurve, *id);
        assert!(dump.contains_key(&*key), "{id}");
    }
}

#[test]
fn a25_every_other_version_suite_and_kind_byte_is_refused() {
    let mut world = World::pair(25);
    world.send(BOB, &["alice"], b"x");
    let mail = world.steal(ALICE).remove(0);
    let kind_at = 2 + (1 + 3 + 4) + (1 + 5 + 4) + 16;
    assert_eq!(mail[kind_at], 1);
    let before = world.dump(ALICE);
    for at in [0, 1, kind_at] {
        for value in (0..=255).filter(|value| *value != mail[at]) {
            let mut bad = mail.clone();
            bad[at] = value;
            let expected = match at {
                0 | 1 => Code::UnsupportedVersion,
                // 2 is an initiation, as which the rest does not read.
                _ if value == 2 => Code::NonCanonical,
                _ => Code::UnknownType,
            };
            assert_eq!(world.refusal(ALICE, &bad), Some(expected), "{at} {value}");
        }
    }
    assert_eq!(world.dump(ALICE), before);
}

#[test]
fn a27_a_record_whose_public_half_is_anothers_does_not_open() {
    let world = World::pair(27);
    let (sealer, key) = (Sealer::new(&store_key()), Places::only(Kind::Own));
    let mut own = world.own(ALICE);
    own.account_key = world.list("bob").account();
    let mut rng = world.rng.clone();
    let mut context = Context { now: Timestamp(0), rng: &mut rng };
    let row = sealer.seal(&mut context, &key, &own.encode().unwrap()).unwrap();
    let store = Arc::new(MemoryStore::new());
    let mut dump = world.dump(ALICE);
    dump.insert(key.to_vec(), row);
    store.restore(dump);
    assert_eq!(Device::open(store, &store_key()).unwrap_err().code, Code::RecordInconsistent);
}

#[test]
fn a28_a_broken_generator_stops_every_call_and_changes_nothing() {
    let world = World::pair(28);
    let bob = &world.hosts[&BOB].device;
    let before = world.dump(BOB);
    for byte in [0, 7, 255] {
        let mut stuck = Stuck(byte);
        let mut context = Context { now: Timestamp(world.now), rng: &mut stuck };
        let send = bob.encrypt(&mut context, &[user("alice")], b"x", None);
        assert_eq!(send.unwrap_err().code, Code::Randomness);
        let made = Device::create(Arc::new(MemoryStore::new()), &store_key(), &mut context, &user("carol"), &server());
        assert_eq!(made.unwrap_err().code, Code::Randomness);
        assert_eq!(world.dump(BOB), before);
    }
}

#[test]
fn the_hostile_relay_gets_nothing_encrypted_to_anybody_unlisted() {
    let mut world = World::pair(99);
    world.link("alice");
    world.send(BOB, &["alice"], b"x");
    let honest = world.list("alice");
    let listed: BTreeSet<u32> = honest.list.devices.iter().map(|device| device.id.0).collect();
    let old = world.forge_list("alice", None, &honest.list.devices[..1]).unwrap();
    let mut devices = honest.list.devices.clone();
    devices.push(world.ghost(9, honest.list.epoch + 1));
    let extra = world.forge_list("alice", Some(&honest.list), &devices).unwrap();
    let mut unsigned = SignedDeviceList::decode(&extra.signed).unwrap();
    unsigned.signature[0] ^= 1;
    let of_another = world.list("bob").shown(16).unwrap();
    let rollback = Event::DeviceListRollback { user: user("alice"), epoch: old.list.epoch };
    for (list, expected) in [
        (old.shown(16).unwrap(), Ok(rollback)),
        (device_list::show(&unsigned.encode().unwrap(), Vec::new()).unwrap(), Err(Code::BadSignature)),
        (of_another, Err(Code::WrongUser)),
        (vec![], Err(Code::Truncated)),
        (vec![1; 70], Err(Code::Truncated)),
    ] {
        let send = world.encrypt(BOB, &["alice"], b"secret");
        let rejection = Rejection::Mismatch { device_list: list.clone() };
        let rejected = world.with(BOB, |d, c| d.rejected(c, &send.id, &user("alice"), &rejection));
        let (events, refused) = world.show(BOB, list.clone());
        match expected {
            Ok(event) => {
                assert!(rejected.unwrap().events.contains(&event));
                assert_eq!((events, refused), (vec![event], vec![]));
            }
            Err(code) => {
                assert_eq!(rejected.map_err(|error| error.code).map(drop), Err(code));
                // As an answer it is refused as well; but Bob's own list is no news to Bob.
                let refused_too = if code == Code::WrongUser { vec![] } else { vec![code] };
                assert_eq!((events, refused), (vec![], refused_too));
            }
        }
        // A bundle of a device that is on no list, and a swapped one.
        let mut swapped = Bundle::decode(&world.relay.bundle(&user("alice"), DeviceId(2)).unwrap()).unwrap();
        swapped.device = 9;
        let answers = Answers { bundles: vec![swapped.encode().unwrap()], ..Answers::default() };
        world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
        let outbox = world.with(BOB, |d, c| d.outbox(c)).unwrap();
        assert!(outbox.iter().any(|waiting| waiting.id == send.id));
        for send in outbox {
            let to_alice: Vec<_> = send.batches.iter().filter(|batch| batch.user == user("alice")).collect();
            assert_eq!(to_alice.len(), 1, "{send:?}");
            let to: BTreeSet<u32> = to_alice[0].envelopes.iter().map(|outgoing| outgoing.device.0).collect();
            assert_eq!(to, listed);
        }
    }
}

#[test]
fn a05_a_device_id_with_other_keys_gets_nothing_from_the_session_of_the_old_device() {
    let mut world = World::pair(205);
    world.link("alice");
    world.run(BOB);
    world.fetch(BOB);
    world.send(BOB, &["alice"], b"both");
    let old = world.list("alice");
    // The device is removed; then the account key names the id anew, with other keys.
    let without = world.forge_list("alice", Some(&old.list), &old.list.devices[..1]).unwrap();
    let other = world.ghost(2, without.list.epoch + 1);
    let again = world.forge_list("alice", Some(&without.list), &[without.list.devices[0], other]).unwrap();
    for list in [&without, &again] {
        assert_eq!(world.show(BOB, list.shown(16).unwrap()).1, []);
    }
    assert_eq!(world.recipients(BOB, "alice"), BTreeSet::from([1]), "the id is contested");
    world.resolve_fork(BOB, "alice", &again.list.name()).unwrap();
    let device = world.with(BOB, |d, c| d.devices(c, &user("alice"))).unwrap();
    assert_eq!(device.iter().map(|view| view.device.0).collect::<Vec<_>>(), [1, 2]);
    world.begin(BOB, &["alice"], b"for the new one");
    let requests: Vec<_> = std::iter::from_fn(|| world.next(BOB).unwrap()).collect();
    let to_alice = requests.iter().filter(|request| request.users.contains(&user("alice")));
    let kinds: Vec<RequestKind> = to_alice.map(|request| request.kind).collect();
    assert_eq!(kinds, [RequestKind::Bundles], "a session with the new keys is needed, and the old one carries nothing");
}

/// Bob's message to Alice on his initiating session, with this list riding along.
fn initiation_with_list(world: &World, salt: u8, list: &[u8]) -> Vec<u8> {
    let stamp = Stamp { content_id: [salt; 16], sent_at: world.now };
    let body = Body::Message { stamp, payload: vec![salt].into() };
    let prelude = Prelude { list: list.to_vec().into(), ..world.prelude(BOB, ALICE, 9) };
    let content = [prelude.encode().unwrap(), body.encode().unwrap()].concat();
    let session = world.stolen_session(BOB, ALICE, Scope::Direct);
    let recipe = world.recipe(BOB, ALICE, &session, [salt; 16]);
    session::envelope(&recipe, [&content, &[]], 1, padding::room(list.len())).unwrap()
}

/// A list that rides along is not verified again if it is the one that we hold, and the keys on it are not decoded again if the sender has them.
#[test]
fn a01_a_riding_list_with_one_other_bit_is_refused_whether_the_list_is_held_or_not() {
    for (seed, is_held) in [(206, false), (207, true)] {
        let mut world = World::strangers(seed);
        if is_held {
            world.show_lists(ALICE, &["bob"]);
        }
        world.send(BOB, &["alice"], b"hello");
        let honest = world.list("bob").shown(16).unwrap();
        let spoilt = |at: usize| {
            let mut spoilt = honest.clone();
            spoilt[at] ^= 1 << (at % 8);
            let code = VerifiedDeviceList::verify(&spoilt).unwrap_err();
            (spoilt, code)
        };
        let before = world.dump(ALICE);
        for at in 0..honest.len() {
            let (list, code) = spoilt(at);
            let envelope = initiation_with_list(&world, 1, &list);
            assert_eq!(world.refusal(ALICE, &envelope), Some(code), "byte {at}");
        }
        // The list is needed, and no list is not the one that we hold.
        let envelope = initiation_with_list(&world, 1, &[]);
        assert_eq!(world.refusal(ALICE, &envelope), Some(Code::Truncated));
        assert_eq!(world.dump(ALICE), before, "nothing has changed");
        let envelope = initiation_with_list(&world, 1, &honest);
        assert_eq!(world.refusal(ALICE, &envelope), None, "else this test shows nothing");
        // Now the session is known and the list is held: what comes later on the session is treated alike.
        world.send(BOB, &["alice"], b"the next number of the chain");
        for at in 0..honest.len() {
            let (list, code) = spoilt(at);
            let envelope = initiation_with_list(&world, 2, &list);
            assert_eq!(world.refusal(ALICE, &envelope), Some(code), "byte {at}");
        }
    }
}

/// The list of another user that we hold does not stand for the sender's.
#[test]
fn a01_a_riding_list_of_another_user_is_refused() {
    let mut world = World::strangers(208);
    world.create("carol");
    world.show_lists(ALICE, &["bob", "carol"]);
    world.send(BOB, &["alice"], b"hello");
    for name in ["carol", "alice"] {
        let envelope = initiation_with_list(&world, 1, &world.list(name).shown(16).unwrap());
        assert_eq!(world.refusal(ALICE, &envelope), Some(Code::WrongUser), "{name}");
    }
}
