//! What a store must do, where records lie in it and how they are sealed (section 4 of the design).
//!
//! It does not know what a record means.

pub mod conformance;
mod contract;
mod key;
mod memory;
mod seal;

pub use contract::{Changes, CommitError, Generation, Query, Snapshot, Store, StoreError};
pub use key::{Key, Kind, Places, PreKeyUse};
pub use memory::MemoryStore;
pub use seal::Sealer;
