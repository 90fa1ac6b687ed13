//! What the threat model says and no other test shows: what is in the clear, what is left behind, and what an attacker can do.

use sesame_core::{
    device::Loss,
    error::Code,
    event::{Event, Outcome, RequestKind},
    ids::Scope,
    internal::{
        crypto::ed25519::SigningKey,
        keys::pair::PairKeys,
        steps::{Answers, Need, Steps},
        store::{Kind, Sealer},
        wire::{
            answer::SubmitResult,
            content::{Body, SentTo, Stamp},
            envelope::{Envelope, Route, SUITE},
        },
    },
    secret::Secret,
};
use sesame_tests::{
    ALICE, BOB, JEN, Name, World, events, is_of, messages,
    pump::{batches, results},
    store_key, user,
};

/// A text that stands nowhere by chance.
const TEXT: &[u8] = b"a text that stands nowhere by chance";

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// The kinds of rows of a device that hold these bytes, opened with the store's key.
fn rows_with(world: &World, name: Name, text: &[u8]) -> Vec<u8> {
    let sealer = Sealer::new(&store_key());
    let rows = world.dump(name).into_iter();
    let open = |(key, row): (Vec<u8>, Vec<u8>)| {
        // What does not open is not sealed, and is looked at as it lies.
        let plain = sealer.open(&key, &row).map_or(row, |plain| plain.to_vec());
        holds(&plain, text).then_some(key[0])
    };
    rows.filter_map(open).collect()
}

#[test]
fn what_goes_to_the_server_holds_no_payload_in_the_clear() {
    let (mut world, id) = World::trio(1);
    world.create("carol");
    world.send(ALICE, &["bob", "carol"], TEXT);
    world.say(ALICE, id, TEXT).unwrap();
    let mut seen = 0;
    for name in [BOB, JEN, ("carol", 1)] {
        for envelope in world.mails(name) {
            assert!(!holds(&envelope, TEXT) && holds(&envelope, b"alice"), "else this shows nothing");
            seen += 1;
        }
    }
    assert_eq!(seen, 4);
}

#[test]
fn a_server_that_says_taken_and_delivers_nothing_is_believed() {
    let mut world = World::pair(2);
    world.run(BOB);
    let send = world.begin(BOB, &["alice"], TEXT);
    world.run_with(BOB, &mut |world, request| match request.kind {
        RequestKind::Submit => {
            let taken = batches(request).iter().map(|_| SubmitResult::Taken { id: 1, list: [0; 32] }).collect();
            (200, results(taken))
        }
        _ => world.perform(request),
    });
    let status = world.status(BOB, &send.id).unwrap();
    assert!(status.finished && status.users.iter().all(|user| user.outcome == Outcome::Sent), "{status:?}");
    assert_eq!(world.mails(ALICE), Vec::<Vec<u8>>::new());
}

/// The gate of a known device comes before everything else of its envelope: a weak key behind a wrong gate is never looked at.
#[test]
fn a_forgery_in_the_name_of_a_known_device_is_refused_by_its_gate_alone() {
    let mut world = World::pair(3);
    let (list, generation) = (world.list("bob").shown(16).unwrap(), world.now / 1_000);
    let mut forged = Envelope::decode(&world.initiation(BOB, ALICE, generation, 1, &list)).unwrap();
    let Route::Initiation(fields) = &mut forged.head.route else { unreachable!() };
    fields.ephemeral_key = [0; 32];
    assert_eq!(world.refusal(ALICE, &forged.encode().unwrap()), Some(Code::Forged));
    let (bob, alice) = (world.own(BOB).keys(), world.own(ALICE).keys().party);
    let pair = PairKeys::derive(&bob.identity, &alice.identity_key, SUITE, &bob.party, &alice).unwrap();
    forged.gate = pair.gate(&forged.head.encode().unwrap());
    assert_eq!(
        world.refusal(ALICE, &forged.encode().unwrap()),
        Some(Code::WeakPublicKey),
        "behind the right one it is"
    );
}

