//! A store that fails at the operation that a test chooses.

use sesame_core::store::{
    Changes, CommitError, Generation, MemoryStore, Query, Snapshot, Store, StoreError, StoreErrorKind,
};
use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

/// How an operation fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Nothing is written, and the store returns an error.
    Fails,
    /// The commit is written, but the store reports an unknown outcome.
    LandsUnknown,
    /// The commit is not written, and the store reports an unknown outcome.
    LostUnknown,
}

/// An operation that a fault can hit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// A commit.
    Commit,
    /// A load.
    Load,
}

/// A store that counts its operations and fails at one of them.
#[derive(Debug)]
pub struct FaultyStore {
    /// The store that keeps the rows.
    pub inner: MemoryStore,
    operations: AtomicU64,
    fail_at: AtomicU64,
    fault: Mutex<Fault>,
    struck: Mutex<Option<Operation>>,
    written: AtomicU64,
    commits: AtomicU64,
    asked: AtomicU64,
}

impl FaultyStore {
    /// Makes a store that does not fail yet.
    #[must_use]
    pub fn new(inner: MemoryStore) -> Self {
        Self {
            inner,
            operations: AtomicU64::new(0),
            fail_at: AtomicU64::new(u64::MAX),
            fault: Mutex::new(Fault::Fails),
            struck: Mutex::new(None),
            written: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            asked: AtomicU64::new(0),
        }
    }

    /// Makes the `n`th operation from now on fail, once; 0 is the next one.
    pub fn fail_at(&self, n: u64, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
        *self.struck.lock().unwrap() = None;
        self.fail_at.store(self.operations.load(Ordering::SeqCst) + n, Ordering::SeqCst);
    }

    /// Cancels the fault. Returns the operation that it hit, or `None` if it had not happened yet.
    pub fn struck(&self) -> Option<Operation> {
        self.fail_at.store(u64::MAX, Ordering::SeqCst);
        self.struck.lock().unwrap().take()
    }

    /// The bytes of rows written since the last call.
    pub fn take_written(&self) -> u64 {
        self.written.swap(0, Ordering::SeqCst)
    }

    /// The number of commits since the last call.
    pub fn take_commits(&self) -> u64 {
        self.commits.swap(0, Ordering::SeqCst)
    }

    /// The rows that were asked for by their keys since the last call.
    pub fn take_asked(&self) -> u64 {
        self.asked.swap(0, Ordering::SeqCst)
    }

    fn fault(&self, operation: Operation) -> Option<Fault> {
        let n = self.operations.fetch_add(1, Ordering::SeqCst);
        (n == self.fail_at.load(Ordering::SeqCst)).then(|| {
            *self.struck.lock().unwrap() = Some(operation);
            *self.fault.lock().unwrap()
        })
    }
}

impl Store for FaultyStore {
    fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
        let exact = queries.iter().filter(|query| matches!(query, Query::Exact(_))).count();
        self.asked.fetch_add(exact as u64, Ordering::SeqCst);
        match self.fault(Operation::Load) {
            Some(_) => Err(StoreErrorKind::Io.into()),
            None => self.inner.load(queries, hold),
        }
    }

    fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
        match self.fault(Operation::Commit) {
            Some(Fault::Fails) => Err(CommitError::Store(StoreErrorKind::Io.into())),
            Some(Fault::LostUnknown) => Err(CommitError::OutcomeUnknown(StoreErrorKind::Io.into())),
            Some(Fault::LandsUnknown) => {
                self.inner.commit(expected, changes)?;
                Err(CommitError::OutcomeUnknown(StoreErrorKind::Io.into()))
            }
            None => {
                let bytes = changes.rows.values().flatten().map(|row| row.len() as u64).sum();
                self.written.fetch_add(bytes, Ordering::SeqCst);
                self.commits.fetch_add(1, Ordering::SeqCst);
                self.inner.commit(expected, changes)
            }
        }
    }

    fn release(&self) {
        self.inner.release();
    }
}
