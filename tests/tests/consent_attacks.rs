//! Consent against whoever tells parts of the truth: accomplices, thieves of a removed device, and the order of the mail (X 11; G2).

use sesame_core::error::{Blame, Code};
use sesame_core::event::{Event, NextStep, Received, Standing};
use sesame_core::ids::{DeviceId, GroupId};
use sesame_core::internal::record::{Record, StoredList};
use sesame_core::internal::steps::Steps;
use sesame_core::internal::store::{Kind, Sealer};
use sesame_core::internal::wire::group::{Body, Bundle, SignedOperation};
use sesame_tests::{ALICE, BOB, JEN, Name, World, events, messages, store_key, user};

const MALLORY: Name = ("mallory", 1);
const EVE: Name = ("eve", 1);
const ZOE: Name = ("zoe", 1);
const TABLET: Name = ("bob", 2);

/// Bob with so many devices and Alice, who know each other; Mallory, Eve and Zoe, who know each other and have written to Bob.
fn gang(seed: u64, devices: u32) -> World {
    let mut world = World::acquainted(seed, &[("alice", 1), ("bob", devices)]);
    for name in ["eve", "mallory", "zoe"] {
        world.create(name);
    }
    for _ in 0..2 {
        for (from, others) in [(MALLORY, ["eve", "zoe"]), (EVE, ["mallory", "zoe"]), (ZOE, ["mallory", "eve"])] {
            world.send(from, &others, b"hi");
            world.rest();
        }
    }
    for from in [MALLORY, EVE, ZOE] {
        world.send(from, &["bob", "alice"], b"hi");
        world.rest();
    }
    world
}

/// A group of Mallory and these users, to which each of `adders` has added Bob without knowing of the others. Gives what each of them has told
/// Bob's devices.
fn added_by(world: &mut World, adders: &[Name], with: &[&str]) -> (GroupId, Vec<[Vec<Vec<u8>>; 2]>) {
    let id = world.found(MALLORY, "Trip", with);
    for name in [EVE, ZOE, ALICE] {
        world.say_yes(name, id);
    }
    world.rest();
    let mut sends = Vec::new();
    for adder in adders {
        sends.push((*adder, world.in_group(*adder, id, |group, c| group.add(c, &[user("bob")])).unwrap()));
    }
    let mut told = Vec::new();
    for (adder, send) in sends {
        world.drive(adder, send).unwrap();
        told.push([BOB, TABLET].map(|name| if world.hosts.contains_key(&name) { world.steal(name) } else { vec![] }));
    }
    (id, told)
}

/// All that a device has of a group, as one bundle.
fn whole(world: &World, of: Name, id: GroupId) -> Bundle {
    let sealer = Sealer::new(&store_key());
    let prefix = sealer.places.group(Kind::GroupList, &id);
    let rows = world.dump(of).into_iter().filter(|(key, _)| key.starts_with(&prefix));
    let lists: Vec<_> =
        rows.map(|(key, row)| StoredList::decode(&sealer.open(&key, &row).unwrap()).unwrap().signed.into()).collect();
    let set = world.operations(of, id);
    let operations = set.operations().into_iter().map(|operation| SignedOperation::decode(&operation.signed).unwrap());
    Bundle { lists: lists.into(), operations: operations.collect::<Vec<_>>().into() }
}

/// Tells everybody in the group this bundle.
fn tell(world: &mut World, from: Name, id: GroupId, bundle: &Bundle) {
    let send = world.replace_payload(from, id, &bundle.encode().unwrap());
    world.drive(from, send).unwrap();
}

fn is_invited(world: &mut World, name: Name, id: GroupId) -> bool {
    matches!(world.standing(name, id), Some(Standing::Invited(_)))
}

fn invitations(results: &[Received]) -> usize {
    events(results).iter().filter(|event| matches!(event, Event::GroupInvited { .. })).count()
}

#[test]
fn n_g02_a_no_on_one_device_is_no_yes_to_what_another_was_told() {
    let mut world = gang(801, 2);
    let (id, told) = added_by(&mut world, &[MALLORY, EVE], &["eve"]);
    // The phone hears Mallory's add, the tablet Eve's.
    world.decrypt(BOB, &told[0][0]);
    world.decrypt(TABLET, &told[1][1]);
    for name in [BOB, TABLET] {
        assert!(is_invited(&mut world, name, id), "{name:?}");
    }
    world.act(BOB, id, |group, c| group.decline(c)).unwrap();
    let results = world.receive(TABLET).unwrap();
    assert!(!events(&results).iter().any(|event| matches!(event, Event::GroupJoined { .. })), "{results:?}");
    world.rest();
    for name in [BOB, TABLET] {
        assert_eq!(world.standing(name, id), Some(Standing::Left), "{name:?}");
    }
    world.say(EVE, id, b"buy").unwrap();
    for name in [BOB, TABLET] {
        assert_eq!(messages(&world.receive(name).unwrap()).len(), 0);
    }
}

