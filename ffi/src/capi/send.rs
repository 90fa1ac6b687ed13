//! The functions for sends: what goes out, and what becomes of it.

use super::{
    boundary::sesame_error,
    handle::*,
    input::{self, sesame_slice},
    result::give,
    status::sesame_status,
    view::{self, *},
};
use sesame_core::{
    error::Error,
    ids::{ContentId, SendId},
};

fn send_id(slice: sesame_slice) -> Result<SendId, Error> {
    slice.exactly("send").map(SendId)
}

/// Encrypts for every device of every recipient, and a transcript for the user's own other devices. `content_id` is 16 bytes of the app's
/// own, or empty for one that the library makes. At most 256 users and 65,536 bytes of payload. The send goes out by
/// `sesame_device_next_request`, and its end is an event in the inbox.
///
/// @return EMPTY_BATCH without a recipient; TOO_MANY; PAYLOAD_TOO_LARGE; CONTENT_ID_IN_USE; DEVICE_REMOVED when this device is not on its
/// own user's list; INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_batch_encrypt(
    device: sesame_device,
    recipients: *const sesame_slice,
    recipient_count: usize,
    payload: sesame_slice,
    content_id: sesame_slice,
    result: *mut sesame_result,
    send: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, send), {
        let (result, view) = (output!(result), output!(send));
        let users = input::users(array!(recipients, recipient_count), "recipients")?;
        let (payload, content_id) = (payload.bytes("payload")?, content_id.optional("content_id")?);
        let send = device.get()?.batch_encrypt(&users, payload, content_id.map(ContentId))?;
        give(result, view, |tree| view::send(tree, send));
        Ok(())
    })
}

/// How a send stands, by its id or by its content id, 16 bytes; NULL once the app has acked its end.
///
/// @return INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_send_status(
    device: sesame_device,
    send: sesame_slice,
    result: *mut sesame_result,
    status: *mut *const sesame_send_status,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, status), {
        let (result, view) = (output!(result), output!(status));
        let (id, client) = (send_id(send)?, device.get()?);
        let status = match client.send_status(&id)? {
            None => client.send_with(&ContentId(id.0))?,
            status => status,
        };
        give(result, view, |tree| view::send_status(tree, status));
        Ok(())
    })
}

/// Every send whose end the app has not acked, oldest first.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_sends(
    device: sesame_device,
    result: *mut sesame_result,
    sends: *mut *const sesame_sends,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, sends), {
        let (result, view) = (output!(result), output!(sends));
        let sends = device.get()?.sends()?;
        give(result, view, |tree| view::sends(tree, sends));
        Ok(())
    })
}

/// The batches of a send that the server may have now, to look at. They go to the server by `sesame_device_next_request`.
///
/// @return INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_batches(
    device: sesame_device,
    send: sesame_slice,
    result: *mut sesame_result,
    batches: *mut *const sesame_batches,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, batches), {
        let (result, view) = (output!(result), output!(batches));
        let id = send_id(send)?;
        let batches = device.get()?.batches(&id)?;
        give(result, view, |tree| view::batches(tree, batches));
        Ok(())
    })
}

/// Withdraws a send for these users, or for all when `users` is NULL. What is settled stays as it is. A batch that was given out already
/// may have been sent: its outcome says so.
///
/// @return UNKNOWN_SEND; UNKNOWN_USER for a user whom the send does not name; INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_cancel(
    device: sesame_device,
    send: sesame_slice,
    users: *const sesame_slice,
    user_count: usize,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let id = send_id(send)?;
        let all = users.is_null() && user_count == 0;
        let users = input::users(array!(users, user_count), "users")?;
        device.get()?.cancel(&id, (!all).then_some(users.as_slice()))
    })
}

/// Tries a send again for every user for whom it failed or was withdrawn.
///
/// @return UNKNOWN_SEND; INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_retry(
    device: sesame_device,
    send: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let id = send_id(send)?;
        device.get()?.retry(&id)
    })
}

/// Opens envelopes that came by another way than the loop of requests, in any order, and says of each what came of it: one bad envelope
/// hinders no other. What they say is in the inbox. `complete` says that these were the last ones in the mailbox.
///
/// @return TOO_MANY beyond 4,096 envelopes; the device's; the store's. What is wrong with one envelope is in its result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_batch_decrypt(
    device: sesame_device,
    envelopes: *const sesame_slice,
    envelope_count: usize,
    complete: bool,
    result: *mut sesame_result,
    results: *mut *const sesame_mail_results,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, results), {
        let (result, view) = (output!(result), output!(results));
        let envelopes = input::byte_strings(array!(envelopes, envelope_count), "envelopes")?;
        let results = device.get()?.batch_decrypt(&envelopes, complete)?;
        give(result, view, |tree| view::mail_results(tree, results));
        Ok(())
    })
}

/// What was received or happened and was not acked, oldest first, after the item with the id `after` and at most `limit`.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_inbox(
    device: sesame_device,
    after: u64,
    limit: usize,
    result: *mut sesame_result,
    inbox: *mut *const sesame_inbox,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, inbox), {
        let (result, view) = (output!(result), output!(inbox));
        let rows = device.get()?.inbox(after, limit)?;
        give(result, view, |tree| view::inbox(tree, rows));
        Ok(())
    })
}

/// The app has these items safe; they are deleted here. An id that is not there is no error.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_ack(
    device: sesame_device,
    ids: *const u64,
    id_count: usize,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let ids = array!(ids, id_count);
        device.get()?.ack(ids)
    })
}
