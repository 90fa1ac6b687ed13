//! Who is known, what strangers may make a device keep, and whom the app is asked about (X 9, X 11; G2, G3).

use sesame_core::error::Code;
use sesame_core::event::{Event, GroupChange, Received, Standing};
use sesame_core::ids::GroupId;
use sesame_core::internal::steps::Steps;
use sesame_core::internal::store::Kind;
use sesame_core::limits::{MAX_HELD_KNOWN, MAX_HELD_OTHER, MAX_INVITATIONS_OF_USER};
use sesame_tests::{ALICE, BOB, DAY, JEN, Name, World, events, failures, messages, user};

const MALLORY: Name = ("mallory", 1);
const TABLET: Name = ("bob", 2);

/// Bob, to whom Mallory has written and who has not answered. Alice and Bob know each other.
fn stranger(seed: u64, devices: u32) -> World {
    let mut world = World::acquainted(seed, &[("alice", 1), ("bob", devices)]);
    world.create("mallory");
    world.send(MALLORY, &["bob", "alice"], b"hi");
    world.rest();
    world
}

/// A new group, of which its creator has told.
fn found(world: &mut World, creator: Name, name: &str, users: &[&str]) -> GroupId {
    let (id, send) = world.found_quietly(creator, name, users);
    world.drive(creator, send).unwrap();
    id
}

fn is_held(results: &[Received]) -> bool {
    results.iter().any(|result| matches!(result, Received::Held { .. }))
}

fn is_invited(world: &mut World, name: Name, id: GroupId) -> bool {
    matches!(world.standing(name, id), Some(Standing::Invited(_)))
}

fn joined(results: &[Received]) -> usize {
    events(results).iter().filter(|event| matches!(event, Event::GroupJoined { .. })).count()
}

fn dropped(results: &[Received]) -> usize {
    events(results).iter().filter(|event| matches!(event, Event::HeldDropped { .. })).count()
}

#[test]
fn n_g02_a_group_of_a_stranger_is_an_invitation_until_the_app_accepts() {
    let mut world = stranger(2, 1);
    let id = found(&mut world, MALLORY, "Trip", &["bob", "alice"]);
    let results = world.receive(BOB).unwrap();
    let asks = |event: &&Event| matches!(event, Event::GroupInvited { user: of, .. } if *of == user("mallory"));
    assert_eq!((events(&results).iter().filter(|event| asks(event)).count(), joined(&results)), (1, 0), "{results:?}");
    assert!(is_invited(&mut world, BOB, id));
    assert_eq!(world.group(BOB, id).unwrap().info.name, "Trip", "the app can show what it is asked into");
    // What is said there waits, and nothing is sent.
    world.say(MALLORY, id, b"buy").unwrap();
    assert!(is_held(&world.receive(BOB).unwrap()));
    let sent = world.relay.view().seen.len();
    world.flush(BOB);
    assert_eq!(world.relay.view().seen.len(), sent);
    let send = world.in_group(BOB, id, |group, c| group.send(c, b"x", None));
    assert_eq!(send.map(drop).map_err(|error| error.code), Err(Code::NotAMember));
    let leave = world.in_group(BOB, id, |group, c| group.leave(c));
    assert_eq!(leave.map(drop).map_err(|error| error.code), Err(Code::NotAMember));
    // Later operations of the stranger change nothing that the app was shown.
    world.act(MALLORY, id, |group, c| group.rename(c, "Other")).unwrap();
    assert_eq!(events(&world.receive(BOB).unwrap()), Vec::<&Event>::new());
    assert_eq!(world.group(BOB, id).unwrap().info.name, "Trip");
    world.reopen(BOB);
    world.act(BOB, id, |group, c| group.accept(c)).unwrap();
    assert!(world.inbox_texts(BOB).contains(&b"buy".to_vec()), "what was held is in the inbox");
    world.rest();
    world.rest();
    assert_eq!(world.group(BOB, id).unwrap().info.name, "Other", "the state is asked for");
    assert_eq!(world.standing(BOB, id), Some(Standing::Member));
    world.say(BOB, id, b"yes").unwrap();
    assert!(world.read(MALLORY).contains(&b"yes".to_vec()));
    // Mallory is known now: her next group needs no answer.
    let next = found(&mut world, MALLORY, "Next", &["bob"]);
    world.receive(BOB).unwrap();
    assert_eq!(world.standing(BOB, next), Some(Standing::Member));
}

