//! Sends: what is submitted, and what is needed before it can be.

use super::{
    super::{
        input::{Sized0, byte_strings, sesame_address, sesame_slice, users},
        status::sesame_status,
        tree::Tree,
    },
    event::{event, sesame_event},
};
use sesame_core::{
    error::{Code, Error},
    event::{Answers, Batch, Need, Outgoing, Publication, Send, Skipped},
    ids::{DeviceId, UserId},
};

/// What to upload to the server, then confirm with `sesame_device_published`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_publication {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// Names it, 16 bytes.
    pub id: sesame_slice,
    /// For the server.
    pub bytes: sesame_slice,
}

pub(in super::super) fn publication(tree: &mut Tree, upload: Publication) -> *const sesame_publication {
    let (id, bytes) = (tree.copy(&upload.id.0), tree.bytes(upload.bytes));
    tree.one(sesame_publication { struct_size: size_of::<sesame_publication>(), id, bytes })
}

/// One ciphertext for one device.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_outgoing {
    /// The size of this struct.
    pub struct_size: usize,
    /// For which device.
    pub device: u32,
    /// The envelope.
    pub envelope: sesame_slice,
}

/// A listed device that gets nothing, and why.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_skipped {
    /// The size of this struct.
    pub struct_size: usize,
    /// Which device.
    pub device: u32,
    /// Why, a `sesame_status`.
    pub reason: u32,
}

/// One user's ciphertexts: all of them go to the server together, or none.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_batch {
    /// The size of this struct.
    pub struct_size: usize,
    /// Whose devices.
    pub user: sesame_slice,
    /// 1 if it is for one device alone, so that the server does not compare it with the list; else 0.
    pub targeted: u32,
    /// One for each device.
    pub envelopes: *const *const sesame_outgoing,
    /// How many.
    pub envelope_count: usize,
    /// Listed devices that get nothing.
    pub skips: *const *const sesame_skipped,
    /// How many.
    pub skip_count: usize,
}

/// Which kind of thing is needed.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum sesame_need_kind {
    /// The signed device list of `user`, from the server.
    DeviceList = 1,
    /// A prekey bundle of `device` of `user`, from the server.
    Bundle = 2,
    /// The app's word on a changed account key of `user`: `sesame_registry_accept_identity`.
    IdentityAcceptance = 3,
    /// An upload of fresh prekeys: `sesame_device_publication`.
    Publication = 4,
}

/// What the app has to bring before a batch is whole.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_need {
    /// The size of this struct.
    pub struct_size: usize,
    /// A `sesame_need_kind`.
    pub kind: u32,
    /// Which device's, for a bundle.
    pub device: u32,
    /// Whose; absent for a publication.
    pub user: sesame_slice,
}

/// A user that a send was given up for.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_failed_user {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// Who.
    pub user: sesame_slice,
    /// Why.
    pub reason: sesame_status,
}

/// How a send stands. It lives in the store: `sesame_device_outbox` gives it again after a crash.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_send {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// Names it, 16 bytes.
    pub id: sesame_slice,
    /// Travels inside, the same in every copy; 16 bytes.
    pub content_id: sesame_slice,
    /// What to submit now.
    pub batches: *const *const sesame_batch,
    /// How many.
    pub batch_count: usize,
    /// What must be brought before the other users' batches are whole.
    pub needs: *const *const sesame_need,
    /// How many.
    pub need_count: usize,
    /// Users that were given up.
    pub failed: *const *const sesame_failed_user,
    /// How many.
    pub failed_count: usize,
    /// What came to light by the call.
    pub events: *const *const sesame_event,
    /// How many.
    pub event_count: usize,
}

/// Sends, oldest first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_sends {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// The sends.
    pub items: *const *const sesame_send,
    /// How many.
    pub count: usize,
}

/// What the server gave for needs.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_answers {
    /// The size of this struct.
    pub struct_size: usize,
    /// Signed device lists.
    pub device_lists: *const sesame_slice,
    /// How many.
    pub device_list_count: usize,
    /// Prekey bundles.
    pub bundles: *const sesame_slice,
    /// How many.
    pub bundle_count: usize,
    /// Devices for which the server has no bundle.
    pub without_bundle: *const sesame_address,
    /// How many.
    pub without_bundle_count: usize,
    /// Users that the server does not know.
    pub unknown_users: *const sesame_slice,
    /// How many.
    pub unknown_user_count: usize,
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

fn outgoing(tree: &mut Tree, outgoing: Outgoing) -> sesame_outgoing {
    let struct_size = size_of::<sesame_outgoing>();
    sesame_outgoing { struct_size, device: outgoing.device.0, envelope: tree.bytes(outgoing.envelope) }
}

fn batch(tree: &mut Tree, batch: Batch) -> sesame_batch {
    let (envelopes, envelope_count) = tree.map(batch.envelopes, outgoing);
    let (skips, skip_count) = tree.map(batch.skips, |_, skip| {
        let struct_size = size_of::<sesame_skipped>();
        sesame_skipped { struct_size, device: skip.device.0, reason: u32::from(skip.reason) }
    });
    sesame_batch {
        struct_size: size_of::<sesame_batch>(),
        user: tree.user(&batch.user),
        targeted: u32::from(batch.targeted),
        envelopes,
        envelope_count,
        skips,
        skip_count,
    }
}

