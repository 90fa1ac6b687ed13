//! What a message to a group costs: pairwise fan-out is paid for by the envelope.

use super::tell;
use crate::{
    error::Code,
    event::Cost,
    ids::Scope,
    model::{GroupRecord, Peer},
    record::SentTo,
    tx::{Call, own::OwnList},
    wire::{
        envelope::{self, Clear},
        padding, size,
    },
};

/// The envelopes of one message of `length` bytes to all members, as it would be sent now.
pub(crate) fn cost(call: &Call<'_>, group: &GroupRecord, length: usize) -> Result<Cost, Code> {
    let own = call.tx.own_list(call.user())?;
    let mut cost = Cost::default();
    let to: Vec<SentTo> = group
        .users()
        .map(|user| SentTo { user: user.clone(), account_key: None, also: Vec::new(), verified: false, welcome: false })
        .collect();
    let transcript = tell::to_group(group, &to, call.user(), false).transcript_room;
    let transcript = usize::try_from(transcript).map_err(|_| Code::TooLarge)?;
    for member in group.users() {
        let Some(user) = call.tx.readable(member)?.filter(|user| user.list.is_some()) else {
            cost.unknown.push(member.clone());
            continue;
        };
        let mut room = padding::ALLOWANCE;
        if member == call.user() {
            room = room.max(transcript);
        }
        for device in user.recipients(&call.us.party) {
            let peer = call.tx.peer(&user.user, device.id)?.filter(|peer| peer.stale_since.is_none());
            let shape = shape(call, group, &own, peer.as_ref())?;
            let nesting = if shape.nested { size::nesting() + size::prelude() } else { 0 };
            let content = size::prelude() + shape.list + nesting + size::group_body() + length;
            let padded = padding::padded_len(length, room + shape.list, content).map_err(|_| Code::PayloadTooLarge)?;
            let users = (call.user().as_bytes().len(), user.user.as_bytes().len());
            cost.envelopes += 1;
            cost.bytes += envelope::length(users, shape.clear, padded) as u64;
        }
    }
    Ok(cost)
}

/// What decides over the size of an envelope to one device, besides the payload.
struct Shape {
    clear: Clear,
    /// Whether the message rides inside a direct one.
    nested: bool,
    /// The length of the riding list, in bytes.
    list: usize,
}

fn shape(call: &Call<'_>, group: &GroupRecord, own: &OwnList, peer: Option<&Peer>) -> Result<Shape, Code> {
    let standing = peer.and_then(|peer| peer.standing(group.scope, call.at));
    let direct = peer.and_then(|peer| peer.active(Scope::Direct, call.at));
    let clear = match (standing, direct) {
        (Some(_), _) => Clear::Ordinary,
        (None, Some(direct)) if !direct.initiating => Clear::Ordinary,
        // Where no session is yet, the server is taken to have a one-time prekey.
        _ => Clear::Initiation,
    };
    let rides = clear == Clear::Initiation || peer.is_none_or(|peer| peer.knows_epoch < own.list.epoch);
    let list = if rides { padding::riding(own.signed()?.len()) } else { 0 };
    Ok(Shape { clear, nested: standing.is_none(), list })
}