#[test]
fn n_g02_who_was_written_to_adds_without_asking() {
    let mut world = stranger(3, 2);
    world.send(BOB, &["mallory"], b"hello");
    world.rest();
    let id = found(&mut world, MALLORY, "Trip", &["bob"]);
    world.rest();
    // The tablet knows it by the transcript.
    for name in [BOB, TABLET] {
        assert_eq!(world.standing(name, id), Some(Standing::Member), "{name:?}");
    }
}

#[test]
fn n_g02_whom_our_user_has_added_to_a_group_adds_without_asking() {
    let mut world = World::new(16);
    world.create("bob");
    world.link("bob");
    world.create("mallory");
    world.show_lists(BOB, &["mallory"]);
    let ours = found(&mut world, BOB, "Ours", &["mallory"]);
    world.rest();
    // Mallory, whom nobody has added, is asked; Bob is not.
    assert!(is_invited(&mut world, MALLORY, ours));
    world.act(MALLORY, ours, |group, c| group.accept(c)).unwrap();
    let id = found(&mut world, MALLORY, "Trip", &["bob"]);
    world.rest();
    for name in [BOB, TABLET] {
        assert_eq!(world.standing(name, id), Some(Standing::Member), "{name:?}");
    }
}

#[test]
fn n_g02_a_word_of_our_own_accepts_on_all_own_devices() {
    let mut world = stranger(4, 2);
    let id = found(&mut world, MALLORY, "Trip", &["bob"]);
    world.say(MALLORY, id, b"buy").unwrap();
    for name in [BOB, TABLET] {
        world.receive(name).unwrap();
        assert!(is_invited(&mut world, name, id), "{name:?}");
    }
    world.act(BOB, id, |group, c| group.accept(c)).unwrap();
    let results = world.receive(TABLET).unwrap();
    assert_eq!((joined(&results), messages(&results).len()), (1, 1), "{results:?}");
    assert_eq!(world.standing(TABLET, id), Some(Standing::Member));
    assert_eq!(messages(&results)[0].payload, b"buy");
    let next = found(&mut world, MALLORY, "Next", &["bob"]);
    world.receive(TABLET).unwrap();
    assert_eq!(world.standing(TABLET, next), Some(Standing::Member), "and who was accepted is known there");
}

#[test]
fn n_g02_a_message_of_an_own_device_accepts_as_well_also_before_the_invitation() {
    let mut world = stranger(5, 2);
    let id = found(&mut world, MALLORY, "Trip", &["bob"]);
    let invitation = world.steal(TABLET);
    world.receive(BOB).unwrap();
    world.act(BOB, id, |group, c| group.accept(c)).unwrap();
    world.rest();
    world.say(BOB, id, b"here").unwrap();
    world.receive(TABLET).unwrap();
    let results = world.decrypt(TABLET, &invitation);
    assert_eq!(failures(&results), []);
    assert_eq!(world.standing(TABLET, id), Some(Standing::Member));
    assert!(!events(&results).iter().any(|event| matches!(event, Event::GroupInvited { .. })));
    // In the other order the message itself is the answer.
    let mut world = stranger(6, 2);
    let id = found(&mut world, MALLORY, "Trip", &["bob"]);
    for name in [BOB, TABLET] {
        world.receive(name).unwrap();
    }
    let accept = world.in_group(BOB, id, |group, c| group.accept(c)).unwrap();
    world.withdraw(BOB, &accept, &[user("bob"), user("mallory")]);
    world.say(BOB, id, b"here").unwrap();
    let results = world.receive(TABLET).unwrap();
    assert_eq!((joined(&results), world.standing(TABLET, id)), (1, Some(Standing::Member)), "{results:?}");
}

