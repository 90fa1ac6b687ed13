//! Private groups, rule by rule (T36 and T78 to T90): first one story, then one claim for each test.

use rand_chacha::rand_core::SeedableRng;
use sesame_core::context::{Context, Timestamp};
use sesame_core::error::Code;
use sesame_core::event::{Event, GroupChange, MessageKind, Received, Standing};
use sesame_core::ids::DeviceId;
use sesame_core::internal::steps::Steps;
use sesame_core::internal::store::{Kind, Sealer};
use sesame_core::internal::{model::Peer, record::Record};
use sesame_relay::Seen;
use sesame_tests::{ALICE, BOB, DAY, JEN, Name, World, events, failures, messages, store_key, user};

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
    let before = world.relay.seen().len();
    let (fork, send) = world
        .in_group(ALICE, id, |group, c| group.fork_without(c, &[user("jen")]).map(|(fork, send)| (fork.id(), send)))
        .unwrap();
    assert_ne!(fork, id);
    assert_eq!(world.drive(ALICE, send).unwrap(), None);
    let to_jen = |seen: &&Seen| match seen {
        Seen::Submitted { recipient, .. } => *recipient == user("jen"),
        Seen::BundleFetched { user: of, .. } => *of == user("jen"),
        Seen::Published { .. } => false,
    };
    assert!(world.relay.seen().len() > before);
    assert_eq!(world.relay.seen()[before..].iter().find(to_jen), None, "nothing about it goes to the excluded");
    world.all_receive();
    assert_eq!(world.members(("bob", 2), fork), ["alice", "bob"]);
    assert_eq!(world.group(BOB, fork).unwrap().info.name, "Summer trip");
    assert_eq!(world.group(JEN, fork).map(drop), Err(Code::UnknownGroup));
    world.act(ALICE, id, |group, c| group.leave(c)).unwrap();
    world.all_receive();
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

#[test]
fn t36_crossed_openings_settle_in_their_scope_and_leave_the_direct_session_alone() {
    let (mut world, id) = World::trio(36);
    let direct = world.session(BOB, JEN).unwrap();
    // Alice has opened the group with both; Bob and Jen have not spoken there with each other. Both do before either fetches.
    assert_eq!((world.group_session(BOB, JEN, id), world.group_session(JEN, BOB, id)), (None, None));
    world.say(BOB, id, b"b1").unwrap();
    world.say(JEN, id, b"j1").unwrap();
    let (bobs, jens) = (world.group_session(BOB, JEN, id).unwrap(), world.group_session(JEN, BOB, id).unwrap());
    assert!(bobs.initiating && jens.initiating && bobs.id != jens.id, "they cross");
    assert_eq!((world.read(BOB), world.read(JEN)), (vec![b"j1".to_vec()], vec![b"b1".to_vec()]));
    world.say(BOB, id, b"b2").unwrap();
    assert_eq!(world.read(JEN), [b"b2"]);
    world.say(JEN, id, b"j2").unwrap();
    assert_eq!(world.read(BOB), [b"j2"]);
    let (bobs, jens) = (world.group_session(BOB, JEN, id).unwrap(), world.group_session(JEN, BOB, id).unwrap());
    assert_eq!((bobs.id, bobs.initiating, jens.initiating), (jens.id, false, false));
    assert_eq!(world.session(BOB, JEN).unwrap().id, direct.id, "the direct session is the same");
    assert!(bobs.id != direct.id && world.group_session(BOB, ALICE, id).unwrap().id != bobs.id);
}

