//! A UserRecord (Sesame 3.1).

use crate::{
    crypto::ed25519::VerifyingKey,
    event::UserView,
    ids::{AccountKey, DeviceId, Fingerprint, UserId},
    keys::{
        chain::Chain,
        device_list::{List, Listing},
        party::{self, Party},
    },
};

/// What is known of a user.
#[derive(Clone, Debug)]
pub struct User {
    /// The user id.
    pub user: UserId,
    /// The pinned account key.
    pub account_key: AccountKey,
    /// Whether the app compared safety numbers for this key.
    pub verified: bool,
    /// The newest list that was taken.
    pub list: Option<List>,
    /// Another account key that claims this user and waits for the app.
    pub claimed_key: Option<AccountKey>,
    /// A list that contradicts ours, or is not proved.
    pub fork: Option<Fork>,
    /// Branches that the app has rejected, the newest last. They raise nothing again.
    pub rejected: Vec<Chain>,
    /// When the server was last asked because a device of this user claimed another list than ours, by our age clock, in ms.
    pub asked_at: u64,
    /// When the server first said that there is no such user, in ms.
    pub stale_since: Option<u64>,
}

/// A list that the pinned account key has signed and that is not taken (X 5).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fork {
    /// The list as it was signed.
    pub other: Vec<u8>,
    /// The same, decoded.
    pub list: List,
    /// Its hash, with those that it was shown with.
    pub branch: Chain,
    /// When it came, by our age clock, in ms.
    pub since: u64,
    /// Whether it is a fork, of which the app was told. If not, the list waits for the hashes that prove it.
    pub told: bool,
    /// The list that the server has shown last, if it is another one than the one that is held. Mostly it is the one of this fork.
    pub served: Option<List>,
}

impl User {
    /// A record that pins an account key and knows nothing else.
    #[must_use]
    pub fn pinned(user: UserId, account_key: AccountKey) -> Self {
        Self {
            user,
            account_key,
            verified: false,
            list: None,
            claimed_key: None,
            fork: None,
            rejected: Vec::new(),
            asked_at: 0,
            stale_since: None,
        }
    }

    /// The listed devices, rising by id; none without a list.
    pub fn listed(&self) -> impl Iterator<Item = &Listing> {
        self.list.iter().flat_map(|list| &list.devices)
    }

    /// The user as the app sees it.
    #[must_use]
    pub fn view(&self) -> UserView {
        UserView {
            user: self.user.clone(),
            account_key: self.account_key,
            claimed_key: self.claimed_key,
            verified: self.verified,
            epoch: self.epoch(),
            forked: self.fork.as_ref().is_some_and(|fork| fork.told),
            list_hash: self.list.as_ref().map(List::name),
            other_hash: self.fork.as_ref().filter(|fork| fork.told).map(|fork| fork.list.name()),
            paused: self.stale_since.is_some(),
        }
    }

    /// The epoch of the newest list, or 0.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.list.as_ref().map_or(0, |list| list.epoch)
    }

    /// The party that the user's list makes of a device.
    #[must_use]
    pub fn listed_party(&self, device: DeviceId) -> Option<Party> {
        let listed = self.list.as_ref()?.device(device)?;
        Some(listed.party(&self.user, VerifyingKey::from_checked(self.account_key.0)))
    }

    /// The fingerprint of a listed device.
    #[must_use]
    pub fn fingerprint(&self, device: DeviceId) -> Option<Fingerprint> {
        let listed = self.list.as_ref()?.device(device)?;
        Some(party::fingerprint(&self.user, &self.account_key, listed))
    }

    /// The list whose devices a batch names: the one that is held; or, while a fork waits for the app, the one that the server has, since it takes
    /// no batch for another one.
    #[must_use]
    pub fn served(&self) -> Option<&List> {
        let told = self.fork.as_ref().filter(|fork| fork.told);
        told.and_then(|fork| fork.served.as_ref()).or(self.list.as_ref())
    }

    /// Whether all lists of the user name a device with these keys: in a fork, and while a newer list waits to be proved, no other device gets
    /// anything.
    #[must_use]
    pub fn is_agreed(&self, device: &Listing) -> bool {
        let counts = |fork: &&Fork| fork.told || fork.list.epoch > self.epoch();
        let other = self.fork.as_ref().filter(counts).map(|fork| &fork.list);
        [self.list.as_ref(), other, self.served()].into_iter().flatten().all(|list| list.has(device))
    }

    /// The devices that a send to this user goes to, rising by id: all that are listed, on every list that there is of the user; never `us`, the sending device.
    #[must_use]
    pub fn recipients(&self, us: &Party) -> Vec<&Listing> {
        self.listed()
            .filter(|device| self.is_agreed(device))
            .filter(|device| !us.is_device(&self.user, device.id))
            .collect()
    }
}
