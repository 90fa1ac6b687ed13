//! An overlay over the store: what a call read at one generation, and what it will write.

use super::working::{Value, WorkingSet};
use crate::{
    context::Context,
    error::{Code, Error},
    record::Record,
    store::{Changes, CommitError, Generation, Key, Places, Query, Sealer, Store, StoreError},
};
use core::cell::{Cell, RefCell};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use zeroize::Zeroizing;

/// A row as the call will leave it; `None` deletes it.
type Staged = Option<Put>;

/// A record to be written.
struct Put {
    plain: Zeroizing<Vec<u8>>,
    value: Value,
    stays: bool,
}

/// An overlay over the store. Nothing is written before [`Tx::commit`], and then all of it or nothing.
pub(crate) struct Tx<'a> {
    store: &'a dyn Store,
    sealer: &'a Sealer,
    hold: bool,
    locked: Cell<bool>,
    generation: Cell<Option<Generation>>,
    /// What is known from earlier calls and from this one.
    working: RefCell<WorkingSet>,
    /// Rows of the store as they lie there, sealed.
    loaded: RefCell<BTreeMap<Key, Vec<u8>>>,
    staged: BTreeMap<Key, Staged>,
    item: Option<BTreeMap<Key, Staged>>,
    raw: BTreeMap<Key, Vec<u8>>,
    /// How the store failed in this call: its code goes up through the rules, and [`Tx::explain`] puts the detail to it.
    failure: RefCell<Option<StoreError>>,
}

impl<'a> Tx<'a> {
    /// A call that knows nothing of earlier ones.
    pub(crate) fn new(store: &'a dyn Store, sealer: &'a Sealer, hold: bool) -> Self {
        Self::with(store, sealer, hold, WorkingSet::bounded(0))
    }

