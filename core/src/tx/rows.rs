//! An overlay over the store: what a call read at one generation, and what it will write.

use super::{
    place::Place,
    working::{Value, WorkingSet},
};
use crate::{
    context::Context,
    error::{Code, Error},
    record::Record,
    store::{Changes, CommitError, Generation, Key, Places, Query, RowKey, Sealer, Store, StoreError},
    threads::{self, Threads},
};
use core::cell::{Cell, RefCell};
use foldhash::fast::RandomState;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use zeroize::Zeroizing;

/// A row as the call will leave it; `None` deletes it.
type Staged = Option<Put>;

/// A record to be written. It becomes bytes when the call ends, however often it changes before.
struct Put {
    value: Value,
    stays: bool,
    /// Whether the row can be written without a look at what it was.
    changes: bool,
}

/// Rows that a call will write. They are looked up far more often than they are walked through, so their order is made when it is asked for.
#[derive(Default)]
struct Layer {
    rows: HashMap<RowKey, Staged, RandomState>,
    order: RefCell<Option<BTreeSet<RowKey>>>,
}

impl Layer {
    /// Gives what was there before.
    fn insert(&mut self, key: RowKey, staged: Staged) -> Option<Staged> {
        if let Some(order) = self.order.get_mut() {
            order.insert(key);
        }
        self.rows.insert(key, staged)
    }

    /// Takes an insertion back.
    fn undo(&mut self, key: RowKey, before: Option<Staged>) {
        match before {
            Some(staged) => {
                self.rows.insert(key, staged);
            }
            None => {
                self.rows.remove(&key);
            }
        }
    }

    /// The rows that begin so, and whether each is there.
    fn inside(&self, prefix: &RowKey) -> Vec<(RowKey, bool)> {
        let mut order = self.order.borrow_mut();
        let order = order.get_or_insert_with(|| self.rows.keys().copied().collect());
        let inside = order.range(prefix..).take_while(|key| key.starts_with(prefix));
        inside.filter_map(|key| Some((*key, self.rows.get(key)?.is_some()))).collect()
    }

    /// All rows, rising.
    fn in_order(&self) -> Vec<(&RowKey, &Staged)> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_unstable_by_key(|(key, _)| **key);
        rows
    }
}

/// An overlay over the store. Nothing is written before [`Tx::commit`], and then all of it or nothing.
pub(crate) struct Tx<'a> {
    store: &'a dyn Store,
    sealer: &'a Sealer,
    threads: &'a dyn Threads,
    hold: bool,
    locked: Cell<bool>,
    generation: Cell<Option<Generation>>,
    /// What is known from earlier calls and from this one.
    working: RefCell<WorkingSet>,
    /// Rows of the store as they lie there, sealed.
    loaded: RefCell<BTreeMap<RowKey, Vec<u8>>>,
    staged: Layer,
    /// What one item of a batch has staged, and what was there before, to take it back.
    /// An item may lie within another one.
    items: Vec<Vec<(RowKey, Option<Staged>)>>,
    /// Rows that are not sealed, and rows to be deleted whatever they are.
    raw: BTreeMap<Key, Option<Vec<u8>>>,
    /// Rows that did not open in this call, and whether it can go on without them.
    damaged: RefCell<BTreeMap<RowKey, bool>>,
    /// How the store failed in this call: its code goes up through the rules, and [`Tx::explain`] puts the detail to it.
    failure: RefCell<Option<StoreError>>,
}

impl<'a> Tx<'a> {
    /// A call that knows nothing of earlier ones.
    pub(crate) fn new(store: &'a dyn Store, sealer: &'a Sealer, hold: bool) -> Self {
        Self::with(Place::new(store, sealer), hold, WorkingSet::bounded(0))
    }

    /// A call that goes on with what earlier ones have read.
    pub(crate) fn with(place: Place<'a>, hold: bool, working: WorkingSet) -> Self {
        let Place { store, sealer, threads } = place;
        Self {
            store,
            sealer,
            threads,
            hold,
            locked: Cell::new(false),
            generation: Cell::new(None),
            working: RefCell::new(working),
            loaded: RefCell::default(),
            staged: Layer::default(),
            items: Vec::new(),
            damaged: RefCell::default(),
            raw: BTreeMap::new(),
            failure: RefCell::default(),
        }
    }

