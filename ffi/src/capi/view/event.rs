//! Events.

use super::super::{input::sesame_slice, tree::Tree};
use sesame_core::event::Event;

/// What happened.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum sesame_event_kind {
    /// An event that this version of the header has no name for.
    Other = 0,
    /// A newer signed device list of `user` was taken: `added`, `removed`.
    DeviceListChanged = 1,
    /// Two signed lists of `user` contradict each other, `known` and `other` (absent when only a claim of it was seen); sends go only to
    /// devices on both.
    DeviceListFork = 2,
    /// A list of `user` jumped so far that its ancestry could not be checked.
    DeviceListGap = 3,
    /// The newest list of `user` is older than 35 days.
    DeviceListOld = 4,
    /// An older list of `user` than the known one was offered and refused: `epoch`.
    DeviceListRollback = 5,
    /// Messages of `device` of `user` are missing, in `group` or, where that is absent, direct ones: `first` to `last`.
    Gap = 6,
    /// `user` on `device` added `users` to `group`.
    GroupAdded = 7,
    /// `device` of `user` has other operations of `group` than this one: call `sesame_device_tick`, and submit what is in the outbox then.
    GroupDiverged = 8,
    /// `device` of `user` told members of `group` different things.
    GroupEquivocation = 9,
    /// This user, who had left `group`, is asked back by `user` on `device`.
    GroupInvited = 10,
    /// This user is a member of `group` now, by the word of `user` on `device`.
    GroupJoined = 11,
    /// `user` has left `group`, on `device`.
    GroupLeft = 12,
    /// `users` are no members of `group` after all: who added them had left.
    GroupRevoked = 13,
    /// `user` on `device` changed the info of `group`, by `operation`.
    GroupUpdated = 14,
    /// What was held for `user` was dropped for age or size.
    HeldDropped = 15,
    /// A bundle of `device` of `user` was older than 14 days: the device may be idle.
    IdleDevice = 16,
    /// Another account key, `claimed`, claims `user`, for whom `pinned` was known; sending is blocked and what arrives is held until
    /// `sesame_registry_accept_identity`. `was_verified` says whether the app had verified the pinned one.
    IdentityChanged = 17,
    /// The server refused a batch for `user` and showed no newer list.
    ServerInconsistent = 18,
    /// A session was begun by `device` of `user`: `session_id`.
    SessionStarted = 19,
}

/// Something that the app should know. Its kind says which fields are set; the others are zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_event {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// What happened.
    pub kind: sesame_event_kind,
    /// Which device.
    pub device: u32,
    /// Who.
    pub user: sesame_slice,
    /// In which group, 32 bytes.
    pub group: sesame_slice,
    /// Users that it is about.
    pub users: *const sesame_slice,
    /// How many.
    pub user_count: usize,
    /// Devices that are new on a list.
    pub added: *const u32,
    /// How many.
    pub added_count: usize,
    /// Devices that are no longer on a list.
    pub removed: *const u32,
    /// How many.
    pub removed_count: usize,
    /// The signed list that was known.
    pub known: sesame_slice,
    /// The signed list that contradicts it.
    pub other: sesame_slice,
    /// The epoch that was offered.
    pub epoch: u64,
    /// The first missing sequence number.
    pub first: u64,
    /// The last missing sequence number.
    pub last: u64,
    /// Equal on both sides, 32 bytes.
    pub session_id: sesame_slice,
    /// The operation that did it, 32 bytes.
    pub operation: sesame_slice,
    /// The account key that was pinned, 32 bytes.
    pub pinned: sesame_slice,
    /// The account key that claims the user, 32 bytes.
    pub claimed: sesame_slice,
    /// Whether the app had verified the pinned key.
    pub was_verified: bool,
}

impl sesame_event {
    const NOTHING: Self = Self {
        struct_size: size_of::<Self>(),
        kind: sesame_event_kind::Other,
        device: 0,
        user: sesame_slice::NONE,
        group: sesame_slice::NONE,
        users: core::ptr::null(),
        user_count: 0,
        added: core::ptr::null(),
        added_count: 0,
        removed: core::ptr::null(),
        removed_count: 0,
        known: sesame_slice::NONE,
        other: sesame_slice::NONE,
        epoch: 0,
        first: 0,
        last: 0,
        session_id: sesame_slice::NONE,
        operation: sesame_slice::NONE,
        pinned: sesame_slice::NONE,
        claimed: sesame_slice::NONE,
        was_verified: false,
    };
}

