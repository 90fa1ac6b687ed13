//! Users and their devices: whom to trust, whom to send to, what may be said (Sesame 3; X 5 to X 7).
//!
//! Every rule is a function of records. It does not know the store, nor when it is called.

pub mod admission;
pub mod devices;
pub mod expiry;
pub mod send;
pub mod trust;
