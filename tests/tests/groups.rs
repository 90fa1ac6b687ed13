//! Private groups, rule by rule (P 10, T36 and T78 to T90): one story, then one claim each.

use rand_chacha::rand_core::SeedableRng;
use sesame_core::context::{Context, Timestamp};
use sesame_core::crypto::labels;
use sesame_core::device::{
    Act, Answers, Event, GroupChange, Item, MessageKind, Need, Received, Send, SessionView, Standing,
};
use sesame_core::error::Code;
use sesame_core::group::{operation::Operation, set::Set};
use sesame_core::ids::{DeviceId, GroupId, GroupKind};
use sesame_core::keys::device::DeviceKeys;
use sesame_core::record::{self, Peer, Record, Scope};
use sesame_core::registry::admission;
use sesame_core::store::{Kind, Sealer};
use sesame_core::wire::content::{Body as Content, GroupClaim, SentTo, Stamp};
use sesame_core::wire::group::{self as form, Added, Body, Bundle, Change, SignedOperation};
use sesame_relay::Seen;
use sesame_tests::{ALICE, BOB, DAY, Name, World, events, failures, messages, store_key, user};

const JEN: Name = ("jen", 1);

fn texts(world: &mut World, name: Name) -> Vec<Vec<u8>> {
    world.read(name)
}

