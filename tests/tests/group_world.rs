//! The world plays groups: random acts under loss, duplication, reordering and restarts.

use sesame_core::error::{Code, Error};
use sesame_core::event::{Received, Standing};
use sesame_core::ids::GroupId;
use sesame_core::internal::steps::Steps;
use sesame_core::internal::store::Kind;
use sesame_tests::{ALICE, BOB, Name, Weather, World, failures, messages, user};
use std::collections::{BTreeMap, BTreeSet};

type Text = Vec<u8>;

/// Who may read what, who has, and what was done.
#[derive(Default)]
struct Ledger {
    entitled: BTreeMap<Text, BTreeSet<Name>>,
    read: BTreeMap<(Name, Text), usize>,
    done: BTreeMap<&'static str, usize>,
    /// Members' devices whose view was compared with another's.
    agreed: usize,
}

impl Ledger {
    fn note(&mut self, name: Name, results: &[Received]) {
        for message in messages(results) {
            *self.read.entry((name, message.payload.clone())).or_default() += 1;
        }
    }

    /// Notes an act, which succeeds or fails as was foretold.
    fn count(&mut self, what: &'static str, refusal: Option<Code>, result: Result<(), Error>) {
        assert_eq!(result.map_err(|error| error.code), refusal.map_or(Ok(()), Err), "{what}");
        if refusal.is_none() {
            *self.done.entry(what).or_default() += 1;
        }
    }
}

/// Why a device may not act in a group, by what it knows of it.
fn refusal(world: &mut World, name: Name, id: GroupId) -> Option<Code> {
    match world.standing(name, id) {
        None => Some(Code::UnknownGroup),
        Some(Standing::Member) => None,
        Some(_) => Some(Code::NotAMember),
    }
}

/// Who a device knows to have left gets nothing from it in that group, be it message, state or question (A56), unless it is asked back.
fn nothing_for_leavers(world: &mut World, name: Name) {
    let sends = world.with(name, |d, c| d.outbox(c)).unwrap();
    for send in sends {
        let Some((group, welcomed)) = world.group_of(name, &send) else { continue };
        for batch in &send.batches {
            let gone = group.former.contains(&batch.user) && batch.user.as_bytes() != name.0.as_bytes();
            assert!(!gone || welcomed.contains(&batch.user), "{name:?} has something for {:?}", batch.user);
        }
    }
}

