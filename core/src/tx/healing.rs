//! What is to be healed with a device, and what was sent and is kept to be sent again (X 8).

use super::Tx;
use crate::{
    agreement::associated_data,
    clock::Age,
    error::Code,
    ids::{DeviceId, SendId, UserId},
    limits::{DAY, KEEP_SENT_DAYS},
    record::{Counters, Healing, Keeping, Says, SendBody, SendHead, SendPart, Sent, SentEnvelope, SentPart},
    store::{Kind, Places},
};
use std::sync::Arc;

/// What is to be healed with a device.
pub(crate) fn of(tx: &Tx<'_>, user: &UserId, device: DeviceId) -> Result<Healing, Code> {
    let key = tx.places().device(Kind::Healing, user, device);
    Ok(tx.get(&key)?.unwrap_or_else(|| Healing::of(user.clone(), device)))
}

pub(crate) fn put(tx: &mut Tx<'_>, healing: &Healing) -> Result<(), Code> {
    let key = tx.places().device(Kind::Healing, &healing.user, healing.device);
    tx.put(key, healing)
}

/// All that is to be healed, in the order of the rows.
pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<Healing>, Code> {
    let mut all = Vec::new();
    for key in tx.keys(&Places::all(Kind::Healing))? {
        all.extend(tx.get::<Healing>(&key)?);
    }
    Ok(all)
}

/// The loop of requests looks at it at this age, or before.
pub(crate) fn is_due_at(tx: &mut Tx<'_>, age: Age) -> Result<(), Code> {
    let counters = tx.counters()?;
    let heals_at = Some(counters.heals_at.map_or(age.0, |at| at.min(age.0)));
    if heals_at == counters.heals_at { Ok(()) } else { tx.put_counters(&Counters { heals_at, ..counters }) }
}

/// Whether a send is kept to be sent again. A hand-over is not: it may carry the account key, and may be withdrawn.
pub(crate) fn is_kept(head: &SendHead) -> bool {
    matches!(head.says, Says::Payload | Says::Again { .. })
}

/// A part was taken by the server: its envelopes may be asked for.
pub(super) fn note_sent(
    tx: &mut Tx<'_>,
    (id, head): (&SendId, &SendHead),
    part: &SendPart,
    at: u64,
) -> Result<(), Code> {
    if !is_kept(head) || part.entries.is_empty() {
        return Ok(());
    }
    let sent = sent_part(head, part, at);
    tx.put(tx.places().sent_part(&part.user, id), &sent)
}

/// What the envelopes of a part are remembered by.
pub(crate) fn sent_part(head: &SendHead, part: &SendPart, at: u64) -> SentPart {
    let again = if let Says::Again { again, .. } = head.says { Some(again) } else { None };
    let envelopes = part.entries.iter().map(|entry| SentEnvelope {
        device: entry.device,
        fingerprint: entry.fingerprint,
        salt: entry.recipe.salt,
        session: associated_data::session_id(&entry.recipe.associated_data),
    });
    let operations = head.group.is_some_and(|group| group.operations);
    SentPart { at, again, scope: head.scope(), operations, envelopes: envelopes.collect() }
}

/// A send is over: what it said is kept, unless it is kept elsewhere or can be made anew.
pub(super) fn keep(tx: &mut Tx<'_>, id: &SendId, (head, body): (&SendHead, &SendBody), at: u64) -> Result<(), Code> {
    let is_told_again = head.quiet && head.group.is_some_and(|group| group.operations);
    if head.says != Says::Payload || is_told_again || kept_for(tx)? == 0 {
        return Ok(());
    }
    tx.put(Places::send(Kind::Sent, id), &Sent { at, head: head.clone(), body: body.clone() })
}

/// What was sent to a user and is remembered, oldest first.
pub(crate) fn sent_to(tx: &Tx<'_>, user: &UserId) -> Result<Vec<(SendId, SentPart)>, Code> {
    let mut sent = Vec::new();
    for key in tx.keys(&tx.places().user(Kind::SentPart, user))? {
        let id = Places::send_of(&key)?;
        sent.extend(tx.get::<SentPart>(&key)?.map(|part| (id, part)));
    }
    Ok(sent)
}

/// What a send said, if it is kept.
pub(crate) fn said(tx: &Tx<'_>, id: &SendId) -> Result<Option<(SendHead, SendBody)>, Code> {
    if let Some(Sent { head, body, .. }) = tx.get(&Places::send(Kind::Sent, id))? {
        return Ok(Some((head, body)));
    }
    let head: Option<Arc<SendHead>> = tx.shared(&Places::send(Kind::SendHead, id))?;
    let body: Option<Arc<SendBody>> = tx.shared(&Places::send(Kind::SendBody, id))?;
    Ok(head.zip(body).map(|(head, body)| (SendHead::clone(&head), SendBody::clone(&body))))
}

/// For how many days what was sent is kept. Where the app's word is lost, nothing is: it may have said so.
fn kept_for(tx: &Tx<'_>) -> Result<u32, Code> {
    match tx.get::<Keeping>(&Places::only(Kind::Keeping)) {
        Ok(set) => Ok(set.map_or(KEEP_SENT_DAYS, |set| set.days)),
        Err(code) if code.is_damage() => Ok(0),
        Err(code) => Err(code),
    }
}

/// The app sets for how many days what was sent is kept. What is older goes at once.
pub(crate) fn keep_for(tx: &mut Tx<'_>, days: u32, age: Age) -> Result<(), Code> {
    tx.put(Places::only(Kind::Keeping), &Keeping { days })?;
    forget_said(tx, age)
}

/// Deletes what was said for so long that it is not sent again. Sends rise in the order in which they were made, so that the first one that stays
/// is the last one that is looked at.
pub(crate) fn forget_said(tx: &mut Tx<'_>, age: Age) -> Result<(), Code> {
    let days = kept_for(tx)?;
    for key in tx.keys(&Places::all(Kind::Sent))? {
        match tx.get::<Sent>(&key)? {
            Some(sent) if days > 0 && age.since(Age(sent.at)) <= DAY.saturating_mul(days) => return Ok(()),
            _ => tx.delete(key),
        }
    }
    Ok(())
}
