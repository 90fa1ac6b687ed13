//! The contract of a store, the keys of its rows, and the sealing of its rows.
//!
//! This module does not know what a record means.

pub mod conformance;
mod contract;
pub(crate) mod key;
mod memory;
pub(crate) mod seal;

pub use contract::{Changes, CommitError, Generation, Query, Snapshot, Store, StoreError, StoreErrorKind};
pub use key::Key;
pub use memory::MemoryStore;

pub(crate) use key::{Kind, Places, PreKeyUse, RowKey};
pub(crate) use seal::Sealer;
