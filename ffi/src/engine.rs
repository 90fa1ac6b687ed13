//! A device behind a lock. Both faces stand on it.
//!
//! Whoever comes in passes [`enter`]: not from inside a store's callback, and not in a forked child, whose locks and randomness are the
//! parent's.

use crate::{app_store, outside};
use parking_lot::Mutex;
use sesame_core::{
    context::Context,
    device::{Device, Linking},
    error::{Code, Error},
    ids::UserId,
    secret::Secret,
    store::{MemoryStore, Store},
};
use sesame_sqlite::SqliteStore;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process,
    sync::{Arc, OnceLock},
    time::Duration,
};
use zeroize::Zeroize;

/// How long a call waits for another thread's call on the same device.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 60 });

/// What a handle that is not closed holds.
struct Open {
    /// `None` while a call has it in hand, and after one panicked: what it had is gone, the store is whole.
    device: Option<Box<Device>>,
    key: Secret<32>,
}

/// A device that any thread may call.
pub struct Engine {
    /// `None` once it is closed: no key is left in memory then.
    slot: Mutex<Option<Open>>,
    store: Arc<dyn Store>,
}

/// Whether a call may come in here and now.
///
/// # Errors
/// [`Code::Reentrant`] from inside a store's callback; [`Code::Forked`] in the child of a process that had already called.
pub fn enter() -> Result<(), Error> {
    static PROCESS: OnceLock<u32> = OnceLock::new();
    if *PROCESS.get_or_init(process::id) != process::id() {
        return Err(Code::Forked.into());
    }
    if app_store::is_inside() { Err(Code::Reentrant.into()) } else { Ok(()) }
}

