//! What C gives, checked and read, and the two structs that no definition of core has.

use super::{
    super::{
        input::{Sized0, array, byte_strings, read, sesame_address, sesame_slice, users},
        status::sesame_status,
        tree::Tree,
    },
    generated::{sesame_answers, sesame_batch, sesame_need, sesame_outgoing, sesame_skipped},
};
use sesame_core::{
    error::{Code, Error},
    event::{Answers, Batch, GroupChange, Need, Outgoing, Skipped},
    ids::{DeviceId, Fingerprint, GroupKind, UserId},
};

/// A user that a send was given up for.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_failed_user {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// The user.
    pub user: sesame_slice,
    /// The code that says why.
    pub reason: sesame_status,
}

pub(super) fn failed(tree: &mut Tree, (user, code): (UserId, u16)) -> sesame_failed_user {
    let code = Code::ALL.iter().find(|known| known.number() == code).copied().unwrap_or(Code::Internal);
    sesame_failed_user { struct_size: size_of::<sesame_failed_user>(), user: tree.user(&user), reason: code.into() }
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

// SAFETY: this one and the next four are repr(C), with a usize first; numbers, pointers and slices, for which every bit pattern is a value.
unsafe impl Sized0 for sesame_outgoing {
    const FIRST: usize = size_of::<Self>();
}
// SAFETY: see above.
unsafe impl Sized0 for sesame_skipped {
    const FIRST: usize = size_of::<Self>();
}
// SAFETY: see above.
unsafe impl Sized0 for sesame_batch {
    const FIRST: usize = size_of::<Self>();
}
// SAFETY: see above.
unsafe impl Sized0 for sesame_need {
    const FIRST: usize = size_of::<Self>();
}
// SAFETY: see above.
unsafe impl Sized0 for sesame_answers {
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

/// Needs of the caller's.
///
/// # Safety
/// The header's contract on pointers.
pub(in crate::capi) unsafe fn read_needs(list: (*const *const sesame_need, usize)) -> Result<Vec<Need>, Error> {
    // SAFETY: by this function's contract.
    let needs = unsafe { read_list(list, "needs")? };
    let need = |(at, need): (usize, &sesame_need)| {
        let user = || need.user.user("needs").map_err(|error| Error { item: Some(at), ..error });
        Ok(match need.kind {
            1 => Need::DeviceList(user()?),
            2 => Need::Bundle(user()?, DeviceId(need.device)),
            3 => Need::IdentityAcceptance(user()?),
            4 => Need::Publication,
            _ => return Err(Error::of_item(Code::InvalidArgument, "needs", at)),
        })
    };
    needs.iter().enumerate().map(need).collect()
}

/// A batch of the caller's.
///
/// # Safety
/// The header's contract on pointers.
pub(in crate::capi) unsafe fn read_batch(from: *const sesame_batch) -> Result<Batch, Error> {
    // SAFETY: by this function's contract, here and in the next two.
    let batch = unsafe { read(from, "batch")? };
    // SAFETY: as above.
    let envelopes = unsafe { read_list((batch.envelopes, batch.envelope_count), "batch.envelopes")? };
    // SAFETY: as above.
    let skips = unsafe { read_list((batch.skips, batch.skip_count), "batch.skips")? };
    let outgoing = |out: sesame_outgoing| {
        let envelope = out.envelope.bytes("batch.envelopes")?.to_vec();
        Ok(Outgoing { device: DeviceId(out.device), fingerprint: Fingerprint([0; 16]), envelope })
    };
    let skipped = |skip: sesame_skipped| {
        let reason = u16::try_from(skip.reason).map_err(|_| Error::of(Code::InvalidArgument, "batch.skips"))?;
        Ok(Skipped { device: DeviceId(skip.device), fingerprint: Fingerprint([0; 16]), reason })
    };
    Ok(Batch {
        user: batch.user.user("batch.user")?,
        targeted: match batch.targeted {
            0 => false,
            1 => true,
            _ => return Err(Error::of(Code::InvalidArgument, "batch.targeted")),
        },
        envelopes: envelopes.into_iter().map(outgoing).collect::<Result<_, Error>>()?,
        skips: skips.into_iter().map(skipped).collect::<Result<_, Error>>()?,
    })
}

/// Answers of the caller's.
///
/// # Safety
/// The header's contract on pointers.
pub(in crate::capi) unsafe fn read_answers(from: *const sesame_answers) -> Result<Answers, Error> {
    // SAFETY: by this function's contract.
    let (lists, bundles, without, unknown) = unsafe {
        let answers = read(from, "answers")?;
        (
            array(answers.device_lists, answers.device_list_count, "answers.device_lists")?,
            array(answers.bundles, answers.bundle_count, "answers.bundles")?,
            array(answers.without_bundle, answers.without_bundle_count, "answers.without_bundle")?,
            array(answers.unknown_users, answers.unknown_user_count, "answers.unknown_users")?,
        )
    };
    let address = |at: &sesame_address| Ok((at.user.user("answers.without_bundle")?, DeviceId(at.device)));
    Ok(Answers {
        device_lists: byte_strings(lists, "answers.device_lists")?,
        bundles: byte_strings(bundles, "answers.bundles")?,
        without_bundle: without.iter().map(address).collect::<Result<_, Error>>()?,
        unknown_users: users(unknown, "answers.unknown_users")?,
    })
}
