//! A UserRecord (Sesame 3.1).

use crate::{
    crypto::ed25519::VerifyingKey,
    event::UserView,
    ids::{AccountKey, DeviceId, Fingerprint, UserId},
    keys::{
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
    /// Two lists that contradict each other.
    pub fork: Option<Fork>,
    /// The highest epoch that a device of this user claimed without showing its list.
    pub claimed_epoch: u64,
    /// When the server first said that there is no such user, in ms.
    pub stale_since: Option<u64>,
}

/// Evidence of a fork: two lists, each as it was signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fork {
    /// The signed list that was known.
    pub known: Vec<u8>,
    /// The signed list that contradicts it.
    pub other: Vec<u8>,
    /// DeviceIDs that stand on both with the same keys: sends go only to them until the app decides.
    pub on_both: Vec<DeviceId>,
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
            claimed_epoch: 0,
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
            forked: self.fork.is_some(),
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

    /// The devices that a send to this user goes to, rising by id: all that are listed, or, in a fork, on both lists; never `us`, the
    /// sending device.
    #[must_use]
    pub fn recipients(&self, us: &Party) -> Vec<&Listing> {
        self.listed()
            .filter(|device| self.fork.as_ref().is_none_or(|fork| fork.on_both.contains(&device.id)))
            .filter(|device| !us.is_device(&self.user, device.id))
            .collect()
    }
}
