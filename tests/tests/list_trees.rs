//! Random trees of lists that one account key has signed, by its owner and by a thief, before a server that shows any of them to anyone, with as
//! many hashes as it likes.
//!
//! Nobody is sent to who is not on the list that is held, or not on both where two contradict each other; and whoever sees two lists of which
//! neither follows from the other is told of a fork, however far apart they are.

use sesame_core::{
    event::{Event, UserView},
    ids::{DeviceId, ListHash},
    internal::{
        keys::device_list::{Listing, VerifiedDeviceList},
        steps::Steps,
    },
};
use sesame_tests::{BOB, DAY, JEN, Name, World, user};
use std::collections::BTreeMap;

/// So many worlds in CI; `SESAME_LIST_TREES` asks for more.
const SEEDS: u64 = 120;

/// Lists with their parents; the first one is the root.
struct Tree {
    lists: Vec<VerifiedDeviceList>,
    parents: Vec<usize>,
}

impl Tree {
    fn grow(world: &mut World) -> Self {
        let mut tree = Self { lists: vec![world.list("alice")], parents: vec![0] };
        for _ in 0..3 + world.below(8) {
            // Mostly the tip of a branch goes on; and some branches run far ahead.
            let mut parent = world.below(tree.lists.len());
            if world.below(3) > 0 {
                let tips: Vec<usize> = (0..tree.lists.len()).filter(|at| !tree.parents[1..].contains(at)).collect();
                parent = tips[world.below(tips.len())];
            }
            for _ in 0..[1, 1, 2, 20][world.below(4)] {
                parent = tree.add(world, parent);
            }
        }
        tree
    }

    fn add(&mut self, world: &mut World, parent: usize) -> usize {
        let before = self.lists[parent].clone();
        let mut devices: Vec<Listing> = before.list.devices.clone();
        match world.below(4) {
            // Both give the same ids to their new devices.
            0 if devices.len() < 6 => devices.push(world.ghost(before.list.last_id + 1, before.list.epoch + 1)),
            1 if devices.len() > 1 => drop(devices.remove(1 + world.below(devices.len() - 1))),
            _ => {}
        }
        // Two lists of one parent with the same devices differ by their date.
        world.now += 1;
        let mut list = world.forge_list("alice", Some(&before.list), &devices).unwrap();
        let mut chain = before.branch.clone();
        chain.join(&list.branch, usize::MAX);
        list.branch = chain;
        self.lists.push(list);
        self.parents.push(parent);
        self.lists.len() - 1
    }

    fn is_before(&self, a: usize, mut b: usize) -> bool {
        while b != 0 && b != a {
            b = self.parents[b];
        }
        a == b
    }

    fn contradict(&self, a: usize, b: usize) -> bool {
        !self.is_before(a, b) && !self.is_before(b, a)
    }

    fn named(&self, hash: ListHash) -> usize {
        self.lists.iter().position(|list| list.list.name() == hash).unwrap()
    }
}

/// What one contact of Alice's has been shown.
#[derive(Default)]
struct Seen {
    lists: Vec<usize>,
    forks: usize,
    /// Whether each came with all hashes.
    whole: bool,
}

#[derive(Debug, Default)]
struct Counts {
    shown: usize,
    taken: usize,
    forks: usize,
    far: usize,
    narrowed: usize,
    sent: usize,
}

fn view(world: &mut World, name: Name) -> UserView {
    world.with(name, |d, c| d.users(c)).unwrap().into_iter().find(|view| view.user == user("alice")).unwrap()
}

fn forks(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::DeviceListFork { .. })).count()
}

/// Whom a send goes to now, by what is known of the tree.
fn check_recipients(world: &mut World, tree: &Tree, name: Name, counts: &mut Counts) {
    let view = view(world, name);
    let held = &tree.lists[tree.named(view.list_hash.unwrap())];
    let other = view.other_hash.filter(|_| view.forked).map(|hash| &tree.lists[tree.named(hash)]);
    let to = world.recipients(name, "alice");
    for id in &to {
        let listed = held.list.device(DeviceId(*id)).expect("on the list that is held");
        if let Some(other) = other {
            let there = other.list.device(DeviceId(*id)).expect("on both");
            assert!(there.has_keys_of(listed), "on both with the same keys");
        }
    }
    counts.sent += to.len();
    counts.narrowed += usize::from(other.is_some() && to.len() < held.list.devices.len());
}

