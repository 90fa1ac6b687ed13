//! Every bound of the protocol, each with its reason (design, section 8).
//!
//! Nothing here computes; a module that enforces a bound names it from here.

use core::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Longest user id, in bytes; the shortest is 1.
pub const MAX_USER_ID: usize = 64;
/// Devices on one signed device list; bounds a fan-out and what a hostile list can cost (A07).
pub const MAX_DEVICES: usize = 32;
/// Message keys that one message may skip in a chain, so that a header cannot buy unbounded work (A30).
pub const MAX_SKIP: u32 = 1_000;
/// Skipped message keys kept for one session.
pub const MAX_SKIPPED_PER_SESSION: usize = 2_000;
/// Inactive sessions kept for one device in one scope.
pub const MAX_INACTIVE_SESSIONS: usize = 40;
/// Largest padded body, in bytes.
pub const MAX_BODY: usize = 98_304;
/// Envelopes in one `batch_decrypt`.
pub const MAX_BATCH: usize = 4_096;
/// Rounds of one send with one user before it is given up.
pub const MAX_SEND_ROUNDS: u8 = 5;
/// One-time prekeys kept published, of each kind.
pub const ONE_TIME_PRE_KEYS: usize = 100;
/// Below this many published one-time prekeys a refill is due.
pub const REFILL_BELOW: usize = 20;
/// Longest time that a message may wait in a mailbox (Sesame 3.1).
pub const MAX_LATENCY: Duration = DAY.saturating_mul(30);
/// Age after which a session no longer encrypts (Sesame 4.2).
pub const MAX_SEND: Duration = DAY.saturating_mul(90);
/// Age after which a session no longer decrypts (Sesame 4.2).
pub const MAX_RECV: Duration = DAY.saturating_mul(160);

/// Whether the three ages satisfy Sesame 4.2: `MAXRECV > MAXSEND + 2 * MAXLATENCY`.
///
/// ```
/// use sesame_core::limits::*;
/// assert!(ages_are_valid(MAX_LATENCY, MAX_SEND, MAX_RECV));
/// assert!(!ages_are_valid(MAX_LATENCY, MAX_SEND, MAX_SEND + 2 * MAX_LATENCY));
/// ```
#[must_use]
pub fn ages_are_valid(latency: Duration, send: Duration, recv: Duration) -> bool {
    recv > send.saturating_add(latency.saturating_mul(2))
}
