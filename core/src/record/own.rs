//! This device at rest.

use super::{Record, handover::HeardHandover, link::HeardHello, secret_form};
use crate::{
    crypto::{ed25519::SigningKey, x25519},
    ids::{AccountKey, DeviceId, PublicationId, UserId},
    keys::device::DeviceKeys,
    secret::Shared,
};
use serde::{Deserialize, Serialize};

/// Who this device is, and its private keys.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Own {
    /// The user id.
    pub user: UserId,
    /// The DeviceID.
    pub device: DeviceId,
    /// The account key, public half.
    pub account_key: AccountKey,
    /// The account key's seed, on the primary alone.
    #[serde(with = "secret_form::option")]
    pub account: Option<Shared<32>>,
    /// The device to which the account key was sent. This device signs nothing then, and deletes the key once a list names the other as the primary.
    pub handed_to: Option<DeviceId>,
    /// What was heard last of the primary about a hand-over: older offers are late.
    pub heard_handover: Option<HeardHandover>,
    /// The seed of the device's signing key.
    #[serde(with = "secret_form::secret")]
    pub signing: Shared<32>,
    /// IK, private.
    #[serde(with = "secret_form::secret")]
    pub identity: Shared<32>,
    /// When the mailbox was last fetched to its end, in ms.
    pub mailbox_emptied_at: u64,
}
impl Record for Own {
    const STAYS: bool = false;
}

impl Own {
    /// Whether this device signs the list: it has the account key, and has not handed it over.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        self.account.is_some() && self.handed_to.is_none()
    }

    /// The keys that this device signs and agrees with.
    #[must_use]
    pub fn keys(&self) -> DeviceKeys {
        let signing = SigningKey::from_seed(self.signing.clone());
        let identity = x25519::PrivateKey::from_secret(self.identity.clone());
        DeviceKeys::new(self.user.clone(), self.device, self.account_key, signing, identity)
    }
}

/// A new device that waits for its primary's hello or answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PendingLink {
    /// The seed of the device's signing key.
    #[serde(with = "secret_form::secret")]
    pub signing: Shared<32>,
    /// IK, private.
    #[serde(with = "secret_form::secret")]
    pub identity: Shared<32>,
    /// What the screen shows beside the keys.
    #[serde(with = "secret_form::secret")]
    pub secret: Shared<32>,
    /// When the code expires, in ms.
    pub expires_at: u64,
    /// The hello that came first; no other one is heard.
    pub hello: Option<HeardHello>,
    /// Whether the app has confirmed the digits here.
    pub confirmed: bool,
}
impl Record for PendingLink {
    const STAYS: bool = false;
}

/// An upload that was not confirmed yet; offered again as the same bytes.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PendingUpload {
    /// The upload's name.
    pub id: PublicationId,
    /// A `wire::bundle::Publication`.
    #[serde(with = "super::bytes_form")]
    pub bytes: Vec<u8>,
    /// One-time keys in it, of each kind.
    pub one_time: u32,
    /// The epoch of the list in it, or 0.
    pub epoch: u64,
}
impl Record for PendingUpload {
    const SPARE: bool = true;
    const STAYS: bool = false;
}

/// Tells a wrong store key from a damaged store; the only row that is not sealed.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Check {
    /// HMAC of the store key.
    pub tag: [u8; 32],
}
impl Record for Check {}

/// A signed device list as it came, and the hashes before it that ride along with it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct StoredList {
    /// A `wire::device_list::SignedDeviceList`.
    #[serde(with = "super::bytes_form")]
    pub signed: Vec<u8>,
    /// What proves it to whoever is at most 16 lists behind; empty for a list that a group cites.
    pub links: Vec<[u8; 32]>,
}
impl Record for StoredList {
    const SPARE: bool = true;
}
