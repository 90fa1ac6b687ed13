//! What is due to devices with other operations: rides on the next send in the group, or is made ready by `tick` (D6, X 10).

use super::{
    super::{Device, work::Work},
    act::to_group,
    state,
};
use crate::{
    context::Context,
    error::{Code, Error},
    group::sync::{self, Answer},
    ids::{DeviceId, GroupId, UserId},
    record::{Group, SendBody, SentTo, Standing},
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
        group: &mut Group,
    ) -> Result<(), Error> {
        if group.standing != Standing::Member {
            return Ok(());
        }
        let due: Vec<(usize, Answer)> = group
            .lags
            .iter()
            .enumerate()
            .filter_map(|(at, lag)| Some((at, sync::answer(lag, group, self.user(), context.now)?)))
            .collect();
        if due.is_empty() && group.owed.is_empty() {
            return Ok(());
        }
        let set = state::load(work, id)?.set;
        let whole = state::encoded_bundles(work, &set)?;
        for (at, answer) in due {
            let Some(lag) = group.lags.get(at).cloned() else { continue };
            let listed =
                work.user(&lag.user)?.and_then(|user| user.list).is_some_and(|list| list.device(lag.device).is_some());
            if listed {
                let payloads = match answer {
                    Answer::Ask => vec![Bundle::default().encode()?],
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

    fn send_operations(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        group: &Group,
        (user, device): (&UserId, Option<DeviceId>),
        payload: Vec<u8>,
    ) -> Result<(), Error> {
        let to = vec![SentTo { user: user.clone(), account_key: None, verified: false, welcome: false }];
        let said = to_group(group, &to, self.user(), true);
        let body = SendBody { payload, welcome: Vec::new() };
        self.start(work, context, (to, device, Some(said), None), &body).map(drop)
    }

    /// The same for every group.
    pub(in super::super) fn serve_all_lags(&self, work: &mut Work<'_>, context: &mut Context<'_>) -> Result<(), Error> {
        for key in work.keys(&Places::all(Kind::Group))? {
            let Some(mut group) = work.get::<Group>(&key)? else { continue };
            let id = group.scope.group().ok_or(Code::RecordInconsistent)?;
            self.serve_lags(work, context, &id, &mut group)?;
        }
        Ok(())
    }
}
