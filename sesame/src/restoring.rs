//! A primary that comes back from a backup, behind a lock.

use crate::client::{Client, Host, PATIENCE, enter, outside};
use parking_lot::Mutex;
use sesame_core::{
    context::Context,
    device::{Backup, Device, Loss, RestoreRequests, Restoring as Pending},
    error::{Code, Error},
    event::{Answered, Server, ServerRequest},
    ids::RequestId,
};
use std::time::Duration;

/// A primary on its way back. It lives in the store: [`Restoring::resume`] takes it up after the app was closed.
///
/// Its loop is that of a device: [`Restoring::next_request`] and [`Restoring::respond`], until [`Restoring::device`] gives the device.
pub struct Restoring {
    state: Mutex<State>,
}

impl core::fmt::Debug for Restoring {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Restoring")
    }
}

/// What a handle of a restore holds.
enum State {
    Waiting(Box<Waiting>),
    /// The device is in the store.
    Restored(Box<Host>),
    Closed,
}

struct Waiting {
    restoring: Pending,
    host: Host,
    requests: RestoreRequests,
}

impl Restoring {
    /// Begins to restore a primary in an empty store, from [`Client::backup`]. `loss` says what became of the device that the backup was taken on: the
    /// new device takes its place, under an id of its own. Other devices of the user stay.
    ///
    /// Sessions are not in a backup: contacts and own devices begin new ones with the next message. What was not fetched by the former device is gone.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when the store holds a device, or one on its way; [`Code::WrongUser`] or [`Code::BrokenChain`] for a backup whose parts
    /// do not fit together; [`Code::TooManyOwnDevices`]; [`Code::WrongKey`]; as [`enter`]; the store's.
    pub fn begin(host: Host, server: &Server, backup: &Backup, loss: Loss) -> Result<Self, Error> {
        let begin =
            |context: &mut Context<'_>| Device::restore(host.store.clone(), &host.key, context, server, (backup, loss));
        let restoring = outside(&host.clock, begin)?;
        Ok(Self::new(restoring, host))
    }

    /// Takes up a restore that was begun before the app was closed.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when none is under way: [`Client::open`] if it has come to its end; [`Code::WrongKey`]; [`Code::RecordCorrupt`]; as
    /// [`enter`]; the store's.
    pub fn resume(host: Host) -> Result<Self, Error> {
        let restoring = outside(&host.clock, |_| Pending::resume(host.store.clone(), &host.key))?;
        Ok(Self::new(restoring, host))
    }

    fn new(restoring: Pending, host: Host) -> Self {
        let waiting = Waiting { restoring, host, requests: RestoreRequests::new() };
        Self { state: Mutex::new(State::Waiting(Box::new(waiting))) }
    }

    /// The next request to the server, which asks it to take the list that names this device. Nothing when it is too early, once the device is
    /// there, and once [`Restoring::over`].
    ///
    /// # Errors
    /// As [`enter`]; the store's.
    pub fn next_request(&self) -> Result<Option<ServerRequest>, Error> {
        self.waiting(|Waiting { restoring, host, requests }| {
            outside(&host.clock, |context| restoring.next_request(context, requests))
        })
        .map(Option::flatten)
    }

    /// Takes in the server's answer: the HTTP status, or 0 when none came, and the body. Whatever the server says is no error: `problem` says it.
    ///
    /// If the server has a newer list than the backup, the next request follows it. A `problem` of [`Code::BrokenChain`] ends the restore: the account
    /// key has signed other lists than those that the backup knows, so somebody else has it, or the backup is of a branch that was given up.
    /// So does [`Code::IdentityChanged`]: the name belongs to another account key by now.
    ///
    /// # Errors
    /// As [`enter`]; the store's. The request goes out again then.
    pub fn respond(&self, id: &RequestId, status: u16, body: &[u8]) -> Result<Answered, Error> {
        self.with_state(|state| {
            let State::Waiting(waiting) = state else { return Ok(Answered::default()) };
            let Waiting { restoring, host, requests } = waiting.as_mut();
            let (answered, is_there) =
                outside(&host.clock, |context| restoring.respond(context, requests, id, (status, body)))?;
            if is_there && let State::Waiting(waiting) = core::mem::replace(state, State::Closed) {
                *state = State::Restored(Box::new(waiting.host));
            }
            Ok(answered)
        })
    }

    /// Takes a request back that was not sent: it is given out again at once.
    ///
    /// # Errors
    /// As [`enter`].
    pub fn release(&self, id: &RequestId) -> Result<(), Error> {
        self.waiting(|waiting| {
            waiting.requests.release(id);
            Ok(())
        })
        .map(drop)
    }

