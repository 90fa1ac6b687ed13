//! Link boxes: where the primary's hello and answer wait for a new device, which has no user yet (X 7).
//!
//! Nobody is authenticated here. What lies in a box is sealed under the secret of the linking code, and its name is derived from it.

use crate::limits::{KEEP_LINK_BOX, LINK_BOXES, LINK_BYTES};
use sesame_core::{context::Timestamp, internal::wire::request::Leg};
use std::collections::{BTreeMap, VecDeque};

type Name = [u8; 16];

#[derive(Clone, Default)]
struct LinkBox(BTreeMap<Leg, Vec<u8>>);

impl LinkBox {
    fn bytes(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

#[derive(Clone, Default)]
pub(crate) struct LinkBoxes {
    boxes: BTreeMap<Name, LinkBox>,
    /// The boxes in the order of their time.
    ages: VecDeque<(Timestamp, Name)>,
    bytes: usize,
}

/// There is no room for what was to be put.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NoRoom;

impl LinkBoxes {
    /// What lies in a leg of a box.
    pub(crate) fn look(&mut self, name: &Name, leg: Leg, now: Timestamp) -> Option<&[u8]> {
        self.drop_old(now);
        self.boxes.get(name)?.0.get(&leg).map(Vec::as_slice)
    }

    /// Puts something into a leg, if nothing lies there. The first put of a box makes it.
    pub(crate) fn put(&mut self, name: Name, leg: Leg, put: Vec<u8>, now: Timestamp) -> Result<(), NoRoom> {
        if self.look(&name, leg, now).is_some() {
            return Ok(());
        }
        let is_new = !self.boxes.contains_key(&name);
        if (is_new && self.boxes.len() >= LINK_BOXES) || self.bytes + put.len() > LINK_BYTES {
            return Err(NoRoom);
        }
        if is_new {
            self.ages.push_back((now, name));
        }
        self.bytes += put.len();
        self.boxes.entry(name).or_default().0.insert(leg, put);
        Ok(())
    }

    fn drop_old(&mut self, now: Timestamp) {
        while let Some((_, name)) = self.ages.pop_front_if(|(made_at, _)| now.since(*made_at) >= KEEP_LINK_BOX) {
            self.bytes -= self.boxes.remove(&name).map_or(0, |old| old.bytes());
        }
    }
}

#[cfg(test)]
mod tests;