    /// The store's failure as a code, and remembered.
    fn failed(&self, error: StoreError) -> Code {
        let code = error.kind.into();
        self.failure.replace(Some(error));
        code
    }

    /// An error of this call with the detail that the store gave, if the store's failure is what it reports.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match &*self.failure.borrow() {
            Some(failure) if error.detail.is_none() && error.code == failure.kind.into() => {
                Error { detail: failure.detail.clone(), ..error }
            }
            _ => error,
        }
    }

    /// Where the jobs of a large batch run.
    pub(crate) fn threads(&self) -> &'a dyn Threads {
        self.threads
    }

    pub(crate) fn places(&self) -> &'a Places {
        &self.sealer.places
    }

    /// What the call knows of rows at its end, for the next one.
    pub(crate) fn into_working(self) -> WorkingSet {
        self.working.take()
    }

    /// Reads rows that will be needed, in one go.
    ///
    /// Gives [`Code::StoreBusy`] when the store moved on since the first read: the call then runs again, holding it.
    pub(crate) fn prefetch(&self, queries: &[Query]) -> Result<(), Code> {
        if queries.is_empty() { Ok(()) } else { self.load(queries) }
    }

    fn load(&self, queries: &[Query]) -> Result<(), Code> {
        let hold = self.hold && !self.locked.get();
        let snapshot = self.store.load(queries, hold).map_err(|error| self.failed(error))?;
        self.locked.set(self.locked.get() || hold);
        match self.generation.get() {
            None => {
                self.generation.set(Some(snapshot.generation));
                self.working.borrow_mut().begin(snapshot.generation);
            }
            Some(generation) if generation == snapshot.generation => {}
            Some(_) => return Err(Code::StoreBusy),
        }
        let mut working = self.working.borrow_mut();
        for query in queries {
            if let Query::Exact(key) = query
                && !snapshot.rows.contains_key(key)
            {
                working.put(RowKey::new(key).ok_or(Code::Internal)?, None, 0);
            }
        }
        let mut loaded = self.loaded.borrow_mut();
        for (key, row) in snapshot.rows {
            loaded.insert(RowKey::new(&key).ok_or(Code::StoreMisbehaves)?, row);
        }
        Ok(())
    }

    /// The generation of the store that this call sees. It is read before anything else, so that no record of another one is used.
    pub(crate) fn generation(&self) -> Result<Generation, Code> {
        if self.generation.get().is_none() {
            self.load(&[])?;
        }
        Ok(self.generation.get().unwrap_or_default())
    }

    /// How many rows begin so, and their bytes as they are stored.
    pub(crate) fn weigh(&self, prefix: &RowKey) -> Result<(usize, usize), Code> {
        let keys = self.keys(prefix)?;
        let loaded = self.loaded.borrow();
        let bytes = keys.iter().filter_map(|key| loaded.get(key)).map(Vec::len).sum();
        Ok((keys.len(), bytes))
    }

    fn staged(&self, key: &RowKey) -> Option<&Staged> {
        self.staged.rows.get(key)
    }

    /// The row as it came from the store, not opened.
    pub(crate) fn raw(&self, key: &RowKey) -> Result<Option<Vec<u8>>, Code> {
        self.generation()?;
        let is_absent = |known: Option<Option<Value>>| matches!(known, Some(None));
        if !self.loaded.borrow().contains_key(key) && !is_absent(self.working.borrow_mut().get(key)) {
            self.load(&[Query::Exact(key.to_vec())])?;
        }
        Ok(self.loaded.borrow().get(key).cloned())
    }

    pub(crate) fn get<R: Record>(&self, key: &RowKey) -> Result<Option<R>, Code> {
        Ok(self.shared(key)?.map(|record| R::clone(&record)))
    }

    /// The record as the call or an earlier one has it; `None` if the store must be asked.
    fn kept<R: Record>(&self, key: &RowKey) -> Result<Option<Option<Arc<R>>>, Code> {
        if let Some(staged) = self.staged(key) {
            return staged.as_ref().map(|put| put.value.get().ok_or(Code::Internal)).transpose().map(Some);
        }
        self.generation()?;
        Ok(match self.working.borrow_mut().get(key) {
            None => None,
            Some(None) => Some(None),
            Some(Some(value)) => value.get().map(Some),
        })
    }

    /// The records of these rows, without a copy; what is missing is read in one go. Each row that does not open has an error of its own.
    #[allow(clippy::type_complexity)]
    pub(crate) fn shared_all<R: Record>(&self, keys: &[RowKey]) -> Result<Vec<Result<Option<Arc<R>>, Code>>, Code> {
        let mut rows = Vec::with_capacity(keys.len());
        let mut missing = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            let kept = self.kept(key)?;
            if kept.is_none() {
                missing.push((at, *key));
            }
            rows.push(Ok(kept.flatten()));
        }
        self.prefetch_missing(&missing.iter().map(|(_, key)| *key).collect::<Vec<_>>())?;
        for (at, key) in missing {
            let row = self.shared(&key);
            // Damage is the row's; what else fails is the store's.
            if let Err(code) = &row
                && !code.is_damage()
            {
                return Err(*code);
            }
            if let Some(place) = rows.get_mut(at) {
                *place = row;
            }
        }
        Ok(rows)
    }

    /// The record, without a copy.
    pub(crate) fn shared<R: Record>(&self, key: &RowKey) -> Result<Option<Arc<R>>, Code> {
        if let Some(kept) = self.kept(key)? {
            return Ok(kept);
        }
        let Some(row) = self.raw(key)? else { return Ok(None) };
        let record = match self.sealer.open(key, &row).and_then(|plain| R::decode(&plain)) {
            Ok(record) => Arc::new(record),
            Err(Code::RecordCorrupt) => {
                self.damaged.borrow_mut().insert(*key, R::SPARE);
                return if R::SPARE { Ok(None) } else { Err(Code::RecordCorrupt) };
            }
            Err(code) => return Err(code),
        };
        if R::STAYS {
            self.working.borrow_mut().put(*key, Some(Value::of(record.clone())), row.len());
        }
        Ok(Some(record))
    }

    /// The record if it is there and sound; a damaged one counts as absent.
    pub(crate) fn get_sound<R: Record>(&self, key: &RowKey) -> Result<Option<R>, Code> {
        match self.get(key) {
            Err(Code::RecordCorrupt) => Ok(None),
            result => result,
        }
    }

    /// The rows that this call has found damaged; it forgets them. Those that are spare and were not written anew are deleted.
    pub(crate) fn take_damaged(&mut self) -> Vec<RowKey> {
        let damaged = self.damaged.take();
        let gone = |(key, is_spare): (&RowKey, &bool)| (*is_spare && self.staged(key).is_none()).then_some(*key);
        let spare: Vec<RowKey> = damaged.iter().filter_map(gone).collect();
        spare.into_iter().for_each(|key| self.delete(key));
        damaged.into_keys().collect()
    }

    /// Whether the call writes or deletes this row.
    pub(crate) fn is_staged(&self, key: &RowKey) -> bool {
        self.staged(key).is_some()
    }

    /// One of many: what it changes stays if it succeeds. If a row that it needs is damaged it leaves no trace, and the others go on.
    pub(crate) fn one<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, Code>) -> Result<Option<T>, Code> {
        self.begin_item();
        let done = step(self);
        self.end_item(done.is_ok());
        unless_damaged(done)
    }

    /// Reads those of these rows that were not read yet, in one go.
    pub(crate) fn prefetch_missing(&self, keys: &[RowKey]) -> Result<(), Code> {
        if keys.is_empty() {
            return Ok(());
        }
        self.generation()?;
        let mut missing: Vec<RowKey> = {
            let (working, loaded) = (self.working.borrow(), self.loaded.borrow());
            let known = |key: &RowKey| working.knows(key) || self.staged(key).is_some() || loaded.contains_key(key);
            keys.iter().filter(|key| !known(key)).copied().collect()
        };
        missing.sort_unstable();
        missing.dedup();
        self.prefetch(&missing.iter().map(|key| Query::Exact(key.to_vec())).collect::<Vec<_>>())
    }

    pub(crate) fn exists(&self, key: &RowKey) -> Result<bool, Code> {
        if let Some(staged) = self.staged(key) {
            return Ok(staged.is_some());
        }
        self.generation()?;
        let known = self.working.borrow_mut().get(key);
        match known {
            Some(value) => Ok(value.is_some()),
            None => Ok(self.raw(key)?.is_some()),
        }
    }

    pub(crate) fn put<R: Record>(&mut self, key: RowKey, record: &R) -> Result<(), Code> {
        self.put_shared(key, Arc::new(record.clone()))
    }

    /// The same without a copy.
    pub(crate) fn put_shared<R: Record>(&mut self, key: RowKey, record: Arc<R>) -> Result<(), Code> {
        self.stage(key, Some(Put { value: Value::of(record), stays: R::STAYS, changes: R::CHANGES }));
        Ok(())
    }

    pub(crate) fn delete(&mut self, key: RowKey) {
        self.stage(key, None);
    }

    fn stage(&mut self, key: RowKey, staged: Staged) {
        let before = self.staged.insert(key, staged);
        if let Some(item) = self.items.last_mut() {
            item.push((key, before));
        }
    }

    /// Whether the call writes anything so far.
    pub(crate) fn has_changes(&self) -> bool {
        !self.staged.rows.is_empty()
    }

    /// A row that is not sealed.
    pub(crate) fn put_raw(&mut self, key: RowKey, row: Vec<u8>) {
        self.raw.insert(key.to_vec(), Some(row));
    }

    /// Deletes every row of the store, also one that no version of this library would write.
    pub(crate) fn delete_all(&mut self) -> Result<(), Code> {
        self.generation()?;
        let snapshot = self.store.load(&[Query::Prefix(Vec::new())], false).map_err(|error| self.failed(error))?;
        if Some(snapshot.generation) != self.generation.get() {
            return Err(Code::StoreBusy);
        }
        self.raw = snapshot.rows.into_keys().map(|key| (key, None)).collect();
        Ok(())
    }

    /// The keys of all rows that begin so, staged changes included.
    pub(crate) fn keys(&self, prefix: &RowKey) -> Result<Vec<RowKey>, Code> {
        self.prefetch(&[Query::Prefix(prefix.to_vec())])?;
        Ok(self.keys_read(prefix))
    }

    /// The same for a prefix that was read before in this call.
    pub(crate) fn keys_read(&self, prefix: &RowKey) -> Vec<RowKey> {
        let loaded = self.loaded.borrow();
        let inside = loaded.range(prefix..).take_while(|(key, _)| key.starts_with(prefix));
        let mut present: BTreeMap<RowKey, bool> = inside.map(|(key, _)| (*key, true)).collect();
        present.extend(self.staged.inside(prefix));
        present.into_iter().filter(|(_, there)| *there).map(|(key, _)| key).collect()
    }

    /// From here to [`Tx::end_item`] changes belong to one item of a batch.
    pub(crate) fn begin_item(&mut self) {
        self.items.push(Vec::new());
    }

    /// Keeps the item's changes, or leaves no trace of it.
    pub(crate) fn end_item(&mut self, keep: bool) {
        let mut item = self.items.pop().unwrap_or_default();
        if !keep {
            item.into_iter().rev().for_each(|(key, before)| self.staged.undo(key, before));
        } else if let Some(around) = self.items.last_mut() {
            around.append(&mut item);
        }
    }

    /// Seals what changed and commits it; gives the store's generation afterwards. `Ok(None)`: the store moved on, run again.
    pub(crate) fn commit(&self, context: &mut Context<'_>) -> Result<Option<Generation>, Error> {
        let mut jobs = Vec::new();
        for (key, staged) in self.staged.in_order() {
            // A row that says of itself that it changes need not become bytes to be compared.
            let plain = match staged {
                Some(put) if !put.changes => Some((put.value.encode)(&put.value.record)?),
                _ => None,
            };
            let is_as_before = self.is_as_before(key, staged, plain.as_deref())?;
            let nonce = (!is_as_before && staged.is_some()).then(|| context.random());
            jobs.push(Job { key, staged, plain, nonce, is_as_before });
        }
        let size = jobs.len();
        let sealed = threads::map(self.threads, size, jobs, |job| job.seal(self.sealer));
        let mut rows: Vec<(Key, Option<Vec<u8>>)> =
            self.raw.iter().map(|(key, row)| (key.clone(), row.clone())).collect();
        let mut sizes = Vec::with_capacity(size);
        for sealed in sealed {
            let Written { key, staged, size, row } = sealed?;
            sizes.push((key, staged, size));
            rows.extend(row.map(|row| (key.to_vec(), row)));
        }
        if rows.is_empty() {
            return Ok(Some(self.generation.get().unwrap_or_default()));
        }
        let expected = self.generation()?;
        let counter = expected.counter.checked_add(1).ok_or(Code::Internal)?;
        let next = Generation { counter, nonce: context.random() };
        self.locked.set(false);
        let outcome = match self.store.commit(expected, &Changes { next, rows: rows.into_iter().collect() }) {
            Ok(()) => Ok(Some(next)),
            Err(CommitError::Conflict) => Ok(None),
            Err(CommitError::Store(error)) => Err(error.into()),
            // The generation says what happened: ours, or still the old one. A third one says nothing of ours: it may lie beneath.
            Err(CommitError::OutcomeUnknown(cause)) => match self.store.load(&[], false) {
                Ok(snapshot) if snapshot.generation == next => Ok(Some(next)),
                Ok(snapshot) if snapshot.generation == expected => Err(cause.into()),
                Ok(_) => Err(Error { detail: cause.detail, ..Code::OutcomeUnknown.into() }),
                Err(again) => Err(Error { detail: cause.detail.or(again.detail), ..Code::OutcomeUnknown.into() }),
            },
        };
        self.remember(matches!(outcome, Ok(Some(_))).then_some(next), sizes);
        outcome
    }

    /// Whether a row would be written as it is.
    fn is_as_before(&self, key: &RowKey, staged: &Staged, plain: Option<&Vec<u8>>) -> Result<bool, Code> {
        if staged.as_ref().is_some_and(|put| put.changes) {
            return Ok(false);
        }
        let known = self.working.borrow_mut().get(key);
        Ok(match (plain, known, self.loaded.borrow().get(key)) {
            (None, Some(None), _) => true,
            (Some(plain), Some(Some(before)), _) => *(before.encode)(&before.record)? == *plain,
            (Some(plain), None, Some(before)) => self.sealer.open(key, before).is_ok_and(|before| *before == *plain),
            _ => false,
        })
    }

    /// What was committed takes the place of what was read; what was not goes.
    fn remember(&self, committed: Option<Generation>, sizes: Vec<(&RowKey, &Staged, usize)>) {
        let mut working = self.working.borrow_mut();
        self.raw.keys().filter_map(|key| RowKey::new(key)).for_each(|key| working.forget(&key));
        for (key, staged, size) in sizes {
            match (committed, staged) {
                (Some(_), None) => working.put(*key, None, 0),
                (Some(_), Some(put)) if put.stays => working.put(*key, Some(put.value.clone()), size),
                _ => working.forget(key),
            }
        }
        if let Some(generation) = committed {
            working.move_to(generation);
        }
    }
}

