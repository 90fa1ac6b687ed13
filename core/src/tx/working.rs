//! The working set: decoded records that live from one call to the next (ADR 31).
//!
//! It is valid for one generation of the store. A call reads the generation first: if another process has written, the set is dropped. What a
//! call has committed takes the place of what it had read; what it could not commit goes. It decides nothing, and a device without it would
//! do the same, only slower.
//!
//! Records hold their secrets in types that wipe themselves, so a record that is dropped leaves none.

use crate::{
    error::Code,
    record::Record,
    store::{Generation, RowKey},
};
use core::any::Any;
use foldhash::fast::RandomState;
use std::{collections::HashMap, sync::Arc};
use zeroize::Zeroizing;

/// What the set of a device may hold unless the app sets another limit, in bytes as records are stored.
const LIMIT: usize = 32 * 1024 * 1024;
/// What a row costs in memory beside its bytes: its key, its place in the map, the sharing of its secrets.
const ROW: usize = 256;

/// A decoded record of any type.
pub(super) type Shared = Arc<dyn Any + Send + Sync>;
/// How a decoded record becomes bytes again.
pub(super) type Encode = fn(&Shared) -> Result<Zeroizing<Vec<u8>>, Code>;

/// A record with what makes bytes of it.
#[derive(Clone)]
pub(super) struct Value {
    pub(super) record: Shared,
    pub(super) encode: Encode,
}

impl Value {
    pub(super) fn of<R: Record>(record: Arc<R>) -> Self {
        Self { record, encode: |shared| shared.downcast_ref::<R>().ok_or(Code::Internal)?.encode() }
    }

    pub(super) fn get<R: Record>(&self) -> Option<Arc<R>> {
        self.record.clone().downcast().ok()
    }
}

/// What is known of a row.
struct Row {
    /// `None`: there is no such row.
    value: Option<Value>,
    bytes: usize,
    used: u64,
}

/// Decoded records by row, as of one generation.
pub(crate) struct WorkingSet {
    generation: Generation,
    rows: HashMap<RowKey, Row, RandomState>,
    bytes: usize,
    calls: u64,
    limit: usize,
}

impl Default for WorkingSet {
    fn default() -> Self {
        Self::bounded(LIMIT)
    }
}

impl core::fmt::Debug for WorkingSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "WorkingSet({} rows, {} bytes)", self.rows.len(), self.bytes)
    }
}

impl WorkingSet {
    /// The most that it holds, in bytes; 0 for nothing.
    pub(crate) fn bounded(limit: usize) -> Self {
        Self { generation: Generation::default(), rows: HashMap::default(), bytes: 0, calls: 0, limit }
    }

    /// The generation that it is of.
    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    /// A call begins at this generation: a set of another one is dropped.
    pub(super) fn begin(&mut self, generation: Generation) {
        self.calls += 1;
        if self.generation != generation {
            self.rows.clear();
            self.bytes = 0;
            self.generation = generation;
        }
    }

    /// A row, if the set knows it: `Some(None)` is a row that is not there.
    pub(super) fn get(&mut self, key: &RowKey) -> Option<Option<Value>> {
        let row = self.rows.get_mut(key)?;
        row.used = self.calls;
        Some(row.value.clone())
    }

    pub(super) fn knows(&self, key: &RowKey) -> bool {
        self.rows.contains_key(key)
    }

    /// Remembers a row, `bytes` long as it is stored.
    pub(super) fn put(&mut self, key: RowKey, value: Option<Value>, bytes: usize) {
        let bytes = bytes.saturating_add(ROW);
        let used = self.calls;
        self.bytes = self.bytes.saturating_add(bytes);
        if let Some(before) = self.rows.insert(key, Row { value, bytes, used }) {
            self.bytes = self.bytes.saturating_sub(before.bytes);
        }
    }

    /// Forgets what is known of a row.
    pub(super) fn forget(&mut self, key: &RowKey) {
        if let Some(before) = self.rows.remove(key) {
            self.bytes = self.bytes.saturating_sub(before.bytes);
        }
    }

    /// The call is committed: from here on the set is of this generation.
    pub(super) fn move_to(&mut self, generation: Generation) {
        self.generation = generation;
    }

    /// The most that it holds, in bytes.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// From here on the set holds at most this many bytes; what is beyond goes at once.
    pub(super) fn limit_to(&mut self, bytes: usize) {
        self.limit = bytes;
        self.shrink();
    }