#[test]
fn n_g02_a_no_that_comes_without_what_lies_before_it_is_no_yes() {
    let mut world = gang(814, 2);
    let (id, told) = added_by(&mut world, &[MALLORY, EVE], &["eve"]);
    world.decrypt(BOB, &told[0][0]);
    world.decrypt(TABLET, &told[1][1]);
    world.act(BOB, id, |group, c| group.decline(c)).unwrap();
    drop(world.steal(TABLET));
    // The leave alone, which builds upon an add that the tablet does not have.
    let set = world.operations(BOB, id);
    let leave = set.operations().into_iter().find(|operation| operation.form.body == Body::Leave).unwrap();
    let operations = vec![SignedOperation::decode(&leave.signed).unwrap()];
    let bundle = Bundle { lists: vec![world.list("bob").signed.into()].into(), operations: operations.into() };
    world.plant(MALLORY, BOB);
    tell(&mut world, BOB, id, &bundle);
    let results = world.receive(TABLET).unwrap();
    assert!(!events(&results).iter().any(|event| matches!(event, Event::GroupJoined { .. })), "{results:?}");
    assert!(is_invited(&mut world, TABLET, id));
}

#[test]
fn n_g02_a_no_reaches_an_own_device_that_was_told_of_less() {
    let mut world = gang(802, 2);
    let id = world.found(MALLORY, "Trip", &["alice"]);
    world.say_yes(ALICE, id);
    world.rest();
    world.act(MALLORY, id, |group, c| group.add(c, &[user("bob")])).unwrap();
    for name in [BOB, TABLET] {
        world.receive(name).unwrap();
    }
    // Alice, whom Bob knows, is heard by the phone alone: its no builds upon what she said.
    world.receive(ALICE).unwrap();
    world.act(ALICE, id, |group, c| group.rename(c, "Journey")).unwrap();
    world.receive(BOB).unwrap();
    drop(world.steal(TABLET));
    world.act(BOB, id, |group, c| group.decline(c)).unwrap();
    world.receive(TABLET).unwrap();
    assert_eq!(world.standing(TABLET, id), Some(Standing::Left));
    // It is a no there as well, not a leave: who is not known says nothing more there.
    world.say(MALLORY, id, b"buy").unwrap();
    assert_eq!(messages(&world.receive(TABLET).unwrap()).len(), 0);
}

#[test]
fn n_g02_what_was_forgotten_is_asked_again_by_nobody_unknown_and_by_a_contact_as_a_question() {
    let mut world = gang(803, 1);
    let id = world.found(MALLORY, "Trip", &["bob", "eve", "alice"]);
    for name in [EVE, ALICE] {
        world.say_yes(name, id);
    }
    world.rest();
    assert!(is_invited(&mut world, BOB, id));
    world.in_group(BOB, id, |group, c| group.forget(c)).unwrap();
    // Whoever Bob does not know tells all of it again, and talks.
    for from in [MALLORY, EVE] {
        let bundle = whole(&world, from, id);
        tell(&mut world, from, id, &bundle);
        world.say(from, id, b"buy").unwrap();
        let results = world.receive(BOB).unwrap();
        assert_eq!((invitations(&results), messages(&results).len()), (0, 0), "{results:?}");
        assert_eq!(world.group(BOB, id).map(drop), Err(Code::UnknownGroup));
        assert_eq!(world.rows(BOB, &[Kind::HeldContent]), 0, "nothing of it is kept");
    }
    // Alice may tell of it, and the app is asked once more.
    let bundle = whole(&world, ALICE, id);
    tell(&mut world, ALICE, id, &bundle);
    let results = world.receive(BOB).unwrap();
    assert_eq!(invitations(&results), 1, "{results:?}");
    assert!(is_invited(&mut world, BOB, id));
    world.act(BOB, id, |group, c| group.accept(c)).unwrap();
    world.rest();
    world.say(ALICE, id, b"welcome").unwrap();
    assert!(world.read(BOB).contains(&b"welcome".to_vec()));
    assert_eq!(world.rows(BOB, &[Kind::Forgotten]), 0);
}

