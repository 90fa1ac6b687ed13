//! It always heals: after any fault, two messages each way and both sides talk, and what was said meanwhile is sent again (X 8).

use sesame_core::error::Code;
use sesame_core::event::{Event, Item, Recipients};
use sesame_core::ids::{DeviceId, GroupId, SessionId};
use sesame_core::internal::steps::{Answers, Steps};
use sesame_core::internal::store::Kind;
use sesame_tests::{ALICE, BOB, DAY, JEN, Name, World, failures, is_of, store::Fault, user};
use std::collections::{BTreeMap, BTreeSet};

/// Between two messages, in ms: longer than any pause after a failure.
const MINUTES: u64 = 6 * 60 * 1_000;

/// Alice and Bob, who have talked by the loop.
fn talked(seed: u64) -> World {
    let mut world = World::new(seed);
    for name in ["alice", "bob"] {
        let name = world.create_quietly(name);
        world.run(name);
    }
    for _ in 0..2 {
        say(&mut world, ALICE, "bob", b"hi");
        read(&mut world, BOB);
        say(&mut world, BOB, "alice", b"hello");
        read(&mut world, ALICE);
    }
    world
}

/// Sends a message and lets it go out. What has paused goes on.
fn say(world: &mut World, from: Name, to: &str, text: &[u8]) {
    world.run(from);
    world.pass(MINUTES);
    world.begin(from, &[to], text);
    world.run(from);
}

/// Fetches the mailbox and acks everything; gives the texts.
fn read(world: &mut World, name: Name) -> Vec<Vec<u8>> {
    world.fetch(name);
    let texts = world.inbox_texts(name);
    ack(world, name);
    texts
}

fn ack(world: &mut World, name: Name) -> Vec<Event> {
    let (mut ids, mut events) = (Vec::new(), Vec::new());
    for row in world.inbox(name) {
        ids.push(row.id);
        if let Item::Event(event) = row.item {
            events.push(event);
        }
    }
    world.with(name, |device, context| device.ack(context, &ids)).unwrap();
    events
}

/// The sessions that the two send on.
fn sessions(world: &mut World) -> [SessionId; 2] {
    [(ALICE, BOB), (BOB, ALICE)].map(|(of, with)| world.session(of, with).unwrap().id)
}

/// Two messages each way, the first by `first`; gives what each of the two has read.
fn two_each_way(world: &mut World, first: Name) -> BTreeMap<Name, BTreeSet<Vec<u8>>> {
    let second = if first == ALICE { BOB } else { ALICE };
    let mut texts: BTreeMap<Name, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for round in 0..2_u8 {
        for (from, to) in [(first, second), (second, first)] {
            say(world, from, to.0, &[100 + round]);
            for name in [ALICE, BOB] {
                texts.entry(name).or_default().extend(read(world, name));
            }
        }
    }
    for name in [ALICE, BOB, ALICE] {
        texts.entry(name).or_default().extend(read(world, name));
    }
    texts
}

/// Two messages each way have arrived, and both sides talk on one session.
fn assert_healed(world: &mut World, first: Name, fault: &str) {
    let texts = two_each_way(world, first);
    for name in [ALICE, BOB] {
        for round in 100..102_u8 {
            assert!(texts[&name].contains([round].as_slice()), "{fault}: {name:?} {texts:?}");
        }
    }
    say(world, ALICE, "bob", b"now");
    assert_eq!(read(world, BOB), [b"now"], "{fault}");
    say(world, BOB, "alice", b"and now");
    assert_eq!(read(world, ALICE), [b"and now"], "{fault}");
    let [ours, theirs] = sessions(world);
    assert_eq!(ours, theirs, "{fault}");
}

/// The two go on for so many days, with a message each way every four days.
fn go_on(world: &mut World, days: u64) {
    for round in 0..5_u8 {
        say(world, ALICE, "bob", &[round]);
        read(world, BOB);
        say(world, BOB, "alice", &[round]);
        read(world, ALICE);
        for _ in 0..days / 5 {
            world.pass(DAY);
            world.fetch(ALICE);
            world.fetch(BOB);
        }
    }
}

#[test]
fn n_l03_a_store_that_was_put_back_talks_again_and_what_was_lost_is_sent_again() {
    for (first, days) in [(ALICE, 0), (BOB, 0), (ALICE, 20), (BOB, 20)] {
        let mut world = talked(1);
        let copy = world.dump(ALICE);
        go_on(&mut world, days);
        world.put_back(ALICE, copy);
        assert_healed(&mut world, first, &format!("{first:?} first, {days} days"));
    }
}

