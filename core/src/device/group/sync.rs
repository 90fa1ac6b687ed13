//! What is due to devices with other operations: rides on the next send in the group, or is made ready by `tick` (D6, X 10).

use super::{
    super::{Device, work::Work},
    act::to_group,
    state,
};
use crate::{
    context::Context,
    error::{Code, Error},
    event::Standing,
    group::sync::{self, Answer},
    ids::{DeviceId, GroupId, UserId},
    model::{GroupRecord, Lag},
    record::SendBody,
    store::{Kind, Places},
    wire::group::Bundle,
};

impl Device {
    /// Makes the sends that are due to the lags of a group; they are in the outbox then.
    pub(super) fn serve_lags(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        id: &GroupId,
        group: &mut GroupRecord,
    ) -> Result<(), Error> {
        let due: Vec<(usize, Answer)> = group
            .lags
            .iter()
            .enumerate()
            .filter_map(|(at, lag)| {
                let answer = match group.standing {
                    Standing::Member => sync::answer(lag, group, self.user(), context.now)?,
                    // Whoever writes to us has not heard that we left.
                    _ => sync::is_due(lag, group, context.now).then_some(Answer::Push)?,
                };
                Some((at, answer))
            })
            .collect();
        if due.is_empty() && group.owed.is_empty() {
            return Ok(());
        }
        let set = state::load(work, id)?.set;
        let whole = state::encoded_bundles(work, &set)?;
        for (at, answer) in due {
            let Some(lag) = group.lags.get(at).cloned() else { continue };
            if self.concerns(work, group, &lag)? {
                let payloads = match answer {
                    Answer::Ask => vec![Bundle::default().encode()?],
                    Answer::Push if !sync::may_push(group, (&lag.user, lag.device), context.now) => Vec::new(),
                    // Who has left has nothing to tell but that.
                    Answer::Push if group.standing != Standing::Member => {
                        state::encoded_farewell(work, &set, self.user())?
                    }
                    Answer::Push if group.misled.contains(&lag.user) => state::encoded_evidence(work, &set, &lag.user)?,
                    Answer::Push => whole.clone(),
                };
                for payload in payloads {
                    self.send_operations(work, context, group, (&lag.user, Some(lag.device)), payload)?;
                }
            }
            if let Some(lag) = group.lags.get_mut(at) {
                lag.served = Some((group.claim, context.now.0));
                lag.asked = false;
            }
        }
        for user in core::mem::take(&mut group.owed) {
            if group.members.iter().any(|member| member.user == user) {
                for payload in &whole {
                    self.send_operations(work, context, group, (&user, None), payload.clone())?;
                }
            }
        }
        work.put_group(id, group).map_err(Error::from)
    }

    /// Whether a lag's device still has a part in the group: it is on its user's list, and the user is ours, is misled, or is a member under
    /// the very account key that we pin. Who has left gets nothing, whatever it claims (A56).
    fn concerns(&self, work: &Work<'_>, group: &GroupRecord, lag: &Lag) -> Result<bool, Code> {
        let Some(user) = work.user(&lag.user)? else { return Ok(false) };
        let listed = user.list.is_some_and(|list| list.device(lag.device).is_some());
        let own = lag.user == *self.user();
        Ok(listed && (own || group.misled.contains(&lag.user) || group.has(&lag.user, &user.account_key)))
    }

    fn send_operations(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        group: &GroupRecord,
        (user, device): (&UserId, Option<DeviceId>),
        payload: Vec<u8>,
    ) -> Result<(), Error> {
        let to = self.sent_alone(work, group, user)?;
        let said = to_group(group, &to, self.user(), true);
        let body = SendBody { payload, welcome: Vec::new() };
        self.start(work, context, (to, device, Some(said), None), &body).map(drop)
    }

    /// The same for every group.
    pub(in super::super) fn serve_all_lags(&self, work: &mut Work<'_>, context: &mut Context<'_>) -> Result<(), Error> {
        for key in work.keys(&Places::all(Kind::Group))? {
            let Some(mut group) = work.get::<GroupRecord>(&key)? else { continue };
            let id = group.scope.group().ok_or(Code::RecordInconsistent)?;
            self.serve_lags(work, context, &id, &mut group)?;
        }
        Ok(())
    }
}
