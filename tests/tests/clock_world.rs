//! The same play under a true clock and under one that jumps up to fifty years to either side, at half of all calls.
//!
//! Nothing is lost that the true play keeps: what a device was told to have sent has arrived, or is held until its time comes; and what was kept
//! back since the first day still opens.

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use sesame_core::{
    event::{Event, Outcome, Recipients},
    ids::{GroupId, SendId},
    internal::{steps::Steps, store::Kind},
};
use sesame_tests::{ALICE, BOB, DAY, JEN, Name, World, messages, user};
use std::collections::{BTreeMap, BTreeSet};

/// So many plays in CI; `SESAME_CLOCK_WORLDS` asks for more.
const SEEDS: u64 = 2;
const TABLET: Name = ("alice", 2);
const CAROL: Name = ("carol", 1);

struct Play {
    world: World,
    group: GroupId,
    sent: Vec<(Name, SendId, Vec<u8>)>,
    read: BTreeMap<Name, BTreeSet<Vec<u8>>>,
    dropped: usize,
}

impl Play {
    /// Says something to these users, or to the group if there are none.
    fn say(&mut self, name: Name, names: &[&str], text: String) {
        let users: Vec<_> = names.iter().map(|name| user(name)).collect();
        let to = if users.is_empty() { Recipients::Group(self.group) } else { Recipients::Users(&users) };
        let send = self.world.with(name, |d, c| d.batch_encrypt(c, to, text.as_bytes(), None)).unwrap();
        self.sent.push((name, send.id, text.into_bytes()));
    }

    /// A device is on for an hour.
    fn is_on(&mut self, name: Name) {
        for _ in 0..5 {
            self.world.with_requests(name, |_, _, requests| requests.request_mail(10_000));
            for _ in 0..40 {
                let Some(request) = self.world.next(name).unwrap() else { break };
                let (status, body) = self.world.perform(&request);
                // By a clock that has jumped the request may have been given back long ago: then the answer counts for nothing.
                self.world.respond(name, &request.id, (status, &body)).unwrap();
            }
            self.world.now += DAY / 96;
        }
    }

    fn look(&mut self) {
        for name in self.world.hosts.keys().copied().collect::<Vec<_>>() {
            let texts = self.world.inbox_texts(name);
            self.read.entry(name).or_default().extend(texts);
            let events = self.world.inbox_events(name);
            self.dropped = self.dropped.max(events.iter().filter(|e| matches!(e, Event::HeldDropped { .. })).count());
        }
    }
}

fn play(seed: u64, jumps: bool) -> Play {
    let mut script = ChaCha20Rng::seed_from_u64(seed);
    let mut below = move |n: u32| script.next_u32() % n;
    let mut world = World::acquainted(seed, &[("alice", 2), ("bob", 1), ("jen", 1)]);
    let group = world.found(ALICE, "Trip", &["bob", "jen"]);
    world.jumps = jumps.then(|| ChaCha20Rng::seed_from_u64(seed + 1_000));
    let mut play = Play { world, group, sent: Vec::new(), read: BTreeMap::new(), dropped: 0 };
    let mut kept_back = Vec::new();
    for day in 0..25 {
        for act in 0..3 {
            let from = [ALICE, TABLET, BOB, JEN][below(4) as usize];
            let text = format!("{day}.{act} by {from:?}");
            match below(3) {
                0 => play.say(from, &[], text),
                _ => {
                    let others: Vec<&str> =
                        ["alice", "bob", "jen"].into_iter().filter(|name| *name != from.0).collect();
                    play.say(from, &others[..1 + below(2) as usize], text);
                }
            }
        }
        if day == 1 {
            play.say(ALICE, &["bob"], "kept back".to_owned());
            play.say(TABLET, &["bob"], "kept back as well".to_owned());
        }
        if day == 10 {
            play.world.create_quietly("carol");
            play.say(CAROL, &["alice", "bob"], "nice to meet you".to_owned());
        }
        for name in play.world.hosts.keys().copied().collect::<Vec<_>>() {
            if day == 1 && name == BOB {
                // What Bob gets today is kept back.
                kept_back = play.world.steal(BOB);
            }
            play.is_on(name);
        }
        let left = DAY - play.world.now % DAY;
        play.world.now += left;
        play.world.relay.set_time(sesame_core::context::Timestamp(play.world.now));
    }
    assert!(jumps || kept_back.len() > 1, "something was kept back");
    let results = play.world.with(BOB, |d, c| d.decrypt(c, &kept_back)).unwrap();
    play.read.entry(BOB).or_default().extend(messages(&results).into_iter().map(|m| m.payload.clone()));
    // Three days with a true clock.
    play.world.jumps = None;
    for _ in 0..3 {
        for name in play.world.hosts.keys().copied().collect::<Vec<_>>() {
            play.is_on(name);
        }
        play.world.now += DAY;
    }
    play.look();
    play
}

