//! An answer of the server is taken in. All that it says is settled in the one commit of the call.
//!
//! Nothing that a server says is an error of the call. An answer that cannot be read is a failure like no answer at all: everything pauses.

use super::{
    queue::Queue,
    state::{Failure, Fetch, Heard, Lent, Requests, Work},
};
use crate::{
    error::{Blame, Code, Error},
    event::{Event, Item, NextStep, Received},
    flow::{
        lists,
        receive::batch,
        send::{needs::Answers, settle},
        upkeep::{hand_over, link, own_list, publish},
    },
    ids::{DeviceId, PublicationId, UserId},
    record::PartState,
    store::Kind,
    tx::{Call, inbox, sends},
    wire::{
        answer::{self as form, Stock},
        bundle::Bundle,
        request::Path,
    },
};
use std::collections::BTreeSet;

/// Takes in the answer to a request with this work.
pub(crate) fn hear(
    call: &mut Call<'_>,
    requests: &Requests,
    lent: &Lent,
    (status, body): (u16, &[u8]),
) -> Result<Heard, Error> {
    let work = &lent.work;
    let mut hearing = Hearing { heard: Heard::default(), requests, lent, touched: work.users(), path: work.path() };
    if status == 200 {
        hearing.heard.unauthorized = Some(false);
        match hearing.success(call, work, body) {
            // The answer cannot be read, or says nothing to what was asked.
            Err(error) if is_garbage(error.code) => hearing.fail(Code::ServerAnswer, 0),
            other => other?,
        }
    } else {
        hearing.refusal(call, status, body)?;
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
pub(super) fn is_garbage(code: Code) -> bool {
    matches!(code.blame(), Blame::Peer | Blame::Server)
}

/// An answer while it is taken in.
pub(super) struct Hearing<'a> {
    pub(super) heard: Heard,
    pub(super) requests: &'a Requests,
    pub(super) lent: &'a Lent,
    /// Users whose open sends are looked at again.
    pub(super) touched: BTreeSet<UserId>,
    pub(super) path: Path,
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
                if !link::posted(call, &post.id, post.leg, found.as_slice())? {
                    // Somebody else was there before: the new device cannot hear this one.
                    self.fail(Code::LinkMismatch, 0);
                }
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

    pub(super) fn fail(&mut self, problem: Code, asked: u64) {
        self.heard.failure = Some(Failure { problem, asked, path: self.path });
    }

    /// Writes an item to the inbox.
    pub(super) fn tell(&mut self, call: &mut Call<'_>, event: Event) -> Result<(), Code> {
        let id = inbox::put(&mut call.tx, &Item::Event(event))?;
        self.heard.items.push(id);
        Ok(())
    }

    pub(super) fn tell_all(&mut self, call: &mut Call<'_>, events: Vec<Event>) -> Result<(), Code> {
        events.into_iter().try_for_each(|event| self.tell(call, event))
    }

    /// Items that a step below has written to the inbox.
    pub(super) fn new_items(&mut self, call: &Call<'_>, last: u64) -> Result<(), Code> {
        self.heard.items.extend(last + 1..=call.tx.counters()?.last_item);
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
            publish::anew(&mut call.tx)?;
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
        // A server that does not count what it has just taken is not fed for ever: it rests until it counts anew, with the next mail.
        if stock.one_time < uploaded || (uploaded > 0 && stock.one_time <= self.requests.stock.unwrap_or(0)) {
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
        let (mut answers, mut verified) = (Answers::default(), Vec::new());
        for (user, list) in users.iter().zip(lists) {
            call.tx.delete(call.tx.places().user(Kind::Wanted, user));
            self.changes(call, user)?;
            match list {
                None if user == call.user() => {
                    // The server does not know us any more: everything goes up again.
                    publish::anew(&mut call.tx)?;
                }
                None => answers.unknown_users.push(user.clone()),
                Some(list) => match lists::verify(&call.tx, user, list.as_slice()) {
                    Ok(list) if list.user == *user => verified.push(Ok(list)),
                    // The store cannot be read at all: the list may well be good.
                    Err(code) if code.blame() == Blame::Store && !code.is_damage() => return Err(code.into()),
                    Ok(_) | Err(_) => {}
                },
            }
        }
        let own = call.tx.own_list(call.user())?.list.hash;
        let is_own_newest = verified.iter().flatten().any(|list| list.list.hash == own);
        let applied = settle::apply_with(call, verified, &answers)?;
        self.new_items(call, last)?;
        self.tell_all(call, applied.events)?;
        if users.contains(call.user()) {
            if self.is_removed(call)? {
                return Ok(());
            }
            if is_own_newest {
                let events = own_list::sign_anew(call)?;
                hand_over::tell(call)?;
                self.tell_all(call, events)?;
            }
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
            self.count_round(call, user, |queue, user| queue.wants_bundle(user))?;
        }
        Ok(())
    }

    /// Sends to this user may change.
    pub(super) fn changes(&mut self, call: &Call<'_>, user: &UserId) -> Result<(), Code> {
        self.heard.sends.extend(sends::open_parts(&call.tx, user)?.into_iter().map(|part| part.send));
        Ok(())
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
            own.mailbox_emptied_at = call.at.age.0;
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
