//! The contract of a store: batched loads at one generation, and one atomic commit that fails if the generation
//! has moved on.

use super::Key;
use crate::error::Code;
use std::collections::BTreeMap;

/// The version of a store's content. The committer draws the 8 random bytes, so that two histories never have
/// the same generation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Generation {
    /// The number of commits.
    pub counter: u64,
    /// 8 random bytes, drawn by the committer.
    pub nonce: [u8; 8],
}

/// The rows to load.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Query {
    /// The row under this key, if there is one.
    Exact(Key),
    /// Every row whose key begins with these bytes, sorted by key.
    Prefix(Vec<u8>),
}

/// Rows as they were at one generation.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The generation of the rows.
    pub generation: Generation,
    /// The rows that were found.
    pub rows: BTreeMap<Key, Vec<u8>>,
}

/// All changes of one call. A store applies all of them or none.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Changes {
    /// The store's generation after the commit.
    pub next: Generation,
    /// Rows to write, sorted by key; `None` deletes a row.
    pub rows: BTreeMap<Key, Option<Vec<u8>>>,
}

/// Why a store could not do what was asked. Nothing changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds the store.
    Busy,
    /// A read or a write failed.
    Io,
    /// The disk is full.
    Full,
    /// The store is read-only.
    ReadOnly,
    /// The store returned rows that nobody asked for.
    Misbehaves,
}

/// Why a commit did not succeed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CommitError {
    /// The generation has moved on; nothing changed.
    Conflict,
    /// The store does not know whether the changes were applied. A later load shows it by the generation.
    OutcomeUnknown,
    /// The store failed and nothing changed.
    Store(StoreError),
}

impl From<StoreError> for Code {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::StoreBusy,
            StoreError::Io => Self::StoreIo,
            StoreError::Full => Self::StoreFull,
            StoreError::ReadOnly => Self::StoreReadOnly,
            StoreError::Misbehaves => Self::StoreMisbehaves,
        }
    }
}

/// A store: three methods over rows of opaque bytes. [`super::conformance::check`] tests whether an
/// implementation keeps the contract.
pub trait Store: Send + Sync {
    /// Loads all rows that match any query, at one generation. With `hold`, other writers wait until
    /// [`Store::commit`] or [`Store::release`]. A caller that holds the store loads more rows with `hold`
    /// false.
    ///
    /// # Errors
    /// A [`StoreError`]; the store is not held then.
    fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError>;

    /// Applies `changes` atomically and durably if the generation is still `expected`. Whatever the result is,
    /// a hold ends.
    ///
    /// # Errors
    /// A [`CommitError`].
    fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError>;

    /// Ends a hold without any change.
    fn release(&self);
}
