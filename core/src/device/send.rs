//! Sending: one call, a batch for each user (Sesame 3.3; D8).

use super::{Device, Send, SendId, lists::OwnList, outbox, sessions, work::Work};
use crate::{
    context::Context,
    error::{Code, Error},
    ids::{DeviceId, UserId},
    limits::MAX_RECIPIENTS,
    record::{Entry, Peer, Scope, SendBody, SendHead, SendPart, SentTo, User},
    session,
    store::{Kind, Places},
    wire::{
        content::{ListClaim, Prelude},
        padding,
    },
};

impl Device {
    /// Encrypts `payload` for every device of every recipient, and a transcript for the user's own other devices.
    ///
    /// What is missing comes back as needs; what can be encrypted is, at once. `content_id` is the app's own id, or `None` for a
    /// fresh one. Nothing is returned before it is committed; after a crash [`Device::outbox`] gives the same bytes.
    ///
    /// # Errors
    /// [`Code::EmptyBatch`] without recipient; [`Code::TooMany`]; [`Code::TooLarge`] when the payload fits no step of the padding;
    /// [`Code::NotListed`] when this device is not on its own user's list; the store's. Then nothing has changed.
    pub fn batch_encrypt(
        &self,
        context: &mut Context<'_>,
        recipients: &[UserId],
        payload: &[u8],
        content_id: Option<[u8; 16]>,
    ) -> Result<Send, Error> {
        if recipients.is_empty() {
            return Err(Error::of(Code::EmptyBatch, "recipients"));
        }
        if recipients.len() > MAX_RECIPIENTS {
            return Err(Error::of(Code::TooMany, "recipients"));
        }
        let mut users: Vec<UserId> = Vec::with_capacity(recipients.len() + 1);
        for user in recipients.iter().filter(|user| *user != self.user()) {
            if !users.contains(user) {
                users.push(user.clone());
            }
        }
        users.push(self.user().clone());
        self.send(context, users, None, payload, content_id)
    }

    /// Encrypts `payload` for one device alone, without a transcript: control messages, receipts.
    ///
    /// # Errors
    /// As [`Device::batch_encrypt`].
    pub fn encrypt_to(
        &self,
        context: &mut Context<'_>,
        user: &UserId,
        device: DeviceId,
        payload: &[u8],
    ) -> Result<Send, Error> {
        if (user, device) == self.us() {
            return Err(Error::of(Code::InvalidArgument, "device"));
        }
        self.send(context, vec![user.clone()], Some(device), payload, None)
    }

    fn send(
        &self,
        context: &mut Context<'_>,
        users: Vec<UserId>,
        target: Option<DeviceId>,
        payload: &[u8],
        content_id: Option<[u8; 16]>,
    ) -> Result<Send, Error> {
        padding::padded_len(payload.len(), 0).map_err(|code| Error::of(code, "payload"))?;
        self.run(context, |work, context| {
            let own = self.own_list(work)?;
            own.list.device(self.id()).ok_or(Code::NotListed)?;
            let id = SendId(context.random());
            let head = SendHead {
                content_id: content_id.unwrap_or_else(|| context.random()),
                sent_at: context.now.0,
                users: users.iter().map(|user| sent_to(work, user, self.user())).collect::<Result<_, Code>>()?,
                target,
            };
            let body = SendBody { payload: payload.to_vec() };
            work.put(Places::send(Kind::SendHead, &id.0), &head)?;
            work.put(Places::send(Kind::SendBody, &id.0), &body)?;
            for SentTo { user, .. } in &head.users {
                let mut part = SendPart::new(user.clone());
                self.advance(work, context, (&id, &head, &body), &mut part, &own)?;
                if part.skips.iter().any(|skip| skip.reason == Code::TooLarge.number()) {
                    return Err(Error::of(Code::TooLarge, "payload"));
                }
                work.put(work.places().part(user, &id.0), &part)?;
            }
            outbox::view(self, work, context.now, &id)?.ok_or(Code::Internal.into())
        })
    }

