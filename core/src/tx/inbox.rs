//! The inbox: what was received and waits for the app.

use super::Tx;
use crate::{
    error::Code,
    event::{Event, Item},
    store::{Kind, Places},
};

/// Writes events.
pub(crate) fn tell(tx: &mut Tx<'_>, events: Vec<Event>) -> Result<(), Code> {
    events.into_iter().try_for_each(|event| put(tx, &Item::Event(event)).map(drop))
}

/// Looks at every item: one that does not open is a message that is lost, and the app is to hear of it.
pub(crate) fn look_through(tx: &Tx<'_>) -> Result<(), Code> {
    tx.keys(&Places::all(Kind::Item))?.iter().try_for_each(|key| tx.shared::<Item>(key).map(drop))
}

/// Numbers an item and writes it; gives the number.
pub(crate) fn put(tx: &mut Tx<'_>, item: &Item) -> Result<u64, Code> {
    let mut counters = tx.counters()?;
    let id = counters.last_item.checked_add(1).ok_or(Code::Internal)?;
    counters.last_item = id;
    tx.put_counters(&counters)?;
    tx.put(Places::item(id), item)?;
    Ok(id)
}
