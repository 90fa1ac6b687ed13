//! The functions of a session.

use super::{
    boundary::sesame_error,
    handle::*,
    input::sesame_slice,
    result::give,
    status::sesame_status,
    view::{self, *},
};

/// Frees the handle. 0 is passed over.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_session_free(session: sesame_session) -> sesame_status {
    enter!(core::ptr::null_mut(), { session.free() })
}

/// The active session, or NULL when the next send begins one.
///
/// @return UNKNOWN_USER when no such device is known; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_session_info(
    session: sesame_session,
    result: *mut sesame_result,
    info: *mut *const sesame_session_view,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, info), {
        let (result, view) = (output!(result), output!(info));
        let session = session.get()?;
        let info = session.client.session(&session.user, session.device)?;
        give(result, view, |tree| view::session(tree, info));
        Ok(())
    })
}

/// Encrypts for this device alone, without a transcript.
///
/// @return as `sesame_device_batch_encrypt`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_session_encrypt(
    session: sesame_session,
    payload: sesame_slice,
    result: *mut sesame_result,
    send: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, send), {
        let (result, view) = (output!(result), output!(send));
        let (session, payload) = (session.get()?, payload.bytes("payload")?);
        let (user, device) = (&session.user, session.device);
        let send = session.client.encrypt_to(user, device, payload)?;
        give(result, view, |tree| view::send(tree, send));
        Ok(())
    })
}

/// Begins anew with the device, for a conversation that does not work though nothing says why: the next message to it begins a session that
/// takes the place of all others, of groups as well. Nothing is lost by it.
///
/// @return UNKNOWN_USER; UNKNOWN_DEVICE for a device with which there was no session yet, or which was removed; IDENTITY_NOT_ACCEPTED;
/// INVALID_ARGUMENT for this device itself; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_session_reset(session: sesame_session, error: *mut sesame_error) -> sesame_status {
    enter!(error, {
        let session = session.get()?;
        session.client.reset_session(&session.user, session.device)
    })
}
