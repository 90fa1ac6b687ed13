//! Linking, behind a lock: a new device on its way, and the primary's calls.

use crate::client::{Client, Host, PATIENCE, enter, outside};
use parking_lot::Mutex;
use sesame_core::{
    context::{Context, Timestamp},
    device::{Device, LinkRequests, LinkTag, Linking as Pending},
    error::{Blame, Code, Error},
    event::{Answered, LinkLeg, LinkPost, LinkWait, PendingLinkView, Server, ServerRequest},
    ids::{DeviceId, LinkId, RequestId},
    secret::Secret,
};
use std::time::Duration;

/// A new device that waits for its primary. It lives in the store: [`Linking::resume`] takes it up after the app was closed.
///
/// It shows [`Linking::code`] to the primary, hears the primary's hello, shows [`Linking::digits`], and takes the answer after
/// [`Linking::confirm`].
pub struct Linking {
    code: String,
    tag: LinkTag,
    state: Mutex<State>,
}

impl core::fmt::Debug for Linking {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Linking")
    }
}

struct Waiting {
    /// `None` after an answer that was not taken: it is taken up from the store again.
    linking: Option<Pending>,
    host: Host,
    requests: LinkRequests,
}

/// What a handle of a link holds.
enum State {
    Waiting(Box<Waiting>),
    /// The device, until the app takes it.
    Linked(Box<Client>),
    Closed,
}

impl Waiting {
    /// The link, which the answer will use up.
    fn take(&mut self) -> Result<Pending, Error> {
        match self.linking.take() {
            Some(linking) => Ok(linking),
            None => outside(&self.host.clock, |_| Pending::resume(self.host.store.clone(), &self.host.key)),
        }
    }

    fn with<T>(
        &mut self,
        call: impl FnOnce(&Pending, &mut Context<'_>, &mut LinkRequests) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let linking = self.take()?;
        let requests = &mut self.requests;
        let result = outside(&self.host.clock, |context| call(&linking, context, requests));
        self.linking = Some(linking);
        result
    }

    fn complete(&mut self, answer: &[u8]) -> Result<Client, Error> {
        let linking = self.take()?;
        let key = Secret::init_with(|to| *to = *self.host.key.expose());
        let copy = Host::new(self.host.store.clone(), key).with_clock(self.host.clock.clone());
        Client::complete(linking, copy, answer)
    }
}

impl Linking {
    /// Begins to link a new device. A link that was begun in this store before is replaced.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when the store holds a device already; [`Code::WrongKey`]; as [`enter`]; the store's.
    pub fn begin(host: Host, server: &Server) -> Result<Self, Error> {
        let begin = |context: &mut Context<'_>| Device::begin_link(host.store.clone(), &host.key, context, server);
        let linking = outside(&host.clock, begin)?;
        Ok(Self::new(linking, host))
    }

    /// Takes up a link that was begun before the app was closed.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when none was begun; [`Code::WrongKey`]; [`Code::RecordCorrupt`]; as [`enter`]; the store's.
    pub fn resume(host: Host) -> Result<Self, Error> {
        let linking = outside(&host.clock, |_| Pending::resume(host.store.clone(), &host.key))?;
        Ok(Self::new(linking, host))
    }

    fn new(linking: Pending, host: Host) -> Self {
        let (code, tag) = (linking.code().to_owned(), linking.tag());
        let waiting = Waiting { linking: Some(linking), host, requests: LinkRequests::new() };
        Self { code, tag, state: Mutex::new(State::Waiting(Box::new(waiting))) }
    }

    /// What to show to the primary.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What to ask the server for. `None` while the app has to confirm, and once the device is there.
    ///
    /// # Errors
    /// As [`enter`]; the store's.
    pub fn next_leg(&self) -> Result<Option<LinkWait>, Error> {
        self.look(|linking, _, _| linking.next_leg())
    }

    /// Hears the primary's hello and gives the digits to show: 15 of them. Only the first hello is heard; it may come again.
    ///
    /// # Errors
    /// [`Code::AuthenticationFailed`] for a hello to another code; [`Code::LinkMismatch`] for a second hello; [`Code::LinkExpired`]; what is
    /// wrong with the bytes; [`Code::Closed`]; as [`enter`]; the store's.
    pub fn hear_hello(&self, hello: &[u8]) -> Result<String, Error> {
        self.with(|linking, context| linking.hear_hello(context, hello))
    }

    /// The digits to show, or `None` before a hello was heard and once the device is there.
    ///
    /// # Errors
    /// As [`Linking::next_leg`].
    pub fn digits(&self) -> Result<Option<String>, Error> {
        self.look(|linking, _, _| linking.digits())
    }

