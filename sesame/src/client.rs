//! A device behind a lock, with the system's clock and fresh randomness.
//!
//! Every call passes [`enter`]: it may not come from inside another call or a store's callback, nor from a forked child, whose locks and
//! randomness are the parent's.

use crate::{app_store, outside as world};
use parking_lot::Mutex;
use sesame_core::{
    context::Context,
    device::{Device, Linking as Pending},
    error::{Code, Error},
    ids::{DeviceId, UserId},
    secret::Secret,
    store::Store,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// How long a call waits for another thread's call on the same device.
pub(crate) const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 60 });

/// What a handle that is not closed holds.
struct Open {
    /// `None` while a call has it in hand, and after one panicked: what it had is gone, the store is whole.
    device: Option<Box<Device>>,
    key: Secret<32>,
}

/// One device of one user, over a store. Any thread may call it: calls on one client wait for each other, for a minute at most.
///
/// A call is one commit: after an error nothing has changed, in memory and in the store. If a call panics, the client is poisoned, and
/// [`Client::reload`] takes the device up from its store again.
pub struct Client {
    user: UserId,
    id: DeviceId,
    /// `None` once it is closed: no key is left in memory then.
    slot: Mutex<Option<Open>>,
    store: Arc<dyn Store>,
}

impl core::fmt::Debug for Client {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Client({:?})", self.id)
    }
}

/// Refuses a call from inside another one or a store's callback, or in a forked child.
///
/// # Errors
/// [`Code::Reentrant`] from inside a store's callback; [`Code::Forked`] in the child of a process that had already called.
pub fn enter() -> Result<(), Error> {
    static PROCESS: OnceLock<u32> = OnceLock::new();
    if *PROCESS.get_or_init(process::id) != process::id() {
        return Err(Code::Forked.into());
    }
    if app_store::refuses() { Err(Code::Reentrant.into()) } else { Ok(()) }
}

