//! A primary on its way back from a backup (X 7).

use super::{Record, StoredList, secret_form};
use crate::{ids::DeviceId, secret::Shared};
use serde::{Deserialize, Serialize};

/// A primary that comes back, until the server has taken the list that names it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PendingRestore {
    /// The account key's seed, from the backup.
    #[serde(with = "secret_form::secret")]
    pub account: Shared<32>,
    /// The seed of the new device's signing key.
    #[serde(with = "secret_form::secret")]
    pub signing: Shared<32>,
    /// IK of the new device, private.
    #[serde(with = "secret_form::secret")]
    pub identity: Shared<32>,
    /// The primary that the backup was taken on.
    pub former: DeviceId,
    /// Whether the app says that it was stolen.
    pub stolen: bool,
    /// The newest list that is known to descend from the backup's, with all hashes before it.
    pub base: StoredList,
    /// The list that follows it and names the new device: a `wire::device_list::SignedDeviceList`.
    #[serde(with = "super::bytes_form")]
    pub next: Vec<u8>,
}
impl Record for PendingRestore {
    const STAYS: bool = false;
}
