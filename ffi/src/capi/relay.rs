//! The server's part in memory.

use super::{
    boundary::sesame_error,
    handle::*,
    input::sesame_slice,
    result::give,
    status::sesame_status,
    view::{self, *},
};
use crate::host::server as server_of;
use ::sesame_relay::{Relay, Request};
use sesame_core::{context::Timestamp, ids::DeviceId};

/// An empty server of this name, 1 to 255 bytes of UTF-8. `clock` is {0} for the system's. Free it with `sesame_relay_free`.
///
/// @return INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_new(
    server: sesame_slice,
    clock: sesame_clock,
    relay: *mut sesame_relay,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(relay), {
        let relay = output!(relay);
        let server = server_of(server.text("server")?, &[])?;
        let server = parking_lot::Mutex::new(Relay::new(server.name()));
        relay.put(sesame_relay::new(RelayObject { relay: server, clock: clock.or_system()? }));
        Ok(())
    })
}

/// Frees the handle, and the server with it. 0 is passed over.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_free(relay: sesame_relay) -> sesame_status {
    enter!(core::ptr::null_mut(), { relay.free() })
}

/// Does what a request asks, as an HTTP server would: its path, its headers and its body. `status` is the HTTP status of the answer.
///
/// @return INVALID_ARGUMENT for a path or a header that is no UTF-8; BAD_STRUCT; BAD_HANDLE. What is wrong with a request is in the answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_perform(
    relay: sesame_relay,
    path: sesame_slice,
    headers: *const *const sesame_header,
    header_count: usize,
    body: sesame_slice,
    result: *mut sesame_result,
    status: *mut u32,
    answer: *mut sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, status, answer), {
        let (result, status, view) = (output!(result), output!(status), output!(answer));
        // SAFETY: the caller keeps the header's contract on this list.
        let headers = unsafe { view::read_list((headers, header_count), "headers")? };
        let mut auth = None;
        for header in &headers {
            if header.name.text("headers")?.eq_ignore_ascii_case("sesame-auth") {
                auth = Some(header.value.text("headers")?);
            }
        }
        let request = Request { path: path.text("path")?, auth, body: body.bytes("body")? };
        let object = relay.get()?;
        let response = object.relay.lock().perform(Timestamp(object.clock.now()), &request);
        status.put(u32::from(response.status));
        give(result, view, |tree| tree.bytes(response.body));
        Ok(())
    })
}

/// What a server does after its store was put back to an earlier state: it tells every device so, and they upload their keys again.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_restored(relay: sesame_relay, error: *mut sesame_error) -> sesame_status {
    enter!(error, {
        relay.get()?.relay.lock().restored();
        Ok(())
    })
}

/// A user's signed device list; absent for a user that the server does not know.
///
/// @return INVALID_ARGUMENT; BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_device_list(
    relay: sesame_relay,
    user: sesame_slice,
    result: *mut sesame_result,
    device_list: *mut sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, device_list), {
        let (result, view) = (output!(result), output!(device_list));
        let list = relay.get()?.relay.lock().device_list(&user.user("user")?);
        give(result, view, |tree| tree.maybe(list.as_deref()));
        Ok(())
    })
}

/// The envelopes in a device's mailbox, oldest first, to look at in tests. They stay where they are.
///
/// @return INVALID_ARGUMENT; BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_mailbox(
    relay: sesame_relay,
    user: sesame_slice,
    device: u32,
    result: *mut sesame_result,
    mailbox: *mut *const sesame_mailbox,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, mailbox), {
        let (result, view) = (output!(result), output!(mailbox));
        let mails = relay.get()?.relay.lock().fetch((&user.user("user")?, DeviceId(device)), usize::MAX);
        give(result, view, |tree| view::mailbox(tree, mails));
        Ok(())
    })
}

/// Loses the mailbox of a device, for tests: its envelopes are gone, and no sender hears of it.
///
/// @return INVALID_ARGUMENT; BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_lose(
    relay: sesame_relay,
    user: sesame_slice,
    device: u32,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let user = user.user("user")?;
        relay.get()?.relay.lock().lose((&user, DeviceId(device)));
        Ok(())
    })
}

/// All that the server holds and has seen.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_get_view(
    relay: sesame_relay,
    result: *mut sesame_result,
    view: *mut *const sesame_relay_view,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, view), {
        let (result, view) = (output!(result), output!(view));
        let all = relay.get()?.relay.lock().view();
        give(result, view, |tree| view::relay(tree, all));
        Ok(())
    })
}