fn need(tree: &mut Tree, need: Need) -> sesame_need {
    use sesame_need_kind as K;
    let (kind, user, device) = match need {
        Need::DeviceList(user) => (K::DeviceList, Some(user), 0),
        Need::Bundle(user, device) => (K::Bundle, Some(user), device.0),
        Need::IdentityAcceptance(user) => (K::IdentityAcceptance, Some(user), 0),
        Need::Publication => (K::Publication, None, 0),
    };
    let user = tree.maybe(user.as_ref().map(UserId::as_bytes));
    sesame_need { struct_size: size_of::<sesame_need>(), kind: kind as u32, device, user }
}

fn failed(tree: &mut Tree, (user, code): (UserId, u16)) -> sesame_failed_user {
    let code = Code::ALL.iter().find(|known| known.number() == code).copied().unwrap_or(Code::Internal);
    sesame_failed_user { struct_size: size_of::<sesame_failed_user>(), user: tree.user(&user), reason: code.into() }
}

fn one_send(tree: &mut Tree, send: Send) -> sesame_send {
    let (batches, batch_count) = tree.map(send.batches, batch);
    let (needs, need_count) = tree.map(send.needs, need);
    let (failed, failed_count) = tree.map(send.failed, failed);
    let (events, event_count) = tree.map(send.events, event);
    sesame_send {
        struct_size: size_of::<sesame_send>(),
        id: tree.copy(&send.id.0),
        content_id: tree.copy(&send.content_id.0),
        batches,
        batch_count,
        needs,
        need_count,
        failed,
        failed_count,
        events,
        event_count,
    }
}

/// A send, kept in the tree.
pub(in super::super) fn send(tree: &mut Tree, send: Send) -> *const sesame_send {
    let send = one_send(tree, send);
    tree.one(send)
}

/// Sends, kept in the tree.
pub(in super::super) fn sends(tree: &mut Tree, sends: Vec<Send>) -> *const sesame_sends {
    let (items, count) = tree.map(sends, one_send);
    tree.one(sesame_sends { struct_size: size_of::<sesame_sends>(), items, count })
}

/// Answers, kept in the tree.
pub(in super::super) fn answers(tree: &mut Tree, answers: Answers) -> *const sesame_answers {
    let (device_lists, device_list_count) = tree.strings(answers.device_lists);
    let (bundles, bundle_count) = tree.strings(answers.bundles);
    let (without_bundle, without_bundle_count) = tree.addresses(&answers.without_bundle);
    let (unknown_users, unknown_user_count) = tree.users(&answers.unknown_users);
    tree.one(sesame_answers {
        struct_size: size_of::<sesame_answers>(),
        device_lists,
        device_list_count,
        bundles,
        bundle_count,
        without_bundle,
        without_bundle_count,
        unknown_users,
        unknown_user_count,
    })
}

/// A list of the caller's.
///
/// # Safety
/// The header's contract on pointers.
pub(in super::super) unsafe fn read_list<T: Sized0>(
    (items, count): (*const *const T, usize),
    field: &'static str,
) -> Result<Vec<T>, Error> {
    // SAFETY: by this function's contract.
    let pointers = unsafe { super::super::input::array(items, count, field)? };
    // SAFETY: by this function's contract.
    let item = |(at, item): (usize, &*const T)| unsafe {
        super::super::input::read(*item, field).map_err(|error| Error { item: Some(at), ..error })
    };
    pointers.iter().enumerate().map(item).collect()
}

/// Needs of the caller's.
///
/// # Safety
/// The header's contract on pointers.
pub(in super::super) unsafe fn read_needs(list: (*const *const sesame_need, usize)) -> Result<Vec<Need>, Error> {
    // SAFETY: by this function's contract.
    let needs = unsafe { read_list(list, "needs")? };
    let need = |(at, need): (usize, &sesame_need)| {
        let user = || need.user.user("needs").map_err(|error| Error { item: Some(at), ..error });
        Ok(match need.kind {
            1 => Need::DeviceList(user()?),
            2 => Need::Bundle(user()?, DeviceId(need.device)),
            3 => Need::IdentityAcceptance(user()?),
            4 => Need::Publication,
            _ => return Err(Error { code: Code::InvalidArgument, item: Some(at), field: Some("needs") }),
        })
    };
    needs.iter().enumerate().map(need).collect()
}

/// A batch of the caller's.
///
/// # Safety
/// The header's contract on pointers.
pub(in super::super) unsafe fn read_batch(from: *const sesame_batch) -> Result<Batch, Error> {
    // SAFETY: by this function's contract, here and in the next two.
    let batch = unsafe { super::super::input::read(from, "batch")? };
    // SAFETY: as above.
    let envelopes = unsafe { read_list((batch.envelopes, batch.envelope_count), "batch.envelopes")? };
    // SAFETY: as above.
    let skips = unsafe { read_list((batch.skips, batch.skip_count), "batch.skips")? };
    let outgoing = |out: sesame_outgoing| {
        let envelope = out.envelope.bytes("batch.envelopes")?.to_vec();
        Ok(Outgoing { device: DeviceId(out.device), envelope })
    };
    let skipped = |skip: sesame_skipped| {
        let reason = u16::try_from(skip.reason).map_err(|_| Error::of(Code::InvalidArgument, "batch.skips"))?;
        Ok(Skipped { device: DeviceId(skip.device), reason })
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
pub(in super::super) unsafe fn read_answers(from: *const sesame_answers) -> Result<Answers, Error> {
    use super::super::input::{array, read};
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
