//! How two devices agree on secrets: PQXDH for a direct session, an opening for a session of a group, linking
//! for a new device of the same user, the digits of a hand-over.
//!
//! This module does not know ratchets, and not which prekeys a device has.

pub mod associated_data;
pub mod handover;
pub mod linking;
pub mod opening;
pub mod pqxdh;
