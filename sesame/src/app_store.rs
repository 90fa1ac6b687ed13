//! A store of the app's, behind a fence: what it gives is checked, and while one of its methods runs no handle may be entered.
//!
//! It does not know whether the app wrote it in C, Kotlin, Swift or Python; each face brings an [`AppStore`] of its own.

use sesame_core::{
    error::{Blame, Code, Error},
    store::{Changes, CommitError, Generation, Query, Snapshot, Store, StoreError, StoreErrorKind, conformance},
};
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    static REFUSED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a method of an app's store, and may therefore not enter the library. If so, that is remembered for the
/// call that the method is a part of: see [`Watch`].
pub(crate) fn refuses() -> bool {
    let inside = INSIDE.get();
    if inside {
        REFUSED.set(true);
    }
    inside
}

/// From its beginning to its end: whether a method of an app's store tried to enter the library from this thread.
pub(crate) struct Watch(bool);

impl Watch {
    pub(crate) fn begin() -> Self {
        Self(REFUSED.replace(false))
    }

    /// A store that calls the library fails because of that: the failure of the call is then [`Code::Reentrant`], unless nobody knows
    /// whether a commit landed.
    pub(crate) fn explain(&self, error: Error) -> Error {
        let hidden = error.code.blame() == Blame::Store && error.code != Code::OutcomeUnknown;
        if hidden && REFUSED.get() { Error { code: Code::Reentrant, ..error } } else { error }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        REFUSED.set(self.0);
    }
}

/// Marks the thread while it lives.
struct Inside(bool);

impl Inside {
    fn begin() -> Self {
        Self(INSIDE.replace(true))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(self.0);
    }
}

/// Runs something of the app's: until it returns, no handle may be entered from this thread.
pub fn inside<T>(call: impl FnOnce() -> T) -> T {
    let _inside = Inside::begin();
    call()
}

/// Rows as an app's store gives them, not checked.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What the store is at.
    pub generation: Generation,
    /// Keys with their rows.
    pub rows: Vec<(Vec<u8>, Vec<u8>)>,
}

/// The contract of [`Store`], as a face carries it to the app.
pub trait AppStore: Send + Sync {
    /// See [`Store::load`].
    ///
    /// # Errors
    /// What the app said.
    fn load(&self, queries: &[Query], hold: bool) -> Result<Loaded, StoreError>;

    /// See [`Store::commit`].
    ///
    /// # Errors
    /// What the app said.
    fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError>;

    /// See [`Store::release`].
    fn release(&self);
}

/// An app's store, as the core may use it.
pub struct Fenced<S>(S);

/// Puts an app's store behind the fence.
pub fn fenced(store: impl AppStore + 'static) -> Arc<dyn Store> {
    Arc::new(Fenced(store))
}

/// What was asked for.
struct Wanted<'a> {
    exact: BTreeSet<&'a [u8]>,
    prefixes: Vec<&'a [u8]>,
}

impl<'a> Wanted<'a> {
    fn new(queries: &'a [Query]) -> Self {
        let (mut exact, mut prefixes) = (BTreeSet::new(), Vec::new());
        for query in queries {
            match query {
                Query::Exact(key) => {
                    exact.insert(key.as_slice());
                }
                Query::Prefix(prefix) => prefixes.push(prefix.as_slice()),
            }
        }
        Self { exact, prefixes }
    }

    fn has(&self, key: &[u8]) -> bool {
        self.exact.contains(key) || self.prefixes.iter().any(|prefix| key.starts_with(prefix))
    }

    /// The rows by their keys, or nothing if one was not asked for or comes in two versions.
    fn sort(&self, given: Vec<(Vec<u8>, Vec<u8>)>) -> Option<BTreeMap<Vec<u8>, Vec<u8>>> {
        let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for (key, row) in given {
            if !self.has(&key) || rows.get(&key).is_some_and(|before| *before != row) {
                return None;
            }
            rows.insert(key, row);
        }
        Some(rows)
    }
}

impl<S: AppStore> Store for Fenced<S> {
    fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
        let loaded = inside(|| self.0.load(queries, hold))?;
        match Wanted::new(queries).sort(loaded.rows) {
            Some(rows) => Ok(Snapshot { generation: loaded.generation, rows }),
            None => {
                if hold {
                    self.release();
                }
                Err(StoreErrorKind::Misbehaves.into())
            }
        }
    }

    fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
        inside(|| self.0.commit(expected, changes))
    }

    fn release(&self) {
        inside(|| self.0.release());
    }
}