#[test]
fn n_g02_our_own_no_does_not_bring_back_what_was_forgotten() {
    let mut world = gang(804, 2);
    let id = world.found(MALLORY, "Trip", &["bob"]);
    world.in_group(BOB, id, |group, c| group.forget(c)).unwrap();
    world.act(TABLET, id, |group, c| group.decline(c)).unwrap();
    world.receive(BOB).unwrap();
    assert_eq!(world.group(BOB, id).map(drop), Err(Code::UnknownGroup));
    // A yes does.
    let id = world.found(MALLORY, "Next", &["bob"]);
    world.in_group(BOB, id, |group, c| group.forget(c)).unwrap();
    world.act(TABLET, id, |group, c| group.accept(c)).unwrap();
    world.rest();
    assert_eq!(world.standing(BOB, id), Some(Standing::Member));
}

#[test]
fn n_g02_the_add_of_a_removed_device_lets_nobody_in() {
    let mut world = World::acquainted(805, &[("alice", 2), ("bob", 1)]);
    world.create("mallory");
    let stolen = ("alice", 2);
    world.send(stolen, &["mallory"], b"hi");
    world.rest();
    world.send(MALLORY, &["alice", "bob"], b"hi");
    world.rest();
    let id = world.found(stolen, "Trip", &["mallory"]);
    world.say_yes(MALLORY, id);
    world.rest();
    // The thief adds Bob with it. Alice has removed it, and Bob has heard so, when Mallory tells him.
    let add = world.in_group(stolen, id, |group, c| group.add(c, &[user("bob")])).unwrap();
    world.drive(stolen, add).unwrap();
    drop(world.steal(BOB));
    world.receive(MALLORY).unwrap();
    let bundle = whole(&world, MALLORY, id);
    world.remove(stolen);
    world.send(ALICE, &["bob"], b"it is gone");
    drop(world.steal(MALLORY));
    world.receive(BOB).unwrap();
    tell(&mut world, MALLORY, id, &bundle);
    let results = world.receive(BOB).unwrap();
    assert_eq!(invitations(&results), 1, "{results:?}");
    assert!(is_invited(&mut world, BOB, id));
}

#[test]
fn n_g02_a_yes_makes_known_who_asked_and_who_added_first_and_no_third() {
    let mut world = gang(806, 1);
    let (id, told) = added_by(&mut world, &[EVE, MALLORY, ZOE], &["eve", "zoe"]);
    for [told, _] in &told {
        world.decrypt(BOB, told);
    }
    world.act(BOB, id, |group, c| group.accept(c)).unwrap();
    world.rest();
    assert_eq!(world.standing(BOB, id), Some(Standing::Member));
    let next = world.found(ZOE, "Spam", &["bob"]);
    assert!(is_invited(&mut world, BOB, next), "she is as unknown as before");
}

#[test]
fn n_g02_a_device_that_was_removed_while_the_question_waited_is_retired_by_the_yes() {
    let mut world = gang(807, 2);
    let id = world.found(MALLORY, "Trip", &["bob"]);
    assert!(is_invited(&mut world, BOB, id));
    world.remove(TABLET);
    world.rest();
    let retires = |world: &World, of: Name| {
        let set = world.operations(of, id);
        let retired = |body: &Body| matches!(body, Body::Retire { device, .. } if *device == TABLET.1);
        set.operations().into_iter().filter(|operation| retired(&operation.form.body)).count()
    };
    assert_eq!(retires(&world, BOB), 0, "nothing is said there before the answer");
    world.act(BOB, id, |group, c| group.accept(c)).unwrap();
    world.rest();
    for name in [BOB, MALLORY] {
        assert_eq!(retires(&world, name), 1, "{name:?}");
    }
}

#[test]
fn n_g02_an_own_device_that_heard_a_part_asks_for_the_rest() {
    let mut world = World::acquainted(808, &[("alice", 1), ("bob", 2)]);
    let (id, send) = world.found_quietly(BOB, "Trip", &["alice"]);
    world.drive(BOB, send).unwrap();
    let told = world.steal(TABLET);
    world.all_receive();
    // The tablet hears the create alone, as if a message of several were lost.
    let mut bundle = whole(&world, BOB, id);
    let others = bundle.operations.as_slice().iter().skip(1).cloned().collect::<Vec<_>>();
    assert_eq!(others.len(), 1, "the add");
    bundle.operations = bundle.operations.as_slice().iter().take(1).cloned().collect::<Vec<_>>().into();
    drop(told);
    tell(&mut world, BOB, id, &bundle);
    world.receive(TABLET).unwrap();
    world.say(BOB, id, b"hello").unwrap();
    world.rest();
    world.rest();
    assert_eq!(world.members(TABLET, id), ["alice", "bob"]);
    assert_eq!(world.standing(TABLET, id), Some(Standing::Member));
}

