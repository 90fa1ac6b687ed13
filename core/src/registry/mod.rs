//! Users and their devices: which keys to trust, which devices a send goes to, what a device may send (Sesame
//! 3; X 5 to X 7).
//!
//! Every rule is a function of records. This module does not know the store or its callers.

pub mod admission;
pub mod devices;
pub mod expiry;
pub mod send;
pub mod trust;
