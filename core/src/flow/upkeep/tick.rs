//! Housekeeping: what is due by time (X 3, X 5, X 6, X 8, X 9). The library sends nothing by itself; this only prepares.

use super::expire;
use crate::{
    context::Timestamp,
    error::Error,
    event::Event,
    flow::{group::sync, lists},
    keys::device_list,
    limits::{OLD_LIST, RESIGN_LIST},
    tx::Call,
};

/// Does what is due. `mailbox_empty`: the mailbox has just been fetched and decrypted to its end.
pub(crate) fn tick(call: &mut Call<'_>, mailbox_empty: bool) -> Result<Vec<Event>, Error> {
    let mut own = call.tx.own()?;
    if mailbox_empty {
        own.mailbox_emptied_at = call.now().0;
        call.tx.put_own(&own)?;
    }
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
