//! One request of a device, from its bytes to a status and the bytes of the answer (`docs/server.md`).
//!
//! The order of the checks: size, signature and time, form, rules. A refused request changes nothing.

use crate::{
    Caller, Relay,
    decide::{Difference, PublishError, Verdict},
    directory::{Hashes, Upload},
    limits::{LINK_RETRY_MS, LONG_WINDOW, WINDOW},
    link_box::NoRoom,
    mailbox::{Page, Taken},
    view::{Seen, note},
};
use core::time::Duration;
use sesame_core::{
    context::Timestamp,
    error::Code,
    event::{Batch, ServerRequest},
    ids::{AccountKey, UserId},
    internal::{
        crypto::ed25519::VerifyingKey,
        wire::{
            answer::{self, Delivered, Problem, SubmitResult},
            auth::{self, Auth, Signed},
            request::{self, Asked, Path},
        },
    },
    limits::{MAX_EXCHANGE, MAX_HASHES, MAX_RIDING_HASHES},
};
use std::collections::BTreeSet;

/// A request as it came over HTTP, by POST.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The path of the URL.
    pub path: &'a str,
    /// The value of the header `Sesame-Auth`.
    pub auth: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The request that a device gave out.
    #[must_use]
    pub fn of(request: &'a ServerRequest) -> Self {
        let auth = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(auth::HEADER));
        Self { path: &request.path, auth: auth.map(|header| header.value.as_str()), body: &request.body }
    }
}

/// The answer to a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Response {
    /// The status of HTTP.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Who may register. It is asked for a user that does not exist.
#[derive(Clone, Default)]
pub enum Registration {
    /// Whom the function admits, by user and token.
    Asking(fn(&UserId, &[u8]) -> bool),
    /// Everybody.
    #[default]
    Open,
    /// Who brings one of these tokens. Each serves once.
    Tokens(BTreeSet<Vec<u8>>),
}

impl Registration {
    fn admits(&self, user: &UserId, token: &[u8]) -> bool {
        match self {
            Self::Asking(admits) => admits(user, token),
            Self::Open => true,
            Self::Tokens(tokens) => tokens.contains(token),
        }
    }

    fn use_up(&mut self, token: &[u8]) {
        if let Self::Tokens(tokens) = self {
            tokens.remove(token);
        }
    }
}

/// Why a request was refused.
struct Failure {
    status: u16,
    code: Code,
    retry_after_ms: u32,
    list: Vec<u8>,
}

impl Failure {
    fn new(status: u16, code: Code) -> Self {
        Self { status, code, retry_after_ms: 0, list: Vec::new() }
    }

    fn malformed(code: Code) -> Self {
        Self::new(400, code)
    }

    fn unauthorized() -> Self {
        Self::new(401, Code::ServerUnauthorized)
    }

    fn with_list(self, list: Option<Vec<u8>>) -> Self {
        Self { list: list.unwrap_or_default(), ..self }
    }
}

/// A failed encoding of an answer is a fault of the server: its own values are within the bounds of the forms.
fn encoded(bytes: Result<Vec<u8>, Code>) -> Result<Vec<u8>, Failure> {
    bytes.map_err(|code| Failure::new(500, code))
}

/// How old the signature of a request may be.
fn window(path: Path) -> Duration {
    match path {
        Path::Confirm | Path::Publication | Path::Submit => LONG_WINDOW,
        _ => WINDOW,
    }
}

fn check_time(path: Path, signed_at: u64, now: Timestamp) -> Result<(), Failure> {
    let signed_at = Timestamp(signed_at);
    let is_near = now.since(signed_at) <= window(path) && signed_at.since(now) <= WINDOW;
    if is_near { Ok(()) } else { Err(Failure::unauthorized()) }
}

/// A request whose path is known, with the header that was read.
struct Arrived<'a> {
    path: Path,
    auth: Option<Auth>,
    body: &'a [u8],
    now: Timestamp,
}

