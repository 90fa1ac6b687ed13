//! Descent (X 5) against an oracle: random and all small trees of lists, without a signature. A node of a tree is a list; the path to it from
//! the root is its branch.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use sesame_core::{
    ids::DeviceId,
    internal::{
        crypto::kdf::sha256,
        keys::{
            chain::{Chain, FIRST, Relation, next, relate},
            device_list::List,
        },
    },
};

/// Lists by number; each but the first follows another.
#[derive(Clone, Default)]
struct Tree {
    lists: Vec<List>,
    before: Vec<Option<usize>>,
}

impl Tree {
    fn root() -> Self {
        let mut tree = Self::default();
        tree.add(None);
        tree
    }

    fn add(&mut self, before: Option<usize>) -> usize {
        let parent = before.map(|at| &self.lists[at]);
        let list = List {
            epoch: parent.map_or(1, |list| list.epoch + 1),
            hash: sha256(&self.lists.len().to_be_bytes()),
            issued_at: 0,
            devices: Vec::new(),
            last_id: 1,
            primary: DeviceId(1),
            history: parent.map_or(FIRST, |list| next(&list.history, &list.hash)),
        };
        self.lists.push(list);
        self.before.push(before);
        self.lists.len() - 1
    }

    fn epoch(&self, at: usize) -> u64 {
        self.lists[at].epoch
    }

    /// The list of an epoch that a list descends from.
    fn ancestor(&self, at: usize, epoch: u64) -> usize {
        let mut at = at;
        while self.epoch(at) > epoch {
            at = self.before[at].unwrap();
        }
        at
    }

    /// What is known of a branch from an epoch on.
    fn chain(&self, at: usize, from: u64) -> Chain {
        let path: Vec<usize> = (from..=self.epoch(at)).map(|epoch| self.ancestor(at, epoch)).collect();
        Chain {
            first: from,
            history: self.lists[path[0]].history,
            hashes: path.iter().map(|at| self.lists[*at].hash).collect(),
        }
    }

    /// How `theirs` stands to `ours`, if the hashes of `ours` from `first` on and of `theirs` from `shown` on are known.
    fn oracle(&self, (ours, first): (usize, u64), (theirs, shown): (usize, u64)) -> Relation {
        let (held, offered) = (self.epoch(ours), self.epoch(theirs));
        let common = held.min(offered);
        let on_one_path = self.ancestor(ours, common) == self.ancestor(theirs, common);
        let overlap = common >= first.max(shown);
        let adjacent = shown == held + 1 || first == offered + 1;
        if !overlap && !adjacent {
            return if offered > held { Relation::Unproved } else { Relation::Unknown };
        }
        match (on_one_path, offered.cmp(&held)) {
            (false, _) => Relation::Fork,
            (true, core::cmp::Ordering::Less) => Relation::Older,
            (true, core::cmp::Ordering::Equal) => Relation::Same,
            (true, core::cmp::Ordering::Greater) => Relation::Newer,
        }
    }

    fn judge(&self, ours: (usize, u64), theirs: (usize, u64)) -> Relation {
        relate(&self.chain(ours.0, ours.1), &self.chain(theirs.0, theirs.1))
    }
}

/// Every tree of up to so many lists: each list follows one of those before it.
fn trees(most: usize) -> Vec<Tree> {
    let mut all = vec![Tree::root()];
    let mut last = all.clone();
    for size in 1..most {
        last = last
            .iter()
            .flat_map(|tree| {
                (0..size).map(|before| {
                    let mut larger = tree.clone();
                    larger.add(Some(before));
                    larger
                })
            })
            .collect();
        all.extend(last.iter().cloned());
    }
    all
}

#[test]
fn how_two_lists_stand_is_what_the_tree_says_for_every_tree_of_six() {
    let (mut judged, mut by) = (0, [0; 6]);
    for tree in trees(6) {
        for ours in 0..tree.lists.len() {
            for theirs in 0..tree.lists.len() {
                for first in 1..=tree.epoch(ours) {
                    for shown in 1..=tree.epoch(theirs) {
                        let (ours, theirs) = ((ours, first), (theirs, shown));
                        let found = tree.judge(ours, theirs);
                        assert_eq!(found, tree.oracle(ours, theirs), "{ours:?} {theirs:?} {:?}", tree.before);
                        judged += 1;
                        by[found as usize] += 1;
                    }
                }
            }
        }
    }
    println!("{judged} pairs: {by:?}");
    assert!(judged > 20_000 && by.iter().all(|count| *count > 100), "{judged} {by:?}");
}