#[test]
fn n_g02_a_decline_is_a_leave_and_nothing_of_the_group_is_shown() {
    let mut world = stranger(7, 2);
    let id = found(&mut world, MALLORY, "Trip", &["bob", "alice"]);
    world.say(MALLORY, id, b"buy").unwrap();
    for name in [BOB, TABLET] {
        world.receive(name).unwrap();
    }
    world.act(BOB, id, |group, c| group.decline(c)).unwrap();
    let late = {
        world.say(MALLORY, id, b"buy now").unwrap();
        world.steal(BOB)
    };
    world.rest();
    for name in [BOB, TABLET] {
        assert_eq!(world.standing(name, id), Some(Standing::Left), "{name:?}");
        assert_eq!(world.rows(name, &[Kind::HeldContent]), 0);
    }
    assert_eq!(world.members(MALLORY, id), ["alice", "mallory"]);
    assert_eq!(world.decrypt(BOB, &late), [], "not a word of it, nor of what is missing");
    // Who asked hears of it, and whom Bob knows.
    assert_eq!(world.members(ALICE, id), ["alice", "mallory"]);
    // Her word under a name of ours that is not ours changes nothing.
    world.act(MALLORY, id, |group, c| group.rename(c, "Again")).unwrap();
    assert_eq!(world.receive(BOB).unwrap(), []);
    assert_eq!(world.group(BOB, id).unwrap().info.name, "Trip");
    assert!(!world.inbox_texts(BOB).contains(&b"buy".to_vec()));
}

#[test]
fn n_g02_sixteen_of_one_user_and_the_rest_is_dropped_with_one_event() {
    let mut world = stranger(9, 1);
    let most = usize::from(MAX_INVITATIONS_OF_USER);
    let groups: Vec<GroupId> =
        (0..most + 3).map(|at| found(&mut world, MALLORY, &format!("Spam {at}"), &["bob"])).collect();
    let results = world.receive(BOB).unwrap();
    assert_eq!((failures(&results), dropped(&results)), (vec![], 1));
    let known = |world: &mut World| groups.iter().filter(|id| world.group(BOB, **id).is_ok()).count();
    assert_eq!(known(&mut world), most);
    // Room that is made is room.
    let rows = world.rows(BOB, &[Kind::Group]);
    world.in_group(BOB, groups[0], |group, c| group.forget(c)).unwrap();
    let id = found(&mut world, MALLORY, "Again", &["bob"]);
    world.receive(BOB).unwrap();
    assert!(is_invited(&mut world, BOB, id));
    assert_eq!(world.rows(BOB, &[Kind::Group]), rows);
    // And 30 days later they are gone.
    for _ in 0..32 {
        world.pass(DAY);
        world.with(BOB, |d, c| d.tick(c, true)).unwrap();
    }
    assert_eq!((known(&mut world), world.rows(BOB, &[Kind::Group, Kind::Operation, Kind::GroupList])), (0, 0));
}

#[test]
fn n_g02_a_forgotten_user_leaves_no_invitation() {
    let mut world = stranger(10, 1);
    let id = found(&mut world, MALLORY, "Trip", &["bob"]);
    world.receive(BOB).unwrap();
    world.with(BOB, |d, c| d.forget(c, &user("mallory"))).unwrap();
    assert_eq!(world.group(BOB, id).map(drop), Err(Code::UnknownGroup));
    assert_eq!(world.rows(BOB, &[Kind::Ledger]), 1, "Alice's");
}

#[test]
fn n_g02_a_new_device_is_not_granted_an_invitation_and_learns_who_is_known() {
    let mut world = stranger(11, 1);
    let id = found(&mut world, MALLORY, "Trip", &["bob"]);
    world.receive(BOB).unwrap();
    let tablet = world.link("bob");
    assert_eq!(world.group(tablet, id).map(drop), Err(Code::UnknownGroup));
    world.rest();
    let from_mallory = found(&mut world, MALLORY, "Next", &["bob"]);
    let from_alice = found(&mut world, ALICE, "Ours", &["bob"]);
    world.rest();
    assert!(is_invited(&mut world, tablet, from_mallory), "a stranger stays one");
    assert_eq!(world.standing(tablet, from_alice), Some(Standing::Member));
    // The yes of the phone brings the group to the tablet, which has never been told of it.
    world.act(BOB, id, |group, c| group.accept(c)).unwrap();
    world.rest();
    assert_eq!(world.standing(tablet, id), Some(Standing::Member));
    world.say(MALLORY, id, b"to both").unwrap();
    assert!(world.read(tablet).contains(&b"to both".to_vec()));
}

