//! Skipped message keys, stored in blocks of 16, and their limits (Double Ratchet 4.3, 8.4).
//!
//! A key that is deleted unused, or never made, leaves a mark. So its message fails as expired, not as a duplicate (A31). A jump leaves one
//! mark, however far it was.

use crate::{
    error::Code,
    limits::{MAX_SKIPPED_AGE, MAX_SKIPPED_PER_CHAIN, MAX_SKIPPED_PER_SESSION, SKIPPED_BLOCK},
    record::{Block, BlockEntry, Directory, ExpiredRun, Slot},
    secret::Shared,
};
use core::ops::Range;
use std::collections::BTreeMap;

/// Marks kept for blocks that hold no key any more. Beyond this number the oldest mark is deleted.
const MAX_MARKS: usize = 256;
/// Runs of expired numbers kept for a session. Beyond this number the oldest is deleted: each is a loss of its own.
const MAX_RUNS: usize = 256;

/// Reads a stored block of a chain.
pub type LoadBlock<'a> = dyn Fn(u32, u32) -> Result<Block, Code> + 'a;

/// Changed blocks by (chain, block number); `None` deletes a block.
pub(super) type Blocks = BTreeMap<(u32, u32), Option<Block>>;

/// The stored keys of one session during a step.
pub(super) struct Skipped<'a> {
    directory: Directory,
    load: &'a LoadBlock<'a>,
    changed: Blocks,
    dirty: bool,
}

fn place(n: u32) -> (u32, u8, u16) {
    // The remainder is below 16.
    let slot = (n % SKIPPED_BLOCK) as u8;
    (n / SKIPPED_BLOCK, slot, 1 << slot)
}

/// The places of the bits that are set, if they are neighbours.
fn neighbours(bits: u16) -> Option<Range<u32>> {
    let (start, length) = (bits.trailing_zeros(), bits.count_ones());
    let is_one = length > 0 && (bits >> start).trailing_ones() == length;
    is_one.then(|| start..start.saturating_add(length))
}

impl<'a> Skipped<'a> {
    pub(super) fn new(directory: &Directory, load: &'a LoadBlock<'a>) -> Self {
        Self { directory: directory.clone(), load, changed: BTreeMap::new(), dirty: false }
    }

    fn block(&self, chain: u32, block: u32) -> Result<Block, Code> {
        match self.changed.get(&(chain, block)) {
            Some(Some(block)) => Ok(block.clone()),
            Some(None) => Ok(Block::default()),
            None => (self.load)(chain, block),
        }
    }

    /// Stores the key of message `n`.
    pub(super) fn put(&mut self, chain: u32, n: u32, key: Shared<32>, accepted: u64) -> Result<(), Code> {
        let (number, slot, bit) = place(n);
        let at = self.directory.blocks.iter().rposition(|entry| (entry.chain, entry.block) == (chain, number));
        let mut block = match at {
            Some(_) => self.block(chain, number)?,
            None => Block::default(),
        };
        block.keys.push(Slot { place: slot, key });
        match at.and_then(|at| self.directory.blocks.get_mut(at)) {
            Some(entry) => entry.stored |= bit,
            None => {
                self.directory.blocks.push(BlockEntry { chain, block: number, stored: bit, expired: 0, born: accepted })
            }
        }
        self.changed.insert((chain, number), Some(block));
        self.dirty = true;
        Ok(())
    }

    /// Takes the key of message `n` out of the store.
    ///
    /// # Errors
    /// [`Code::MessageKeyExpired`] if the key was deleted unused. [`Code::ReusedIndex`] if it was used.
    pub(super) fn take(&mut self, chain: u32, n: u32) -> Result<Shared<32>, Code> {
        let (number, slot, bit) = place(n);
        let entry = self.directory.blocks.iter().find(|entry| (entry.chain, entry.block) == (chain, number));
        match entry {
            Some(entry) if entry.expired & bit != 0 => return Err(Code::MessageKeyExpired),
            Some(entry) if entry.stored & bit != 0 => {}
            _ if self.is_expired(chain, n) => return Err(Code::MessageKeyExpired),
            _ => return Err(Code::ReusedIndex),
        }
        let mut block = self.block(chain, number)?;
        let at = block.keys.iter().position(|key| key.place == slot).ok_or(Code::RecordInconsistent)?;
        let taken = block.keys.swap_remove(at);
        for entry in self.directory.blocks.iter_mut().filter(|entry| (entry.chain, entry.block) == (chain, number)) {
            entry.stored &= !bit;
        }
        self.changed.insert((chain, number), if block.keys.is_empty() { None } else { Some(block) });
        self.dirty = true;
        Ok(taken.key)
    }

    fn is_expired(&self, chain: u32, n: u32) -> bool {
        self.directory.expired.iter().any(|run| run.chain == chain && (run.from..run.until).contains(&n))
    }

    /// Marks numbers whose keys are gone.
    pub(super) fn expire(&mut self, chain: u32, numbers: Range<u32>) {
        let Range { start: from, end: until } = numbers;
        if from >= until {
            return;
        }
        self.dirty = true;
        let before = self.directory.expired.iter_mut().rev().find(|run| (run.chain, run.until) == (chain, from));
        match before {
            Some(run) => run.until = until,
            None => self.directory.expired.push(ExpiredRun { chain, from, until }),
        }
    }

