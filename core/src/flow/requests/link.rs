//! The box of a link at the server (X 7): what the primary puts there, and the loop of a new device, which looks there until it finds
//! something.

use super::{
    pause::{self, Pause},
    state::{LENT, kind},
};
use crate::{
    context::{Context, Timestamp},
    error::{Code, Error},
    event::{Answered, Header, LinkLeg, LinkPost, LinkWait, ServerRequest},
    ids::{LinkId, RequestId},
    wire::{
        answer::{self, Problem},
        request::{self as form, Path},
    },
};

/// How long a new device waits before it looks again, in ms.
const AGAIN: u64 = 2_000;
/// How often it looks before the waits grow: for ten minutes, as long as a code is good. Then each wait is twice the one before.
const QUICK: u32 = 300;
/// The longest that it waits, in ms.
const SLOWEST: u64 = 5 * 60 * 1_000;
/// What a link says while nothing waits, in ms.
pub(crate) const NOTHING_DUE: u64 = 24 * 60 * 60 * 1_000;

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

/// What the names of a link's requests begin with.
#[derive(Clone, Copy)]
pub struct LinkTag([u8; 4]);

// By hand: a derived Debug would print the beginning of the box's name.
impl core::fmt::Debug for LinkTag {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("LinkTag")
    }
}

impl LinkTag {
    pub(crate) fn of(link: &LinkId) -> Self {
        Self(link.0.first_chunk().copied().unwrap_or_default())
    }

    /// Whether this link gave a request out, now or before the app was closed.
    ///
    /// # Errors
    /// [`Code::ForeignRequest`] when a device or another link gave it out.
    pub fn check(self, id: &RequestId) -> Result<(), Error> {
        if id.0.starts_with(&self.0) { Ok(()) } else { Err(Error::of(Code::ForeignRequest, "id")) }
    }

    /// A name for a request of this link.
    fn name(self, context: &mut Context<'_>) -> RequestId {
        let mut name = context.random();
        for (to, from) in name.iter_mut().zip(self.0) {
            *to = from;
        }
        RequestId(name)
    }
}

/// What the handle of a new device knows of its requests, in memory alone.
#[derive(Debug, Default)]
pub struct LinkRequests {
    lent: Option<(RequestId, Timestamp)>,
    pause: Pause,
    again: Option<Timestamp>,
    /// Looks since the last one that found something.
    looks: u32,
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
        self.looks = 0;
        self.pause.skip();
    }

    /// How long it is until the next look, in ms, if there is one.
    pub(crate) fn due_in(&self, now: Timestamp) -> u64 {
        if self.over.is_some() {
            return NOTHING_DUE;
        }
        let lent = self.lent.map_or(0, |(_, until)| left(until, now, LENT));
        let again = self.again.map_or(0, |until| left(until, now, SLOWEST));
        self.pause.left(now).max(lent).max(again)
    }

    /// The next look into the box.
    pub(crate) fn next(
        &mut self,
        context: &mut Context<'_>,
        tag: LinkTag,
        wait: LinkWait,
    ) -> Result<Option<ServerRequest>, Error> {
        if self.due_in(context.now) > 0 {
            return Ok(None);
        }
        let body = form::Link { box_name: wait.id.0, leg: leg(wait.leg), put: None }.encode()?;
        let id = tag.name(context);
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
        if found.is_some() {
            self.looks = 0;
        } else {
            self.again = Some(Timestamp(context.now.0.saturating_add(self.wait())));
            self.looks = self.looks.saturating_add(1);
        }
        (known, found)
    }

    /// How long to wait after a look that found nothing, in ms.
    fn wait(&self) -> u64 {
        let doubled = AGAIN << self.looks.saturating_sub(QUICK).min(10);
        doubled.min(SLOWEST)
    }
}

/// How long it is until a time that was at most `longest` ahead, in ms. One that is further away comes from a clock that was set back: it is
/// over.
fn left(until: Timestamp, now: Timestamp, longest: u64) -> u64 {
    let left = pause::left(until, now);
    if left > longest { 0 } else { left }
}
