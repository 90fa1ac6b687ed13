//! A new device on its way to be linked, behind a lock.

use crate::client::{Client, Host, PATIENCE, enter, outside};
use parking_lot::Mutex;
use sesame_core::{
    context::Context,
    device::{Device, Linking as Pending},
    error::{Code, Error},
    event::Server,
    secret::Secret,
};

/// A new device that waits for its primary's answer. It lives in the store: [`Linking::resume`] takes it up after the app was closed.
pub struct Linking {
    code: String,
    waiting: Mutex<Option<Waiting>>,
}

impl core::fmt::Debug for Linking {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Linking")
    }
}

struct Waiting {
    /// `None` after an answer that was not taken: it is taken up from the store again.
    linking: Option<Pending>,
    host: Host,
}

impl Linking {
    /// Begins to link a new device.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when the store holds a device already; [`Code::WrongKey`]; as [`enter`]; the store's.
    pub fn begin(host: Host, server: &Server) -> Result<Self, Error> {
        let begin = |context: &mut Context<'_>| Device::begin_link(host.store.clone(), &host.key, context, server);
        let linking = outside(&host.clock, begin)?;
        Ok(Self::new(linking, host))
    }

    /// Takes up a link that was begun before the app was closed.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when none was begun; [`Code::WrongKey`]; [`Code::RecordCorrupt`]; as [`enter`]; the store's.
    pub fn resume(host: Host) -> Result<Self, Error> {
        let linking = outside(&host.clock, |_| Pending::resume(host.store.clone(), &host.key))?;
        Ok(Self::new(linking, host))
    }

    fn new(linking: Pending, host: Host) -> Self {
        let code = linking.code().to_owned();
        Self { code, waiting: Mutex::new(Some(Waiting { linking: Some(linking), host })) }
    }

    /// What to show to the primary.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Takes the primary's answer. A wrong one, or a store that fails, changes nothing: the right one may still come.
    ///
    /// # Errors
    /// [`Code::Closed`] once it is complete; [`Code::AuthenticationFailed`] for an answer to another code; [`Code::InvalidArgument`] when the
    /// code has expired; [`Code::NotListed`] when the list in it does not name this device; as [`enter`]; the store's.
    pub fn complete(&self, answer: &[u8]) -> Result<Client, Error> {
        enter()?;
        let mut slot = self.waiting.try_lock_for(PATIENCE).ok_or(Code::Busy)?;
        let Waiting { linking, host } = slot.as_mut().ok_or(Code::Closed)?;
        let linking = match linking.take() {
            Some(linking) => linking,
            None => outside(&host.clock, |_| Pending::resume(host.store.clone(), &host.key))?,
        };
        let key = Secret::init_with(|to| *to = *host.key.expose());
        let copy = Host::new(host.store.clone(), key).with_clock(host.clock.clone());
        let client = Client::complete(linking, copy, answer)?;
        *slot = None;
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sesame_core::ids::UserId;
    use sesame_core::store::Store;
    use sesame_core::store::{
        Changes, CommitError, Generation, MemoryStore, Query, Snapshot, StoreError, StoreErrorKind,
    };
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A store that can be made to fail.
    struct Failing {
        inner: Arc<dyn Store>,
        fails: AtomicBool,
    }

    impl Store for Failing {
        fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
            if self.fails.load(Ordering::Relaxed) {
                Err(StoreErrorKind::Io.into())
            } else {
                self.inner.load(queries, hold)
            }
        }

        fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
            self.inner.commit(expected, changes)
        }

        fn release(&self) {
            self.inner.release();
        }
    }

    fn memory() -> Arc<dyn Store> {
        Arc::new(MemoryStore::new())
    }

    fn key() -> Secret<32> {
        Secret::init_with(|key| key.fill(1))
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn neither_a_wrong_answer_nor_a_store_that_fails_loses_the_link() -> Result<(), Error> {
        let server = Server::named("chat.test")?;
        let primary = Client::create(Host::new(memory(), key()), &UserId::try_from("alice")?, &server)?;
        let store = Arc::new(Failing { inner: memory(), fails: AtomicBool::new(false) });
        let link = Linking::begin(Host::new(store.clone(), key()), &server)?;
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
