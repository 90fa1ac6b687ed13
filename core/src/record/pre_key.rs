//! Private prekeys at rest.

use super::{Record, form::stored};
use crate::{
    clock::{self, Age},
    context::Timestamp,
    error::Code,
    keys::pre_keys::{self, PreKey},
    limits::{MAX_OWN_PRE_KEY_AGE, MAX_PRE_KEY_ID},
};
use core::time::Duration;
use serde::{Deserialize, Serialize};

impl Record for PreKey {
    const STAYS: bool = false;
}

stored! { enum PreKey { 0 = Curve(scalar as secret), 1 = Kem(seed as secret) } }

/// A lasting prekey that was made at some time.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Lasting {
    /// The signed prekey's id; the last-resort key made with it has the same.
    pub id: u32,
    /// When it was made, in ms, by the host's clock.
    pub created_at: u64,
    /// When the next one was published, by the age clock.
    pub replaced_at: Option<u64>,
    /// Since when it lives longer than it would, because something that is held names it, by the age clock.
    pub held_since: Option<u64>,
}

/// Ids of one-time pairs that the server took on one day, or that were made on one day and wait for it, one after another.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Made {
    /// The first id.
    pub first: u32,
    /// How many there are.
    pub count: u32,
    /// When the first was taken by the server, or made, by the age clock.
    pub at: u64,
    /// Since when they live longer than they would, because something that is held names one of them, by the age clock.
    pub held_since: Option<u64>,
}

impl Made {
    /// The ids, in order. Those of one row do not wrap.
    #[must_use]
    pub fn ids(&self) -> core::ops::Range<u32> {
        self.first..self.first.saturating_add(self.count)
    }
}

/// Which prekeys there are.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct PreKeyBook {
    /// How many ids were given out, to lasting pairs and one-time ones: one counter, so that an id alone tells which key it was (PQXDH
    /// 2.4). The ids are its lowest 24 bits: they wrap.
    pub given: u64,
    /// Lasting pairs whose private halves are kept, oldest first; the last one is the current.
    pub lasting: Vec<Lasting>,
    /// One-time curve keys that were published and not used.
    pub curve_offered: u32,
    /// One-time KEM keys that were published and not used.
    pub kem_offered: u32,
    /// Whether a refill has begun that goes on to the full number.
    pub refilling: bool,
    /// When the newest published lasting pair was made, in ms.
    pub rotated_at: Option<u64>,
    /// The epoch of the device list that was last published.
    pub published_epoch: u64,
    /// A hash of the devices on that list: a list that is only signed anew is in no hurry.
    pub published_devices: [u8; 32],
    /// The ids of one-time pairs whose private halves may still be there, oldest first.
    pub made: Vec<Made>,
}
impl Record for PreKeyBook {}

/// One-time pairs made within this time have one row.
const MADE_TOGETHER: Duration = Duration::from_secs(24 * 60 * 60);

/// The id in a count of ids.
fn id_of(given: u64) -> u32 {
    u32::try_from(given & u64::from(MAX_PRE_KEY_ID)).unwrap_or_default()
}

impl PreKeyBook {
    /// Whether this device must publish before it sends (X 6).
    #[must_use]
    pub fn is_due_before_sending(&self, now: Timestamp) -> bool {
        self.rotated_at.is_none_or(|at| clock::is_due(Timestamp(at), now, MAX_OWN_PRE_KEY_AGE))
    }

    /// The server has lost what was published: all of it goes up again.
    pub fn forget_published(&mut self) {
        self.rotated_at = None;
        self.published_epoch = 0;
        self.published_devices = [0; 32];
        self.curve_offered = 0;
        self.kem_offered = 0;
    }

    /// The next id of a pair: ids count on, and wrap past those that are in use.
    ///
    /// # Errors
    /// [`Code::Internal`] when all of them are.
    pub fn take_id(&mut self) -> Result<u32, Code> {
        for _ in 0..=MAX_PRE_KEY_ID {
            let id = id_of(self.given);
            self.given = self.given.saturating_add(1);
            let is_used =
                self.lasting.iter().any(|pair| pair.id == id) || self.made.iter().any(|m| m.ids().contains(&id));
            if !is_used {
                return Ok(id);
            }
        }
        Err(Code::Internal)
    }

    /// Whether an id was given out, and lately enough to be told from one that is still to come.
    #[must_use]
    pub fn is_given(&self, id: u32) -> bool {
        match self.given.checked_sub(1) {
            None => false,
            Some(last) if last <= u64::from(MAX_PRE_KEY_ID) => u64::from(id) <= last,
            Some(last) => !pre_keys::is_after(id, id_of(last)),
        }
    }

