//! The server's part in memory. `user` and `device` of a call stand for whom the transport has authenticated.

use super::{
    boundary::sesame_error,
    handle::*,
    input::sesame_slice,
    result::give,
    status::sesame_status,
    view::{self, *},
};
use crate::relay::{publish_error, submission_error};
use ::sesame_relay::{Refusal, Relay};
use sesame_core::ids::DeviceId;

/// An empty server. Free it with `sesame_relay_free`.
///
/// @return none but the common ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_new(relay: *mut sesame_relay, error: *mut sesame_error) -> sesame_status {
    enter!(error, outputs(relay), {
        let relay = output!(relay);
        relay.put(sesame_relay::new(RelayObject(parking_lot::Mutex::new(Relay::new("relay.example")))));
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

/// Takes an upload; `left` is how many one-time prekeys the server has then.
///
/// @return what is wrong with the upload (2xx and 3xx), BROKEN_CHAIN for a list that does not follow the current one among them;
/// INVALID_ARGUMENT; BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_publish(
    relay: sesame_relay,
    user: sesame_slice,
    device: u32,
    publication: sesame_slice,
    left: *mut u32,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(left), {
        let left = output!(left);
        let (user, bytes) = (user.user("user")?, publication.bytes("publication")?);
        let stock = relay.get()?.0.lock().publish((&user, DeviceId(device)), bytes).map_err(publish_error)?;
        left.put(stock.one_time);
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
        let list = relay.get()?.0.lock().device_list(&user.user("user")?);
        give(result, view, |tree| tree.maybe(list.as_deref()));
        Ok(())
    })
}

/// A bundle of a listed device, or absent; its one-time prekeys are gone with this.
///
/// @return INVALID_ARGUMENT; BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_bundle(
    relay: sesame_relay,
    user: sesame_slice,
    device: u32,
    result: *mut sesame_result,
    bundle: *mut sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, bundle), {
        let (result, view) = (output!(result), output!(bundle));
        let bundle = relay.get()?.0.lock().bundle(&user.user("user")?, DeviceId(device));
        give(result, view, |tree| tree.maybe(bundle.as_deref()));
        Ok(())
    })
}

/// What a device needs for a send, as far as it is here; for `sesame_registry_apply`.
///
/// @return INVALID_ARGUMENT for a need of no known kind; BAD_STRUCT; BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_answer(
    relay: sesame_relay,
    needs: *const *const sesame_need,
    need_count: usize,
    result: *mut sesame_result,
    answers: *mut *const sesame_answers,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, answers), {
        let (result, view) = (output!(result), output!(answers));
        // SAFETY: the caller keeps the header's contract on this list.
        let needs = unsafe { view::read_needs((needs, need_count))? };
        let answers = relay.get()?.0.lock().answer(&needs);
        give(result, view, |tree| view::answers(tree, answers));
        Ok(())
    })
}

/// Puts a user's batch into the mailboxes of all its devices, or refuses all of it.
///
/// @return INVALID_ARGUMENT; BAD_STRUCT; NOT_LISTED for a sender that is not on its own user's list; BAD_HANDLE. A stale view and an
/// unknown user are answers, not errors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_submit(
    relay: sesame_relay,
    user: sesame_slice,
    device: u32,
    batch: *const sesame_batch,
    result: *mut sesame_result,
    submission: *mut *const sesame_submission,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, submission), {
        use sesame_submission_kind as K;
        let (result, view) = (output!(result), output!(submission));
        // SAFETY: the caller keeps the header's contract on this struct.
        let (user, batch) = (user.user("user")?, unsafe { view::read_batch(batch)? });
        let said = relay.get()?.0.lock().submit((&user, DeviceId(device)), &batch);
        let (kind, list, missing, gone) = match said {
            Ok(()) => (K::Accepted, None, vec![], vec![]),
            Err(Refusal::NoSuchUser) => (K::NoSuchUser, None, vec![], vec![]),
            Err(Refusal::Stale { device_list, missing, gone }) => (K::Stale, Some(device_list), missing, gone),
            Err(refusal) => return Err(submission_error(&refusal)),
        };
        give(result, view, |tree| view::submission(tree, kind, list, (&missing, &gone)));
        Ok(())
    })
}

/// What waits for a device, oldest first, at most `limit`. Nothing is dropped before `sesame_relay_confirm`.
///
/// @return INVALID_ARGUMENT; BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_fetch(
    relay: sesame_relay,
    user: sesame_slice,
    device: u32,
    limit: usize,
    result: *mut sesame_result,
    mails: *mut *const sesame_mails,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, mails), {
        let (result, view) = (output!(result), output!(mails));
        let mails = relay.get()?.0.lock().fetch((&user.user("user")?, DeviceId(device)), limit);
        give(result, view, |tree| view::mails(tree, mails));
        Ok(())
    })
}

/// The device has these envelopes safe; they are dropped here.
///
/// @return INVALID_ARGUMENT; BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_relay_confirm(
    relay: sesame_relay,
    user: sesame_slice,
    device: u32,
    ids: *const u64,
    id_count: usize,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let ids = array!(ids, id_count);
        relay.get()?.0.lock().confirm((&user.user("user")?, DeviceId(device)), ids);
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
        let all = relay.get()?.0.lock().view();
        give(result, view, |tree| view::relay(tree, all));
        Ok(())
    })
}
