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
    linking: Linking,
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
        Self { code, waiting: Mutex::new(Some(Waiting { linking, store, key })) }
    }

    /// What to show to the primary.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Takes the primary's answer. A wrong one changes nothing: the right one may still come.
    ///
    /// # Errors
    /// [`Code::Closed`] once it is complete; see [`Engine::complete`].
    pub fn complete(&self, answer: &[u8]) -> Result<Engine, Error> {
        enter()?;
        let mut waiting = self.waiting.lock();
        let Waiting { linking, store, key } = waiting.take().ok_or(Code::Closed)?;
        let again = (store.clone(), Secret::init_with(|to| *to = *key.expose()));
        let result = Engine::complete(linking, store, key, answer);
        if result.is_err() {
            let (store, key) = again;
            if let Ok(linking) = outside(|_| Linking::resume(store.clone(), &key)) {
                *waiting = Some(Waiting { linking, store, key });
            }
        }
        result
    }
}
