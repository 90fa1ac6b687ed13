//! What goes up to the server: the device list and prekeys (PQXDH 3.2, X 6).
//!
//! An upload is offered, then confirmed. Until it is confirmed the same keys are offered again, so that an id never names two keys (A24).

use super::own_list;
use crate::{
    clock,
    context::Timestamp,
    crypto::kdf::sha256,
    error::{Code, Error},
    ids::PublicationId,
    keys::{
        device_list::{self, Listing},
        party, pre_keys,
    },
    limits::{
        MAX_HASHES, MAX_LASTING_PRE_KEYS, MAX_ONE_TIME_PRE_KEYS, ONE_TIME_PRE_KEYS, PRE_KEY_CHUNK, REFILL_BELOW,
        ROTATE_PRE_KEYS,
    },
    record::{Lasting, PendingUpload, PreKeyBook},
    store::{Kind, Places, PreKeyUse},
    tx::{Call, Tx, own::OwnList},
    wire::bundle,
};

/// What a device uploads to the server: its user's signed device list, and prekeys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Publication {
    /// The upload's name, for `published`.
    pub id: PublicationId,
    /// The bytes for the server, a `wire::bundle::Publication`.
    pub bytes: Vec<u8>,
}

/// When the next upload is due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Due {
    /// Nothing is.
    No,
    /// Keys are to be refilled or replaced, or the list was only signed anew: sends go on.
    InTime,
    /// The server does not know this device with its keys, or not which devices its user has: nothing else goes before it.
    BeforeAll,
}

/// When the next upload is due. `left` is how many one-time prekeys the server says it still has.
pub(crate) fn due(call: &Call<'_>, left: Option<u32>) -> Result<Due, Code> {
    let book = call.tx.book()?;
    let own = call.tx.own_list(call.user())?;
    let list_is_due = carried(call, &own)? > book.published_epoch;
    if book.is_due_before_sending(call.now()) || (list_is_due && devices(&own) != book.published_devices) {
        return Ok(Due::BeforeAll);
    }
    let refill = is_refill_due(&book, target(&call.tx)?, left);
    let waits = call.tx.exists(&Places::only(Kind::Publication))?;
    let is_due = waits || list_is_due || refill || is_rotation_due(&book, call.now());
    Ok(if is_due { Due::InTime } else { Due::No })
}

/// The epoch of our list in an upload of this device, or 0 if it has none: this device signs the list, what was signed is at hand, and no other
/// one waits for the app's word.
fn carried(call: &Call<'_>, own: &OwnList) -> Result<u64, Code> {
    let is_carried = call.tx.is_primary()? && !own.is_lost() && !own_list::is_ahead(call)?;
    Ok(if is_carried { own.list.epoch } else { 0 })
}

/// Our list as the server gets it: with all the hashes that a server may need that was put back.
fn shown(call: &Call<'_>, own: &OwnList, epoch: u64) -> Result<Vec<u8>, Code> {
    if epoch == 0 {
        return Ok(Vec::new());
    }
    let chain = call.tx.chain(call.user(), &own.list)?;
    device_list::show(own.signed()?, chain.links(0, MAX_HASHES))
}

/// A hash of the devices on our list.
fn devices(own: &OwnList) -> [u8; 32] {
    let of = |listed: &Listing| party::fingerprint(&own.user.user, &own.user.account_key, listed).0;
    sha256(&own.list.devices.iter().flat_map(of).collect::<Vec<u8>>())
}

/// How many one-time prekeys of each kind the server wants.
fn target(tx: &Tx<'_>) -> Result<usize, Code> {
    let wanted = tx.server()?.wanted.and_then(|wanted| usize::try_from(wanted).ok());
    Ok(wanted.unwrap_or(ONE_TIME_PRE_KEYS).clamp(1, MAX_ONE_TIME_PRE_KEYS))
}

/// Fewer keys than half of what the server wants begin a refill, and a refill goes on to the end.
fn is_refill_due(book: &PreKeyBook, target: usize, left: Option<u32>) -> bool {
    let counted = book.curve_offered.min(book.kem_offered);
    let offered = usize::try_from(left.map_or(counted, |left| left.min(counted))).unwrap_or(usize::MAX);
    offered < REFILL_BELOW.min(target) || (book.refilling && offered < target)
}

/// What to upload next, or `None` when nothing is due. `left` is how many one-time prekeys the server says it still has.
pub(crate) fn publication(call: &mut Call<'_>, left: Option<u32>) -> Result<Option<Publication>, Error> {
    let mut book = call.tx.book()?;
    if book.rotated_at.is_none() {
        own_list::sign_lost(call)?;
    }
    let own = call.tx.own_list(call.user())?;
    let epoch = carried(call, &own)?;
    if let Some(waiting) = call.tx.get::<PendingUpload>(&Places::only(Kind::Publication))? {
        let is_up_to_date = if epoch == 0 { waiting.epoch == 0 } else { waiting.epoch >= epoch };
        if is_up_to_date {
            return Ok(Some(Publication { id: waiting.id, bytes: waiting.bytes }));
        }
        // The list has moved on, or waits for the app's word: the same keys go up with the newer one, or alone.
        let mut form = bundle::Publication::decode(&waiting.bytes).map_err(|_| Code::RecordInconsistent)?;
        form.device_list = shown(call, &own, epoch)?.into();
        return offer(call, waiting.one_time, epoch, &form).map(Some);
    }
    let rotate = is_rotation_due(&book, call.now());
    book.refilling = is_refill_due(&book, target(&call.tx)?, left);
    let list_is_due = epoch > book.published_epoch;
    if !rotate && !book.refilling && !list_is_due {
        return Ok(None);
    }
    let party = &call.us.party;
    let mut form = bundle::Publication {
        version: 1,
        user: party.user.as_bytes().to_vec().into(),
        device: party.device.0,
        device_list: shown(call, &own, epoch)?.into(),
        signing_key: *party.signing_key.as_bytes(),
        identity_key: *party.identity_key.as_bytes(),
        lasting: None,
        one_time: Vec::new().into(),
        kem_one_time: Vec::new().into(),
    };
    if rotate {
        add_lasting(call, &mut book, &mut form)?;
    }
    let one_time = if book.refilling { add_one_time(call, &mut book, &mut form)? } else { 0 };
    call.tx.put_book(&book)?;
    offer(call, one_time, epoch, &form).map(Some)
}

