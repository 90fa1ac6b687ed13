//! The rules of a group. A group is a set of signed operations, and the set decides what the group is, not the
//! order in which the operations arrive (D6, X 11).
//!
//! - [`operation`]: one signed operation.
//! - [`set`]: all operations of a group that a device has, and which of them it keeps.
//! - `index`: what a set knows of its operations, so that an insertion need not look at each.
//! - `past`: the past of an operation, one bit for each operation of the set.
//! - `validity`: which operations of a set count.
//! - [`view`]: the group that follows from a set.
//! - `draft`: what a device makes out of a set: its next operation, and what it shows to others.
//! - [`change`]: the events for the app when the view changes.
//! - [`sync`]: what a device sends to a device that has other operations.
//!
//! This module does not know sessions, envelopes, pins or the store. `docs/wire.md` section 12 has the rules in
//! full.

pub mod change;
mod draft;
pub mod history;
mod index;
pub mod operation;
mod past;
pub mod set;
pub mod sync;
mod validity;
pub mod view;