#[test]
fn an_add_weighs_more_for_whom_it_adds_and_the_same_for_the_others() {
    let mut world = World::acquainted(4, &[("alice", 1), ("bob", 1), ("carol", 1), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob", "carol"]);
    for name in [BOB, ("carol", 1), ALICE] {
        world.say(name, id, b"x").unwrap();
        world.all_receive();
    }
    world.act(ALICE, id, |group, context| group.add(context, &[user("jen")])).unwrap();
    let weigh = |name: Name| world.mails(name).iter().map(Vec::len).sum::<usize>();
    let [bob, carol, jen] = [BOB, ("carol", 1), JEN].map(weigh);
    // Names count as they are.
    assert_eq!(bob + "carol".len() - "bob".len(), carol);
    assert!(jen > carol, "{jen} {carol}");
}

#[test]
fn a_thief_with_the_key_of_a_primarys_store_has_the_account_key() {
    let mut world = World::pair(5);
    let tablet = world.link("alice");
    assert!(world.own(ALICE).account.is_some(), "the primary's own record has it");
    assert!(world.own(tablet).account.is_none());
    let seed = world.own(ALICE).account.unwrap();
    assert!(rows_with(&world, tablet, seed.expose()).is_empty(), "no row of another device has it");
    let removed = world.with(tablet, |device, context| device.remove_device(context, sesame_core::ids::DeviceId(1)));
    assert_eq!(removed.map(drop).map_err(|error| error.code), Err(Code::NotPrimary));
}

/// A row's name is under the store's key as well: without it nobody can ask whether a contact is there.
#[test]
fn the_names_of_rows_tell_no_contact_and_no_group() {
    let (mut world, id) = World::trio(6);
    world.send(BOB, &["alice"], b"x");
    let other = Sealer::new(&Secret::init_with(|key| key.fill(7)));
    let ours = Sealer::new(&store_key());
    let rows = world.dump(BOB);
    for (key, row) in &rows {
        for text in [b"alice".as_slice(), &id.0] {
            assert!(!holds(key, text) && !holds(row, text), "a row of kind {}", key[0]);
        }
    }
    let place = |sealer: &Sealer| sealer.places.user(Kind::User, &user("alice"));
    assert!(rows.contains_key(&*place(&ours)) && !rows.contains_key(&*place(&other)));
}

#[test]
fn what_was_said_is_in_no_row_once_both_sides_are_done_with_it() {
    let mut world = World::pair(7);
    world.run(BOB);
    // It lies there for 14 days otherwise, to be sent again.
    world.with(BOB, |device, context| device.keep_sent(context, 0)).unwrap();
    let send = world.begin(BOB, &["alice"], TEXT);
    assert_eq!(rows_with(&world, BOB, TEXT).len(), 1, "until it is sent");
    world.run(BOB);
    let envelopes = world.steal(ALICE);
    let received = world.decrypt(ALICE, &envelopes);
    assert_eq!(messages(&received)[0].payload, TEXT);
    assert_eq!(rows_with(&world, ALICE, TEXT).len(), 1, "until it is acked");
    let items: Vec<u64> = world.inbox(ALICE).iter().map(|row| row.id).collect();
    world.with(ALICE, |device, context| device.ack(context, &items)).unwrap();
    world.ack_end(BOB, send.id);
    for name in [ALICE, BOB] {
        assert!(rows_with(&world, name, TEXT).is_empty(), "{name:?}");
        assert!(!world.dump(name).keys().any(|key| is_of(key, &[Kind::SendBody, Kind::Item])));
    }
}

/// A transcript teaches own devices whom its sender has pinned and compared. So does one of a stolen device, while it is listed.
#[test]
fn a_thief_of_a_linked_device_teaches_the_owners_other_devices_pins() {
    let mut world = World::acquainted(8, &[("alice", 2), ("bob", 1)]);
    let (tablet, rows) = (("alice", 2), world.dump(ALICE));
    let made_up = *SigningKey::from_seed(Secret::init_with(|seed| seed.fill(8))).verifying_key().as_bytes();
    let transcript = |world: &World, name: &str| {
        let stamp = Stamp { content_id: [8; 16], sent_at: world.now };
        let to = SentTo { user: name.as_bytes().to_vec().into(), account_key: Some(made_up), verified: 1 };
        let body = Body::Transcript { stamp, recipients: vec![to].into(), payload: b"x".to_vec().into() };
        let content = [world.prelude(tablet, ALICE, 50).encode().unwrap(), body.encode().unwrap()].concat();
        world.craft(tablet, ALICE, Scope::Direct, [8; 16], &content)
    };
    // Somebody whom Alice has not met is known to her phone under a made-up key, and as compared.
    let envelope = transcript(&world, "zoe");
    world.decrypt(ALICE, &[envelope]);
    let users = world.with(ALICE, |device, context| device.users(context)).unwrap();
    let zoe = users.iter().find(|known| known.user == user("zoe")).unwrap();
    assert_eq!((zoe.account_key.0, zoe.verified), (made_up, true));
    // Whom she has met is contested: the app is asked, and nothing is taken over.
    world.put_back(ALICE, rows);
    let envelope = transcript(&world, "bob");
    let results = world.decrypt(ALICE, &[envelope]);
    assert!(events(&results).iter().any(|event| matches!(event, Event::IdentityChanged { .. })), "{results:?}");
    assert_eq!(world.encrypt(ALICE, &["bob"], b"x").needs, [Need::IdentityAcceptance(user("bob"))]);
}

#[test]
fn a_thief_of_a_backup_takes_the_account_and_opens_no_message() {
    let mut world = World::acquainted(9, &[("alice", 2), ("bob", 1)]);
    let backup = world.backup(ALICE);
    world.send(BOB, &["alice"], TEXT);
    let mails = world.mails(ALICE);
    let owner = world.lose(ALICE);
    let thief = world.restore("alice", &backup, Loss::Stolen).unwrap();
    // The list that everybody takes names the thief's device in the place of the owner's.
    let ids: Vec<u32> = world.list("alice").list.devices.iter().map(|device| device.id.0).collect();
    assert_eq!(ids, [2, 3]);
    world.run(BOB);
    world.begin(BOB, &["alice"], b"to whom?");
    world.run(BOB);
    assert_eq!(world.read(thief), [b"to whom?"]);
    // The contact sees a change of devices, and the owner's device is told.
    let changed = |event: &Event| matches!(event, Event::DeviceListChanged { .. });
    assert!(world.inbox_events(BOB).iter().any(changed));
    world.hosts.insert(ALICE, owner);
    world.fetch(ALICE);
    assert!(world.inbox_events(ALICE).iter().any(|event| matches!(event, Event::OwnListAhead { .. })));
    // What was sent before opens nowhere but at the owner's.
    for mail in &mails {
        assert!(world.refusal(thief, mail).is_some());
        let mut readdressed = Envelope::decode(mail).unwrap();
        readdressed.head.recipient.device = thief.1;
        assert!(world.refusal(thief, &readdressed.encode().unwrap()).is_some());
    }
}

/// Nothing tells the first account key of a user from another's but what people compare.
#[test]
fn at_first_contact_the_server_chooses_the_account_key_and_the_safety_numbers_differ() {
    for is_honest in [true, false] {
        let mut world = World::strangers(10);
        let mut other = World::new(11);
        other.create("alice");
        let shown = if is_honest { &world } else { &other }.list("alice");
        let answers = Answers { device_lists: vec![shown.shown(16).unwrap()], ..Answers::default() };
        world.encrypt(BOB, &["alice"], TEXT);
        world.with(BOB, |device, context| device.apply(context, &answers)).unwrap();
        let pinned = world.with(BOB, |device, context| device.users(context)).unwrap();
        assert_eq!(pinned.iter().find(|known| known.user == user("alice")).unwrap().account_key, shown.account());
        // Alice hears of Bob by an honest road.
        let honest = Answers { device_lists: vec![world.list("bob").shown(16).unwrap()], ..Answers::default() };
        world.encrypt(ALICE, &["bob"], TEXT);
        world.with(ALICE, |device, context| device.apply(context, &honest)).unwrap();
        let number = |world: &mut World, of, name| world.with(of, |d, c| d.safety_number(c, &user(name))).unwrap();
        assert_eq!(number(&mut world, BOB, "alice") == number(&mut world, ALICE, "bob"), is_honest);
    }
}
