//! What has become of a send, and what the app says of it: withdrawn, tried again, given up for its age.

use super::start;
use crate::{
    clock::Age,
    error::{Code, Error},
    event::{Outcome, SendStatus, Skipped, UserStatus, WaitingFor},
    ids::{SendId, UserId},
    limits::MAX_SEND_AGE,
    model::User,
    record::{PartState, Says, SendHead, SendPart, SentTo},
    store::{Kind, Places},
    tx::{Call, Tx, sends},
};
use std::{collections::BTreeSet, sync::Arc};

/// The sends that the app has not acked the end of, oldest first.
pub(crate) fn all(call: &Call<'_>) -> Result<Vec<SendStatus>, Code> {
    let mut all = Vec::new();
    for id in sends::all(&call.tx)? {
        if sends::head(&call.tx, &id)?.is_some_and(|head| !head.quiet) {
            match status(call, &id) {
                Ok(status) => all.extend(status),
                Err(code) if code.is_damage() => {}
                Err(code) => return Err(code),
            }
        }
    }
    Ok(all)
}

/// How a send stands, or `None` when it is gone.
pub(crate) fn status(call: &Call<'_>, id: &SendId) -> Result<Option<SendStatus>, Code> {
    let Some(sending) = sends::read(&call.tx, id)? else { return Ok(None) };
    let tally = sends::tally(&call.tx, id)?.ok_or(Code::RecordInconsistent)?;
    if tally.acked {
        return Ok(None);
    }
    let head = &sending.head;
    // What the devices of our user say to each other of a hand-over is no affair of the app's, and may carry the account key.
    if head.says == Says::Handover {
        return Ok(None);
    }
    let is_published = !call.tx.book()?.is_due_before_sending(call.now());
    let mut users = Vec::new();
    for to in head.users.iter().filter(|to| tally.to_self || to.user != *call.user()) {
        let part = sends::part(&call.tx, id, &to.user)?.unwrap_or_else(|| lost(&to.user));
        users.push(user_status(call, &part, is_published)?);
    }
    users.sort_by(|a, b| a.user.cmp(&b.user));
    let is_act = head.group.is_some_and(|group| group.operations);
    Ok(Some(SendStatus {
        id: *id,
        content_id: head.content_id,
        group: head.scope().group(),
        payload: if is_act { Vec::new() } else { sending.body.payload.clone() },
        finished: tally.is_finished(),
        users,
    }))
}

/// What takes the place of a part that does not open, until housekeeping ends it.
fn lost(user: &UserId) -> SendPart {
    let mut part = SendPart::new(user.clone());
    part.fail(Code::RecordCorrupt);
    part
}

fn user_status(call: &Call<'_>, part: &SendPart, is_published: bool) -> Result<UserStatus, Code> {
    let is_blocked = call.tx.get_sound::<User>(&call.tx.places().user(Kind::User, &part.user))?;
    let is_blocked = is_blocked.is_some_and(|user| user.claimed_key.is_some());
    let (outcome, waiting_for) = match part.state {
        PartState::Open if is_blocked => (Outcome::Waiting, WaitingFor::Identity),
        PartState::Open if !is_published => (Outcome::Waiting, WaitingFor::Publication),
        PartState::Open => (Outcome::Waiting, WaitingFor::Server),
        PartState::Failed(_) => (Outcome::Failed, WaitingFor::Nothing),
        PartState::Taken => (Outcome::Sent, WaitingFor::Nothing),
        PartState::Cancelled(_) => (Outcome::Cancelled, WaitingFor::Nothing),
    };
    let shown = |skip: &crate::record::Skip| Skipped {
        device: skip.device,
        fingerprint: skip.fingerprint,
        reason: skip.reason,
    };
    Ok(UserStatus {
        user: part.user.clone(),
        outcome,
        waiting_for,
        reached: part.reached,
        skipped: part.skips.iter().map(shown).collect(),
        reason: part.failure().unwrap_or(0),
    })
}

