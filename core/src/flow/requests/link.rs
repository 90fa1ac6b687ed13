//! The box of a link at the server (X 7): what the primary puts there, and the loop of a new device, which looks there until it finds
//! something.

use super::{
    pause::Pause,
    state::{LENT, kind},
};
use crate::{
    context::{Context, Timestamp},
    error::{Code, Error},
    event::{Answered, Header, LinkLeg, LinkPost, LinkWait, ServerRequest},
    ids::RequestId,
    wire::{
        answer::{self, Problem},
        request::{self as form, Path},
    },
};

/// How long a new device waits before it looks again, in ms.
const AGAIN: u64 = 2_000;

/// The body that puts a part of a link into its box.
pub(super) fn put(post: &LinkPost) -> Result<Vec<u8>, Code> {
    form::Link { box_name: post.id.0, leg: leg(post.leg), put: Some(post.bytes.clone().into()) }.encode()
}

fn leg(leg: LinkLeg) -> form::Leg {
    match leg {
        LinkLeg::Answer => form::Leg::Answer,
        LinkLeg::Hello => form::Leg::Hello,
    }
}

/// What the handle of a new device knows of its requests, in memory alone.
#[derive(Debug, Default)]
pub struct LinkRequests {
    lent: Option<(RequestId, Timestamp)>,
    pause: Pause,
    again: Option<Timestamp>,
    over: Option<Code>,
}

impl LinkRequests {
    /// The requests of a handle that has given out nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing can come of this link any more.
    pub fn end(&mut self, code: Code) {
        self.over = Some(code);
    }

    /// Why nothing can come of it any more.
    #[must_use]
    pub fn over(&self) -> Option<Code> {
        self.over
    }

    /// Takes a request back: it is given out again at once.
    pub fn release(&mut self, id: &RequestId) {
        self.lent = self.lent.filter(|(lent, _)| lent != id);
    }

    /// Ends every pause: the network is there again.
    pub fn retry_now(&mut self) {
        self.lent = None;
        self.again = None;
        self.pause.skip();
    }

    /// How long it is until there is something to give out, in ms.
    #[must_use]
    pub fn due_in(&self, now: Timestamp) -> u64 {
        let left = |until: &Timestamp| until.0.saturating_sub(now.0).min(LENT);
        let lent = self.lent.as_ref().map_or(0, |(_, until)| left(until));
        self.pause.left(now).max(lent).max(self.again.as_ref().map_or(0, left))
    }

    /// The next look into the box.
    pub(crate) fn next(&mut self, context: &mut Context<'_>, wait: LinkWait) -> Result<Option<ServerRequest>, Error> {
        if self.over.is_some() || self.due_in(context.now) > 0 {
            return Ok(None);
        }
        let body = form::Link { box_name: wait.id.0, leg: leg(wait.leg), put: None }.encode()?;
        let id = RequestId(context.random());
        self.lent = Some((id, Timestamp(context.now.0.saturating_add(LENT))));
        self.again = None;
        let headers = vec![Header { name: "Content-Type".into(), value: form::CONTENT_TYPE.into() }];
        let (kind, path) = (kind(Path::Link), Path::Link.text().into());
        Ok(Some(ServerRequest { id, kind, path, headers, body, users: vec![] }))
    }

    /// Takes in what the server says of the box; gives what lies there.
    pub(crate) fn hear(
        &mut self,
        context: &mut Context<'_>,
        id: &RequestId,
        (status, body): (u16, &[u8]),
    ) -> (Answered, Option<Vec<u8>>) {
        if self.lent.is_none_or(|(lent, _)| lent != *id) {
            return (Answered::default(), None);
        }
        self.lent = None;
        let form = (status == 200).then(|| answer::Link::decode(body).ok()).flatten();
        let known = Answered { known: true, ..Answered::default() };
        let Some(form) = form else {
            let problem = match status {
                0 => Code::ServerUnreachable,
                429 | 500..=599 => Code::ServerBusy,
                _ => Code::ServerAnswer,
            };
            let asked = Problem::decode(body).map_or(0, |problem| u64::from(problem.retry_after_ms));
            self.pause.fail(context, problem, asked);
            return (Answered { problem: problem.number(), ..known }, None);
        };
        self.pause = Pause::default();
        let found: Option<Vec<u8>> = form.found.map(Into::into);
        if found.is_none() {
            self.again = Some(Timestamp(context.now.0.saturating_add(AGAIN)));
        }
        (known, found)
    }
}