/// Runs a step with the clock and fresh randomness.
///
/// # Errors
/// As [`enter`]; [`Code::Randomness`] when the system gives none; [`Code::Internal`] when the step panicked; the step's.
pub fn outside<T>(step: impl FnOnce(&mut Context<'_>) -> Result<T, Error>) -> Result<T, Error> {
    enter()?;
    outside::with(|context| catch_unwind(AssertUnwindSafe(|| step(context))).unwrap_or(Err(Code::Internal.into())))
}

/// The SQLite store in a file.
///
/// # Errors
/// The store's, as codes.
pub fn sqlite_store(path: &str) -> Result<Arc<dyn Store>, Error> {
    enter()?;
    Ok(Arc::new(SqliteStore::open(Path::new(path)).map_err(Code::from)?))
}

/// An empty store in memory.
#[must_use]
pub fn memory_store() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

/// The app's store key, exactly 32 bytes; the bytes that were given are wiped.
///
/// # Errors
/// [`Code::InvalidArgument`].
pub fn store_key(mut bytes: Vec<u8>) -> Result<Secret<32>, Error> {
    let key = <&[u8; 32]>::try_from(bytes.as_slice()).ok().map(|bytes| Secret::init_with(|to| *to = *bytes));
    bytes.zeroize();
    key.ok_or(Error::of(Code::InvalidArgument, "store_key"))
}

/// A user id from the host, 1 to 64 bytes of UTF-8.
///
/// # Errors
/// [`Code::InvalidArgument`].
pub fn user_id(user: &str) -> Result<UserId, Error> {
    UserId::try_new(user.as_bytes().to_vec()).ok_or(Error::of(Code::InvalidArgument, "user"))
}

/// A user id for the host; one that is no UTF-8 came from a host of another kind.
#[must_use]
pub fn user_name(user: &UserId) -> String {
    String::from_utf8_lossy(user.as_bytes()).into_owned()
}

impl Engine {
    /// A user's first device.
    ///
    /// # Errors
    /// See [`Device::create`].
    pub fn create(store: Arc<dyn Store>, key: Secret<32>, user: &UserId) -> Result<Self, Error> {
        let device = outside(|context| Device::create(store.clone(), &key, context, user))?;
        Ok(Self::new(device, store, key))
    }

    /// The device in a store.
    ///
    /// # Errors
    /// See [`Device::open`].
    pub fn open(store: Arc<dyn Store>, key: Secret<32>) -> Result<Self, Error> {
        let device = outside(|_| Device::open(store.clone(), &key))?;
        Ok(Self::new(device, store, key))
    }

    /// A device that was linked.
    ///
    /// # Errors
    /// See [`Linking::complete`].
    pub fn complete(linking: Linking, store: Arc<dyn Store>, key: Secret<32>, answer: &[u8]) -> Result<Self, Error> {
        let device = outside(|context| linking.complete(context, answer))?;
        Ok(Self::new(device, store, key))
    }

    fn new(device: Device, store: Arc<dyn Store>, key: Secret<32>) -> Self {
        Self { slot: Mutex::new(Some(Open { device: Some(Box::new(device)), key })), store }
    }

    /// Calls the device.
    ///
    /// # Errors
    /// As [`enter`]; [`Code::Busy`], [`Code::Closed`], [`Code::Poisoned`]; the call's.
    pub fn call<T>(&self, call: impl FnOnce(&Device, &mut Context<'_>) -> Result<T, Error>) -> Result<T, Error> {
        enter()?;
        let mut slot = self.slot.try_lock_for(PATIENCE).ok_or(Code::Busy)?;
        let open = slot.as_mut().ok_or(Code::Closed)?;
        let device = open.device.take().ok_or(Code::Poisoned)?;
        let result = outside(|context| call(&device, context));
        if !matches!(&result, Err(error) if error.code == Code::Internal) {
            open.device = Some(device);
        }
        result
    }

    /// Takes the device up from its store again after a fault.
    ///
    /// # Errors
    /// As [`enter`]; [`Code::Busy`], [`Code::Closed`]; see [`Device::open`].
    pub fn reload(&self) -> Result<(), Error> {
        enter()?;
        let mut slot = self.slot.try_lock_for(PATIENCE).ok_or(Code::Busy)?;
        let open = slot.as_mut().ok_or(Code::Closed)?;
        open.device = Some(Box::new(outside(|_| Device::open(self.store.clone(), &open.key))?));
        Ok(())
    }

    /// Wipes the keys from memory; every later call gives [`Code::Closed`].
    ///
    /// # Errors
    /// As [`enter`].
    pub fn close(&self) -> Result<(), Error> {
        enter()?;
        *self.slot.lock() = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> Engine {
        let key = Secret::init_with(|key| key.fill(1));
        Engine::create(Arc::new(MemoryStore::new()), key, &user_id("alice").unwrap_or_else(|_| unreachable!()))
            .unwrap_or_else(|_| unreachable!())
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn a_panic_poisons_the_handle_and_reload_takes_it_up_again() {
        let engine = engine();
        let result: Result<(), Error> = engine.call(|_, _| panic!("a fault"));
        assert_eq!(result, Err(Code::Internal.into()));
        assert_eq!(engine.call(|_, _| Ok(())), Err(Code::Poisoned.into()));
        assert_eq!(engine.reload(), Ok(()));
        assert_eq!(engine.call(|device, _| Ok(device.id().0)), Ok(1));
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn a_call_does_not_wait_for_ever_for_another() {
        let engine = engine();
        let held = engine.slot.lock();
        let waits = || (engine.call(|_, _| Ok(())), engine.reload());
        let waited = std::thread::scope(|scope| scope.spawn(waits).join()).unwrap_or_else(|_| unreachable!());
        assert_eq!(waited, (Err(Code::Busy.into()), Err(Code::Busy.into())));
        drop(held);
        assert_eq!(engine.call(|_, _| Ok(())), Ok(()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn a_closed_handle_stays_closed() {
        let engine = engine();
        assert_eq!(engine.close(), Ok(()));
        assert!(engine.slot.lock().is_none(), "neither the device's keys nor the store's are left");
        assert_eq!(engine.call(|_, _| Ok(())), Err(Code::Closed.into()));
        assert_eq!(engine.reload(), Err(Code::Closed.into()));
    }

    #[test]
    fn a_store_key_has_32_bytes() {
        for length in [0, 31, 33] {
            assert_eq!(store_key(vec![1; length]).map(drop), Err(Error::of(Code::InvalidArgument, "store_key")));
        }
    }
}