    /// The user has seen the same digits on both devices; only now is an answer taken.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] before a hello was heard, as there are no digits that the user can have seen ([`Code::LinkNotConfirmed`] is for
    /// an answer that comes before this call); [`Code::LinkExpired`]; [`Code::Closed`]; as [`enter`]; the store's.
    pub fn confirm(&self) -> Result<(), Error> {
        self.with(|linking, context| linking.confirm(context))
    }

    /// Whether nothing more can come of this link, because its time is over or something else than the primary's word lies in its box: begin
    /// another one then. A link that was confirmed waits a day longer for its answer. False once the device is there.
    ///
    /// # Errors
    /// As [`Linking::next_leg`].
    pub fn expired(&self) -> Result<bool, Error> {
        let expired = self.look(|linking, now, requests| {
            let over = requests.over().is_some();
            Ok(Some(over || linking.expired(now)?))
        })?;
        Ok(expired.unwrap_or(false))
    }

    /// The next request to the server: a look into the link's box. Nothing while the app has to confirm, when it is too early, and once the
    /// device is there.
    ///
    /// # Errors
    /// As [`enter`]; the store's.
    pub fn next_request(&self) -> Result<Option<ServerRequest>, Error> {
        self.with_state(|state| match state {
            State::Waiting(waiting) => {
                waiting.with(|linking, context, requests| linking.next_request(context, requests))
            }
            State::Linked(_) | State::Closed => Ok(None),
        })
    }

    /// Takes in the server's answer to a request: the HTTP status, or 0 when none came, and the body. Whatever the server says is no error:
    /// `problem` says it.
    ///
    /// # Errors
    /// [`Code::ForeignRequest`] when a device or another link gave the request out; as [`enter`]; the store's. The request may be answered again
    /// then.
    pub fn respond(&self, id: &RequestId, status: u16, body: &[u8]) -> Result<Answered, Error> {
        self.with_state(|state| {
            self.tag.check(id)?;
            let State::Waiting(waiting) = state else { return Ok(Answered::default()) };
            let (wait, (answered, found)) = waiting.with(|linking, context, requests| {
                Ok((linking.next_leg()?, linking.found(context, requests, id, (status, body))))
            })?;
            let (Some(found), Some(wait)) = (found, wait) else { return Ok(answered) };
            let taken = match wait.leg {
                LinkLeg::Hello => waiting.with(|linking, context, _| linking.hear_hello(context, &found)).map(|_| None),
                LinkLeg::Answer => waiting.complete(&found).map(Some),
            };
            match taken {
                Ok(None) => Ok(answered),
                Ok(Some(client)) => {
                    *state = State::Linked(Box::new(client));
                    Ok(answered)
                }
                // What lies in the box is not from our primary, and stays there: nothing can come of this link.
                Err(error) if matches!(error.code.blame(), Blame::App | Blame::Peer | Blame::Server) => {
                    waiting.requests.end(error.code);
                    Ok(Answered { problem: error.code.number(), ..answered })
                }
                Err(error) => Err(error),
            }
        })
    }

    /// Takes a request back that was not sent: it is given out again at once.
    ///
    /// # Errors
    /// [`Code::ForeignRequest`] when a device or another link gave the request out; as [`enter`].
    pub fn release(&self, id: &RequestId) -> Result<(), Error> {
        self.with_state(|state| {
            self.tag.check(id)?;
            if let State::Waiting(waiting) = state {
                waiting.requests.release(id);
            }
            Ok(())
        })
    }

    /// Ends every pause: the network is there again.
    ///
    /// # Errors
    /// As [`enter`].
    pub fn retry_now(&self) -> Result<(), Error> {
        self.with_state(|state| {
            if let State::Waiting(waiting) = state {
                waiting.requests.retry_now();
            }
            Ok(())
        })
    }

    /// How long it is until [`Linking::next_request`] has something to give: zero when it has now. It is a day while the app has to confirm, and
    /// when nothing more is asked: the device is there, or [`Linking::expired`], or an answer brought a problem that ends the link.
    ///
    /// # Errors
    /// As [`enter`]; the store's.
    pub fn due_in(&self) -> Result<Duration, Error> {
        self.with_state(|state| match state {
            State::Waiting(waiting) => {
                let due_in = waiting.with(|linking, context, requests| linking.due_in(context.now, requests))?;
                Ok(Duration::from_millis(due_in))
            }
            State::Linked(_) | State::Closed => Ok(Duration::from_secs(24 * 60 * 60)),
        })
    }

    /// The device, once the answer has come; it is given once.
    ///
    /// # Errors
    /// As [`enter`].
    pub fn device(&self) -> Result<Option<Client>, Error> {
        self.with_state(|state| match core::mem::replace(state, State::Closed) {
            State::Linked(client) => Ok(Some(*client)),
            other => {
                *state = other;
                Ok(None)
            }
        })
    }

