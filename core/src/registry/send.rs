//! The state machine of one user's part of a send (Sesame 3.3; D4).
//!
//! A part is `open` while something is missing or its batch waits for the server's answer. If the server
//! accepts the batch, the part is done. If the server refuses it, the part is open again, for at most five
//! rounds. A ciphertext is kept byte for byte as long as its device is on the list.

use crate::{
    context::Timestamp,
    error::Code,
    event::Need,
    ids::{DeviceId, Scope, UserId},
    keys::party::Party,
    limits::MAX_SEND_ROUNDS,
    model::{Peer, User},
    record::{PartState, SendPart, Skip},
    registry::trust,
};

/// What to do next for a part.
#[derive(Debug, Default)]
pub struct Plan {
    /// Devices with a usable session and no ciphertext yet.
    pub encrypt: Vec<DeviceId>,
    /// What is missing.
    pub needs: Vec<Need>,
}

impl SendPart {
    /// A part without any ciphertext.
    #[must_use]
    pub fn new(user: UserId) -> Self {
        Self { user, state: PartState::Open, refusals: 0, entries: Vec::new(), skips: Vec::new() }
    }

    /// Drops entries whose device is no longer on the list, and returns what is missing. `target` limits a
    /// targeted message to one device. `scope` chooses the sessions.
    pub fn plan<'a>(
        &mut self,
        user: Option<&User>,
        peer: impl Fn(DeviceId) -> Result<Option<&'a Peer>, Code>,
        us: &Party,
        (target, scope): (Option<DeviceId>, Scope),
        now: Timestamp,
    ) -> Result<Plan, Code> {
        let mut plan = Plan::default();
        if self.state != PartState::Open {
            return Ok(plan);
        }
        let Some(user) = user.filter(|user| user.list.is_some() && user.stale_since.is_none()) else {
            plan.needs.push(Need::DeviceList(self.user.clone()));
            return Ok(plan);
        };
        if user.claimed_key.is_some() {
            plan.needs.push(Need::IdentityAcceptance(self.user.clone()));
            return Ok(plan);
        }
        if trust::list_is_due(user) {
            plan.needs.push(Need::DeviceList(self.user.clone()));
        }
        self.skip_contested(user, us);
        let mut recipients: Vec<DeviceId> = user.recipients(us).iter().map(|device| device.id).collect();
        recipients.retain(|device| target.is_none_or(|target| *device == target));
        if target.is_some() && recipients.is_empty() {
            self.state = PartState::Failed(Code::NotListed.number());
        }
        self.entries.retain(|entry| recipients.contains(&entry.device));
        let contested = Code::DeviceListFork.number();
        self.skips.retain(|skip| skip.reason == contested || recipients.contains(&skip.device));
        for device in recipients {
            let settled = self.entries.iter().map(|e| e.device).chain(self.skips.iter().map(|s| s.device));
            if settled.into_iter().any(|settled| settled == device) {
                continue;
            }
            match peer(device)?.is_some_and(|peer| peer.is_reachable(scope, now)) {
                true => plan.encrypt.push(device),
                false => plan.needs.push(Need::Bundle(self.user.clone(), device)),
            }
        }
        Ok(plan)
    }

    /// In a fork, a listed device that is not on both lists is skipped. The skip is explicit because the server
    /// compares the batch with the list (X 5, X 6). Once the app has decided, the device is a recipient like
    /// any other.
    fn skip_contested(&mut self, user: &User, us: &Party) {
        self.skips.retain(|skip| skip.reason != Code::DeviceListFork.number());
        let Some(fork) = &user.fork else { return };
        let listed = user.list.iter().flat_map(|list| &list.devices).map(|device| device.id);
        let contested: Vec<DeviceId> =
            listed.filter(|id| !fork.on_both.contains(id) && !us.is_device(&user.user, *id)).collect();
        for device in contested {
            self.entries.retain(|entry| entry.device != device);
            self.skip(device, Code::DeviceListFork);
        }
    }

    /// Skips a device in this send. The app is told the reason.
    pub fn skip(&mut self, device: DeviceId, reason: Code) {
        self.skips.retain(|skip| skip.device != device);
        self.skips.push(Skip { device, reason: reason.number() });
    }

    /// Counts a refusal by the server.
    pub fn refused(&mut self) {
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals >= MAX_SEND_ROUNDS {
            self.state = PartState::Failed(Code::TooManyRounds.number());
        }
    }

    /// The code of the failure, if the part has failed.
    #[must_use]
    pub fn failure(&self) -> Option<u16> {
        match self.state {
            PartState::Open => None,
            PartState::Failed(code) => Some(code),
        }
    }
}
