//! The functions of a new device on its way.

use super::{
    boundary::sesame_error,
    device::host,
    handle::*,
    input::sesame_slice,
    requests::{http_status, request_id},
    result::give,
    status::sesame_status,
    view::{self, *},
};
use crate::host::server as server_of;
use sesame::Linking;

/// Begins to link a new device in an empty store. `server` is the name of the server, as the user's other devices have it; `clock` is {0} for
/// the system's. Free it with `sesame_linking_free`.
///
/// @return FOREIGN_STORE when the store holds a device already; WRONG_KEY; INVALID_ARGUMENT; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_linking_begin(
    store: sesame_store,
    store_key: sesame_slice,
    server: sesame_slice,
    clock: sesame_clock,
    linking: *mut sesame_linking,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(linking), {
        let linking = output!(linking);
        let server = server_of(server.text("server")?, &[])?;
        linking.put(sesame_linking::new(Linking::begin(host(store, store_key, clock)?, &server)?));
        Ok(())
    })
}

/// Takes up a link that was begun before the app was closed. `clock` is {0} for the system's. Free it with `sesame_linking_free`.
///
/// @return FOREIGN_STORE when no link was begun; WRONG_KEY; RECORD_CORRUPT; INVALID_ARGUMENT; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_linking_resume(
    store: sesame_store,
    store_key: sesame_slice,
    clock: sesame_clock,
    linking: *mut sesame_linking,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(linking), {
        let linking = output!(linking);
        linking.put(sesame_linking::new(Linking::resume(host(store, store_key, clock)?)?));
        Ok(())
    })
}

/// Frees the handle; a link that was begun stays in its store. 0 is passed over.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_linking_free(linking: sesame_linking) -> sesame_status {
    enter!(core::ptr::null_mut(), { linking.free() })
}

/// What to show as text or QR, to nobody but one's own primary; good for 10 minutes, once.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_linking_code(
    linking: sesame_linking,
    result: *mut sesame_result,
    code: *mut sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, code), {
        let (result, view) = (output!(result), output!(code));
        let linking = linking.get()?;
        give(result, view, |tree| tree.copy(linking.code().as_bytes()));
        Ok(())
    })
}

/// The digits to show, 15 of them, once the primary has said hello: the user compares them with those on the primary. Absent before,
/// and once the device is there.
///
/// @return BAD_HANDLE; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_linking_digits(
    linking: sesame_linking,
    result: *mut sesame_result,
    digits: *mut sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, digits), {
        let (result, view) = (output!(result), output!(digits));
        let digits = linking.get()?.digits()?;
        give(result, view, |tree| tree.maybe(digits.as_ref().map(String::as_bytes)));
        Ok(())
    })
}

/// The user has seen the same digits on both devices; only now is the primary's answer taken.
///
/// @return INVALID_ARGUMENT before a hello was heard; LINK_EXPIRED; CLOSED once the device is there; BAD_HANDLE; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_linking_confirm(linking: sesame_linking, error: *mut sesame_error) -> sesame_status {
    enter!(error, { linking.get()?.confirm() })
}

/// Whether nothing more can come of this link: begin another one then. False once the device is there.
///
/// @return BAD_HANDLE; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_linking_expired(
    linking: sesame_linking,
    expired: *mut bool,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(expired), {
        let expired = output!(expired);
        expired.put(linking.get()?.expired()?);
        Ok(())
    })
}

/// The next request to the server; see `sesame_device_next_request`. NULL while the app has to confirm, and once the device is there.
///
/// @return BAD_HANDLE; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_linking_next_request(
    linking: sesame_linking,
    result: *mut sesame_result,
    request: *mut *const sesame_server_request,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, request), {
        let (result, view) = (output!(result), output!(request));
        let request = linking.get()?.next_request()?;
        give(result, view, |tree| view::server_request(tree, request));
        Ok(())
    })
}

/// Takes in the server's answer to a request; see `sesame_device_respond`. `problem` says why nothing can come of the link.
///
/// @return FOREIGN_REQUEST for the request of a device or of another link; INVALID_ARGUMENT; BAD_HANDLE; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_linking_respond(
    linking: sesame_linking,
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
        let answered = linking.get()?.respond(&id, status, body)?;
        give(result, view, |tree| view::answered(tree, answered));
        Ok(())
    })
}

/// Takes a request back that was not sent: it is given out again at once.
///
/// @return FOREIGN_REQUEST for the request of a device or of another link; INVALID_ARGUMENT; BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_linking_release(
    linking: sesame_linking,
    id: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let id = request_id(id)?;
        linking.get()?.release(&id)
    })
}

/// Ends every pause: the network is there again.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_linking_retry_now(linking: sesame_linking, error: *mut sesame_error) -> sesame_status {
    enter!(error, { linking.get()?.retry_now() })
}

/// How long it is until `sesame_linking_next_request` has something to give, in ms: 0 when it has now. It is a day while the app has to
/// confirm, and when nothing more is asked: the device is there, or the link has expired or come to nothing.
///
/// @return BAD_HANDLE; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_linking_due_in(
    linking: sesame_linking,
    due_in: *mut u64,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(due_in), {
        let due_in = output!(due_in);
        let due = linking.get()?.due_in()?;
        due_in.put(u64::try_from(due.as_millis()).unwrap_or(u64::MAX));
        Ok(())
    })
}

/// The device, once the primary's answer has come; it is given once. {0} before, and afterwards.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_linking_device(
    linking: sesame_linking,
    device: *mut sesame_device,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(device), {
        let device = output!(device);
        if let Some(client) = linking.get()?.device()? {
            device.put(sesame_device::new(client));
        }
        Ok(())
    })
}
