//! A new device on its way to be linked, behind a lock. Both faces stand on it.

use crate::engine::{Engine, enter, outside};
use parking_lot::Mutex;
use sesame_core::{
    device::{Device, Linking},
    error::{Code, Error},
    secret::Secret,
    store::Store,
};
use std::sync::Arc;

/// A new device that waits for its primary's answer.
pub struct Link {
    code: String,
    waiting: Mutex<Option<Waiting>>,
}

struct Waiting {
    /// `None` after an answer that was not taken: it is taken up from the store again.
    linking: Option<Linking>,
    store: Arc<dyn Store>,
    key: Secret<32>,
}

impl Link {
    /// Begins to link a new device.
    ///
    /// # Errors
    /// See [`Device::begin_link`].
    pub fn begin(store: Arc<dyn Store>, key: Secret<32>) -> Result<Self, Error> {
        let linking = outside(|context| Device::begin_link(store.clone(), &key, context))?;
        Ok(Self::new(linking, store, key))
    }

    /// Takes up a link that was begun before the app was closed.
    ///
    /// # Errors
    /// See [`Linking::resume`].
    pub fn resume(store: Arc<dyn Store>, key: Secret<32>) -> Result<Self, Error> {
        let linking = outside(|_| Linking::resume(store.clone(), &key))?;
        Ok(Self::new(linking, store, key))
    }

    fn new(linking: Linking, store: Arc<dyn Store>, key: Secret<32>) -> Self {
        let code = linking.code().to_owned();
        Self { code, waiting: Mutex::new(Some(Waiting { linking: Some(linking), store, key })) }
    }

    /// What to show to the primary.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Takes the primary's answer. A wrong one, or a store that fails, changes nothing: the right one may still come.
    ///
    /// # Errors
    /// [`Code::Closed`] once it is complete; see [`Engine::complete`] and [`Linking::resume`].
    pub fn complete(&self, answer: &[u8]) -> Result<Engine, Error> {
        enter()?;
        let mut slot = self.waiting.lock();
        let Waiting { linking, store, key } = slot.as_mut().ok_or(Code::Closed)?;
        let linking = match linking.take() {
            Some(linking) => linking,
            None => outside(|_| Linking::resume(store.clone(), key))?,
        };
        let copy = Secret::init_with(|to| *to = *key.expose());
        let engine = Engine::complete(linking, store.clone(), copy, answer)?;
        *slot = None;
        Ok(engine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{memory_store, user_id};
    use sesame_core::store::{Changes, CommitError, Generation, Query, Snapshot, StoreError};
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A store that can be made to fail.
    struct Failing {
        inner: Arc<dyn Store>,
        fails: AtomicBool,
    }

    impl Store for Failing {
        fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
            if self.fails.load(Ordering::Relaxed) { Err(StoreError::Io) } else { self.inner.load(queries, hold) }
        }

        fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
            self.inner.commit(expected, changes)
        }

        fn release(&self) {
            self.inner.release();
        }
    }

    fn key() -> Secret<32> {
        Secret::init_with(|key| key.fill(1))
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn neither_a_wrong_answer_nor_a_store_that_fails_loses_the_link() -> Result<(), Error> {
        let primary = Engine::create(memory_store(), key(), &user_id("alice")?)?;
        let store = Arc::new(Failing { inner: memory_store(), fails: AtomicBool::new(false) });
        let link = Link::begin(store.clone(), key())?;
        let answer = primary.call(|device, context| device.link(context, link.code()))?;
        store.fails.store(true, Ordering::Relaxed);
        assert!(link.complete(b"nonsense").is_err());
        assert_eq!(link.complete(&answer).map(drop), Err(Code::StoreIo.into()));
        assert_eq!(link.complete(&answer).map(drop), Err(Code::StoreIo.into()), "and it waits as long as that lasts");
        store.fails.store(false, Ordering::Relaxed);
        let linked = link.complete(&answer)?;
        assert_eq!(linked.call(|device, _| Ok(device.id().0)), Ok(2));
        assert_eq!(link.complete(&answer).map(drop), Err(Code::Closed.into()));
        Ok(())
    }
}
