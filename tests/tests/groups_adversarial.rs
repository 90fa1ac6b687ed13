//! Private groups with dishonest members and dishonest servers (A47 to A57).

use sesame_core::error::Code;
use sesame_core::event::{Act, Event, Item, Received, Standing};
use sesame_core::ids::{DeviceId, GroupId, GroupKind};
use sesame_core::internal::crypto::labels;
use sesame_core::internal::group::{operation::Operation, set::Set};
use sesame_core::internal::registry::admission;
use sesame_core::internal::steps::{Answers, Standing as Sending, Steps};
use sesame_core::internal::store::{Kind, Sealer};
use sesame_core::internal::wire::content::{Body as Content, GroupClaim, SentTo, Stamp};
use sesame_core::internal::wire::group::{self as form, Added, Body, Bundle, Change, SignedOperation};
use sesame_core::{
    context::{Context, Timestamp},
    internal::model::User,
};
use sesame_core::{
    ids::Scope,
    internal::record::{Record, StoredOperation},
};
use sesame_tests::source::{parsed, paths};
use sesame_tests::{ALICE, BOB, DAY, JEN, Name, World, events, failures, is_of, messages, store_key, user};
use std::collections::BTreeSet;

#[test]
fn a47_nothing_rides_in_a_scope_where_it_has_no_business() {
    let (mut world, id) = World::trio(47);
    world.say(BOB, id, b"x").unwrap();
    world.receive(ALICE).unwrap();
    let stamp = Stamp { content_id: [1; 16], sent_at: 1 };
    let claim = GroupClaim { count: 1, digest: [1; 16] };
    let to = SentTo { user: b"jen".to_vec().into(), account_key: None, verified: 0 };
    let direct = [
        Content::Message { stamp, payload: vec![1].into() },
        Content::Transcript { stamp, recipients: vec![to].into(), payload: vec![1].into() },
    ];
    let in_group = [
        Content::Group { stamp, claim, payload: vec![1].into() },
        Content::Operations { stamp, claim, bundle: vec![0; 6].into() },
    ];
    let group = Scope::Group(GroupKind::Pairwise, id);
    // As a pure rule, and as authentic envelopes of a member whose client keeps none.
    for (bodies, wrong, right) in [(&direct, group, Scope::Direct), (&in_group, Scope::Direct, group)] {
        for body in bodies {
            assert_eq!(admission::fits(body, right), Ok(()));
            assert_eq!(admission::fits(body, wrong), Err(Code::WrongScope));
            let content = [world.prelude(BOB, ALICE, 9).encode().unwrap(), body.encode().unwrap()].concat();
            let envelope = world.craft(BOB, ALICE, wrong, [9; 16], &content);
            assert_eq!(world.refusal(ALICE, &envelope), Some(Code::WrongScope), "{body:?}");
        }
    }
}

/// What a client that keeps no rules sends: a signed operation in the place of a message that it had ready.
fn smuggle(world: &mut World, from: Name, id: GroupId, set: &Set, body: Body) -> Sending {
    let signer = world.own(from).keys();
    let list = world.list(from.0);
    let draft = set.draft(&signer.party, body).unwrap();
    let operation = Operation::sign(&signer, &list, draft).unwrap();
    let operations = vec![SignedOperation::decode(&operation.signed).unwrap()];
    let bundle = Bundle { lists: vec![list.signed.into()].into(), operations: operations.into() };
    world.replace_payload(from, id, &bundle.encode().unwrap())
}