#[test]
fn n_l03_both_stores_are_put_back_at_once() {
    for first in [ALICE, BOB] {
        for days in [0, 20] {
            let mut world = talked(2);
            let copies = [ALICE, BOB].map(|name| (name, world.dump(name)));
            go_on(&mut world, days);
            copies.into_iter().for_each(|(name, copy)| world.put_back(name, copy));
            assert_healed(&mut world, first, &format!("{first:?} first, {days} days"));
        }
    }
}

#[test]
fn n_l03_what_waited_in_the_mailbox_is_sent_again_and_is_marked_so() {
    let mut world = talked(3);
    let copy = world.dump(ALICE);
    go_on(&mut world, 0);
    let said: Vec<Vec<u8>> = (0..50_u8).map(|n| vec![n, 1]).collect();
    for text in &said {
        say(&mut world, BOB, "alice", text);
    }
    world.put_back(ALICE, copy);
    assert_eq!(read(&mut world, ALICE), Vec::<Vec<u8>>::new());
    world.run(ALICE);
    // Bob hears one retry, and begins anew.
    let envelopes = world.mails(BOB).len();
    world.fetch(BOB);
    let events = ack(&mut world, BOB);
    let reset = Event::SessionReset { user: user("alice"), device: DeviceId(1), by_us: true };
    let resent = Event::Resent { user: user("alice"), device: DeviceId(1), messages: 50 };
    assert!(envelopes == 1 && events.contains(&reset) && events.contains(&resent), "{envelopes} {events:?}");
    world.fetch(ALICE);
    let mut texts = Vec::new();
    for row in world.inbox(ALICE) {
        match row.item {
            Item::Message(message) => {
                assert!(message.flags.resent);
                texts.push(message.payload.clone());
            }
            Item::Event(_) => {}
        }
    }
    assert_eq!(texts, said);
    let reset = Event::SessionReset { user: user("bob"), device: DeviceId(1), by_us: false };
    assert_eq!(ack(&mut world, ALICE).into_iter().filter(|event| *event == reset).count(), 1);
    assert_healed(&mut world, ALICE, "afterwards");
}

#[test]
fn a_damaged_session_heals_and_gets_its_message_again() {
    for kind in [Kind::Session, Kind::Chains, Kind::Index] {
        let mut world = talked(4);
        world.spoil(ALICE, &[kind]);
        say(&mut world, BOB, "alice", b"is it there?");
        let mut texts = read(&mut world, ALICE);
        read(&mut world, BOB);
        texts.extend(read(&mut world, ALICE));
        assert_eq!(texts, [b"is it there?"], "{kind:?}");
        assert_healed(&mut world, BOB, &format!("{kind:?}"));
    }
}

#[test]
fn a_body_that_was_spoilt_on_the_way_is_sent_again_on_the_same_session() {
    let mut world = talked(5);
    let before = sessions(&mut world);
    say(&mut world, BOB, "alice", b"once more");
    let mut mails = world.steal(ALICE);
    *mails[0].last_mut().unwrap() ^= 1;
    assert_eq!(failures(&world.decrypt(ALICE, &mails)), [Code::AuthenticationFailed]);
    world.run(ALICE);
    read(&mut world, BOB);
    assert_eq!(read(&mut world, ALICE), [b"once more"]);
    assert_eq!(sessions(&mut world), before);
    // The very envelope comes after all, and is known.
    *mails[0].last_mut().unwrap() ^= 1;
    assert_eq!(failures(&world.decrypt(ALICE, &mails)), [Code::Duplicate]);
    assert_healed(&mut world, BOB, "afterwards");
}

#[test]
fn whose_prekeys_are_lost_begins_the_session_itself() {
    let mut world = talked(6);
    let rows = world.dump(ALICE).into_iter().filter(|(key, _)| !is_of(key, &[Kind::PreKey])).collect();
    world.put_back(ALICE, rows);
    // Bob's sessions are lost as well: he begins one with a prekey that Alice has no more.
    world.spoil(BOB, &[Kind::Session]);
    say(&mut world, BOB, "alice", b"with a lost prekey");
    world.fetch(ALICE);
    let began = |event: &Event| matches!(event, Event::SessionReset { by_us: true, .. });
    assert!(ack(&mut world, ALICE).iter().any(began));
    read(&mut world, BOB);
    let texts = read(&mut world, ALICE);
    assert_eq!(texts, [b"with a lost prekey"]);
    assert_healed(&mut world, BOB, "afterwards");
}

