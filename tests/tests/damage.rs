//! Damage costs one contact at most: every row of a played world is damaged in turn, and every call goes on.

use sesame_core::context::{Context, Timestamp};
use sesame_core::device::{Device, Requests};
use sesame_core::error::{Code, Error};
use sesame_core::event::{Event, NextStep, Outcome, Received, Recipients};
use sesame_core::ids::{DeviceId, GroupId};
use sesame_core::internal::record::{Record, StoredList};
use sesame_core::internal::steps::Steps;
use sesame_core::internal::store::{Kind, Places, Sealer};
use sesame_core::internal::wire::group::{Bundle, SignedOperation};
use sesame_core::store::MemoryStore;
use sesame_tests::{
    ALICE, BOB, DAY, JEN, Name, World, events, failures, is_of, played, server, store::FaultyStore, store_key, user,
};
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
fn n_s03_one_flipped_byte_in_any_row_costs_one_contact_at_most() {
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
    what_waits(&mut world);
    let (rows, rng) = (world.dump(ALICE), world.rng.clone());
    let sound = played_on(&mut world, &rows, &mails, group);
    assert_eq!(sound.0, [], "without damage");
    let own: BTreeSet<Vec<u8>> = {
        let places = sesame_core::internal::store::Sealer::new(&store_key()).places;
        [Kind::User, Kind::List].map(|kind| places.user(kind, &user("alice")).to_vec()).into()
    };
    let mut failed: BTreeMap<(String, &'static str, u16), usize> = BTreeMap::new();
    let (mut damaged, mut kinds) = (0, BTreeSet::new());
    for (key, row) in &rows {
        if is_of(key, &ITSELF) || own.contains(key) {
            continue;
        }
        let kind = Kind::ALL.iter().find(|kind| is_of(key, &[**kind])).unwrap();
        kinds.insert(format!("{kind:?}"));
        // The nonce, what is sealed, and the tag.
        for at in [0, row.len() / 2, row.len() - 1] {
            damaged += 1;
            let mut rows = rows.clone();
            let mut spoilt = row.clone();
            spoilt[at] ^= 1;
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
    }
    println!("{damaged} bytes in rows of {} kinds: {kinds:?}", kinds.len());
    assert!(damaged > 210 && kinds.len() >= 24, "{damaged}, {}", kinds.len());
    assert_eq!(failed, BTreeMap::new(), "kind of row, call, code: how often");
}

/// Alice's sends that are open, a content of a group that she does not know, an operation without its parents, a link, a user who is asked
/// for.
fn what_waits(world: &mut World) {
    world.encrypt(ALICE, &["jen"], b"for later");
    // Who has never written to Bob is not in his group before they agree.
    world.send(JEN, &["bob"], b"hello");
    world.receive(BOB).unwrap();
    let group = world.found(BOB, "Hidden", &["jen"]);
    world.act(BOB, group, |group, c| group.add(c, &[user("alice")])).unwrap();
    let adds = world.steal(ALICE);
    world.receive(JEN).unwrap();
    world.say(JEN, group, b"welcome, Alice").unwrap();
    world.receive(ALICE).unwrap();
    assert!(world.rows(ALICE, &[Kind::HeldContent]) > 0);
    let known = world.found(BOB, "Known", &["alice"]);
    world.receive(ALICE).unwrap();
    for name in ["first", "second"] {
        world.act(BOB, known, |group, c| group.rename(c, name)).unwrap();
    }
    let changes = world.steal(ALICE);
    world.decrypt(ALICE, &changes[1..]);
    assert!(world.rows(ALICE, &[Kind::Waiting]) > 0 && !adds.is_empty());
    let new = world.begin_link();
    world.link_device(ALICE, new.linking.code()).unwrap();
    world.with(ALICE, |d, c| d.look_up(c, &[user("zoe")])).unwrap();
}

/// Goes on with these rows; gives what failed, and the texts that were read.
fn played_on(
    world: &mut World,
    rows: &BTreeMap<Vec<u8>, Vec<u8>>,
    mails: &[Vec<u8>],
    group: GroupId,
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
        // Somebody has written under Bob's name; the app takes the new key, and then wants to know no more of anybody.
        let claimed = device.users(c).unwrap_or_default().into_iter().find_map(|view| view.claimed_key);
        if let Some(claimed) = claimed {
            battery.note("accept", device.accept_identity(c, &mut requests, &user("bob"), &claimed));
        }
        battery.note(
            "leave",
            device.group(c, &group).and_then(|group| group.leave(c)).map_or_else(unless_damaged, |_| Ok(())),
        );
        for name in ["bob", "jen", "carol"] {
            // What is damaged may be the one row that says that there is such a user, or which group they are in.
            let forgotten = device.forget(c, &user(name));
            if forgotten.as_ref().is_err_and(|error| ![Code::UnknownUser, Code::AlreadyMember].contains(&error.code)) {
                battery.note("forget", forgotten);
            }
        }
        battery.note("tick", device.tick(c, true));
    });
    (battery.errors, texts)
}

