//! Keys together with their owners: the party of a device, signed lists, prekeys and pair keys.
//!
//! This module does not know sessions, pins or the store.

pub mod bundle;
pub mod chain;
pub mod device;
pub mod device_list;
pub mod pair;
pub mod party;
pub mod pre_keys;