/// How many rows a device has of what is held.
fn held(play: &Play, name: Name) -> usize {
    play.world.rows(name, &[Kind::Held, Kind::HeldContent])
}

#[test]
fn a_clock_that_jumps_by_fifty_years_loses_nothing_that_a_true_one_keeps() {
    let seeds = std::env::var("SESAME_CLOCK_WORLDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    let (mut arrived, mut ended, mut waiting, mut rows) = (0, 0, 0, (0, 0));
    for seed in 0..seeds {
        let kept = play(900 + seed, false);
        let mut jumped = play(900 + seed, true);
        for (name, texts) in &kept.read {
            let there = jumped.read.get(name).cloned().unwrap_or_default();
            for text in texts {
                if there.contains(text) {
                    arrived += 1;
                    continue;
                }
                let (from, send, _) = jumped.sent.iter().find(|(_, _, said)| said == text).unwrap().clone();
                let status = jumped.world.status(from, &send).unwrap();
                let part = status.users.iter().find(|part| part.user == user(name.0));
                match part.map(|part| part.outcome) {
                    // The app knows that it has not arrived, or that it is still on its way.
                    Some(Outcome::Failed) => ended += 1,
                    Some(Outcome::Waiting) => waiting += 1,
                    // So does it of a device whose keys seemed too old.
                    _ if part.is_some_and(|part| part.skipped.iter().any(|skip| skip.device.0 == name.1)) => ended += 1,
                    _ if held(&jumped, *name) > 0 => waiting += 1,
                    _ => panic!("seed {seed}: {} is lost for {name:?}", String::from_utf8_lossy(text)),
                }
            }
            rows.0 += kept.world.dump(*name).len();
            rows.1 += jumped.world.dump(*name).len();
        }
        assert_eq!(jumped.dropped, 0, "seed {seed}");
        // Two messages each way, for everybody.
        for round in 0..2 {
            for (from, others) in [(ALICE, ["bob", "jen"]), (BOB, ["alice", "jen"]), (JEN, ["alice", "bob"])] {
                jumped.say(from, &others, format!("at last {round} by {from:?}"));
                jumped.say(from, &[], format!("in the group {round} by {from:?}"));
            }
            for _ in 0..2 {
                for name in [ALICE, TABLET, BOB, JEN] {
                    jumped.is_on(name);
                }
            }
        }
        jumped.look();
        for name in [ALICE, BOB, JEN] {
            let last = |text: &&Vec<u8>| text.starts_with(b"at last") || text.starts_with(b"in the group");
            assert_eq!(jumped.read[&name].iter().filter(last).count(), 8, "seed {seed}, {name:?}");
        }
    }
    println!("{seeds} plays: {arrived} texts arrived, {ended} sends ended as told, {waiting} wait; rows {rows:?}");
    assert!(arrived > 100 * usize::try_from(seeds).unwrap() && ended + waiting < arrived / 10);
    assert!(rows.1 < 2 * rows.0, "{rows:?}");
}