#[test]
fn n_g02_our_own_leave_is_no_yes() {
    let mut world = stranger(17, 2);
    let id = found(&mut world, MALLORY, "Trip", &["bob"]);
    world.say(MALLORY, id, b"buy").unwrap();
    let late = world.steal(TABLET);
    world.receive(BOB).unwrap();
    world.act(BOB, id, |group, c| group.decline(c)).unwrap();
    // The tablet hears of the decline first: it has nothing to show for it yet.
    world.receive(TABLET).unwrap();
    let results = world.decrypt(TABLET, &late);
    assert_eq!((joined(&results), messages(&results).len()), (0, 0), "{results:?}");
    assert_ne!(world.standing(TABLET, id), Some(Standing::Member));
    world.say(MALLORY, id, b"buy now").unwrap();
    assert!(!world.read(TABLET).contains(&b"buy now".to_vec()));
}

#[test]
fn n_g02_one_yes_is_a_yes_to_one_group() {
    let mut world = stranger(18, 1);
    let [one, other] = ["One", "Other"].map(|name| found(&mut world, MALLORY, name, &["bob"]));
    world.receive(BOB).unwrap();
    world.act(BOB, one, |group, c| group.accept(c)).unwrap();
    world.act(MALLORY, other, |group, c| group.rename(c, "Once more")).unwrap();
    world.rest();
    assert_eq!(world.standing(BOB, one), Some(Standing::Member));
    assert!(is_invited(&mut world, BOB, other), "what was asked is answered by the app");
    world.act(BOB, other, |group, c| group.decline(c)).unwrap();
    assert_eq!(world.standing(BOB, other), Some(Standing::Left));
}

#[test]
fn n_g03_a_stranger_whose_group_was_dropped_is_asked_once_our_user_has_written() {
    let mut world = stranger(19, 1);
    let most = usize::from(MAX_INVITATIONS_OF_USER);
    let groups: Vec<GroupId> =
        (0..=most).map(|at| found(&mut world, MALLORY, &format!("Spam {at}"), &["bob"])).collect();
    world.receive(BOB).unwrap();
    let last = groups[most];
    assert_eq!(world.group(BOB, last).map(drop), Err(Code::UnknownGroup));
    let sent = world.relay.view().seen.len();
    world.with(BOB, |d, c| d.tick(c, true)).unwrap();
    world.flush(BOB);
    assert_eq!(world.relay.view().seen.len(), sent, "a stranger is not told that we are there");
    world.send(BOB, &["mallory"], b"what do you want?");
    world.rest();
    world.rest();
    // To write to her is no yes to what she asked before.
    assert!(is_invited(&mut world, BOB, last));
    world.act(BOB, last, |group, c| group.accept(c)).unwrap();
    world.rest();
    assert_eq!(world.standing(BOB, last), Some(Standing::Member));
}

/// Content of a group that Bob never hears the add of.
fn spam(world: &mut World, from: Name, bytes: usize) -> Vec<Vec<u8>> {
    let (id, send) = world.found_quietly(from, "Spam", &["bob"]);
    world.withdraw(from, &send, &[user("bob")]);
    let send = world.in_group(from, id, |group, c| group.send(c, &vec![7; bytes], None)).unwrap();
    world.drive(from, send).unwrap();
    world.steal(BOB)
}