#[test]
fn a_stranger_is_not_asked() {
    let mut world = World::new(7);
    for name in ["alice", "bob"] {
        let name = world.create_quietly(name);
        world.run(name);
    }
    // Alice has never written to Bob.
    say(&mut world, BOB, "alice", b"hello");
    read(&mut world, ALICE);
    world.spoil(ALICE, &[Kind::Session]);
    say(&mut world, BOB, "alice", b"who am I?");
    assert_eq!(read(&mut world, ALICE), Vec::<Vec<u8>>::new());
    world.run(ALICE);
    assert_eq!((world.mails(BOB).len(), world.rows(ALICE, &[Kind::Healing])), (0, 0));
}

#[test]
fn what_is_replayed_resets_nothing() {
    let mut world = talked(8);
    let copy = world.dump(ALICE);
    go_on(&mut world, 0);
    world.put_back(ALICE, copy);
    say(&mut world, BOB, "alice", b"lost");
    let lost = world.mails(ALICE);
    world.fetch(ALICE);
    let retry = world.mails(BOB);
    assert_healed(&mut world, BOB, "at first");
    let before = sessions(&mut world);
    // The envelope that did not open, and the retry that asked for it, come again and again, for weeks.
    for day in 0..40 {
        world.decrypt(ALICE, &lost);
        world.decrypt(BOB, &retry);
        for name in [ALICE, BOB, ALICE, BOB] {
            assert_eq!(read(&mut world, name), Vec::<Vec<u8>>::new(), "day {day}");
        }
        assert_eq!(sessions(&mut world), before, "day {day}");
        world.pass(DAY);
    }
}

#[test]
fn a_message_is_sent_again_five_times_at_most() {
    let mut world = talked(9);
    say(&mut world, BOB, "alice", b"never");
    let mut times = 0;
    for _ in 0..20 {
        let mut mails = world.steal(ALICE);
        mails.iter_mut().for_each(|mail| *mail.last_mut().unwrap() ^= 1);
        world.decrypt(ALICE, &mails);
        world.run(ALICE);
        world.fetch(BOB);
        let resent = |event: &Event| if let Event::Resent { messages, .. } = event { *messages } else { 0 };
        times += ack(&mut world, BOB).iter().map(resent).sum::<u32>();
        world.pass(DAY / 24);
        world.run(ALICE);
    }
    assert_eq!(times, 5);
    assert_healed(&mut world, BOB, "afterwards");
}

#[test]
fn what_was_sent_is_kept_for_14_days() {
    for (days, is_kept) in [(13, true), (16, false)] {
        let mut world = talked(10);
        say(&mut world, BOB, "alice", b"late");
        ack(&mut world, BOB);
        let mut mails = world.steal(ALICE);
        *mails[0].last_mut().unwrap() ^= 1;
        for _ in 0..days {
            world.pass(DAY);
            world.fetch(BOB);
        }
        world.decrypt(ALICE, &mails);
        world.run(ALICE);
        read(&mut world, BOB);
        assert_eq!(read(&mut world, ALICE).is_empty(), !is_kept, "{days} days");
        assert_eq!(world.rows(BOB, &[Kind::Sent]) > 0, is_kept);
        assert_healed(&mut world, BOB, "afterwards");
    }
}

#[test]
fn keep_sent_of_0_days_keeps_nothing_and_a_session_heals_all_the_same() {
    let mut world = talked(11);
    say(&mut world, BOB, "alice", b"before");
    read(&mut world, ALICE);
    ack(&mut world, BOB);
    assert!(world.rows(BOB, &[Kind::Sent]) > 0);
    let too_long = world.with(BOB, |device, context| device.keep_sent(context, 15)).unwrap_err();
    assert_eq!((too_long.code, too_long.field), (Code::InvalidArgument, Some("days")));
    world.with(BOB, |device, context| device.keep_sent(context, 0)).unwrap();
    assert_eq!(world.rows(BOB, &[Kind::Sent]), 0);
    world.spoil(ALICE, &[Kind::Session]);
    say(&mut world, BOB, "alice", b"lost");
    ack(&mut world, BOB);
    for name in [ALICE, BOB, ALICE] {
        assert_eq!(read(&mut world, name), Vec::<Vec<u8>>::new());
    }
    assert_eq!(world.rows(BOB, &[Kind::Sent]), 0);
    assert_healed(&mut world, BOB, "afterwards");
}