#[test]
fn n_g02_mail_for_a_damaged_group_is_confirmed_and_told_and_the_group_can_be_forgotten() {
    let mut world = World::acquainted(809, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob", "jen"]);
    world.spoil(BOB, &[Kind::Group]);
    world.reopen(BOB);
    world.say(ALICE, id, b"lost").unwrap();
    let results = world.receive(BOB).unwrap();
    let next = results.iter().filter_map(|result| match result {
        Received::Failure { code, next, .. } => Some((code.blame(), *next)),
        _ => None,
    });
    assert_eq!(next.collect::<Vec<_>>(), [(Blame::Store, NextStep::Confirm)], "{results:?}");
    assert!(events(&results).iter().any(|event| matches!(event, Event::NotOpened { .. })), "{results:?}");
    world.in_group(BOB, id, |group, c| group.forget(c)).unwrap();
    world.rest();
    // Whoever tells of it brings it back.
    let bundle = whole(&world, JEN, id);
    tell(&mut world, JEN, id, &bundle);
    world.rest();
    assert_eq!(world.standing(BOB, id), Some(Standing::Member));
    world.say(JEN, id, b"back").unwrap();
    assert!(world.read(BOB).contains(&b"back".to_vec()));
}

#[test]
fn n_g02_a_second_no_is_as_quiet_as_the_first() {
    let mut world = gang(810, 1);
    let id = world.found(MALLORY, "Trip", &["bob", "alice", "zoe"]);
    for name in [ALICE, ZOE] {
        world.say_yes(name, id);
    }
    world.rest();
    world.act(BOB, id, |group, c| group.decline(c)).unwrap();
    world.rest();
    world.act(ALICE, id, |group, c| group.add(c, &[user("bob")])).unwrap();
    world.rest();
    assert!(is_invited(&mut world, BOB, id), "Alice may ask");
    world.steal(ZOE);
    world.act(BOB, id, |group, c| group.decline(c)).unwrap();
    assert_eq!(world.mails(ZOE).len(), 0, "nothing goes to whom Bob does not know");
    world.receive(ALICE).unwrap();
    assert!(!world.members(ALICE, id).contains(&"bob".to_owned()));
}

#[test]
fn n_g02_what_was_held_is_heard_in_the_order_in_which_it_was_said() {
    let mut world = gang(811, 1);
    let id = world.found(MALLORY, "Trip", &["bob"]);
    let said: Vec<Vec<u8>> = (0..20_u8).map(|at| vec![at]).collect();
    for text in &said {
        world.say(MALLORY, id, text).unwrap();
    }
    world.receive(BOB).unwrap();
    world.act(BOB, id, |group, c| group.accept(c)).unwrap();
    let heard: Vec<Vec<u8>> = world.inbox_texts(BOB).into_iter().filter(|text| said.contains(text)).collect();
    assert_eq!(heard, said);
}

#[test]
fn n_g02_what_a_stranger_asked_before_our_user_wrote_is_still_a_question() {
    let mut world = gang(813, 1);
    let id = world.found(MALLORY, "Trip", &["bob"]);
    for _ in 0..32 {
        world.pass(sesame_tests::DAY);
        world.publish(BOB);
        world.publish(MALLORY);
        world.with(BOB, |d, c| d.tick(c, true)).unwrap();
    }
    assert_eq!(world.group(BOB, id).map(drop), Err(Code::UnknownGroup), "it was dropped");
    world.send(BOB, &["mallory"], b"who are you?");
    world.rest();
    world.rest();
    assert!(is_invited(&mut world, BOB, id), "{:?}", world.standing(BOB, id));
    world.act(BOB, id, |group, c| group.accept(c)).unwrap();
    world.rest();
    assert_eq!(world.standing(BOB, id), Some(Standing::Member));
    let device = DeviceId(1);
    assert!(world.with(BOB, |d, c| d.session(c, &user("mallory"), device)).unwrap().is_some());
}