#[test]
fn t36_openings_that_truly_cross_give_one_active_session() {
    let (mut world, _) = World::trio(37);
    // Alice knows the group through her own creation, Bob through hers; then both write before either fetches, with the first
    // opening's answers lost.
    let (id, send) = world.found_quietly(ALICE, "A", &["bob"]);
    world.drive(ALICE, send).unwrap();
    world.receive(BOB).unwrap();
    let sealer = Sealer::new(&store_key());
    // Bob forgets the session that Alice opened: he opens one of his own.
    let key = sealer.places.device(Kind::Peer, &user("alice"), DeviceId(1));
    let mut dump = world.dump(BOB);
    let mut peer = Peer::decode(&sealer.open(&key, &dump[&*key]).unwrap()).unwrap();
    peer.sessions.retain(|meta| meta.scope.group() != Some(id));
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
    let mut context = Context { now: Timestamp(world.now), rng: &mut rng };
    dump.insert(key.to_vec(), sealer.seal(&mut context, &key, &peer.encode().unwrap()).unwrap());
    world.hosts[&BOB].store.inner.restore(dump);
    world.say(ALICE, id, b"from Alice").unwrap();
    world.say(BOB, id, b"from Bob").unwrap();
    assert_eq!(world.read(ALICE), [b"from Bob"]);
    assert_eq!(world.read(BOB), [b"from Alice"]);
    world.say(ALICE, id, b"2").unwrap();
    world.receive(BOB).unwrap();
    world.say(BOB, id, b"3").unwrap();
    world.receive(ALICE).unwrap();
    let ours = world.group_session(ALICE, BOB, id).unwrap();
    let theirs = world.group_session(BOB, ALICE, id).unwrap();
    assert_eq!((ours.id, ours.initiating, theirs.initiating), (theirs.id, false, false));
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
        let own = world.found(name, "Own", &[others[0]]);
        let mut members = [name.0, others[0]];
        members.sort_unstable();
        assert_eq!(world.members((others[0], 1), own), members);
    }
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
    let (mut world, id) = World::trio(82);
    world.act(ALICE, id, |group, c| group.rename(c, "New")).unwrap();
    world.steal(BOB);
    world.receive(JEN).unwrap();
    world.say(JEN, id, b"x").unwrap();
    let results = world.receive(BOB).unwrap();
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
fn t84_a_leaver_is_asked_back_and_comes_only_by_their_own_word() {
    let (mut world, id) = World::trio(84);
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
    let (mut world, id) = World::trio(86);
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
    let (old, forked) = (world.group_session(BOB, ALICE, id), world.group_session(BOB, ALICE, new));
    assert_ne!(old.unwrap().id, forked.unwrap().id, "new sessions");
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
fn a_stale_view_of_one_member_repeats_that_members_batch_alone() {
    let (mut world, id) = World::trio(91);
    world.link("jen");
    let send = world.whisper(ALICE, id, b"x");
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
    let tablet = world.link("jen");
    assert_eq!(world.group(tablet, id).unwrap().info.app_data, vec![7; 4_096], "nor does a link carry less");
}

#[test]
fn a_group_stays_small_enough_for_a_newcomer_to_take_in() {
    let mut world = World::acquainted(194, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    let data = GroupChange { app_data: Some(vec![7; 4_096]), ..GroupChange::default() };
    let full = (0..400).find(|_| {
        let send = world.in_group(ALICE, id, |group, c| group.update_info(c, &data));
        match send {
            Ok(send) => assert_eq!(world.drive(ALICE, send).unwrap(), None),
            Err(error) => {
                assert_eq!(error.code, Code::TooManyOperations);
                return true;
            }
        }
        world.steal(BOB);
        false
    });
    assert!(full.is_some_and(|count| count > 150), "{full:?}");
    // What is small still fits: Jen takes in the largest state there is, in whatever order it comes.
    world.act(ALICE, id, |group, c| group.add(c, &[user("jen")])).unwrap();
    let mut mails = world.steal(JEN);
    assert!(mails.len() > 12);
    mails.reverse();
    for mail in mails {
        world.decrypt(JEN, &[mail]);
    }
    assert_eq!(world.members(JEN, id), ["alice", "bob", "jen"]);
    // And who wants to say more does it in a fork, which starts small.
    let (fork, send) = world
        .in_group(ALICE, id, |group, c| group.fork_without(c, &[user("jen")]).map(|(fork, send)| (fork.id(), send)))
        .unwrap();
    world.drive(ALICE, send).unwrap();
    world.act(ALICE, fork, |group, c| group.update_info(c, &data)).unwrap();
    world.all_receive();
    assert_eq!(world.members(BOB, fork), ["alice", "bob"]);
}

#[test]
fn what_a_cost_says_is_what_a_send_weighs() {
    let mut world = World::acquainted(95, &[("alice", 2), ("bob", 3), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob", "jen"]);
    for round in 0..2 {
        for length in [0, 100, 384, 385, 5_000, 60_000] {
            let cost = world.in_group(ALICE, id, |group, c| group.cost(c, length)).unwrap();
            let send = world.whisper(ALICE, id, &vec![1; length]);
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
    assert_eq!(too_large.map_err(|error| error.code), Err(Code::PayloadTooLarge));
}