    /// Ends every pause: the network is there again.
    ///
    /// # Errors
    /// As [`enter`].
    pub fn retry_now(&self) -> Result<(), Error> {
        self.waiting(|waiting| {
            waiting.requests.retry_now();
            Ok(())
        })
        .map(drop)
    }

    /// Why the restore cannot come to an end, if the server has shown it.
    ///
    /// # Errors
    /// As [`enter`].
    pub fn over(&self) -> Result<Option<Code>, Error> {
        self.waiting(|waiting| Ok(waiting.requests.over())).map(Option::flatten)
    }

    /// How long it is until [`Restoring::next_request`] has something to give: zero when it has now; a day when it never has.
    ///
    /// # Errors
    /// As [`enter`].
    pub fn due_in(&self) -> Result<Duration, Error> {
        let due = self.waiting(|Waiting { restoring, host, requests }| {
            outside(&host.clock, |context| Ok(restoring.due_in(context.now, requests)))
        })?;
        Ok(due.flatten().map_or(Duration::from_secs(24 * 60 * 60), Duration::from_millis))
    }

    /// The device, once the server has taken its list; it is given once.
    ///
    /// # Errors
    /// As [`Client::open`].
    pub fn device(&self) -> Result<Option<Client>, Error> {
        self.with_state(|state| match core::mem::replace(state, State::Closed) {
            State::Restored(host) => Client::open(*host).map(Some),
            other => {
                *state = other;
                Ok(None)
            }
        })
    }

    /// Calls a restore that is under way; nothing once the device is there.
    fn waiting<T>(&self, call: impl FnOnce(&mut Waiting) -> Result<T, Error>) -> Result<Option<T>, Error> {
        self.with_state(|state| match state {
            State::Waiting(waiting) => call(waiting).map(Some),
            State::Restored(_) | State::Closed => Ok(None),
        })
    }

    fn with_state<T>(&self, call: impl FnOnce(&mut State) -> Result<T, Error>) -> Result<T, Error> {
        enter()?;
        let mut state = self.state.try_lock_for(PATIENCE).ok_or(Code::Busy)?;
        call(&mut state)
    }
}

impl Client {
    /// What this primary would need to come back on another phone: the account key, its list with all hashes before it, the contacts with their pins, and
    /// the groups. Whoever has it is the user.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; the store's.
    pub fn backup(&self) -> Result<Backup, Error> {
        self.call(|core, context| core.backup(context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outside::Clock;
    use sesame_core::{context::Timestamp, ids::UserId, secret::Secret, store::MemoryStore};
    use sesame_relay::{Relay, Request, Response};
    use std::sync::Arc;

    const NOW: u64 = 1_800_000_000_000;

    fn host() -> Host {
        Host::new(Arc::new(MemoryStore::new()), Secret::init_with(|key| key.fill(1))).with_clock(Clock::test(NOW))
    }

    fn perform(relay: &mut Relay, request: &ServerRequest) -> Response {
        relay.perform(Timestamp(NOW), &Request::of(request))
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn a_primary_comes_back_by_the_loop_of_requests() -> Result<(), Error> {
        let (server, mut relay) = (Server::named("chat.test")?, Relay::new("chat.test"));
        let primary = Client::create(host(), &UserId::try_from("alice")?, &server)?;
        while let Some(request) = primary.next_request()? {
            let answer = perform(&mut relay, &request);
            primary.respond(&request.id, answer.status, &answer.body)?;
        }
        let backup = primary.backup()?;
        assert_eq!(format!("{backup:?}"), "Backup");
        let restoring = Restoring::begin(host(), &server, &backup, Loss::Lost)?;
        assert_eq!(
            (restoring.due_in()?, restoring.over()?, restoring.device()?.is_none()),
            (Duration::ZERO, None, true)
        );
        let request = restoring.next_request()?.ok_or(Code::Internal)?;
        assert!(restoring.next_request()?.is_none(), "it is lent");
        restoring.release(&request.id)?;
        let request = restoring.next_request()?.ok_or(Code::Internal)?;
        let failed = restoring.respond(&request.id, 503, b"")?;
        assert_eq!((failed.known, failed.problem), (true, Code::ServerBusy.number()));
        assert!(!restoring.due_in()?.is_zero());
        restoring.retry_now()?;
        let request = restoring.next_request()?.ok_or(Code::Internal)?;
        let answer = perform(&mut relay, &request);
        assert_eq!(restoring.respond(&request.id, answer.status, &answer.body)?.problem, 0);
        let back = restoring.device()?.ok_or(Code::Internal)?;
        assert_eq!((back.id().0, restoring.device()?.is_none(), restoring.next_request()?), (2, true, None));
        while let Some(request) = back.next_request()? {
            let answer = perform(&mut relay, &request);
            back.respond(&request.id, answer.status, &answer.body)?;
        }
        assert!(back.call(|core, context| core.is_primary(context))?);
        Ok(())
    }
}
