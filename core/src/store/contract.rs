//! The contract: batched loads at one generation, and one atomic commit that fails when the generation has moved on.

use super::Key;
use crate::error::Code;
use std::collections::BTreeMap;

/// How far a store has come: a counter, and 8 bytes that whoever commits draws, so that two histories never look alike.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Generation {
    /// Counts commits.
    pub counter: u64,
    /// Drawn by the committer.
    pub nonce: [u8; 8],
}

/// What to load.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Query {
    /// The row under this key, if there is one.
    Exact(Key),
    /// Every row whose key begins so, rising by key.
    Prefix(Vec<u8>),
}

/// Rows as they were at one generation.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// At this one.
    pub generation: Generation,
    /// The rows that were found.
    pub rows: BTreeMap<Key, Vec<u8>>,
}

/// All that one call changes; it happens whole or not at all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Changes {
    /// What the store's generation is afterwards.
    pub next: Generation,
    /// Rows to write, `None` to delete; in the order of the keys.
    pub rows: BTreeMap<Key, Option<Vec<u8>>>,
}

/// Why a store could not do it. Nothing changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds it.
    Busy,
    /// It failed to read or write.
    Io,
    /// No space is left.
    Full,
    /// It cannot be written.
    ReadOnly,
    /// It gave what nobody asked for.
    Misbehaves,
}

/// Why a commit did not succeed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CommitError {
    /// The generation has moved on; nothing changed.
    Conflict,
    /// The store cannot say whether it landed; the generation will.
    OutcomeUnknown,
    /// Nothing changed.
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

/// Three methods over opaque rows. [`super::conformance::check`] says whether an implementation keeps the contract.
pub trait Store: Send + Sync {
    /// All rows that match any query, at one generation. With `hold`, other writers wait until [`Store::commit`] or [`Store::release`];
    /// who holds does not ask for it again, and goes on loading without.
    ///
    /// # Errors
    /// A [`StoreError`]; nothing is held then.
    fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError>;

    /// Applies `changes` atomically and durably if the generation is still `expected`, and ends a hold whatever comes out.
    ///
    /// # Errors
    /// A [`CommitError`].
    fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError>;

    /// Ends a hold without a change.
    fn release(&self);
}
