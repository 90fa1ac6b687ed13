//! Where a device lives: a SQLite file, memory, or a store of the app's own.

use super::bytes::Bytes;
use super::error::{Result, SesameError};
use crate::host::{memory_store, sqlite_store};
use sesame::{
    Client,
    app_store::{self, Loaded},
};
use sesame_core::{
    error::Code,
    store::{Changes, CommitError, Generation, Query, Store as CoreStore, StoreError, StoreErrorKind},
};
use std::sync::Arc;

/// What to load.
#[derive(Clone, Debug, ::uniffi::Enum)]
pub enum StoreQuery {
    /// The row under this key, if there is one.
    Exact {
        /// 1 to 64 bytes.
        key: Bytes,
    },
    /// Every row whose key begins so.
    Prefix {
        /// At most 64 bytes; empty for all rows.
        prefix: Bytes,
    },
}

/// A row.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct StoreRow {
    /// 1 to 64 bytes.
    pub key: Bytes,
    /// Sealed.
    pub row: Bytes,
}

/// Rows as they were at one generation.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct StoreSnapshot {
    /// What the last commit said, 16 bytes; zeros in a fresh store.
    pub generation: Bytes,
    /// The rows that were found, in any order.
    pub rows: Vec<StoreRow>,
}

/// A row to write or to delete.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct StoreChange {
    /// 1 to 64 bytes.
    pub key: Bytes,
    /// What to write; absent to delete.
    pub row: Option<Bytes>,
}

/// Why a store could not do it. Anything else that it throws counts as `Thrown`.
#[derive(Debug, thiserror::Error, ::uniffi::Error)]
pub enum StoreFault {
    /// Another process holds it. Nothing changed.
    #[error("the store is locked")]
    Busy,
    /// It failed to read or write. Nothing changed.
    #[error("the store failed to read or write")]
    Io,
    /// No space is left. Nothing changed.
    #[error("the store is full")]
    Full,
    /// It cannot be written. Nothing changed.
    #[error("the store is read-only")]
    ReadOnly,
    /// Of a commit: the generation has moved on. Nothing changed.
    #[error("the generation has moved on")]
    Conflict,
    /// Of a commit: the store cannot say whether it landed; the generation will.
    #[error("it is unknown whether the commit landed")]
    OutcomeUnknown,
    /// It threw something else: counts as `Io`, and of a commit as `OutcomeUnknown`.
    #[error("{what}")]
    Thrown {
        /// What it threw, for the error's detail: the class and the message. At most 512 bytes of it are kept.
        what: String,
    },
}

impl From<::uniffi::UnexpectedUniFFICallbackError> for StoreFault {
    /// Of a stack trace only the first line is kept: the class and the message.
    fn from(error: ::uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Thrown { what: error.reason.lines().next().unwrap_or_default().to_owned() }
    }
}

impl From<StoreFault> for CommitError {
    fn from(fault: StoreFault) -> Self {
        let store = |kind: StoreErrorKind| Self::Store(kind.into());
        match fault {
            StoreFault::Busy => store(StoreErrorKind::Busy),
            StoreFault::Io => store(StoreErrorKind::Io),
            StoreFault::Full => store(StoreErrorKind::Full),
            StoreFault::ReadOnly => store(StoreErrorKind::ReadOnly),
            StoreFault::Conflict => Self::Conflict,
            StoreFault::OutcomeUnknown => Self::OutcomeUnknown(StoreErrorKind::Io.into()),
            // It may have come after the commit had landed.
            StoreFault::Thrown { what } => Self::OutcomeUnknown(StoreError::new(StoreErrorKind::Io, &what)),
        }
    }
}

/// A store of the app's own. It holds sealed rows under opaque keys; `check_store` says whether it keeps the contract.
///
/// A method must not call into this library: that fails with code 104.
#[::uniffi::export(foreign)]
pub trait AppStore: Send + Sync {
    /// All rows that match any query, at one generation. With `hold`, other writers wait until `commit` or `release`; loads
    /// without it may come in between. If it fails, nothing is held.
    fn load(&self, queries: Vec<StoreQuery>, hold: bool) -> std::result::Result<StoreSnapshot, StoreFault>;