/// A small generator: the same trees in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

#[test]
fn whoever_sees_two_branches_sees_the_fork_however_far_apart() {
    let mut dice = Dice(15);
    for length in [1, 2, 16, 17, 18, 300, 1_023, 1_024, 1_025, 2_000] {
        let mut tree = Tree::root();
        let mut ends = [0, 0];
        for end in &mut ends {
            *end = tree.add(Some(0));
            for _ in 0..length + dice.below(3) {
                *end = tree.add(Some(*end));
            }
        }
        // The server has all hashes of each branch.
        assert_eq!(tree.judge((ends[0], 1), (ends[1], 1)), Relation::Fork);
        // A device that remembers the newest 1,024 sees it as soon as both reach an epoch that both know.
        let ours = tree.chain(ends[0], 1).newest_of(1_024);
        let theirs = tree.chain(ends[1], 1).newest_of(1_024);
        assert_eq!(relate(&ours, &theirs), Relation::Fork);
    }
}

#[test]
fn links_prove_a_chain_that_was_trimmed_and_joined_in_any_way() {
    let mut dice = Dice(16);
    let mut tree = Tree::root();
    let mut end = 0;
    for _ in 0..1_200 {
        end = tree.add(Some(end));
    }
    let all = tree.chain(end, 1);
    for _ in 0..300 {
        // What two shows of the same branch leave, in either order, is the newest of the branch.
        let (upper, lower) = (tree.ancestor(end, 2 + dice.below(1_199)), 1 + dice.below(1_000));
        let lower = lower.min(tree.epoch(upper));
        let mut known = tree.chain(upper, lower);
        let later = tree.ancestor(end, (tree.epoch(upper) + dice.below(40)).min(1_201));
        let shown = tree.chain(later, 1 + dice.below(tree.epoch(upper)));
        let mut other = shown.clone();
        let keep = 1 + usize::try_from(dice.below(1_100)).unwrap();
        known.join(&shown, keep);
        other.join(&tree.chain(upper, lower), keep);
        let from = tree.epoch(later) + 1 - known.hashes.len() as u64;
        assert_eq!(known, tree.chain(later, from));
        assert_eq!(known, other);
        assert!(known.hashes.len() <= keep);
        // Links of any length lead to the list, and give back what they were made of.
        let (from, most) = (dice.below(1_300), usize::try_from(dice.below(1_300)).unwrap());
        let links = known.links(from, most);
        let again = Chain::of(&tree.lists[later], &links).unwrap();
        assert!(again.hashes.len() <= most + 1 && again.first >= from.min(again.newest()));
        assert_eq!(again, tree.chain(later, again.first));
        for _ in 0..4 {
            if links.is_empty() {
                break;
            }
            let mut spoilt = links.clone();
            let (at, byte) = (dice.below(links.len() as u64), dice.below(32));
            spoilt[usize::try_from(at).unwrap()][usize::try_from(byte).unwrap()] ^= 1 << dice.below(8);
            assert!(Chain::of(&tree.lists[later], &spoilt).is_err());
            assert!(Chain::of(&tree.lists[later], &links[1..]).is_err());
        }
    }
    assert_eq!(Chain::of(&tree.lists[end], &all.links(0, usize::MAX)).unwrap(), all);
}

#[test]
fn chains_with_a_hole_between_are_not_joined() {
    let mut tree = Tree::root();
    let mut end = 0;
    for _ in 0..9 {
        end = tree.add(Some(end));
    }
    let (low, high) = (tree.chain(tree.ancestor(end, 3), 1), tree.chain(end, 6));
    for (one, other) in [(&low, &high), (&high, &low)] {
        let mut joined = one.clone();
        joined.join(other, 100);
        assert_eq!(joined, high);
    }
}