/// Runs a step with the clock and fresh randomness.
///
/// # Errors
/// As [`enter`]; [`Code::Randomness`] when the system gives none; [`Code::Internal`] when the step panicked; the step's.
pub fn outside<T>(step: impl FnOnce(&mut Context<'_>) -> Result<T, Error>) -> Result<T, Error> {
    enter()?;
    // Until the step returns, no handle may be entered from this thread: not by the step, nor by the store that it calls.
    let fenced = |context: &mut Context<'_>| app_store::inside(|| step(context));
    let watch = app_store::Watch::begin();
    world::with(|context| catch_unwind(AssertUnwindSafe(|| fenced(context))).unwrap_or(Err(Code::Internal.into())))
        .map_err(|error| watch.explain(error))
}

impl Client {
    /// A user's first device, its primary: makes the account key and signs the first device list. `key` seals the store; the app keeps it
    /// in its keychain.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when the store holds a device already; [`Code::WrongKey`]; as [`enter`]; the store's.
    pub fn create(store: Arc<dyn Store>, key: Secret<32>, user: &UserId) -> Result<Self, Error> {
        let device = outside(|context| Device::create(store.clone(), &key, context, user))?;
        Ok(Self::new(device, store, key))
    }

    /// The device in a store.
    ///
    /// # Errors
    /// [`Code::WrongKey`]; [`Code::ForeignStore`] (no device here); [`Code::RecordCorrupt`]; [`Code::NewerFormat`]; as [`enter`]; the store's.
    pub fn open(store: Arc<dyn Store>, key: Secret<32>) -> Result<Self, Error> {
        let device = outside(|_| Device::open(store.clone(), &key))?;
        Ok(Self::new(device, store, key))
    }

    /// A device that was linked.
    pub(crate) fn complete(
        linking: Pending,
        store: Arc<dyn Store>,
        key: Secret<32>,
        answer: &[u8],
    ) -> Result<Self, Error> {
        let device = outside(|context| linking.complete(context, answer))?;
        Ok(Self::new(device, store, key))
    }

    fn new(device: Device, store: Arc<dyn Store>, key: Secret<32>) -> Self {
        let (user, id) = (device.user().clone(), device.id());
        Self { user, id, slot: Mutex::new(Some(Open { device: Some(Box::new(device)), key })), store }
    }

    /// The user that this device belongs to.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// This device's id.
    #[must_use]
    pub fn id(&self) -> DeviceId {
        self.id
    }

    /// Runs one call of the core's device, which takes the time and randomness as an argument. Every other method is such a call.
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
    /// As [`enter`]; [`Code::Busy`], [`Code::Closed`]; see [`Client::open`].
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
    /// As [`enter`]; [`Code::Busy`].
    pub fn close(&self) -> Result<(), Error> {
        enter()?;
        *self.slot.try_lock_for(PATIENCE).ok_or(Code::Busy)? = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sesame_core::store::{Changes, CommitError, Generation, MemoryStore, Query, Snapshot, StoreError};

    fn client() -> Client {
        let key = Secret::init_with(|key| key.fill(1));
        let user = UserId::try_from("alice").unwrap_or_else(|_| unreachable!());
        Client::create(Arc::new(MemoryStore::new()), key, &user).unwrap_or_else(|_| unreachable!())
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn a_panic_poisons_the_handle_and_reload_takes_it_up_again() {
        let client = client();
        let result: Result<(), Error> = client.call(|_, _| panic!("a fault"));
        assert_eq!(result, Err(Code::Internal.into()));
        assert_eq!(client.call(|_, _| Ok(())), Err(Code::Poisoned.into()));
        assert_eq!(client.reload(), Ok(()));
        assert_eq!(client.call(|device, _| Ok(device.id().0)), Ok(1));
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn a_call_does_not_wait_for_ever_for_another() {
        let client = client();
        let held = client.slot.lock();
        let waits = || (client.call(|_, _| Ok(())), client.reload());
        let waited = std::thread::scope(|scope| scope.spawn(waits).join()).unwrap_or_else(|_| unreachable!());
        assert_eq!(waited, (Err(Code::Busy.into()), Err(Code::Busy.into())));
        drop(held);
        assert_eq!(client.call(|_, _| Ok(())), Ok(()));
    }

    /// A store written in Rust that comes back into the library.
    struct Reentering(MemoryStore, std::sync::Weak<Client>);

    impl Store for Reentering {
        fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
            assert_eq!(enter(), Err(Code::Reentrant.into()));
            if let Some(client) = self.1.upgrade() {
                assert_eq!(client.users().map(drop), Err(Code::Reentrant.into()));
                assert_eq!(client.close(), Err(Code::Reentrant.into()));
            }
            self.0.load(queries, hold)
        }

        fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
            self.0.commit(expected, changes)
        }

        fn release(&self) {
            self.0.release();
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn nobody_enters_from_inside_a_call_or_a_store() {
        let other = Arc::new(client());
        let store = Arc::new(Reentering(MemoryStore::new(), Arc::downgrade(&other)));
        let user = UserId::try_from("bob").unwrap_or_else(|_| unreachable!());
        let key = Secret::init_with(|key| key.fill(1));
        let bob = Client::create(store, key, &user).unwrap_or_else(|_| unreachable!());
        assert_eq!(bob.users().map(|users| users.len()), Ok(1));
        assert_eq!(bob.call(|_, _| bob.close()), Err(Code::Reentrant.into()));
        assert_eq!(bob.close(), Ok(()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn a_closed_handle_stays_closed() {
        let client = client();
        assert_eq!(client.close(), Ok(()));
        assert!(client.slot.lock().is_none(), "neither the device's keys nor the store's are left");
        assert_eq!(client.call(|_, _| Ok(())), Err(Code::Closed.into()));
        assert_eq!(client.reload(), Err(Code::Closed.into()));
    }
}
