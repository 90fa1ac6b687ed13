//! Our own list on the device that signs it (X 5): signed anew in time, and never on top of one that it does not know.

use crate::{
    clock,
    context::Timestamp,
    error::{Code, Error},
    event::Event,
    flow::{lists, send},
    ids::ListHash,
    keys::device_list::{self, List, Shown, VerifiedDeviceList},
    limits::RESIGN_LIST,
    model::Fork,
    record::PendingUpload,
    store::{Kind, Places},
    tx::{Call, Tx, inbox, own::Primary},
};

/// A list that we have not signed, though the account key has: it waits for the app's word, on the primary alone.
fn ahead(call: &Call<'_>) -> Result<Option<Fork>, Code> {
    if !call.tx.is_primary()? {
        return Ok(None);
    }
    let user = call.tx.known(call.user())?.ok_or(Code::RecordInconsistent)?;
    Ok(user.fork.clone().filter(|fork| fork.told))
}

/// Whether a list of ours that this device has not signed waits for the app's word.
pub(super) fn is_ahead(call: &Call<'_>) -> Result<bool, Code> {
    Ok(ahead(call)?.is_some())
}

/// No list is signed while another one of ours waits for the app's word.
pub(super) fn check_adopted(call: &Call<'_>) -> Result<(), Code> {
    if is_ahead(call)? { Err(Code::OwnListNotAdopted) } else { Ok(()) }
}

/// Whether this device signs our list, and the list is a week old or still names another primary, who has handed its part over.
pub(super) fn is_to_be_signed(call: &Call<'_>) -> Result<bool, Code> {
    if !call.tx.is_primary()? || is_ahead(call)? {
        return Ok(false);
    }
    let list = call.tx.own_list(call.user())?.list;
    // A date ahead of our clock comes from a clock that was ahead.
    Ok(list.primary != call.device() || clock::is_due(Timestamp(list.issued_at), call.now(), RESIGN_LIST))
}

/// The row of our signed list does not open: the server is asked for it, before anything needs it.
pub(super) fn recover(call: &mut Call<'_>) -> Result<(), Code> {
    let is_asked = call.tx.exists(&call.tx.places().user(Kind::Wanted, call.user()))?;
    if !is_asked && call.tx.own_list(call.user())?.is_lost() { lists::want(call, call.user()) } else { Ok(()) }
}

/// The server knows nothing of us, and the row of our signed list does not open: so it is to be had nowhere. What it says is in our user's
/// record, and the device that signs our lists signs the next one on top of it.
pub(super) fn sign_lost(call: &mut Call<'_>) -> Result<(), Error> {
    if !call.tx.own_list(call.user())?.is_lost() || !call.tx.is_primary()? || is_ahead(call)? {
        return Ok(());
    }
    let events = sign_next(call)?;
    Ok(inbox::tell(&mut call.tx, events)?)
}

/// The server has shown that our list is the newest there: if it is old, it is signed anew.
pub(crate) fn sign_anew(call: &mut Call<'_>) -> Result<Vec<Event>, Error> {
    if !is_to_be_signed(call)? {
        return Ok(Vec::new());
    }
    sign_next(call)
}

/// The next list, with the same devices.
fn sign_next(call: &mut Call<'_>) -> Result<Vec<Event>, Error> {
    let account = call.tx.account()?.ok_or(Code::NotPrimary)?;
    let list = call.tx.own_list(call.user())?.list;
    let next = device_list::sign_as(&account, call.user(), Some(&list), &list.devices, (call.device(), call.now()))?;
    Ok(lists::follow(call, &next)?)
}

/// The app takes a list of ours that this device has not signed for its own, and the next one is signed on top of it.
///
/// Its devices and ids count from now on, so that none is given twice (T16).
pub(crate) fn adopt(call: &mut Call<'_>, hash: &ListHash) -> Result<Vec<Event>, Error> {
    let Primary { account, .. } = call.tx.primary()?;
    let ahead =
        ahead(call)?.filter(|fork| fork.list.name() == *hash).ok_or(Error::of(Code::InvalidArgument, "hash"))?;
    let us = &call.us.party;
    let is_us = |listed: &device_list::Listing| listed.party(&us.user, us.account_key) == *us;
    // A device that was taken off comes back under another id only.
    if !ahead.list.device(call.device()).is_some_and(is_us) {
        return Err(Code::DeviceRemoved.into());
    }
    let mut user = call.tx.user(call.user())?.ok_or(Code::RecordInconsistent)?;
    user.fork = None;
    call.tx.put_user(&user)?;
    let mut adopted = VerifiedDeviceList::from_checked(&Shown::alone(&ahead.other)?)?;
    adopted.branch = ahead.branch;
    begin_branch(&mut call.tx, ahead.list.epoch)?;
    let ours = user.list.map_or(0, |list| list.last_id);
    let mut events = lists::follow(call, &adopted)?;
    let before = List { last_id: ours.max(ahead.list.last_id), ..ahead.list };
    let next =
        device_list::sign_as(&account, call.user(), Some(&before), &before.devices, (call.device(), call.now()))?;
    events.extend(lists::follow(call, &next)?);
    send::follow_user(call, call.user())?;
    Ok(events)
}

/// The next list to go up is of another branch: epochs of this one say nothing of what the server has.
fn begin_branch(tx: &mut Tx<'_>, from: u64) -> Result<(), Code> {
    let mut book = tx.book()?;
    book.published_epoch = book.published_epoch.min(from);
    book.published_devices = [0; 32];
    tx.put_book(&book)?;
    let key = Places::only(Kind::Publication);
    if let Some(waiting) = tx.get::<PendingUpload>(&key)? {
        tx.put(key, &PendingUpload { epoch: 0, ..waiting })?;
    }
    Ok(())
}
