//! A store in memory, for tests and first programs. It keeps the contract but not its content: that ends with
//! the process.
//!
//! A hold keeps nobody out. Two writers can only be two handles in one process, and the one that loses the race
//! runs again.

use super::{Changes, CommitError, Generation, Key, Query, Snapshot, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Clone, Debug, Default)]
struct Rows {
    generation: Generation,
    rows: BTreeMap<Key, Vec<u8>>,
}

/// A map of rows behind a lock.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Rows>);

impl MemoryStore {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store to be shared: what a device is made in.
    #[must_use]
    pub fn shared() -> Arc<dyn Store> {
        Arc::new(Self::new())
    }

    /// Every row as stored. Tests compare a store before and after.
    #[must_use]
    pub fn dump(&self) -> BTreeMap<Key, Vec<u8>> {
        self.rows().rows.clone()
    }

    /// Replaces all rows, for tests of damaged and rolled back stores. The generation moves on, as it does whenever another process writes.
    pub fn restore(&self, rows: BTreeMap<Key, Vec<u8>>) {
        let mut store = self.rows();
        store.rows = rows;
        store.generation.counter += 1;
    }

    // The map is replaced in one step, so a panic elsewhere cannot leave it half changed.
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn load(&self, queries: &[Query], _hold: bool) -> Result<Snapshot, StoreError> {
        let store = self.rows();
        let mut rows = BTreeMap::new();
        for query in queries {
            match query {
                Query::Exact(key) => {
                    rows.extend(store.rows.get_key_value(key).map(|(key, row)| (key.clone(), row.clone())));
                }
                Query::Prefix(prefix) => {
                    let from = store.rows.range(prefix.clone()..);
                    let inside = from.take_while(|(key, _)| key.starts_with(prefix));
                    rows.extend(inside.map(|(key, row)| (key.clone(), row.clone())));
                }
            }
        }
        Ok(Snapshot { generation: store.generation, rows })
    }

    fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
        let mut store = self.rows();
        if store.generation != expected {
            return Err(CommitError::Conflict);
        }
        for (key, row) in &changes.rows {
            match row {
                Some(row) => store.rows.insert(key.clone(), row.clone()),
                None => store.rows.remove(key),
            };
        }
        store.generation = changes.next;
        Ok(())
    }

    fn release(&self) {}
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_memory_store_keeps_the_contract() {
        super::super::conformance::check(|| Ok(std::sync::Arc::new(super::MemoryStore::new()))).unwrap();
    }
}
