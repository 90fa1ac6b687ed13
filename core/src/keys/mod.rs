//! Keys with a name: whose they are, what they sign, what they refuse.
//!
//! It does not know sessions, pins or the store.

pub mod bundle;
pub mod device;
pub mod device_list;
pub mod pair;
pub mod party;
pub mod pre_keys;
