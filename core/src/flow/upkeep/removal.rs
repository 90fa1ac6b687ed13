//! This device is off its user's list: the app hears so once, and what was to go out has come to its end (X 5).

use crate::{
    error::{Code, Error},
    event::{Event, Item},
    flow::send::outcome,
    record::PartState,
    tx::{Call, inbox},
};

/// Whether our own list no longer names this device. The first time that it does not, an item says so.
pub(crate) fn notice(call: &mut Call<'_>) -> Result<bool, Error> {
    let own = call.tx.own_list(call.user())?;
    if own.list.device(call.device()).is_some() {
        return Ok(false);
    }
    let mut server = call.tx.server()?;
    if !server.removed {
        server.removed = true;
        call.tx.put_server(&server)?;
        inbox::put(&mut call.tx, &Item::Event(Event::RemovedFromAccount { epoch: own.list.epoch }))?;
        outcome::end_all(call, PartState::Failed(Code::RemovedFromAccount.number()))?;
    }
    Ok(true)
}
