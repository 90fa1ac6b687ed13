//! The state machine of one user's part of a send (Sesame 3.3; D4).
//!
//! A part is `open` while something is missing or its batch waits for the server's answer. If the server
//! accepts the batch, the part is done. If the server refuses it, the part is open again, for at most five
//! rounds. A ciphertext is kept byte for byte as long as its device is on the list.

use crate::{
    clock::Moment,
    error::Code,
    ids::{DeviceId, Fingerprint, Scope, UserId},
    keys::party::{self, Party},
    limits::MAX_SEND_ROUNDS,
    model::{Peer, User},
    record::{PartState, SendHead, SendPart},
};

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
    /// Devices with a usable session and no ciphertext yet, and the names that a batch gives them.
    pub encrypt: Vec<(DeviceId, Fingerprint)>,
    /// What is missing.
    pub needs: Vec<Need>,
    /// Whether the part lost something that was made for a device, or was given up.
    pub has_changed: bool,
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
    pub at: Moment,
    /// Whether it is said without a session.
    pub sessionless: bool,
}

impl<'a> Aim<'a> {
    /// Whom a send is for.
    #[must_use]
    pub fn of(us: &'a Party, head: &SendHead, at: Moment) -> Self {
        Self { us, target: head.target, scope: head.scope(), at, sessionless: head.says.needs_no_session() }
    }
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
    let before = (part.entries.len(), part.skips.clone());
    skip_contested(part, user, aim.us);
    let recipients: Vec<(DeviceId, Fingerprint)> = user
        .recipients(aim.us)
        .into_iter()
        .filter(|listed| aim.target.is_none_or(|target| listed.id == target))
        .map(|listed| (listed.id, party::fingerprint(&user.user, &user.account_key, listed)))
        .collect();
    let named = |device: DeviceId| recipients.iter().find(|(id, _)| *id == device).map(|(_, name)| *name);
    if aim.target.is_some() && recipients.is_empty() {
        part.state = PartState::Failed(Code::NotListed.number());
    }
    // An id that is listed again with other keys is another device: nothing that was made for the old one counts for it.
    part.entries.retain(|entry| named(entry.device) == Some(entry.fingerprint));
    part.skips.retain(|skip| skip.is_of_a_fork() || named(skip.device) == Some(skip.fingerprint));
    plan.has_changed = (part.entries.len(), &part.skips) != (before.0, &before.1) || part.state != PartState::Open;
    for (device, name) in recipients {
        if part.is_settled(device) {
            continue;
        }
        // A session counts for the keys that it is with, not for whatever device has the id now.
        let is_reachable = |peer: &Peer| aim.sessionless || peer.is_reachable(aim.scope, aim.at);
        if peer(device).is_some_and(|peer| peer.is_listed(user) && is_reachable(peer)) {
            plan.encrypt.push((device, name));
        } else {
            plan.needs.push(Need::Bundle(part.user.clone(), device));
        }
    }
    plan
}

/// In a fork, and while a newer list waits to be proved, a device that is not on both lists is skipped. The skip is explicit because the
/// server compares the batch with the list that it has (X 5, X 6). A device that this list does not name is no part of the batch, but the app is
/// told of it as well. Once the app has decided, the device is a recipient like any other.
fn skip_contested(part: &mut SendPart, user: &User, us: &Party) {
    part.skips.retain(|skip| !skip.is_of_a_fork());
    // What the server's list names comes last, since an id may stand on both lists with different keys.
    for (list, reason) in [(user.list.as_ref(), Code::NotListed), (user.served(), Code::DeviceListFork)] {
        for listed in list.iter().flat_map(|list| &list.devices) {
            if user.is_agreed(listed) || us.is_device(&user.user, listed.id) {
                continue;
            }
            part.entries.retain(|entry| entry.device != listed.id);
            let fingerprint = party::fingerprint(&user.user, &user.account_key, listed);
            part.skip(listed.id, fingerprint, reason);
        }
    }
}

/// Counts a refusal by the server; after the last round the part fails.
pub fn refused(part: &mut SendPart) {
    part.refusals = part.refusals.saturating_add(1);
    if part.refusals >= MAX_SEND_ROUNDS {
        part.state = PartState::Failed(Code::TooManyRounds.number());
    }
}
