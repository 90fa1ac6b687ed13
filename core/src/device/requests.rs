//! The loop of requests: what goes to the server, and what comes back.
//!
//! ```text
//! while let Some(request) = next_request() { respond(request.id, transport(request)) }
//! ```
//!
//! That is the whole transport of an app. It always ends: see `flow/requests`.

use super::Device;
use crate::{
    context::Context,
    error::{Code, Error},
    event::{Answered, Health, ServerRequest},
    flow::requests::{self, Requests},
    ids::{RequestId, UserId},
    limits::{KEEP_SENT_DAYS, MAX_LISTS_ASKED, MAX_PUSH},
    record::{Push, Wanted},
    store::{Kind, Places},
    tx::{Call, healing, sends},
};

impl Device {
    /// The next request to the server, or `None` when nothing is due now. It is lent for a minute: until [`Device::respond`],
    /// [`Device::release`] or the end of the minute its work is in no other request. Several may be sent side by side.
    ///
    /// What is due by time is done here as well: keys are replaced, old sessions and sends are forgotten, the list is signed anew.
    ///
    /// # Errors
    /// The store's.
    pub fn next_request(
        &self,
        context: &mut Context<'_>,
        requests: &mut Requests,
    ) -> Result<Option<ServerRequest>, Error> {
        self.bring_up(context.now, requests);
        let (next, generation) = self.call_to(context, |call| {
            call.observe()?;
            requests::next(call, requests)
        })?;
        Ok(requests.gave(next, generation))
    }

    /// Takes in the server's answer to a request: the HTTP status, or 0 when none came, and the body. All that it says is settled in one
    /// commit. Whatever the server says is no error.
    ///
    /// # Errors
    /// [`Code::ForeignRequest`] when another device gave the request out; the store's. The request stays lent then.
    pub fn respond(
        &self,
        context: &mut Context<'_>,
        requests: &mut Requests,
        id: &RequestId,
        (status, body): (u16, &[u8]),
    ) -> Result<Answered, Error> {
        self.check_id(id)?;
        self.bring_up(context.now, requests);
        let Some(lent) = requests.lent(id) else { return Ok(Answered::default()) };
        let (heard, generation) = self.call_to(context, |call| {
            call.observe()?;
            requests::hear(call, requests, &lent, (status, body))
        })?;
        let answered = Answered {
            known: true,
            items: heard.items.clone(),
            sends: heard.sends.iter().copied().collect(),
            problem: heard.problem().map_or(0, Code::number),
        };
        requests.heard(context, id, heard, generation);
        Ok(answered)
    }

    /// Takes a request back that was not sent: it is given out again at once. One whose minute is over is no error.
    ///
    /// # Errors
    /// [`Code::ForeignRequest`] when another device gave the request out.
    pub fn release(&self, requests: &mut Requests, id: &RequestId) -> Result<(), Error> {
        self.check_id(id)?;
        requests.release(id);
        Ok(())
    }

    /// The name of a request begins with the device that gave it out.
    fn check_id(&self, id: &RequestId) -> Result<(), Error> {
        if self.keys.party.fingerprint().0.first_chunk::<4>() == id.0.first_chunk::<4>() {
            return Ok(());
        }
        Err(Error::of(Code::ForeignRequest, "id"))
    }

    /// How long it is until [`Device::next_request`] has something to give, in ms: 0 when it has now, a day at most.
    ///
    /// # Errors
    /// The store's.
    pub fn due_in(&self, context: &mut Context<'_>, requests: &mut Requests) -> Result<u64, Error> {
        self.bring_up(context.now, requests);
        let ((due_in, queue), generation) = self.call_to(context, |call| {
            call.observe()?;
            Ok(requests::due_in(call, requests)?)
        })?;
        requests.surveyed(queue, generation);
        Ok(due_in)
    }

    /// How this device stands with its server.
    ///
    /// # Errors
    /// The store's.
    pub fn health(&self, context: &mut Context<'_>, requests: &mut Requests) -> Result<Health, Error> {
        self.bring_up(context.now, requests);
        let ((health, queue), generation) = self.call_to(context, |call| {
            call.observe()?;
            let now = call.now();
            let (due_in, queue) = requests::due_in(call, requests)?;
            let (items, _) = call.tx.weigh(&Places::all(Kind::Item))?;
            let full = requests::is_inbox_full(call)?.then_some(Code::InboxFull);
            let health = Health {
                registered: requests::is_registered(call)?,
                problem: requests::ended(call)?.or(requests.problem(now)).or(full).map_or(0, Code::number),
                due_in,
                open_sends: open_sends(call)?,
                inbox: u32::try_from(items).unwrap_or(u32::MAX),
                mail_left: requests.mail_left(),
                clock_offset: requests.clock_offset(),
            };
            Ok((health, queue))
        })?;
        requests.surveyed(queue, generation);
        Ok(health)
    }

    /// Asks the server for the device lists of these users, so that they are known: the next requests do. A user whom the server does not
    /// know stays unknown. Sending to users needs no such call.
    ///
    /// # Errors
    /// [`Code::TooMany`] beyond 100; the store's.
    pub fn look_up(&self, context: &mut Context<'_>, users: &[UserId]) -> Result<(), Error> {
        if users.len() > MAX_LISTS_ASKED {
            return Err(Error::of(Code::TooMany, "users"));
        }
        self.call(context, |call| {
            for user in users {
                let key = call.tx.places().user(Kind::Wanted, user);
                call.tx.put(key, &Wanted { user: user.clone() })?;
            }
            Ok(())
        })
    }

    /// Tells the server where it may knock when mail comes: at most 512 bytes that the app and its push service understand. Empty: nowhere.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for a longer value; the store's.
    pub fn set_push(&self, context: &mut Context<'_>, value: &[u8]) -> Result<(), Error> {
        if value.len() > MAX_PUSH {
            return Err(Error::of(Code::InvalidArgument, "value"));
        }
        self.call(context, |call| {
            let mut server = call.tx.server()?;
            if server.push.as_ref().is_none_or(|push| push.value != value) {
                server.push = Some(Push { value: value.to_vec(), due: true });
                call.tx.put_server(&server)?;
            }
            Ok(())
        })
    }

    /// Sets for how many days this device keeps what it has sent, to send it again to a device that could not open it: 14 until this is called; 0 keeps
    /// nothing. What is older goes at once. It is sealed like all else in the store.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for more than 14 days; the store's.
    pub fn keep_sent(&self, context: &mut Context<'_>, days: u32) -> Result<(), Error> {
        if days > KEEP_SENT_DAYS {
            return Err(Error::of(Code::InvalidArgument, "days"));
        }
        self.call(context, |call| Ok(healing::keep_for(&mut call.tx, days, call.at.age)?))
    }

    /// Deletes the account at the server: its list, the keys and the mail of all its devices. The next request does; nothing else goes out
    /// after it. The store stays until the app deletes it.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; the store's.
    pub fn delete_account(&self, context: &mut Context<'_>) -> Result<(), Error> {
        self.call(context, |call| {
            call.tx.primary()?;
            let mut server = call.tx.server()?;
            server.delete = true;
            Ok(call.tx.put_server(&server)?)
        })
    }
}

fn open_sends(call: &Call<'_>) -> Result<u32, Error> {
    let mut open = 0;
    for id in sends::all(&call.tx)? {
        let is_quiet = sends::head(&call.tx, &id)?.is_none_or(|head| head.quiet);
        if !is_quiet && sends::tally(&call.tx, &id)?.is_some_and(|tally| !tally.is_finished()) {
            open += 1;
        }
    }
    Ok(open)
}