/// `None` for what failed on a damaged row.
pub(super) fn unless_damaged<T>(done: Result<T, Code>) -> Result<Option<T>, Code> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(code) if code.is_damage() => Ok(None),
        Err(code) => Err(code),
    }
}

/// A row on its way to the store. The call is read no more.
struct Job<'a> {
    key: &'a RowKey,
    staged: &'a Staged,
    /// The record as bytes, if it had to be compared.
    plain: Option<Zeroizing<Vec<u8>>>,
    nonce: Option<[u8; 12]>,
    is_as_before: bool,
}

/// What became of it: nothing to write, or the row as it will lie there.
struct Written<'a> {
    key: &'a RowKey,
    staged: &'a Staged,
    size: usize,
    row: Option<Option<Vec<u8>>>,
}

impl<'a> Job<'a> {
    fn seal(self, sealer: &Sealer) -> Result<Written<'a>, Code> {
        let Self { key, staged, plain, nonce, is_as_before } = self;
        let plain = match (plain, staged) {
            (None, Some(put)) => Some((put.value.encode)(&put.value.record)?),
            (plain, _) => plain,
        };
        let size = plain.as_ref().map_or(0, |plain| plain.len());
        let row = plain.zip(nonce).map(|(plain, nonce)| sealer.seal_with(nonce, key, &plain)).transpose()?;
        Ok(Written { key, staged, size, row: (!is_as_before).then_some(row) })
    }
}

/// A hold ends with its call, whatever became of it.
impl Drop for Tx<'_> {
    fn drop(&mut self) {
        if self.locked.get() {
            self.store.release();
        }
    }
}
