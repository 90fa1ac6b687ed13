//! What the open sends wait for, as of one generation of the store.
//!
//! The queue is made once from the store and then follows the answers and what calls begin, so that neither an answer for one user nor a new
//! send costs a look at all the others.

use crate::{
    error::Code,
    flow::send::part,
    ids::{DeviceId, SendId, UserId},
    record::{PartState, Wanted},
    registry::send::{self, Aim, Need},
    store::{Generation, Kind, Places},
    tx::{Begun, Call, Ready, call::Waiting, sends},
};
use foldhash::fast::RandomState;
use std::collections::{BTreeSet, HashMap};

/// What the open sends wait for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    /// The generation of the store that it is of.
    pub(crate) generation: Generation,
    /// Parts that are whole.
    pub(crate) ready: BTreeSet<Ready>,
    /// The sends of those, by user.
    of_user: HashMap<UserId, Vec<SendId>, RandomState>,
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
                for to in sends::head(&call.tx, &id)?.iter().flat_map(|head| &head.users) {
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
        sends::prefetch_of_users(&call.tx, users)?;
        for user in users {
            if call.tx.exists(&call.tx.places().user(Kind::Wanted, user))? {
                queue.lists.insert(user.clone());
            }
            for id in sends::read_of_user(&call.tx, user)? {
                queue.look_at(call, user, &id)?;
            }
        }
        Ok(queue)
    }

    /// Takes in what the sends to these users wait for now.
    pub(crate) fn replace(&mut self, users: &BTreeSet<UserId>, now: Self) {
        for user in users {
            for send in self.of_user.remove(user).unwrap_or_default() {
                for is_own in [false, true] {
                    self.ready.remove(&Ready { send, is_own, user: user.clone() });
                }
            }
            self.lists.remove(user);
            let from = (user.clone(), DeviceId(0));
            let of_user = self.bundles.range(from..).take_while(|(of, _)| of == user);
            for device in of_user.map(|(_, device)| *device).collect::<Vec<_>>() {
                self.bundles.remove(&(user.clone(), device));
            }
        }
        now.ready.into_iter().for_each(|part| self.put(part));
        self.lists.extend(now.lists);
        self.bundles.extend(now.bundles);
    }

    /// Whether a device of this user lacks a session.
    pub(super) fn wants_bundle(&self, user: &UserId) -> bool {
        self.bundles.range((user.clone(), DeviceId(0))..).next().is_some_and(|(of, _)| of == user)
    }

    fn put(&mut self, part: Ready) {
        self.of_user.entry(part.user.clone()).or_default().push(part.send);
        self.ready.insert(part);
    }

    /// What one send to a user waits for.
    fn look_at(&mut self, call: &mut Call<'_>, user: &UserId, id: &SendId) -> Result<(), Code> {
        // A send of which something is damaged waits for housekeeping, which ends it. The others go on.
        call.one(|call| Ok(self.look(call, user, id)?)).map(drop).map_err(|error| error.code)
    }

    fn look(&mut self, call: &mut Call<'_>, user: &UserId, id: &SendId) -> Result<(), Code> {
        let Some(mut part) = sends::part(&call.tx, id, user)?.filter(|part| part.state == PartState::Open) else {
            return Ok(());
        };
        let head = sends::head(&call.tx, id)?.ok_or(Code::RecordInconsistent)?;
        let aim = Aim::of(&call.us.party, &head, call.at);
        let record = match call.tx.known(user) {
            Err(code) if code.is_damage() => {
                let state = PartState::Failed(Code::RecordCorrupt.number());
                return sends::close(&mut call.tx, &call.us.party.user, id, user, state);
            }
            record => record?,
        };
        let peers = call.tx.listed_peers(record.as_deref())?;
        let plan = send::plan(&mut part, record.as_deref(), |device| peers.get(device), aim);
        let mut needs = plan.needs;
        let is_contested = needs.iter().any(|need| matches!(need, Need::IdentityAcceptance(_)));
        let fails = head.group.is_some() && is_contested;
        // What is made for a device that is no longer on the list goes; so a part that is ready is what goes out.
        if plan.has_changed || !plan.encrypt.is_empty() || fails {
            // A session has come by another way than the loop's, and the part goes on with it; or mail has contested a member.
            let sending = sends::read(&call.tx, id)?.ok_or(Code::RecordInconsistent)?;
            let own = call.tx.own_list(call.user())?;
            needs = part::advance(call, &sending, &mut part, &own)?;
            sends::put_part(&mut call.tx, &call.us.party.user, id, part.clone())?;
        }
        let is_ready = part.state == PartState::Open && needs.is_empty();
        self.note(Ready { send: *id, is_own: user == call.user(), user: user.clone() }, is_ready, needs);
        Ok(())
    }

    /// Takes in what a call has begun.
    pub(super) fn take_in(&mut self, begun: Begun, generation: Generation) {
        for Waiting { part, is_ready, needs } in begun.parts {
            self.note(part, is_ready, needs);
        }
        self.generation = generation;
    }

    /// Takes in what a part waits for.
    fn note(&mut self, part: Ready, is_ready: bool, needs: Vec<Need>) {
        if is_ready {
            self.put(part);
        }
        for need in needs {
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
    }
}
