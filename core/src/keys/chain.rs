//! The hashes of a user's lists, one after another: what proves that a list descends from another (X 5).
//!
//! > `history(1)` = 32 zero bytes, `history(n) = SHA-256(label ‖ history(n-1) ‖ hash of the list of epoch n-1)`
//!
//! A list carries its own `history`. So whoever is shown a list, with the hashes of the lists before it, computes those hashes' histories and
//! compares the last one: hashes that do not belong to the list are noticed, whatever else is known.
//!
//! This module knows hashes only: no signature, no pin, no store.

use crate::{
    crypto::{
        kdf::{join, sha256},
        labels,
    },
    error::Code,
    keys::device_list::List,
};

/// The history of a user's first list.
pub const FIRST: [u8; 32] = [0; 32];

/// The history of the list that follows one with this history and this hash.
#[must_use]
pub fn next(history: &[u8; 32], hash: &[u8; 32]) -> [u8; 32] {
    sha256(&join(&[labels::LIST_HISTORY, history, hash]))
}

/// Hashes of lists of consecutive epochs, on one branch. There is at least one: that of the newest list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chain {
    /// The epoch of the first hash.
    pub first: u64,
    /// The history of the list of that epoch.
    pub history: [u8; 32],
    /// The hashes, rising by epoch.
    pub hashes: Vec<[u8; 32]>,
}

/// How a list stands to the one that is held, of the same user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Relation {
    /// It is the same list.
    Same,
    /// It descends from ours.
    Newer,
    /// Ours descends from it.
    Older,
    /// Neither descends from the other.
    Fork,
    /// It has a higher epoch, and the hashes between are not all known.
    Unproved,
    /// It has a lower epoch than any hash that we know.
    Unknown,
}

impl Chain {
    /// The chain that a list makes with the links that came along: none, or the history of the first and then the hashes of the lists before
    /// it, rising by epoch.
    ///
    /// # Errors
    /// [`Code::BrokenChain`] for links that do not lead to the list's own history.
    pub fn of(list: &List, links: &[[u8; 32]]) -> Result<Self, Code> {
        let Some((history, before)) = links.split_first() else { return Ok(Self::alone(list)) };
        let steps = u64::try_from(before.len()).map_err(|_| Code::BrokenChain)?;
        let first = list.epoch.checked_sub(steps).filter(|first| *first > 0 && steps > 0).ok_or(Code::BrokenChain)?;
        let is_first = (first == 1) == (*history == FIRST);
        if !is_first || before.iter().fold(*history, |history, hash| next(&history, hash)) != list.history {
            return Err(Code::BrokenChain);
        }
        let hashes = before.iter().copied().chain([list.hash]).collect();
        Ok(Self { first, history: *history, hashes })
    }

    /// The chain of one list whose ancestors are not known.
    #[must_use]
    pub fn alone(list: &List) -> Self {
        Self { first: list.epoch, history: list.history, hashes: vec![list.hash] }
    }

