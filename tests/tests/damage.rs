//! Damage costs one contact at most: every row of a played world is damaged in turn, and every call goes on.

use sesame_core::context::{Context, Timestamp};
use sesame_core::device::{Device, Requests};
use sesame_core::error::{Code, Error};
use sesame_core::event::{Event, Outcome, Recipients};
use sesame_core::internal::steps::Steps;
use sesame_core::internal::store::{Kind, Sealer};
use sesame_core::store::MemoryStore;
use sesame_tests::{ALICE, BOB, JEN, World, is_of, played, store::FaultyStore, store_key, user};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The device itself: without one of these there is nothing to go on with.
const ITSELF: [Kind; 8] =
    [Kind::Check, Kind::Own, Kind::Linking, Kind::Book, Kind::Server, Kind::Counters, Kind::Clock, Kind::PreKey];

/// What calls of many contacts give while one row is damaged.
struct Battery {
    errors: Vec<(&'static str, Code)>,
}

impl Battery {
    fn note<T>(&mut self, call: &'static str, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.errors.push((call, error.code))).ok()
    }
}

#[test]
fn n_s03_one_damaged_row_costs_one_contact_at_most() {
    let mut world = played::play();
    let carol = world.create("carol");
    world.send(ALICE, &["carol"], b"hello");
    world.receive(carol).unwrap();
    world.send(carol, &["alice"], b"hi");
    world.receive(ALICE).unwrap();
    let said: [(_, &[u8]); 3] = [(BOB, b"from bob"), (JEN, b"from jen"), (carol, b"from carol")];
    let mut mails = Vec::new();
    for (name, text) in said {
        // What waits for other reasons does not matter here.
        let send = world.encrypt(name, &["alice"], text);
        world.drive(name, send).unwrap();
        mails.extend(world.steal(ALICE));
    }
    let group = world.with(ALICE, |d, c| d.groups(c)).unwrap()[0].id;
    let (rows, rng) = (world.dump(ALICE), world.rng.clone());
    let sound = played_on(&mut world, &rows, &mails, group);
    assert_eq!(sound.0, [], "without damage");
    let own: BTreeSet<Vec<u8>> = {
        let places = sesame_core::internal::store::Sealer::new(&store_key()).places;
        [Kind::User, Kind::List].map(|kind| places.user(kind, &user("alice")).to_vec()).into()
    };
    let mut failed: BTreeMap<(String, &'static str, u16), usize> = BTreeMap::new();
    let mut damaged = 0;
    for (key, row) in &rows {
        if is_of(key, &ITSELF) || own.contains(key) {
            continue;
        }
        let kind = Kind::ALL.iter().find(|kind| is_of(key, &[**kind])).unwrap();
        damaged += 1;
        let mut rows = rows.clone();
        let mut spoilt = row.clone();
        let middle = spoilt.len() / 2;
        spoilt[middle] ^= 1;
        rows.insert(key.clone(), spoilt);
        world.rng = rng.clone();
        let (errors, texts) = played_on(&mut world, &rows, &mails, group);
        for (call, code) in errors {
            *failed.entry((format!("{kind:?}"), call, code.number())).or_default() += 1;
        }
        let missing = sound.1.iter().filter(|text| !texts.contains(text)).count();
        if missing > 1 {
            *failed.entry((format!("{kind:?}"), "texts are missing", 0)).or_default() += missing;
        }
    }
    println!("{damaged} rows");
    assert!(damaged > 70, "{damaged}");
    assert_eq!(failed, BTreeMap::new(), "kind of row, call, code: how often");
}

/// Goes on with these rows; gives what failed, and the texts that were read.
fn played_on(
    world: &mut World,
    rows: &BTreeMap<Vec<u8>, Vec<u8>>,
    mails: &[Vec<u8>],
    group: sesame_core::ids::GroupId,
) -> (Vec<(&'static str, Code)>, Vec<Vec<u8>>) {
    let store = Arc::new(FaultyStore::new(MemoryStore::new()));
    store.inner.restore(rows.clone());
    let mut battery = Battery { errors: Vec::new() };
    let Some(device) = battery.note("open", Device::open(store, &store_key())) else { return (battery.errors, vec![]) };
    let mut requests = Requests::new();
    let mut relay = world.relay.clone();
    let mut texts = Vec::new();
    world.with(ALICE, |_, c| {
        let now = c.now;
        battery.note("users", device.users(c));
        battery.note("groups", device.groups(c));
        battery.note("sends", device.sends(c));
        battery.note("health", device.health(c, &mut requests));
        battery.note("inbox", device.all_items(c));
        // What is asked of one contact or group may fail with it; of another one it may not.
        let results: Vec<_> = ["bob", "jen", "carol"].map(|name| device.devices(c, &user(name))).into();
        if results.iter().filter(|result| result.is_err()).count() > 1 {
            battery.note("devices", results.into_iter().find(Result::is_err).unwrap());
        }
        if let Some(results) = battery.note("decrypt", device.batch_decrypt(c, mails, true)) {
            assert_eq!(results.len(), mails.len());
        }
        let to = [user("bob"), user("jen"), user("carol")];
        if let Some(send) = battery.note("encrypt", device.batch_encrypt(c, &to, b"to all", None))
            && let Some(status) = battery.note("status", device.send_status(c, &send.id)).flatten()
            && status.users.iter().filter(|user| user.outcome == Outcome::Failed).count() > 1
        {
            battery.errors.push(("more than one has failed", Code::RecordCorrupt));
        }
        let others: Vec<_> = [Recipients::Group(group)]
            .into_iter()
            .map(|to| device.batch_encrypt(c, to, b"to the group", None).map(drop))
            .collect();
        for result in others.into_iter().filter(|result| result.as_ref().is_err_and(|e| !e.code.is_damage())) {
            battery.note("encrypt to a group", result);
        }
        battery.note("tick", device.tick(c, true));
        for _ in 0..60 {
            let Some(Some(request)) = battery.note("next_request", device.next_request(c, &mut requests)) else {
                break;
            };
            let answer = relay.perform(now, &sesame_relay::Request::of(&request));
            battery.note("respond", device.respond(c, &mut requests, &request.id, (answer.status, &answer.body)));
        }
        if let Some(items) = battery.note("inbox", device.all_items(c)) {
            for item in &items {
                if let sesame_core::event::Item::Message(message) = &item.item {
                    texts.push(message.payload.clone());
                }
            }
            battery.note("ack", device.ack(c, &items.iter().map(|item| item.id).collect::<Vec<_>>()));
        }
    });
    (battery.errors, texts)
}

/// The row of our own signed list does not open. The device asks for the list, and until it has come nothing is lost.
#[test]
fn n_s03_a_damaged_row_of_our_own_list_heals_by_itself() {
    let mut world = World::pair(31);
    let tablet = world.link("alice");
    world.send(BOB, &["alice"], b"hello");
    for name in [ALICE, tablet] {
        world.receive(name).unwrap();
        world.run(name);
        world.spoil(name, &[Kind::List]);
        // Mail is read before the list is there again.
        world.send(BOB, &["alice"], b"still read");
        assert_eq!(world.read(name), [b"still read"]);
        world.run(name);
        world.begin(name, &["bob"], b"and answered");
        world.run(name);
        assert_eq!(world.read(BOB).last().unwrap(), b"and answered");
    }
}

/// What says which list of a contact is held costs no evidence for long: the next showing writes it anew.
#[test]
fn n_s03_a_damaged_row_of_a_contacts_list_is_written_anew() {
    let mut world = World::pair(32);
    let list = world.list("alice");
    world.spoil(BOB, &[Kind::List]);
    world.show(BOB, list.shown(16).unwrap());
    world.pass(1);
    let other = world.forge_list("alice", None, &list.list.devices).unwrap();
    let (found, _) = world.show(BOB, other.shown(16).unwrap());
    let [Event::DeviceListFork { known, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!(*known, list.signed);
}

/// An older library beside a newer one: it fails, and ends and deletes nothing that it does not understand.
#[test]
fn n_s03_a_row_of_a_newer_version_is_not_damaged() {
    for kind in [Kind::SendHead, Kind::SendBody, Kind::User] {
        let mut world = World::pair(33);
        world.begin(ALICE, &["bob"], b"waits");
        let mut rows = world.dump(ALICE);
        let sealer = Sealer::new(&store_key());
        let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
        for (key, row) in rows.iter_mut().filter(|(key, _)| is_of(key, &[kind])) {
            let mut plain = sealer.open(key, row).unwrap().to_vec();
            plain[0] += 1;
            *row = sealer.seal(&mut context, key, &plain).unwrap();
        }
        let sealed = rows.clone();
        world.hosts[&ALICE].store.inner.restore(rows);
        if kind != Kind::User {
            world.reopen(ALICE);
        }
        world.pass(2 * 24 * 60 * 60 * 1_000);
        let error = world.with(ALICE, |d, c| d.tick(c, true)).unwrap_err();
        assert_eq!(error.code, Code::NewerFormat, "{kind:?}");
        assert!(world.next(ALICE).is_err());
        assert_eq!(world.dump(ALICE), sealed);
    }
}
