//! What C gives, checked and read, and the struct that no definition of core has.

use super::{
    super::{
        input::{Sized0, array, read, sesame_slice},
        tree::Tree,
    },
    generated::sesame_header,
};
use sesame_core::{
    error::{Code, Error},
    event::GroupChange,
    ids::GroupKind,
};

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

pub(super) fn group_change(tree: &mut Tree, change: GroupChange) -> *const sesame_group_change {
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

/// A kind of the caller's.
pub(in crate::capi) fn read_kind(kind: u32) -> Result<GroupKind, Error> {
    let kind = u8::try_from(kind).ok().and_then(GroupKind::from_number);
    kind.ok_or(Error::of(Code::UnknownGroupKind, "kind"))
}

/// A change of the caller's.
///
/// # Safety
/// The header's contract on pointers.
pub(in crate::capi) unsafe fn read_change(from: *const sesame_group_change) -> Result<GroupChange, Error> {
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

// SAFETY: repr(C), with a usize first; slices, for which every bit pattern is a value.
unsafe impl Sized0 for sesame_header {
    const FIRST: usize = size_of::<Self>();
}

/// A list of the caller's.
///
/// # Safety
/// The header's contract on pointers.
pub(in crate::capi) unsafe fn read_list<T: Sized0>(
    (items, count): (*const *const T, usize),
    field: &'static str,
) -> Result<Vec<T>, Error> {
    // SAFETY: by this function's contract.
    let pointers = unsafe { array(items, count, field)? };
    // SAFETY: by this function's contract.
    let item = |(at, item): (usize, &*const T)| unsafe {
        read(*item, field).map_err(|error| Error { item: Some(at), ..error })
    };
    pointers.iter().enumerate().map(item).collect()
}
