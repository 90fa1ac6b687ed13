//! The contract of a store: batched loads at one generation, and one atomic commit that fails if the generation
//! has moved on.

use super::Key;
use crate::error::{Code, Detail, Error};
use core::fmt;
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

/// The kinds of [`StoreError`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Another process holds the store.
    Busy,
    /// The disk is full.
    Full,
    /// A read or a write failed.
    Io,
    /// The store returned rows that nobody asked for.
    Misbehaves,
    /// A newer version of this library wrote the file.
    NewerFormat,
    /// The path does not lead to a file.
    NotAFile,
    /// The file is not a store of this library.
    NotAStore,
    /// The folder is not there.
    NotFound,
    /// The store is read-only.
    ReadOnly,
}

impl From<StoreErrorKind> for Code {
    fn from(kind: StoreErrorKind) -> Self {
        match kind {
            StoreErrorKind::Busy => Self::StoreBusy,
            StoreErrorKind::Full => Self::StoreFull,
            StoreErrorKind::Io => Self::StoreIo,
            StoreErrorKind::Misbehaves => Self::StoreMisbehaves,
            StoreErrorKind::NewerFormat => Self::NewerFormat,
            StoreErrorKind::NotAFile => Self::StorePathNotAFile,
            StoreErrorKind::NotAStore => Self::NotAStore,
            StoreErrorKind::NotFound => Self::StorePathMissing,
            StoreErrorKind::ReadOnly => Self::StoreReadOnly,
        }
    }
}

/// Why a store could not do what was asked. Nothing changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoreError {
    /// What kind of failure it is.
    pub kind: StoreErrorKind,
    /// The path and the system's cause, or what the app's own store said. It must not hold a secret.
    pub detail: Option<Detail>,
}

impl StoreError {
    /// An error with the text that says what it is about.
    #[must_use]
    pub fn new(kind: StoreErrorKind, detail: &str) -> Self {
        Self { kind, detail: Detail::new(detail) }
    }
}

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> Self {
        Self { kind, detail: None }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self { detail: error.detail, ..Code::from(error.kind).into() }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Error::from(self.clone()).fmt(f)
    }
}

impl core::error::Error for StoreError {}

/// Why a commit did not succeed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CommitError {
    /// The generation has moved on; nothing changed.
    Conflict,
    /// The store does not know whether the changes were applied. A later load shows it by the generation; if nothing changed, this error
    /// is the call's.
    OutcomeUnknown(StoreError),
    /// The store failed and nothing changed.
    Store(StoreError),
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str("the generation has moved on"),
            Self::OutcomeUnknown(error) => write!(f, "{}: {error}", Code::OutcomeUnknown),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for CommitError {}

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
