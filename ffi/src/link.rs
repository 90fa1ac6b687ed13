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
