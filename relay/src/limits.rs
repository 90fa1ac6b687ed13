//! What the server keeps, how much of it and for how long.

use core::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// One-time prekeys of each kind that the server wants to hold for a device. A KEM prekey has 1.6 KB.
pub const WANTED: u32 = 40;
/// Age at which a one-time prekey is no longer handed out. Its private half lives a month longer.
pub const KEEP_ONE_TIME: Duration = DAY.saturating_mul(90);
/// How far the time of a signature may lie from the server's, in either direction.
pub const WINDOW: Duration = Duration::from_secs(120);
/// How old the signature of a submission, a confirmation or a publication may be: a phone may upload it in the background. The same
/// request a second time changes nothing.
pub const LONG_WINDOW: Duration = Duration::from_secs(60 * 60);
/// How long a batch that was taken is remembered.
pub const KEEP_RECEIPTS: Duration = DAY.saturating_mul(7);
/// How long only the same account key may register a deleted user again.
pub const KEEP_TOMBSTONE: Duration = DAY.saturating_mul(90);
/// Bytes of envelopes on one page of mail. A page has at least one envelope.
pub const PAGE: usize = 1_024 * 1_024;
/// Envelopes in one mailbox.
pub const MAILBOX: usize = 20_000;
/// Devices of a user that have left the list and whose keys are remembered, so that they are told.
pub const DEPARTED: usize = 64;
/// How long a link box lives at most after its newest put. A new device takes its answer until a day after its code has expired.
pub const KEEP_LINK_BOX: Duration = DAY.saturating_add(SHORTEST_LINK_BOX);
/// How long a link box lives at least, however many others there are.
pub const SHORTEST_LINK_BOX: Duration = Duration::from_secs(20 * 60);
/// Link boxes at one time.
pub const LINK_BOXES: usize = 10_000;
/// Bytes in all link boxes.
pub const LINK_BYTES: usize = 64 * 1_024 * 1_024;
/// After how long a device may ask again if there is no room for its link box, in ms.
pub const LINK_RETRY_MS: u32 = 60_000;
