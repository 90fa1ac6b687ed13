//! What a handle knows of its requests, in memory alone, and what one call makes of it.

use super::{
    pause::{self, Pause},
    queue::Queue,
};
use crate::{
    context::{Context, Timestamp},
    error::Code,
    event::{LinkPost, RequestKind, ServerRequest},
    ids::{DeviceId, PublicationId, RequestId, SendId, UserId},
    store::Generation,
    tx::{Begun, Ready},
    wire::request::Path,
};

use std::collections::{BTreeMap, BTreeSet};

/// How long a request is lent, in ms.
pub(super) const LENT: u64 = 60_000;

/// A piece of work that goes to the server in one request.
#[derive(Clone, Eq, PartialEq)]
pub(crate) enum Work {
    Bundles(Vec<(UserId, DeviceId)>),
    Confirm(Vec<u64>),
    Delete,
    Link(LinkPost),
    Lists(Vec<UserId>),
    Mail { after: u64, limit: u16 },
    Publication(PublicationId),
    Push(Vec<u8>),
    Submit(Vec<Ready>),
}

// By hand: a derived Debug would print the push value.
impl core::fmt::Debug for Work {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Work({})", self.path().text())
    }
}

impl Work {
    pub(crate) fn path(&self) -> Path {
        match self {
            Self::Bundles(_) => Path::Bundles,
            Self::Confirm(_) => Path::Confirm,
            Self::Delete => Path::Delete,
            Self::Link(_) => Path::Link,
            Self::Lists(_) => Path::Lists,
            Self::Mail { .. } => Path::Mail,
            Self::Publication(_) => Path::Publication,
            Self::Push(_) => Path::Push,
            Self::Submit(_) => Path::Submit,
        }
    }

    /// The users that it is about.
    pub(crate) fn users(&self) -> BTreeSet<UserId> {
        match self {
            Self::Bundles(devices) => devices.iter().map(|(user, _)| user.clone()).collect(),
            Self::Lists(users) => users.iter().cloned().collect(),
            Self::Submit(parts) => parts.iter().map(|part| part.user.clone()).collect(),
            _ => BTreeSet::new(),
        }
    }
}

/// A request that was given out.
#[derive(Clone, Debug)]
pub(crate) struct Lent {
    pub(super) until: Timestamp,
    pub(super) work: Work,
    /// The failures before it was given out.
    pub(super) failures: u64,
    /// The corrections of the clock before it was signed.
    pub(super) corrections: u64,
    /// How often mail had been asked for.
    pub(super) fetches: u64,
}

/// A fetch of the mailbox that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fetch {
    /// Envelopes that may still come.
    pub(super) left: u32,
    /// The last envelope that came.
    pub(super) after: u64,
}

/// What a handle knows of its requests, in memory alone. A second handle over the same store may give the same work out again, which the
/// server notices.
#[derive(Debug, Default)]
pub struct Requests {
    pub(super) lent: BTreeMap<RequestId, Lent>,
    pub(super) queue: Option<Queue>,
    pub(super) pause: Pause,
    /// Answers that paused everything: the answer to a request that was given out before the last of them ends no pause.
    pub(super) failures: u64,
    /// How often the clock was corrected: a refused signature from before says nothing new.
    pub(super) corrections: u64,
    /// Users whose work rests.
    pub(super) resting: BTreeMap<UserId, Timestamp>,
    /// Parts that the server would not take together with others.
    pub(super) alone: BTreeSet<Ready>,
    /// Users whom the server would not answer for together with others.
    pub(super) alone_users: BTreeSet<UserId>,
    /// What failed last time, which goes last.
    pub(super) failed: BTreeSet<Path>,
    /// Parts that were given out by this handle.
    pub(super) given: BTreeSet<(SendId, UserId)>,
    /// The newest send when this handle gave out its first request: an older one may have been given out by an earlier handle.
    pub(super) first_new: Option<u64>,
    pub(super) fetch: Option<Fetch>,
    /// How often the app has asked for mail.
    pub(super) fetches: u64,
    pub(super) confirm: BTreeSet<u64>,
    /// The server's clock less ours, in ms.
    pub(super) offset: i64,
    /// The server has refused one signature, and no answer has come since.
    pub(super) unauthorized: bool,
    /// The server does not want this device: nothing more is asked of it.
    pub(super) over: Option<Code>,
    /// One-time prekeys that the server said it had left.
    pub(super) stock: Option<u32>,
    pub(super) mail_left: u32,
}

