//! The state machine of one user's part of a send (Sesame 3.3; D4).
//!
//! A part is `open` while something is missing or its batch waits for the server's answer. If the server
//! accepts the batch, the part is done. If the server refuses it, the part is open again, for at most five
//! rounds. A ciphertext is kept byte for byte as long as its device is on the list.

use crate::{
    context::Timestamp,
    error::Code,
    ids::{DeviceId, Fingerprint, Scope, UserId},
    keys::party::{self, Party},
    limits::MAX_SEND_ROUNDS,
    model::{Peer, User},
    record::{PartState, SendPart},
    registry::trust,
};
use std::collections::BTreeMap;

/// What is missing before a batch is whole.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Need {
    /// The user's signed device list.
    DeviceList(UserId),
    /// A prekey bundle of this device.
    Bundle(UserId, DeviceId),
    /// The app's decision on a changed account key.
    IdentityAcceptance(UserId),
    /// An upload of fresh prekeys (X 6).
    Publication,
}

/// What to do next for a part.
#[derive(Debug, Default)]
pub struct Plan {
    /// Devices with a usable session and no ciphertext yet.
    pub encrypt: Vec<DeviceId>,
    /// What is missing.
    pub needs: Vec<Need>,
}

/// Which devices of a user a send is for, and in which sessions it is said.
#[derive(Clone, Copy, Debug)]
pub struct Aim<'a> {
    /// The sending device, which gets nothing.
    pub us: &'a Party,
    /// The only device of a targeted message.
    pub target: Option<DeviceId>,
    /// The scope of the sessions.
    pub scope: Scope,
    /// The time of the call.
    pub now: Timestamp,
}

/// Drops entries whose device is no longer on the list, and returns what is missing. `peer` gives the record of
/// a device of `user`.
pub fn plan<'a>(
    part: &mut SendPart,
    user: Option<&User>,
    peer: impl Fn(DeviceId) -> Option<&'a Peer>,
    aim: Aim<'_>,
) -> Plan {
    let mut plan = Plan::default();
    if part.state != PartState::Open {
        return plan;
    }
    let Some(user) = user.filter(|user| user.list.is_some() && user.stale_since.is_none()) else {
        plan.needs.push(Need::DeviceList(part.user.clone()));
        return plan;
    };
    if user.claimed_key.is_some() {
        plan.needs.push(Need::IdentityAcceptance(part.user.clone()));
        return plan;
    }
    if trust::list_is_due(user) {
        plan.needs.push(Need::DeviceList(part.user.clone()));
    }
    skip_contested(part, user, aim.us);
    let mut recipients: BTreeMap<DeviceId, Fingerprint> = BTreeMap::new();
    for listed in user.recipients(aim.us) {
        if aim.target.is_none_or(|target| listed.id == target) {
            recipients.insert(listed.id, party::fingerprint(&user.user, &user.account_key, listed));
        }
    }
    if aim.target.is_some() && recipients.is_empty() {
        part.state = PartState::Failed(Code::NotListed.number());
    }
    // An id that is listed again with other keys is another device: nothing that was made for the old one counts for it.
    part.entries.retain(|entry| recipients.get(&entry.device) == Some(&entry.fingerprint));
    let contested = Code::DeviceListFork.number();
    part.skips.retain(|skip| {
        skip.reason == contested || recipients.get(&skip.device).is_some_and(|keys| *keys == skip.fingerprint)
    });
    for device in recipients.into_keys() {
        if part.is_settled(device) {
            continue;
        }
        if peer(device).is_some_and(|peer| peer.is_reachable(aim.scope, aim.now)) {
            plan.encrypt.push(device);
        } else {
            plan.needs.push(Need::Bundle(part.user.clone(), device));
        }
    }
    plan
}

/// In a fork, a listed device that is not on both lists is skipped. The skip is explicit because the server
/// compares the batch with the list (X 5, X 6). Once the app has decided, the device is a recipient like any
/// other.
fn skip_contested(part: &mut SendPart, user: &User, us: &Party) {
    part.skips.retain(|skip| skip.reason != Code::DeviceListFork.number());
    let Some(fork) = &user.fork else { return };
    for listed in user.listed() {
        if fork.on_both.contains(&listed.id) || us.is_device(&user.user, listed.id) {
            continue;
        }
        part.entries.retain(|entry| entry.device != listed.id);
        let fingerprint = party::fingerprint(&user.user, &user.account_key, listed);
        part.skip(listed.id, fingerprint, Code::DeviceListFork);
    }
}

/// Counts a refusal by the server; after the last round the part fails.
pub fn refused(part: &mut SendPart) {
    part.refusals = part.refusals.saturating_add(1);
    if part.refusals >= MAX_SEND_ROUNDS {
        part.state = PartState::Failed(Code::TooManyRounds.number());
    }
}
