//! The protocol's keys: whose they are and what is derived from them before any session exists.
//!
//! It does not know sessions, nor where a key is stored.

pub mod pair;
pub mod party;