impl Requests {
    /// The requests of a handle that has given out nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a request back: it is given out again at once.
    pub(crate) fn release(&mut self, id: &RequestId) {
        self.lent.remove(id);
    }

    /// Ends every pause, and takes every request back: the network is there again.
    pub fn retry_now(&mut self) {
        self.lent.clear();
        self.pause.skip();
        self.resting.clear();
    }

    /// The app has decided what the work for a user waited for.
    pub(crate) fn wake(&mut self, user: &UserId) {
        self.resting.remove(user);
    }

    /// The next requests fetch the mailbox, up to so many envelopes.
    pub fn request_mail(&mut self, limit: u32) {
        self.fetches += 1;
        let after = self.fetch.map_or(0, |fetch| fetch.after);
        self.fetch = (limit > 0).then_some(Fetch { left: limit, after });
    }

    /// Why nothing goes on, if nothing does.
    pub(crate) fn problem(&self, now: Timestamp) -> Option<Code> {
        self.over.or(self.pause.problem.filter(|_| self.pause.left(now) > 0))
    }

    /// The number of envelopes that the server still had at the last fetch.
    pub(crate) fn mail_left(&self) -> u32 {
        self.mail_left
    }

    /// The server's clock less ours, in ms.
    pub(crate) fn clock_offset(&self) -> i64 {
        self.offset
    }

    /// Whether a part of a send may have been given out, by this handle or by an earlier one.
    pub(crate) fn may_have_given(&self, send: &SendId, user: &UserId) -> bool {
        let number = send.0.first_chunk().map_or(0, |number| u64::from_be_bytes(*number));
        self.first_new.is_none_or(|first| number <= first) || self.given.contains(&(*send, user.clone()))
    }

    /// The generation of the store that the queue is of.
    pub(crate) fn queue_generation(&self) -> Option<Generation> {
        self.queue.as_ref().map(|queue| queue.generation)
    }

    /// Takes in what calls have begun since the queue was made.
    pub(crate) fn take_in(&mut self, begun: Begun, generation: Generation) {
        if let Some(queue) = &mut self.queue {
            queue.take_in(begun, generation);
        }
    }

    /// Takes in the queue, if a call had to make it.
    pub(crate) fn surveyed(&mut self, queue: Option<Queue>, generation: Generation) {
        if let Some(mut queue) = queue {
            queue.generation = generation;
            self.queue = Some(queue);
        }
    }

    /// Forgets requests whose minute is over, and pauses that are.
    pub(crate) fn tidy(&mut self, now: Timestamp) {
        self.lent.retain(|_, lent| (1..=LENT).contains(&lent.until.0.saturating_sub(now.0)));
        self.resting.retain(|_, until| pause::left(*until, now) > 0);
    }

    /// Takes in what a call gave out, once it is committed.
    pub(crate) fn gave(&mut self, next: Next, generation: Generation) -> Option<ServerRequest> {
        self.first_new = self.first_new.or(Some(next.newest_send));
        if next.queue.is_some() || next.kept {
            self.queue = next.queue;
        }
        // What this call wrote itself changes no send. But a queue that was old before it, and was not looked at because of a pause, stays old.
        self.queue = self.queue.take().filter(|queue| queue.generation == next.seen);
        if let Some(queue) = &mut self.queue {
            queue.generation = generation;
        }
        self.over = self.over.or(next.over);
        let Given { request, work, until } = next.given?;
        if let Work::Submit(parts) = &work {
            self.given.extend(parts.iter().map(|part| (part.send, part.user.clone())));
        }
        self.lent.insert(
            request.id,
            Lent { until, work, failures: self.failures, corrections: self.corrections, fetches: self.fetches },
        );
        Some(request)
    }

    /// A request that waits for its answer.
    pub(crate) fn lent(&self, id: &RequestId) -> Option<Lent> {
        self.lent.get(id).cloned()
    }