fn is_rotation_due(book: &PreKeyBook, now: Timestamp) -> bool {
    let due =
        |pair: &Lasting| pair.replaced_at.is_some() || clock::is_due(Timestamp(pair.created_at), now, ROTATE_PRE_KEYS);
    book.rotated_at.is_none() || book.lasting.last().is_none_or(due)
}

/// A signed prekey and a last-resort KEM prekey.
fn add_lasting(call: &mut Call<'_>, book: &mut PreKeyBook, form: &mut bundle::Publication) -> Result<(), Code> {
    let id = book.take_id()?;
    let ([curve, kem], published) = pre_keys::lasting(call.us, &mut call.context, id);
    call.tx.put(Places::pre_key(PreKeyUse::Signed, id), &curve)?;
    call.tx.put(Places::pre_key(PreKeyUse::LastResort, id), &kem)?;
    // A clock that flaps replaces them at each upload.
    while book.lasting.len() >= MAX_LASTING_PRE_KEYS {
        let oldest = book.lasting.remove(0);
        call.tx.delete(Places::pre_key(PreKeyUse::Signed, oldest.id));
        call.tx.delete(Places::pre_key(PreKeyUse::LastResort, oldest.id));
    }
    book.lasting.push(Lasting { id, created_at: call.now().0, replaced_at: None, held_since: None });
    form.lasting = Some(published);
    Ok(())
}

/// A chunk of one-time prekeys; gives how many there are of each kind.
fn add_one_time(call: &mut Call<'_>, book: &mut PreKeyBook, form: &mut bundle::Publication) -> Result<u32, Code> {
    let (mut curves, mut kems, mut count) = (Vec::new(), Vec::new(), 0);
    for _ in 0..PRE_KEY_CHUNK {
        let id = book.take_id()?;
        let ([curve, kem], one_time, kem_one_time) = pre_keys::one_time(call.us, &mut call.context, id);
        book.note_made(id, call.at.age);
        call.tx.put(Places::pre_key(PreKeyUse::OneTimeCurve, id), &curve)?;
        call.tx.put(Places::pre_key(PreKeyUse::OneTimeKem, id), &kem)?;
        curves.push(one_time);
        kems.push(kem_one_time);
        count += 1;
    }
    form.one_time = curves.into();
    form.kem_one_time = kems.into();
    Ok(count)
}

fn offer(call: &mut Call<'_>, one_time: u32, epoch: u64, form: &bundle::Publication) -> Result<Publication, Error> {
    let (id, bytes) = (PublicationId(call.context.random()), form.encode()?);
    let waiting = PendingUpload { id, bytes: bytes.clone(), one_time, epoch };
    call.tx.put(Places::only(Kind::Publication), &waiting)?;
    Ok(Publication { id, bytes })
}

/// The ids of the one-time pairs in an upload.
pub(super) fn one_time_ids(waiting: &PendingUpload) -> Result<Vec<u32>, Code> {
    let form = bundle::Publication::decode(&waiting.bytes).map_err(|_| Code::RecordInconsistent)?;
    Ok(form.one_time.as_slice().iter().map(|key| key.id).collect())
}

/// The server has taken an upload; only now do its one-time keys count as offered. Gives how many of each kind there are.
pub(crate) fn published(call: &mut Call<'_>, id: &PublicationId) -> Result<u32, Error> {
    let key = Places::only(Kind::Publication);
    let waiting: Option<PendingUpload> = call.tx.get(&key)?;
    let waiting = waiting.filter(|waiting| waiting.id == *id).ok_or(Code::InvalidArgument)?;
    let mut book = call.tx.book()?;
    book.curve_offered = book.curve_offered.saturating_add(waiting.one_time);
    book.kem_offered = book.kem_offered.saturating_add(waiting.one_time);
    book.note_taken(&one_time_ids(&waiting)?, call.at.age);
    book.published_epoch = book.published_epoch.max(waiting.epoch);
    let own = call.tx.own_list(call.user())?;
    if own.list.epoch == waiting.epoch {
        book.published_devices = devices(&own);
    }
    if let Some((newest, older)) = book.lasting.split_last_mut() {
        book.rotated_at = Some(newest.created_at);
        for pair in older {
            pair.replaced_at = pair.replaced_at.or(Some(call.at.age.0));
        }
    }
    call.tx.put_book(&book)?;
    call.tx.delete(key);
    Ok(waiting.one_time)
}

/// The server has lost what it was given: keys, list and push value go up again.
pub(crate) fn anew(tx: &mut Tx<'_>) -> Result<(), Code> {
    let mut book = tx.book()?;
    book.forget_published();
    tx.put_book(&book)?;
    let mut server = tx.server()?;
    if let Some(push) = &mut server.push {
        push.due = true;
        tx.put_server(&server)?;
    }
    Ok(())
}
