//! The contract of a store, the keys of its rows, and the sealing of its rows.
//!
//! This module does not know what a record means.

pub mod conformance;
mod contract;
mod key;
mod memory;
mod seal;

pub use contract::{Changes, CommitError, Generation, Query, Snapshot, Store, StoreError};
pub use key::{Key, Kind, Places, PreKeyUse};
pub use memory::MemoryStore;
pub use seal::Sealer;
