//! What goes up to the server: the device list and prekeys (PQXDH 3.2, X 6).
//!
//! An upload is offered, then confirmed. Until it is confirmed the same keys are offered again, so that an id never names two keys (A24).

use crate::{
    context::Timestamp,
    error::{Code, Error},
    event::Publication,
    ids::PublicationId,
    keys::pre_keys,
    limits::{ONE_TIME_PRE_KEYS, PRE_KEY_CHUNK, REFILL_BELOW, ROTATE_PRE_KEYS},
    record::{Lasting, PendingUpload, PreKeyBook},
    store::{Kind, Places, PreKeyUse},
    tx::{Call, own::OwnList},
    wire::bundle,
};

/// What to upload next, or `None` when nothing is due. `left` is how many one-time prekeys the server says it still has.
pub(crate) fn publication(call: &mut Call<'_>, left: Option<u32>) -> Result<Option<Publication>, Error> {
    let own = call.tx.own_list(call.user())?;
    let is_primary = call.tx.account()?.is_some();
    let mut book = call.tx.book()?;
    if let Some(waiting) = call.tx.get::<PendingUpload>(&Places::only(Kind::Publication))? {
        if !is_primary || waiting.epoch >= own.list.epoch {
            return Ok(Some(Publication { id: waiting.id, bytes: waiting.bytes }));
        }
        // The list has moved on: the same keys go up with the newer one.
        let mut form = bundle::Publication::decode(&waiting.bytes).map_err(|_| Code::RecordInconsistent)?;
        form.device_list = own.signed.into();
        return offer(call, waiting.one_time, own.list.epoch, &form).map(Some);
    }
    let rotate = is_rotation_due(&book, call.now());
    let counted = book.curve_offered.min(book.kem_offered);
    let offered = usize::try_from(left.map_or(counted, |left| left.min(counted))).map_err(|_| Code::Internal)?;
    book.refilling = offered < REFILL_BELOW || (book.refilling && offered < ONE_TIME_PRE_KEYS);
    let list_is_due = is_primary && own.list.epoch > book.published_epoch;
    if !rotate && !book.refilling && !list_is_due {
        return Ok(None);
    }
    let OwnList { list, signed, .. } = own;
    let party = &call.us.party;
    let mut form = bundle::Publication {
        version: 1,
        user: party.user.as_bytes().to_vec().into(),
        device: party.device.0,
        device_list: if is_primary { signed } else { Vec::new() }.into(),
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
    offer(call, one_time, if is_primary { list.epoch } else { 0 }, &form).map(Some)
}

fn is_rotation_due(book: &PreKeyBook, now: Timestamp) -> bool {
    book.lasting
        .last()
        .is_none_or(|pair| now.since(Timestamp(pair.created_at)) > ROTATE_PRE_KEYS || pair.replaced_at.is_some())
}

/// A signed prekey and a last-resort KEM prekey.
fn add_lasting(call: &mut Call<'_>, book: &mut PreKeyBook, form: &mut bundle::Publication) -> Result<(), Code> {
    let id = book.take_id()?;
    let ([curve, kem], published) = pre_keys::lasting(call.us, &mut call.context, id);
    call.tx.put(Places::pre_key(PreKeyUse::Signed, id), &curve)?;
    call.tx.put(Places::pre_key(PreKeyUse::LastResort, id), &kem)?;
    book.lasting.push(Lasting { id, created_at: call.now().0, replaced_at: None });
    form.lasting = Some(published);
    Ok(())
}

/// A chunk of one-time prekeys; gives how many there are of each kind.
fn add_one_time(call: &mut Call<'_>, book: &mut PreKeyBook, form: &mut bundle::Publication) -> Result<u32, Code> {
    let (mut curves, mut kems, mut count) = (Vec::new(), Vec::new(), 0);
    for _ in 0..PRE_KEY_CHUNK {
        let id = book.take_id()?;
        let ([curve, kem], one_time, kem_one_time) = pre_keys::one_time(call.us, &mut call.context, id);
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

/// The server has taken an upload; only now do its one-time keys count as offered.
pub(crate) fn published(call: &mut Call<'_>, id: &PublicationId) -> Result<(), Error> {
    let key = Places::only(Kind::Publication);
    let waiting: Option<PendingUpload> = call.tx.get(&key)?;
    let waiting = waiting.filter(|waiting| waiting.id == *id).ok_or(Code::InvalidArgument)?;
    let mut book = call.tx.book()?;
    book.curve_offered = book.curve_offered.saturating_add(waiting.one_time);
    book.kem_offered = book.kem_offered.saturating_add(waiting.one_time);
    book.published_epoch = book.published_epoch.max(waiting.epoch);
    if let Some((newest, older)) = book.lasting.split_last_mut() {
        book.rotated_at = Some(newest.created_at);
        for pair in older {
            pair.replaced_at = pair.replaced_at.or(Some(call.now().0));
        }
    }
    call.tx.put_book(&book)?;
    call.tx.delete(key);
    Ok(())
}