#[test]
fn the_story_of_a_group() {
    let mut world = World::acquainted(1, &[("alice", 2), ("bob", 2), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    assert_eq!(world.members(("bob", 2), id), ["alice", "bob"]);
    world.act(ALICE, id, |group, c| group.add(c, &[user("jen")])).unwrap();
    world.all_receive();
    for name in [("alice", 2), BOB, ("bob", 2), JEN] {
        assert_eq!(world.members(name, id), ["alice", "bob", "jen"], "{name:?}");
    }
    world.say(JEN, id, b"Hello, group!").unwrap();
    for name in [ALICE, ("alice", 2), BOB, ("bob", 2)] {
        assert_eq!(texts(&mut world, name), [b"Hello, group!"], "{name:?}");
    }
    world.act(JEN, id, |group, c| group.rename(c, "Summer trip")).unwrap();
    let heard = world.all_receive();
    for (name, results) in heard.iter().filter(|(name, _)| *name != JEN) {
        let author = |event: &&&Event| matches!(event, Event::GroupUpdated { user: of, device, .. } if *of == user("jen") && device.0 == 1);
        assert_eq!(events(results).iter().filter(author).count(), 1, "{name:?}");
        assert_eq!(world.group(*name, id).unwrap().info.name, "Summer trip");
    }
    // Jen should go and will not leave.
    let before = world.relay.view().seen.len();
    let (fork, send) = world
        .in_group(ALICE, id, |group, c| group.fork_without(c, &[user("jen")]).map(|(fork, send)| (fork.id(), send)))
        .unwrap();
    assert_ne!(fork, id);
    assert_eq!(world.drive(ALICE, send).unwrap(), None);
    assert_eq!(world.mails(JEN), Vec::<Vec<u8>>::new(), "nothing about it goes to the excluded");
    world.all_receive();
    assert_eq!(world.members(("bob", 2), fork), ["alice", "bob"]);
    assert_eq!(world.group(BOB, fork).unwrap().info.name, "Summer trip");
    assert_eq!(world.group(JEN, fork).map(drop), Err(Code::UnknownGroup));
    world.act(ALICE, id, |group, c| group.leave(c)).unwrap();
    world.all_receive();
    assert!(world.relay.view().seen.len() > before);
    for name in [BOB, ("bob", 2), JEN] {
        assert_eq!(world.members(name, id), ["bob", "jen"], "{name:?}");
    }
    for name in [ALICE, ("alice", 2)] {
        assert_eq!(world.standing(name, id), Some(Standing::Left));
        assert_eq!(world.say(name, id, b"x").map_err(|e| e.code), Err(Code::NotAMember));
    }
    world.say(JEN, id, b"to Bob alone").unwrap();
    assert_eq!(world.mails(ALICE), Vec::<Vec<u8>>::new());
    assert_eq!(texts(&mut world, ("bob", 2)), [b"to Bob alone"]);
    world.say(BOB, fork, b"without Jen").unwrap();
    assert_eq!(texts(&mut world, ("alice", 2)), [b"without Jen"]);
}

fn trio(seed: u64) -> (World, GroupId) {
    let mut world = World::acquainted(seed, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob", "jen"]);
    (world, id)
}

fn group_session(world: &mut World, of: Name, with: Name, id: GroupId) -> Option<SessionView> {
    world.in_group(of, id, |group, c| group.session(c, &user(with.0), DeviceId(with.1))).unwrap()
}

#[test]
fn t36_crossed_openings_settle_in_their_scope_and_leave_the_direct_session_alone() {
    let (mut world, id) = trio(36);
    let direct = world.session(ALICE, BOB).unwrap();
    // Nobody has answered in the group yet: both sides open, and the openings cross.
    let (one, send) = world.found_quietly(ALICE, "A", &["bob"]);
    world.drive(ALICE, send).unwrap();
    world.receive(BOB).unwrap();
    let bobs = world.steal(BOB);
    assert!(bobs.is_empty());
    world
        .in_group(BOB, one, |group, c| group.send(c, b"b1", None))
        .map(|send| world.drive(BOB, send).unwrap())
        .unwrap();
    world.say(ALICE, one, b"a1").unwrap();
    world.receive(ALICE).unwrap();
    world.receive(BOB).unwrap();
    world.say(ALICE, one, b"a2").unwrap();
    assert_eq!(world.read(BOB), [b"a2"]);
    world.say(BOB, one, b"b2").unwrap();
    assert_eq!(world.read(ALICE), [b"b2"]);
    let (ours, theirs) =
        (group_session(&mut world, ALICE, BOB, one).unwrap(), group_session(&mut world, BOB, ALICE, one).unwrap());
    assert_eq!(ours.id, theirs.id);
    assert!(!ours.initiating && !theirs.initiating);
    assert_eq!(world.session(ALICE, BOB).unwrap().id, direct.id, "the direct session is the same");
    let other = group_session(&mut world, ALICE, BOB, id).unwrap();
    assert!(other.id != ours.id && ours.id != direct.id);
}

#[test]
fn t36_openings_that_truly_cross_give_one_active_session() {
    let (mut world, _) = trio(37);
    // Alice knows the group through her own creation, Bob through hers; then both write before either fetches, with the first
    // opening's answers lost.
    let (id, send) = world.found_quietly(ALICE, "A", &["bob"]);
    world.drive(ALICE, send).unwrap();
    world.receive(BOB).unwrap();
    let sealer = Sealer::new(&store_key());
    // Bob forgets the session that Alice opened: he opens one of his own.
    let key = sealer.places.device(Kind::Peer, &user("alice"), DeviceId(1));
    let mut dump = world.dump(BOB);
    let mut peer = Peer::decode(&sealer.open(&key, &dump[&key]).unwrap()).unwrap();
    peer.sessions.retain(|meta| meta.scope.group() != Some(id));
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
    let mut context = Context { now: Timestamp(world.now), rng: &mut rng };
    dump.insert(key.clone(), sealer.seal(&mut context, &key, &peer.encode().unwrap()).unwrap());
    world.hosts[&BOB].store.inner.restore(dump);
    world.say(ALICE, id, b"from Alice").unwrap();
    world.say(BOB, id, b"from Bob").unwrap();
    assert_eq!(world.read(ALICE), [b"from Bob"]);
    assert_eq!(world.read(BOB), [b"from Alice"]);
    world.say(ALICE, id, b"2").unwrap();
    world.receive(BOB).unwrap();
    world.say(BOB, id, b"3").unwrap();
    world.receive(ALICE).unwrap();
    let ours = group_session(&mut world, ALICE, BOB, id).unwrap();
    let theirs = group_session(&mut world, BOB, ALICE, id).unwrap();
    assert_eq!((ours.id, ours.initiating, theirs.initiating), (theirs.id, false, false));
}

#[test]
fn a47_nothing_rides_in_a_scope_where_it_has_no_business() {
    let (mut world, id) = trio(47);
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

#[test]
fn t78_every_member_may_create_add_rename_and_leave() {
    for (at, name) in [ALICE, BOB, JEN].into_iter().enumerate() {
        let mut world = World::acquainted(78 + at as u64, &[("alice", 1), ("bob", 1), ("jen", 1), ("zoe", 1)]);
        let others: Vec<&str> = ["alice", "bob", "jen"].into_iter().filter(|other| *other != name.0).collect();
        let id = world.found(others.first().map(|first| (*first, 1)).unwrap(), "Trip", &[name.0, others[1]]);
        world.act(name, id, |group, c| group.add(c, &[user("zoe")])).unwrap();
        world.act(name, id, |group, c| group.rename(c, "New")).unwrap();
        world.all_receive();
        assert_eq!(world.members(("zoe", 1), id), ["alice", "bob", "jen", "zoe"]);
        assert_eq!(world.group(("zoe", 1), id).unwrap().info.name, "New");
        world.act(name, id, |group, c| group.leave(c)).unwrap();
        world.all_receive();
        assert!(!world.members(("zoe", 1), id).contains(&name.0.to_owned()));
        assert!(world.found(name, "Own", &[others[0]]) != id);
    }
}

/// Makes a device believe in a group that it is no member of: it gets another's rows of it.
fn plant(world: &mut World, from: Name, to: Name) {
    let kinds = [Kind::Group, Kind::Operation, Kind::GroupList].map(|kind| kind as u8);
    let mut rows = world.dump(to);
    rows.extend(world.dump(from).into_iter().filter(|(key, _)| kinds.contains(&key[0])));
    world.hosts[&to].store.inner.restore(rows);
}

/// What a client that keeps no rules sends: a signed operation in the place of a message that it had ready.
fn smuggle(world: &mut World, from: Name, id: GroupId, set: &Set, body: Body) -> Send {
    let signer = DeviceKeys::from_record(&world.own(from));
    let list = world.list(from.0);
    let draft = set.draft(&signer.party.user, signer.party.device, body).unwrap();
    let operation = Operation::sign(&signer, &list.list.hash, draft).unwrap();
    let operations = vec![SignedOperation::decode(&operation.signed).unwrap()];
    let bundle = Bundle { lists: vec![list.signed.into()].into(), operations: operations.into() };
    world.replace_payload(from, id, &bundle.encode().unwrap())
}

#[test]
fn t79_a48_a_stranger_who_knows_the_group_id_achieves_nothing_and_learns_nothing() {
    let mut world = World::acquainted(48, &[("alice", 1), ("bob", 1), ("mallory", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    let mallory = ("mallory", 1);
    plant(&mut world, ALICE, mallory);
    let before = world.group(BOB, id).unwrap();
    let signer = DeviceKeys::from_record(&world.own(mallory));
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
            None => world.in_group(mallory, id, |group, c| group.send(c, b"I am in", None)).unwrap(),
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
        world.receive(ALICE).unwrap();
        plant(&mut world, ALICE, mallory);
    }
}

#[test]
fn a49_an_ex_member_cannot_come_back_by_their_own_hand() {
    let (mut world, id) = trio(49);
    let member = world.dump(JEN);
    world.act(JEN, id, |group, c| group.leave(c)).unwrap();
    world.all_receive();
    assert_eq!(world.act(JEN, id, |group, c| group.add(c, &[user("jen")])).map_err(|e| e.code), Err(Code::NotAMember));
    // Her store from before the leave still lets her speak, aside of it.
    world.hosts[&JEN].store.inner.restore(member);
    let send = world.in_group(JEN, id, |group, c| group.rename(c, "Still here")).unwrap();
    world.drive(JEN, send).unwrap();
    world.all_receive();
    for name in [ALICE, BOB] {
        assert_eq!(world.members(name, id), ["alice", "bob"]);
        assert_eq!(world.group(name, id).unwrap().info.name, "Trip");
    }
}

#[test]
fn a50_nothing_that_a_server_gives_changes_who_is_a_member() {
    let (mut world, id) = trio(50);
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
    for file in ["set", "validity", "operation", "sync", "change"] {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/src/group/");
        let text = std::fs::read_to_string(format!("{path}{file}.rs")).unwrap();
        let text: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        assert!(
            !["device::Answers", "wire::bundle", "Rejection", "registry"].iter().any(|name| text.contains(name)),
            "{file}"
        );
    }
}

/// A bundle of operations that a member's client, which keeps no rules, has made: each body upon the one before, changed at will.
fn forge(
    world: &World,
    from: Name,
    set: &Set,
    bodies: Vec<Body>,
    spoil: impl Fn(usize, &mut form::Operation),
) -> Vec<Vec<u8>> {
    let signer = DeviceKeys::from_record(&world.own(from));
    let list = world.list(from.0);
    let (mut set, mut bundles) = (set.clone(), Vec::new());
    for (at, body) in bodies.into_iter().enumerate() {
        let draft = set.draft(&signer.party.user, signer.party.device, body).unwrap();
        let honest = Operation::sign(&signer, &list.list.hash, draft).unwrap();
        let mut operation = honest.form.clone();
        spoil(at, &mut operation);
        let bytes = form::encode_unchecked(&operation).unwrap();
        let signature = signer.signing.sign(labels::GROUP_OPERATION, &bytes);
        let signed = SignedOperation { operation: bytes.into(), signature };
        let bundle = Bundle { lists: vec![list.signed.clone().into()].into(), operations: vec![signed].into() };
        bundles.push(bundle.encode().unwrap());
        // A stranger's is refused here as it is everywhere.
        let _ = set.insert(honest);
    }
    bundles
}

fn named(name: &str) -> Body {
    Body::Info { change: Change { name: Some(name.as_bytes().to_vec().into()), ..Change::default() } }
}

#[test]
fn an_operation_that_waits_and_turns_out_wrong_hinders_no_other() {
    let (mut world, id) = trio(97);
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
    plant(&mut world, ALICE, mallory);
    let set = world.operations(ALICE, id);
    let [own] = forge(&world, mallory, &set, vec![named("mine")], |_, _| {}).try_into().unwrap();
    world.act(ALICE, id, |group, c| group.add(c, &[user("jen")])).unwrap();
    let add = world.steal(JEN);
    let mut rows = world.dump(mallory);
    rows.extend(world.dump(ALICE).into_iter().filter(|(key, _)| key[0] == Kind::Group as u8));
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
fn t80_concurrent_adds_both_count() {
    let mut world = World::acquainted(80, &[("alice", 1), ("bob", 1), ("carol", 1), ("dave", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    world.act(ALICE, id, |group, c| group.add(c, &[user("carol")])).unwrap();
    world.act(BOB, id, |group, c| group.add(c, &[user("dave")])).unwrap();
    world.rest();
    for name in [ALICE, BOB, ("carol", 1), ("dave", 1)] {
        assert_eq!(world.members(name, id), ["alice", "bob", "carol", "dave"], "{name:?}");
    }
    world.say(("dave", 1), id, b"hi").unwrap();
    assert_eq!(world.read(("carol", 1)), [b"hi"]);
}

#[test]
fn t82_a53_a_lost_operation_shows_in_the_next_message_and_is_made_good() {
    let (mut world, id) = trio(82);
    world.act(ALICE, id, |group, c| group.rename(c, "New")).unwrap();
    world.steal(BOB);
    world.receive(JEN).unwrap();
    world.say(JEN, id, b"x").unwrap();
    let results = world.receive(BOB).unwrap();
    let diverged = |event: &&&Event| matches!(event, Event::GroupDiverged { user: of, .. } if *of == user("jen"));
    assert_eq!(events(&results).iter().filter(diverged).count(), 1);
    assert_eq!(messages(&results).len(), 1, "the message itself is read");
    assert_eq!(world.group(BOB, id).unwrap().diverged, [(user("jen"), DeviceId(1))]);
    // Bob asks, Jen answers: one round.
    world.with(BOB, |d, c| d.tick(c, false)).unwrap();
    world.flush(BOB);
    world.receive(JEN).unwrap();
    world.with(JEN, |d, c| d.tick(c, false)).unwrap();
    world.flush(JEN);
    world.receive(BOB).unwrap();
    assert_eq!(world.group(BOB, id).unwrap().info.name, "New");
    assert_eq!(world.group(BOB, id).unwrap().diverged, []);
    let sent = world.relay.view().seen.len();
    world.rest();
    world.rest();
    assert_eq!(world.relay.view().seen.len(), sent, "and then there is nothing more to say");
}

#[test]
fn t83_a_message_before_its_add_is_held_and_read_when_the_add_comes() {
    let mut world = World::acquainted(83, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    world.act(ALICE, id, |group, c| group.add(c, &[user("jen")])).unwrap();
    let add = world.steal(JEN);
    world.receive(BOB).unwrap();
    world.say(BOB, id, b"welcome, Jen").unwrap();
    let results = world.receive(JEN).unwrap();
    assert!(matches!(results.as_slice(), [Received::Held { .. }]), "{results:?}");
    assert_eq!(world.group(JEN, id).map(drop), Err(Code::UnknownGroup));
    world.reopen(JEN);
    let results = world.decrypt(JEN, &add);
    assert_eq!(messages(&results)[0].payload, b"welcome, Jen");
    assert_eq!(messages(&results)[0].user, user("bob"));
    world.say(BOB, id, b"more").unwrap();
    assert_eq!(world.read(JEN), [b"more"]);
}

#[test]
fn what_is_held_for_a_group_is_bounded_and_dropped_after_30_days() {
    let mut world = World::acquainted(9, &[("alice", 1), ("mallory", 1)]);
    let mallory = ("mallory", 1);
    let (mut held, mut refused) = (0, 0);
    for _ in 0..80 {
        // A group that Alice never hears the add of.
        let (id, send) = world.found_quietly(mallory, "Spam", &["alice"]);
        world.with(mallory, |d, c| d.abandon(c, &send.id, &user("alice"))).unwrap();
        let send = world.in_group(mallory, id, |group, c| group.send(c, b"spam", None)).unwrap();
        world.drive(mallory, send).unwrap();
        for result in world.receive(ALICE).unwrap() {
            match result {
                Received::Held { .. } => held += 1,
                Received::Failure { code, .. } => {
                    assert_eq!(code, Code::AuthorNotMember);
                    refused += 1;
                }
                Received::Item { item, .. } => assert!(matches!(item, Item::Event(Event::Gap { .. })), "{item:?}"),
            }
        }
    }
    assert_eq!((held, refused), (64, 16));
    let rows = world.dump(ALICE).len();
    world.pass(31 * DAY);
    let events = world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
    assert_eq!(events.iter().filter(|event| matches!(event, Event::HeldDropped { .. })).count(), 64);
    world.pass(31 * DAY);
    world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
    assert!(world.dump(ALICE).len() + 64 * 4 <= rows, "content and sessions are gone");
}

#[test]
fn t84_a_leaver_is_asked_back_and_comes_only_by_their_own_word() {
    let (mut world, id) = trio(84);
    world.act(JEN, id, |group, c| group.leave(c)).unwrap();
    world.all_receive();
    assert_eq!(world.act(JEN, id, |group, c| group.accept(c)).map_err(|e| e.code), Err(Code::NotInvited));
    world.act(ALICE, id, |group, c| group.add(c, &[user("jen")])).unwrap();
    let heard = world.all_receive();
    let invited = |event: &&Event| matches!(event, Event::GroupInvited { user: of, .. } if *of == user("alice"));
    assert!(heard.iter().any(|(name, results)| *name == JEN && events(results).iter().any(invited)));
    assert!(matches!(world.standing(JEN, id), Some(Standing::Invited(_))));
    assert_eq!(world.members(BOB, id), ["alice", "bob"]);
    world.say(BOB, id, b"not for Jen").unwrap();
    assert_eq!(world.mails(JEN), Vec::<Vec<u8>>::new());
    world.act(JEN, id, |group, c| group.decline(c)).unwrap();
    world.all_receive();
    assert_eq!(world.standing(JEN, id), Some(Standing::Left));
    world.act(BOB, id, |group, c| group.add(c, &[user("jen")])).unwrap();
    world.all_receive();
    world.act(JEN, id, |group, c| group.accept(c)).unwrap();
    world.all_receive();
    for name in [ALICE, BOB, JEN] {
        assert_eq!(world.members(name, id), ["alice", "bob", "jen"], "{name:?}");
    }
    world.say(ALICE, id, b"back").unwrap();
    assert_eq!(world.read(JEN), [b"back"]);
}

#[test]
fn t85_own_devices_agree_and_a_new_one_learns_the_groups_from_its_sibling() {
    let mut world = World::acquainted(85, &[("alice", 2), ("bob", 1)]);
    let id = world.found(("alice", 2), "Trip", &["bob"]);
    world.act(ALICE, id, |group, c| group.rename(c, "By the phone")).unwrap();
    world.all_receive();
    assert_eq!(world.group(("alice", 2), id).unwrap().info.name, "By the phone");
    world.say(BOB, id, b"old").unwrap();
    world.all_receive();
    let tablet = world.link("alice");
    assert_eq!(world.members(tablet, id), ["alice", "bob"], "the state comes with the link");
    assert_eq!(world.read(tablet), Vec::<Vec<u8>>::new(), "old messages do not");
    world.say(BOB, id, b"new").unwrap();
    assert_eq!(world.read(tablet), [b"new"]);
    world.say(tablet, id, b"from the tablet").unwrap();
    let results = world.receive(("alice", 2)).unwrap();
    let transcript = messages(&results).into_iter().find(|m| m.payload == b"from the tablet").unwrap().clone();
    assert_eq!(
        (transcript.kind.clone(), transcript.group),
        (MessageKind::Transcript { recipients: vec![user("bob")] }, Some(id))
    );
    world.act(tablet, id, |group, c| group.rename(c, "By the tablet")).unwrap();
    world.rest();
    assert_eq!(world.group(ALICE, id).unwrap().info.name, "By the tablet");
}

#[test]
fn t86_nobody_removes_another_and_a_fork_leaves_them_out() {
    let (mut world, id) = trio(86);
    let fork = |world: &mut World, name: &str| {
        world.in_group(ALICE, id, |group, c| group.fork_without(c, &[user(name)]).map(|(fork, send)| (fork.id(), send)))
    };
    assert_eq!(fork(&mut world, "alice").map(drop).map_err(|e| e.code), Err(Code::InvalidArgument));
    assert_eq!(fork(&mut world, "zoe").map(drop).map_err(|e| e.code), Err(Code::InvalidArgument));
    let before = world.group(JEN, id).unwrap();
    let (new, send) = fork(&mut world, "jen").unwrap();
    world.drive(ALICE, send).unwrap();
    world.all_receive();
    assert_eq!(world.members(BOB, new), ["alice", "bob"]);
    assert_eq!(world.group(JEN, id).unwrap(), before, "the old group stays as it is");
    assert_eq!(world.group(JEN, new).map(drop), Err(Code::UnknownGroup));
    let (old, forked) = (group_session(&mut world, BOB, ALICE, id), group_session(&mut world, BOB, ALICE, new));
    assert_ne!(old.unwrap().id, forked.unwrap().id, "new sessions");
}

#[test]
fn t89_a53_a_device_that_tells_two_members_different_things_is_found_out() {
    let (mut world, id) = trio(89);
    let store = world.dump(ALICE);
    let tell = |world: &mut World, name: &str, to: &str| {
        let send = world.in_group(ALICE, id, |group, c| group.rename(c, name)).unwrap();
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
fn t90_a_member_with_three_devices_of_which_one_was_offline_for_40_days() {
    let mut world = World::acquainted(90, &[("alice", 1), ("bob", 3)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    let offline = ("bob", 3);
    for day in 0..40 {
        world.say(ALICE, id, format!("day {day}").as_bytes()).unwrap();
        for name in [BOB, ("bob", 2)] {
            assert!(world.read(name).contains(&format!("day {day}").into_bytes()));
        }
        if day % 10 == 0 {
            world.say(("bob", 2), id, b"here").unwrap();
            world.act(BOB, id, |group, c| group.rename(c, &format!("Day {day}"))).unwrap();
        }
        world.receive(ALICE).unwrap();
        world.pass(DAY);
        for name in [ALICE, BOB, ("bob", 2)] {
            world.publish(name);
            world.with(name, |d, c| d.tick(c, true)).unwrap();
        }
    }
    let results = world.receive(offline).unwrap();
    assert_eq!(failures(&results), []);
    assert_eq!(messages(&results).len(), 44, "40 messages and 4 transcripts");
    assert_eq!(world.group(offline, id).unwrap().info.name, "Day 30");
    world.publish(offline);
    world.say(offline, id, b"back").unwrap();
    let results = world.receive(ALICE).unwrap();
    assert!(messages(&results).iter().any(|message| message.payload == b"back"));
}

#[test]
fn a56_a_leaver_gets_no_further_ciphertext_not_even_what_was_pending() {
    let (mut world, id) = trio(56);
    let pending = world.in_group(BOB, id, |group, c| group.send(c, b"pending", None)).unwrap();
    assert!(pending.batches.iter().any(|batch| batch.user == user("jen")));
    world.act(JEN, id, |group, c| group.leave(c)).unwrap();
    world.receive(BOB).unwrap();
    let pending = world.with(BOB, |d, c| d.pending(c, &pending.id)).unwrap().unwrap();
    assert!(pending.batches.iter().all(|batch| batch.user != user("jen")), "dropped from the outbox");
    assert_eq!(world.drive(BOB, pending).unwrap(), None);
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
    assert_eq!(group_session(&mut world, ALICE, JEN, id), None);
    assert_eq!(group_session(&mut world, JEN, ALICE, id), None);
    assert!(group_session(&mut world, ALICE, BOB, id).is_some());
    assert!(world.session(ALICE, JEN).is_some(), "the direct session stays");
}

#[test]
fn a57_a_message_that_the_server_withholds_from_a_group_shows_as_a_gap() {
    let (mut world, id) = trio(57);
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
            Event::Gap { group, from, to, .. } => Some((*group, *from, *to)),
            _ => None,
        })
        .collect();
    // The create was the first word in the group, so the second message is the third. As nobody had answered in the group, it rode in a
    // direct message, which is missing as well.
    assert!(gaps.contains(&(Some(id), 3, 3)), "{gaps:?}");
    assert!(gaps.iter().all(|(group, from, to)| from == to && (group.is_none() || *group == Some(id))), "{gaps:?}");
}

#[test]
fn a_stale_view_of_one_member_repeats_that_members_batch_alone() {
    let (mut world, id) = trio(91);
    world.link("jen");
    let send = world.in_group(ALICE, id, |group, c| group.send(c, b"x", None)).unwrap();
    let first: Vec<_> = send.batches.clone();
    let seen = world.relay.view().seen.len();
    assert_eq!(world.drive(ALICE, send).unwrap(), None);
    let submitted: Vec<_> = world.relay.view().seen[seen..]
        .iter()
        .filter_map(|seen| match seen {
            Seen::Submitted { recipient, refusal, .. } => Some((recipient.clone(), refusal.is_some())),
            _ => None,
        })
        .collect();
    let of = |name: &str| submitted.iter().filter(|(to, _)| *to == user(name)).map(|(_, r)| *r).collect::<Vec<_>>();
    assert_eq!((of("bob"), of("jen")), (vec![false], vec![true, false]));
    assert_eq!(world.mails(JEN), [first.iter().find(|b| b.user == user("jen")).unwrap().envelopes[0].envelope.clone()]);
    assert_eq!(world.read(("jen", 2)), [b"x"]);
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
    // The relay refuses the removed device; a hostile one delivers what it says.
    let envelope = send.batches.iter().find(|batch| batch.user == user("bob")).unwrap().envelopes[0].envelope.clone();
    assert_eq!(world.refusal(BOB, &envelope), Some(Code::NotListed));
    assert_eq!(world.group(BOB, id).unwrap().info.name, "Trip");
}

#[test]
fn a_pin_that_differs_from_the_adds_blocks() {
    let mut world = World::acquainted(93, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    // For Bob, Jen is somebody else.
    let key = Sealer::new(&store_key()).places.user(Kind::User, &user("jen"));
    let sealer = Sealer::new(&store_key());
    let mut dump = world.dump(BOB);
    let jens = record::User::decode(&sealer.open(&key, &dump[&key]).unwrap()).unwrap();
    let other = record::User { account_key: *world.list("bob").account_key.as_bytes(), ..jens };
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
    let mut context = Context { now: Timestamp(world.now), rng: &mut rng };
    dump.insert(key.clone(), sealer.seal(&mut context, &key, &other.encode().unwrap()).unwrap());
    world.hosts[&BOB].store.inner.restore(dump);
    world.act(ALICE, id, |group, c| group.add(c, &[user("jen")])).unwrap();
    let results = world.receive(BOB).unwrap();
    assert!(
        events(&results)
            .iter()
            .any(|event| matches!(event, Event::IdentityChanged { user: of, .. } if *of == user("jen")))
    );
    let send = world.in_group(BOB, id, |group, c| group.send(c, b"x", None)).unwrap();
    assert!(send.needs.contains(&Need::IdentityAcceptance(user("jen"))));
    assert!(send.batches.iter().all(|batch| batch.user != user("jen")));
    // The app stays with its pin: the claim is gone, and in the group nothing is sent to who is not the member.
    let pinned = *world.list("bob").account_key.as_bytes();
    world.with(BOB, |d, c| d.accept_identity(c, &user("jen"), &pinned)).unwrap();
    let users = world.with(BOB, |d, c| d.users(c)).unwrap();
    assert!(users.iter().all(|view| view.claimed_key.is_none()));
    let send = world.with(BOB, |d, c| d.pending(c, &send.id)).unwrap().unwrap();
    assert_eq!(send.failed, [(user("jen"), Code::IdentityNotAccepted.number())]);
    let again = world.with(BOB, |d, c| d.accept_identity(c, &user("jen"), &pinned)).map(drop);
    assert_eq!(again.map_err(|error| error.code), Err(Code::InvalidArgument), "no claim waits any more");
}

#[test]
fn a_group_costs_no_prekey_among_people_who_talk() {
    let names = ["alice", "bob", "carol", "dave", "erin", "frank", "gina", "hugo", "ines", "jen"];
    let mut world = World::acquainted(100, &names.map(|name| (name, 1)));
    let fetched = |world: &World| {
        world.relay.view().seen.iter().filter(|seen| matches!(seen, Seen::BundleFetched { .. })).count()
    };
    let before = fetched(&world);
    let stock: Vec<_> = names.iter().map(|name| world.relay.stock((&user(name), DeviceId(1)))).collect();
    for n in 0..100 {
        let id = world.found(ALICE, &format!("Group {n}"), &names[1..]);
        world.say((names[n % 10], 1), id, b"hello").unwrap();
        if n % 10 == 0 {
            world.all_receive();
        }
    }
    world.all_receive();
    assert_eq!(fetched(&world), before, "no bundle for a hundred groups");
    assert_eq!(names.iter().map(|name| world.relay.stock((&user(name), DeviceId(1)))).collect::<Vec<_>>(), stock);
    assert_eq!(world.with(("jen", 1), |d, c| d.groups(c)).unwrap().len(), 100);
}

#[test]
fn a_group_too_large_for_one_message_is_told_in_several() {
    let mut world = World::acquainted(94, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    let data = GroupChange { app_data: Some(vec![7; 4_096]), ..GroupChange::default() };
    for _ in 0..40 {
        world.act(ALICE, id, |group, c| group.update_info(c, &data)).unwrap();
        world.receive(BOB).unwrap();
    }
    world.act(BOB, id, |group, c| group.add(c, &[user("jen")])).unwrap();
    assert_eq!(world.mails(JEN).len(), 3);
    let mut mails = world.steal(JEN);
    mails.reverse();
    world.decrypt(JEN, &mails);
    assert_eq!(world.members(JEN, id), ["alice", "bob", "jen"]);
    assert_eq!(world.group(JEN, id).unwrap().info.app_data, vec![7; 4_096]);
}

#[test]
fn what_a_cost_says_is_what_a_send_weighs() {
    let mut world = World::acquainted(95, &[("alice", 2), ("bob", 3), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob", "jen"]);
    for round in 0..2 {
        for length in [0, 100, 384, 385, 5_000, 60_000] {
            let cost = world.in_group(ALICE, id, |group, c| group.cost(c, length)).unwrap();
            let send = world.in_group(ALICE, id, |group, c| group.send(c, &vec![1; length], None)).unwrap();
            let envelopes: Vec<_> = send.batches.iter().flat_map(|batch| &batch.envelopes).collect();
            assert_eq!(cost.envelopes, envelopes.len());
            let bytes: usize = envelopes.iter().map(|outgoing| outgoing.envelope.len()).sum();
            assert_eq!(cost.bytes, bytes as u64, "{length} bytes, round {round}");
            assert_eq!(world.drive(ALICE, send).unwrap(), None);
        }
        // In the second round the group's sessions stand.
        world.all_receive();
        for name in [("alice", 2), BOB, ("bob", 2), ("bob", 3), JEN] {
            world.say(name, id, b"x").unwrap();
        }
        world.all_receive();
    }
    let too_large = world.in_group(ALICE, id, |group, c| group.cost(c, 98_000));
    assert_eq!(too_large.map_err(|error| error.code), Err(Code::TooLarge));
}
