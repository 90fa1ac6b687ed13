//! A hand-over of the primary's part that is under way (X 7).

use super::Record;
use crate::ids::{DeviceId, Fingerprint, HandoverId};
use serde::{Deserialize, Serialize};

/// A hand-over, on either device. There is one at a time. The secret that the digits are made of is not kept: nothing needs it once they are known.
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

/// How far a device has heard what its primary says of hand-overs. Messages may come late, and in any order.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HeardHandover {
    /// The primary that has said it.
    pub device: DeviceId,
    /// The highest sequence of an offer or a cancel, in the direct scope.
    pub sequence: u64,
    /// The latest time of one, by that device's clock, in ms.
    pub sent_at: u64,
}

impl HeardHandover {
    /// Whether what was sent then is older than what was heard. A primary whose store was put back counts lower, but its clock goes on.
    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        self.device == other.device && self.sequence < other.sequence && self.sent_at <= other.sent_at
    }

    /// What is remembered, once this was heard as well.
    #[must_use]
    pub fn after(self, before: Option<Self>) -> Self {
        let Some(before) = before.filter(|before| before.device == self.device) else { return self };
        Self { sequence: self.sequence.max(before.sequence), sent_at: self.sent_at.max(before.sent_at), ..self }
    }
}