/// A generation as an app's store keeps it: 16 bytes, zeros for a fresh store.
#[must_use]
pub fn generation_bytes(generation: Generation) -> [u8; 16] {
    let mut bytes = [0; 16];
    let (counter, nonce) = bytes.split_at_mut(8);
    counter.copy_from_slice(&generation.counter.to_be_bytes());
    nonce.copy_from_slice(&generation.nonce);
    bytes
}

/// A generation from an app's store.
#[must_use]
pub fn generation(bytes: [u8; 16]) -> Generation {
    let [counter @ .., _, _, _, _, _, _, _, _] = bytes;
    let [_, _, _, _, _, _, _, _, nonce @ ..] = bytes;
    Generation { counter: u64::from_be_bytes(counter), nonce }
}

/// Runs the suite of the contract against an app's stores; `open` gives a fresh, empty one each time.
///
/// # Errors
/// The first claim that does not hold, in words.
pub fn check(open: impl Fn() -> Result<Arc<dyn Store>, String>) -> Result<(), String> {
    conformance::check(open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, Host, MemoryStore, Server, UserId, enter};
    use sesame_core::{
        error::{Code, Detail},
        secret::Secret,
    };
    use std::sync::atomic::{AtomicU8, Ordering};

    /// A whole store, or one with a fault.
    struct Odd {
        inner: Arc<dyn Store>,
        fault: Arc<AtomicU8>,
        seen: Arc<AtomicU8>,
    }

    const STRANGER: u8 = 1;
    const TWICE: u8 = 2;
    const REENTERS: u8 = 3;
    const REENTERS_AND_FAILS: u8 = 4;

    impl AppStore for Odd {
        fn load(&self, queries: &[Query], hold: bool) -> Result<Loaded, StoreError> {
            let Snapshot { generation, rows } = self.inner.load(queries, hold)?;
            let mut rows: Vec<_> = rows.into_iter().collect();
            match self.fault.load(Ordering::Relaxed) {
                STRANGER => rows.push((vec![99; 9], vec![1])),
                TWICE => {
                    let other = rows.first().map(|(key, _)| (key.clone(), vec![0]));
                    rows.extend(other);
                }
                REENTERS => {
                    let code = enter().err().map_or(0, |error| error.code.number());
                    self.seen.store(u8::try_from(code).unwrap_or(u8::MAX), Ordering::Relaxed);
                }
                REENTERS_AND_FAILS => {
                    let said = enter().map_err(|error| error.to_string());
                    return Err(StoreError::new(StoreErrorKind::Io, &said.err().unwrap_or_default()));
                }
                _ => {}
            }
            Ok(Loaded { generation, rows })
        }

        fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
            self.inner.commit(expected, changes)
        }

        fn release(&self) {
            self.inner.release();
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn what_nobody_asked_for_is_refused_and_a_callback_may_not_come_in() -> Result<(), sesame_core::error::Error> {
        let (fault, seen) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicU8::new(0)));
        let store = fenced(Odd { inner: Arc::new(MemoryStore::new()), fault: fault.clone(), seen: seen.clone() });
        let host = Host::new(store, Secret::init_with(|key| key.fill(1)));
        let client = Client::create(host, &UserId::try_from("alice")?, &Server::named("chat.test")?)?;
        for odd in [STRANGER, TWICE] {
            fault.store(odd, Ordering::Relaxed);
            let result = client.next_request();
            assert_eq!(result.map(drop), Err(Code::StoreMisbehaves.into()));
        }
        fault.store(REENTERS, Ordering::Relaxed);
        assert!(client.next_request().is_ok());
        assert_eq!(u16::from(seen.load(Ordering::Relaxed)), Code::Reentrant.number());
        assert_eq!(enter(), Ok(()));
        fault.store(REENTERS_AND_FAILS, Ordering::Relaxed);
        let failed = client.next_request().map(drop);
        assert_eq!(failed, Err(Error { detail: Detail::new(Code::Reentrant.text()), ..Code::Reentrant.into() }));
        Ok(())
    }

    #[test]
    fn the_suite_passes_a_whole_store_behind_the_fence() {
        let open = || {
            let odd = Odd { inner: Arc::new(MemoryStore::new()), fault: Arc::default(), seen: Arc::default() };
            Ok(fenced(odd))
        };
        assert_eq!(check(open), Ok(()));
    }
}
