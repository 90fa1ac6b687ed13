//! What the server says of each batch of a submission, and how rounds that bring nothing are counted.

use super::{
    hear::{Hearing, is_garbage},
    pause::{after_rounds, asked},
    queue::Queue,
};
use crate::{
    error::{Code, Error},
    flow::{
        send::settle::{self, Stale},
        upkeep::damage,
    },
    ids::{DeviceId, UserId},
    keys::device_list::VerifiedDeviceList,
    record::{PartState, Wanted},
    registry::send,
    store::Kind,
    tx::{
        Call, Ready,
        sends::{self, Part},
    },
    wire::answer::{self as form, SubmitResult},
};
use std::collections::BTreeSet;

impl Hearing<'_> {
    /// > A 200 that settles nothing pauses its work. Five spaced stale rounds, then `FAILED`.
    pub(super) fn count_round(
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
    pub(super) fn refuse(&mut self, call: &mut Call<'_>, user: &UserId) -> Result<(), Code> {
        let mut rounds = 0;
        for Part { send: id, mut part } in sends::open_parts(&call.tx, user)? {
            send::refused(&mut part);
            rounds = rounds.max(part.refusals);
            let last = call.tx.counters()?.last_item;
            sends::put_part(&mut call.tx, &call.us.party.user, &id, part)?;
            self.new_items(call, last)?;
        }
        self.heard.resting.push((user.clone(), after_rounds(&mut call.context, rounds)));
        Ok(())
    }

    pub(super) fn submit(&mut self, call: &mut Call<'_>, parts: &[Ready], body: &[u8]) -> Result<(), Error> {
        let form = form::Submit::decode(body)?;
        let results = form.results.into_vec();
        if results.len() != parts.len() {
            return Err(Code::NonCanonical.into());
        }
        for (part, result) in parts.iter().zip(results) {
            self.heard.sends.insert(part.send);
            if call.one(|call| self.result(call, part, result))?.is_none() {
                // It cannot be settled, and would go out again and again.
                damage::mend(call, &part.send)?;
            }
        }
        Ok(())
    }

    pub(super) fn result(&mut self, call: &mut Call<'_>, part: &Ready, result: SubmitResult) -> Result<(), Error> {
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
                self.refuse(call, &part.user)?;
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

    pub(super) fn stale(&mut self, call: &mut Call<'_>, part: &Ready, list: &[u8]) -> Result<(), Error> {
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
                if part.user == *call.user() {
                    self.is_removed(call)?;
                }
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
    pub(super) fn full(&mut self, call: &mut Call<'_>, ready: &Ready, devices: &[DeviceId]) -> Result<(), Error> {
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
        Ok(sends::put_part(&mut call.tx, &call.us.party.user, &ready.send, part)?)
    }
}