    /// The epoch of the newest list.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.first.saturating_add(self.hashes.len() as u64).saturating_sub(1)
    }

    /// The hash of the list of `epoch`, if it is known.
    #[must_use]
    pub fn hash_of(&self, epoch: u64) -> Option<&[u8; 32]> {
        self.hashes.get(usize::try_from(epoch.checked_sub(self.first)?).ok()?)
    }

    /// The history of the list of `epoch`, if its hash is known.
    #[must_use]
    pub fn history_of(&self, epoch: u64) -> Option<[u8; 32]> {
        let before = usize::try_from(epoch.checked_sub(self.first)?).ok()?;
        let before = self.hashes.get(..before)?;
        Some(before.iter().fold(self.history, |history, hash| next(&history, hash)))
    }

    /// The history of the list that would follow the newest.
    #[must_use]
    pub fn next_history(&self) -> [u8; 32] {
        self.hashes.iter().fold(self.history, |history, hash| next(&history, hash))
    }

    /// What proves the newest list to whoever holds the list of epoch `from` or a later one: at most `most` hashes, the newest.
    #[must_use]
    pub fn links(&self, from: u64, most: usize) -> Vec<[u8; 32]> {
        let Some((_, before)) = self.hashes.split_last() else { return Vec::new() };
        let skipped = usize::try_from(from.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let at = skipped.max(before.len().saturating_sub(most));
        let (earlier, linked) = before.split_at(at.min(before.len()));
        if linked.is_empty() {
            return Vec::new();
        }
        let history = earlier.iter().fold(self.history, |history, hash| next(&history, hash));
        core::iter::once(history).chain(linked.iter().copied()).collect()
    }

    /// Takes in a chain of the same branch, and keeps the newest `most` hashes of both.
    pub fn join(&mut self, other: &Self, most: usize) {
        let (lower, upper) = if other.first < self.first { (other, &*self) } else { (&*self, other) };
        if upper.first > lower.newest().saturating_add(1) {
            // Nothing says that they are of one branch.
            *self = upper.clone();
            return;
        }
        let overlap = usize::try_from(upper.first.saturating_sub(lower.first)).unwrap_or(usize::MAX);
        let mut joined = Self { first: lower.first, history: lower.history, hashes: Vec::new() };
        joined.hashes.extend(lower.hashes.iter().take(overlap));
        // What lies above the upper one's end is the lower one's again.
        joined.hashes.extend(&upper.hashes);
        joined.hashes.extend(lower.hashes.iter().skip(joined.hashes.len()).copied().collect::<Vec<_>>());
        joined.keep(most);
        *self = joined;
    }

    /// Forgets all but the newest `most` hashes, and never the newest.
    fn keep(&mut self, most: usize) {
        let gone = self.hashes.len().saturating_sub(most.max(1));
        for hash in self.hashes.drain(..gone) {
            self.history = next(&self.history, &hash);
            self.first = self.first.saturating_add(1);
        }
    }

    /// The same with at most `most` hashes, the newest.
    #[must_use]
    pub fn newest_of(&self, most: usize) -> Self {
        let mut newest = self.clone();
        newest.keep(most);
        newest
    }
}

/// How the newest list of `theirs` stands to the newest of `ours`.
///
/// ```
/// # use sesame_core::internal::keys::chain::{Chain, FIRST, Relation, relate};
/// let first = Chain { first: 1, history: FIRST, hashes: vec![[1; 32]] };
/// let second = Chain { first: 2, history: first.next_history(), hashes: vec![[2; 32]] };
/// assert_eq!(relate(&first, &second), Relation::Newer);
/// assert_eq!(relate(&second, &first), Relation::Older);
/// ```
#[must_use]
pub fn relate(ours: &Chain, theirs: &Chain) -> Relation {
    let (held, shown) = (ours.newest(), theirs.newest());
    let common = held.min(shown);
    if common >= ours.first.max(theirs.first) {
        // Both know the hash of that epoch. Its history is in the list: whoever shows the hash with another one has made that up.
        let is_same =
            ours.hash_of(common) == theirs.hash_of(common) && ours.history_of(common) == theirs.history_of(common);
        return match (is_same, shown.cmp(&held)) {
            (false, _) => Relation::Fork,
            (true, core::cmp::Ordering::Less) => Relation::Older,
            (true, core::cmp::Ordering::Equal) => Relation::Same,
            (true, core::cmp::Ordering::Greater) => Relation::Newer,
        };
    }
    // The one begins where the other ends: its history says upon what it was built.
    if theirs.first == held.saturating_add(1) {
        return if theirs.history == ours.next_history() { Relation::Newer } else { Relation::Fork };
    }
    if ours.first == shown.saturating_add(1) {
        return if ours.history == theirs.next_history() { Relation::Older } else { Relation::Fork };
    }
    if shown > held { Relation::Unproved } else { Relation::Unknown }
}
