//! What the open sends wait for, as of one generation of the store.
//!
//! The queue is made once from the store and then follows the answers, so that an answer for one user never costs a look at the whole send.

use crate::{
    error::Code,
    flow::send::part,
    ids::{DeviceId, SendId, UserId},
    record::{PartState, Wanted},
    registry::send::{self, Aim, Need},
    store::{Generation, Kind, Places},
    tx::{Call, sends},
};
use std::collections::BTreeSet;

/// A user's part of a send. Parts are in the order in which they go out: older sends first, then users rising, our own last.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Ready {
    pub(crate) send: SendId,
    pub(crate) is_own: bool,
    pub(crate) user: UserId,
}

/// What the open sends wait for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    /// The generation of the store that it is of.
    pub(crate) generation: Generation,
    /// Parts that are whole.
    pub(crate) ready: BTreeSet<Ready>,
    /// Users whose list is missing, or is claimed to be newer.
    pub(crate) lists: BTreeSet<UserId>,
    /// Devices without a session.
    pub(crate) bundles: BTreeSet<(UserId, DeviceId)>,
}

impl Queue {
    /// Looks at every open send.
    pub(crate) fn survey(call: &mut Call<'_>) -> Result<Self, Code> {
        let mut queue = Self { generation: call.tx.generation()?, ..Self::default() };
        for id in sends::all(&call.tx)? {
            if sends::tally(&call.tx, &id)?.is_some_and(|tally| tally.open > 0 || tally.own_open) {
                for to in &sends::head(&call.tx, &id)?.ok_or(Code::RecordInconsistent)?.users {
                    queue.look_at(call, &to.user, &id)?;
                }
            }
        }
        for key in call.tx.keys(&Places::all(Kind::Wanted))? {
            queue.lists.extend(call.tx.get_sound::<Wanted>(&key)?.map(|wanted| wanted.user));
        }
        Ok(queue)
    }

    /// What the open sends to these users wait for.
    pub(crate) fn of(call: &mut Call<'_>, users: &BTreeSet<UserId>) -> Result<Self, Code> {
        let mut queue = Self::default();
        for user in users {
            if call.tx.exists(&call.tx.places().user(Kind::Wanted, user))? {
                queue.lists.insert(user.clone());
            }
            for id in sends::of_user(&call.tx, user)? {
                queue.look_at(call, user, &id)?;
            }
        }
        Ok(queue)
    }

    /// Takes in what the sends to these users wait for now.
    pub(crate) fn replace(&mut self, users: &BTreeSet<UserId>, now: Self) {
        self.ready.retain(|ready| !users.contains(&ready.user));
        self.lists.retain(|user| !users.contains(user));
        self.bundles.retain(|(user, _)| !users.contains(user));
        self.ready.extend(now.ready);
        self.lists.extend(now.lists);
        self.bundles.extend(now.bundles);
    }

    /// What one send to a user waits for.
    fn look_at(&mut self, call: &mut Call<'_>, user: &UserId, id: &SendId) -> Result<(), Code> {
        let Some(mut part) = sends::part(&call.tx, id, user)?.filter(|part| part.state == PartState::Open) else {
            return Ok(());
        };
        let head = sends::head(&call.tx, id)?.ok_or(Code::RecordInconsistent)?;
        let aim = Aim { us: &call.us.party, target: head.target, scope: head.scope(), now: call.now() };
        let record = call.tx.known(user)?;
        let peers = call.tx.listed_peers(record.as_deref())?;
        let mut plan = send::plan(&mut part, record.as_deref(), |device| peers.get(device), aim);
        let is_contested = plan.needs.iter().any(|need| matches!(need, Need::IdentityAcceptance(_)));
        let fails = head.group.is_some() && is_contested;
        if !plan.encrypt.is_empty() || part.state != PartState::Open || fails {
            // A session has come by another way than the loop's, and the part goes on with it; or mail has contested a member.
            let sending = sends::read(&call.tx, id)?.ok_or(Code::RecordInconsistent)?;
            let own = call.tx.own_list(call.user())?;
            part::advance(call, &sending, &mut part, &own)?;
            sends::put_part(&mut call.tx, &call.us.party.user, id, &part)?;
            let record = call.tx.known(user)?;
            let peers = call.tx.listed_peers(record.as_deref())?;
            plan = send::plan(&mut part, record.as_deref(), |device| peers.get(device), aim);
        }
        if part.state == PartState::Open && plan.needs.is_empty() && plan.encrypt.is_empty() {
            let is_own = user == call.user();
            self.ready.insert(Ready { send: *id, is_own, user: user.clone() });
        }
        for need in plan.needs {
            match need {
                Need::DeviceList(user) => {
                    self.lists.insert(user);
                }
                Need::Bundle(user, device) => {
                    self.bundles.insert((user, device));
                }
                // The app decides about identities, and our own keys are looked at elsewhere.
                Need::IdentityAcceptance(_) | Need::Publication => {}
            }
        }
        Ok(())
    }
}