impl Arrived<'_> {
    fn auth(&self) -> Result<&Auth, Failure> {
        self.auth.as_ref().ok_or_else(Failure::unauthorized)
    }

    fn is_signed(&self, server: &str, key: &VerifyingKey) -> bool {
        let signed = Signed { audience: server, path: self.path, body: self.body };
        self.auth.as_ref().is_some_and(|auth| auth.verify(key, &signed).is_ok())
    }
}

impl Relay {
    /// Answers one request at the time `now` of the server's clock.
    pub fn perform(&mut self, now: Timestamp, request: &Request<'_>) -> Response {
        self.now = now;
        self.mailboxes.drop_old_receipts(now);
        match self.route(now, request) {
            Ok(body) => Response { status: 200, body },
            Err(Failure { status, code, retry_after_ms, list }) => {
                let problem = Problem { code: code.number(), retry_after_ms, time: now.0, list: list.into() };
                Response { status, body: problem.encode().unwrap_or_default() }
            }
        }
    }

    fn route(&mut self, now: Timestamp, request: &Request<'_>) -> Result<Vec<u8>, Failure> {
        if request.body.len() > MAX_EXCHANGE {
            return Err(Failure::new(413, Code::TooLarge));
        }
        let path = Path::from_text(request.path).ok_or(Failure::malformed(Code::UnknownType))?;
        let auth = request.auth.and_then(|text| Auth::from_text(text).ok());
        let arrived = Arrived { path, auth, body: request.body, now };
        match path {
            Path::Delete => return self.delete(&arrived),
            Path::Link => return self.link(&arrived),
            Path::Publication => return self.publication(&arrived),
            _ => {}
        }
        self.authenticate(&arrived)?;
        let caller = &arrived.auth()?.caller;
        let caller = (&caller.user, caller.device);
        match path {
            Path::Bundles => self.bundles(request.body),
            Path::Confirm => self.confirm_mail(caller, request.body),
            Path::Lists => self.lists(request.body),
            Path::Mail => self.mail(caller, request.body),
            Path::Push => self.keep_push(caller, request.body),
            Path::Submit => self.submissions(caller, request.body),
            Path::Delete | Path::Link | Path::Publication => Err(Failure::malformed(Code::UnknownType)),
        }
    }

    /// Verifies that a listed device signed the request a short time ago.
    fn authenticate(&self, arrived: &Arrived<'_>) -> Result<(), Failure> {
        let Auth { caller, .. } = arrived.auth()?;
        let key = self.directory.signing_key((&caller.user, caller.device));
        if key.is_some_and(|key| arrived.is_signed(&self.server, &key)) {
            return check_time(arrived.path, caller.time, arrived.now);
        }
        Err(self.stranger(arrived))
    }

    /// What a device is told that is not listed with the key that signed: a removed one why, any other nothing.
    fn stranger(&self, arrived: &Arrived<'_>) -> Failure {
        let Ok(Auth { caller, .. }) = arrived.auth() else { return Failure::unauthorized() };
        let keys = self.directory.departed_keys((&caller.user, caller.device));
        if !keys.iter().any(|key| arrived.is_signed(&self.server, key)) {
            return Failure::unauthorized();
        }
        if let Err(failure) = check_time(arrived.path, caller.time, arrived.now) {
            return failure;
        }
        Failure::new(403, Code::RemovedFromAccount)
            .with_list(self.directory.list(&caller.user, Hashes::Newest(MAX_HASHES)))
    }

