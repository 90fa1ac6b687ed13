//! Users, devices and sessions, as this device knows them.

use super::{
    super::{input::sesame_slice, status::sesame_status, tree::Tree},
    event::{event, sesame_event},
};
use sesame_core::event::{Applied, DeviceState, DeviceView, SessionView, UserView};

/// Something in the answers that was not taken.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_refusal {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// `device_lists` or `bundles`.
    pub field: sesame_slice,
    /// Which one, from 0.
    pub item: usize,
    /// Why.
    pub reason: sesame_status,
}

/// What came of the answers.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_applied {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// What the app should know.
    pub events: *const *const sesame_event,
    /// How many.
    pub event_count: usize,
    /// What was refused.
    pub refusals: *const *const sesame_refusal,
    /// How many.
    pub refusal_count: usize,
}

/// A user, as this device knows it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_user_view {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// The user.
    pub user: sesame_slice,
    /// The pinned account key, 32 bytes.
    pub account_key: sesame_slice,
    /// Another account key that waits for `sesame_registry_accept_identity`, 32 bytes; or absent.
    pub claimed_key: sesame_slice,
    /// Whether the app compared safety numbers.
    pub verified: bool,
    /// Whether two signed lists contradict each other.
    pub forked: bool,
    /// Whether the server said that there is no such user.
    pub paused: bool,
    /// The epoch of the newest device list, or 0.
    pub epoch: u64,
}

/// Users.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_users {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// The users.
    pub items: *const *const sesame_user_view,
    /// How many.
    pub count: usize,
}

/// How a device stands with this one.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum sesame_device_state {
    /// Listed, with a usable session.
    Active = 1,
    /// Listed; the next send initiates.
    NoSession = 2,
    /// No longer listed; kept for late messages.
    Stale = 3,
}

/// A device, as this device knows it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_device_view {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// The DeviceID.
    pub device: u32,
    /// Active, no session, or stale.
    pub state: sesame_device_state,
    /// Ed25519, 32 bytes.
    pub signing_key: sesame_slice,
    /// X25519, 32 bytes.
    pub identity_key: sesame_slice,
    /// The active session, 32 bytes; or absent.
    pub session_id: sesame_slice,
}

/// Devices, rising by id.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_devices {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// The devices.
    pub items: *const *const sesame_device_view,
    /// How many.
    pub count: usize,
}

/// A session, as this device knows it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_session_view {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// Equal on both sides, 32 bytes.
    pub id: sesame_slice,
    /// Its place in the order.
    pub generation: u64,
    /// Whether no answer has come yet.
    pub initiating: bool,
    /// Messages that this device has sent to that one.
    pub sent: u64,
    /// Messages accepted on this session.
    pub received: u64,
    /// Other sessions that are kept for late messages.
    pub inactive: usize,
}

/// What came of answers, kept in the tree.
pub(in super::super) fn applied(tree: &mut Tree, applied: Applied) -> *const sesame_applied {
    let (events, event_count) = tree.map(applied.events, event);
    let (refusals, refusal_count) = tree.map(applied.refusals, |tree, refusal| sesame_refusal {
        struct_size: size_of::<sesame_refusal>(),
        field: tree.copy(refusal.field.as_bytes()),
        item: refusal.item,
        reason: refusal.code.into(),
    });
    let struct_size = size_of::<sesame_applied>();
    tree.one(sesame_applied { struct_size, events, event_count, refusals, refusal_count })
}

/// Users, kept in the tree.
pub(in super::super) fn users(tree: &mut Tree, users: Vec<UserView>) -> *const sesame_users {
    let (items, count) = tree.map(users, |tree, user| sesame_user_view {
        struct_size: size_of::<sesame_user_view>(),
        user: tree.user(&user.user),
        account_key: tree.copy(&user.account_key.0),
        claimed_key: tree.maybe(user.claimed_key.as_ref().map(|key| &key.0[..])),
        verified: user.verified,
        forked: user.forked,
        paused: user.paused,
        epoch: user.epoch,
    });
    tree.one(sesame_users { struct_size: size_of::<sesame_users>(), items, count })
}

/// Devices, kept in the tree.
pub(in super::super) fn devices(tree: &mut Tree, devices: Vec<DeviceView>) -> *const sesame_devices {
    let (items, count) = tree.map(devices, |tree, device| sesame_device_view {
        struct_size: size_of::<sesame_device_view>(),
        device: device.device.0,
        state: match device.state {
            DeviceState::Active => sesame_device_state::Active,
            DeviceState::NoSession => sesame_device_state::NoSession,
            DeviceState::Stale => sesame_device_state::Stale,
        },
        signing_key: tree.copy(&device.signing_key),
        identity_key: tree.copy(&device.identity_key),
        session_id: tree.maybe(device.session.as_ref().map(|id| &id.0[..])),
    });
    tree.one(sesame_devices { struct_size: size_of::<sesame_devices>(), items, count })
}

/// A session, kept in the tree; NULL for none.
pub(in super::super) fn session(tree: &mut Tree, session: Option<SessionView>) -> *const sesame_session_view {
    let Some(session) = session else { return core::ptr::null() };
    let view = sesame_session_view {
        struct_size: size_of::<sesame_session_view>(),
        id: tree.copy(&session.id.0),
        generation: session.generation,
        initiating: session.initiating,
        sent: session.sent,
        received: session.received,
        inactive: session.inactive,
    };
    tree.one(view)
}
