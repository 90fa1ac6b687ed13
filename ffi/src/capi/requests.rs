//! The loop of requests: the whole transport of an app.

use super::{
    boundary::sesame_error,
    handle::*,
    input::sesame_slice,
    result::give,
    status::sesame_status,
    view::{self, *},
};
use sesame_core::{
    error::{Code, Error},
    ids::RequestId,
};

pub(super) fn request_id(slice: sesame_slice) -> Result<RequestId, Error> {
    slice.exactly("id").map(RequestId)
}

pub(super) fn http_status(status: u32) -> Result<u16, Error> {
    u16::try_from(status).map_err(|_| Error::of(Code::InvalidArgument, "status"))
}

/// The next request to the server, or NULL when nothing is due now: a POST of `body` to `path` with `headers`. Send it within a minute and
/// give the answer to `sesame_device_respond`; its work is in no other request until then. Several may be sent side by side.
///
/// ```c
/// while (sesame_device_next_request(device, &result, &request, &error) == SESAME_STATUS_OK && request != NULL) {
///   /* POST request->body with request->headers to request->path */
///   sesame_device_respond(device, request->id, status, body, &answer, &answered, &error);
///   sesame_result_free(answer);
///   sesame_result_free(result);
/// }
/// ```
///
/// That is the whole transport of an app. The loop always ends: a failure pauses it, and `sesame_device_due_in` says when to come back.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_next_request(
    device: sesame_device,
    result: *mut sesame_result,
    request: *mut *const sesame_server_request,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, request), {
        let (result, view) = (output!(result), output!(request));
        let request = device.get()?.next_request()?;
        give(result, view, |tree| view::server_request(tree, request));
        Ok(())
    })
}

/// Takes in the server's answer to a request, which `id`, 16 bytes, names: the HTTP status, or 0 when none came, and the body. Whatever the
/// server says is no error.
///
/// @return FOREIGN_REQUEST when another device gave the request out; INVALID_ARGUMENT; the device's; the store's. The request stays lent
/// then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_respond(
    device: sesame_device,
    id: sesame_slice,
    status: u32,
    body: sesame_slice,
    result: *mut sesame_result,
    answered: *mut *const sesame_answered,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, answered), {
        let (result, view) = (output!(result), output!(answered));
        let (id, status, body) = (request_id(id)?, http_status(status)?, body.bytes("body")?);
        let answered = device.get()?.respond(&id, status, body)?;
        give(result, view, |tree| view::answered(tree, answered));
        Ok(())
    })
}

/// Takes a request back that was not sent: it is given out again at once.
///
/// @return INVALID_ARGUMENT; the device's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_release(
    device: sesame_device,
    id: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let id = request_id(id)?;
        device.get()?.release(&id)
    })
}

/// Ends every pause, and takes every request back: the network is there again.
///
/// @return the device's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_retry_now(device: sesame_device, error: *mut sesame_error) -> sesame_status {
    enter!(error, { device.get()?.retry_now() })
}

/// The next requests fetch the mailbox, up to so many envelopes. What they say is in the inbox afterwards.
///
/// @return the device's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_request_mail(
    device: sesame_device,
    limit: u32,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, { device.get()?.request_mail(limit) })
}

/// How long it is until `sesame_device_next_request` has something to give, in ms: 0 when it has now, a day at most.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_due_in(
    device: sesame_device,
    due_in: *mut u64,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(due_in), {
        let due_in = output!(due_in);
        let due = device.get()?.due_in()?;
        due_in.put(u64::try_from(due.as_millis()).unwrap_or(u64::MAX));
        Ok(())
    })
}

/// How this device stands with its server.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_health(
    device: sesame_device,
    result: *mut sesame_result,
    health: *mut *const sesame_health,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, health), {
        let (result, view) = (output!(result), output!(health));
        let health = device.get()?.health()?;
        give(result, view, |tree| view::health(tree, health));
        Ok(())
    })
}

/// Tells the server where it may knock when mail comes: at most 512 bytes that the app and its push service understand; empty: nowhere.
///
/// @return INVALID_ARGUMENT for a longer value; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_set_push(
    device: sesame_device,
    value: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let value = value.bytes("value")?;
        device.get()?.set_push(value)
    })
}

/// Sets for how many days this device keeps what it has sent, to send it again to a device that could not open it: 14 until this is called; 0 keeps
/// nothing. What is older goes at once. It is sealed like all else in the store.
///
/// @return INVALID_ARGUMENT for more than 14 days; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_keep_sent(
    device: sesame_device,
    days: u32,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, { device.get()?.keep_sent(days) })
}

/// Bounds the decoded rows of the store that this device keeps in memory from one call to the next, in bytes; 0 keeps none. Until this is
/// called it is 32 MiB. What is kept beyond the limit is wiped at once. The limit holds as long as the device is open, and is not stored. It
/// changes how fast calls are, and nothing that they give. A call may need more while it runs.
///
/// @return the device's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_set_memory_limit(
    device: sesame_device,
    limit: usize,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, { device.get()?.set_memory_limit(limit) })
}

/// Deletes the account at the server. The next request does; nothing else goes out after it. The store stays until the app deletes it.
///
/// @return NOT_PRIMARY; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_delete_account(
    device: sesame_device,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, { device.get()?.delete_account() })
}

/// This device logs out: it asks the user's primary to remove it, whose app gets `SESAME_EVENT_KIND_DEVICE_WANTS_REMOVAL` and calls
/// `sesame_device_remove_device`. Until then others go on to send to it. When the send's end is in the inbox, the store may be erased.
///
/// @return INVALID_ARGUMENT on the primary itself; DEVICE_REMOVED; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_log_out(
    device: sesame_device,
    result: *mut sesame_result,
    send: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, send), {
        let (result, view) = (output!(result), output!(send));
        let send = device.get()?.log_out()?;
        give(result, view, |tree| view::send(tree, send));
        Ok(())
    })
}
