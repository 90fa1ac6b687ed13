//! An answer that is no 200: who is at fault, and what ends, waits, or goes on in another way.

use super::{
    hear::{Hearing, is_garbage},
    state::Work,
};
use crate::{
    error::{Code, Error},
    event::Event,
    flow::{
        lists::{self, Source},
        send::outcome,
        upkeep::{publish, removal},
    },
    ids::UserId,
    keys::device_list::VerifiedDeviceList,
    record::PartState,
    store::Kind,
    tx::{
        Call, Ready,
        sends::{self, Part},
    },
    wire::{answer::Problem, request::Path},
};

/// Two clocks that differ by no more are not the reason for a refused signature, in ms.
const SAME_TIME: u64 = 60_000;

impl Hearing<'_> {
    /// Any status but 200.
    ///
    /// Many a proxy on the way has a page for 400, 403 and 413. What ends a send or an account is the word of the server itself: a body in the
    /// form of a [`Problem`], or for 400 and 413 none at all.
    pub(super) fn refusal(&mut self, call: &mut Call<'_>, status: u16, body: &[u8]) -> Result<(), Error> {
        let problem = Problem::decode(body).ok();
        let asked = problem.as_ref().map_or(0, |problem| u64::from(problem.retry_after_ms));
        let shown = problem.as_ref().map(|problem| problem.list.as_slice()).filter(|list| !list.is_empty());
        let is_publication = self.path == Path::Publication;
        match status {
            0 => self.fail(Code::ServerUnreachable, 0),
            400 | 413 if problem.is_some() || body.is_empty() => self.split(call, status)?,
            401 => self.unauthorized(call, problem.as_ref())?,
            403 => {
                if self.hear_own_list(call, shown)? {
                    return Ok(());
                }
                let refused = problem.is_some_and(|problem| problem.code == Code::RegistrationRefused.number());
                self.refuse_or_fail(call, is_publication && refused, Code::ServerUnauthorized, asked)?;
            }
            409 if is_publication => {
                let taken = is_other_account(call, shown);
                // Another device's upload, or a list from before a restore: what it shows counts by the rules of any list.
                self.hear_own_list(call, shown)?;
                self.refuse_or_fail(call, taken, Code::ServerInconsistent, asked)?;
            }
            429 | 500..=599 => self.fail(Code::ServerBusy, asked),
            _ => self.fail(Code::ServerAnswer, asked),
        }
        Ok(())
    }

    /// > RegistrationRefused, end
    ///
    /// Only of a device that the server has never taken: no word of a server ends one that it knew. Such a device says in its health that its account
    /// is refused, for example after a reset, and goes on asking.
    fn refuse_or_fail(&mut self, call: &mut Call<'_>, refused: bool, otherwise: Code, asked: u64) -> Result<(), Error> {
        let mut server = call.tx.server()?;
        if !refused || server.generation.is_some() {
            self.fail(if refused { Code::RegistrationRefused } else { otherwise }, asked);
            return Ok(());
        }
        self.heard.over = Some(Code::RegistrationRefused);
        if !server.refused {
            server.refused = true;
            call.tx.put_server(&server)?;
            self.tell(call, Event::RegistrationRefused { user: call.user().clone() })?;
            self.end_sends(call, PartState::Failed(Code::RegistrationRefused.number()))?;
        }
        Ok(())
    }

    /// A list of our own that came with a refusal. Gives whether it shows that this device was removed.
    pub(super) fn hear_own_list(&mut self, call: &mut Call<'_>, shown: Option<&[u8]>) -> Result<bool, Error> {
        let Some(list) = shown.and_then(|list| VerifiedDeviceList::verify(list).ok()) else { return Ok(false) };
        if list.user != *call.user() || list.account() != call.us.party.account() {
            return Ok(false);
        }
        match lists::take(call, &list, Source::Server) {
            Ok(taken) => self.tell_all(call, taken.events)?,
            Err(code) if is_garbage(code) => return Ok(false),
            Err(code) => return Err(code.into()),
        }
        self.touched.insert(call.user().clone());
        self.is_removed(call)
    }

    /// Whether our own list no longer names this device.
    pub(super) fn is_removed(&mut self, call: &mut Call<'_>) -> Result<bool, Error> {
        let last = call.tx.counters()?.last_item;
        let open = sends::open(&call.tx)?;
        if !removal::notice(call)? {
            return Ok(false);
        }
        self.heard.sends.extend(open);
        self.new_items(call, last)?;
        self.heard.over = Some(Code::RemovedFromAccount);
        Ok(true)
    }

    /// Nothing more goes out of this device.
    pub(super) fn end_sends(&mut self, call: &mut Call<'_>, state: PartState) -> Result<(), Error> {
        let last = call.tx.counters()?.last_item;
        self.heard.sends.extend(sends::open(&call.tx)?);
        outcome::end_all(call, state)?;
        Ok(self.new_items(call, last)?)
    }

    /// > First 401: sign again with the body's time; second: pause, then publish again.
    pub(super) fn unauthorized(&mut self, call: &mut Call<'_>, problem: Option<&Problem>) -> Result<(), Error> {
        if self.path == Path::Link {
            // Nothing there is signed.
            self.fail(Code::ServerUnauthorized, 0);
            return Ok(());
        }
        if self.lent.corrections < self.requests.corrections {
            // It was signed before the clock was corrected, and goes out again with a signature of now.
            return Ok(());
        }
        self.heard.unauthorized = Some(true);
        // The server's time counts each time: our clock may have been set meanwhile.
        let time = problem.and_then(|problem| i64::try_from(problem.time).ok()).filter(|time| *time > 0);
        let ours = i64::try_from(call.now().0).unwrap_or(i64::MAX);
        self.heard.offset = time.map(|theirs| theirs.saturating_sub(ours));
        if self.heard.offset.is_some() && !self.requests.unauthorized {
            return Ok(());
        }
        self.fail(Code::ServerUnauthorized, 0);
        let moved = self.heard.offset.map_or(0, |offset| offset.abs_diff(self.requests.offset));
        // It was signed by the right time, so that it is our key which the server does not take.
        if self.requests.unauthorized && moved <= SAME_TIME {
            publish::anew(&mut call.tx)?;
        }
        Ok(())
    }

    /// > 400, 413: split, then that user fails.
    pub(super) fn split(&mut self, call: &mut Call<'_>, status: u16) -> Result<(), Error> {
        let code = if status == 413 { Code::TooLarge } else { Code::ServerAnswer };
        match &self.lent.work {
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
            Work::Bundles(devices) if devices.len() > 1 => self.heard.alone_users.extend(self.lent.work.users()),
            Work::Bundles(devices) => {
                for (user, _) in devices {
                    self.fail_user(call, user, code)?;
                }
            }
            _ => self.fail(code, 0),
        }
        Ok(())
    }

    pub(super) fn close(&mut self, call: &mut Call<'_>, part: &Ready, state: PartState) -> Result<(), Code> {
        let last = call.tx.counters()?.last_item;
        sends::close(&mut call.tx, &call.us.party.user, &part.send, &part.user, state)?;
        self.heard.sends.insert(part.send);
        self.heard.settled.insert((part.send, part.user.clone()));
        self.new_items(call, last)
    }

    /// Every open send to a user fails.
    pub(super) fn fail_user(&mut self, call: &mut Call<'_>, user: &UserId, code: Code) -> Result<(), Code> {
        for Part { send, .. } in sends::open_parts(&call.tx, user)? {
            let part = Ready { send, is_own: user == call.user(), user: user.clone() };
            self.close(call, &part, PartState::Failed(code.number()))?;
        }
        Ok(())
    }
}

/// Whether a list belongs to another account of our name.
fn is_other_account(call: &Call<'_>, shown: Option<&[u8]>) -> bool {
    let list = shown.and_then(|list| VerifiedDeviceList::verify(list).ok());
    list.is_some_and(|list| list.user == *call.user() && list.account() != call.us.party.account())
}