    /// An upload is signed by a device of the list that holds after it, so the first one of a user, and the first of a linked device,
    /// bring their own key.
    fn publication(&mut self, arrived: &Arrived<'_>) -> Result<Vec<u8>, Failure> {
        let Auth { caller, .. } = arrived.auth()?;
        let (user, caller_id, now) = (&caller.user, (&caller.user, caller.device), arrived.now);
        let body = request::Publish::decode(arrived.body).map_err(Failure::malformed)?;
        let upload = Upload::decode(body.publication.as_slice()).map_err(|error| self.conflict(user, error))?;
        if !upload.is_from(caller_id) {
            return Err(Failure::malformed(Code::NotListed));
        }
        let key = match upload.list.as_ref().filter(|list| list.user == *user) {
            Some(list) => {
                let listed = list.list.device(caller.device);
                listed.and_then(|listed| VerifyingKey::decode(listed.signing_key).ok())
            }
            None => self.directory.signing_key(caller_id),
        };
        if !key.is_some_and(|key| arrived.is_signed(&self.server, &key)) {
            return Err(self.stranger(arrived));
        }
        check_time(arrived.path, caller.time, now)?;
        let token = body.token.as_slice();
        let is_new = self.directory.standing(user).is_none();
        let is_reserved =
            upload.list.as_ref().is_some_and(|list| self.directory.is_reserved(user, &list.account(), now));
        if is_reserved || (is_new && !self.registration.admits(user, token)) {
            return Err(Failure::new(403, Code::RegistrationRefused));
        }
        if is_new && self.directory.was_deleted_since(user, Timestamp(caller.time)) {
            // A late or replayed upload brings nobody back.
            return Err(Failure::unauthorized());
        }
        let taken = self.take(caller_id, upload, body.publication.as_slice().len());
        let stock = taken.map_err(|error| match (error, self.stranger(arrived)) {
            // An old list still names a device that was removed.
            (PublishError::NotASuccessor, removed) if removed.status == 403 => removed,
            _ => self.conflict(user, error),
        })?;
        if is_new {
            self.registration.use_up(token);
        }
        encoded(stock.encode())
    }

    fn conflict(&self, user: &UserId, error: PublishError) -> Failure {
        match error {
            PublishError::Malformed(code) => Failure::malformed(code),
            PublishError::NotListed => Failure::malformed(Code::NotListed),
            PublishError::NotASuccessor => {
                Failure::new(409, Code::BrokenChain).with_list(self.directory.list(user, Hashes::Newest(MAX_HASHES)))
            }
            PublishError::OtherAccount => Failure::new(409, Code::IdentityChanged)
                .with_list(self.directory.list(user, Hashes::Newest(MAX_HASHES))),
        }
    }

    fn lists(&self, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let asked = request::Lists::decode(body).map_err(Failure::malformed)?;
        // Who holds no list needs no more hashes than those that ride along.
        let hashes = |from| if from == 0 { Hashes::Newest(MAX_RIDING_HASHES) } else { Hashes::From(from) };
        let list = |Asked { user, from }: &Asked| self.directory.list(user, hashes(*from)).map(Into::into);
        let lists = asked.users.as_slice().iter().map(list);
        encoded(answer::Lists { lists: lists.collect::<Vec<_>>().into() }.encode())
    }

    fn bundles(&mut self, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let asked = request::Bundles::decode(body).map_err(Failure::malformed)?;
        let mut bundles = Vec::new();
        for wanted in asked.devices.as_slice() {
            bundles.push(self.bundle(&wanted.user, wanted.device).map(Into::into));
        }
        encoded(answer::Bundles { bundles: bundles.into() }.encode())
    }

    fn submissions(&mut self, caller: Caller<'_>, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let submission = request::Submit::decode(body).map_err(Failure::malformed)?;
        let mut results = Vec::new();
        for batch in submission.batches.into_vec() {
            results.push(self.submission(caller, batch)?);
        }
        encoded(answer::Submit { results: results.into() }.encode())
    }

