//! An answer of the server is taken in. All that it says is settled in the one commit of the call.
//!
//! Nothing that a server says is an error of the call. An answer that cannot be read is a failure like no answer at all: everything pauses.

use super::{
    pause::{after_rounds, asked},
    queue::{Queue, Ready},
    state::{Failure, Fetch, Heard, Requests, Work},
};
use crate::{
    error::{Blame, Code, Error},
    event::{Event, Item, NextStep, Received},
    flow::{
        lists,
        receive::batch,
        send::{
            needs::Answers,
            outcome,
            settle::{self, Stale},
        },
        upkeep::{link, publish},
    },
    ids::{DeviceId, PublicationId, UserId},
    keys::device_list::VerifiedDeviceList,
    record::{PartState, Wanted},
    registry::send,
    store::Kind,
    tx::{
        Call, inbox,
        sends::{self, Part},
    },
    wire::{
        answer::{self as form, Problem, Stock, SubmitResult},
        bundle::Bundle,
        request::Path,
    },
};
use std::collections::BTreeSet;

/// Takes in the answer to a request with this work.
pub(crate) fn hear(
    call: &mut Call<'_>,
    requests: &Requests,
    work: &Work,
    status: u16,
    body: &[u8],
) -> Result<Heard, Error> {
    let mut hearing = Hearing {
        heard: Heard { unauthorized: false, ..Heard::default() },
        requests,
        touched: work.users(),
        path: work.path(),
    };
    if status == 200 {
        match hearing.success(call, work, body) {
            // The answer cannot be read, or says nothing to what was asked.
            Err(error) if is_garbage(error.code) => hearing.fail(Code::ServerAnswer, 0),
            other => other?,
        }
    } else {
        hearing.refusal(call, work, status, body)?;
    }
    let Hearing { mut heard, touched, .. } = hearing;
    // Mail may change any user's sends: after it the queue is made anew.
    let known = requests.queue.as_ref().filter(|_| work.path() != Path::Mail);
    if let Some(queue) = known
        && queue.generation == call.tx.generation()?
    {
        heard.queue = Some((Queue::of(call, &touched)?, touched));
    }
    Ok(heard)
}

/// Whether a code says that bytes of the server are wrong. A store that fails is not the server's fault, and ends the call.
fn is_garbage(code: Code) -> bool {
    matches!(code.blame(), Blame::Peer | Blame::Server)
}

struct Hearing<'a> {
    heard: Heard,
    requests: &'a Requests,
    /// Users whose open sends are looked at again.
    touched: BTreeSet<UserId>,
    path: Path,
}

