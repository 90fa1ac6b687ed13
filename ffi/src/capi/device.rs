//! The functions of this device: how it comes to be, its handles, the other devices of its user.

use super::{
    boundary::sesame_error,
    handle::*,
    input::{self, sesame_slice},
    result::give,
    status::sesame_status,
    view::{self, *},
};
use crate::host::server as server_of;
use sesame::{Client, Host};
use sesame_core::{
    error::{Code, Error},
    ids::{DeviceId, HandoverId, LinkId},
    secret::Secret,
};

/// The app's store key, exactly 32 bytes.
pub(super) fn store_key(slice: sesame_slice) -> Result<Secret<32>, Error> {
    let bytes: &[u8; 32] =
        slice.bytes("store_key")?.try_into().map_err(|_| Error::of(Code::InvalidArgument, "store_key"))?;
    Ok(Secret::init_with(|to| *to = *bytes))
}

/// What a device stands on.
pub(super) fn host(store: sesame_store, store_key: sesame_slice, clock: sesame_clock) -> Result<Host, Error> {
    Ok(Host::new(store.get()?.0.clone(), self::store_key(store_key)?).with_clock(clock.or_system()?))
}

/// Makes a user's first device, its primary, with a new account key, in an empty store. `store_key` is 32 bytes that the app keeps in
/// its keychain; `user` is 1 to 64 bytes of UTF-8; `server` is the name of the server, 1 to 255 bytes of UTF-8, which requests are signed
/// for; `token` is what the server asks of a new user, or empty. `clock` is {0} for the system's. The store may be freed afterwards.
///
/// @return FOREIGN_STORE when the store holds a device already; WRONG_KEY when it was sealed under another key; INVALID_ARGUMENT; the
/// store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_create(
    store: sesame_store,
    store_key: sesame_slice,
    user: sesame_slice,
    server: sesame_slice,
    token: sesame_slice,
    clock: sesame_clock,
    device: *mut sesame_device,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(device), {
        let device = output!(device);
        let server = server_of(server.text("server")?, token.bytes("token")?)?;
        let (host, user) = (host(store, store_key, clock)?, user.user("user")?);
        device.put(sesame_device::new(Client::create(host, &user, &server)?));
        Ok(())
    })
}

/// Opens the device in a store. `clock` is {0} for the system's. The store may be freed afterwards.
///
/// @return FOREIGN_STORE when no device is in it; WRONG_KEY; RECORD_CORRUPT; NEWER_FORMAT; INVALID_ARGUMENT; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_open(
    store: sesame_store,
    store_key: sesame_slice,
    clock: sesame_clock,
    device: *mut sesame_device,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(device), {
        let device = output!(device);
        device.put(sesame_device::new(Client::open(host(store, store_key, clock)?)?));
        Ok(())
    })
}

/// Frees the handle. The device's keys are wiped once its registries, sessions and groups are freed as well; `sesame_device_wipe` does
/// it at once. 0 is passed over.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_free(device: sesame_device) -> sesame_status {
    enter!(core::ptr::null_mut(), { device.free() })
}

/// The user that this device belongs to, 1 to 64 bytes of UTF-8.
///
/// @return the device's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_user(
    device: sesame_device,
    result: *mut sesame_result,
    user: *mut sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, user), {
        let (result, view) = (output!(result), output!(user));
        let user = device.get()?.call(|device, _| Ok(device.user().clone()))?;
        give(result, view, |tree| tree.user(&user));
        Ok(())
    })
}

/// This device's id, unique within its user.
///
/// @return the device's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_id(
    device: sesame_device,
    id: *mut u32,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(id), {
        let id = output!(id);
        id.put(device.get()?.call(|device, _| Ok(device.id().0))?);
        Ok(())
    })
}

/// Users and their devices. Free it with `sesame_registry_free`.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_registry(
    device: sesame_device,
    registry: *mut sesame_registry,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(registry), {
        let registry = output!(registry);
        registry.put(sesame_registry::new(RegistryObject(device.get()?)));
        Ok(())
    })
}

/// The session with one device. Free it with `sesame_session_free`.
///
/// @return INVALID_ARGUMENT for a user that cannot be one; BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_session(
    device: sesame_device,
    user: sesame_slice,
    with_device: u32,
    session: *mut sesame_session,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(session), {
        let session = output!(session);
        let (client, user) = (device.get()?, user.user("user")?);
        session.put(sesame_session::new(SessionObject { client, user, device: DeviceId(with_device) }));
        Ok(())
    })
}

/// Makes a group of this user and `users`, who must be known: `sesame_registry_look_up` asks the server for those who are not.
/// `kind` is a `sesame_group_kind`. Free the group with `sesame_group_free`.
///
/// @return UNKNOWN_USER or IDENTITY_NOT_ACCEPTED, with the user's place; TOO_MANY beyond 1,000 members; UNKNOWN_GROUP_KIND;
/// INVALID_ARGUMENT for info outside its bounds; as `sesame_device_batch_encrypt`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_create_group(
    device: sesame_device,
    kind: u32,
    change: *const sesame_group_change,
    users: *const sesame_slice,
    user_count: usize,
    group: *mut sesame_group,
    result: *mut sesame_result,
    send: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(group, result, send), {
        let (group, result, view) = (output!(group), output!(result), output!(send));
        // SAFETY: the caller keeps the header's contract on this struct.
        let (kind, info) = (view::read_kind(kind)?, unsafe { view::read_change(change)? });
        let users = input::users(array!(users, user_count), "users")?;
        let client = device.get()?;
        let (made, send) = client.create_group(kind, &info, &users)?;
        let id = made.id();
        give(result, view, |tree| view::send(tree, send));
        group.put(sesame_group::new(GroupObject { client, id }));
        Ok(())
    })
}