    /// Takes in what a call made of an answer, once it is committed.
    pub(crate) fn heard(&mut self, context: &mut Context<'_>, id: &RequestId, heard: Heard, generation: Generation) {
        let lent = self.lent.remove(id);
        self.queue = match (self.queue.take(), heard.queue) {
            (Some(mut queue), Some((now, users))) => {
                queue.replace(&users, now);
                queue.generation = generation;
                Some(queue)
            }
            _ => None,
        };
        self.resting.extend(heard.resting);
        self.alone.extend(heard.alone);
        self.alone_users.extend(heard.alone_users);
        self.offset = heard.offset.unwrap_or(self.offset);
        self.stock = heard.stock.or(self.stock);
        self.over = self.over.or(heard.over);
        self.mail_left = heard.mail_left.unwrap_or(self.mail_left);
        self.unauthorized = heard.unauthorized.unwrap_or(self.unauthorized);
        self.corrections += u64::from(heard.offset.is_some());
        // What is settled is asked for by nobody.
        for given in &heard.settled {
            self.given.remove(given);
        }
        if !self.alone.is_empty() {
            self.alone.retain(|part| !heard.settled.contains(&(part.send, part.user.clone())));
        }
        // An answer from before the app has asked anew ends no fetch: mail may have come since.
        let is_newest = lent.as_ref().is_some_and(|lent| lent.fetches == self.fetches);
        match heard.fetch {
            Some(fetch) if is_newest => self.fetch = fetch,
            Some(Some(page)) => self.fetch = self.fetch.map(|fetch| Fetch { after: page.after, ..fetch }),
            _ => {}
        }
        self.confirm.extend(heard.to_confirm);
        for id in heard.confirmed {
            self.confirm.remove(&id);
        }
        match heard.failure {
            Some(Failure { problem, asked, path }) => {
                self.failures += 1;
                self.pause.fail(context, problem, asked);
                self.failed.insert(path);
            }
            None if lent.is_some_and(|lent| lent.failures < self.failures) => {}
            None => {
                self.pause = Pause::default();
                self.failed.clear();
            }
        }
    }
}

/// What one call of `next_request` came to.
#[derive(Debug, Default)]
pub(crate) struct Next {
    pub(super) given: Option<Given>,
    pub(super) queue: Option<Queue>,
    pub(super) over: Option<Code>,
    /// Whether housekeeping was done, which may have changed sends.
    pub(super) kept: bool,
    pub(super) newest_send: u64,
    /// The generation that the call saw, before it wrote anything.
    pub(super) seen: Generation,
}

#[derive(Debug)]
pub(super) struct Given {
    pub(super) request: ServerRequest,
    pub(super) work: Work,
    pub(super) until: Timestamp,
}

/// Why an answer pauses everything.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(super) problem: Code,
    /// How long the server asks to wait, in ms.
    pub(super) asked: u64,
    pub(super) path: Path,
}

/// What an answer came to.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Items that are new in the inbox.
    pub(crate) items: Vec<u64>,
    /// Sends that changed.
    pub(crate) sends: BTreeSet<SendId>,
    pub(super) failure: Option<Failure>,
    /// What the sends to these users wait for now; without it the queue is made anew.
    pub(super) queue: Option<(Queue, BTreeSet<UserId>)>,
    pub(super) resting: Vec<(UserId, Timestamp)>,
    pub(super) alone: Vec<Ready>,
    pub(super) alone_users: Vec<UserId>,
    pub(super) offset: Option<i64>,
    /// Whether the server has refused a signature, if the answer says anything about that.
    pub(super) unauthorized: Option<bool>,
    /// Parts that have come to an end.
    pub(super) settled: BTreeSet<(SendId, UserId)>,
    pub(super) over: Option<Code>,
    pub(super) stock: Option<u32>,
    pub(super) mail_left: Option<u32>,
    pub(super) fetch: Option<Option<Fetch>>,
    pub(super) to_confirm: Vec<u64>,
    pub(super) confirmed: Vec<u64>,
}

impl Heard {
    /// Why the requests pause.
    pub(crate) fn problem(&self) -> Option<Code> {
        self.over.or(self.failure.as_ref().map(|failure| failure.problem))
    }
}

/// What a request to this path asks.
pub(super) fn kind(path: Path) -> RequestKind {
    match path {
        Path::Bundles => RequestKind::Bundles,
        Path::Confirm => RequestKind::Confirm,
        Path::Delete => RequestKind::Delete,
        Path::Link => RequestKind::Link,
        Path::Lists => RequestKind::Lists,
        Path::Mail => RequestKind::Mail,
        Path::Publication => RequestKind::Publication,
        Path::Push => RequestKind::Push,
        Path::Submit => RequestKind::Submit,
    }
}
