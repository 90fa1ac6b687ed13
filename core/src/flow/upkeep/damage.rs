//! Rows that do not open: what they would keep open ends, and the app is told how many there were.

use crate::{
    error::Code,
    event::Event,
    flow::send::outcome,
    ids::SendId,
    record::ServerState,
    store::{Kind, Places, RowKey},
    tx::{Call, Tx, sends},
};

/// What housekeeping meets part by part, with the user or the device that it belongs to.
const BY_PART: [Kind; 13] = [
    Kind::User,
    Kind::List,
    Kind::Chain,
    Kind::Peer,
    Kind::Received,
    Kind::Healing,
    Kind::SentPart,
    Kind::Heard,
    Kind::Session,
    Kind::Chains,
    Kind::Skipped,
    Kind::Block,
    Kind::Index,
];

/// What it meets at its end, with the groups in which a device lags.
const AT_LAST: [Kind; 3] = [Kind::Operation, Kind::GroupList, Kind::Waiting];

/// Counts what a slice of housekeeping has found damaged: it began at a part, and the next one goes on at another, if there is one. With the
/// last slice comes the event. A row that several slices need is counted by one of them.
pub(super) fn of_slice(
    tx: &mut Tx<'_>,
    damaged: &[RowKey],
    (from, next): (u8, Option<u8>),
) -> Result<Option<Event>, Code> {
    let is_of_slice = |key: &&RowKey| {
        if Places::is_of(key, &BY_PART) {
            let part = Places::bucket_of(key);
            return part >= from && next.is_none_or(|next| part < next);
        }
        if Places::is_of(key, &AT_LAST) { next.is_none() } else { from == 0 }
    };
    let rows = note(tx, damaged.iter().filter(is_of_slice).count())?;
    if rows == 0 || next.is_some() {
        return Ok(None);
    }
    let server = tx.server()?;
    tx.put_server(&ServerState { damaged: 0, ..server })?;
    Ok(Some(Event::StoreDamaged { rows }))
}

/// Something that was to go out does not open: what it belongs to ends, and the next housekeeping tells it.
pub(crate) fn mend_all(call: &mut Call<'_>) -> Result<(), Code> {
    outcome::expire(call)?;
    note_ended(&mut call.tx)
}

/// The same for one send.
pub(crate) fn mend(call: &mut Call<'_>, send: &SendId) -> Result<(), Code> {
    let us = &call.us.party.user;
    call.tx.one(|tx| sends::mend(tx, us, send))?;
    note_ended(&mut call.tx)
}

fn note_ended(tx: &mut Tx<'_>) -> Result<(), Code> {
    let damaged = tx.take_damaged();
    let ended = damaged.iter().filter(|key| tx.is_staged(key)).count();
    note(tx, ended).map(drop)
}

/// Counts rows. Gives how many there are since the app was told.
fn note(tx: &mut Tx<'_>, rows: usize) -> Result<u32, Code> {
    let server = tx.server()?;
    let damaged = server.damaged.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX));
    if rows > 0 {
        tx.put_server(&ServerState { damaged, ..server })?;
    }
    Ok(damaged)
}
