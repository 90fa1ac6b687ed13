//! What was sent to a device and is sent again (X 8).

use crate::{
    error::{Code, Error},
    flow::{
        group::sync,
        send::{self, outbox},
    },
    ids::{SendId, SessionId},
    limits::{MAX_RESENDS, MAX_RESENT},
    model::{Peer, SessionMeta},
    record::{Again, Says, SendBody, SentEnvelope, SentPart, ToGroup},
    tx::{
        Call, healing,
        sends::{self, Sending},
    },
    wire::{
        content::Marks,
        retry::{Asked, Cause},
    },
};
use std::{collections::BTreeSet, sync::Arc};

/// An envelope that went to the device, or is on its way to it.
struct One {
    id: SendId,
    part: SentPart,
    envelope: SentEnvelope,
    /// Whether its send is not settled.
    is_open: bool,
}

impl One {
    /// The send by which it was said first.
    fn root(&self) -> SendId {
        self.part.again.map_or(self.id, |again| again.of)
    }
}

/// What was sent to a device and is remembered, oldest first.
pub(super) struct Sent(Vec<One>);

impl Sent {
    /// What was made for the very keys that the device has now, on its user's list.
    pub(super) fn to(call: &Call<'_>, peer: &Peer) -> Result<Self, Code> {
        let user = call.tx.known(&peer.user)?.ok_or(Code::UnknownUser)?;
        let fingerprint = user.fingerprint(peer.device);
        let is_its =
            |envelope: &SentEnvelope| envelope.device == peer.device && Some(envelope.fingerprint) == fingerprint;
        let mut all = Vec::new();
        for (id, part) in healing::sent_to(&call.tx, &peer.user)? {
            let envelope = part.envelopes.iter().find(|envelope| is_its(envelope)).copied();
            all.extend(envelope.map(|envelope| One { id, part, envelope, is_open: false }));
        }
        // The server may have taken what waits for its answer.
        for sends::Part { send: id, part } in sends::open_parts(&call.tx, &peer.user)? {
            let Some(head) = sends::head(&call.tx, &id)?.filter(|head| healing::is_kept(head)) else { continue };
            let part = healing::sent_part(&head, &part, 0);
            let envelope = part.envelopes.iter().find(|envelope| is_its(envelope)).copied();
            all.extend(envelope.map(|envelope| One { id, part, envelope, is_open: true }));
        }
        all.sort_by_key(|one| one.id.0);
        Ok(Self(all))
    }

    /// Whether a cause is about all that is said on a session. So is a body that does not open when it is sent again: the two sides have other
    /// keys under the same headers.
    fn is_of_session(one: &One, asked: &Asked) -> bool {
        asked.cause.is_of_device() || (asked.cause == Cause::BadBody && one.part.again.is_some())
    }

    fn named(&self, asked: &Asked) -> Option<&One> {
        self.0.iter().find(|one| one.envelope.salt == asked.salt)
    }

    /// Whether a retry says that nothing opens on a session that we still send on.
    pub(super) fn is_in_use(&self, call: &Call<'_>, peer: &Peer, asked: &Asked) -> bool {
        let Some(one) = self.named(asked) else { return false };
        let Some(meta) = session(peer, one.envelope.session) else { return false };
        let is_active = peer.active(meta.scope, call.at).is_some_and(|active| active.id == meta.id);
        // A floor, or a prekey, is about the beginning of a session. Once it was answered, it began.
        let is_of_beginning = matches!(asked.cause, Cause::UnknownPreKey | Cause::ReplayedInitiation);
        Self::is_of_session(one, asked) && is_active && (!is_of_beginning || meta.initiating)
    }

    /// Sends again what is asked for. If it went out on a session that is used no more, so is all that followed on such sessions: it did not
    /// open either, or it did and is dropped. Gives how many messages there are.
    pub(super) fn again(&self, call: &mut Call<'_>, peer: &Peer, heard: &[Asked]) -> Result<u32, Error> {
        let is_dead = |id: SessionId| session(peer, id).is_none_or(|meta| meta.demoted);
        let mut due: BTreeSet<SendId> = BTreeSet::new();
        let mut dead_since: Option<SendId> = None;
        for asked in heard {
            let Some(one) = self.named(asked) else { continue };
            due.insert(one.id);
            if Self::is_of_session(one, asked) && is_dead(one.envelope.session) {
                dead_since = Some(dead_since.map_or(one.id, |since| since.min(one.id)));
            }
        }
        if let Some(since) = dead_since {
            let followed = self.0.iter().filter(|one| one.id >= since && is_dead(one.envelope.session));
            due.extend(followed.map(|one| one.id));
        }
        let (mut done, mut messages): (BTreeSet<SendId>, u32) = (BTreeSet::new(), 0);
        for one in self.0.iter().filter(|one| due.contains(&one.id)) {
            let root = one.root();
            // It may be on its way again already.
            let of_root = || self.0.iter().filter(|other| other.root() == root);
            let is_under_way = of_root().any(|other| {
                other.id > one.id && (other.is_open || !is_dead(other.envelope.session)) && !due.contains(&other.id)
            });
            let times = of_root().filter_map(|other| other.part.again).map(|again| again.times).max().unwrap_or(0);
            if is_under_way || times >= MAX_RESENDS || !done.insert(root) || done.len() > MAX_RESENT {
                continue;
            }
            let salt = one.part.again.map_or(one.envelope.salt, |again| again.salt);
            let again = Again { of: root, times: times.saturating_add(1), salt };
            if send_again(call, peer, &one.part, again)? {
                messages = messages.saturating_add(1);
            }
        }
        Ok(messages)
    }
}

fn session(peer: &Peer, id: SessionId) -> Option<&SessionMeta> {
    peer.sessions.iter().find(|meta| meta.id == id)
}

/// Sends one message again. `false`: there is nothing left of it.
fn send_again(call: &mut Call<'_>, peer: &Peer, part: &SentPart, again: Again) -> Result<bool, Error> {
    let to = (&peer.user, peer.device);
    let Some((mut head, body)) = healing::said(&call.tx, &again.of)? else {
        // What the library says of a group by itself is not kept: all of the group's state takes its place.
        return if part.operations { Ok(sync::tell_again(call, part.scope, to)?) } else { Ok(false) };
    };
    if let Some(group) = &mut head.group {
        let id = group.scope.group().ok_or(Code::RecordInconsistent)?;
        let Some(known) = call.tx.known_group(&id)? else { return Ok(false) };
        // What we claim to have is what we have now.
        group.claim = known.claim;
    }
    let group: Option<ToGroup> = head.group;
    let sending = Sending::new(Arc::new(head), Arc::new(body));
    let said = outbox::content_for(&sending, &peer.user, call.user())?;
    let length = |length: usize| u32::try_from(length).map_err(|_| Code::TooLarge);
    let (payload, room) = (length(said.payload)?, length(said.room)?);
    let marks = Marks { reset: false, again: Some(again.salt) };
    let body = SendBody { payload: [marks.encode().as_slice(), &said.body].concat(), welcome: Vec::new() };
    send::quietly(call, to, group, (body, Says::Again { again, payload, room }))?;
    Ok(true)
}
