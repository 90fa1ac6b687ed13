//! Private prekeys at rest.

use super::{Record, form::stored};
use crate::{
    context::Timestamp,
    error::Code,
    keys::pre_keys::PreKey,
    limits::{MAX_CLOCK_SKEW, MAX_OWN_PRE_KEY_AGE, MAX_PRE_KEY_ID},
};
use serde::{Deserialize, Serialize};

impl Record for PreKey {
    const STAYS: bool = false;
}

stored! { enum PreKey { 0 = Curve(scalar as secret), 1 = Kem(seed as secret) } }

/// A lasting prekey that was made at some time.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Lasting {
    /// The signed prekey's id; the last-resort key made with it has the same.
    pub id: u32,
    /// When it was made, in ms.
    pub created_at: u64,
    /// When the next one was published, in ms.
    pub replaced_at: Option<u64>,
}

/// Which prekeys there are.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct PreKeyBook {
    /// The id of the next pair, lasting or one-time: one counter, so that an id alone tells which key it was (PQXDH 2.4).
    pub next_id: u32,
    /// Lasting pairs whose private halves are kept, oldest first; the last one is the current.
    pub lasting: Vec<Lasting>,
    /// One-time curve keys that were published and not used.
    pub curve_offered: u32,
    /// One-time KEM keys that were published and not used.
    pub kem_offered: u32,
    /// Whether a refill has begun that goes on to the full number.
    pub refilling: bool,
    /// When the newest published lasting pair was made, in ms.
    pub rotated_at: Option<u64>,
    /// The epoch of the device list that was last published.
    pub published_epoch: u64,
    /// A hash of the devices on that list: a list that is only signed anew is in no hurry.
    pub published_devices: [u8; 32],
}
impl Record for PreKeyBook {}

/// Whether a date was written by a clock that was ahead. Others refuse keys of such a date, so that it counts as due.
#[must_use]
pub fn is_ahead(at: u64, now: Timestamp) -> bool {
    Timestamp(at).since(now) > MAX_CLOCK_SKEW
}

impl PreKeyBook {
    /// Whether this device must publish before it sends (X 6).
    #[must_use]
    pub fn is_due_before_sending(&self, now: Timestamp) -> bool {
        self.rotated_at.is_none_or(|at| now.since(Timestamp(at)) > MAX_OWN_PRE_KEY_AGE || is_ahead(at, now))
    }

    /// The server has lost what was published: all of it goes up again.
    pub fn forget_published(&mut self) {
        self.rotated_at = None;
        self.published_epoch = 0;
        self.published_devices = [0; 32];
        self.curve_offered = 0;
        self.kem_offered = 0;
    }

    /// The next id of a pair.
    ///
    /// # Errors
    /// [`Code::Internal`] when the ids are used up: 2^24 ids last for 160,000 chunks of each kind.
    pub fn take_id(&mut self) -> Result<u32, Code> {
        let id = self.next_id;
        if id > MAX_PRE_KEY_ID {
            return Err(Code::Internal);
        }
        self.next_id = id.saturating_add(1);
        Ok(id)
    }
}
