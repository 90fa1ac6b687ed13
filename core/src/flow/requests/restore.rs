//! The one request of a primary that comes back (X 7): the list that names it goes up until the server has taken it.

use super::{
    pause::{self, Pause},
    state::{LENT, kind},
};
use crate::{
    context::{Context, Timestamp},
    error::{Code, Error},
    event::{Answered, Header, ServerRequest},
    flow::upkeep::restore::Upload,
    ids::RequestId,
    wire::{
        answer::{Problem, Stock},
        auth::{self, Auth, Caller, Signed},
        request::{self as form, Path},
    },
};

/// What the handle of a restore knows of its requests, in memory alone.
#[derive(Debug, Default)]
pub struct RestoreRequests {
    lent: Option<(RequestId, Timestamp)>,
    pause: Pause,
    /// The server's clock less ours, in ms, as far as it has said.
    offset: i64,
    /// Whether the newest answer was a 401.
    unauthorized: bool,
    over: Option<Code>,
}

/// What an answer says.
pub(crate) enum Heard {
    /// Nothing that changes the store.
    Nothing(Answered),
    /// The server has its own list of this user.
    Shown(Vec<u8>),
    /// The server has taken the list.
    Taken(Stock),
}

impl RestoreRequests {
    /// The requests of a handle that has given out nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Why this restore cannot come to an end, if the server has shown it.
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
        self.pause.skip();
    }

    /// How long it is until the next request, in ms; `None` if there is none.
    #[must_use]
    pub fn due_in(&self, now: Timestamp) -> Option<u64> {
        // A time that is further away comes from a clock that was set back: it is over.
        let left = |(_, until): (RequestId, Timestamp)| Some(pause::left(until, now)).filter(|left| *left <= LENT);
        let lent = self.lent.and_then(left).unwrap_or(0);
        self.over.is_none().then(|| self.pause.left(now).max(lent))
    }

    /// The request, signed by the new device.
    pub(crate) fn next(&mut self, context: &mut Context<'_>, upload: Upload) -> Result<ServerRequest, Error> {
        let Upload { keys, server, body } = upload;
        let path = Path::Publication;
        let (user, device) = (keys.party.user.clone(), keys.party.device);
        let time = context.now.0.saturating_add_signed(self.offset);
        let caller = Caller { user: user.clone(), device, time, nonce: context.random() };
        let auth = Auth::sign(&keys.signing, caller, &Signed { audience: &server, path, body: &body }).text()?;
        let headers = vec![
            Header { name: "Content-Type".into(), value: form::CONTENT_TYPE.into() },
            Header { name: auth::HEADER.into(), value: auth },
        ];
        let id = RequestId(context.random());
        self.lent = Some((id, Timestamp(context.now.0.saturating_add(LENT))));
        Ok(ServerRequest { id, kind: kind(path), path: path.text().into(), headers, body, users: vec![user] })
    }

    /// Takes in what the server says.
    pub(crate) fn hear(&mut self, context: &mut Context<'_>, id: &RequestId, (status, body): (u16, &[u8])) -> Heard {
        if self.lent.is_none_or(|(lent, _)| lent != *id) {
            return Heard::Nothing(Answered::default());
        }
        self.lent = None;
        let problem = Problem::decode(body).ok();
        let was_unauthorized = core::mem::replace(&mut self.unauthorized, status == 401);
        match (status, &problem) {
            (200, _) => {
                if let Ok(stock) = Stock::decode(body) {
                    return Heard::Taken(stock);
                }
            }
            (401, Some(problem)) if problem.time > 0 && !was_unauthorized => {
                let theirs = i64::try_from(problem.time).unwrap_or(i64::MAX);
                self.offset = theirs.saturating_sub(i64::try_from(context.now.0).unwrap_or(i64::MAX));
                return Heard::Nothing(Answered { known: true, ..Answered::default() });
            }
            (403 | 409, Some(problem)) if !problem.list.as_slice().is_empty() => {
                return Heard::Shown(problem.list.as_slice().to_vec());
            }
            (403, Some(problem)) if problem.code == Code::RegistrationRefused.number() => {
                return Heard::Nothing(self.end(Code::RegistrationRefused));
            }
            _ => {}
        }
        let code = match status {
            0 => Code::ServerUnreachable,
            401 => Code::ServerUnauthorized,
            429 | 500..=599 => Code::ServerBusy,
            _ => Code::ServerAnswer,
        };
        let asked = problem.map_or(0, |problem| u64::from(problem.retry_after_ms));
        Heard::Nothing(self.fail(context, code, asked))
    }

    /// It goes again later.
    pub(crate) fn fail(&mut self, context: &mut Context<'_>, code: Code, asked: u64) -> Answered {
        self.pause.fail(context, code, asked);
        Answered { known: true, problem: code.number(), ..Answered::default() }
    }

    /// It can come to no end.
    pub(crate) fn end(&mut self, code: Code) -> Answered {
        self.over = Some(code);
        Answered { known: true, problem: code.number(), ..Answered::default() }
    }
}
