//! The Double Ratchet with header encryption (Double Ratchet 4). Every step is pure: an input that fails
//! changes nothing.
//!
//! It does not know users, prekeys, envelopes or the store.

mod keys;
pub mod message;
mod open;
mod skipped;
mod state;

pub use keys::chain_tag;
pub use open::{Message, Position};
pub use skipped::LoadBlock;
pub use state::{Delta, Ratchet, Sealed, SendingState, Sent, Start};