/// The group with this id, 32 bytes. Free it with `sesame_group_free`.
///
/// @return UNKNOWN_GROUP; INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_group(
    device: sesame_device,
    id: sesame_slice,
    group: *mut sesame_group,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(group), {
        let group = output!(group);
        let (client, id) = (device.get()?, sesame_core::ids::GroupId(id.exactly("group")?));
        client.group(&id).map(drop)?;
        group.put(sesame_group::new(GroupObject { client, id }));
        Ok(())
    })
}

/// Every group that this device knows, those that its user has left included.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_groups(
    device: sesame_device,
    result: *mut sesame_result,
    groups: *mut *const sesame_groups,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, groups), {
        let (result, view) = (output!(result), output!(groups));
        let groups = device.get()?.groups()?;
        give(result, view, |tree| view::groups(tree, groups));
        Ok(())
    })
}

/// On the primary: reads the code that a new device shows, text in UTF-8. Nothing is signed yet: show the digits, and call
/// `sesame_device_confirm_link` once the user has seen the same ones on the new device.
///
/// @return NOT_PRIMARY; LINK_MALFORMED, LINK_EXPIRED, LINK_USED or LINK_CLOCK for the code; TOO_MANY beyond 4 links at once;
/// TOO_MANY_OWN_DEVICES beyond 32; what is wrong with the keys in the code (2xx, 303); the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_link_device(
    device: sesame_device,
    code: sesame_slice,
    result: *mut sesame_result,
    link: *mut *const sesame_pending_link,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, link), {
        let (result, view) = (output!(result), output!(link));
        let code = code.text("code")?;
        let link = device.get()?.link_device(code)?;
        give(result, view, |tree| view::pending_link(tree, link));
        Ok(())
    })
}

/// The user has seen the same digits on both devices: the new device is put on the list. `link` is the link's id, 16 bytes; `linked` is the
/// new device's.
///
/// @return LINK_EXPIRED, also for a link that is not known; LINK_USED for one that was cancelled; LINK_MISMATCH when somebody else's hello
/// lies at the server; NOT_PRIMARY; TOO_MANY_OWN_DEVICES; KEY_REUSE; INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_confirm_link(
    device: sesame_device,
    link: sesame_slice,
    linked: *mut u32,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(linked), {
        let linked = output!(linked);
        let id = link.exactly("link").map(LinkId)?;
        linked.put(device.get()?.confirm_link(&id)?.0);
        Ok(())
    })
}

/// Gives a link up, for example because the digits differ. Its code is never taken again. A link that is not known is no error.
///
/// @return LINK_USED when it was confirmed; INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_cancel_link(
    device: sesame_device,
    link: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let id = link.exactly("link").map(LinkId)?;
        device.get()?.cancel_link(&id)
    })
}

/// On the primary: offers its part, the account key, to another device on the list. Show the digits: the other device has them in the event
/// HANDOVER_OFFERED. The key goes out once the apps on both have called `sesame_device_confirm_handover`. The same call again gives the same
/// hand-over; a call for another device takes its place.
///
/// @return NOT_PRIMARY, also while the key is on its way to a device; UNKNOWN_DEVICE; INVALID_ARGUMENT for this device; OWN_LIST_NOT_ADOPTED; the
/// device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_hand_over(
    device: sesame_device,
    to: u32,
    result: *mut sesame_result,
    handover: *mut *const sesame_handover,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, handover), {
        let (result, view) = (output!(result), output!(handover));
        let offered = device.get()?.hand_over(DeviceId(to))?;
        give(result, view, |tree| view::handover(tree, offered));
        Ok(())
    })
}

/// The user has seen the same digits on both devices: each of the two apps says so. `handover` is the id of the hand-over, 16 bytes.
///
/// @return HANDOVER_ENDED for one that is not known, was cancelled, or is older than a day; INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_confirm_handover(
    device: sesame_device,
    handover: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let id = handover.exactly("handover").map(HandoverId)?;
        device.get()?.confirm_handover(&id)
    })
}

/// Gives a hand-over up, on either device. The primary goes on as it was. A hand-over that is not known is no error.
///
/// @return INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_cancel_handover(
    device: sesame_device,
    handover: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let id = handover.exactly("handover").map(HandoverId)?;
        device.get()?.cancel_handover(&id)
    })
}

/// On the primary: takes the list of this hash, 32 bytes, for its own, which the event OWN_LIST_AHEAD was about, and signs the next one on top of it.
///
/// @return NOT_PRIMARY; INVALID_ARGUMENT when no such list waits; DEVICE_REMOVED when it does not name this device; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_adopt_own_list(
    device: sesame_device,
    hash: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let hash = hash.exactly("hash").map(sesame_core::ids::ListHash)?;
        device.get()?.adopt_own_list(&hash)
    })
}

/// On the primary: takes a device off the list.
///
/// @return NOT_PRIMARY; UNKNOWN_DEVICE; INVALID_ARGUMENT for the primary itself; OWN_LIST_NOT_ADOPTED; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_remove_device(
    device: sesame_device,
    removed: u32,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, { device.get()?.remove_device(DeviceId(removed)) })
}

/// Whether this device holds the account key: it links and removes devices.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_is_primary(
    device: sesame_device,
    is_primary: *mut bool,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(is_primary), {
        let is_primary = output!(is_primary);
        is_primary.put(device.get()?.is_primary()?);
        Ok(())
    })
}

/// Wipes the keys from memory and lets go of the store; every later call over this device gives `SESAME_STATUS_CLOSED`. Doing it twice
/// does nothing.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_wipe(device: sesame_device, error: *mut sesame_error) -> sesame_status {
    enter!(error, { device.get()?.close() })
}