/// An event, kept in the tree.
#[allow(clippy::too_many_lines)]
pub(in super::super) fn event(tree: &mut Tree, event: Event) -> sesame_event {
    use sesame_event_kind as K;
    let nothing = sesame_event::NOTHING;
    match event {
        Event::DeviceListChanged { user, added, removed } => {
            let (kind, user) = (K::DeviceListChanged, tree.user(&user));
            let ((added, added_count), (removed, removed_count)) = (tree.devices(&added), tree.devices(&removed));
            sesame_event { kind, user, added, added_count, removed, removed_count, ..nothing }
        }
        Event::DeviceListFork { user, known, other } => {
            let other = if other.is_empty() { sesame_slice::NONE } else { tree.bytes(other) };
            sesame_event { kind: K::DeviceListFork, user: tree.user(&user), known: tree.bytes(known), other, ..nothing }
        }
        Event::DeviceListGap { user } => sesame_event { kind: K::DeviceListGap, user: tree.user(&user), ..nothing },
        Event::DeviceListOld { user } => sesame_event { kind: K::DeviceListOld, user: tree.user(&user), ..nothing },
        Event::DeviceListRollback { user, epoch } => {
            sesame_event { kind: K::DeviceListRollback, user: tree.user(&user), epoch, ..nothing }
        }
        Event::Gap { user, device, group, first, last } => sesame_event {
            kind: K::Gap,
            user: tree.user(&user),
            device: device.0,
            group: tree.maybe(group.as_ref().map(|group| &group.0[..])),
            first,
            last,
            ..nothing
        },
        Event::GroupAdded { group, user, device, added } => {
            let (users, user_count) = tree.users(&added);
            let (group, user) = (tree.copy(&group.0), tree.user(&user));
            sesame_event { kind: K::GroupAdded, user, device: device.0, group, users, user_count, ..nothing }
        }
        Event::GroupDiverged { group, user, device } => {
            let (group, user) = (tree.copy(&group.0), tree.user(&user));
            sesame_event { kind: K::GroupDiverged, user, device: device.0, group, ..nothing }
        }
        Event::GroupEquivocation { group, user, device } => {
            let (group, user) = (tree.copy(&group.0), tree.user(&user));
            sesame_event { kind: K::GroupEquivocation, user, device: device.0, group, ..nothing }
        }
        Event::GroupInvited { group, user, device } => {
            let (group, user) = (tree.copy(&group.0), tree.user(&user));
            sesame_event { kind: K::GroupInvited, user, device: device.0, group, ..nothing }
        }
        Event::GroupJoined { group, user, device } => {
            let (group, user) = (tree.copy(&group.0), tree.user(&user));
            sesame_event { kind: K::GroupJoined, user, device: device.0, group, ..nothing }
        }
        Event::GroupLeft { group, user, device } => {
            let (group, user) = (tree.copy(&group.0), tree.user(&user));
            sesame_event { kind: K::GroupLeft, user, device: device.0, group, ..nothing }
        }
        Event::GroupRevoked { group, users } => {
            let (group, (users, user_count)) = (tree.copy(&group.0), tree.users(&users));
            sesame_event { kind: K::GroupRevoked, group, users, user_count, ..nothing }
        }
        Event::GroupUpdated { group, user, device, operation } => {
            let (group, user, operation) = (tree.copy(&group.0), tree.user(&user), tree.copy(&operation.0));
            sesame_event { kind: K::GroupUpdated, user, device: device.0, group, operation, ..nothing }
        }
        Event::HeldDropped { user } => sesame_event { kind: K::HeldDropped, user: tree.user(&user), ..nothing },
        Event::IdleDevice { user, device } => {
            sesame_event { kind: K::IdleDevice, user: tree.user(&user), device: device.0, ..nothing }
        }
        Event::IdentityChanged { user, pinned, claimed, was_verified } => {
            let (user, pinned, claimed) = (tree.user(&user), tree.copy(&pinned.0), tree.copy(&claimed.0));
            sesame_event { kind: K::IdentityChanged, user, pinned, claimed, was_verified, ..nothing }
        }
        Event::ServerInconsistent { user } => {
            sesame_event { kind: K::ServerInconsistent, user: tree.user(&user), ..nothing }
        }
        Event::SessionStarted { user, device, session_id } => {
            let (user, session_id) = (tree.user(&user), tree.copy(&session_id.0));
            sesame_event { kind: K::SessionStarted, user, device: device.0, session_id, ..nothing }
        }
        _ => nothing,
    }
}

/// Events, in order.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_events {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// The events.
    pub items: *const *const sesame_event,
    /// How many.
    pub count: usize,
}

/// Events, kept in the tree.
pub(in super::super) fn events(tree: &mut Tree, events: Vec<Event>) -> *const sesame_events {
    let (items, count) = tree.map(events, event);
    tree.one(sesame_events { struct_size: size_of::<sesame_events>(), items, count })
}
