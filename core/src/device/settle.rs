//! The server's word on a batch, and what it had to be asked for (Sesame 3.3; X 5, X 6).

use super::{Device, outbox, sessions, work::Work};
use crate::{
    context::Context,
    error::{Code, Error},
    event::{Answers, Applied, Event, Refusal, Rejection, Send},
    ids::{DeviceId, Scope, SendId, UserId},
    keys::{bundle::VerifiedBundle, device_list::VerifiedDeviceList},
    limits::MAX_BATCH,
    model::{Peer, order},
    record::{PartState, SendPart},
    session,
    store::{Kind, Places},
    wire::bundle::Bundle,
};
use std::collections::BTreeSet;

impl Device {
    /// The server has taken a user's batch whole. Settling what is settled already does nothing.
    ///
    /// # Errors
    /// The store's.
    pub fn accepted(&self, context: &mut Context<'_>, send: &SendId, user: &UserId) -> Result<(), Error> {
        self.run(context, |work, _| close(work, send, user).map_err(Error::from))
    }

    /// Gives a user's part of a send up: nothing of it will be offered again.
    ///
    /// # Errors
    /// The store's.
    pub fn abandon(&self, context: &mut Context<'_>, send: &SendId, user: &UserId) -> Result<(), Error> {
        self.run(context, |work, _| close(work, send, user).map_err(Error::from))
    }

