//! One user's part of a send, as a state machine (Sesame 3.3; D4).
//!
//! `open` (something is missing, or a batch waits for the server's word) -> `accepted`: gone, or `rejected`: open again, at most
//! five rounds. What was encrypted stays as it is, byte for byte, as long as its device is on the list.

use crate::{
    context::Timestamp,
    error::Code,
    ids::{DeviceId, UserId},
    limits::MAX_SEND_ROUNDS,
    record::{PartState, Peer, Scope, SendPart, Skip, User},
    registry::{devices, trust},
};

/// What the app has to bring before a batch is whole.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Need {
    /// The user's signed device list.
    DeviceList(UserId),
    /// A bundle of this device.
    Bundle(UserId, DeviceId),
    /// The app's word on a changed account key.
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

impl SendPart {
    /// A part that has nothing yet.
    #[must_use]
    pub fn new(user: UserId) -> Self {
        Self { user, state: PartState::Open, refusals: 0, entries: Vec::new(), skips: Vec::new() }
    }

    /// Drops what is not on the list any more, and says what is missing. `target` limits a targeted
    /// message to its device, `scope` says in which sessions it is said.
    pub fn plan<'a>(
        &mut self,
        user: Option<&User>,
        peer: impl Fn(DeviceId) -> Result<Option<&'a Peer>, Code>,
        us: (&UserId, DeviceId),
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
        let mut recipients: Vec<DeviceId> = devices::recipients(user, us).iter().map(|device| device.id).collect();
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

    /// In a fork, what is listed but not on both lists gets nothing, by an explicit skip: the server compares the batch with the list
    /// (X 5, X 6). Once the app has decided, it is a recipient like any other.
    fn skip_contested(&mut self, user: &User, us: (&UserId, DeviceId)) {
        self.skips.retain(|skip| skip.reason != Code::DeviceListFork.number());
        let Some(fork) = &user.fork else { return };
        let listed = user.list.iter().flat_map(|list| &list.devices).map(|device| device.id);
        let contested: Vec<DeviceId> =
            listed.filter(|id| !fork.on_both.contains(id) && (&user.user, *id) != us).collect();
        for device in contested {
            self.entries.retain(|entry| entry.device != device);
            self.skip(device, Code::DeviceListFork);
        }
    }

    /// The device gets nothing in this send, and the app is told.
    pub fn skip(&mut self, device: DeviceId, reason: Code) {
        self.skips.retain(|skip| skip.device != device);
        self.skips.push(Skip { device, reason: reason.number() });
    }

    /// The server refused the batch once more.
    pub fn refused(&mut self) {
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals >= MAX_SEND_ROUNDS {
            self.state = PartState::Failed(Code::TooManyRounds.number());
        }
    }

    /// Whether the part is given up.
    #[must_use]
    pub fn failure(&self) -> Option<u16> {
        match self.state {
            PartState::Open => None,
            PartState::Failed(code) => Some(code),
        }
    }
}
