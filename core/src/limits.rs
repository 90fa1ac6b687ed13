//! Every bound of the protocol, each with its reason (design, section 8).
//!
//! Nothing here computes; a module that enforces a bound names it from here.

use core::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Longest user id, in bytes; the shortest is 1.
pub const MAX_USER_ID: usize = 64;
/// Devices on one signed device list; bounds a fan-out and what a hostile list can cost (A07).
pub const MAX_DEVICES: usize = 32;
/// Hashes of earlier lists that a device list carries, so that a fork shows for this many epochs (X 5).
pub const MAX_ANCESTORS: usize = 16;
/// Largest prekey id: 2^24 - 1; zero is one like any other (P 10, T59).
pub const MAX_PRE_KEY_ID: u32 = (1 << 24) - 1;
/// Skipped message keys kept for one peer device over all its sessions: 256 KiB at 37 stored bytes a key.
pub const MAX_SKIPPED_PER_DEVICE: usize = 256 * 1_024 / 37;
/// Message keys that one message may skip in a chain, so that a header cannot buy unbounded work (A30).
pub const MAX_SKIP: u32 = 1_000;
/// Skipped message keys kept for one session.
pub const MAX_SKIPPED_PER_SESSION: usize = 2_000;
/// Receiving chains whose skipped message keys are kept after a DH ratchet step; they die with the sixth step.
pub const MAX_OLD_CHAINS: usize = 5;
/// Messages accepted on a session after which a skipped message key dies.
pub const MAX_SKIPPED_AGE: u64 = 1_000;
/// Skipped message keys in one stored block.
pub const SKIPPED_BLOCK: u32 = 16;
/// Inactive sessions kept for one device in one scope.
pub const MAX_INACTIVE_SESSIONS: usize = 40;
/// Largest padded body, in bytes.
pub const MAX_BODY: usize = 98_304;
/// Envelopes in one `batch_decrypt`.
pub const MAX_BATCH: usize = 4_096;
/// Users that one send may name; the largest group (section 8 of the design).
pub const MAX_RECIPIENTS: usize = 1_000;
/// Members of a group (section 8 of the design).
pub const MAX_MEMBERS: usize = MAX_RECIPIENTS;
/// Users that one operation adds (X 11).
pub const MAX_ADDED: usize = 200;
/// Parents of one operation; heads beyond them stay heads.
pub const MAX_PARENTS: usize = 16;
/// Leaves that an invitation back names.
pub const MAX_NAMED_LEAVES: usize = 8;
/// Operations of one device in one group, the last 64 of which are for leaves and retirements: one device alone cannot fill a group's
/// memory, nor be kept from leaving.
pub const MAX_GROUP_SEQUENCE: u64 = 1_024;
/// Of these, how many a device keeps for leaves and retirements.
pub const RESERVED_SEQUENCE: u64 = 64;
/// Operations of one group, leaves and retirements apart, after which a device makes no more; the group lives on in a fork.
pub const MAX_OPERATIONS: usize = 4_096;
/// Bytes of a group's state, operations and lists, after which a device makes no more: a newcomer has to hold it until the last part of it
/// has come ([`MAX_HELD_OPERATIONS`]).
pub const MAX_GROUP_STATE: usize = 900 * 1_024;
/// How many are taken: more than anybody makes, so that devices which were at the limit at the same time still agree.
pub const MAX_OPERATIONS_TAKEN: usize = 2 * MAX_OPERATIONS;
/// Bytes of operations that are taken, leaves and retirements apart.
pub const MAX_OPERATION_BYTES_TAKEN: usize = 4 * 1_024 * 1_024;
/// Leaves and retirements of one user that are taken, beside the limits for the rest.
pub const MAX_LAST_WORDS: usize = 64;
/// Operations of one group that wait for their parents.
pub const MAX_WAITING: usize = 64;
/// Longest name of a group, in bytes.
pub const MAX_GROUP_NAME: usize = 256;
/// Longest description of a group, in bytes.
pub const MAX_DESCRIPTION: usize = 2_048;
/// Longest picture reference of a group, in bytes.
pub const MAX_PICTURE: usize = 1_024;
/// Most app data of a group, in bytes.
pub const MAX_APP_DATA: usize = 4_096;
/// Operations and lists in one message, in bytes; a larger state goes in several.
pub const MAX_BUNDLE: usize = 64_000;
/// Devices of a group that are remembered as having other operations.
pub const MAX_LAGS: usize = 64;
/// After this time what a device with other operations needs is sent again: it may have been lost.
pub const SYNC_AGAIN: Duration = DAY;
/// How often in that time one device is sent a group's whole state, whatever it claims.
pub const MAX_PUSHES: u8 = 8;
/// Devices of one group whose pushes are counted; beyond them nobody else is sent the state before the time is over.
pub const MAX_PUSHED: usize = 2_048;
/// Users of a group who push what a device lacks without being asked, so that a thousand do not (D6).
pub const PUSHING_USERS: usize = 2;
/// What one held group content counts for at least, in bytes: its session is kept as well (X 9).
pub const MIN_HELD: usize = 1_024;
/// Gap events that one batch raises for one device.
pub const MAX_GAPS: usize = 64;
/// Rounds of one send with one user before it is given up.
pub const MAX_SEND_ROUNDS: u8 = 5;
/// One-time prekeys kept published, of each kind.
pub const ONE_TIME_PRE_KEYS: usize = 100;
/// Below this many published one-time prekeys a refill is due.
pub const REFILL_BELOW: usize = 20;
/// One-time prekeys made at once.
pub const PRE_KEY_CHUNK: usize = 20;
/// Age at which the signed and the last-resort prekey are replaced.
pub const ROTATE_PRE_KEYS: Duration = DAY.saturating_mul(2);
/// A device whose signed prekey is older publishes before it sends (X 6).
pub const MAX_OWN_PRE_KEY_AGE: Duration = DAY.saturating_mul(14);
/// Oldest bundle that is accepted (X 6).
pub const MAX_BUNDLE_AGE: Duration = DAY.saturating_mul(45);
/// How far a bundle's time may lie ahead of our clock: clocks are not synchronised (Sesame 2.2).
pub const MAX_CLOCK_SKEW: Duration = DAY;
/// How long a private prekey lives after it was replaced (X 6).
pub const KEEP_REPLACED_PRE_KEYS: Duration = DAY.saturating_mul(30);
/// Age at which the primary signs its device list anew (X 5).
pub const RESIGN_LIST: Duration = DAY.saturating_mul(7);
/// Age at which a device list raises `ListOld` (X 5).
pub const OLD_LIST: Duration = DAY.saturating_mul(35);
/// How long a linking code is good (X 7).
pub const LINK_EXPIRY: Duration = Duration::from_secs(10 * 60);
/// An initiating session that nobody answered is given up (P 12).
pub const MAX_UNANSWERED: Duration = DAY.saturating_mul(30);
/// How long the id of a received envelope is remembered (X 8).
pub const KEEP_RECEIVED_IDS: Duration = DAY.saturating_mul(30);
/// Ids of received envelopes kept for one peer device (X 8).
pub const MAX_RECEIVED_IDS: usize = 4_096;
/// Bytes held for one peer device until its identity is accepted (X 9).
pub const MAX_HELD_PER_DEVICE: usize = 64 * 1_024;
/// Bytes of group operations held for one peer device: a large group's state comes in several messages (X 9). They count apart from
/// everything else that is held, so that neither keeps the other out.
pub const MAX_HELD_OPERATIONS: usize = 1_024 * 1_024;
/// Bytes held in all (X 9); the same again for group operations.
pub const MAX_HELD: usize = 4 * 1_024 * 1_024;
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
