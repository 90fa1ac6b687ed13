//! Groups.

use super::super::{
    input::{Sized0, array, read, sesame_address, sesame_slice},
    tree::Tree,
};
use sesame_core::{
    error::{Code, Error},
    event::{Act, Cost, GroupChange, GroupView, HistoryEntry, Standing},
    ids::{GroupKind, UserId},
};

/// How a group's messages travel.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum sesame_group_kind {
    /// A ratchet for each pair of devices, apart from their direct one.
    Pairwise = 2,
}

/// How this user stands in a group.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum sesame_standing {
    /// Has left.
    Left = 1,
    /// Has left and is asked back.
    Invited = 2,
    /// A member.
    Member = 3,
}

/// New values for a group's info; what is NULL stays.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_group_change {
    /// The size of this struct.
    pub struct_size: usize,
    /// At most 256 bytes of UTF-8.
    pub name: *const sesame_slice,
    /// At most 2,048 bytes of UTF-8.
    pub description: *const sesame_slice,
    /// Where a picture is, as the app says; at most 1,024 bytes.
    pub picture: *const sesame_slice,
    /// After how many seconds messages should disappear; 0 for never.
    pub timer: *const u32,
    /// The app's own; at most 4,096 bytes.
    pub app_data: *const sesame_slice,
}

// SAFETY: repr(C), a usize first, pointers.
unsafe impl Sized0 for sesame_group_change {
    const FIRST: usize = size_of::<Self>();
}

/// A group, as this device knows it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_group_view {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// GroupID, 32 bytes.
    pub id: sesame_slice,
    /// How its messages travel.
    pub kind: sesame_group_kind,
    /// Member, invited back, or left.
    pub standing: sesame_standing,
    /// The members, rising.
    pub members: *const sesame_slice,
    /// How many.
    pub member_count: usize,
    /// At most 256 bytes of UTF-8.
    pub name: sesame_slice,
    /// At most 2,048 bytes of UTF-8.
    pub description: sesame_slice,
    /// At most 1,024 bytes.
    pub picture: sesame_slice,
    /// After how many seconds messages should disappear; 0 for never.
    pub timer: u32,
    /// At most 4,096 bytes.
    pub app_data: sesame_slice,
    /// Members' devices that had other operations when they were last heard.
    pub diverged: *const sesame_address,
    /// How many.
    pub diverged_count: usize,
}

/// Groups.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_groups {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// The groups.
    pub items: *const *const sesame_group_view,
    /// How many.
    pub count: usize,
}

/// What an operation did.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum sesame_act {
    /// Came back.
    Accepted = 1,
    /// Added `users`, or asked them back.
    Added = 2,
    /// Made the group, with `change`.
    Created = 3,
    /// Stayed away.
    Declined = 4,
    /// Left.
    Left = 5,
    /// Took a device of their own, `retired`, off the list.
    Retired = 6,
    /// Changed the info by `change`.
    Updated = 7,
}

/// One operation of a group.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_history_entry {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// 32 bytes.
    pub id: sesame_slice,
    /// Whose word it was; authenticated.
    pub user: sesame_slice,
    /// On which device.
    pub device: u32,
    /// What was done.
    pub act: sesame_act,
    /// Whom it added.
    pub users: *const sesame_slice,
    /// How many.
    pub user_count: usize,
    /// The device that was retired, or 0.
    pub retired: u32,
    /// What of the info it set, or NULL.
    pub change: *const sesame_group_change,
    /// Whether it counts.
    pub counts: bool,
}

/// All operations, in an order that is the same for all members.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_history {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// The operations.
    pub items: *const *const sesame_history_entry,
    /// How many.
    pub count: usize,
}

/// What a message to a group costs.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_cost {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// One for each device of each member, but for the sending one.
    pub envelopes: usize,
    /// On the wire.
    pub bytes: u64,
    /// Members whose device list is not here yet.
    pub unknown: *const sesame_slice,
    /// How many.
    pub unknown_count: usize,
}

/// A kind of the caller's.
pub(in super::super) fn read_kind(kind: u32) -> Result<GroupKind, Error> {
    let kind = u8::try_from(kind).ok().and_then(GroupKind::from_number);
    kind.ok_or(Error::of(Code::UnknownGroupKind, "kind"))
}