    /// Encrypts for whom a session is there and nothing was encrypted yet.
    pub(super) fn advance(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        (_, head, body): (&SendId, &SendHead, &SendBody),
        part: &mut SendPart,
        own: &OwnList,
    ) -> Result<(), Code> {
        let user = work.user(&part.user)?;
        let (peers, damaged) = work.peers(user.as_ref())?;
        // A damaged DeviceRecord concerns its device alone. It is not made anew: its floor would be lost, and replays would pass (X 3).
        damaged.into_iter().for_each(|device| part.skip(device, Code::RecordCorrupt));
        let find = |device| Ok(peers.iter().find(|peer| peer.device == device));
        let plan = part.plan(user.as_ref(), find, self.us(), head.target, context.now)?;
        let Some(user) = user else { return Ok(()) };
        let tail = outbox::tail(head, body, &part.user, self.user()).encode()?;
        for device in plan.encrypt {
            let Some(peer) = peers.iter().find(|peer| peer.device == device) else { continue };
            match self.encrypt(work, context, (&user, peer), own, (&tail, body.payload.len())) {
                Ok(entry) => part.entries.push(entry),
                // A message that no step holds once the lists are with it: this device gets nothing, and the app is told.
                Err(Code::TooLarge) => part.skip(device, Code::TooLarge),
                // A damaged session concerns its device alone: it is forgotten, and the next bundle begins another.
                Err(Code::RecordCorrupt | Code::RecordInconsistent) => {
                    let mut peer = peer.clone();
                    let damaged: Vec<_> = peer.active(Scope::Direct, context.now).copied().into_iter().collect();
                    sessions::forget(work, &mut peer, &damaged)?;
                    work.put_peer(&peer)?;
                }
                Err(code) => return Err(code),
            }
        }
        Ok(())
    }

    fn encrypt(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        (user, peer): (&User, &Peer),
        own: &OwnList,
        (tail, payload): (&[u8], usize),
    ) -> Result<Entry, Code> {
        let meta = *peer.active(Scope::Direct, context.now).ok_or(Code::NoSession)?;
        let session = sessions::load(work, peer, meta)?;
        // > Our full list rides along until that device claims our epoch; every initiation carries it.
        let rides = meta.initiating || peer.knows_epoch < own.list.epoch;
        let prelude = Prelude {
            version: 1,
            my_list: own.list.claim(),
            your_list: user.list.as_ref().map_or_else(ListClaim::default, crate::record::List::claim),
            list: if rides { own.signed.clone() } else { Vec::new() }.into(),
            sequence: session.ratchet.hot.sequence.saturating_add(1),
        };
        let prelude = prelude.encode()?;
        padding::padded_len(payload, prelude.len().saturating_add(tail.len()))?;
        let (sender, recipient, pair) = (&self.keys.party, peer.party(), peer.sending());
        let route = session::Route { sender, recipient: &recipient, pair: &pair };
        let sealed = session::seal(&session, context, route)?;
        work.put(work.places().session(Kind::Chains, peer, meta.id), &sealed.hot)?;
        Ok(Entry { device: peer.device, prelude, recipe: sealed.recipe })
    }

    /// Something about a user has changed: every open part of it is taken as far as it goes.
    pub(super) fn advance_user(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        user: &UserId,
    ) -> Result<(), Code> {
        let own = self.own_list(work)?;
        for key in work.keys(&work.places().user(Kind::SendPart, user))? {
            let id = SendId(key.last_chunk::<16>().copied().ok_or(Code::RecordInconsistent)?);
            let Some(mut part) = work.get::<SendPart>(&key)? else { continue };
            let (head, body) = outbox::read(work, &id)?.ok_or(Code::RecordInconsistent)?;
            self.advance(work, context, (&id, &head, &body), &mut part, &own)?;
            work.put(key, &part)?;
        }
        Ok(())
    }
}

/// A recipient with our pin; our own devices need none for their own user.
fn sent_to(work: &Work<'_>, user: &UserId, us: &UserId) -> Result<SentTo, Code> {
    let known = work.user(user)?.filter(|known| known.user != *us);
    Ok(SentTo {
        user: user.clone(),
        account_key: known.as_ref().map(|known| known.account_key),
        verified: known.is_some_and(|known| known.verified),
    })
}