/// The head of a send whose end the app has not acked. Copies for our own devices may still go out after that.
fn of_the_app(call: &Call<'_>, id: &SendId) -> Result<Arc<SendHead>, Error> {
    let is_acked = sends::tally(&call.tx, id)?.is_some_and(|tally| tally.acked);
    let head = sends::head(&call.tx, id)?.filter(|head| !head.quiet && !is_acked);
    head.ok_or(Error::of(Code::UnknownSend, "send"))
}

/// Withdraws a send for these users, or for all. `may_have_given` says whether a user's batch may be on its way already.
pub(crate) fn cancel(
    call: &mut Call<'_>,
    id: &SendId,
    users: Option<&[UserId]>,
    may_have_given: &dyn Fn(&UserId) -> bool,
) -> Result<(), Error> {
    let head = of_the_app(call, id)?;
    if let Some(item) = users.and_then(|users| users.iter().position(|user| head.to(user).is_none())) {
        return Err(Error { item: Some(item), ..Error::of(Code::UnknownUser, "users") });
    }
    let us = call.user().clone();
    // Our own user comes last: the copies for our own devices follow what others have got, or may have got.
    let mut is_sent = false;
    for SentTo { user, .. } in &head.users {
        let is_own = *user == us;
        let withdraws = users.map_or(!(is_own && is_sent), |users| users.contains(user));
        if withdraws {
            let code = if may_have_given(user) { Code::MaybeSent } else { Code::Cancelled };
            sends::close(&mut call.tx, &us, id, user, PartState::Cancelled(code.number()))?;
        }
        let state = sends::part(&call.tx, id, user)?.map(|part| part.state);
        is_sent |= !matches!(state, Some(PartState::Failed(_)))
            && state != Some(PartState::Cancelled(Code::Cancelled.number()));
    }
    Ok(())
}

/// Tries again for everybody for whom the send failed or was withdrawn.
pub(crate) fn retry(call: &mut Call<'_>, id: &SendId) -> Result<(), Error> {
    of_the_app(call, id)?;
    start::check_account(call, &call.tx.own_list(call.user())?)?;
    for user in sends::reopen(&mut call.tx, &call.us.party.user, id, call.at.age)? {
        start::follow_user(call, &user)?;
    }
    Ok(())
}

/// Nothing more goes out of this device: what is open comes to this end.
pub(crate) fn end_all(call: &mut Call<'_>, state: PartState) -> Result<(), Code> {
    for id in sends::all(&call.tx)? {
        let Some(head) = sends::head(&call.tx, &id)? else { continue };
        for to in &head.users {
            sends::close(&mut call.tx, &call.us.party.user, &id, &to.user, state)?;
        }
    }
    Ok(())
}

/// Gives up what has waited for too long, and what damage would keep open.
pub(crate) fn expire(call: &mut Call<'_>) -> Result<(), Code> {
    let (us, age) = (&call.us.party.user, call.at.age);
    let mut ids: BTreeSet<SendId> = sends::all(&call.tx)?.into_iter().collect();
    for kind in [Kind::SendBody, Kind::SendTally] {
        for key in call.tx.keys(&Places::all(kind))? {
            ids.insert(Places::send_of(&key)?);
        }
    }
    for id in ids {
        call.tx.one(|tx| expire_one(tx, us, &id, age))?;
    }
    Ok(())
}

fn expire_one(tx: &mut Tx<'_>, us: &UserId, id: &SendId, age: Age) -> Result<(), Code> {
    sends::mend(tx, us, id)?;
    let (Some(head), Some(tally)) = (sends::head(tx, id)?, sends::tally(tx, id)?) else { return Ok(()) };
    if age.since(Age(tally.tried_at)) <= MAX_SEND_AGE {
        return Ok(());
    }
    for to in &head.users {
        sends::close(tx, us, id, &to.user, PartState::Failed(Code::Expired.number()))?;
    }
    Ok(())
}
