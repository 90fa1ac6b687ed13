//! Link boxes: where the primary's hello and answer wait for a new device, which has no user yet (X 7).
//!
//! Nobody is authenticated here. What lies in a box is sealed under the secret of the linking code, and its name is derived from it.

use crate::limits::{KEEP_LINK_BOX, LINK_BOXES, LINK_BYTES, SHORTEST_LINK_BOX};
use sesame_core::{context::Timestamp, internal::wire::request::Leg};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

type Name = [u8; 16];

#[derive(Clone)]
struct LinkBox {
    legs: BTreeMap<Leg, Vec<u8>>,
    /// When its newest leg was put.
    put_at: Timestamp,
}

impl LinkBox {
    fn bytes(&self) -> usize {
        self.legs.values().map(Vec::len).sum()
    }
}

#[derive(Clone, Default)]
pub(crate) struct LinkBoxes {
    boxes: BTreeMap<Name, LinkBox>,
    /// Each put that filled a leg, oldest first. The newest put of a box says how old the box is.
    puts: VecDeque<(Timestamp, Name)>,
    bytes: usize,
}

/// There is no room for what was to be put.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NoRoom;

impl LinkBoxes {
    /// What lies in a leg of a box.
    pub(crate) fn look(&mut self, name: &Name, leg: Leg, now: Timestamp) -> Option<&[u8]> {
        self.drop_oldest(now, KEEP_LINK_BOX);
        self.boxes.get(name)?.legs.get(&leg).map(Vec::as_slice)
    }

    /// Puts something into a leg, if nothing lies there. The first put of a box makes it. If there is no room, old boxes make it.
    pub(crate) fn put(&mut self, name: Name, leg: Leg, put: Vec<u8>, now: Timestamp) -> Result<(), NoRoom> {
        if self.look(&name, leg, now).is_some() {
            return Ok(());
        }
        while !self.has_room(&name, put.len()) {
            if !self.drop_one(now, SHORTEST_LINK_BOX) {
                return Err(NoRoom);
            }
        }
        self.puts.push_back((now, name));
        self.bytes += put.len();
        let made = self.boxes.entry(name).or_insert_with(|| LinkBox { legs: BTreeMap::new(), put_at: now });
        made.legs.insert(leg, put);
        made.put_at = now;
        Ok(())
    }

    fn has_room(&self, name: &Name, bytes: usize) -> bool {
        let is_known = self.boxes.contains_key(name);
        (is_known || self.boxes.len() < LINK_BOXES) && self.bytes + bytes <= LINK_BYTES
    }

    fn drop_oldest(&mut self, now: Timestamp, age: Duration) {
        while self.drop_one(now, age) {}
    }

    /// Takes the oldest put out if it has this age, and its box unless a later put has filled another leg. Gives whether it did.
    fn drop_one(&mut self, now: Timestamp, age: Duration) -> bool {
        let Some((put_at, name)) = self.puts.pop_front_if(|(put_at, _)| now.since(*put_at) >= age) else {
            return false;
        };
        if self.boxes.get(&name).is_some_and(|old| old.put_at == put_at) {
            self.bytes -= self.boxes.remove(&name).map_or(0, |old| old.bytes());
        }
        true
    }
}

#[cfg(test)]
mod tests;
