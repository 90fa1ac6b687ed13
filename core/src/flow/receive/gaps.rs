//! Gaps in what a device has sent to this one, seen when a whole batch has been opened (A57, A73).
//!
//! A number that is missing may still come: the event says that it has not, not that it never will.

use crate::{
    error::Code,
    event::{Event, Item, Received},
    ids::{DeviceId, GroupId, UserId},
    limits::MAX_GAPS,
    record::Heard,
    tx::{Call, inbox},
};
use std::collections::{BTreeMap, BTreeSet};

/// The number that one content bears.
pub(super) struct Numbered {
    pub(super) envelope: usize,
    pub(super) user: UserId,
    pub(super) device: DeviceId,
    pub(super) group: Option<GroupId>,
    pub(super) sequence: u64,
}

/// A device in a scope: it counts there by itself.
type Source = (UserId, DeviceId, Option<GroupId>);

/// What a batch has from one source.
#[derive(Default)]
struct Run {
    numbers: BTreeSet<u64>,
    /// The last envelope that had one of them.
    envelope: usize,
}

/// An event for each run of numbers that the batch leaves open; how far each device has come is remembered.
pub(super) fn note(call: &mut Call<'_>, numbered: Vec<Numbered>) -> Result<Vec<Received>, Code> {
    let mut runs: BTreeMap<Source, Run> = BTreeMap::new();
    for Numbered { envelope, user, device, group, sequence } in numbered {
        let run = runs.entry((user, device, group)).or_default();
        run.numbers.insert(sequence);
        run.envelope = envelope;
    }
    let mut results = Vec::new();
    for ((user, device, group), Run { numbers, envelope }) in runs {
        let key = call.tx.places().heard(&user, device, group.as_ref());
        let before = call.tx.get::<Heard>(&key)?.unwrap_or_default().highest;
        let mut expected = before.saturating_add(1);
        let mut gaps = Vec::new();
        for number in numbers.range(expected..) {
            if *number > expected && gaps.len() < MAX_GAPS {
                gaps.push((expected, number.saturating_sub(1)));
            }
            expected = number.saturating_add(1);
        }
        if expected > before.saturating_add(1) {
            call.tx.put(key, &Heard { highest: expected.saturating_sub(1) })?;
        }
        for (first, last) in gaps {
            let item = Item::Event(Event::Gap { user: user.clone(), device, group, first, last });
            results.push(Received::Item { envelope, id: inbox::put(&mut call.tx, &item)?, item });
        }
    }
    Ok(results)
}
