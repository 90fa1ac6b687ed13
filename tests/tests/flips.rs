//! Every byte of a bundle, a device list and a stored record flipped in turn: a typed error, and the store as before. The envelope's
//! bytes are flipped in `sesame.rs`, t19.

use sesame_core::error::Code;
use sesame_core::ids::DeviceId;
use sesame_core::internal::steps::{Answers, Applied, Steps};
use sesame_core::{
    device::Device,
    event::{Event, Item, Received},
};
use sesame_core::{internal::store::Kind, store::MemoryStore};
use sesame_tests::{ALICE, BOB, World, is_of, spoilt, store_key, user};
use std::sync::Arc;

fn flipped(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> + '_ {
    (0..bytes.len()).map(|at| {
        let mut bad = bytes.to_vec();
        bad[at] ^= 1 << (at % 8);
        (at, bad)
    })
}

fn codes(applied: &Applied) -> Vec<Code> {
    applied.refusals.iter().map(|refusal| refusal.code).collect()
}

#[test]
fn every_byte_of_a_bundle() {
    let mut world = World::strangers(1);
    let list = Answers { device_lists: vec![world.relay.device_list(&user("alice")).unwrap()], ..Answers::default() };
    world.with(BOB, |d, c| d.apply(c, &list)).unwrap();
    let bundle = world.relay.bundle(&user("alice"), DeviceId(1)).unwrap();
    let before = world.dump(BOB);
    for (at, bad) in flipped(&bundle) {
        let expected = spoilt::bundle(&bundle, &bad);
        let answers = Answers { bundles: vec![bad], ..Answers::default() };
        let applied = world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
        assert_eq!((codes(&applied), applied.events), (vec![expected], vec![]), "byte {at}");
        assert_eq!(world.dump(BOB), before, "byte {at}");
    }
    let answers = Answers { bundles: vec![bundle], ..Answers::default() };
    assert_eq!(world.with(BOB, |d, c| d.apply(c, &answers)).unwrap().refusals, []);
    assert!(world.session(BOB, ALICE).is_some());
}

#[test]
fn every_byte_of_a_device_list() {
    let mut world = World::pair(2);
    world.link("alice");
    let list = world.relay.device_list(&user("alice")).unwrap();
    let signed = world.list("alice").signed.len();
    let before = world.dump(BOB);
    let mut unsigned = 0;
    for (at, bad) in flipped(&list) {
        let answers = Answers { device_lists: vec![bad], ..Answers::default() };
        let applied = world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
        assert_eq!(applied.events, [], "byte {at}");
        let [code] = codes(&applied)[..] else { panic!("byte {at}: {applied:?}") };
        // The signature ends the list itself and says nothing else; what it signs may be malformed before it is compared.
        let malformed = [
            Code::Truncated,
            Code::TrailingData,
            Code::NonCanonical,
            Code::UnsupportedVersion,
            Code::WeakPublicKey,
            Code::BadKeyEncoding,
            Code::BrokenChain,
        ];
        let in_signature = (signed - 64..signed).contains(&at);
        assert!(code == Code::BadSignature || (!in_signature && malformed.contains(&code)), "byte {at}: {code:?}");
        unsigned += usize::from(code == Code::BadSignature);
        assert_eq!(world.dump(BOB), before, "byte {at}");
    }
    assert!(unsigned > list.len() / 2, "{unsigned}");
    let answers = Answers { device_lists: vec![list], ..Answers::default() };
    assert_eq!(world.with(BOB, |d, c| d.apply(c, &answers)).unwrap().events.len(), 1);
}

#[test]
fn every_byte_of_every_row_that_a_message_needs() {
    let mut world = World::pair(3);
    world.send(BOB, &["alice"], b"x");
    let mail = world.steal(ALICE);
    let honest = world.dump(ALICE);
    let mut rng = world.rng.clone();
    let kinds = [Kind::Own, Kind::User, Kind::List, Kind::Peer, Kind::Session, Kind::Chains, Kind::Index];
    let mut flips = 0;
    for (key, row) in honest.iter().filter(|(key, _)| is_of(key, &kinds)) {
        let store = Arc::new(MemoryStore::new());
        for (at, bad) in flipped(row) {
            let mut rows = honest.clone();
            rows.insert(key.clone(), bad);
            store.restore(rows.clone());
            let mut context =
                sesame_core::context::Context { now: sesame_core::context::Timestamp(world.now), rng: &mut rng };
            let device = match Device::open(store.clone(), &store_key()) {
                Ok(device) => device,
                Err(error) => {
                    assert_eq!(error.code, Code::RecordCorrupt, "{key:02x?} byte {at}");
                    assert_eq!(store.dump(), rows);
                    flips += 1;
                    continue;
                }
            };
            let results = device.decrypt(&mut context, &mail).unwrap();
            match &results[..] {
                [Received::Failure { code, .. }] => {
                    assert_eq!(*code, Code::RecordCorrupt, "{key:02x?} byte {at}");
                    assert_eq!(store.dump(), rows, "{key:02x?} byte {at}");
                    flips += 1;
                }
                // The session is forgotten, and the next message begins another one.
                [Received::Item { item: Item::Event(Event::NotOpened { .. }), .. }, Received::Failure { code, .. }] => {
                    let is_session = is_of(key, &[Kind::Session, Kind::Chains, Kind::Index]);
                    let expected = if is_session { Code::NoSession } else { Code::RecordCorrupt };
                    assert_eq!(*code, expected, "{key:02x?} byte {at}");
                    assert!(is_session || is_of(key, &[Kind::User, Kind::Peer]), "{key:02x?} byte {at}");
                    flips += 1;
                }
                // A row that this message does not need: a signed list, the index of another chain.
                [Received::Item { .. }] => {
                    assert!(is_of(key, &[Kind::List, Kind::Index]))
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(flips > 1_400, "{flips}");
}

#[test]
fn a_damaged_session_concerns_its_device_alone_and_heals_with_the_next_send() {
    let mut world = World::pair(4);
    world.create("carol");
    world.send(BOB, &["carol"], b"hello");
    let mut rows = world.dump(BOB);
    let sealer = sesame_core::internal::store::Sealer::new(&store_key());
    let prefix = sealer.places.device(Kind::Chains, &user("alice"), DeviceId(1));
    let key = rows.keys().find(|key| key.starts_with(&prefix)).unwrap().clone();
    rows.get_mut(&key).unwrap()[20] ^= 1;
    world.hosts[&BOB].store.inner.restore(rows);
    world.send(BOB, &["alice", "carol"], b"x");
    assert_eq!(world.read(("carol", 1)), [b"hello".to_vec(), b"x".to_vec()]);
    assert_eq!(world.read(ALICE), [b"x"], "by a new session");
    world.send(ALICE, &["bob"], b"y");
    assert_eq!(world.read(BOB), [b"y"]);
}
