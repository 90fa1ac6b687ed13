//! The functions of a group.

use super::{
    boundary::sesame_error,
    handle::*,
    input::{self, Output, sesame_slice},
    result::give,
    status::sesame_status,
    view::{self, *},
};
use sesame::Group;
use sesame_core::{
    error::Error,
    event::PendingSend,
    ids::{ContentId, DeviceId},
};

impl GroupObject {
    fn call<T>(&self, call: impl FnOnce(Group<'_>) -> Result<T, Error>) -> Result<T, Error> {
        call(self.client.known_group(self.id))
    }

    fn act(
        &self,
        (result, view): (Output<sesame_result>, Output<*const sesame_send>),
        act: impl FnOnce(Group<'_>) -> Result<PendingSend, Error>,
    ) -> Result<(), Error> {
        let send = self.call(act)?;
        give(result, view, |tree| view::send(tree, send));
        Ok(())
    }
}

/// Frees the handle. 0 is passed over.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_free(group: sesame_group) -> sesame_status {
    enter!(core::ptr::null_mut(), { group.free() })
}

/// GroupID, 32 bytes.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_id(
    group: sesame_group,
    id: *mut [u8; 32],
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(id), {
        let id = output!(id);
        id.put(group.get()?.id.0);
        Ok(())
    })
}

/// Members, info, and how this user stands.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_get_view(
    group: sesame_group,
    result: *mut sesame_result,
    view: *mut *const sesame_group_view,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, view), {
        let (result, view) = (output!(result), output!(view));
        let group = group.get()?.call(|group| group.view())?;
        give(result, view, |tree| view::group(tree, group));
        Ok(())
    })
}

/// Adds users, at most 200 at once. Their account keys must be known: `sesame_registry_look_up` asks the server for those who are not known. Who
/// has left before is asked, and is a member again when they accept.
///
/// @return NOT_A_MEMBER; GROUP_OVERFULL; EMPTY_BATCH; ALREADY_MEMBER, UNKNOWN_USER or IDENTITY_NOT_ACCEPTED, with the user's place; TOO_MANY;
/// TOO_MANY_OPERATIONS; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_add(
    group: sesame_group,
    users: *const sesame_slice,
    user_count: usize,
    result: *mut sesame_result,
    send: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, send), {
        let to = (output!(result), output!(send));
        let users = input::users(array!(users, user_count), "users")?;
        group.get()?.act(to, |group| group.add(&users))
    })
}

/// Adds a member anew under the account key that this device knows, after the member's identity has changed and the app has accepted it: the
/// group shows such a member among its `conflicts`. The former identity stays named, and each member goes by the key that they know.
///
/// @return NOT_A_MEMBER; GROUP_OVERFULL; UNKNOWN_USER; IDENTITY_NOT_ACCEPTED; INVALID_ARGUMENT if the user is no member under another key; TOO_MANY;
/// TOO_MANY_OPERATIONS; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_readmit(
    group: sesame_group,
    user: sesame_slice,
    result: *mut sesame_result,
    send: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, send), {
        let to = (output!(result), output!(send));
        let user = user.user("user")?;
        group.get()?.act(to, |group| group.readmit(&user))
    })
}

/// Changes name, description and the like; what is NULL stays.
///
/// @return NOT_A_MEMBER; GROUP_OVERFULL; INVALID_ARGUMENT for nothing, or for what is outside its bounds; TOO_MANY_OPERATIONS; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_update_info(
    group: sesame_group,
    change: *const sesame_group_change,
    result: *mut sesame_result,
    send: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, send), {
        let to = (output!(result), output!(send));
        // SAFETY: the caller keeps the header's contract on this struct.
        let change = unsafe { view::read_change(change)? };
        group.get()?.act(to, |group| group.update_info(&change))
    })
}

/// Changes the name, at most 256 bytes of UTF-8.
///
/// @return as `sesame_group_update_info`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_rename(
    group: sesame_group,
    name: sesame_slice,
    result: *mut sesame_result,
    send: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, send), {
        let to = (output!(result), output!(send));
        let name = name.text("name")?;
        group.get()?.act(to, |group| group.rename(name))
    })
}

