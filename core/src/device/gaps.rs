//! Gaps in what a device has sent to this one, seen when a whole batch has been opened (section 5 of the design; A57, A73).
//!
//! A number that is missing may still come: the event says that it has not, not that it never will.

use super::{Device, inbox, receive::Received, work::Work};
use crate::{
    error::Code,
    ids::{DeviceId, UserId},
    limits::MAX_GAPS,
    record::{Event, Heard, Item},
    store::Kind,
};
use std::collections::{BTreeMap, BTreeSet};

impl Device {
    /// Adds an event for each run of numbers that the batch leaves open, and remembers how far each device has come.
    pub(super) fn note_gaps(&self, work: &mut Work<'_>, results: &mut Vec<Received>) -> Result<(), Code> {
        let mut heard: BTreeMap<(UserId, DeviceId), (BTreeSet<u64>, usize)> = BTreeMap::new();
        for received in results.iter() {
            if let Received::Item { envelope, item: Item::Message(message), .. } = received {
                let of_device = heard.entry((message.user.clone(), message.device)).or_default();
                of_device.0.insert(message.sequence);
                of_device.1 = *envelope;
            }
        }
        for ((user, device), (numbers, envelope)) in heard {
            let key = work.places().device(Kind::Heard, &user, device);
            let before = work.get::<Heard>(&key)?.unwrap_or_default().highest;
            let mut expected = before.saturating_add(1);
            let mut gaps = Vec::new();
            for number in numbers.range(expected..) {
                if *number > expected && gaps.len() < MAX_GAPS {
                    gaps.push((expected, number.saturating_sub(1)));
                }
                expected = number.saturating_add(1);
            }
            if expected > before.saturating_add(1) {
                work.put(key, &Heard { highest: expected.saturating_sub(1) })?;
            }
            for (from, to) in gaps {
                let item = Item::Event(Event::Gap { user: user.clone(), device, from, to });
                results.push(Received::Item { envelope, id: inbox::put(work, &item)?, item });
            }
        }
        Ok(())
    }
}