    /// Takes the primary's answer, if it came by another way than the loop of requests. A wrong one, or a store that fails, changes nothing: the
    /// right one may still come.
    ///
    /// # Errors
    /// [`Code::Closed`] once it is complete; [`Code::LinkNotConfirmed`] before [`Linking::confirm`]; [`Code::LinkMismatch`] for an answer that
    /// follows another hello or comes from another account; [`Code::AuthenticationFailed`] for one that others made;
    /// [`Code::LinkExpired`]; [`Code::NotListed`] when the list in it does not name this device; as [`enter`]; the store's.
    pub fn complete(&self, answer: &[u8]) -> Result<Client, Error> {
        self.with_state(|state| {
            let State::Waiting(waiting) = state else { return Err(Code::Closed.into()) };
            let client = waiting.complete(answer)?;
            *state = State::Closed;
            Ok(client)
        })
    }

    fn with_state<T>(&self, call: impl FnOnce(&mut State) -> Result<T, Error>) -> Result<T, Error> {
        enter()?;
        let mut state = self.state.try_lock_for(PATIENCE).ok_or(Code::Busy)?;
        call(&mut state)
    }

    /// What a link says of itself; nothing once the device is there.
    fn look<T>(
        &self,
        call: impl FnOnce(&Pending, Timestamp, &LinkRequests) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        self.with_state(|state| match state {
            State::Waiting(waiting) => waiting.with(|linking, context, requests| call(linking, context.now, requests)),
            State::Linked(_) | State::Closed => Ok(None),
        })
    }

    fn with<T>(&self, call: impl FnOnce(&Pending, &mut Context<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.with_state(|state| match state {
            State::Waiting(waiting) => waiting.with(|linking, context, _| call(linking, context)),
            State::Linked(_) | State::Closed => Err(Code::Closed.into()),
        })
    }
}

impl Client {
    /// The primary reads a new device's code and begins the link. Nothing is signed yet: the app shows the digits, and calls
    /// [`Client::confirm_link`] once the user has seen the same ones on the new device. A code that is read twice gives the same link.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::LinkMalformed`] for a text that is not a code, or was mistyped; [`Code::LinkExpired`];
    /// [`Code::LinkUsed`]; [`Code::LinkClock`] when this device's clock and the new one's are too far apart; [`Code::UnsupportedVersion`] for a
    /// code of a later version; [`Code::BadKeyEncoding`], [`Code::WeakPublicKey`] or [`Code::KeyReuse`] for a key in it;
    /// [`Code::TooManyOwnDevices`]; [`Code::TooMany`] beyond 4 links at once; the store's.
    pub fn link_device(&self, code: &str) -> Result<PendingLinkView, Error> {
        self.call(|core, context| core.link_device(context, code))
    }

    /// The user has seen the same digits on both devices: a new list names the new device, and the answer for it is made. Gives the id of the
    /// new device; a repeated call gives the same one.
    ///
    /// The new list and the answer go out with the next requests.
    ///
    /// # Errors
    /// [`Code::LinkExpired`], also for a link that is not known; [`Code::LinkUsed`] for one that was cancelled; [`Code::LinkMismatch`] when
    /// somebody else's hello lies in the box; [`Code::NotPrimary`]; [`Code::TooManyOwnDevices`]; [`Code::KeyReuse`]; the store's.
    pub fn confirm_link(&self, id: &LinkId) -> Result<DeviceId, Error> {
        self.call(|core, context| core.confirm_link(context, id))
    }

    /// The app gives a link up, for example because the digits differ. The code is never taken again. A link that is not known is no error.
    ///
    /// # Errors
    /// [`Code::LinkUsed`] when it was confirmed: [`Client::remove_device`] then; the store's.
    pub fn cancel_link(&self, id: &LinkId) -> Result<(), Error> {
        self.call(|core, context| core.cancel_link(context, id))
    }

    /// What the primary has still to put into boxes at the server.
    ///
    /// # Errors
    /// The store's.
    pub fn link_posts(&self) -> Result<Vec<LinkPost>, Error> {
        self.call(|core, context| core.link_posts(context))
    }

    /// The server has answered to a post with what lies in that leg now. `false`: it is not what was posted, so that somebody else who knows
    /// the code was first. Such a link cannot be confirmed.
    ///
    /// # Errors
    /// The store's.
    pub fn link_posted(&self, id: &LinkId, leg: LinkLeg, lies: &[u8]) -> Result<bool, Error> {
        self.call(|core, context| core.link_posted(context, id, leg, lies))
    }
}

#[cfg(test)]
mod tests;
