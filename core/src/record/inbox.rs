//! What was received and not handed over yet, at rest.

use super::Record;
use serde::{Deserialize, Serialize};

/// Counters of this device.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Counters {
    /// The number of the next inbox row.
    pub next_item: u64,
    /// Bytes held in all (X 9).
    pub held: u64,
}
impl Record for Counters {}

/// A message or an event that the app has not acked.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Item {
    /// The form of `device::Received`, encoded there.
    pub form: u8,
    /// Who sent it.
    pub user: Vec<u8>,
    /// From which device.
    pub device: u32,
    /// Content id or session id, by the form.
    pub id: Vec<u8>,
    /// The sender's clock, in ms.
    pub sent_at: u64,
    /// The sender's counter.
    pub sequence: u64,
    /// Flags of a message, one bit each.
    pub flags: u16,
    /// Recipients of a transcript.
    pub recipients: Vec<Vec<u8>>,
    /// DeviceIDs of an event.
    pub added: Vec<u32>,
    /// DeviceIDs of an event.
    pub removed: Vec<u32>,
    /// The payload, or an event's evidence.
    pub bytes: Vec<u8>,
    /// More evidence.
    pub more: Vec<u8>,
}
impl Record for Item {}

/// That an envelope was received (X 8).
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Received {
    /// In ms.
    pub at: u64,
}
impl Record for Received {}

/// An initiation that waits for the app to accept its sender (X 9).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Held {
    /// In ms.
    pub at: u64,
    /// As it came.
    pub envelope: Vec<u8>,
}
impl Record for Held {}
