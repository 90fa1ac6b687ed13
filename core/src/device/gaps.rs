//! Gaps in what a device has sent to this one, seen when a whole batch has been opened (section 5 of the design; A57, A73).
//!
//! A number that is missing may still come: the event says that it has not, not that it never will.

use super::{
    Device, inbox,
    received::{BatchResults, Numbered},
    work::Work,
};
use crate::{
    error::Code,
    event::{Event, Item, Received},
    ids::{DeviceId, GroupId, UserId},
    limits::MAX_GAPS,
    record::Heard,
};
use std::collections::{BTreeMap, BTreeSet};

impl Device {
    /// Adds an event for each run of numbers that the batch leaves open, and remembers how far each device has come, in each scope by itself.
    pub(super) fn note_gaps(&self, work: &mut Work<'_>, batch: &mut BatchResults) -> Result<(), Code> {
        let mut of_device: BTreeMap<Source, (BTreeSet<u64>, usize)> = BTreeMap::new();
        for Numbered { envelope, user, device, group, sequence } in batch.numbered.drain(..) {
            let heard = of_device.entry((user, device, group)).or_default();
            heard.0.insert(sequence);
            heard.1 = envelope;
        }
        for ((user, device, group), (numbers, envelope)) in of_device {
            let key = work.places().heard(&user, device, group.as_ref());
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
            for (first, last) in gaps {
                let item = Item::Event(Event::Gap { user: user.clone(), device, group, first, last });
                batch.results.push(Received::Item { envelope, id: inbox::put(work, &item)?, item });
            }
        }
        Ok(())
    }
}

/// A device in a scope: it counts there for itself.
type Source = (UserId, DeviceId, Option<GroupId>);
