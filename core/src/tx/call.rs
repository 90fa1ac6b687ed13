//! One public call.

use super::Tx;
use crate::{
    clock::Moment,
    context::{Context, Timestamp},
    error::{Code, Error},
    ids::{DeviceId, SendId, SessionId, UserId},
    keys::device::DeviceKeys,
    limits::{MAX_STEPS, MAX_STEPS_OF_USER},
    registry::send::Need,
};
use std::collections::{BTreeMap, BTreeSet};

/// A user's part of a send. Parts are in the order in which they go out: older sends first, then users rising, our own last.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Ready {
    pub(crate) send: SendId,
    pub(crate) is_own: bool,
    pub(crate) user: UserId,
}

/// What a new part of a send waits for.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) part: Ready,
    /// Whether it can go to the server.
    pub(crate) is_ready: bool,
    pub(crate) needs: Vec<Need>,
}

/// The parts of sends that a call has begun. Whoever keeps a queue of what open sends wait for need not look at them again.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    pub(crate) parts: Vec<Waiting>,
}

/// One public call on its way: who makes it, the rows that it sees, the time and the randomness that it was given.
pub(crate) struct Call<'a> {
    /// This device's keys.
    pub(crate) us: &'a DeviceKeys,
    /// The rows.
    pub(crate) tx: Tx<'a>,
    /// Time and randomness.
    pub(crate) context: Context<'a>,
    /// When it is, by both clocks.
    pub(crate) at: Moment,
    /// What it has begun, if it changes nothing else that an open send waits for. Most calls cannot say so.
    pub(crate) begun: Option<Begun>,
    /// The steps that the messages of each user have cost this call.
    pub(crate) steps: Steps,
}

/// The steps of chains that one call has made besides one for each message, by user. What fails counts as well.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    of_users: BTreeMap<UserId, u32>,
    all: u32,
    /// Sessions of which a message waits for the next call.
    waiting: BTreeSet<SessionId>,
}

impl Steps {
    /// Counts the steps that a message of this user and this session costs.
    ///
    /// # Errors
    /// [`Code::TooManySteps`] if they are not to be made in this call. [`Code::TooFarAhead`] as it is given, unless the messages that come
    /// before this one wait as well: once they are opened, it may be near.
    pub(crate) fn count(&mut self, user: &UserId, session: SessionId, steps: Result<u32, Code>) -> Result<(), Code> {
        let steps = match steps {
            Ok(0) => return Ok(()),
            Err(Code::TooFarAhead) if self.waiting.contains(&session) => return Err(Code::TooManySteps),
            steps => steps?,
        };
        let of_user = self.of_users.get(user).copied().unwrap_or(0).saturating_add(steps);
        let all = self.all.saturating_add(steps);
        if of_user > MAX_STEPS_OF_USER || all > MAX_STEPS {
            self.waiting.insert(session);
            return Err(Code::TooManySteps);
        }
        self.of_users.insert(user.clone(), of_user);
        self.all = all;
        Ok(())
    }
}

impl<'a> Call<'a> {
    /// Our own user.
    pub(crate) fn user(&self) -> &'a UserId {
        &self.us.party.user
    }

    /// This device.
    pub(crate) fn device(&self) -> DeviceId {
        self.us.party.device
    }

    /// The time of the call by the host's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.at.now
    }

    /// One of many: what it changes stays if it succeeds. If a row that it needs is damaged it leaves no trace, and the others go on.
    pub(crate) fn one<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<Option<T>, Error> {
        self.tx.begin_item();
        let done = step(self);
        self.tx.end_item(done.is_ok());
        match done {
            Ok(done) => Ok(Some(done)),
            Err(error) if error.code.is_damage() => {
                // Whoever keeps a queue looks again.
                self.begun = None;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The age clock follows the host's. Calls that come often do this; nothing is written if little has changed.
    pub(crate) fn observe(&mut self) -> Result<(), Code> {
        self.tx.observe(self.at.now)
    }
}
