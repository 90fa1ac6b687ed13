//! How two devices come to share secrets: PQXDH for a session, linking for a new device of one's own.
//!
//! It does not know ratchets, nor which prekeys exist.

pub mod associated_data;
pub mod linking;
pub mod opening;
pub mod pqxdh;