    /// The server has refused a user's batch whole. The list that it shows is taken in, what is missing is encrypted or becomes a
    /// need, what was encrypted stays as it is. After five refusals the user's part is given up (`TooManyRounds`).
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] when no such part is open; what [`VerifiedDeviceList::verify`] says, [`Code::WrongUser`]; the store's.
    pub fn rejected(
        &self,
        context: &mut Context<'_>,
        send: &SendId,
        user: &UserId,
        rejection: &Rejection,
    ) -> Result<Send, Error> {
        let offered = match rejection {
            Rejection::Mismatch { device_list } => {
                let list = VerifiedDeviceList::verify(device_list).map_err(|code| Error::of(code, "device_list"))?;
                if list.user != *user {
                    return Err(Error::of(Code::WrongUser, "device_list"));
                }
                Some(list)
            }
            Rejection::NoSuchUser => None,
        };
        self.run(context, |work, context| {
            let key = work.places().part(user, send);
            let mut part: SendPart = work.get(&key)?.ok_or(Error::of(Code::InvalidArgument, "send"))?;
            if part.state != PartState::Open {
                return Err(Error::of(Code::InvalidArgument, "send"));
            }
            let mut events = Vec::new();
            match &offered {
                Some(offered) => {
                    let before = epoch(work, user)?;
                    events = self.take_list(work, offered, context.now)?;
                    let blocked = work.user(user)?.is_some_and(|user| user.claimed_key.is_some());
                    // > its answer "your view is stale" counts only with a newer signed list, else `ServerInconsistent`
                    if epoch(work, user)? <= before && !blocked {
                        events.push(Event::ServerInconsistent { user: user.clone() });
                    }
                    part.refused();
                }
                None => {
                    part.state = PartState::Failed(Code::UnknownUser.number());
                    self.pause(work, context, user)?;
                }
            }
            work.put(key, &part)?;
            self.advance_user(work, context, user)?;
            let mut view = outbox::view(self, work, context.now, send)?.ok_or(Code::Internal)?;
            view.events = events;
            Ok(view)
        })
    }

    /// > mark stale: keep the time of the *first* marking
    fn pause(&self, work: &mut Work<'_>, context: &Context<'_>, user: &UserId) -> Result<(), Code> {
        if let Some(mut record) = work.user(user)? {
            record.stale_since = record.stale_since.or(Some(context.now.0));
            work.put_user(&record)?;
        }
        Ok(())
    }

    /// Takes in what the server gave for needs, in any order and at any time. Each item is taken or refused by itself.
    ///
    /// # Errors
    /// [`Code::TooMany`]; the store's.
    pub fn apply(&self, context: &mut Context<'_>, answers: &Answers) -> Result<Applied, Error> {
        if answers.device_lists.len() > MAX_BATCH || answers.bundles.len() > MAX_BATCH {
            return Err(Error::of(Code::TooMany, "answers"));
        }
        self.run(context, |work, context| {
            let mut applied = Applied::default();
            let mut touched: BTreeSet<UserId> = BTreeSet::new();
            for (item, bytes) in answers.device_lists.iter().enumerate() {
                work.begin_item();
                let taken = VerifiedDeviceList::verify(bytes)
                    .and_then(|list| Ok((self.take_list(work, &list, context.now)?, list.user)));
                work.end_item(taken.is_ok());
                match taken {
                    Ok((events, user)) => {
                        applied.events.extend(events);
                        touched.insert(user);
                    }
                    Err(code) => refuse(&mut applied, "device_lists", item, code)?,
                }
            }
            let mut skips: Vec<(UserId, DeviceId, Code)> = Vec::new();
            let mut seen: BTreeSet<(UserId, DeviceId)> = BTreeSet::new();
            for (item, bytes) in answers.bundles.iter().enumerate() {
                let bundle = match Bundle::decode(bytes) {
                    Ok(bundle) => bundle,
                    Err(code) => {
                        refuse(&mut applied, "bundles", item, code)?;
                        continue;
                    }
                };
                let Some(user) = UserId::try_new(bundle.user.as_slice().to_vec()) else { continue };
                let device = DeviceId(bundle.device);
                work.begin_item();
                let taken = match seen.insert((user.clone(), device)) {
                    true => self.begin_session(work, context, &user, device, &bundle),
                    false => Err(Code::DuplicateDevice),
                };
                work.end_item(taken.is_ok());
                match taken {
                    Ok(events) => applied.events.extend(events),
                    Err(code) => {
                        refuse(&mut applied, "bundles", item, code)?;
                        if code != Code::DuplicateDevice {
                            skips.push((user.clone(), device, code));
                        }
                    }
                }
                touched.insert(user);
            }
            for (user, device) in &answers.without_bundle {
                skips.push((user.clone(), *device, Code::UnknownPreKey));
                touched.insert(user.clone());
            }
            for user in &answers.unknown_users {
                self.pause(work, context, user)?;
                self.fail_parts(work, user)?;
            }
            for (user, device, code) in skips {
                self.skip(work, context, &user, device, code)?;
            }
            for user in &touched {
                self.advance_user(work, context, user)?;
            }
            Ok(applied)
        })
    }

    /// prep(U, D, pk), Sesame 3.2: an initiating session, if none is usable.
    fn begin_session(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        user: &UserId,
        device: DeviceId,
        bundle: &Bundle,
    ) -> Result<Vec<Event>, Code> {
        let record = work.user(user)?.ok_or(Code::BundleMismatch)?;
        if record.claimed_key.is_some() {
            return Err(Code::IdentityNotAccepted);
        }
        let recipients = record.recipients(&self.keys.party);
        if !recipients.iter().any(|listed| listed.id == device) {
            return Err(Code::BundleMismatch);
        }
        let party = record.listed_party(device).ok_or(Code::BundleMismatch)?;
        let verified = VerifiedBundle::verify(bundle, &party, context.now)?;
        let mut peer = match work.peer(user, device)?.filter(|peer| peer.is(&party)) {
            Some(peer) => peer,
            None => Peer::new(&self.keys, &party)?,
        };
        if peer.active(Scope::Direct, context.now).is_some() {
            return Ok(Vec::new());
        }
        let floor = peer.floor(Scope::Direct);
        let generation = order::next_generation(&peer.sessions, Scope::Direct, floor, context.now);
        let mut session = session::initiate(&self.keys, context, &verified, generation)?;
        session.ratchet.hot.sequence = self.sequence(work, &peer, Scope::Direct)?;
        sessions::insert(work, &mut peer, &session)?;
        work.put_peer(&peer)?;
        let idle = verified.idle.then(|| Event::IdleDevice { user: user.clone(), device });
        Ok(idle.into_iter().collect())
    }

    /// How many messages this device has sent to that one in a scope, over all its sessions that are left.
    pub(super) fn sequence(&self, work: &Work<'_>, peer: &Peer, scope: Scope) -> Result<u64, Code> {
        let mut highest = 0;
        for meta in peer.sessions.iter().filter(|meta| meta.scope == scope) {
            let key = work.places().session(Kind::Chains, peer, meta.id);
            // A damaged one counts nothing; its session is forgotten when it is used.
            if let Some(hot) = work.get_sound::<crate::record::Hot>(&key)? {
                highest = highest.max(hot.sequence);
            }
        }
        Ok(highest)
    }

    /// Open parts that wait for this device's bundle go without it, and say so (X 6).
    fn skip(
        &self,
        work: &mut Work<'_>,
        context: &Context<'_>,
        user: &UserId,
        device: DeviceId,
        code: Code,
    ) -> Result<(), Code> {
        let record = work.user(user)?;
        let listed =
            record.as_ref().is_some_and(|user| user.recipients(&self.keys.party).iter().any(|d| d.id == device));
        let usable = work.peer(user, device)?.is_some_and(|peer| peer.active(Scope::Direct, context.now).is_some());
        if !listed || usable {
            return Ok(());
        }
        for key in work.keys(&work.places().user(Kind::SendPart, user))? {
            let Some(mut part) = work.get::<SendPart>(&key)? else { continue };
            if part.state == PartState::Open && part.entries.iter().all(|entry| entry.device != device) {
                part.skip(device, code);
                work.put(key, &part)?;
            }
        }
        Ok(())
    }

    fn fail_parts(&self, work: &mut Work<'_>, user: &UserId) -> Result<(), Code> {
        for key in work.keys(&work.places().user(Kind::SendPart, user))? {
            let Some(mut part) = work.get::<SendPart>(&key)? else { continue };
            part.state = PartState::Failed(Code::UnknownUser.number());
            work.put(key, &part)?;
        }
        Ok(())
    }
}

fn epoch(work: &Work<'_>, user: &UserId) -> Result<u64, Code> {
    Ok(work.user(user)?.and_then(|user| user.list).map_or(0, |list| list.epoch))
}

/// A store that fails ends the call; anything else concerns the item.
fn refuse(applied: &mut Applied, field: &'static str, item: usize, code: Code) -> Result<(), Error> {
    if code.blame() == crate::error::Blame::Store && !code.is_damage() {
        return Err(code.into());
    }
    applied.refusals.push(Refusal { field, item, code });
    Ok(())
}

/// Ends a user's part; with the last part the send is gone, and the plaintext with it.
pub(super) fn close(work: &mut Work<'_>, send: &SendId, user: &UserId) -> Result<(), Code> {
    let Some((head, _)) = outbox::read(work, send)? else { return Ok(()) };
    work.delete(work.places().part(user, send));
    // Our own part stands last and is mostly settled last: looked for first, a thousand settlements cost a thousand looks.
    for other in head.users.iter().rev() {
        if work.exists(&work.places().part(&other.user, send))? {
            return Ok(());
        }
    }
    work.delete(Places::send(Kind::SendHead, send));
    work.delete(Places::send(Kind::SendBody, send));
    Ok(())
}
