//! What is due to devices with other operations: it goes with the next send in the group, or in a send of its own when housekeeping runs (D6, X 10).

use super::{bundles, state, tell};
use crate::{
    error::{Code, Error},
    event::Standing,
    group::{
        set::Set,
        sync::{self, Answer},
    },
    ids::{DeviceId, GroupId, Scope, UserId},
    model::{GroupRecord, Lag},
    tx::{Call, ledger},
    wire::group::Bundle,
};

/// Makes the sends that are due to the lagging devices of a group, and to members to whom its state is owed.
pub(crate) fn serve_lags(call: &mut Call<'_>, id: &GroupId, group: &mut GroupRecord) -> Result<(), Error> {
    if group.invitation.is_some() {
        return Ok(());
    }
    let mut due: Vec<(usize, Answer)> = Vec::new();
    for (at, lag) in group.lags.iter().enumerate() {
        // An own device has begun to tell this one of the group: the rest is asked for.
        let is_told = lag.user == *call.user() && group.left_at(call.user()).is_none();
        let answer = if group.standing == Standing::Member || is_told {
            sync::answer(lag, group, call.user(), call.at.age)
        } else {
            // A device that still sends to us has not heard that we left.
            sync::is_due(lag, group, call.at.age).then_some(Answer::Push)
        };
        due.extend(answer.map(|answer| (at, answer)));
    }
    if due.is_empty() && group.owed.is_empty() {
        return Ok(());
    }
    let set = state::load(&call.tx, id)?.set;
    let state = State { whole: bundles::whole(&call.tx, &set)?, set };
    for (at, answer) in due {
        let Some(lag) = group.lags.get(at).cloned() else { continue };
        if concerns(call, group, &lag)? {
            for payload in payloads(call, group, &state, &lag, answer)? {
                tell::say_alone(call, group, &lag.user, Some(lag.device), payload)?;
            }
        }
        if let Some(lag) = group.lags.get_mut(at) {
            lag.served = Some((group.claim, call.at.age.0));
            lag.asked = false;
        }
    }
    for user in core::mem::take(&mut group.owed) {
        if group.is_member(&user) {
            for payload in &state.whole {
                tell::say_alone(call, group, &user, None, payload.clone())?;
            }
        }
    }
    call.tx.put_group(id, group).map_err(Error::from)
}

/// Asks a device for all operations of a group that we may know nothing of.
pub(super) fn ask(call: &mut Call<'_>, (user, device): (&UserId, DeviceId), scope: Scope) -> Result<(), Error> {
    let id = scope.group().ok_or(Code::RecordInconsistent)?;
    let group = match call.tx.group(&id)? {
        None => GroupRecord::unknown(scope),
        Some(group) if user == call.user() => group,
        Some(group) if group.standing == Standing::Member && group.is_member(user) => group,
        // Nothing is sent in a group that our user is not in, and nothing to who has left it.
        Some(_) => return Ok(()),
    };
    tell::say_alone(call, &group, user, Some(device), Bundle::default().encode()?)?;
    Ok(())
}

/// A device could not open what it was told of a group: it gets the group's whole state, if it still has a part in it. Gives whether it does.
pub(crate) fn tell_again(
    call: &mut Call<'_>,
    scope: Scope,
    (user, device): (&UserId, DeviceId),
) -> Result<bool, Error> {
    let id = scope.group().ok_or(Code::RecordInconsistent)?;
    let Some(mut group) = call.tx.group(&id)?.filter(|group| group.invitation.is_none()) else { return Ok(false) };
    let known = call.tx.known(user)?.ok_or(Code::UnknownUser)?;
    let has_part = user == call.user() || group.has(user, &known.account_key);
    if group.standing != Standing::Member || !has_part || !sync::may_push(&mut group, (user, device), call.at.age) {
        return Ok(false);
    }
    call.tx.put_group(&id, &group)?;
    let set = state::load(&call.tx, &id)?.set;
    for payload in bundles::whole(&call.tx, &set)? {
        tell::say_alone(call, &group, user, Some(device), payload)?;
    }
    Ok(true)
}

/// A group's operations, and all of them as they are sent.
struct State {
    set: Set,
    whole: Vec<Vec<u8>>,
}

/// What a lagging device is sent, each payload in a message of its own.
fn payloads(
    call: &Call<'_>,
    group: &mut GroupRecord,
    state: &State,
    lag: &Lag,
    answer: Answer,
) -> Result<Vec<Vec<u8>>, Code> {
    if answer == Answer::Ask {
        return Ok(vec![Bundle::default().encode()?]);
    }
    if !sync::may_push(group, (&lag.user, lag.device), call.at.age) {
        return Ok(Vec::new());
    }
    // In pieces it would look like a yes to an own device that was asked in (X 11).
    let is_ours = lag.user == *call.user() && state.whole.len() == 1;
    if group.standing != Standing::Member && !is_ours {
        // Our user has left, and that is all that there is to tell.
        return bundles::farewell(&call.tx, &state.set, call.user());
    }
    Ok(state.whole.clone())
}

/// Whether a lagging device still has a part in the group: it is on its user's list, and the user is ours, or is a member under the very
/// account key that we pin. A user who has left gets nothing, whatever its devices claim (A56).
fn concerns(call: &Call<'_>, group: &GroupRecord, lag: &Lag) -> Result<bool, Code> {
    let Some(user) = call.tx.user(&lag.user)? else { return Ok(false) };
    let listed = user.list.as_ref().is_some_and(|list| list.device(lag.device).is_some());
    let own = lag.user == *call.user();
    Ok(listed && (own || group.has(&lag.user, &user.account_key)))
}

/// The same for every group. Devices whose operations were dropped are asked for them, if there is room now (X 9).
pub(crate) fn serve_all_lags(call: &mut Call<'_>) -> Result<(), Error> {
    for (user, device, scope) in ledger::take_dropped(&mut call.tx, call.at.age)? {
        call.one(|call| ask(call, (&user, device), scope))?;
    }
    for mut group in call.tx.groups()? {
        call.one(|call| {
            let id = group.scope.group().ok_or(Code::RecordInconsistent)?;
            serve_lags(call, &id, &mut group)
        })?;
    }
    Ok(())
}
