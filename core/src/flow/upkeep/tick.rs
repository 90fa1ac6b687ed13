//! Housekeeping: what is due by time (X 3, X 5, X 6, X 8, X 9). The library sends nothing by itself; this only prepares.

use super::{expire, link};
use crate::{
    context::Timestamp,
    error::{Code, Error},
    event::Event,
    flow::{group::sync, lists, send::outcome},
    keys::device_list,
    limits::{HOUSEKEEPING, OLD_LIST, RESIGN_LIST},
    record::Counters,
    tx::Call,
};

/// Does what is due by time, if a day has passed since it was last done; `None` when nothing was done.
///
/// Without a mailbox that was read to its end nothing is forgotten, whatever the clock says; `expire` sees to that.
pub(crate) fn if_due(call: &mut Call<'_>) -> Result<Option<Vec<Event>>, Error> {
    let mut server = call.tx.server()?;
    // A time ahead of our clock comes from a clock that was set back: it counts as due.
    let passed = call.now().0.checked_sub(server.kept_at).is_none_or(|passed| passed >= day());
    if !passed {
        let counters = call.tx.counters()?;
        if counters.lagging {
            call.tx.put_counters(&Counters { lagging: false, ..counters })?;
            sync::serve_all_lags(call)?;
            return Ok(Some(Vec::new()));
        }
        return Ok(None);
    }
    server.kept_at = call.now().0;
    call.tx.put_server(&server)?;
    tick(call, false).map(Some)
}

/// How long it is until something is due by time, in ms: this, or an answer of a link that is put again.
pub(crate) fn due_in(call: &Call<'_>) -> Result<u64, Code> {
    let kept_at = call.tx.server()?.kept_at;
    let passed = call.now().0.checked_sub(kept_at);
    let housekeeping = passed.map_or(0, |passed| day().saturating_sub(passed));
    Ok(link::due_in(call)?.map_or(housekeeping, |again| again.min(housekeeping)))
}

fn day() -> u64 {
    u64::try_from(HOUSEKEEPING.as_millis()).unwrap_or(u64::MAX)
}

/// Does what is due. `mailbox_empty`: the mailbox has just been fetched and decrypted to its end.
pub(crate) fn tick(call: &mut Call<'_>, mailbox_empty: bool) -> Result<Vec<Event>, Error> {
    let mut own = call.tx.own()?;
    if mailbox_empty {
        own.mailbox_emptied_at = call.now().0;
        call.tx.put_own(&own)?;
    }
    outcome::expire(call)?;
    let mut events = expire::all(&mut call.tx, &own, call.context.now)?;
    sync::serve_all_lags(call)?;
    for user in call.tx.users()? {
        let issued = user.list.as_ref().map(|list| Timestamp(list.issued_at));
        if user.user != *call.user() && issued.is_some_and(|issued| call.now().since(issued) > OLD_LIST) {
            events.push(Event::DeviceListOld { user: user.user });
        }
    }
    let list = call.tx.own_list(call.user())?.list;
    if let Some(account) = call.tx.account()?
        && call.now().since(Timestamp(list.issued_at)) > RESIGN_LIST
    {
        let next = device_list::sign(&account, call.user(), Some(&list), &list.devices, call.now())?;
        events.extend(lists::take(call, &next)?);
    }
    Ok(events)
}
