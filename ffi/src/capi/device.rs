//! The functions of this device.

use super::{
    boundary::sesame_error,
    handle::*,
    input::{self, Output, sesame_slice},
    result::give,
    status::sesame_status,
    view::{self, *},
};
use crate::joined;
use sesame::Client;
use sesame_core::{
    error::{Code, Error},
    event::Rejection,
    ids::{ContentId, DeviceId, PublicationId, SendId},
    secret::Secret,
};
use std::sync::Arc;

/// The app's store key, exactly 32 bytes.
pub(super) fn store_key(slice: sesame_slice) -> Result<Secret<32>, Error> {
    let bytes: &[u8; 32] =
        slice.bytes("store_key")?.try_into().map_err(|_| Error::of(Code::InvalidArgument, "store_key"))?;
    Ok(Secret::init_with(|to| *to = *bytes))
}

fn send_id(slice: sesame_slice) -> Result<SendId, Error> {
    slice.exactly("send").map(SendId)
}

/// Makes a user's first device, its primary, with a new account key, in an empty store. `store_key` is 32 bytes that the app keeps in
/// its keychain; `user` is 1 to 64 bytes of UTF-8. The store may be freed afterwards.
///
/// @return FOREIGN_STORE when the store holds a device already; WRONG_KEY when it was sealed under another key; INVALID_ARGUMENT; the
/// store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_create(
    store: sesame_store,
    store_key: sesame_slice,
    user: sesame_slice,
    device: *mut sesame_device,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(device), {
        let device = output!(device);
        let client = Client::create(store.get()?.0.clone(), self::store_key(store_key)?, &user.user("user")?)?;
        device.put(sesame_device::new(client));
        Ok(())
    })
}

/// Opens the device in a store. The store may be freed afterwards.
///
/// @return FOREIGN_STORE when no device is in it; WRONG_KEY; RECORD_CORRUPT; NEWER_FORMAT; INVALID_ARGUMENT; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_open(
    store: sesame_store,
    store_key: sesame_slice,
    device: *mut sesame_device,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(device), {
        let device = output!(device);
        device.put(sesame_device::new(Client::open(store.get()?.0.clone(), self::store_key(store_key)?)?));
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

/// What to upload next, or NULL when nothing is due; ask again after `sesame_device_published`. `left` is how many one-time prekeys the
/// server still has, or NULL when that is not known.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_publication(
    device: sesame_device,
    left: *const u32,
    result: *mut sesame_result,
    publication: *mut *const sesame_publication,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, publication), {
        let (result, view) = (output!(result), output!(publication));
        let left_count = usize::from(!left.is_null());
        let left = array!(left, left_count).first().copied();
        let upload = device.get()?.publication(left)?;
        give(result, view, |tree| match upload {
            Some(upload) => view::publication(tree, upload),
            None => core::ptr::null(),
        });
        Ok(())
    })
}

/// The server has taken an upload, which `publication`, 16 bytes, names.
///
/// @return INVALID_ARGUMENT when no such upload waits; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_published(
    device: sesame_device,
    publication: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let id = publication.exactly("publication")?;
        device.get()?.published(&PublicationId(id))
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

/// Encrypts for every device of every recipient, and a transcript for the user's own other devices. `content_id` is 16 bytes of the app's
/// own, or empty for one that the library makes. Each batch of the send goes to the server whole; then
/// `sesame_device_accepted` or `sesame_device_rejected`. At most 98,303 bytes of payload.
///
/// @return EMPTY_BATCH without a recipient; TOO_MANY; TOO_LARGE when the payload fits no step of the padding; NOT_LISTED when this device
/// is not on its own user's list; INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_batch_encrypt(
    device: sesame_device,
    recipients: *const sesame_slice,
    recipient_count: usize,
    payload: sesame_slice,
    content_id: sesame_slice,
    result: *mut sesame_result,
    send: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, send), {
        let (result, view) = (output!(result), output!(send));
        let users = input::users(array!(recipients, recipient_count), "recipients")?;
        let (payload, content_id) = (payload.bytes("payload")?, content_id.optional("content_id")?);
        let send = device.get()?.batch_encrypt(&users, payload, content_id.map(ContentId))?;
        give(result, view, |tree| view::send(tree, send));
        Ok(())
    })
}

/// Makes a group of this user and `users`, whose account keys must be known: bring their device lists with `sesame_registry_apply` first.
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

/// The server has taken a user's batch whole. `send` is the send's id, 16 bytes.
///
/// @return INVALID_ARGUMENT; the device's; the store's. A send that is settled already is no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_accepted(
    device: sesame_device,
    send: sesame_slice,
    user: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let (id, user) = (send_id(send)?, user.user("user")?);
        device.get()?.accepted(&id, &user)
    })
}

fn rejected(
    device: &Arc<Client>,
    (send, user): (sesame_slice, sesame_slice),
    rejection: &Rejection,
    (result, view): (Output<sesame_result>, Output<*const sesame_send>),
) -> Result<(), Error> {
    let (id, user) = (send_id(send)?, user.user("user")?);
    let send = device.rejected(&id, &user, rejection)?;
    give(result, view, |tree| view::send(tree, send));
    Ok(())
}

/// The server has refused a user's batch whole, with the user's signed device list. The send is given again, with what is needed now.
///
/// @return INVALID_ARGUMENT when no such part is open; WRONG_USER, BAD_SIGNATURE and what else is wrong with the list (2xx and 3xx); the
/// device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_rejected(
    device: sesame_device,
    send: sesame_slice,
    user: sesame_slice,
    device_list: sesame_slice,
    result: *mut sesame_result,
    again: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, again), {
        let (result, view) = (output!(result), output!(again));
        let rejection = Rejection::Mismatch { device_list: device_list.bytes("device_list")?.to_vec() };
        rejected(&device.get()?, (send, user), &rejection, (result, view))
    })
}

