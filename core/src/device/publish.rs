//! What goes up to the server: the device list and prekeys (PQXDH 3.2, X 6).
//!
//! Offered, then confirmed. Until it is confirmed the same keys are offered again, so that an id never names two keys (A24).

use super::{Device, lists::OwnList, work::Work};
use crate::{
    context::{Context, Timestamp},
    error::{Code, Error},
    event::Publication,
    ids::PublicationId,
    keys::pre_keys,
    limits::{MAX_OWN_PRE_KEY_AGE, MAX_PRE_KEY_ID, ONE_TIME_PRE_KEYS, PRE_KEY_CHUNK, REFILL_BELOW, ROTATE_PRE_KEYS},
    record::{self, Lasting, PreKeyBook},
    store::{Kind, Places, PreKeyUse},
    wire::bundle,
};

/// Whether a device must publish before it sends (X 6).
pub(super) fn is_due_before_sending(book: &PreKeyBook, now: Timestamp) -> bool {
    book.rotated_at.is_none_or(|at| now.since(Timestamp(at)) > MAX_OWN_PRE_KEY_AGE)
}

impl Device {
    /// What to upload next, or `None` when nothing is due. Ask again after [`Device::published`]: keys go up in chunks of 20.
    ///
    /// `left` is how many one-time prekeys the server says it still has of the scarcer kind; without it, what was used is counted here.
    ///
    /// # Errors
    /// The store's.
    pub fn publication(&self, context: &mut Context<'_>, left: Option<u32>) -> Result<Option<Publication>, Error> {
        self.run(context, |work, context| {
            let own = self.own_list(work)?;
            let is_primary = self.account(work)?.is_some();
            let mut book = book(work)?;
            let pending = Places::only(Kind::Publication);
            if let Some(waiting) = work.get::<record::PendingUpload>(&pending)? {
                if !is_primary || waiting.epoch >= own.list.epoch {
                    return Ok(Some(Publication { id: waiting.id, bytes: waiting.bytes }));
                }
                // The list has moved on: the same keys go up with the newer one.
                let mut form = bundle::Publication::decode(&waiting.bytes).map_err(|_| Code::RecordInconsistent)?;
                form.device_list = own.signed.into();
                return offer(work, context, waiting.one_time, own.list.epoch, &form).map(Some);
            }
            let rotate = book.lasting.last().is_none_or(|pair| {
                context.now.since(Timestamp(pair.created_at)) > ROTATE_PRE_KEYS || pair.replaced_at.is_some()
            });
            let counted = book.curve_offered.min(book.kem_offered);
            let offered = usize::try_from(left.map_or(counted, |left| left.min(counted))).unwrap_or(usize::MAX);
            book.refilling = offered < REFILL_BELOW || (book.refilling && offered < ONE_TIME_PRE_KEYS);
            let list_is_due = is_primary && own.list.epoch > book.published_epoch;
            if !rotate && !book.refilling && !list_is_due {
                return Ok(None);
            }
            let OwnList { list, signed, .. } = own;
            let mut form = bundle::Publication {
                version: 1,
                user: self.user().as_bytes().to_vec().into(),
                device: self.id().0,
                device_list: if is_primary { signed } else { Vec::new() }.into(),
                signing_key: *self.keys.party.signing_key.as_bytes(),
                identity_key: *self.keys.party.identity_key.as_bytes(),
                lasting: None,
                one_time: Vec::new().into(),
                kem_one_time: Vec::new().into(),
            };
            if rotate {
                let id = next_id(&mut book)?;
                let ([curve, kem], published) = pre_keys::lasting(&self.keys, context, id);
                work.put(Places::pre_key(PreKeyUse::Signed, id), &curve)?;
                work.put(Places::pre_key(PreKeyUse::LastResort, id), &kem)?;
                book.lasting.push(Lasting { id, created_at: context.now.0, replaced_at: None });
                form.lasting = Some(published);
            }
            let mut count = 0;
            if book.refilling {
                let (mut curves, mut kems) = (Vec::new(), Vec::new());
                for _ in 0..PRE_KEY_CHUNK {
                    let id = next_id(&mut book)?;
                    let ([curve, kem], one_time, kem_one_time) = pre_keys::one_time(&self.keys, context, id);
                    work.put(Places::pre_key(PreKeyUse::OneTimeCurve, id), &curve)?;
                    work.put(Places::pre_key(PreKeyUse::OneTimeKem, id), &kem)?;
                    curves.push(one_time);
                    kems.push(kem_one_time);
                    count += 1;
                }
                form.one_time = curves.into();
                form.kem_one_time = kems.into();
            }
            work.put(Places::only(Kind::Book), &book)?;
            offer(work, context, count, if is_primary { list.epoch } else { 0 }, &form).map(Some)
        })
    }

    /// The server has taken an upload; only now do its one-time keys count as offered.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] when no such upload waits.
    pub fn published(&self, context: &mut Context<'_>, id: &PublicationId) -> Result<(), Error> {
        self.run(context, |work, context| {
            let key = Places::only(Kind::Publication);
            let waiting: record::PendingUpload = work
                .get(&key)?
                .filter(|waiting: &record::PendingUpload| waiting.id == *id)
                .ok_or(Code::InvalidArgument)?;
            let mut book = book(work)?;
            book.curve_offered = book.curve_offered.saturating_add(waiting.one_time);
            book.kem_offered = book.kem_offered.saturating_add(waiting.one_time);
            book.published_epoch = book.published_epoch.max(waiting.epoch);
            if let Some((newest, older)) = book.lasting.split_last_mut() {
                book.rotated_at = Some(newest.created_at);
                older.iter_mut().for_each(|pair| pair.replaced_at = pair.replaced_at.or(Some(context.now.0)));
            }
            work.put(Places::only(Kind::Book), &book)?;
            work.delete(key);
            Ok(())
        })
    }
}

pub(super) fn book(work: &Work<'_>) -> Result<PreKeyBook, Code> {
    work.get(&Places::only(Kind::Book))?.ok_or(Code::RecordInconsistent)
}

fn next_id(book: &mut PreKeyBook) -> Result<u32, Code> {
    let id = book.next_id;
    // 2^24 ids last for 160,000 chunks of each kind.
    if id > MAX_PRE_KEY_ID {
        return Err(Code::Internal);
    }
    book.next_id = id.saturating_add(1);
    Ok(id)
}

fn offer(
    work: &mut Work<'_>,
    context: &mut Context<'_>,
    one_time: u32,
    epoch: u64,
    form: &bundle::Publication,
) -> Result<Publication, Error> {
    let (id, bytes) = (PublicationId(context.random()), form.encode()?);
    work.put(Places::only(Kind::Publication), &record::PendingUpload { id, bytes: bytes.clone(), one_time, epoch })?;
    Ok(Publication { id, bytes })
}