    /// A call that goes on with what earlier ones have read.
    pub(crate) fn with(store: &'a dyn Store, sealer: &'a Sealer, hold: bool, working: WorkingSet) -> Self {
        Self {
            store,
            sealer,
            hold,
            locked: Cell::new(false),
            generation: Cell::new(None),
            working: RefCell::new(working),
            loaded: RefCell::default(),
            staged: BTreeMap::new(),
            item: None,
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

    pub(crate) fn places(&self) -> &'a Places {
        &self.sealer.places
    }

    /// What the call knows of rows at its end, for the next one.
    pub(crate) fn into_working(self) -> WorkingSet {
        let mut working = self.working.take();
        working.shrink();
        working
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
        let mut loaded = self.loaded.borrow_mut();
        for query in queries {
            if let Query::Exact(key) = query
                && !snapshot.rows.contains_key(key)
            {
                self.working.borrow_mut().put(key.clone(), None, 0);
            }
        }
        loaded.extend(snapshot.rows);
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
    pub(crate) fn weigh(&self, prefix: &[u8]) -> Result<(usize, usize), Code> {
        let keys = self.keys(prefix)?;
        let loaded = self.loaded.borrow();
        let bytes = keys.iter().filter_map(|key| loaded.get(key)).map(Vec::len).sum();
        Ok((keys.len(), bytes))
    }

    fn staged(&self, key: &Key) -> Option<&Staged> {
        self.item.as_ref().and_then(|item| item.get(key)).or_else(|| self.staged.get(key))
    }

    /// The row as it came from the store, not opened.
    pub(crate) fn raw(&self, key: &Key) -> Result<Option<Vec<u8>>, Code> {
        self.generation()?;
        let is_absent = |known: Option<Option<Value>>| matches!(known, Some(None));
        if !self.loaded.borrow().contains_key(key) && !is_absent(self.working.borrow_mut().get(key)) {
            self.load(&[Query::Exact(key.clone())])?;
        }
        Ok(self.loaded.borrow().get(key).cloned())
    }

    pub(crate) fn get<R: Record>(&self, key: &Key) -> Result<Option<R>, Code> {
        Ok(self.shared(key)?.map(|record| R::clone(&record)))
    }

    /// The record, without a copy.
    pub(crate) fn shared<R: Record>(&self, key: &Key) -> Result<Option<Arc<R>>, Code> {
        if let Some(staged) = self.staged(key) {
            return staged.as_ref().map(|put| put.value.get().ok_or(Code::Internal)).transpose();
        }
        self.generation()?;
        let known = self.working.borrow_mut().get(key);
        match known {
            Some(None) => return Ok(None),
            Some(Some(value)) if let Some(record) = value.get() => return Ok(Some(record)),
            _ => {}
        }
        let Some(row) = self.raw(key)? else { return Ok(None) };
        let record = Arc::new(R::decode(&self.sealer.open(key, &row)?)?);
        if R::STAYS {
            self.working.borrow_mut().put(key.clone(), Some(Value::of(record.clone())), row.len());
        }
        Ok(Some(record))
    }

    /// The record if it is there and sound; a damaged one counts as absent.
    pub(crate) fn get_sound<R: Record>(&self, key: &Key) -> Result<Option<R>, Code> {
        match self.get(key) {
            Err(Code::RecordCorrupt) => Ok(None),
            result => result,
        }
    }

    /// Reads those of these rows that were not read yet, in one go.
    pub(crate) fn prefetch_missing(&self, keys: &[Key]) -> Result<(), Code> {
        if keys.is_empty() {
            return Ok(());
        }
        self.generation()?;
        let missing = |key: &&Key| {
            !self.working.borrow().knows(key) && self.staged(key).is_none() && !self.loaded.borrow().contains_key(*key)
        };
        let queries: BTreeSet<Query> = keys.iter().filter(missing).cloned().map(Query::Exact).collect();
        self.prefetch(&queries.into_iter().collect::<Vec<_>>())
    }

    pub(crate) fn exists(&self, key: &Key) -> Result<bool, Code> {
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

    pub(crate) fn put<R: Record>(&mut self, key: Key, record: &R) -> Result<(), Code> {
        self.put_shared(key, Arc::new(record.clone()))
    }

    /// The same without a copy.
    pub(crate) fn put_shared<R: Record>(&mut self, key: Key, record: Arc<R>) -> Result<(), Code> {
        let plain = record.encode()?;
        self.layer().insert(key, Some(Put { plain, value: Value::of(record), stays: R::STAYS }));
        Ok(())
    }

    pub(crate) fn delete(&mut self, key: Key) {
        self.layer().insert(key, None);
    }

    fn layer(&mut self) -> &mut BTreeMap<Key, Staged> {
        self.item.as_mut().unwrap_or(&mut self.staged)
    }

    /// A row that is not sealed.
    pub(crate) fn put_raw(&mut self, key: Key, row: Vec<u8>) {
        self.raw.insert(key, row);
    }

    /// The keys of all rows that begin so, staged changes included.
    pub(crate) fn keys(&self, prefix: &[u8]) -> Result<Vec<Key>, Code> {
        self.prefetch(&[Query::Prefix(prefix.to_vec())])?;
        Ok(self.keys_read(prefix))
    }

    /// The same for a prefix that was read before in this call.
    pub(crate) fn keys_read(&self, prefix: &[u8]) -> Vec<Key> {
        let mut present: BTreeMap<Key, bool> = BTreeMap::new();
        let loaded = self.loaded.borrow();
        let inside = loaded.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        present.extend(inside.map(|(key, _)| (key.clone(), true)));
        for layer in [Some(&self.staged), self.item.as_ref()].into_iter().flatten() {
            let inside = layer.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
            present.extend(inside.map(|(key, plain)| (key.clone(), plain.is_some())));
        }
        present.into_iter().filter(|(_, there)| *there).map(|(key, _)| key).collect()
    }

    /// From here to [`Tx::end_item`] changes belong to one item of a batch.
    pub(crate) fn begin_item(&mut self) {
        self.item = Some(BTreeMap::new());
    }

    /// Keeps the item's changes, or leaves no trace of it.
    pub(crate) fn end_item(&mut self, keep: bool) {
        let item = self.item.take().unwrap_or_default();
        if keep {
            self.staged.extend(item);
        }
    }

    /// Seals what changed and commits it; gives the store's generation afterwards. `Ok(None)`: the store moved on, run again.
    pub(crate) fn commit(&self, context: &mut Context<'_>) -> Result<Option<Generation>, Error> {
        let mut rows: BTreeMap<Key, Option<Vec<u8>>> =
            self.raw.iter().map(|(k, v)| (k.clone(), Some(v.clone()))).collect();
        for (key, staged) in &self.staged {
            if self.is_as_before(key, staged)? {
                continue;
            }
            let row = staged.as_ref().map(|put| self.sealer.seal(context, key, &put.plain)).transpose()?;
            rows.insert(key.clone(), row);
        }
        if rows.is_empty() {
            return Ok(Some(self.generation.get().unwrap_or_default()));
        }
        let expected = self.generation()?;
        let counter = expected.counter.checked_add(1).ok_or(Code::Internal)?;
        let next = Generation { counter, nonce: context.random() };
        self.locked.set(false);
        let outcome = match self.store.commit(expected, &Changes { next, rows }) {
            Ok(()) => Ok(Some(next)),
            Err(CommitError::Conflict) => Ok(None),
            Err(CommitError::Store(error)) => Err(error.into()),
            // The generation says what happened: ours, or still the old one.
            Err(CommitError::OutcomeUnknown(cause)) => match self.store.load(&[], false) {
                Ok(snapshot) if snapshot.generation == next => Ok(Some(next)),
                Ok(snapshot) if snapshot.generation == expected => Err(cause.into()),
                Ok(_) => Ok(None),
                Err(again) => Err(Error { detail: cause.detail.or(again.detail), ..Code::OutcomeUnknown.into() }),
            },
        };
        self.remember(matches!(outcome, Ok(Some(_))).then_some(next));
        outcome
    }

    /// Whether a row would be written as it is.
    fn is_as_before(&self, key: &Key, staged: &Staged) -> Result<bool, Code> {
        let known = self.working.borrow_mut().get(key);
        let loaded = self.loaded.borrow();
        Ok(match (staged, known, loaded.get(key)) {
            (None, Some(None), _) => true,
            (Some(put), Some(Some(before)), _) => *(before.encode)(&before.record)? == *put.plain,
            (Some(put), None, Some(before)) => self.sealer.open(key, before).is_ok_and(|before| *before == *put.plain),
            _ => false,
        })
    }

    /// What was committed takes the place of what was read; what was not goes.
    fn remember(&self, committed: Option<Generation>) {
        let mut working = self.working.borrow_mut();
        self.raw.keys().for_each(|key| working.forget(key));
        for (key, staged) in &self.staged {
            match (committed, staged) {
                (Some(_), None) => working.put(key.clone(), None, 0),
                (Some(_), Some(put)) if put.stays => {
                    working.put(key.clone(), Some(put.value.clone()), put.plain.len());
                }
                _ => working.forget(key),
            }
        }
        if let Some(generation) = committed {
            working.move_to(generation);
        }
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
