//! The functions of a new device on its way.

use super::{
    boundary::sesame_error, device::host, handle::*, input::sesame_slice, result::give, status::sesame_status,
};
use crate::{host::server as server_of, joined};
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

/// Takes the primary's answer and gives the device. A wrong answer changes nothing: the right one may still come.
///
/// @return AUTHENTICATION_FAILED for an answer to another code; LINK_EXPIRED when the code has expired; LINK_MISMATCH for a second
/// primary's answer; NOT_LISTED when the list in the answer does not name this device; CLOSED once it is complete; what is wrong with the answer (2xx and 3xx); the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_linking_complete(
    linking: sesame_linking,
    answer: sesame_slice,
    device: *mut sesame_device,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(device), {
        let device = output!(device);
        device.put(sesame_device::new(joined::complete(&*linking.get()?, answer.bytes("answer")?)?));
        Ok(())
    })
}
