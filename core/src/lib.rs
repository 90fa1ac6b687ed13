//! The protocol of libsesame: users have devices, devices have sessions, one of them active.
//!
//! This crate is a pure state machine: no I/O, no clock, no randomness and no threads of its own. A Rust program uses it through the crate
//! `sesame`, which brings those. What an app can name is public here: [`device`] (the calls), [`event`] (what they take and give), [`ids`],
//! [`error`], [`limits`], [`store`] (the contract and an in-memory store), [`context`],
//! [`threads`] and [`secret`]. The rest is reached by this workspace
//! alone, through one hidden module.
//!
//! Each module may use only what stands left of it:
//!
//! `secret ids error context limits threads` -> `event` -> `crypto` -> `wire` -> `keys` -> `model` -> `record` -> `agreement` | `ratchet` ->
//! `session` -> `registry` | `group` | `store` -> `tx` -> `flow` (`lists` | `look` -> `send` -> `group` -> `receive` -> `upkeep` ->
//! `requests`) -> `device`
//!
//! A message goes out by `device::send` -> `flow::send` -> `registry` -> `session` -> `ratchet` -> `tx`, which commits, and `flow::requests`
//! carries it to the server. One comes in by `flow::requests` or `device::receive` -> `flow::receive` -> `session` -> `ratchet` -> `registry`
//! or `group` -> `tx`. `core/tests/layering.rs` reads the syntax and fails on an edge that is not in this table.

#![forbid(unsafe_code)]

mod agreement;
mod clock;
pub mod context;
mod crypto;
pub mod device;
pub mod error;
pub mod event;
mod flow;
mod group;
pub mod ids;
#[doc(hidden)]
pub mod internal;
mod keys;
pub mod limits;
mod model;
mod ratchet;
mod record;
mod registry;
pub mod secret;
mod session;
pub mod store;
pub mod threads;
mod tx;
mod wire;