    /// Keeps the newest keys of a chain only. The others are deleted one by one, the oldest first.
    pub(super) fn bound_chain(&mut self, chain: u32) -> Result<(), Code> {
        let of_chain = |entry: &&BlockEntry| entry.chain == chain;
        let stored: u32 = self.directory.blocks.iter().filter(of_chain).map(|entry| entry.stored.count_ones()).sum();
        let mut surplus = stored.saturating_sub(MAX_SKIPPED_PER_CHAIN);
        for at in 0..self.directory.blocks.len() {
            let Some(entry) = self.directory.blocks.get(at).copied().filter(|entry| entry.chain == chain) else {
                continue;
            };
            let mut gone = 0;
            for bit in (0..16).map(|slot| 1 << slot).filter(|bit| entry.stored & bit != 0) {
                if surplus == 0 {
                    break;
                }
                gone |= bit;
                surplus -= 1;
            }
            if gone != 0 {
                self.throw_away(at, gone)?;
            }
        }
        Ok(())
    }

    /// Deletes keys of a block, unused.
    fn throw_away(&mut self, at: usize, gone: u16) -> Result<(), Code> {
        let Some(entry) = self.directory.blocks.get(at).copied() else { return Ok(()) };
        let (stored, place) = (entry.stored & !gone, (entry.chain, entry.block));
        let left = if stored == 0 {
            None
        } else {
            let mut block = self.block(entry.chain, entry.block)?;
            block.keys.retain(|key| gone & 1 << key.place == 0);
            Some(block)
        };
        self.changed.insert(place, left);
        if let Some(entry) = self.directory.blocks.get_mut(at) {
            entry.stored = stored;
            entry.expired |= gone;
        }
        self.dirty = true;
        Ok(())
    }

    /// Deletes a chain with all its keys.
    pub(super) fn drop_chain(&mut self, chain: u32) {
        for entry in self.directory.blocks.iter().filter(|entry| entry.chain == chain && entry.stored != 0) {
            self.changed.insert((chain, entry.block), None);
        }
        self.directory.blocks.retain(|entry| entry.chain != chain);
        self.directory.expired.retain(|run| run.chain != chain);
        self.dirty = true;
    }

    /// Enforces the limits on age and number. The oldest keys are deleted first.
    pub(super) fn bound(&mut self, accepted: u64) {
        let mut count: usize = self.directory.blocks.iter().map(|entry| entry.stored.count_ones() as usize).sum();
        for entry in &mut self.directory.blocks {
            let old = accepted.saturating_sub(entry.born) > MAX_SKIPPED_AGE;
            if entry.stored != 0 && (old || count > MAX_SKIPPED_PER_SESSION) {
                count = count.saturating_sub(entry.stored.count_ones() as usize);
                entry.expired |= entry.stored;
                entry.stored = 0;
                self.changed.insert((entry.chain, entry.block), None);
                self.dirty = true;
            }
        }
        self.fold();
        let marks = self.directory.blocks.iter().filter(|entry| entry.stored == 0 && entry.expired != 0).count();
        let mut surplus = marks.saturating_sub(MAX_MARKS);
        self.directory.blocks.retain(|entry| match (entry.stored, entry.expired) {
            (0, 0) => false,
            (0, _) if surplus > 0 => {
                surplus -= 1;
                false
            }
            _ => true,
        });
        let surplus = self.directory.expired.len().saturating_sub(MAX_RUNS);
        self.directory.expired.drain(..surplus);
    }

    /// A block whose keys are all expired becomes a part of a run, and so does one whose expired keys go on with a run.
    fn fold(&mut self) {
        let mut is_folded = false;
        for at in 0..self.directory.blocks.len() {
            let Some(entry) = self.directory.blocks.get(at).filter(|entry| entry.stored == 0) else { continue };
            let (chain, expired) = (entry.chain, entry.expired);
            let Some(Range { start, end }) = neighbours(expired) else { continue };
            let first = entry.block.saturating_mul(SKIPPED_BLOCK);
            let (from, until) = (first.saturating_add(start), first.saturating_add(end));
            let goes_on = |run: &ExpiredRun| run.chain == chain && (run.until == from || run.from == until);
            if expired == u16::MAX || self.directory.expired.iter().any(goes_on) {
                self.expire(chain, from..until);
                is_folded = true;
                if let Some(entry) = self.directory.blocks.get_mut(at) {
                    entry.expired = 0;
                }
            }
        }
        if is_folded {
            self.join();
        }
    }

    /// Runs that touch become one.
    fn join(&mut self) {
        let mut joined: Vec<ExpiredRun> = Vec::with_capacity(self.directory.expired.len());
        self.directory.expired.sort_by_key(|run| (run.chain, run.from));
        for run in self.directory.expired.drain(..) {
            match joined.last_mut() {
                Some(last) if (last.chain, last.until) == (run.chain, run.from) => last.until = run.until,
                _ => joined.push(run),
            }
        }
        self.directory.expired = joined;
    }

    /// The directory if it changed, the changed blocks, and the age of the oldest key.
    pub(super) fn finish(self) -> (Option<Directory>, Blocks, Option<u64>) {
        let oldest = self.directory.blocks.iter().filter(|entry| entry.stored != 0).map(|entry| entry.born).min();
        (self.dirty.then_some(self.directory), self.changed, oldest)
    }
}