/// A change of the caller's.
///
/// # Safety
/// The header's contract on pointers.
pub(in super::super) unsafe fn read_change(from: *const sesame_group_change) -> Result<GroupChange, Error> {
    // SAFETY: by this function's contract, here and below.
    let change = unsafe { read(from, "change")? };
    let value = |at: *const sesame_slice, field| {
        // SAFETY: as above; NULL is no value.
        let slices = unsafe { array(at, usize::from(!at.is_null()), field)? };
        slices.first().map(|slice| slice.bytes(field).map(<[u8]>::to_vec)).transpose()
    };
    let text = |at, field| {
        let bytes: Option<Vec<u8>> = value(at, field)?;
        bytes.map(|b| String::from_utf8(b).map_err(|_| Error::of(Code::InvalidArgument, field))).transpose()
    };
    // SAFETY: as above.
    let timer = unsafe { array(change.timer, usize::from(!change.timer.is_null()), "change.timer")? };
    Ok(GroupChange {
        name: text(change.name, "change.name")?,
        description: text(change.description, "change.description")?,
        picture: value(change.picture, "change.picture")?,
        timer: timer.first().copied(),
        app_data: value(change.app_data, "change.app_data")?,
    })
}

fn change(tree: &mut Tree, change: GroupChange) -> *const sesame_group_change {
    let GroupChange { name, description, picture, timer, app_data } = change;
    let mut value = |bytes: Option<Vec<u8>>| {
        bytes.map_or(core::ptr::null(), |bytes| {
            let slice = tree.bytes(bytes);
            tree.one(slice)
        })
    };
    let (name, description) = (value(name.map(String::into_bytes)), value(description.map(String::into_bytes)));
    let (picture, app_data) = (value(picture), value(app_data));
    let timer = timer.map_or(core::ptr::null(), |timer| tree.one(timer));
    let struct_size = size_of::<sesame_group_change>();
    tree.one(sesame_group_change { struct_size, name, description, picture, timer, app_data })
}

fn one_group(tree: &mut Tree, group: GroupView) -> sesame_group_view {
    let members: Vec<UserId> = group.members.iter().map(|member| member.user.clone()).collect();
    let (members, member_count) = tree.users(&members);
    let (diverged, diverged_count) = tree.addresses(&group.diverged);
    sesame_group_view {
        struct_size: size_of::<sesame_group_view>(),
        id: tree.copy(&group.id.0),
        kind: match group.kind {
            GroupKind::Pairwise => sesame_group_kind::Pairwise,
        },
        standing: match group.standing {
            Standing::Left => sesame_standing::Left,
            Standing::Invited(_) => sesame_standing::Invited,
            Standing::Member => sesame_standing::Member,
        },
        members,
        member_count,
        name: tree.bytes(group.info.name.into_bytes()),
        description: tree.bytes(group.info.description.into_bytes()),
        picture: tree.bytes(group.info.picture),
        timer: group.info.timer,
        app_data: tree.bytes(group.info.app_data),
        diverged,
        diverged_count,
    }
}

/// A group, kept in the tree.
pub(in super::super) fn group(tree: &mut Tree, group: GroupView) -> *const sesame_group_view {
    let view = one_group(tree, group);
    tree.one(view)
}

/// Groups, kept in the tree.
pub(in super::super) fn groups(tree: &mut Tree, groups: Vec<GroupView>) -> *const sesame_groups {
    let (items, count) = tree.map(groups, one_group);
    tree.one(sesame_groups { struct_size: size_of::<sesame_groups>(), items, count })
}

fn entry(tree: &mut Tree, entry: HistoryEntry) -> sesame_history_entry {
    let nobody = (core::ptr::null(), 0);
    let (act, (users, user_count), retired, change) = match entry.act {
        Act::Accepted => (sesame_act::Accepted, nobody, 0, core::ptr::null()),
        Act::Added(users) => (sesame_act::Added, tree.users(&users), 0, core::ptr::null()),
        Act::Created(what) => (sesame_act::Created, nobody, 0, change(tree, what)),
        Act::Declined => (sesame_act::Declined, nobody, 0, core::ptr::null()),
        Act::Left => (sesame_act::Left, nobody, 0, core::ptr::null()),
        Act::Retired(device) => (sesame_act::Retired, nobody, device.0, core::ptr::null()),
        Act::Updated(what) => (sesame_act::Updated, nobody, 0, change(tree, what)),
    };
    sesame_history_entry {
        struct_size: size_of::<sesame_history_entry>(),
        id: tree.copy(&entry.id.0),
        user: tree.user(&entry.user),
        device: entry.device.0,
        act,
        users,
        user_count,
        retired,
        change,
        counts: entry.counts,
    }
}

/// Operations, kept in the tree.
pub(in super::super) fn history(tree: &mut Tree, entries: Vec<HistoryEntry>) -> *const sesame_history {
    let (items, count) = tree.map(entries, entry);
    tree.one(sesame_history { struct_size: size_of::<sesame_history>(), items, count })
}

/// A cost, kept in the tree.
pub(in super::super) fn cost(tree: &mut Tree, cost: Cost) -> *const sesame_cost {
    let (unknown, unknown_count) = tree.users(&cost.unknown);
    let struct_size = size_of::<sesame_cost>();
    tree.one(sesame_cost { struct_size, envelopes: cost.envelopes, bytes: cost.bytes, unknown, unknown_count })
}
