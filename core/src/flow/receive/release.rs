//! What was held is opened when its cause has ended: the app has accepted an identity, a time has come, a list was taken, or it is another
//! call (X 8, X 9).

use super::batch::{self, Came};
use crate::{
    error::{Code, Error},
    event::Received,
    ids::{AccountKey, UserId},
    record::Cause,
    tx::{Call, held},
    wire::envelope::Envelope,
};

/// Opens what was held for this account key of a user, now that it is accepted. What fails now is dropped. Results count what was held from
/// 0.
pub(crate) fn accepted(call: &mut Call<'_>, user: &UserId, account_key: &AccountKey) -> Result<Vec<Received>, Error> {
    let is_theirs = |cause: Cause, envelope: &Envelope| {
        cause == Cause::Identity(*account_key) && envelope.head.sender.user.as_slice() == user.as_bytes()
    };
    open(call, is_theirs)
}

/// Opens what came too early, as far as its time has come, and what waits for a list, when one was taken. Gives whether anything was tried.
pub(crate) fn early(call: &mut Call<'_>) -> Result<bool, Error> {
    let now = call.now().seconds();
    if call.tx.counters()?.early.is_none_or(|from| from > now) {
        return Ok(false);
    }
    let is_due = |cause: Cause, _: &Envelope| cause.tried_from().is_some_and(|from| from <= now);
    open(call, is_due)?;
    let next = held::envelopes(&call.tx)?.into_iter().filter_map(|(_, held)| held.cause.tried_from()).min();
    held::note_early(&mut call.tx, next)?;
    Ok(true)
}

fn open(call: &mut Call<'_>, is_meant: impl Fn(Cause, &Envelope) -> bool) -> Result<Vec<Received>, Error> {
    let mut meant = Vec::new();
    for (key, held) in held::envelopes(&call.tx)? {
        let envelope = Envelope::decode(&held.envelope).map_err(|_| Code::RecordInconsistent)?;
        if is_meant(held.cause, &envelope) {
            held::take_envelope(&mut call.tx, key, &held)?;
            meant.push(held);
        }
    }
    // What is held again has waited since it came first.
    let came: Vec<Came<'_>> = meant.iter().map(|held| Came { bytes: &held.envelope, since: Some(held.at) }).collect();
    batch::open_all(call, &came)
}