#[test]
fn the_app_begins_anew_by_its_own_word() {
    let mut world = talked(12);
    let before = sessions(&mut world);
    world.with(ALICE, |d, c| d.reset_session(c, &user("bob"), DeviceId(1))).unwrap();
    world.run(ALICE);
    assert_eq!(read(&mut world, BOB), Vec::<Vec<u8>>::new());
    let after = sessions(&mut world);
    assert!(after[0] == after[1] && after != before);
    assert_healed(&mut world, BOB, "afterwards");
    let refused = |world: &mut World, name: &str, device| {
        let before = world.dump(ALICE);
        let code = world.with(ALICE, |d, c| d.reset_session(c, &user(name), DeviceId(device))).unwrap_err().code;
        assert!(world.dump(ALICE) == before);
        code
    };
    assert_eq!(refused(&mut world, "zoe", 1), Code::UnknownUser);
    assert_eq!(refused(&mut world, "bob", 2), Code::UnknownDevice);
    assert_eq!(refused(&mut world, "alice", 1), Code::InvalidArgument);
}

#[test]
fn nothing_is_sent_again_to_a_changed_identity() {
    let mut world = talked(13);
    say(&mut world, BOB, "alice", b"for the old Alice");
    let mut mails = world.steal(ALICE);
    *mails[0].last_mut().unwrap() ^= 1;
    world.decrypt(ALICE, &mails);
    world.run(ALICE);
    // Bob hears of another Alice before he hears the retry.
    let list = {
        let mut elsewhere = World::new(14);
        elsewhere.now = world.now;
        elsewhere.create("alice");
        elsewhere.relay.device_list(&user("alice")).unwrap()
    };
    let answers = Answers { device_lists: vec![list], ..Answers::default() };
    world.with(BOB, |device, context| device.apply(context, &answers)).unwrap();
    read(&mut world, BOB);
    assert_eq!((world.mails(ALICE).len(), world.rows(BOB, &[Kind::SendPart])), (0, 0));
}

/// A message to a group, by the loop.
fn say_there(world: &mut World, from: Name, group: GroupId, text: &[u8]) {
    world.run(from);
    world.pass(MINUTES);
    world.with(from, |d, c| d.batch_encrypt(c, Recipients::Group(group), text, None)).unwrap();
    world.run(from);
}

#[test]
fn n_l03_in_a_group_a_store_that_was_put_back_talks_again() {
    for first in [ALICE, BOB] {
        let (mut world, group) = World::trio(15);
        let all = [ALICE, BOB, JEN];
        let round = |world: &mut World, text: u8| {
            for from in all {
                say_there(world, from, group, &[text, from.0.as_bytes()[0]]);
                all.into_iter().for_each(|name| drop(read(world, name)));
            }
        };
        round(&mut world, 0);
        let copy = world.dump(ALICE);
        (1..5).for_each(|text| round(&mut world, text));
        world.put_back(ALICE, copy);
        let mut heard: BTreeMap<Name, BTreeSet<Vec<u8>>> = BTreeMap::new();
        let order = if first == ALICE { [ALICE, BOB, JEN] } else { [BOB, JEN, ALICE] };
        for text in 100..102_u8 {
            for from in order {
                say_there(&mut world, from, group, &[text, from.0.as_bytes()[0]]);
                for name in all {
                    heard.entry(name).or_default().extend(read(&mut world, name));
                }
            }
        }
        for name in [ALICE, BOB, JEN, ALICE, BOB, JEN] {
            heard.entry(name).or_default().extend(read(&mut world, name));
        }
        for (to, from) in all.into_iter().flat_map(|to| all.map(|from| (to, from))).filter(|(to, from)| to != from) {
            for text in 100..102_u8 {
                let text = [text, from.0.as_bytes()[0]];
                assert!(heard[&to].contains(text.as_slice()), "{first:?} first: {to:?} from {from:?}: {heard:?}");
            }
        }
        for (of, with) in [(ALICE, BOB), (ALICE, JEN)] {
            let [ours, theirs] =
                [(of, with), (with, of)].map(|(of, with)| world.group_session(of, with, group).unwrap().id);
            assert_eq!(ours, theirs, "{of:?} {with:?}");
        }
    }
}

#[test]
fn an_outage_of_a_thousand_messages_costs_a_few_questions() {
    let mut world = talked(16);
    let copy = world.dump(ALICE);
    go_on(&mut world, 0);
    for n in 0..1_000_u16 {
        world.begin(BOB, &["alice"], &n.to_be_bytes());
    }
    world.run(BOB);
    world.put_back(ALICE, copy);
    let mut asked = 0;
    for _ in 0..3 {
        world.fetch(ALICE);
        ack(&mut world, ALICE);
        world.run(ALICE);
        asked += world.mails(BOB).len();
        read(&mut world, BOB);
        read(&mut world, ALICE);
    }
    assert!(asked <= 3, "{asked}");
    assert_healed(&mut world, BOB, "afterwards");
}

