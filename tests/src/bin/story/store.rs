//! An app's own store that fails when the script tells it to.

use sesame_core::store::{
    Changes, CommitError, Generation, MemoryStore, Query, Snapshot, Store, StoreError, StoreErrorKind,
};
use std::sync::Mutex;

/// Rows in memory. A fault is one of the numbers of the story, or 0.
pub struct AppStore {
    rows: MemoryStore,
    /// The fault of `load`.
    pub load: Mutex<u64>,
    /// The fault of `commit`.
    pub commit: Mutex<u64>,
    spoilt: Mutex<bool>,
}

impl AppStore {
    /// Makes an empty store that does not fail.
    pub fn new() -> Self {
        Self { rows: MemoryStore::new(), load: Mutex::new(0), commit: Mutex::new(0), spoilt: Mutex::new(false) }
    }

    /// Flips a bit in the last byte of every row, as a bad disk does: the generation stays.
    pub fn spoil(&self) {
        let mut spoilt = self.spoilt.lock().unwrap();
        *spoilt = !*spoilt;
    }
}

fn fault(number: u64) -> Result<(), CommitError> {
    Err(match number {
        0 => return Ok(()),
        1 => CommitError::Conflict,
        401 => CommitError::Store(StoreErrorKind::Busy.into()),
        403 => CommitError::Store(StoreErrorKind::Full.into()),
        404 => CommitError::Store(StoreErrorKind::ReadOnly.into()),
        411 => CommitError::OutcomeUnknown(StoreErrorKind::Io.into()),
        _ => CommitError::Store(StoreErrorKind::Io.into()),
    })
}

impl Store for AppStore {
    fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
        match fault(*self.load.lock().unwrap()) {
            Ok(()) => {
                let mut snapshot = self.rows.load(queries, hold)?;
                if *self.spoilt.lock().unwrap() {
                    snapshot.rows.values_mut().filter_map(|row| row.last_mut()).for_each(|byte| *byte ^= 1);
                }
                Ok(snapshot)
            }
            Err(CommitError::Store(error)) => Err(error),
            Err(_) => Err(StoreErrorKind::Misbehaves.into()),
        }
    }

    fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
        if let Err(error) = fault(*self.commit.lock().unwrap()) {
            self.rows.release();
            return Err(error);
        }
        self.rows.commit(expected, changes)
    }

    fn release(&self) {
        self.rows.release();
    }
}
