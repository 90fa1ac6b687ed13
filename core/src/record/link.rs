//! A link under way: what the new device has heard, and what the primary will say (X 7).

use super::{Record, secret_form};
use crate::{ids::DeviceId, secret::Shared};
use serde::{Deserialize, Serialize};

/// The hello that a new device has heard.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct HeardHello {
    /// A `wire::linking::LinkHello`.
    pub bytes: Vec<u8>,
    /// The digits that this device shows, below 10^15.
    pub digits: u64,
}

/// A link that this primary has begun.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct OfferedLink {
    /// The new device's signing key.
    pub signing_key: [u8; 32],
    /// The new device's IK.
    pub identity_key: [u8; 32],
    /// When the code expires, in ms.
    pub expires_at: u64,
    /// When the primary read the code, by the age clock.
    pub made_at: u64,
    /// The digits that this device shows, below 10^15.
    pub digits: u64,
    /// A `wire::linking::LinkHello`.
    pub hello: Vec<u8>,
    /// Where the hello is.
    pub hello_at: LegPlace,
    /// How far the link has come.
    pub state: OfferState,
}
impl Record for OfferedLink {
    const SPARE: bool = true;
    const STAYS: bool = false;
}

/// Where the bytes of a leg are.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum LegPlace {
    /// Not at the server yet.
    Here,
    /// Not at the server, where other bytes had been put first.
    Displaced,
    /// At the server.
    Server {
        /// When the server last said so, in ms.
        since: u64,
    },
}

/// How far a link has come on the primary.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum OfferState {
    /// The app has cancelled it.
    Cancelled,
    /// The app has confirmed the digits, and the list that names the device is signed.
    Confirmed {
        /// The DeviceID of the new device.
        device: DeviceId,
        /// The epoch of the list that names it.
        epoch: u64,
        /// A `wire::linking::LinkAnswer`.
        answer: Vec<u8>,
        /// Where the answer is.
        answer_at: LegPlace,
    },
    /// The user has not compared the digits yet.
    Waiting {
        /// The secret of the code.
        #[serde(with = "secret_form::secret")]
        secret: Shared<32>,
        /// The private half of the hello's key.
        #[serde(with = "secret_form::secret")]
        ephemeral: Shared<32>,
    },
}
