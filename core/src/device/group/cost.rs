//! What a message to a group costs: pairwise fan-out is paid for by the envelope.

use super::super::{Device, encrypt::NESTING, work::Work};
use crate::{
    context::Context,
    error::Code,
    event::Cost,
    ids::Scope,
    model::GroupRecord,
    record::SentTo,
    wire::{
        envelope::{self, Clear},
        padding,
    },
};

/// A content's first part without a list.
const PRELUDE: usize = 59;
/// Kind, content id, time, claim and length of a group's message.
const BODY: usize = 1 + 24 + 18 + 4;

impl Device {
    pub(super) fn cost(
        &self,
        work: &Work<'_>,
        context: &Context<'_>,
        group: &GroupRecord,
        length: usize,
    ) -> Result<Cost, Code> {
        let own = self.own_list(work)?;
        let mut cost = Cost::default();
        let to: Vec<SentTo> = group
            .members
            .iter()
            .map(|member| SentTo { user: member.user.clone(), account_key: None, verified: false, welcome: false })
            .collect();
        let transcript = super::act::to_group(group, &to, self.user(), false).transcript_room;
        for member in &group.members {
            let Some(user) = work.user(&member.user)?.filter(|user| user.list.is_some()) else {
                cost.unknown.push(member.user.clone());
                continue;
            };
            for device in user.recipients(&self.keys.party) {
                let peer = work.peer(&user.user, device.id)?.filter(|peer| peer.stale_since.is_none());
                let standing = peer.as_ref().and_then(|peer| peer.standing(group.scope, context.now));
                let direct = peer.as_ref().and_then(|peer| peer.active(Scope::Direct, context.now));
                let clear = match (standing, direct) {
                    (Some(_), _) => Clear::Ordinary,
                    (None, Some(direct)) if !direct.initiating => Clear::Ordinary,
                    // Where no session is yet, the server is taken to have a one-time prekey.
                    _ => Clear::Initiation,
                };
                let rides =
                    clear == Clear::Initiation || peer.as_ref().is_none_or(|peer| peer.knows_epoch < own.list.epoch);
                let list = if rides { own.signed.len() } else { 0 };
                let mut room = padding::ALLOWANCE;
                if member.user == *self.user() {
                    room = room.max(usize::try_from(transcript).unwrap_or(usize::MAX));
                }
                let nesting = if standing.is_none() { NESTING + PRELUDE } else { 0 };
                let padded = padding::padded_len(length, room + list, PRELUDE + list + nesting + BODY + length)?;
                let users = (self.user().as_bytes().len(), user.user.as_bytes().len());
                cost.envelopes += 1;
                cost.bytes += envelope::length(users, clear, padded) as u64;
            }
        }
        Ok(cost)
    }
}
