//! A group with one hostile user: her devices sign three times under one number and tell some of the members another thing each time, add and leave
//! and take it back. The others' views agree, and what they say to each other is read exactly once.

use sesame_core::{
    context::Context,
    error::{Code, Error},
    event::{Event, PendingSend, Received, Standing},
    ids::{DeviceId, GroupId},
    internal::steps::Steps,
};
use sesame_tests::{ALICE, BOB, Name, World, events, messages, user};
use std::collections::{BTreeMap, BTreeSet};

/// So many worlds in CI; `SESAME_HOSTILE_GROUPS` asks for more.
const SEEDS: u64 = 10;
const HONEST: [Name; 4] = [ALICE, BOB, ("carol", 1), ("dave", 1)];
const MALLORY: [Name; 2] = [("mallory", 1), ("mallory", 2)];

#[derive(Default)]
struct Ledger {
    entitled: BTreeMap<Vec<u8>, BTreeSet<Name>>,
    read: BTreeMap<(Name, Vec<u8>), usize>,
    told_twice: usize,
    lies: usize,
}

impl Ledger {
    fn note(&mut self, name: Name, results: &[Received]) {
        for result in results {
            if let Received::Failure { sender, code, .. } = result {
                let is_hers = sender.as_ref().is_some_and(|sender| sender.user == user("mallory"));
                assert!(is_hers || *code == Code::Duplicate, "{name:?}: {result:?}");
            }
        }
        for message in messages(results) {
            *self.read.entry((name, message.payload.clone())).or_default() += 1;
        }
        let twice = |event: &&&Event| matches!(event, Event::GroupEquivocation { .. });
        self.told_twice += events(results).iter().filter(twice).count();
    }
}

/// Mallory acts, and the server keeps what she says from these.
fn lie(world: &mut World, name: Name, id: GroupId, kept_from: &[Name], act: usize, step: usize) -> Result<(), Error> {
    let mails = |world: &World, to: &Name| -> Vec<u64> {
        let mails = world.relay.fetch((&user(to.0), DeviceId(to.1)), 4_096);
        mails.iter().map(|mail| mail.id).collect()
    };
    let before: Vec<Vec<u64>> = kept_from.iter().map(|to| mails(world, to)).collect();
    let call = |group: sesame_core::device::Group<'_>, c: &mut Context<'_>| -> Result<PendingSend, Error> {
        match act {
            0 | 1 => group.rename(c, &format!("Hers {step} {act}")),
            2 => group.add(c, &[user("zoe")]),
            _ => group.leave(c),
        }
    };
    let acted = world.act(name, id, call);
    for (to, before) in kept_from.iter().zip(before) {
        let new: Vec<u64> = mails(world, to).into_iter().filter(|mail| !before.contains(mail)).collect();
        world.relay.confirm((&user(to.0), DeviceId(to.1)), &new);
    }
    acted
}

/// Everybody fetches and submits until nothing more happens. Mallory's own devices have more to settle with each other than the rest: what one
/// sends the other in a day is limited.
fn rest(world: &mut World) -> Vec<(Name, Vec<Received>)> {
    let mut all = Vec::new();
    for _ in 0..40 {
        let received = world.all_receive();
        let quiet = received.iter().all(|(_, results)| results.is_empty());
        for (name, _) in &received {
            world.with(*name, |device, context| device.tick(context, false)).unwrap();
            world.flush(*name);
        }
        all.extend(received);
        if quiet && world.relay.view().waiting.values().sum::<usize>() == 0 {
            return all;
        }
    }
    panic!("the world does not come to rest");
}

fn play(seed: u64) -> Ledger {
    let users = [("alice", 1), ("bob", 1), ("carol", 1), ("dave", 1), ("mallory", 2), ("zoe", 1)];
    let mut world = World::acquainted(seed, &users);
    let id = world.found(ALICE, "First", &["bob", "carol", "dave", "mallory"]);
    let mut ledger = Ledger::default();
    for step in 0..70 {
        let name = HONEST[world.below(4)];
        match world.below(8) {
            0 => drop(world.act(name, id, |group, c| group.rename(c, &format!("Name {step}")))),
            1 | 2 => {
                let text = format!("{name:?} says {step}").into_bytes();
                let members = world.members(name, id);
                world.say(name, id, &text).unwrap();
                let to = HONEST.iter().filter(|n| **n != name && members.contains(&n.0.to_owned())).copied();
                ledger.entitled.insert(text, to.collect());
            }
            3 | 4 => {
                let liar = MALLORY[world.below(2)];
                let before = world.dump(liar);
                // Three different things under one number, each for some.
                for version in 0..3 {
                    let kept_from: Vec<Name> = HONEST.into_iter().filter(|_| world.below(2) == 0).collect();
                    let act = if step > 40 { world.below(4) } else { world.below(3) };
                    let told = lie(&mut world, liar, id, &kept_from, act, 10 * step + version);
                    ledger.lies += usize::from(told.is_ok());
                    world.forget_since(liar, &before);
                }
            }
            _ => {
                let received = world.receive(name).unwrap();
                ledger.note(name, &received);
                if world.below(3) == 0 {
                    world.receive(MALLORY[0]).unwrap();
                }
            }
        }
        world.pass(60_000);
    }
    for _ in 0..4 {
        for name in HONEST {
            world.say(name, id, b"all well?").unwrap();
        }
        for (name, results) in rest(&mut world) {
            if HONEST.contains(&name) {
                ledger.note(name, &results);
            }
        }
        world.pass(sesame_tests::DAY);
    }
    let expected = world.group(ALICE, id).unwrap();
    for name in HONEST {
        let view = world.group(name, id).unwrap();
        assert_eq!(view.standing, Standing::Member, "seed {seed}: {name:?} was put out");
        assert_eq!((&view.members, &view.info), (&expected.members, &expected.info), "seed {seed}: {name:?}");
        let apart = view.diverged.iter().filter(|device| HONEST.iter().any(|name| device.0 == user(name.0)));
        assert_eq!(apart.count(), 0, "seed {seed}: {name:?}");
    }
    for (text, entitled) in &ledger.entitled {
        for name in HONEST {
            let count = ledger.read.get(&(name, text.clone())).copied().unwrap_or(0);
            assert_eq!(
                count,
                usize::from(entitled.contains(&name)),
                "seed {seed}: {name:?}, {}",
                String::from_utf8_lossy(text)
            );
        }
    }
    ledger
}

#[test]
fn devices_that_sign_twice_split_no_group_and_lose_no_message() {
    let (mut said, mut lies, mut told) = (0, 0, 0);
    let seeds = std::env::var("SESAME_HOSTILE_GROUPS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    for seed in 0..seeds {
        let ledger = play(300 + seed);
        said += ledger.entitled.len();
        lies += ledger.lies;
        told += ledger.told_twice;
    }
    println!("{seeds} worlds: {said} messages, {lies} lies, told {told} times that a device signed twice");
    assert!(said > 80 && lies > 200 && told > 40, "{said} {lies} {told}");
}