/// Random creates, adds, renames, leaves, answers, forks and messages. What the network loses on the way comes again, as a mailbox keeps
/// it until it is confirmed, and a sender submits again what was not answered. Operations that the server itself loses heal by digests;
/// messages that it loses are lost.
fn play(seed: u64, steps: usize, weather: Weather) -> Ledger {
    let users: [(&'static str, u32); 4] = [("alice", 2), ("bob", 1), ("carol", 2), ("dave", 1)];
    let mut world = World::acquainted(seed, &users);
    let names: Vec<Name> = world.hosts.keys().copied().collect();
    let mut groups: Vec<GroupId> = vec![world.found(ALICE, "First", &["bob", "carol"])];
    let mut ledger = Ledger::default();
    world.weather = weather;
    for step in 0..steps {
        let name = names[world.below(names.len())];
        let id = groups[world.below(groups.len())];
        let whom = users[world.below(users.len())].0;
        match world.below(18) {
            0 if groups.len() < 4 => {
                let others: Vec<&str> = users.iter().map(|u| u.0).filter(|u| *u != name.0 && *u != whom).collect();
                let (id, send) = world.found_quietly(name, &format!("Group {step}"), &others);
                world.drive(name, send).unwrap();
                groups.push(id);
            }
            1 | 16 => {
                // Who has left is asked back more often than chance would have it.
                let left = names.iter().find(|n| n.0 != name.0 && world.standing(**n, id) == Some(Standing::Left));
                let whom = left.map_or(whom, |name| name.0);
                let inside = world.members(name, id).contains(&whom.to_owned());
                let refusal = refusal(&mut world, name, id).or(inside.then_some(Code::AlreadyMember));
                ledger.count("add", refusal, world.act(name, id, |group, c| group.add(c, &[user(whom)])));
            }
            2 => {
                let refusal = refusal(&mut world, name, id);
                let renamed = world.act(name, id, |group, c| group.rename(c, &format!("Name {step}")));
                ledger.count("rename", refusal, renamed);
            }
            3 if step % 3 == 0 => {
                let refusal = refusal(&mut world, name, id);
                ledger.count("leave", refusal, world.act(name, id, |group, c| group.leave(c)));
            }
            4 | 17 => {
                let all = names.iter().flat_map(|name| groups.iter().map(|id| (*name, *id))).collect::<Vec<_>>();
                let invited =
                    |world: &mut World, (name, id)| matches!(world.standing(name, id), Some(Standing::Invited(_)));
                if let Some((name, id)) = all.into_iter().find(|pair| invited(&mut world, *pair)) {
                    ledger.count("accept", None, world.act(name, id, |group, c| group.accept(c)));
                }
            }
            5 if groups.len() < 4 => {
                let others = world.members(name, id).contains(&whom.to_owned()) && whom != name.0;
                let refusal = refusal(&mut world, name, id).or((!others).then_some(Code::InvalidArgument));
                let fork =
                    world.in_group(name, id, |group, c| group.fork_without(c, &[user(whom)]).map(|(g, s)| (g.id(), s)));
                if let Ok((fork, send)) = &fork {
                    world.drive(name, *send).unwrap();
                    groups.push(*fork);
                }
                ledger.count("fork", refusal, fork.map(drop));
            }
            6 => world.reopen(name),
            7 => {
                world.with(name, |d, c| d.tick(c, false)).unwrap();
                nothing_for_leavers(&mut world, name);
                world.flush(name);
            }
            8..=11 => {
                let text = format!("{name:?} says {step}").into_bytes();
                let (members, refusal) = (world.members(name, id), refusal(&mut world, name, id));
                let said = world.say(name, id, &text);
                if said.is_ok() {
                    let to = names.iter().filter(|n| **n != name && members.contains(&n.0.to_owned())).copied();
                    ledger.entitled.insert(text, to.collect());
                }
                ledger.count("say", refusal, said);
            }
            _ => {
                let results = world.receive(name).unwrap();
                assert_eq!(failures(&results).iter().filter(|c| **c != Code::Duplicate).count(), 0, "{results:?}");
                ledger.note(name, &results);
                nothing_for_leavers(&mut world, name);
            }
        }
        world.pass(60_000);
    }
    // Quiet: everybody fetches; a word from each makes any difference of views show.
    world.weather = Weather::default();
    let rest = |world: &mut World, ledger: &mut Ledger| {
        for (name, results) in world.rest() {
            let failed = failures(&results).into_iter().find(|code| *code != Code::Duplicate);
            assert_eq!(failed, None, "seed {seed}: {name:?}");
            ledger.note(name, &results);
        }
    };
    rest(&mut world, &mut ledger);
    for _ in 0..2 {
        for name in &names {
            for id in &groups {
                let refusal = refusal(&mut world, *name, *id);
                ledger.count("say", refusal, world.say(*name, *id, b"all well?"));
            }
        }
        rest(&mut world, &mut ledger);
    }
    for id in &groups {
        let views: Vec<_> = names.iter().filter_map(|name| Some((*name, world.group(*name, *id).ok()?))).collect();
        let inside: Vec<_> = views.iter().filter(|(_, view)| view.standing == Standing::Member).collect();
        ledger.agreed += inside.len().saturating_sub(1);
        for (name, view) in &inside {
            let (first, expected) = inside[0];
            assert_eq!(view.members, expected.members, "seed {seed}: {name:?} and {first:?}");
            assert_eq!(view.info, expected.info, "seed {seed}: {name:?} and {first:?}");
            assert_eq!(view.diverged, [], "seed {seed}: {name:?}");
            assert!(view.members.iter().any(|member| member.user == user(name.0)));
        }
        for member in inside.first().iter().flat_map(|(_, view)| &view.members) {
            let devices = names.iter().filter(|name| user(name.0) == member.user).count();
            let knowing = inside.iter().filter(|(name, _)| user(name.0) == member.user).count();
            assert_eq!(knowing, devices, "seed {seed}: a member's device does not know that it is one");
        }
    }
    for (text, entitled) in core::mem::take(&mut ledger.entitled) {
        for name in &names {
            let count = ledger.read.get(&(*name, text.clone())).copied().unwrap_or(0);
            let expected = usize::from(entitled.contains(name));
            let text = String::from_utf8_lossy(&text);
            assert_eq!(count, expected, "seed {seed}: {name:?} and {text:?}");
        }
    }
    ledger
}

#[test]
fn the_world_plays_groups_under_loss_delay_duplication_reordering_and_restarts() {
    let mut done: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut read, mut agreed) = (0, 0);
    for seed in 0..40 {
        let weather = Weather { drop: 0, duplicate: 20, delay: 30, reorder: true, unanswered: 15 };
        let ledger = play(seed, 120, weather);
        for (what, times) in ledger.done {
            *done.entry(what).or_default() += times;
        }
        read += ledger.read.values().sum::<usize>();
        agreed += ledger.agreed;
    }
    assert!(agreed > 40 * 3, "hardly a view was compared with another: {agreed}");
    println!("{done:?}; read {read}");
    for what in ["accept", "add", "fork", "leave", "rename", "say"] {
        assert!(done.get(what).is_some_and(|times| *times > 5), "{what}: {done:?}");
    }
}

#[test]
fn operations_that_the_server_loses_for_good_heal_and_views_agree() {
    let mut left = 0;
    for seed in 100..115 {
        let users: [(&'static str, u32); 4] = [("alice", 1), ("bob", 2), ("carol", 1), ("dave", 1)];
        let mut world = World::acquainted(seed, &users);
        let id = world.found(ALICE, "First", &["bob", "carol", "dave"]);
        let names: Vec<Name> = world.hosts.keys().copied().collect();
        world.weather = Weather { drop: 30, duplicate: 10, delay: 20, reorder: true, unanswered: 10 };
        let mut ledger = Ledger::default();
        for step in 0..60 {
            let name = names[world.below(names.len())];
            match world.below(5) {
                0 => {
                    let refusal = refusal(&mut world, name, id);
                    let renamed = world.act(name, id, |group, c| group.rename(c, &format!("Name {step}")));
                    ledger.count("rename", refusal, renamed);
                }
                1 => {
                    let refusal = refusal(&mut world, name, id);
                    ledger.count("say", refusal, world.say(name, id, b"x"));
                }
                2 if step == 30 || step == 31 => world.reopen(name),
                2 if step > 20 => {
                    let refusal = refusal(&mut world, ("dave", 1), id);
                    ledger.count("leave", refusal, world.act(("dave", 1), id, |group, c| group.leave(c)));
                }
                _ => drop(world.receive(name).unwrap()),
            }
            nothing_for_leavers(&mut world, name);
        }
        left += ledger.done.get("leave").copied().unwrap_or(0);
        world.weather = Weather::default();
        world.rest();
        for _ in 0..4 {
            for name in &names {
                let refusal = refusal(&mut world, *name, id);
                ledger.count("say", refusal, world.say(*name, id, b"all well?"));
            }
            world.rest();
            world.pass(sesame_tests::DAY);
        }
        let expected = world.group(ALICE, id).unwrap();
        assert!(expected.members.len() >= 3, "{seed}: nobody but Dave leaves");
        for name in names.into_iter().filter(|name| expected.members.iter().any(|m| m.user == user(name.0))) {
            let view = world.group(name, id).unwrap();
            assert_eq!(
                (&view.info, &view.members, &view.diverged),
                (&expected.info, &expected.members, &vec![]),
                "{seed}"
            );
        }
        let daves = world.standing(("dave", 1), id);
        let is_member = expected.members.iter().any(|member| member.user == user("dave"));
        assert_eq!(daves == Some(Standing::Member), is_member, "{seed}: a lost leave was said again");
    }
    assert!(left > 5, "{left}");
}

#[test]
fn t85_a_group_of_which_nothing_has_come_is_asked_for_when_a_contact_speaks_there() {
    let mut world = World::acquainted(61, &[("alice", 1), ("bob", 1)]);
    // Bob's phone has not fetched the add when it links a tablet.
    let (id, send) = world.found_quietly(ALICE, "Trip", &["bob"]);
    world.drive(ALICE, send).unwrap();
    let add = world.steal(BOB);
    let tablet = world.link("bob");
    world.decrypt(BOB, &add);
    world.flush(BOB);
    world.send(ALICE, &["bob"], b"hello both");
    world.all_receive();
    assert_eq!(world.standing(tablet, id), None);
    world.say(ALICE, id, b"anybody there?").unwrap();
    world.receive(tablet).unwrap();
    world.with(tablet, |d, c| d.tick(c, false)).unwrap();
    world.rest();
    world.rest();
    assert_eq!(world.standing(tablet, id), Some(Standing::Member));
    assert_eq!(world.rows(tablet, &[Kind::HeldContent]), 0, "what was held was read");
}