#[test]
fn n_g03_strangers_do_not_displace_what_a_contact_has_held() {
    let mut world = World::acquainted(12, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let crowd = world.crowd(0..40, false);
    for name in &crowd {
        world.send((name, 1), &["bob"], b"hi");
        world.receive(BOB).unwrap();
    }
    let (mut held, mut told) = (0_u64, 0);
    for name in &crowd {
        // Two of them fill a stranger's room, the third is too much.
        for _ in 0..3 {
            let mails = spam(&mut world, (name, 1), 30_000);
            let results = world.decrypt(BOB, &mails);
            assert_eq!(failures(&results), []);
            held += results.iter().filter(|result| matches!(result, Received::Held { .. })).count() as u64;
            told += dropped(&results);
        }
    }
    assert_eq!(told, crowd.len(), "each is told of once");
    assert!(held * 30_000 <= 2 * 1_024 * 1_024 && held >= 64, "{held}");
    for from in [ALICE, JEN] {
        let mails = spam(&mut world, from, 60_000);
        assert!(is_held(&world.decrypt(BOB, &mails)), "{from:?}");
    }
}

#[test]
fn n_g03_the_devices_of_a_user_share_the_users_room() {
    let mut world = World::new(13);
    world.create("bob");
    world.create("mallory");
    for _ in 1..4 {
        world.link("mallory");
    }
    let devices: Vec<Name> = (1..=4).map(|id| ("mallory", id)).collect();
    for from in &devices {
        world.send(*from, &["bob"], b"hi");
        world.rest();
    }
    let mut held = 0;
    for from in devices.iter().cycle().take(120) {
        let mails = spam(&mut world, *from, 1);
        let results = world.decrypt(BOB, &mails);
        held += results.iter().filter(|result| matches!(result, Received::Held { .. })).count() as u64;
    }
    assert_eq!(held, MAX_HELD_OTHER / 1_024);
    // What there is no room for leaves no session either.
    let sessions = world.rows(BOB, &[Kind::Session]);
    assert!(sessions as u64 <= held + 4, "{sessions}");
    // Once our user has written, there is more of it.
    world.send(BOB, &["mallory"], b"who are you?");
    world.rest();
    let mut more = held;
    for from in devices.iter().cycle().take(260) {
        let mails = spam(&mut world, *from, 1);
        let results = world.decrypt(BOB, &mails);
        more += results.iter().filter(|result| matches!(result, Received::Held { .. })).count() as u64;
    }
    assert_eq!(more, MAX_HELD_KNOWN / 1_024);
}

#[test]
fn n_g03_who_was_dropped_is_asked_once_there_is_room() {
    let mut world = World::acquainted(14, &[("alice", 1), ("bob", 1)]);
    let id = found(&mut world, ALICE, "Trip", &["bob"]);
    drop(world.steal(BOB));
    // Operations of groups that Bob never hears the beginning of fill all of Alice's room.
    let change = GroupChange {
        description: Some("7".repeat(2_048)),
        picture: Some(vec![7; 1_024]),
        app_data: Some(vec![7; 4_096]),
        ..GroupChange::default()
    };
    for _ in 0..2 {
        let (other, send) = world.found_quietly(ALICE, "Other", &["bob"]);
        world.withdraw(ALICE, &send, &[user("bob")]);
        for _ in 0..75 {
            world.act(ALICE, other, |group, c| group.update_info(c, &change)).unwrap();
        }
    }
    assert_eq!(failures(&world.receive(BOB).unwrap()), []);
    world.act(ALICE, id, |group, c| group.update_info(c, &change)).unwrap();
    let results = world.receive(BOB).unwrap();
    assert!(!is_held(&results), "{results:?}");
    assert_eq!(world.group(BOB, id).map(drop), Err(Code::UnknownGroup));
    for _ in 0..31 {
        world.pass(DAY);
        world.publish(ALICE);
        world.publish(BOB);
        world.with(BOB, |d, c| d.tick(c, true)).unwrap();
    }
    world.rest();
    world.rest();
    assert_eq!(Some(world.group(BOB, id).unwrap().info.app_data), change.app_data);
}

#[test]
fn n_g03_what_a_damaged_row_held_is_room_again_the_next_day() {
    let mut world = stranger(15, 1);
    for _ in 0..64 {
        let mails = spam(&mut world, MALLORY, 1);
        world.decrypt(BOB, &mails);
    }
    world.spoil(BOB, &[Kind::HeldContent]);
    world.reopen(BOB);
    world.pass(DAY);
    world.with(BOB, |d, c| d.tick(c, true)).unwrap();
    world.with(BOB, |d, c| d.tick(c, true)).unwrap();
    let mails = spam(&mut world, MALLORY, 1);
    assert!(is_held(&world.decrypt(BOB, &mails)));
    // A ledger that does not open costs nothing but that a known user is a stranger until the next word to them.
    world.spoil(BOB, &[Kind::Ledger]);
    world.reopen(BOB);
    world.send(BOB, &["mallory", "alice"], b"x");
    assert_eq!(world.read(ALICE), [b"x"]);
}

#[test]
fn n_g02_who_was_not_told_of_a_no_is_passed_over_in_silence_for_good() {
    let mut world = stranger(20, 1);
    world.create("zoe");
    let zoe = ("zoe", 1);
    world.send(zoe, &["mallory"], b"hi");
    world.send(MALLORY, &["zoe"], b"hi");
    world.rest();
    let id = found(&mut world, MALLORY, "Trip", &["bob", "zoe"]);
    world.rest();
    world.say(zoe, id, b"buy").unwrap();
    world.receive(BOB).unwrap();
    world.act(BOB, id, |group, c| group.decline(c)).unwrap();
    for day in 0..3 {
        // Housekeeping deletes what lies in sessions that are over.
        world.pass(DAY);
        world.publish(zoe);
        world.publish(BOB);
        world.with(BOB, |d, c| d.tick(c, true)).unwrap();
        world.say(zoe, id, b"buy now").unwrap();
        let results = world.receive(BOB).unwrap();
        let odd = |event: &&Event| matches!(event, Event::NotOpened { .. } | Event::GroupInvited { .. });
        assert_eq!((failures(&results), messages(&results).len()), (vec![], 0), "day {day}");
        assert_eq!(events(&results).iter().filter(|event| odd(event)).count(), 0, "day {day}");
    }
    // She is told, once.
    world.with(BOB, |d, c| d.tick(c, true)).unwrap();
    world.flush(BOB);
    world.receive(zoe).unwrap();
    assert_eq!(world.members(zoe, id), ["mallory", "zoe"]);
}

#[test]
fn n_g02_who_has_left_is_asked_back_on_all_devices_by_any_member() {
    let mut world = World::acquainted(21, &[("alice", 1), ("bob", 1)]);
    world.create("zoe");
    let zoe = ("zoe", 1);
    world.send(zoe, &["alice", "bob"], b"hi");
    world.send(ALICE, &["zoe"], b"hi");
    world.rest();
    let id = world.found(ALICE, "Trip", &["bob", "zoe"]);
    world.rest();
    world.act(BOB, id, |group, c| group.leave(c)).unwrap();
    world.rest();
    let tablet = world.link("bob");
    world.rest();
    // Zoe, to whom Bob has never written.
    world.act(zoe, id, |group, c| group.add(c, &[user("bob")])).unwrap();
    world.rest();
    for name in [BOB, tablet] {
        assert!(is_invited(&mut world, name, id), "{name:?}");
    }
    world.act(BOB, id, |group, c| group.accept(c)).unwrap();
    world.rest();
    world.say(zoe, id, b"back").unwrap();
    for name in [BOB, tablet] {
        assert!(world.read(name).contains(&b"back".to_vec()), "{name:?}");
    }
}

#[test]
fn n_g02_who_forgets_a_declined_group_is_asked_again_by_nobody_unknown() {
    let mut world = stranger(22, 1);
    let id = found(&mut world, MALLORY, "Trip", &["bob"]);
    world.receive(BOB).unwrap();
    world.act(BOB, id, |group, c| group.decline(c)).unwrap();
    world.rest();
    world.in_group(BOB, id, |group, c| group.forget(c)).unwrap();
    world.act(MALLORY, id, |group, c| group.add(c, &[user("bob")])).unwrap();
    let results = world.receive(BOB).unwrap();
    assert!(!events(&results).iter().any(|event| matches!(event, Event::GroupInvited { .. })), "{results:?}");
    assert_eq!(world.group(BOB, id).map(drop), Err(Code::UnknownGroup));
}