impl Hearing<'_> {
    fn success(&mut self, call: &mut Call<'_>, work: &Work, body: &[u8]) -> Result<(), Error> {
        match work {
            Work::Bundles(devices) => self.bundles(call, devices, body),
            Work::Confirm(ids) => {
                nothing(body)?;
                self.heard.confirmed.clone_from(ids);
                Ok(())
            }
            Work::Delete => {
                nothing(body)?;
                let mut server = call.tx.server()?;
                server.deleted = true;
                call.tx.put_server(&server)?;
                self.end_sends(call, PartState::Cancelled(Code::Cancelled.number()))
            }
            Work::Link(post) => {
                let found = form::Link::decode(body)?.found.ok_or(Code::NonCanonical)?;
                link::posted(call, &post.id, post.leg, found.as_slice())?;
                Ok(())
            }
            Work::Lists(users) => self.lists(call, users, body),
            Work::Mail { after, .. } => self.mail(call, *after, body),
            Work::Publication(id) => self.publication(call, id, body),
            Work::Push(value) => {
                nothing(body)?;
                let mut server = call.tx.server()?;
                if let Some(push) = server.push.as_mut().filter(|push| push.value == *value) {
                    push.due = false;
                    call.tx.put_server(&server)?;
                }
                Ok(())
            }
            Work::Submit(parts) => self.submit(call, parts, body),
        }
    }

    fn fail(&mut self, problem: Code, asked: u64) {
        self.heard.failure = Some(Failure { problem, asked, path: self.path });
    }

    /// Writes an item to the inbox.
    fn tell(&mut self, call: &mut Call<'_>, event: Event) -> Result<(), Code> {
        let id = inbox::put(&mut call.tx, &Item::Event(event))?;
        self.heard.items.push(id);
        Ok(())
    }

    fn tell_all(&mut self, call: &mut Call<'_>, events: Vec<Event>) -> Result<(), Code> {
        events.into_iter().try_for_each(|event| self.tell(call, event))
    }

    /// Any status but 200.
    fn refusal(&mut self, call: &mut Call<'_>, work: &Work, status: u16, body: &[u8]) -> Result<(), Error> {
        let problem = Problem::decode(body).ok();
        let asked = problem.as_ref().map_or(0, |problem| u64::from(problem.retry_after_ms));
        let shown = problem.as_ref().map(|problem| problem.list.as_slice()).filter(|list| !list.is_empty());
        match status {
            0 => self.fail(Code::ServerUnreachable, 0),
            400 | 413 => self.split(call, work, status)?,
            401 => self.unauthorized(call, problem.as_ref())?,
            403 if self.path == Path::Publication => {
                if !self.hear_own_list(call, shown)? {
                    self.refused(call)?;
                }
            }
            403 => {
                if !self.hear_own_list(call, shown)? {
                    self.fail(Code::ServerUnauthorized, asked);
                }
            }
            409 if self.path == Path::Publication && !is_other_account(call, shown) => {
                // Another device's upload, or a list from before a restore: what it shows counts by the rules of any list.
                self.hear_own_list(call, shown)?;
                self.fail(Code::ServerInconsistent, asked);
            }
            409 if self.path == Path::Publication => self.refused(call)?,
            429 | 500..=599 => self.fail(Code::ServerBusy, asked),
            _ => self.fail(Code::ServerAnswer, asked),
        }
        Ok(())
    }

    /// > RegistrationRefused, end
    fn refused(&mut self, call: &mut Call<'_>) -> Result<(), Code> {
        self.heard.over = Some(Code::RegistrationRefused);
        self.tell(call, Event::RegistrationRefused { user: call.user().clone() })
    }

    /// A list of our own that came with a refusal. Gives whether it shows that this device was removed.
    fn hear_own_list(&mut self, call: &mut Call<'_>, shown: Option<&[u8]>) -> Result<bool, Error> {
        let Some(list) = shown.and_then(|list| VerifiedDeviceList::verify(list).ok()) else { return Ok(false) };
        if list.user != *call.user() || list.account() != call.us.party.account() {
            return Ok(false);
        }
        match lists::take(call, &list) {
            Ok(events) => self.tell_all(call, events)?,
            Err(code) if is_garbage(code) => return Ok(false),
            Err(code) => return Err(code.into()),
        }
        self.touched.insert(call.user().clone());
        self.is_removed(call)
    }

    /// Whether our own list no longer names this device; says so once.
    fn is_removed(&mut self, call: &mut Call<'_>) -> Result<bool, Error> {
        let own = call.tx.own_list(call.user())?;
        if own.list.device(call.device()).is_some() {
            return Ok(false);
        }
        self.heard.over = Some(Code::RemovedFromAccount);
        self.tell(call, Event::RemovedFromAccount { epoch: own.list.epoch })?;
        self.end_sends(call, PartState::Failed(Code::RemovedFromAccount.number()))?;
        Ok(true)
    }

    /// Nothing more goes out of this device.
    fn end_sends(&mut self, call: &mut Call<'_>, state: PartState) -> Result<(), Error> {
        let last = call.tx.counters()?.last_item;
        self.heard.sends.extend(sends::open(&call.tx)?);
        outcome::end_all(call, state)?;
        Ok(self.new_items(call, last)?)
    }

    /// > First 401: sign again with the body's time; second: pause, then publish again.
    fn unauthorized(&mut self, call: &mut Call<'_>, problem: Option<&Problem>) -> Result<(), Code> {
        self.heard.unauthorized = true;
        if let Some(problem) = problem.filter(|problem| problem.time > 0) {
            let (theirs, ours) = (i64::try_from(problem.time), i64::try_from(call.now().0));
            self.heard.offset = theirs.ok().zip(ours.ok()).map(|(theirs, ours)| theirs.saturating_sub(ours));
            if !self.requests.unauthorized {
                return Ok(());
            }
        }
        self.fail(Code::ServerUnauthorized, 0);
        if self.requests.unauthorized {
            let mut book = call.tx.book()?;
            book.forget_published();
            call.tx.put_book(&book)?;
        }
        Ok(())
    }

    /// > 400, 413: split, then that user fails.
    fn split(&mut self, call: &mut Call<'_>, work: &Work, status: u16) -> Result<(), Error> {
        let code = if status == 413 { Code::TooLarge } else { Code::ServerAnswer };
        match work {
            Work::Submit(parts) if parts.len() > 1 => self.heard.alone.clone_from(parts),
            Work::Submit(parts) => {
                for part in parts {
                    self.close(call, part, PartState::Failed(code.number()))?;
                }
            }
            Work::Lists(users) if users.len() > 1 => self.heard.alone_users.extend(users.iter().cloned()),
            Work::Lists(users) => {
                for user in users {
                    call.tx.delete(call.tx.places().user(Kind::Wanted, user));
                    self.fail_user(call, user, code)?;
                }
            }
            Work::Bundles(devices) if devices.len() > 1 => self.heard.alone_users.extend(work.users()),
            Work::Bundles(devices) => {
                for (user, _) in devices {
                    self.fail_user(call, user, code)?;
                }
            }
            _ => self.fail(code, 0),
        }
        Ok(())
    }

    fn close(&mut self, call: &mut Call<'_>, part: &Ready, state: PartState) -> Result<(), Code> {
        let last = call.tx.counters()?.last_item;
        sends::close(&mut call.tx, &call.us.party.user, &part.send, &part.user, state)?;
        self.heard.sends.insert(part.send);
        self.new_items(call, last)
    }

    /// Items that a step below has written to the inbox.
    fn new_items(&mut self, call: &Call<'_>, last: u64) -> Result<(), Code> {
        self.heard.items.extend(last + 1..=call.tx.counters()?.last_item);
        Ok(())
    }

    /// Every open send to a user fails.
    fn fail_user(&mut self, call: &mut Call<'_>, user: &UserId, code: Code) -> Result<(), Code> {
        for Part { send, .. } in sends::open_parts(&call.tx, user)? {
            let part = Ready { send, is_own: user == call.user(), user: user.clone() };
            self.close(call, &part, PartState::Failed(code.number()))?;
        }
        Ok(())
    }

    fn stock(&mut self, call: &mut Call<'_>, stock: Stock) -> Result<(), Code> {
        self.heard.stock = Some(stock.one_time);
        let mut server = call.tx.server()?;
        let restored = server.generation.is_some_and(|known| known != stock.generation);
        if server.generation == Some(stock.generation) && server.wanted == Some(stock.wanted) {
            return Ok(());
        }
        server.generation = Some(stock.generation);
        server.wanted = Some(stock.wanted);
        call.tx.put_server(&server)?;
        if restored {
            let mut book = call.tx.book()?;
            book.forget_published();
            call.tx.put_book(&book)?;
            self.tell(call, Event::ServerRestored)?;
            // A server whose generation moves with each answer is not fed for ever.
            self.fail(Code::ServerInconsistent, 0);
        }
        Ok(())
    }

    fn publication(&mut self, call: &mut Call<'_>, id: &PublicationId, body: &[u8]) -> Result<(), Error> {
        let stock = Stock::decode(body)?;
        // Another process may have settled the upload in the meantime.
        let uploaded = match publish::published(call, id) {
            Err(error) if error.code == Code::InvalidArgument => 0,
            other => other?,
        };
        self.stock(call, stock)?;
        // A server that does not count what it has just taken is not fed for ever: our own count holds.
        if stock.one_time < uploaded {
            self.heard.stock = Some(u32::MAX);
        }
        Ok(())
    }

    fn lists(&mut self, call: &mut Call<'_>, users: &[UserId], body: &[u8]) -> Result<(), Error> {
        let form = form::Lists::decode(body)?;
        let lists = form.lists.into_vec();
        if lists.len() != users.len() {
            return Err(Code::NonCanonical.into());
        }
        let last = call.tx.counters()?.last_item;
        let mut answers = Answers::default();
        for (user, list) in users.iter().zip(lists) {
            call.tx.delete(call.tx.places().user(Kind::Wanted, user));
            self.changes(call, user)?;
            match list {
                None if user == call.user() => {
                    // The server does not know us any more: everything goes up again.
                    let mut book = call.tx.book()?;
                    book.forget_published();
                    call.tx.put_book(&book)?;
                }
                None => answers.unknown_users.push(user.clone()),
                Some(list) => {
                    let list: Vec<u8> = list.into();
                    if VerifiedDeviceList::verify(&list).is_ok_and(|list| list.user == *user) {
                        answers.device_lists.push(list);
                    }
                }
            }
        }
        let applied = settle::apply(call, &answers)?;
        self.new_items(call, last)?;
        self.tell_all(call, applied.events)?;
        if users.contains(call.user()) && self.is_removed(call)? {
            return Ok(());
        }
        for user in users {
            self.count_round(call, user, |queue, user| queue.lists.contains(user))?;
        }
        Ok(())
    }

    fn bundles(&mut self, call: &mut Call<'_>, devices: &[(UserId, DeviceId)], body: &[u8]) -> Result<(), Error> {
        let form = form::Bundles::decode(body)?;
        let bundles = form.bundles.into_vec();
        if bundles.len() != devices.len() {
            return Err(Code::NonCanonical.into());
        }
        let last = call.tx.counters()?.last_item;
        let mut answers = Answers::default();
        for ((user, device), bundle) in devices.iter().zip(bundles) {
            self.changes(call, user)?;
            let bundle: Option<Vec<u8>> = bundle.map(Into::into);
            match bundle.filter(|bundle| is_of(bundle, user, *device)) {
                Some(bundle) => answers.bundles.push(bundle),
                None => answers.without_bundle.push((user.clone(), *device)),
            }
        }
        let applied = settle::apply(call, &answers)?;
        self.new_items(call, last)?;
        self.tell_all(call, applied.events)?;
        let users: BTreeSet<UserId> = devices.iter().map(|(user, _)| user.clone()).collect();
        for user in &users {
            self.count_round(call, user, |queue, user| queue.bundles.iter().any(|(of, _)| of == user))?;
        }
        Ok(())
    }

    /// Sends to this user may change.
    fn changes(&mut self, call: &Call<'_>, user: &UserId) -> Result<(), Code> {
        self.heard.sends.extend(sends::open_parts(&call.tx, user)?.into_iter().map(|part| part.send));
        Ok(())
    }

    /// > A 200 that settles nothing pauses its work. Five spaced stale rounds, then `FAILED`.
    fn count_round(
        &mut self,
        call: &mut Call<'_>,
        user: &UserId,
        still_waits: fn(&Queue, &UserId) -> bool,
    ) -> Result<(), Error> {
        let queue = Queue::of(call, &BTreeSet::from([user.clone()]))?;
        // What waited before and waits again for the same has got nothing by the answer.
        let waited = self.requests.queue.as_ref().is_some_and(|before| still_waits(before, user));
        if waited && still_waits(&queue, user) {
            self.refuse(call, user)?;
        }
        Ok(())
    }

    /// Counts a round for every open send to a user, and rests before the next.
    fn refuse(&mut self, call: &mut Call<'_>, user: &UserId) -> Result<(), Code> {
        let mut rounds = 0;
        for Part { send: id, mut part } in sends::open_parts(&call.tx, user)? {
            send::refused(&mut part);
            rounds = rounds.max(part.refusals);
            let last = call.tx.counters()?.last_item;
            sends::put_part(&mut call.tx, &call.us.party.user, &id, &part)?;
            self.new_items(call, last)?;
        }
        self.heard.resting.push((user.clone(), after_rounds(&mut call.context, rounds)));
        Ok(())
    }

    fn submit(&mut self, call: &mut Call<'_>, parts: &[Ready], body: &[u8]) -> Result<(), Error> {
        let form = form::Submit::decode(body)?;
        let results = form.results.into_vec();
        if results.len() != parts.len() {
            return Err(Code::NonCanonical.into());
        }
        for (part, result) in parts.iter().zip(results) {
            self.heard.sends.insert(part.send);
            self.result(call, part, result)?;
        }
        Ok(())
    }

    fn result(&mut self, call: &mut Call<'_>, part: &Ready, result: SubmitResult) -> Result<(), Error> {
        let failed = |code: Code| PartState::Failed(code.number());
        match result {
            SubmitResult::Taken { .. } | SubmitResult::TakenBefore { .. } => {
                self.close(call, part, PartState::Taken)?;
            }
            SubmitResult::Stale { list, .. } => self.stale(call, part, list.as_slice())?,
            SubmitResult::NoSuchUser => {
                let last = call.tx.counters()?.last_item;
                self.changes(call, &part.user)?;
                settle::unknown_user(call, &part.user)?;
                self.new_items(call, last)?;
            }
            // The server says that we are not on our own list. Only a signed list shows it.
            SubmitResult::SenderNotListed => {
                self.heard.resting.push((part.user.clone(), after_rounds(&mut call.context, 3)));
                let own = Wanted { user: call.user().clone() };
                call.tx.put(call.tx.places().user(Kind::Wanted, call.user()), &own)?;
                self.touched.insert(call.user().clone());
            }
            SubmitResult::Malformed => self.close(call, part, failed(Code::ServerAnswer))?,
            SubmitResult::Full { devices } => self.full(call, part, devices.as_slice())?,
            SubmitResult::Later { seconds } => {
                self.heard.resting.push((part.user.clone(), asked(call.now(), seconds)));
            }
            SubmitResult::Policy => self.close(call, part, failed(Code::RefusedByPolicy))?,
        }
        Ok(())
    }

    fn stale(&mut self, call: &mut Call<'_>, part: &Ready, list: &[u8]) -> Result<(), Error> {
        let verified = VerifiedDeviceList::verify(list).ok().filter(|list| list.user == part.user);
        let Some(list) = verified else { return Ok(self.refuse(call, &part.user)?) };
        if sends::part(&call.tx, &part.send, &part.user)?.is_none_or(|part| part.state != PartState::Open) {
            return Ok(());
        }
        let last = call.tx.counters()?.last_item;
        self.changes(call, &part.user)?;
        call.tx.begin_item();
        let taken = settle::stale(call, &part.send, &part.user, &list);
        call.tx.end_item(taken.is_ok());
        match taken {
            Ok(Stale { events, is_newer }) => {
                self.new_items(call, last)?;
                self.tell_all(call, events)?;
                let rounds = sends::part(&call.tx, &part.send, &part.user)?.map_or(0, |part| part.refusals);
                if !is_newer {
                    self.heard.resting.push((part.user.clone(), after_rounds(&mut call.context, rounds)));
                }
                Ok(())
            }
            Err(error) if is_garbage(error.code) => Ok(self.refuse(call, &part.user)?),
            Err(error) => Err(error),
        }
    }

    /// > `full`: the sender repeats with `skip`; a dead tablet silences nobody
    fn full(&mut self, call: &mut Call<'_>, ready: &Ready, devices: &[DeviceId]) -> Result<(), Error> {
        let Some(mut part) = sends::part(&call.tx, &ready.send, &ready.user)? else { return Ok(()) };
        let before = part.entries.len();
        let full = part.entries.iter().filter(|entry| devices.contains(&entry.device));
        let full: Vec<_> = full.map(|entry| (entry.device, entry.fingerprint)).collect();
        for (device, fingerprint) in full {
            part.entries.retain(|entry| entry.device != device);
            part.skip(device, fingerprint, Code::MailboxFull);
        }
        if part.entries.len() == before {
            return Ok(self.refuse(call, &ready.user)?);
        }
        Ok(sends::put_part(&mut call.tx, &call.us.party.user, &ready.send, &part)?)
    }

    /// A page of the mailbox. What it says goes to the inbox, and its envelopes are confirmed by a request of their own.
    fn mail(&mut self, call: &mut Call<'_>, after: u64, body: &[u8]) -> Result<(), Error> {
        let form::Mail { mails, left, stock } = form::Mail::decode(body)?;
        let mails = mails.into_vec();
        let last = mails.last().map(|mail| mail.id);
        // A page of what was not asked for, or an empty page before the end, would go on for ever.
        if mails.first().is_some_and(|mail| mail.id <= after) || (mails.is_empty() && left > 0) {
            return Err(Code::NonCanonical.into());
        }
        let before = call.tx.counters()?.last_item;
        let ids: Vec<u64> = mails.iter().map(|mail| mail.id).collect();
        let envelopes: Vec<Vec<u8>> = mails.into_iter().map(|mail| mail.envelope.into()).collect();
        let results = batch::open(call, &envelopes)?;
        self.new_items(call, before)?;
        let kept: BTreeSet<usize> = results.iter().filter_map(kept).collect();
        let confirmed = ids.iter().enumerate().filter(|(at, _)| !kept.contains(at)).map(|(_, id)| *id);
        self.heard.to_confirm.extend(confirmed);
        self.stock(call, stock)?;
        self.heard.mail_left = Some(left);
        if left == 0 {
            let mut own = call.tx.own()?;
            own.mailbox_emptied_at = call.now().0;
            call.tx.put_own(&own)?;
        }
        let came = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let wanted = self.requests.fetch.map_or(0, |fetch| fetch.left).saturating_sub(came);
        let goes_on = left > 0 && wanted > 0;
        self.heard.fetch = Some(goes_on.then_some(Fetch { left: wanted, after: last.unwrap_or(after) }));
        Ok(())
    }
}

/// The place of an envelope that stays in the mailbox, because the store failed on it.
fn kept(received: &Received) -> Option<usize> {
    match received {
        Received::Failure { envelope, next: NextStep::Keep, .. } => Some(*envelope),
        _ => None,
    }
}

fn nothing(body: &[u8]) -> Result<(), Error> {
    if body.is_empty() { Ok(()) } else { Err(Code::TrailingData.into()) }
}

fn is_of(bundle: &[u8], user: &UserId, device: DeviceId) -> bool {
    let form = Bundle::decode(bundle);
    form.is_ok_and(|form| form.user.as_slice() == user.as_bytes() && form.device == device.0)
}

/// Whether a list belongs to another account of our name.
fn is_other_account(call: &Call<'_>, shown: Option<&[u8]>) -> bool {
    let list = shown.and_then(|list| VerifiedDeviceList::verify(list).ok());
    list.is_some_and(|list| list.user == *call.user() && list.account() != call.us.party.account())
}