#[test]
fn t79_a48_a_stranger_who_knows_the_group_id_achieves_nothing_and_learns_nothing() {
    let mut world = World::acquainted(48, &[("alice", 1), ("bob", 1), ("mallory", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    let mallory = ("mallory", 1);
    world.plant(ALICE, mallory);
    let before = world.group(BOB, id).unwrap();
    let signer = world.own(mallory).keys();
    let set = world.operations(ALICE, id);
    for round in 0..4 {
        let myself = Added {
            user: b"mallory".to_vec().into(),
            account_key: *signer.party.account_key.as_bytes(),
            leaves: vec![].into(),
        };
        let body = match round {
            0 => Some(Body::Info { change: Change { name: Some(b"Mine".to_vec().into()), ..Change::default() } }),
            1 => Some(Body::Add { members: vec![myself].into() }),
            2 => Some(Body::Leave),
            _ => None,
        };
        let send = match body {
            Some(body) => smuggle(&mut world, mallory, id, &set, body),
            None => world.whisper(mallory, id, b"I am in"),
        };
        world.drive(mallory, send).unwrap();
        let outbox = world.with(BOB, |d, c| d.outbox(c)).unwrap();
        let results = world.receive(BOB).unwrap();
        match round {
            // A word too early, as far as Bob can know: it waits, and nobody hears of it.
            3 => {
                assert!(matches!(results[0], Received::Held { .. }), "{results:?}");
                assert!(messages(&results).is_empty());
            }
            _ => assert_eq!(failures(&results), [Code::AuthorNotMember], "round {round}"),
        }
        assert_eq!(world.group(BOB, id).unwrap(), before);
        assert_eq!(world.with(BOB, |d, c| d.outbox(c)).unwrap(), outbox, "no answer");
        world.with(BOB, |d, c| d.tick(c, false)).unwrap();
        assert_eq!(world.with(BOB, |d, c| d.outbox(c)).unwrap(), outbox, "no answer later either");
        let refused: &[Code] = if round == 3 { &[] } else { &[Code::AuthorNotMember] };
        assert_eq!(failures(&world.receive(ALICE).unwrap()), refused, "round {round}");
        world.plant(ALICE, mallory);
    }
}

#[test]
fn a49_an_ex_member_cannot_come_back_by_their_own_hand() {
    let (mut world, id) = World::trio(49);
    let member = world.dump(JEN);
    world.act(JEN, id, |group, c| group.leave(c)).unwrap();
    world.all_receive();
    assert_eq!(world.act(JEN, id, |group, c| group.add(c, &[user("jen")])).map_err(|e| e.code), Err(Code::NotAMember));
    // A client that forgets the leave still lets her speak, aside of it.
    world.forget_since(JEN, &member);
    let send = world.in_group(JEN, id, |group, c| group.rename(c, "Still here")).unwrap();
    world.drive(JEN, send).unwrap();
    // What she says is heard, and is found to contradict her leave.
    let heard = world.all_receive();
    let found_out = |event: &&Event| matches!(event, Event::GroupEquivocation { user: of, .. } if *of == user("jen"));
    for (name, results) in heard.iter().filter(|(name, _)| *name != JEN) {
        assert_eq!(failures(results), []);
        assert_eq!(events(results).iter().filter(|event| found_out(event)).count(), 1, "{name:?}");
    }
    for name in [ALICE, BOB] {
        assert_eq!(world.members(name, id), ["alice", "bob"]);
        // What she said beside her leave counts as before it. It brings nobody back.
        assert_eq!(world.group(name, id).unwrap().info.name, "Still here");
    }
}

#[test]
fn a50_nothing_that_a_server_gives_changes_who_is_a_member() {
    let (mut world, id) = World::trio(50);
    world.create("mallory");
    let before = world.group(ALICE, id).unwrap();
    let mut answers = Answers::default();
    for name in ["alice", "bob", "jen", "mallory"] {
        answers.device_lists.push(world.relay.device_list(&user(name)).unwrap());
        answers.bundles.extend(world.relay.bundle(&user(name), DeviceId(1)));
        answers.without_bundle.push((user(name), DeviceId(7)));
    }
    answers.unknown_users.push(user("bob"));
    world.with(ALICE, |d, c| d.apply(c, &answers)).unwrap();
    assert_eq!(world.group(ALICE, id).unwrap(), before);
    // The core gives a group's rules no server's bytes at all: they do not name what answers are made of.
    let mut all = BTreeSet::new();
    for (file, parsed) in parsed("core/src/group") {
        for path in paths(&parsed) {
            let of_a_server = [
                "crate::event::Answers",
                "crate::event::Rejection",
                "crate::wire::bundle",
                "crate::registry",
                "crate::tx",
                "crate::flow",
                "crate::device",
            ];
            let bad = of_a_server.iter().any(|module| path.starts_with(module)) || path.ends_with("::*");
            assert!(!bad, "{} names {path}", file.display());
            all.insert(path);
        }
    }
    assert!(all.contains("crate::wire::group::Body"), "else this shows nothing: {all:?}");
}

/// A bundle of operations that a member's client, which keeps no rules, has made: each body upon the one before, changed at will.
fn forge(
    world: &World,
    from: Name,
    set: &Set,
    bodies: Vec<Body>,
    spoil: impl Fn(usize, &mut form::Operation),
) -> Vec<Vec<u8>> {
    let signer = world.own(from).keys();
    let list = world.list(from.0);
    let (mut set, mut bundles) = (set.clone(), Vec::new());
    for (at, body) in bodies.into_iter().enumerate() {
        let draft = set.draft(&signer.party, body).unwrap();
        let honest = Operation::sign(&signer, &list, draft).unwrap();
        let mut operation = honest.form.clone();
        spoil(at, &mut operation);
        let bytes = form::encode_unchecked(&operation).unwrap();
        let signature = signer.signing.sign(labels::GROUP_OPERATION, &bytes);
        let signed = SignedOperation { operation: bytes.into(), signature };
        let bundle = Bundle { lists: vec![list.signed.clone().into()].into(), operations: vec![signed].into() };
        bundles.push(bundle.encode().unwrap());
        // A stranger's is refused here as it is everywhere, and what a member is not entitled to.
        let inserted = set.insert(honest).map(drop);
        assert!(matches!(inserted, Ok(()) | Err(Code::AuthorNotMember)), "{inserted:?}");
    }
    bundles
}

fn named(name: &str) -> Body {
    Body::Info { change: Change { name: Some(name.as_bytes().to_vec().into()), ..Change::default() } }
}

#[test]
fn an_operation_that_waits_and_turns_out_wrong_hinders_no_other() {
    let (mut world, id) = World::trio(97);
    // Jen makes two operations, of which the second has a wrong Lamport number, and shows Bob the second first.
    let set = world.operations(JEN, id);
    let bodies = vec![named("one"), named("two")];
    let bundles = forge(&world, JEN, &set, bodies, |at, operation| operation.lamport += 7 * at as u64);
    for bundle in bundles.iter().rev() {
        let send = world.replace_payload(JEN, id, bundle);
        let batch = send.batches.iter().find(|batch| batch.user == user("bob")).unwrap();
        world.relay.submit((&user("jen"), DeviceId(1)), batch).unwrap();
        assert_eq!(failures(&world.receive(BOB).unwrap()), []);
    }
    assert_eq!(world.group(BOB, id).unwrap().info.name, "one");
    world.act(BOB, id, |group, c| group.rename(c, "and on it goes")).unwrap();
    world.rest();
    assert_eq!(world.group(ALICE, id).unwrap().info.name, "and on it goes");
}

#[test]
fn what_a_stranger_says_of_a_group_beforehand_does_not_keep_anybody_out() {
    let mut world = World::acquainted(98, &[("alice", 1), ("bob", 1), ("jen", 1), ("mallory", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    // Mallory knows the group's operations, and tells Jen of them with a word of her own before Alice adds Jen.
    let mallory = ("mallory", 1);
    world.plant(ALICE, mallory);
    let set = world.operations(ALICE, id);
    let [own] = forge(&world, mallory, &set, vec![named("mine")], |_, _| {}).try_into().unwrap();
    world.act(ALICE, id, |group, c| group.add(c, &[user("jen")])).unwrap();
    let add = world.steal(JEN);
    let mut rows = world.dump(mallory);
    rows.extend(world.dump(ALICE).into_iter().filter(|(key, _)| is_of(key, &[Kind::Group])));
    world.hosts[&mallory].store.inner.restore(rows);
    let send = world.replace_payload(mallory, id, &own);
    let batch = send.batches.iter().find(|batch| batch.user == user("jen")).unwrap();
    world.relay.submit((&user("mallory"), DeviceId(1)), batch).unwrap();
    assert!(matches!(world.receive(JEN).unwrap()[0], Received::Held { .. }));
    assert_eq!(failures(&world.decrypt(JEN, &add)), []);
    assert_eq!(world.members(JEN, id), ["alice", "bob", "jen"]);
    assert_eq!(world.group(JEN, id).unwrap().info.name, "Trip");
}

#[test]
fn what_is_held_for_a_group_is_bounded_and_dropped_after_30_days() {
    let mut world = World::new(9);
    world.create("alice");
    let mallory = world.create("mallory");
    world.send(mallory, &["alice"], b"hi");
    world.receive(ALICE).unwrap();
    let (mut held, mut dropped) = (0, 0);
    for _ in 0..80 {
        // A group that Alice never hears the add of.
        let (id, send) = world.found_quietly(mallory, "Spam", &["alice"]);
        world.withdraw(mallory, &send, &[user("alice")]);
        let send = world.in_group(mallory, id, |group, c| group.send(c, b"spam", None)).unwrap();
        world.drive(mallory, send).unwrap();
        for result in world.receive(ALICE).unwrap() {
            match result {
                Received::Held { .. } => held += 1,
                Received::Item { item: Item::Event(Event::HeldDropped { .. }), .. } => dropped += 1,
                Received::Item { item: Item::Event(Event::Gap { .. }), .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((held, dropped), (64, 1), "what is too much is said once, and nothing else is lost by it");
    assert!(world.session(ALICE, mallory).is_some());
    let rows = world.dump(ALICE).len();
    world.pass(31 * DAY);
    let events = world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
    assert_eq!(events.iter().filter(|event| matches!(event, Event::HeldDropped { .. })).count(), 1);
    world.pass(31 * DAY);
    world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
    assert!(world.dump(ALICE).len() + 64 * 4 <= rows, "content and sessions are gone");
}

#[test]
fn t89_a53_a_device_that_tells_two_members_different_things_is_found_out() {
    let (mut world, id) = World::trio(89);
    let store = world.dump(ALICE);
    let tell = |world: &mut World, name: &str, to: &str| {
        let send = world.in_group(ALICE, id, |group, c| group.rename(c, name)).unwrap();
        let send = world.standing_of(ALICE, &send);
        let batch = send.batches.iter().find(|batch| batch.user == user(to)).unwrap();
        world.relay.submit((&user("alice"), DeviceId(1)), batch).unwrap();
    };
    tell(&mut world, "for Bob", "bob");
    world.hosts[&ALICE].store.inner.restore(store);
    tell(&mut world, "for Jen", "jen");
    world.all_receive();
    assert_ne!(world.group(BOB, id).unwrap().info, world.group(JEN, id).unwrap().info);
    world.say(BOB, id, b"what is it called?").unwrap();
    let mut heard = world.rest();
    world.say(JEN, id, b"let us see").unwrap();
    heard.extend(world.rest());
    assert_eq!(
        world.group(BOB, id).unwrap().info,
        world.group(JEN, id).unwrap().info,
        "one of both, the same for both"
    );
    for name in [BOB, JEN] {
        let found_out = |event: &&Event| matches!(event, Event::GroupEquivocation { user: of, device, .. } if *of == user("alice") && device.0 == 1);
        let results: Vec<_> = heard.iter().filter(|(of, _)| *of == name).flat_map(|(_, r)| r.clone()).collect();
        assert_eq!(events(&results).iter().filter(|e| found_out(e)).count(), 1, "{name:?}");
    }
}

#[test]
fn a56_a_leaver_gets_no_further_ciphertext_not_even_what_was_pending() {
    let (mut world, id) = World::trio(56);
    let pending = world.whisper(BOB, id, b"pending");
    assert!(pending.batches.iter().any(|batch| batch.user == user("jen")));
    world.act(JEN, id, |group, c| group.leave(c)).unwrap();
    world.receive(BOB).unwrap();
    let pending = world.with(BOB, |d, c| d.pending(c, &pending.id)).unwrap().unwrap();
    assert!(pending.batches.iter().all(|batch| batch.user != user("jen")), "dropped from the outbox");
    let left = world.drive(BOB, pending).unwrap().unwrap();
    assert_eq!((left.batches, left.needs), (vec![], vec![]));
    assert_eq!(left.failed, [(user("jen"), Code::NotAMember.number())], "and the app is told");
    for n in 0..5 {
        world.say(BOB, id, b"x").unwrap();
        world.act(BOB, id, |group, c| group.rename(c, &n.to_string())).unwrap();
    }
    assert_eq!(world.mails(JEN), Vec::<Vec<u8>>::new());
    world.rest();
    // Her sessions in the group die with MAXLATENCY, on both sides.
    for name in [ALICE, JEN] {
        world.pass(31 * DAY);
        world.with(name, |d, c| d.tick(c, true)).unwrap();
    }
    assert_eq!(world.group_session(ALICE, JEN, id), None);
    assert_eq!(world.group_session(JEN, ALICE, id), None);
    assert!(world.group_session(ALICE, BOB, id).is_some());
    assert!(world.session(ALICE, JEN).is_some(), "the direct session stays");
}

#[test]
fn a57_a_message_that_the_server_withholds_from_a_group_shows_as_a_gap() {
    let (mut world, id) = World::trio(57);
    world.say(ALICE, id, b"1").unwrap();
    world.receive(BOB).unwrap();
    world.say(ALICE, id, b"2").unwrap();
    world.steal(BOB);
    world.send(ALICE, &["bob"], b"direct");
    world.say(ALICE, id, b"3").unwrap();
    let results = world.receive(BOB).unwrap();
    let gaps: Vec<_> = events(&results)
        .into_iter()
        .filter_map(|event| match event {
            Event::Gap { group, first, last, .. } => Some((*group, *first, *last)),
            _ => None,
        })
        .collect();
    // The create was the first word in the group, so the second message is the third. As nobody had answered in the group, it rode in a
    // direct message, which is missing as well.
    assert!(gaps.contains(&(Some(id), 3, 3)), "{gaps:?}");
    assert!(gaps.iter().all(|(group, from, to)| from == to && (group.is_none() || *group == Some(id))), "{gaps:?}");
}

/// A device that its user removes after a leave has spoken in that group before, and could accept an invitation. Its word ends there as well.
#[test]
fn n_g05_removing_a_device_retires_it_in_a_group_that_was_left() {
    let mut world = World::acquainted(62, &[("alice", 2), ("bob", 1), ("carol", 1)]);
    let id = world.found(BOB, "Trip", &["alice"]);
    world.act(ALICE, id, |group, c| group.leave(c)).unwrap();
    world.all_receive();
    assert_eq!(world.standing(ALICE, id), Some(Standing::Left));
    let tablet = ("alice", 2);
    // What a thief of the tablet has: its keys, and the list that names it.
    let (thief, list) = (world.own(tablet).keys(), world.list("alice"));
    world.remove(tablet);
    world.flush(ALICE);
    world.all_receive();
    let history = world.in_group(BOB, id, |group, c| group.history(c)).unwrap();
    assert!(history.iter().any(|entry| entry.act == Act::Retired(DeviceId(2))), "{history:?}");
    // When Bob invites Alice back, the thief accepts for her: that is void, and Alice stays out.
    world.act(BOB, id, |group, c| group.add(c, &[user("alice")])).unwrap();
    world.all_receive();
    let set = world.operations(BOB, id);
    let add = set.operations().iter().rfind(|operation| matches!(operation.form.body, Body::Add { .. })).unwrap().id;
    let draft = set.draft(&thief.party, Body::Accept { add: add.0 }).unwrap();
    let accepted = Operation::sign(&thief, &list, draft).unwrap();
    let operations = vec![SignedOperation::decode(&accepted.signed).unwrap()];
    let bundle = Bundle { lists: vec![list.signed.into()].into(), operations: operations.into() };
    let send = world.replace_payload(BOB, id, &bundle.encode().unwrap());
    world.drive(BOB, send).unwrap();
    world.all_receive();
    assert_eq!(world.members(ALICE, id), ["bob"]);
}

#[test]
fn removing_a_device_retires_it_in_every_group() {
    let mut world = World::acquainted(92, &[("alice", 2), ("bob", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    let thief = world.dump(("alice", 2));
    world.remove(("alice", 2));
    world.flush(ALICE);
    world.all_receive();
    let history = world.in_group(BOB, id, |group, c| group.history(c)).unwrap();
    assert!(history.iter().any(|entry| entry.act == Act::Retired(DeviceId(2))), "{history:?}");
    world.hosts[&("alice", 2)].store.inner.restore(thief);
    let send = world.in_group(("alice", 2), id, |group, c| group.rename(c, "Mine")).unwrap();
    let send = world.standing_of(("alice", 2), &send);
    // The relay refuses the removed device; a hostile one delivers what it says.
    let envelope = send.batches.iter().find(|batch| batch.user == user("bob")).unwrap().envelopes[0].envelope.clone();
    assert_eq!(world.refusal(BOB, &envelope), Some(Code::NotListed));
    assert_eq!(world.group(BOB, id).unwrap().info.name, "Trip");
}

/// Bob's store pins another account key than hers under Jen's name.
fn mistake_jen_for_another(world: &mut World) {
    let sealer = Sealer::new(&store_key());
    let key = sealer.places.user(Kind::User, &user("jen"));
    let mut dump = world.dump(BOB);
    let jens = User::decode(&sealer.open(&key, &dump[&*key]).unwrap()).unwrap();
    let other = User { account_key: world.list("bob").account(), ..jens };
    let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
    dump.insert(key.to_vec(), sealer.seal(&mut context, &key, &other.encode().unwrap()).unwrap());
    world.hosts[&BOB].store.inner.restore(dump);
}

#[test]
fn a_pin_that_differs_from_the_adds_gets_nothing_there() {
    let mut world = World::acquainted(93, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    // For Bob, Jen is somebody else.
    mistake_jen_for_another(&mut world);
    world.act(ALICE, id, |group, c| group.add(c, &[user("jen")])).unwrap();
    let results = world.receive(BOB).unwrap();
    assert!(!events(&results).iter().any(|event| matches!(event, Event::IdentityChanged { .. })), "{results:?}");
    assert_eq!(world.group(BOB, id).unwrap().conflicts, [user("jen")]);
    let send = world.whisper(BOB, id, b"x");
    assert_eq!(send.needs, []);
    assert_eq!(send.failed, [(user("jen"), Code::IdentityNotAccepted.number())], "at once, so that the others get it");
    assert!(send.batches.iter().all(|batch| batch.user != user("jen")));
}

#[test]
fn a56_a_late_message_of_a_leaver_brings_them_nothing() {
    let (mut world, id) = World::trio(156);
    world.say(JEN, id, b"before I go").unwrap();
    let late = world.steal(BOB);
    world.act(JEN, id, |group, c| group.leave(c)).unwrap();
    world.all_receive();
    let results = world.decrypt(BOB, &late);
    assert_eq!(messages(&results)[0].payload, b"before I go");
    assert!(messages(&results)[0].flags.from_former_member);
    world.act(BOB, id, |group, c| group.rename(c, "Without Jen")).unwrap();
    world.say(BOB, id, b"x").unwrap();
    world.with(BOB, |d, c| d.tick(c, false)).unwrap();
    world.flush(BOB);
    assert_eq!(world.mails(JEN), Vec::<Vec<u8>>::new(), "neither state nor question");
}

#[test]
fn a56_a_leave_that_was_lost_is_said_again_to_whoever_still_writes() {
    let (mut world, id) = World::trio(256);
    world.act(JEN, id, |group, c| group.leave(c)).unwrap();
    world.steal(BOB);
    world.receive(ALICE).unwrap();
    world.say(BOB, id, b"are you there?").unwrap();
    world.receive(JEN).unwrap();
    world.with(JEN, |d, c| d.tick(c, false)).unwrap();
    world.flush(JEN);
    assert_eq!(
        (world.mails(ALICE).len(), world.mails(BOB).len()),
        (1, 1),
        "Bob's message; and the leave, for Bob alone"
    );
    world.receive(BOB).unwrap();
    assert_eq!(world.members(BOB, id), ["alice", "bob"]);
    world.say(BOB, id, b"gone").unwrap();
    assert_eq!(world.mails(JEN), Vec::<Vec<u8>>::new());
    world.rest();
}

#[test]
fn what_a_leaver_says_a_month_later_is_not_heard() {
    let (mut world, id) = World::trio(157);
    let member = world.dump(JEN);
    world.act(JEN, id, |group, c| group.leave(c)).unwrap();
    world.all_receive();
    world.pass(31 * DAY);
    for name in [ALICE, BOB, JEN] {
        world.with(name, |d, c| d.tick(c, true)).unwrap();
        world.publish(name);
        world.flush(name);
    }
    world.all_receive();
    // Her client takes her for a member still, and opens a session anew.
    let mut rows = world.dump(JEN);
    rows.extend(member.into_iter().filter(|(key, _)| is_of(key, &[Kind::Group])));
    world.hosts[&JEN].store.inner.restore(rows);
    world.say(JEN, id, b"still here").unwrap();
    assert_eq!(failures(&world.receive(BOB).unwrap()), [Code::AuthorNotMember]);
}

#[test]
fn a49_an_ex_member_who_adds_themselves_stays_out() {
    for aside in [false, true] {
        let (mut world, id) = World::trio(149);
        let (member, before) = (world.dump(JEN), world.operations(JEN, id));
        world.act(JEN, id, |group, c| group.leave(c)).unwrap();
        world.all_receive();
        let leave = world.operations(JEN, id).leaves_of(&user("jen"), &world.list("jen").account())[0];
        // Beside the leave, as if it had not been; or after it, naming it, and then accepting.
        let set = if aside { before } else { world.operations(JEN, id) };
        let leaves = if aside { vec![] } else { vec![leave.0] };
        let account_key = *world.list("jen").account_key.as_bytes();
        let myself = Added { user: b"jen".to_vec().into(), account_key, leaves: leaves.into() };
        let signer = world.own(JEN).keys();
        let add = Body::Add { members: vec![myself].into() };
        let draft = set.draft(&signer.party, add.clone()).unwrap();
        let adds = Operation::sign(&signer, &world.list("jen"), draft).unwrap().id;
        let bodies = if aside { vec![add] } else { vec![add, Body::Accept { add: adds.0 }] };
        let bundles = forge(&world, JEN, &set, bodies, |_, _| {});
        world.forget_since(JEN, &member);
        for bundle in bundles {
            let send = world.replace_payload(JEN, id, &bundle);
            let batch = send.batches.iter().find(|batch| batch.user == user("bob")).unwrap();
            world.relay.submit((&user("jen"), DeviceId(1)), batch).unwrap();
            let known = world.operations(BOB, id).operations().len();
            assert_eq!(failures(&world.receive(BOB).unwrap()), []);
            assert_eq!(world.operations(BOB, id).operations().len(), known + 1, "else this test shows nothing");
        }
        assert_eq!(world.members(BOB, id), ["alice", "bob"], "aside: {aside}");
        assert_eq!(world.group(BOB, id).unwrap().standing, sesame_core::event::Standing::Member);
    }
}

#[test]
fn a51_nobody_leaves_in_anothers_name() {
    let (mut world, id) = World::trio(151);
    let set = world.operations(BOB, id);
    let [bundle] = forge(&world, BOB, &set, vec![Body::Leave], |_, operation| {
        operation.author = b"jen".to_vec().into();
    })
    .try_into()
    .unwrap();
    let send = world.replace_payload(BOB, id, &bundle);
    let batch = send.batches.iter().find(|batch| batch.user == user("alice")).unwrap();
    world.relay.submit((&user("bob"), DeviceId(1)), batch).unwrap();
    assert_eq!(failures(&world.receive(ALICE).unwrap()), [Code::WrongUser]);
    assert_eq!(world.members(ALICE, id), ["alice", "bob", "jen"]);
}

#[test]
fn a_damaged_group_keeps_no_stolen_device_on_the_list() {
    let mut world = World::acquainted(192, &[("alice", 2), ("bob", 1)]);
    let (damaged, whole) = (world.found(ALICE, "Damaged", &["bob"]), world.found(ALICE, "Whole", &["bob"]));
    let prefix = Sealer::new(&store_key()).places.group(Kind::Operation, &damaged);
    let mut rows = world.dump(ALICE);
    rows.iter_mut().filter(|(key, _)| key.starts_with(&prefix)).for_each(|(_, row)| row[20] ^= 1);
    world.hosts[&ALICE].store.inner.restore(rows);
    let damage = world.in_group(ALICE, damaged, |group, c| group.history(c)).map(drop);
    assert_eq!(damage.map_err(|error| error.code), Err(Code::RecordCorrupt), "else this test shows nothing");
    world.remove(("alice", 2));
    world.flush(ALICE);
    world.receive(BOB).unwrap();
    let retired = |world: &mut World, id| {
        let history = world.in_group(BOB, id, |group, c| group.history(c)).unwrap();
        history.iter().any(|entry| entry.act == Act::Retired(DeviceId(2)))
    };
    assert!(retired(&mut world, whole) && !retired(&mut world, damaged));
    assert_eq!(world.list("alice").list.devices.len(), 1);
    // Nor does it keep a new device from being linked, which learns the other group.
    let tablet = world.link("alice");
    assert_eq!(world.members(tablet, whole), ["alice", "bob"]);
}

#[test]
fn a_removed_device_cannot_accept_an_invitation() {
    let mut world = World::acquainted(292, &[("alice", 1), ("jen", 2)]);
    let id = world.found(ALICE, "Trip", &["jen"]);
    world.act(JEN, id, |group, c| group.leave(c)).unwrap();
    world.all_receive();
    world.act(ALICE, id, |group, c| group.add(c, &[user("jen")])).unwrap();
    world.all_receive();
    let thief = ("jen", 2);
    let accepts = world.in_group(thief, id, |group, c| group.accept(c)).unwrap();
    let accepts = world.standing_of(thief, &accepts);
    world.remove(thief);
    world.flush(JEN);
    world.receive(ALICE).unwrap();
    // A member who takes part in it could pass the word on; by itself it is refused already.
    let sealer = Sealer::new(&store_key());
    let prefix = sealer.places.group(Kind::Operation, &id);
    let accepted: Vec<_> = world.dump(thief).into_iter().filter(|(key, _)| key.starts_with(&prefix)).collect();
    let mut set = world.operations(ALICE, id);
    let word = accepted.into_iter().find_map(|(key, row)| {
        let stored = StoredOperation::decode(&sealer.open(&key, &row).unwrap()).unwrap();
        Operation::from_record(stored).ok().filter(|operation| !set.has(&operation.id))
    });
    set.insert(word.unwrap()).unwrap();
    assert!(!set.view().unwrap().is_member(&user("jen")));
    assert!(!accepts.batches.is_empty());
}

#[test]
fn a_state_goes_to_the_member_and_not_to_whoever_took_the_name() {
    let (mut world, id) = World::trio(158);
    world.act(ALICE, id, |group, c| group.rename(c, "Lost on Jen")).unwrap();
    world.steal(JEN);
    world.receive(BOB).unwrap();
    world.say(JEN, id, b"x").unwrap();
    world.receive(BOB).unwrap();
    assert_eq!(world.group(BOB, id).unwrap().diverged, [(user("jen"), DeviceId(1))], "else this test shows nothing");
    // Jen's name is somebody else's now, whom Bob accepts as such; the group knows her by the key of before.
    mistake_jen_for_another(&mut world);
    world.with(BOB, |d, c| d.tick(c, false)).unwrap();
    assert_eq!(world.with(BOB, |d, c| d.outbox(c)).unwrap(), []);
}

#[test]
fn words_that_build_upon_nothing_do_not_crowd_out_those_that_will() {
    use sesame_core::limits::MAX_WAITING;
    let (mut world, id) = World::trio(197);
    // Jen parks as many operations on parents that do not exist as a device keeps.
    let set = world.operations(JEN, id);
    for bundle in forge(&world, JEN, &set, (0..MAX_WAITING).map(|n| named(&n.to_string())).collect(), |_, operation| {
        operation.parents = vec![[7; 32]].into();
    }) {
        let send = world.replace_payload(JEN, id, &bundle);
        let batch = send.batches.iter().find(|batch| batch.user == user("bob")).unwrap();
        world.relay.submit((&user("jen"), DeviceId(1)), batch).unwrap();
        assert_eq!(failures(&world.receive(BOB).unwrap()), []);
    }
    // Alice's two come in the wrong order, and count all the same.
    world.act(ALICE, id, |group, c| group.rename(c, "one")).unwrap();
    let first = world.steal(BOB);
    world.act(ALICE, id, |group, c| group.rename(c, "two")).unwrap();
    assert_eq!(failures(&world.receive(BOB).unwrap()), []);
    assert_eq!(world.group(BOB, id).unwrap().info.name, "Trip");
    assert_eq!(failures(&world.decrypt(BOB, &first)), []);
    assert_eq!(world.group(BOB, id).unwrap().info.name, "two");
}
