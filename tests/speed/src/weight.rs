//! A store that weighs what is written to it.

use sesame_core::store::{Changes, CommitError, Generation, Query, Snapshot, Store, StoreError};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A store before another one.
pub struct Scales {
    inner: Arc<dyn Store>,
    written: AtomicUsize,
}

impl Scales {
    /// Before this store.
    pub fn before(inner: Arc<dyn Store>) -> Self {
        Self { inner, written: AtomicUsize::new(0) }
    }

    /// The bytes of keys and rows that were written since the last call. A row that is deleted counts with its key.
    pub fn take(&self) -> usize {
        self.written.swap(0, Ordering::Relaxed)
    }
}

impl Store for Scales {
    fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
        self.inner.load(queries, hold)
    }

    fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
        let bytes = changes.rows.iter().map(|(key, row)| key.len() + row.as_ref().map_or(0, Vec::len)).sum();
        self.written.fetch_add(bytes, Ordering::Relaxed);
        self.inner.commit(expected, changes)
    }

    fn release(&self) {
        self.inner.release();
    }
}