    fn submission(&mut self, caller: Caller<'_>, form: request::Batch) -> Result<SubmitResult, Failure> {
        let receipt = form.receipt(caller.0, caller.1).map_err(Failure::malformed)?;
        let receipt = (form.user.clone(), receipt);
        if let Some(Taken { id, list }) = self.mailboxes.receipt(&receipt) {
            return Ok(SubmitResult::TakenBefore { id, list });
        }
        let batch = Batch::from(form);
        let list = match self.judge(caller, &batch) {
            Ok(list) => list,
            Err(verdict) => {
                let refusal = self.refusal(&batch, verdict.clone());
                note(&mut self.log, Seen::submitted(caller, &batch, Some(&refusal)));
                return Ok(self.refused(&batch.user, verdict));
            }
        };
        let full = self.mailboxes.full(&batch, self.mailbox_limit);
        if !full.is_empty() {
            return Ok(SubmitResult::Full { devices: full.into() });
        }
        note(&mut self.log, Seen::submitted(caller, &batch, None));
        let taken = self.mailboxes.put(&batch, list);
        self.mailboxes.remember(receipt, taken, self.now);
        Ok(SubmitResult::Taken { id: taken.id, list: taken.list })
    }

    fn refused(&self, user: &UserId, verdict: Verdict) -> SubmitResult {
        match verdict {
            Verdict::Malformed => SubmitResult::Malformed,
            Verdict::NoSuchUser => SubmitResult::NoSuchUser,
            Verdict::NotListed => SubmitResult::SenderNotListed,
            Verdict::Stale(Difference { missing, gone, changed }) => SubmitResult::Stale {
                list: self.device_list(user).unwrap_or_default().into(),
                missing: missing.into(),
                gone: gone.into(),
                changed: changed.into(),
            },
        }
    }

    fn mail(&self, caller: Caller<'_>, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let request::Mail { after, limit } = request::Mail::decode(body).map_err(Failure::malformed)?;
        let (mails, left) = self.mailboxes.page(caller, Page { after, limit: usize::from(limit) });
        let mails = mails.into_iter().map(|mail| Delivered { id: mail.id, envelope: mail.envelope.into() });
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        encoded(answer::Mail { mails: mails.collect::<Vec<_>>().into(), left, stock: self.stock(caller) }.encode())
    }

    fn confirm_mail(&mut self, caller: Caller<'_>, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let confirmed = request::Confirm::decode(body).map_err(Failure::malformed)?;
        self.mailboxes.confirm_through(caller, confirmed.through);
        self.mailboxes.confirm(caller, confirmed.ids.as_slice());
        Ok(Vec::new())
    }

    fn keep_push(&mut self, caller: Caller<'_>, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let push = request::Push::decode(body).map_err(Failure::malformed)?;
        self.directory.set_push(caller, push.value.into());
        Ok(Vec::new())
    }

    /// The statement alone decides. A statement from before the user registered again has no effect on the new account.
    fn delete(&mut self, arrived: &Arrived<'_>) -> Result<Vec<u8>, Failure> {
        let end = request::Delete::decode(arrived.body).map_err(Failure::malformed)?;
        if end.verify(&self.server).is_err() {
            return Err(Failure::unauthorized());
        }
        check_time(arrived.path, end.time, arrived.now)?;
        let account_key = AccountKey(end.account_key);
        match (self.directory.standing(&end.user), self.directory.registered_at(&end.user)) {
            (Some(standing), Some(registered_at))
                if standing.account_key == account_key && registered_at.0 <= end.time =>
            {
                self.directory.delete(&end.user, Timestamp(end.time), arrived.now);
                self.mailboxes.drop_user(&end.user);
                Ok(Vec::new())
            }
            (None, _) if self.directory.was_deleted(&end.user, &account_key) => Ok(Vec::new()),
            _ => Err(Failure::unauthorized()),
        }
    }

    fn link(&mut self, arrived: &Arrived<'_>) -> Result<Vec<u8>, Failure> {
        let request::Link { box_name, leg, put } = request::Link::decode(arrived.body).map_err(Failure::malformed)?;
        if let Some(put) = put {
            let result = self.link_boxes.put(box_name, leg, put.into(), arrived.now);
            result
                .map_err(|NoRoom| Failure { retry_after_ms: LINK_RETRY_MS, ..Failure::new(503, Code::ServerBusy) })?;
        }
        let found = self.link_boxes.look(&box_name, leg, arrived.now).map(|found| found.to_vec().into());
        encoded(answer::Link { found }.encode())
    }
}
