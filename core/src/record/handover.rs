//! A hand-over of the primary's part that is under way (X 7).

use super::{Record, secret_form};
use crate::{
    ids::{DeviceId, Fingerprint, HandoverId},
    secret::Shared,
};
use serde::{Deserialize, Serialize};

/// A hand-over, on either device. There is one at a time.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PendingHandover {
    /// Its name.
    pub id: HandoverId,
    /// The other device.
    pub device: DeviceId,
    /// The keys of the other device: with others it is another device.
    pub fingerprint: Fingerprint,
    /// Whether this device gives the account key; otherwise it gets it.
    pub gives: bool,
    /// What the digits are made of.
    #[serde(with = "secret_form::secret")]
    pub secret: Shared<32>,
    /// The digits, below 10^15.
    pub digits: u64,
    /// When it began here, by the age clock.
    pub made_at: u64,
    /// Whether the app has confirmed here.
    pub confirmed: bool,
    /// Of the device that gives: whether the app of the other one has confirmed. Of the other one: whether the key has come.
    pub accepted: bool,
}
impl Record for PendingHandover {
    const SPARE: bool = true;
    const STAYS: bool = false;
}