    /// If the generation is still `expected`: applies all changes durably, all or none, and is at `next` from then on; else `Conflict`.
    /// Ends a hold whatever comes out. Gives `true`; what ends a host's call in some other way gives `false`, and whether the commit
    /// landed is then asked for.
    fn commit(&self, expected: Bytes, next: Bytes, changes: Vec<StoreChange>) -> std::result::Result<bool, StoreFault>;

    /// Ends a hold without a change.
    fn release(&self) -> std::result::Result<(), StoreFault>;
}

/// Makes fresh, empty stores for `check_store`.
#[::uniffi::export(foreign)]
pub trait StoreFactory: Send + Sync {
    /// A store without rows, apart from those that were opened before.
    fn make(&self) -> std::result::Result<Arc<dyn AppStore>, StoreFault>;
}

struct Adapter(Arc<dyn AppStore>);

impl app_store::AppStore for Adapter {
    fn load(&self, queries: &[Query], hold: bool) -> std::result::Result<Loaded, StoreError> {
        let queries = queries.iter().cloned().map(|query| match query {
            Query::Exact(key) => StoreQuery::Exact { key: key.into() },
            Query::Prefix(prefix) => StoreQuery::Prefix { prefix: prefix.into() },
        });
        let snapshot = self.0.load(queries.collect(), hold).map_err(|fault| match CommitError::from(fault) {
            CommitError::Store(error) | CommitError::OutcomeUnknown(error) => error,
            _ => StoreErrorKind::Misbehaves.into(),
        })?;
        let generation = <[u8; 16]>::try_from(&*snapshot.generation).map_err(|_| {
            if hold {
                // What cannot be told is ended all the same.
                let _ = self.0.release();
            }
            StoreError::from(StoreErrorKind::Misbehaves)
        })?;
        let rows = snapshot.rows.into_iter().map(|row| (row.key.0, row.row.0)).collect();
        Ok(Loaded { generation: app_store::generation(generation), rows })
    }

    fn commit(&self, expected: Generation, changes: &Changes) -> std::result::Result<(), CommitError> {
        let [expected, next] = [expected, changes.next].map(|at| app_store::generation_bytes(at).to_vec().into());
        let rows =
            changes.rows.iter().map(|(key, row)| StoreChange { key: key.clone().into(), row: row.clone().map(Bytes) });
        let landed = self.0.commit(expected, next, rows.collect())?;
        if landed { Ok(()) } else { Err(CommitError::OutcomeUnknown(StoreErrorKind::Io.into())) }
    }

    fn release(&self) {
        // Nothing can be done about a hold that does not end; the next load says what is wrong.
        let _ = self.0.release();
    }
}

/// Where a device lives.
#[derive(::uniffi::Object)]
pub struct Store {
    pub(super) inner: Arc<dyn CoreStore>,
}

#[::uniffi::export]
impl Store {
    /// A SQLite file, made if it is not there. Several processes may share one.
    #[::uniffi::constructor]
    pub fn sqlite(path: String) -> Result<Arc<Self>> {
        Ok(Arc::new(Self { inner: sqlite_store(&path)? }))
    }

    /// Memory, which lives as long as this handle or a device over it.
    #[::uniffi::constructor]
    pub fn memory() -> Arc<Self> {
        Arc::new(Self { inner: memory_store() })
    }

    /// A store of the app's own. The store must not hold the device, or neither is ever freed.
    #[::uniffi::constructor]
    pub fn app(store: Arc<dyn AppStore>) -> Arc<Self> {
        Arc::new(Self { inner: app_store::fenced(Adapter(store)) })
    }

    /// Deletes every row, in one commit, whoever's device the store holds and whatever its key is: to log out, or because the key is lost. It
    /// is empty afterwards; a SQLite file stays, and what a disk keeps of deleted bytes is the system's. Devices over it give
    /// `FOREIGN_STORE`.
    pub fn erase(&self) -> Result<()> {
        Ok(Client::erase(self.inner.as_ref())?)
    }
}

/// Runs the conformance suite against an app's store. Gives the first claim that does not hold, in words, or nothing when all do. That a hold
/// keeps another process out is for the app's own tests.
#[::uniffi::export]
pub fn check_store(factory: Arc<dyn StoreFactory>) -> Result<Option<String>> {
    sesame::enter()?;
    let open = || match factory.make() {
        Ok(store) => Ok(app_store::fenced(Adapter(store))),
        Err(fault) => Err(format!("no store could be opened: {fault}")),
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| app_store::check(open).err()))
        .map_err(|_| SesameError::from(Code::Internal))
}