fn play(seed: u64, counts: &mut Counts) {
    let mut world = World::new(seed);
    for name in ["alice", "bob", "jen"] {
        world.create(name);
    }
    for name in [BOB, JEN] {
        world.send(name, &["alice"], b"hello");
    }
    let tree = Tree::grow(&mut world);
    let mut seen: BTreeMap<Name, Seen> =
        [BOB, JEN].map(|name| (name, Seen { lists: vec![0], whole: true, ..Seen::default() })).into();
    for _ in 0..12 {
        let name = [BOB, JEN][world.below(2)];
        let (at, links) = (world.below(tree.lists.len()), [0, 1, 16, 1_024, 1_024, 1_024][world.below(6)]);
        let before = view(&mut world, name).list_hash;
        let (events, refused) = world.show(name, tree.lists[at].shown(links).unwrap());
        assert_eq!(refused, []);
        let seen = seen.get_mut(&name).unwrap();
        counts.shown += 1;
        let is_far = seen.lists.iter().any(|other| {
            let epoch = |at: usize| tree.lists[at].list.epoch;
            tree.contradict(*other, at) && epoch(*other).abs_diff(epoch(at)) > 16
        });
        counts.far += usize::from(is_far && forks(&events) > 0);
        seen.forks += forks(&events);
        seen.whole &= links == 1_024;
        // Only one list waits for its proof, and another one may take its place: what could not be compared is seen when it is shown again.
        let epochs = [at, tree.named(before.unwrap())].map(|at| tree.lists[at].list.epoch);
        if epochs[0].saturating_sub(epochs[1]) <= u64::try_from(links).unwrap() {
            seen.lists.push(at);
        }
        counts.taken += usize::from(view(&mut world, name).list_hash != before);
        if world.below(3) == 0 {
            check_recipients(&mut world, &tree, name, counts);
        }
    }
    for (name, mut seen) in seen {
        check_recipients(&mut world, &tree, name, counts);
        // What cannot be proved waits for a day, in which the mailbox was read.
        for _ in 0..2 {
            world.pass(DAY + 1);
            let events = world.with(name, |d, c| d.tick(c, true)).unwrap();
            seen.forks += forks(&events);
        }
        check_recipients(&mut world, &tree, name, counts);
        let pairs = seen.lists.iter().flat_map(|a| seen.lists.iter().map(move |b| (*a, *b)));
        let is_forked = pairs.clone().any(|(a, b)| tree.contradict(a, b));
        assert!(
            !is_forked || seen.forks > 0,
            "seed {seed}, {}: a fork that nobody was told of: {:?}",
            name.0,
            seen.lists
        );
        assert!(is_forked || !seen.whole || seen.forks == 0, "seed {seed}, {}: one that is none", name.0);
        counts.forks += usize::from(seen.forks > 0);
        // The app decides, for the list of either side; from then on sends go to all of that one.
        let shown = view(&mut world, name);
        if shown.forked {
            let names = [shown.list_hash.unwrap(), shown.other_hash.unwrap()];
            let chosen = names[world.below(2)];
            world.resolve_fork(name, "alice", &chosen).unwrap();
            let held = view(&mut world, name);
            assert!(!held.forked);
            assert_eq!(held.list_hash, Some(chosen), "seed {seed}");
            check_recipients(&mut world, &tree, name, counts);
        }
    }
}

#[test]
fn whoever_sees_two_branches_is_told_and_sends_to_nobody_who_is_on_one_alone() {
    let seeds = std::env::var("SESAME_LIST_TREES").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    let mut counts = Counts::default();
    for seed in 0..seeds {
        play(5_000 + seed, &mut counts);
    }
    println!("{seeds} worlds: {counts:?}");
    let Counts { shown, taken, forks, far, narrowed, sent } = counts;
    let least = usize::try_from(seeds).unwrap();
    assert!(shown == 12 * least && taken > least && forks > least / 2 && sent > 2 * least);
    assert!(far >= least / 20 && narrowed >= least / 10, "{far} {narrowed}");
}
