//! The functions of the device registry.

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
pub unsafe extern "C" fn sesame_registry_free(registry: sesame_registry) -> sesame_status {
    enter!(core::ptr::null_mut(), { registry.free() })
}

/// All users that are known, this one included.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_registry_users(
    registry: sesame_registry,
    result: *mut sesame_result,
    users: *mut *const sesame_users,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, users), {
        let (result, view) = (output!(result), output!(users));
        let users = registry.get()?.0.users()?;
        give(result, view, |tree| view::users(tree, users));
        Ok(())
    })
}

/// A user's devices, rising by id.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_registry_devices(
    registry: sesame_registry,
    user: sesame_slice,
    result: *mut sesame_result,
    devices: *mut *const sesame_devices,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, devices), {
        let (result, view) = (output!(result), output!(devices));
        let user = user.user("user")?;
        let devices = registry.get()?.0.devices(&user)?;
        give(result, view, |tree| view::devices(tree, devices));
        Ok(())
    })
}

/// Takes in what the server gave for needs, in any order and at any time.
///
/// @return TOO_MANY; BAD_STRUCT; the device's; the store's. What is wrong with one list or bundle is in the result's refusals.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_registry_apply(
    registry: sesame_registry,
    answers: *const sesame_answers,
    result: *mut sesame_result,
    applied: *mut *const sesame_applied,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, applied), {
        let (result, view) = (output!(result), output!(applied));
        // SAFETY: the caller keeps the header's contract on this struct.
        let answers = unsafe { view::read_answers(answers)? };
        let applied = registry.get()?.0.apply(&answers)?;
        give(result, view, |tree| view::applied(tree, applied));
        Ok(())
    })
}

/// The app has made sure that a user's changed account key, 32 bytes, is the user's; what was held is opened. The pinned key itself
/// dismisses the claim.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT when this key does not wait; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_registry_accept_identity(
    registry: sesame_registry,
    user: sesame_slice,
    account_key: sesame_slice,
    result: *mut sesame_result,
    received: *mut *const sesame_received_list,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, received), {
        let (result, view) = (output!(result), output!(received));
        let (user, key) = (user.user("user")?, account_key.exactly("account_key")?);
        let results = registry.get()?.0.accept_identity(&user, &sesame_core::ids::AccountKey(key))?;
        give(result, view, |tree| view::received_list(tree, results));
        Ok(())
    })
}

/// The app has compared safety numbers.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_registry_mark_verified(
    registry: sesame_registry,
    user: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let user = user.user("user")?;
        registry.get()?.0.mark_verified(&user)
    })
}

/// The app decides a fork: the newest list that was taken counts alone.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT when there is no fork; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_registry_resolve_fork(
    registry: sesame_registry,
    user: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let user = user.user("user")?;
        registry.get()?.0.resolve_fork(&user)
    })
}

/// 60 digits that both users see alike if they hold each other's account keys.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_registry_safety_number(
    registry: sesame_registry,
    user: sesame_slice,
    result: *mut sesame_result,
    number: *mut sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, number), {
        let (result, view) = (output!(result), output!(number));
        let user = user.user("user")?;
        let number = registry.get()?.0.safety_number(&user)?;
        give(result, view, |tree| tree.bytes(number.into_bytes()));
        Ok(())
    })
}