/// Leaves. The others send this user nothing more there once they know.
///
/// @return NOT_A_MEMBER; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_leave(
    group: sesame_group,
    result: *mut sesame_result,
    send: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, send), {
        let to = (output!(result), output!(send));
        group.get()?.act(to, |group| group.leave())
    })
}

/// Says yes to an invitation: by somebody whom our user does not know, or to come back after a leave. What was held for the
/// group is in the inbox then.
///
/// @return NOT_INVITED; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_accept(
    group: sesame_group,
    result: *mut sesame_result,
    send: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, send), {
        let to = (output!(result), output!(send));
        group.get()?.act(to, |group| group.accept())
    })
}

/// Stays away, after an invitation. Who asked learns of it.
///
/// @return NOT_INVITED; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_decline(
    group: sesame_group,
    result: *mut sesame_result,
    send: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, send), {
        let to = (output!(result), output!(send));
        group.get()?.act(to, |group| group.decline())
    })
}

/// Makes a new group of the members but these, with the same info. The old group stays as it is, and nothing is said to those left out.
/// Free the new one with `sesame_group_free`.
///
/// @return NOT_A_MEMBER; INVALID_ARGUMENT when a user is none of the other members; as `sesame_device_create_group`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_fork_without(
    group: sesame_group,
    users: *const sesame_slice,
    user_count: usize,
    fork: *mut sesame_group,
    result: *mut sesame_result,
    send: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(fork, result, send), {
        let (fork, result, view) = (output!(fork), output!(result), output!(send));
        let users = input::users(array!(users, user_count), "users")?;
        let old = group.get()?;
        let (id, send) = old.call(|group| {
            let (fork, send) = group.fork_without(&users)?;
            Ok((fork.id(), send))
        })?;
        give(result, view, |tree| view::send(tree, send));
        fork.put(sesame_group::new(GroupObject { client: old.client.clone(), id }));
        Ok(())
    })
}

/// Sends to all members, and a transcript to the user's own other devices. `content_id` is 16 bytes of the app's own, or empty for one
/// that the library makes.
///
/// @return NOT_A_MEMBER; as `sesame_device_batch_encrypt`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_batch_encrypt(
    group: sesame_group,
    payload: sesame_slice,
    content_id: sesame_slice,
    result: *mut sesame_result,
    send: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, send), {
        let to = (output!(result), output!(send));
        let (payload, content_id) = (payload.bytes("payload")?, content_id.optional("content_id")?);
        group.get()?.act(to, |group| group.send(payload, content_id.map(ContentId)))
    })
}

/// The group's active session with a device, or NULL when the next send opens one.
///
/// @return UNKNOWN_USER when no such device is known; INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_session(
    group: sesame_group,
    user: sesame_slice,
    device: u32,
    result: *mut sesame_result,
    session: *mut *const sesame_session_view,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, session), {
        let (result, view) = (output!(result), output!(session));
        let user = user.user("user")?;
        let session = group.get()?.call(|group| group.session(&user, DeviceId(device)))?;
        give(result, view, |tree| view::session(tree, session));
        Ok(())
    })
}

/// Forgets a group that the user has left: its operations, its sessions, and what is held for it.
///
/// @return ALREADY_MEMBER while the user is a member; UNKNOWN_GROUP; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_forget(group: sesame_group, error: *mut sesame_error) -> sesame_status {
    enter!(error, {
        let object = group.get()?;
        object.client.known_group(object.id).forget()
    })
}

/// All operations, those that do not count included, in an order that is the same for all members.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_history(
    group: sesame_group,
    result: *mut sesame_result,
    history: *mut *const sesame_history,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, history), {
        let (result, view) = (output!(result), output!(history));
        let entries = group.get()?.call(|group| group.history())?;
        give(result, view, |tree| view::history(tree, entries));
        Ok(())
    })
}

/// What a message of `length` bytes will cost now.
///
/// @return PAYLOAD_TOO_LARGE; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_group_cost(
    group: sesame_group,
    length: usize,
    result: *mut sesame_result,
    cost: *mut *const sesame_cost,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, cost), {
        let (result, view) = (output!(result), output!(cost));
        let cost = group.get()?.call(|group| group.cost(length))?;
        give(result, view, |tree| view::cost(tree, cost));
        Ok(())
    })
}