/// What is asked of the one group that is damaged fails with that.
fn unless_damaged(error: Error) -> Result<(), Error> {
    if error.code.is_damage() { Ok(()) } else { Err(error) }
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

/// Spoils the row under this key.
fn spoil_row<K: std::ops::Deref<Target = [u8]>>(world: &mut World, name: Name, meant: impl Fn(&Places) -> K) {
    let mut rows = world.dump(name);
    let key = meant(&Sealer::new(&store_key()).places).to_vec();
    *rows.get_mut(&key).unwrap().last_mut().unwrap() ^= 1;
    world.put_back(name, rows);
}

/// How many damaged rows the app is told of by a whole housekeeping.
fn told(world: &mut World, name: Name) -> Vec<u32> {
    let events = world.with(name, |d, c| d.tick(c, true)).unwrap();
    let rows = |event| if let Event::StoreDamaged { rows } = event { Some(rows) } else { None };
    events.into_iter().filter_map(rows).collect()
}

#[test]
fn n_s03_the_app_is_told_how_many_rows_are_damaged() {
    let mut world = World::pair(40);
    assert_eq!(told(&mut world, ALICE), Vec::<u32>::new());
    world.send(BOB, &["alice"], b"lost");
    world.fetch(ALICE);
    assert_eq!(world.rows(ALICE, &[Kind::Item]), 1);
    world.spoil(ALICE, &[Kind::Item, Kind::Peer]);
    assert_eq!(told(&mut world, ALICE), [2]);
    // What nothing depends on is gone, and counts no more. The other row stays until the app has done something about it.
    assert_eq!(world.rows(ALICE, &[Kind::Item]), 0);
    assert_eq!(told(&mut world, ALICE), [1]);
    world.with(ALICE, |d, c| d.forget(c, &user("bob"))).unwrap();
    assert_eq!(told(&mut world, ALICE), Vec::<u32>::new());
}

/// With many contacts a housekeeping has many slices: the event comes once, with all of them.
#[test]
fn n_s03_the_app_is_told_once_for_all_slices_of_a_housekeeping() {
    let mut world = World::new(41);
    world.create("alice");
    let names = world.crowd(0..160, false);
    world.show_lists(ALICE, &names);
    // The first day's is done to its end.
    for _ in 0..5 {
        world.run(ALICE);
        world.pass(1_000);
    }
    let others: Vec<&&str> = names.iter().step_by(40).collect();
    for name in &others {
        spoil_row(&mut world, ALICE, |places| places.user(Kind::User, &user(name)));
    }
    // A damaged group is met by each slice.
    let group = world.found(ALICE, "Trip", &[names[1]]);
    spoil_row(&mut world, ALICE, |places| places.group(Kind::Group, &group));
    world.pass(2 * DAY);
    world.next(ALICE).unwrap();
    assert_eq!(world.inbox_events(ALICE), [], "there is more than one slice");
    for _ in 0..5 {
        world.run_with(ALICE, &mut |_, _| (0, vec![]));
        world.pass(1_000);
    }
    let events = world.inbox_events(ALICE);
    let damaged: Vec<&Event> = events.iter().filter(|event| matches!(event, Event::StoreDamaged { .. })).collect();
    let rows = u32::try_from(others.len() + 1).unwrap();
    assert_eq!(damaged, [&Event::StoreDamaged { rows }]);
}

/// Whatever of a contact does not open: `forget`, and they are met anew.
#[test]
fn n_s03_forget_is_the_way_out_for_a_damaged_contact() {
    for kind in [Kind::User, Kind::Peer] {
        let mut world = World::pair(42);
        let old = {
            world.encrypt(BOB, &["alice"], b"old");
            world.steal(ALICE)
        };
        spoil_row(&mut world, ALICE, |places| match kind {
            Kind::User => places.user(kind, &user("bob")),
            kind => places.device(kind, &user("bob"), DeviceId(1)),
        });
        world.begin(ALICE, &["bob"], b"cannot go");
        world.run(ALICE);
        assert_eq!(world.read(BOB), Vec::<Vec<u8>>::new(), "{kind:?}");
        world.with(ALICE, |d, c| d.forget(c, &user("bob"))).unwrap();
        // Bob's sessions are not known any more, and what he begins before he is met anew may be refused.
        world.decrypt(ALICE, &old);
        world.pass(60_000);
        world.begin(ALICE, &["bob"], b"hello again");
        world.run(ALICE);
        assert_eq!(world.read(BOB), [b"hello again"], "{kind:?}");
        world.send(BOB, &["alice"], b"and again");
        assert_eq!(world.read(ALICE).last().unwrap(), b"and again", "{kind:?}");
    }
}

/// A device that has to be met anew takes no initiation of before: where its floor lay is lost.
#[test]
fn n_s03_a_contact_who_is_met_anew_repeats_nothing() {
    let mut world = World::strangers(43);
    let first = {
        let send = world.encrypt(BOB, &["alice"], b"first");
        world.drive(BOB, send).unwrap();
        world.mails(ALICE)
    };
    assert_eq!(world.read(ALICE), [b"first"]);
    world.send(ALICE, &["bob"], b"answer");
    world.receive(BOB).unwrap();
    spoil_row(&mut world, ALICE, |places| places.device(Kind::Peer, &user("bob"), DeviceId(1)));
    world.with(ALICE, |d, c| d.forget(c, &user("bob"))).unwrap();
    // The ids of what was received are forgotten in time; a copy of the first message still opens nothing.
    let rows = world.dump(ALICE).into_iter().filter(|(key, _)| !is_of(key, &[Kind::Received])).collect();
    world.put_back(ALICE, rows);
    assert_eq!(world.refusal(ALICE, &first[0]), Some(Code::ReplayedInitiation));
}

/// A session of which something does not open fails for good. It is forgotten, and the next one takes its place.
#[test]
fn n_s03_a_damaged_session_is_forgotten_and_another_one_begins() {
    for kind in [Kind::Session, Kind::Chains, Kind::Skipped, Kind::Block] {
        let mut world = World::pair(44);
        let mut mails = Vec::new();
        for text in [b"one", b"two", b"six"] {
            world.send(BOB, &["alice"], text);
            mails.extend(world.steal(ALICE));
        }
        world.decrypt(ALICE, &mails[2..]);
        world.spoil(ALICE, &[kind]);
        let results = world.decrypt(ALICE, &mails[..1]);
        assert_eq!(failures(&results), [Code::NoSession], "{kind:?}");
        assert!(results.iter().any(|result| matches!(result, Received::Failure { next: NextStep::Confirm, .. })));
        let lost = Event::NotOpened { user: user("bob"), device: DeviceId(1), reason: Code::NoSession.number() };
        assert_eq!(events(&results), [&lost], "{kind:?}");
        assert_eq!(world.session(ALICE, BOB), None, "{kind:?}");
        world.begin(ALICE, &["bob"], b"begins anew");
        world.run(ALICE);
        assert_eq!(world.read(BOB), [b"begins anew"], "{kind:?}");
        world.send(BOB, &["alice"], b"goes on");
        assert_eq!(world.read(ALICE), [b"goes on"], "{kind:?}");
    }
}

/// What one submission carries belongs to many. What does not open goes, the others go on.
#[test]
fn n_s03_a_submission_without_what_does_not_open_carries_the_others() {
    for kind in [Kind::SendBody, Kind::SendHead, Kind::SendTally, Kind::SendPart] {
        let mut world = World::new(45);
        for name in ["alice", "bob", "jen"] {
            world.create(name);
        }
        world.begin(ALICE, &["bob", "jen"], b"first contact");
        world.run(ALICE);
        let lost = world.begin(ALICE, &["bob"], b"cannot be read");
        let others = world.begin(ALICE, &["jen"], b"to jen");
        spoil_row(&mut world, ALICE, |places| match kind {
            Kind::SendPart => places.part(&user("bob"), &lost.id),
            kind => Places::send(kind, &lost.id),
        });
        world.run(ALICE);
        assert_eq!(world.read(JEN), [b"first contact".to_vec(), b"to jen".to_vec()], "{kind:?}");
        assert!(world.status(ALICE, &others.id).unwrap().finished);
        // The other one ends, and the app hears of it.
        let rows = told(&mut world, ALICE).into_iter().sum::<u32>();
        assert!(rows >= 1, "{kind:?}");
        assert!(world.status(ALICE, &lost.id).is_none_or(|status| status.finished), "{kind:?}");
        assert_eq!(told(&mut world, ALICE), Vec::<u32>::new(), "{kind:?}");
    }
}

#[test]
fn n_s03_a_damaged_contact_does_not_stop_a_linking() {
    for kind in [Kind::User, Kind::List, Kind::Chain] {
        let mut world = World::pair(46);
        spoil_row(&mut world, ALICE, |places| places.user(kind, &user("bob")));
        let tablet = world.link("alice");
        world.send(tablet, &["bob"], b"from the tablet");
        assert_eq!(world.read(BOB), [b"from the tablet"], "{kind:?}");
    }
}

/// A device that is on for half a day.
fn is_on(world: &mut World, name: Name) {
    for _ in 0..72 {
        world.fetch(name);
        world.pass(10 * 60_000);
    }
}

/// Our signed list does not open, and the server has forgotten us: it is to be had nowhere, so that the primary signs the next one.
#[test]
fn n_s03_our_list_is_signed_again_if_nobody_has_it() {
    let mut world = World::pair(47);
    let tablet = world.link("alice");
    for name in [ALICE, tablet] {
        world.run(name);
    }
    let epoch = world.list("alice").list.epoch;
    world.relay = sesame_relay::Relay::new(server().name());
    world.run(BOB);
    world.fetch(BOB);
    for name in [tablet, ALICE] {
        world.spoil(name, &[Kind::List]);
    }
    // The tablet signs no list: it goes on asking in vain, and does not do so for ever.
    world.fetch(tablet);
    is_on(&mut world, ALICE);
    assert_eq!(world.list("alice").list.epoch, epoch + 1);
    assert_eq!(world.list("alice").list.devices.len(), 2);
    is_on(&mut world, tablet);
    is_on(&mut world, BOB);
    for name in [ALICE, tablet] {
        world.begin(name, &["bob"], b"still here");
        is_on(&mut world, name);
        assert_eq!(world.read(BOB).last().unwrap(), b"still here");
    }
}

/// Lists that a group's operations cite are lost one by one. Nobody who comes later gets what cannot be checked, and the next bundle that
/// carries such a list puts it back.
#[test]
fn n_s03_a_lost_list_of_a_group_is_put_back_by_the_next_bundle() {
    let (mut world, group) = World::trio(48);
    world.create("carol");
    world.act(BOB, group, |group, c| group.rename(c, "by Bob")).unwrap();
    world.all_receive();
    // Bob's newest list is another one, so that nothing of it lies elsewhere.
    world.link("bob");
    world.send(BOB, &["alice"], b"see my list");
    world.receive(ALICE).unwrap();
    let lists = |world: &World| {
        let sealer = Sealer::new(&store_key());
        let rows = world.dump(ALICE);
        rows.iter().filter(|(key, row)| is_of(key, &[Kind::GroupList]) && sealer.open(key, row).is_ok()).count()
    };
    assert_eq!(lists(&world), 2);
    world.spoil(ALICE, &[Kind::GroupList]);
    // What can be checked is said, and nothing fails for good.
    world.begin(ALICE, &["carol"], b"hello");
    world.run(ALICE);
    world.act(ALICE, group, |group, c| group.add(c, &[user("carol")])).unwrap();
    world.receive(("carol", 1)).unwrap();
    assert_eq!(world.members(("carol", 1), group), Vec::<String>::new(), "Bob's word is in the past of the add");
    assert_eq!(lists(&world), 1, "our own came with our own word");
    let held = world.operations(ALICE, group).operations().len();
    // Jen tells all that she has, as she does to whoever claims another state.
    let bundle = all_of(&world, JEN, group);
    let send = world.replace_payload(JEN, group, &bundle);
    world.drive(JEN, send).unwrap();
    world.receive(ALICE).unwrap();
    assert_eq!(lists(&world), 2);
    assert_eq!(world.operations(ALICE, group).operations().len(), held);
}

/// All that a device has of a group, in one bundle.
fn all_of(world: &World, name: Name, group: GroupId) -> Vec<u8> {
    let sealer = Sealer::new(&store_key());
    let prefix = sealer.places.group(Kind::GroupList, &group);
    let rows = world.dump(name).into_iter().filter(|(key, _)| key.starts_with(&prefix));
    let lists = rows.map(|(key, row)| StoredList::decode(&sealer.open(&key, &row).unwrap()).unwrap().signed.into());
    let lists: Vec<_> = lists.collect();
    let set = world.operations(name, group);
    let signed = set.operations().iter().map(|o| SignedOperation::decode(&o.signed).unwrap()).collect::<Vec<_>>();
    Bundle { lists: lists.into(), operations: signed.into() }.encode().unwrap()
}
