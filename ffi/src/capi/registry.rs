//! The functions of the device registry.

use super::{
    boundary::sesame_error,
    handle::*,
    input::{self, sesame_slice},
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

/// Asks the server for the device lists of these users, at most 100, so that they are known: the next requests do.
///
/// @return TOO_MANY; INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_registry_look_up(
    registry: sesame_registry,
    users: *const sesame_slice,
    user_count: usize,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let users = input::users(array!(users, user_count), "users")?;
        registry.get()?.0.look_up(&users)
    })
}

/// Forgets a user: pin, list, sessions, what is held and what is being sent. A later message begins anew.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT for our own user; ALREADY_MEMBER while both are members of a group; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_registry_forget(
    registry: sesame_registry,
    user: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let user = user.user("user")?;
        registry.get()?.0.forget(&user)
    })
}

/// The app has made sure that a user's changed account key, 32 bytes, is the user's; what was held is opened and goes to the inbox. The
/// pinned key itself dismisses the claim.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT when this key does not wait; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_registry_accept_identity(
    registry: sesame_registry,
    user: sesame_slice,
    account_key: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let (user, key) = (user.user("user")?, account_key.exactly("account_key")?);
        registry.get()?.0.accept_identity(&user, &sesame_core::ids::AccountKey(key))
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

/// The app decides a fork: the branch with the list of this hash, 32 bytes, is followed, and the other one raises nothing again.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT when there is no fork, or neither list has this hash; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_registry_resolve_fork(
    registry: sesame_registry,
    user: sesame_slice,
    hash: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let (user, hash) = (user.user("user")?, hash.exactly("hash")?);
        registry.get()?.0.resolve_fork(&user, &sesame_core::ids::ListHash(hash))
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

/// The safety number as text for a QR code.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_registry_safety_code(
    registry: sesame_registry,
    user: sesame_slice,
    result: *mut sesame_result,
    code: *mut sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, code), {
        let (result, view) = (output!(result), output!(code));
        let user = user.user("user")?;
        let code = registry.get()?.0.safety_code(&user)?;
        give(result, view, |tree| tree.bytes(code.into_bytes()));
        Ok(())
    })
}

/// Whether a code that was read from the user's screen shows that both hold each other's account keys.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT for text that is no such code; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_registry_compare_safety_code(
    registry: sesame_registry,
    user: sesame_slice,
    code: sesame_slice,
    is_same: *mut bool,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(is_same), {
        let is_same = output!(is_same);
        let (user, code) = (user.user("user")?, code.text("code")?);
        is_same.put(registry.get()?.0.compare_safety_code(&user, code)?);
        Ok(())
    })
}
