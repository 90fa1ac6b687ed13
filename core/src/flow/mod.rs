//! The roads of a call, from its entry to what it has staged: free functions over one [`Call`](crate::tx::Call).
//!
//! - [`look`]: what the app looks at, and acks.
//! - [`lists`]: a signed device list or a pin is taken, from wherever it comes.
//! - [`send`]: out. `start` -> `part` (one user, device by device: a session seals a recipe) -> `outbox` (recipes become envelopes);
//!   `settle` takes the server's word.
//! - [`group`]: what is said in a group, out (`act`) and in (`hear`), and the group's state.
//! - [`receive`]: in. `batch` -> `open` (gate, session, ratchet) -> `content` (what it says, in its scope) -> the inbox.
//! - [`upkeep`]: what makes and keeps a device: create, link, publish, the daily housekeeping, accepted identities.
//! - [`requests`]: the loop. What is due at the server becomes requests, and their answers are taken in.
//!
//! Each uses only what stands before it. Nothing here commits: a call is committed when its road has ended, or it leaves no trace.

pub(crate) mod group;
pub(crate) mod lists;
pub(crate) mod look;
pub(crate) mod receive;
pub(crate) mod requests;
pub(crate) mod send;
pub(crate) mod upkeep;