/// Alice and Bob talk while everything goes wrong by chance: mail is lost, spoilt, repeated and reordered, and stores are put back. Gives how many
/// envelopes went out.
fn at_random(seed: u64, steps: usize) -> (World, usize) {
    let mut world = talked(seed);
    let mut copies = vec![(ALICE, world.dump(ALICE)), (BOB, world.dump(BOB))];
    let (mut old, mut sent): (Vec<(Name, Vec<u8>)>, usize) = (Vec::new(), 0);
    for step in 0..steps {
        let (name, other) = if world.below(2) == 0 { (ALICE, BOB) } else { (BOB, ALICE) };
        match world.below(20) {
            0..6 => {
                world.begin(name, &[other.0], &step.to_be_bytes());
                world.run(name);
            }
            6..12 => {
                read(&mut world, name);
            }
            12 => drop(world.steal(name)),
            13 => {
                let mut mails = world.steal(name);
                for mail in &mut mails {
                    if mail.len() % 2 == 0 {
                        *mail.last_mut().unwrap() ^= 1;
                    }
                }
                mails.reverse();
                world.decrypt(name, &mails);
            }
            14 => old.extend(world.mails(name).into_iter().map(|mail| (name, mail))),
            15 => {
                let again: Vec<Vec<u8>> =
                    old.iter().filter(|(to, _)| *to == name).map(|(_, mail)| mail.clone()).collect();
                world.decrypt(name, &again);
            }
            16 => copies.push((name, world.dump(name))),
            17 if world.below(4) == 0 => {
                let at = world.below(copies.len());
                let (name, copy) = copies[at].clone();
                world.put_back(name, copy);
            }
            18 => world.pass(20 * MINUTES),
            _ => {}
        }
        sent += world.mails(ALICE).len() + world.mails(BOB).len();
        if old.len() > 60 {
            old.drain(..30);
        }
    }
    (world, sent)
}

#[test]
fn after_10_000_random_steps_both_sides_talk_and_nothing_goes_round_in_circles() {
    for seed in 100..120 {
        let (mut world, _) = at_random(seed, 500);
        // What is still to be asked and answered comes to an end.
        let mut quiet = 0;
        for _ in 0..60 {
            world.pass(30 * MINUTES);
            let before = [ALICE, BOB].map(|name| world.mails(name).len());
            for name in [ALICE, BOB] {
                read(&mut world, name);
            }
            let after = [ALICE, BOB].map(|name| world.mails(name).len());
            quiet = if before == [0, 0] && after == [0, 0] { quiet + 1 } else { 0 };
        }
        assert!(quiet > 20, "seed {seed}: the two go on for ever");
        assert_healed(&mut world, ALICE, &format!("seed {seed}"));
    }
}

/// Runs the loop of a device, which is opened again whenever its store fails.
fn run_through(world: &mut World, name: Name) {
    for _ in 0..3 {
        world.with_requests(name, |_, _, requests| requests.request_mail(10_000));
        loop {
            match world.next(name) {
                Ok(None) => break,
                Err(_) => world.reopen(name),
                Ok(Some(request)) => {
                    let (status, body) = world.perform(&request);
                    if world.respond(name, &request.id, (status, &body)).is_err() {
                        world.reopen(name);
                    }
                }
            }
        }
    }
}

#[test]
fn a_crash_at_any_store_operation_of_healing_heals_all_the_same() {
    for failing in [ALICE, BOB] {
        for fault in [Fault::Fails, Fault::LandsUnknown] {
            for n in (0..).step_by(9) {
                let mut world = talked(17);
                let copy = world.dump(ALICE);
                go_on(&mut world, 0);
                say(&mut world, BOB, "alice", b"once");
                world.put_back(ALICE, copy);
                world.hosts[&failing].store.fail_at(n, fault);
                for _ in 0..3 {
                    run_through(&mut world, ALICE);
                    run_through(&mut world, BOB);
                    world.pass(2 * MINUTES);
                }
                let struck = world.hosts[&failing].store.struck();
                let texts = world.inbox_texts(ALICE);
                let times = texts.iter().filter(|text| *text == b"once").count();
                assert_eq!(times, 1, "{failing:?} {fault:?} at {n}: {struck:?} {texts:?}");
                ack(&mut world, ALICE);
                ack(&mut world, BOB);
                assert_healed(&mut world, ALICE, &format!("{failing:?} {fault:?} at {n}"));
                if struck.is_none() {
                    assert!(n > 30, "{n}");
                    break;
                }
            }
        }
    }
}