/// The server does not know a user.
///
/// @return INVALID_ARGUMENT when no such part is open; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_no_such_user(
    device: sesame_device,
    send: sesame_slice,
    user: sesame_slice,
    result: *mut sesame_result,
    again: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, again), {
        let (result, view) = (output!(result), output!(again));
        rejected(&device.get()?, (send, user), &Rejection::NoSuchUser, (result, view))
    })
}

/// Gives a user's part of a send up.
///
/// @return INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_abandon(
    device: sesame_device,
    send: sesame_slice,
    user: sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let (id, user) = (send_id(send)?, user.user("user")?);
        device.get()?.abandon(&id, &user)
    })
}

/// One send as it stands, or NULL when it is settled.
///
/// @return INVALID_ARGUMENT; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_pending(
    device: sesame_device,
    send: sesame_slice,
    result: *mut sesame_result,
    pending: *mut *const sesame_send,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, pending), {
        let (result, view) = (output!(result), output!(pending));
        let id = send_id(send)?;
        let send = device.get()?.pending(&id)?;
        give(result, view, |tree| match send {
            Some(send) => view::send(tree, send),
            None => core::ptr::null(),
        });
        Ok(())
    })
}

/// Every send that is not settled, oldest first, with the same bytes as before.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_outbox(
    device: sesame_device,
    result: *mut sesame_result,
    sends: *mut *const sesame_sends,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, sends), {
        let (result, view) = (output!(result), output!(sends));
        let sends = device.get()?.outbox()?;
        give(result, view, |tree| view::sends(tree, sends));
        Ok(())
    })
}

/// Opens the envelopes of a fetched mailbox, in any order, and says of each what came of it: one bad envelope hinders no other. Confirm
/// them to the server after this has returned.
///
/// @return EMPTY_BATCH; TOO_MANY beyond 4,096 envelopes; the device's; the store's. What is wrong with one envelope is in its item.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_batch_decrypt(
    device: sesame_device,
    envelopes: *const sesame_slice,
    envelope_count: usize,
    result: *mut sesame_result,
    received: *mut *const sesame_received_list,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, received), {
        let (result, view) = (output!(result), output!(received));
        let envelopes = input::byte_strings(array!(envelopes, envelope_count), "envelopes")?;
        let results = device.get()?.batch_decrypt(&envelopes)?;
        give(result, view, |tree| view::received_list(tree, results));
        Ok(())
    })
}

/// Everything that was received and not acked, oldest first.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_inbox(
    device: sesame_device,
    result: *mut sesame_result,
    inbox: *mut *const sesame_received_list,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, inbox), {
        let (result, view) = (output!(result), output!(inbox));
        let rows = device.get()?.inbox()?;
        give(result, view, |tree| view::inbox(tree, rows));
        Ok(())
    })
}

/// The app has these items safe; they are deleted here.
///
/// @return the device's; the store's. An id that is not in the inbox is passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_ack(
    device: sesame_device,
    ids: *const u64,
    id_count: usize,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, {
        let ids = array!(ids, id_count);
        device.get()?.ack(ids)
    })
}

/// Housekeeping, about once a day; with `mailbox_empty` when the mailbox has just been fetched to its end.
///
/// @return the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_tick(
    device: sesame_device,
    mailbox_empty: bool,
    result: *mut sesame_result,
    events: *mut *const sesame_events,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, events), {
        let (result, view) = (output!(result), output!(events));
        let events = device.get()?.tick(mailbox_empty)?;
        give(result, view, |tree| view::events(tree, events));
        Ok(())
    })
}

/// On the primary: reads the code that a new device shows, text in UTF-8, and gives the answer for it. Publish afterwards.
///
/// @return NOT_PRIMARY; LINK_MALFORMED, LINK_EXPIRED, LINK_USED or LINK_CLOCK for the code; TOO_MANY_DEVICES beyond 32; what is wrong with the
/// keys in the code (2xx, 303); the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_confirm_link(
    device: sesame_device,
    code: sesame_slice,
    result: *mut sesame_result,
    answer: *mut sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, answer), {
        let (result, view) = (output!(result), output!(answer));
        let code = code.text("code")?;
        let answer = joined::link(&*device.get()?, code)?;
        give(result, view, |tree| tree.bytes(answer));
        Ok(())
    })
}

/// On the primary: takes a device off the list. Publish afterwards.
///
/// @return NOT_PRIMARY; NOT_LISTED; INVALID_ARGUMENT for the primary itself; the device's; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_remove_device(
    device: sesame_device,
    removed: u32,
    result: *mut sesame_result,
    events: *mut *const sesame_events,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, events), {
        let (result, view) = (output!(result), output!(events));
        let events = device.get()?.remove_device(DeviceId(removed))?;
        give(result, view, |tree| view::events(tree, events));
        Ok(())
    })
}

/// Takes the device up from its store again, after a call that gave `SESAME_STATUS_INTERNAL` or `SESAME_STATUS_POISONED`.
///
/// @return as `sesame_device_open`; CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_reload(device: sesame_device, error: *mut sesame_error) -> sesame_status {
    enter!(error, { device.get()?.reload() })
}

/// Wipes the keys from memory; every later call over this device gives `SESAME_STATUS_CLOSED`.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_device_wipe(device: sesame_device, error: *mut sesame_error) -> sesame_status {
    enter!(error, { device.get()?.close() })
}