    /// Keeps the set within its limit: the rows that were not used for longest go.
    fn shrink(&mut self) {
        if self.bytes <= self.limit {
            return;
        }
        let mut by_age: Vec<(u64, usize)> = self.rows.values().map(|row| (row.used, row.bytes)).collect();
        by_age.sort_unstable();
        // A quarter more than must go, so that the next calls need not look again.
        let mut surplus = self.bytes.saturating_sub(self.limit / 4 * 3);
        let (mut oldest, mut older) = (0, surplus);
        for (used, bytes) in by_age {
            if used != oldest {
                (oldest, older) = (used, surplus);
            }
            surplus = surplus.saturating_sub(bytes);
            if surplus == 0 {
                break;
            }
        }
        // Of the last call that has to give, only as much as is needed.
        self.rows.retain(|_, row| {
            if row.used == oldest && older > 0 {
                older = older.saturating_sub(row.bytes);
                return false;
            }
            row.used >= oldest
        });
        self.bytes = self.rows.values().map(|row| row.bytes).sum();
        // The table goes as well when little is left in it; four times the rows, so that a set at its limit keeps its table.
        self.rows.shrink_to(4 * self.rows.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{record::Hot, secret::Shared as Secret};

    fn at(counter: u64) -> Generation {
        Generation { counter, nonce: [1; 8] }
    }

    fn key(row: u8) -> RowKey {
        RowKey::new(&[row]).unwrap()
    }

    /// A record with a secret, and a pointer that tells whether the secret is still there.
    fn chain() -> (Value, impl Fn() -> bool) {
        let secret = Secret::<32>::init_with(|key| key.fill(7));
        let is_there = secret.watch();
        (Value::of(Arc::new(Hot { sending_chain: Some(secret), ..Hot::default() })), is_there)
    }

    fn filled(rows: u8) -> WorkingSet {
        let mut set = WorkingSet::bounded(8 * (100 + ROW));
        for row in 0..rows {
            set.begin(at(0));
            set.put(key(row), Some(chain().0), 100);
        }
        set
    }

    #[test]
    fn a_set_of_another_generation_is_dropped_with_its_secrets() {
        let mut set = WorkingSet::default();
        let (value, secret) = chain();
        set.begin(at(1));
        set.put(key(1), Some(value), 100);
        set.begin(at(1));
        assert!(set.get(&key(1)).unwrap().unwrap().get::<Hot>().is_some());
        set.begin(at(2));
        assert!(set.get(&key(1)).is_none());
        assert!(!secret(), "a secret is wiped when it is dropped, and this one was");
        // Equal counters of a restored copy are not equal generations.
        set.put(key(1), None, 0);
        set.begin(Generation { counter: 2, nonce: [2; 8] });
        assert!(set.get(&key(1)).is_none());
    }

    #[test]
    fn a_dropped_set_leaves_no_secret() {
        let (value, secret) = chain();
        let mut set = WorkingSet::default();
        set.put(key(1), Some(value), 100);
        drop(set);
        assert!(!secret());
    }

    #[test]
    fn the_rows_that_were_not_used_for_longest_go_first() {
        let mut set = filled(8);
        set.shrink();
        assert_eq!(set.rows.len(), 8, "it is full, not more");
        set.begin(at(0));
        assert!(set.get(&key(0)).is_some());
        set.put(key(8), Some(chain().0), 100);
        set.shrink();
        assert!(set.bytes <= set.limit && set.rows.len() == 6, "{set:?}");
        let left: Vec<bool> = (0..9).map(|row| set.knows(&key(row))).collect();
        assert_eq!(left, [true, false, false, false, true, true, true, true, true]);
    }

    #[test]
    fn one_call_that_needs_more_than_the_limit_keeps_what_fits() {
        let mut set = WorkingSet::bounded(8 * (100 + ROW));
        set.begin(at(0));
        for row in 0..20 {
            set.put(key(row), Some(chain().0), 100);
        }
        set.shrink();
        assert_eq!(set.rows.len(), 6, "{set:?}");
    }

    #[test]
    fn a_smaller_limit_counts_at_once_and_a_larger_one_from_then_on() {
        let mut set = filled(8);
        set.limit_to(4 * (100 + ROW));
        assert!(set.rows.len() == 3 && set.bytes <= set.limit, "{set:?}");
        assert!(set.knows(&key(7)) && !set.knows(&key(0)), "the oldest are gone");
        set.limit_to(usize::MAX);
        for row in 0..100 {
            set.put(key(row), Some(chain().0), 100);
        }
        set.shrink();
        assert_eq!(set.rows.len(), 100);
    }

    #[test]
    fn a_limit_of_nothing_leaves_no_row_no_secret_and_no_table() {
        let (value, secret) = chain();
        let mut set = filled(200);
        set.put(key(1), Some(value), 100);
        set.put(key(2), None, 0);
        set.limit_to(0);
        assert_eq!((set.rows.len(), set.bytes, set.rows.capacity()), (0, 0, 0));
        assert!(!secret());
    }

    #[test]
    fn a_row_that_is_put_twice_counts_once_and_a_forgotten_one_not_at_all() {
        let mut set = filled(2);
        set.put(key(1), Some(chain().0), 50);
        assert_eq!(set.bytes, 150 + 2 * ROW);
        set.forget(&key(0));
        set.forget(&key(0));
        assert_eq!((set.bytes, set.rows.len()), (50 + ROW, 1));
    }

    #[test]
    fn a_record_of_another_type_is_not_given() {
        let (value, _) = chain();
        assert!(value.get::<crate::record::Counters>().is_none());
    }
}
