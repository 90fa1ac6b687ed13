//! The protocol of libsesame: users have devices, devices have sessions, one of them active.
//!
//! This crate is a pure state machine: no I/O, no clock, no randomness of its own, no threads.
//! Each module may use only what stands left of it:
//!
//! `secret ids error context limits` -> `event` -> `crypto` -> `wire` -> `keys` -> `model` -> `record` -> `agreement` | `ratchet` -> `session` -> `registry` | `group` | `store` -> `device`
//!
//! `core/tests/layering.rs` reads the `use` paths and fails on an edge that is not in this table.

#![forbid(unsafe_code)]

pub mod agreement;
pub mod context;
pub mod crypto;
pub mod device;
pub mod error;
pub mod event;
mod flow;
pub mod group;
pub mod ids;
pub mod keys;
pub mod limits;
pub mod model;
pub mod ratchet;
pub mod record;
pub mod registry;
pub mod secret;
pub mod session;
pub mod store;
mod tx;
pub mod wire;