    /// Somebody has got a prekey with this id, which this device does not remember to have given out: its store was put back. So that no id names two
    /// keys, the next ones come after it (A24), and the current lasting keys are replaced, since others have newer ones.
    pub fn go_on_after(&mut self, id: u32, age: Age) {
        let ahead = id.wrapping_sub(id_of(self.given)) & MAX_PRE_KEY_ID;
        self.given = self.given.saturating_add(u64::from(ahead)).saturating_add(1);
        if let Some(newest) = self.lasting.last_mut() {
            newest.replaced_at = newest.replaced_at.or(Some(age.0));
        }
    }

    /// Remembers that a one-time pair was made.
    pub fn note_made(&mut self, id: u32, age: Age) {
        add(&mut self.made, id, (age.0, None));
    }

    /// The server has taken one-time pairs, which were made some time ago: from now on it may give them out.
    pub fn note_taken(&mut self, ids: &[u32], age: Age) {
        let mut made = Vec::with_capacity(self.made.len());
        for entry in core::mem::take(&mut self.made) {
            if !ids.iter().any(|id| entry.ids().contains(id)) {
                made.push(entry);
                continue;
            }
            let rest = entry.ids().filter(|id| !ids.contains(id));
            rest.for_each(|id| add(&mut made, id, (entry.at, entry.held_since)));
        }
        ids.iter().for_each(|id| add(&mut made, *id, (age.0, None)));
        self.made = made;
    }
}

/// Adds an id to the last entry, if it follows there and is of the same day, or as a new one.
fn add(made: &mut Vec<Made>, id: u32, (at, held_since): (u64, Option<u64>)) {
    let is_next = |last: &&mut Made| {
        last.ids().end == id && Age(at).since(Age(last.at)) < MADE_TOGETHER && last.held_since == held_since
    };
    match made.last_mut().filter(is_next) {
        Some(last) => last.count = last.count.saturating_add(1),
        None => made.push(Made { first: id, count: 1, at, held_since }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n_t12_ids_wrap_past_those_in_use_and_an_old_one_is_told_from_one_to_come() {
        let mut book = PreKeyBook { given: u64::from(MAX_PRE_KEY_ID) - 1, ..PreKeyBook::default() };
        assert!(book.is_given(0) && book.is_given(MAX_PRE_KEY_ID - 2) && !book.is_given(MAX_PRE_KEY_ID - 1));
        book.lasting.push(Lasting { id: 0, created_at: 0, replaced_at: None, held_since: None });
        book.made.push(Made { first: 1, count: 3, at: 0, held_since: None });
        let ids: Vec<u32> = (0..4).map(|_| book.take_id().unwrap()).collect();
        assert_eq!(ids, [MAX_PRE_KEY_ID - 1, MAX_PRE_KEY_ID, 4, 5]);
        assert!(book.is_given(5) && book.is_given(MAX_PRE_KEY_ID) && !book.is_given(6));
        assert!(!PreKeyBook::default().is_given(0));
        for id in ids {
            book.note_made(id, Age(7));
        }
        let made: Vec<(u32, u32)> = book.made.iter().map(|made| (made.first, made.count)).collect();
        assert_eq!(made, [(1, 3), (MAX_PRE_KEY_ID - 1, 2), (4, 2)]);
        book.note_made(6, Age(8 + 24 * 60 * 60 * 1_000));
        assert_eq!(book.made.len(), 4, "another day");
    }

    #[test]
    fn n_t12_what_the_server_takes_is_dated_then() {
        let mut book = PreKeyBook::default();
        (0..60).for_each(|id| book.note_made(id, Age(7)));
        let later = Age(8 + 20 * 24 * 60 * 60 * 1_000);
        let dates = |book: &PreKeyBook| book.made.iter().map(|m| (m.first, m.count, m.at)).collect::<Vec<_>>();
        book.note_taken(&(20..40).collect::<Vec<_>>(), later);
        // What lies on both sides keeps its date, though it was one entry.
        assert_eq!(dates(&book), [(0, 20, 7), (40, 20, 7), (20, 20, later.0)]);
        book.note_taken(&(40..60).collect::<Vec<_>>(), Age(later.0 + 1));
        assert_eq!(dates(&book), [(0, 20, 7), (20, 40, later.0)]);
        book.note_taken(&[], later);
        assert_eq!(book.made.iter().map(|made| made.count).sum::<u32>(), 60);
    }
}
