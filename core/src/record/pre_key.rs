//! Private prekeys at rest.

use super::{Record, form::stored};
use crate::keys::pre_keys::PreKey;
use serde::{Deserialize, Serialize};

impl Record for PreKey {}

stored! { enum PreKey { 0 = Curve(scalar as secret), 1 = Kem(seed as secret) } }

/// A lasting prekey that was made at some time.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Lasting {
    /// The signed prekey's id; the last-resort key made with it has the same.
    pub id: u32,
    /// In ms.
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
}
impl Record for PreKeyBook {}
