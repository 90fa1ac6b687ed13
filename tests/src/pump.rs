//! The loop of requests in the world: what a device asks goes to the relay, or to a server that a test makes up, and the answer goes back.

use crate::{Name, World, user};
use sesame_core::{
    context::{Context, Timestamp},
    device::{Device, Requests},
    error::Code,
    error::Error,
    event::{Answered, Event, InboxItem, Item, PendingSend, SendStatus, ServerRequest},
    ids::{RequestId, SendId, UserId},
    internal::{
        steps::Steps,
        wire::{
            answer::{self, SubmitResult},
            request::{self, Batch},
        },
    },
};
use sesame_relay::{Request, Response};

/// A status and a body: what comes back for a request. Status 0 is no answer.
pub type Answer = (u16, Vec<u8>);

/// A server that a test makes up.
pub type Answering<'a> = dyn FnMut(&mut World, &ServerRequest) -> Answer + 'a;

/// More requests than any honest server needs for what a test does.
pub const ENDLESS: usize = 2_000;

impl World {
    /// Calls a device together with its requests.
    pub fn with_requests<T>(
        &mut self,
        name: Name,
        call: impl FnOnce(&Device, &mut Context<'_>, &mut Requests) -> T,
    ) -> T {
        let now = self.reading();
        let requests = self.requests.entry(name).or_default();
        let mut context = Context { now, rng: &mut self.rng };
        call(&self.hosts.get(&name).unwrap().device, &mut context, requests)
    }

    /// The device's next request.
    ///
    /// # Errors
    /// The errors of [`Device::next_request`].
    pub fn next(&mut self, name: Name) -> Result<Option<ServerRequest>, Error> {
        self.with_requests(name, |device, context, requests| device.next_request(context, requests))
    }

    /// Gives a device the answer to a request.
    ///
    /// # Errors
    /// The errors of [`Device::respond`].
    pub fn respond(&mut self, name: Name, id: &RequestId, (status, body): (u16, &[u8])) -> Result<Answered, Error> {
        self.with_requests(name, |device, context, requests| device.respond(context, requests, id, (status, body)))
    }

    /// Everything that a device has in its inbox.
    pub fn inbox(&mut self, name: Name) -> Vec<InboxItem> {
        self.with(name, |device, context| device.all_items(context)).unwrap()
    }

    /// The events in a device's inbox.
    pub fn inbox_events(&mut self, name: Name) -> Vec<Event> {
        let event = |row: InboxItem| match row.item {
            Item::Event(event) => Some(event),
            Item::Message(_) => None,
        };
        self.inbox(name).into_iter().filter_map(event).collect()
    }

    /// The payloads in a device's inbox, in order.
    pub fn inbox_texts(&mut self, name: Name) -> Vec<Vec<u8>> {
        let text = |row: InboxItem| match row.item {
            Item::Message(message) => Some(message.payload.clone()),
            Item::Event(_) => None,
        };
        self.inbox(name).into_iter().filter_map(text).collect()
    }

    /// Lets the relay answer a request.
    pub fn perform(&mut self, request: &ServerRequest) -> Answer {
        let auth = request.headers.iter().find(|header| header.name == "Sesame-Auth");
        let auth = auth.map(|header| header.value.as_str());
        let asked = Request { path: &request.path, auth, body: &request.body };
        let Response { status, body } = self.relay.perform(Timestamp(self.now), &asked);
        (status, body)
    }

    /// Runs the whole transport of an app against the relay; gives the number of requests.
    pub fn run(&mut self, name: Name) -> usize {
        self.run_with(name, &mut |world, request| world.perform(request))
    }

    /// Runs the whole transport of an app against any server; gives the number of requests.
    ///
    /// # Panics
    /// When a call fails, or the loop does not end.
    pub fn run_with(&mut self, name: Name, server: &mut Answering<'_>) -> usize {
        let mut count = 0;
        while let Some(request) = self.next(name).unwrap() {
            let (status, body) = server(self, &request);
            assert!(self.respond(name, &request.id, (status, &body)).unwrap().known, "the answer is for a request");
            count += 1;
            assert!(count < ENDLESS, "the loop does not end: {request:?}");
        }
        count
    }

    /// Fetches the whole mailbox through the loop.
    pub fn fetch(&mut self, name: Name) -> usize {
        self.with_requests(name, |_, _, requests| requests.request_mail(10_000));
        self.run(name)
    }

    /// Begins a direct send and submits nothing.
    pub fn begin(&mut self, from: Name, to: &[&str], text: &[u8]) -> PendingSend {
        let users: Vec<UserId> = to.iter().map(|name| user(name)).collect();
        self.with(from, |device, context| device.batch_encrypt(context, &users, text, None)).unwrap()
    }

    /// How a send stands.
    pub fn status(&mut self, name: Name, send: &SendId) -> Option<SendStatus> {
        self.with(name, |device, context| device.send_status(context, send)).unwrap()
    }
}

/// The body of an answer to a submission.
#[must_use]
pub fn results(results: Vec<SubmitResult>) -> Vec<u8> {
    answer::Submit { results: results.into() }.encode().unwrap()
}

/// The body of an answer to a question for lists.
#[must_use]
pub fn lists(lists: Vec<Option<Vec<u8>>>) -> Vec<u8> {
    let lists: Vec<_> = lists.into_iter().map(|list| list.map(Into::into)).collect();
    answer::Lists { lists: lists.into() }.encode().unwrap()
}

/// The body of an answer to a question for bundles.
#[must_use]
pub fn bundles(bundles: Vec<Option<Vec<u8>>>) -> Vec<u8> {
    let bundles: Vec<_> = bundles.into_iter().map(|bundle| bundle.map(Into::into)).collect();
    answer::Bundles { bundles: bundles.into() }.encode().unwrap()
}

/// What a server says with any status but 200.
#[must_use]
pub fn problem(retry_after_ms: u32, time: u64, list: Vec<u8>) -> Vec<u8> {
    answer::Problem { code: 0, retry_after_ms, time, list: list.into() }.encode().unwrap()
}

/// What a server says that does not want a new device.
#[must_use]
pub fn refusal() -> Vec<u8> {
    let code = Code::RegistrationRefused.number();
    answer::Problem { code, retry_after_ms: 0, time: 0, list: Vec::new().into() }.encode().unwrap()
}

/// Says that a batch differs from this list.
#[must_use]
pub fn stale(list: Vec<u8>) -> SubmitResult {
    let none = || Vec::new().into();
    SubmitResult::Stale { list: list.into(), missing: none(), gone: none(), changed: none() }
}

/// The batches of a request.
#[must_use]
pub fn batches(request: &ServerRequest) -> Vec<Batch> {
    request::Submit::decode(&request.body).unwrap().batches.into_vec()
}
