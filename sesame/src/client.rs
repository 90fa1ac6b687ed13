//! A device behind a lock, with the system's clock and fresh randomness.
//!
//! Every call passes [`enter`]: it may not come from inside another call or a store's callback, nor from a forked child, whose locks and
//! randomness are the parent's.

use crate::{
    app_store,
    outside::{self as world, Clock},
    threads::Scoped,
};
use parking_lot::Mutex;
use sesame_core::{
    context::Context,
    device::{Device, Linking as Pending, Requests},
    error::{Code, Error},
    event::Server,
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
    /// `None` while a call has it in hand, and after one panicked.
    device: Option<Box<Device>>,
    host: Host,
    /// What was given out and waits for an answer.
    requests: Requests,
}

/// What a device stands on: its store, the key that seals the store, and a clock.
pub struct Host {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) key: Secret<32>,
    pub(crate) clock: Clock,
}

impl Host {
    /// A store and the key that seals it, which the app keeps in its keychain; the system's clock.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, key: Secret<32>) -> Self {
        Self { store, key, clock: Clock::system() }
    }

    /// The same with another clock, for tests.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    fn open(&self) -> Result<Device, Error> {
        outside(&self.clock, |_| Device::open(self.store.clone(), &self.key)).map(on_threads)
    }
}

/// Large batches run on the system's threads.
fn on_threads(device: Device) -> Device {
    device.on_threads(Arc::new(Scoped::of_system()))
}

impl core::fmt::Debug for Host {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Host")
    }
}

/// One device of one user, over a store. Any thread may call it: calls on one client wait for each other, for a minute at most.
///
/// A call is one commit: after an error nothing has changed, in memory and in the store.
pub struct Client {
    user: UserId,
    id: DeviceId,
    /// `None` once it is closed: no key is left in memory then.
    slot: Mutex<Option<Open>>,
    limit: Mutex<Limit>,
}

/// What [`Client::set_memory_limit`] was given.
#[derive(Default)]
struct Limit {
    bytes: Option<usize>,
    /// Whether the device does not have it yet: a call may have it in hand.
    is_due: bool,
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

/// Runs a step with a clock and fresh randomness.
///
/// # Errors
/// As [`enter`]; [`Code::Randomness`] when the system gives none; [`Code::Internal`] when the step panicked; the step's.
pub fn outside<T>(clock: &Clock, step: impl FnOnce(&mut Context<'_>) -> Result<T, Error>) -> Result<T, Error> {
    enter()?;
    // Until the step returns, no handle may be entered from this thread: not by the step, nor by the store that it calls.
    let fenced = |context: &mut Context<'_>| app_store::inside(|| step(context));
    let watch = app_store::Watch::begin();
    let run = |context: &mut Context<'_>| {
        catch_unwind(AssertUnwindSafe(|| fenced(context))).unwrap_or(Err(Code::Internal.into()))
    };
    world::with(clock, run).map_err(|error| watch.explain(error))
}

impl Client {
    /// A user's first device, its primary: makes the account key and signs the first device list.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when the store holds a device already; [`Code::WrongKey`]; as [`enter`]; the store's.
    pub fn create(host: Host, user: &UserId, server: &Server) -> Result<Self, Error> {
        let make = |context: &mut Context<'_>| Device::create(host.store.clone(), &host.key, context, user, server);
        let device = outside(&host.clock, make)?;
        Ok(Self::new(device, host))
    }

    /// The device in a store.
    ///
    /// # Errors
    /// [`Code::WrongKey`]; [`Code::ForeignStore`] (no device here); [`Code::RecordCorrupt`]; [`Code::NewerFormat`]; as [`enter`]; the store's.
    pub fn open(host: Host) -> Result<Self, Error> {
        let device = host.open()?;
        Ok(Self::new(device, host))
    }

    /// Deletes every row of a store, in one commit, whoever's device it holds and whatever its key is: to log out, or because the key is lost.
    /// The store is empty afterwards; a SQLite file stays, and what a disk keeps of deleted bytes is the system's.
    ///
    /// # Errors
    /// As [`enter`]; the store's.
    pub fn erase(store: &dyn Store) -> Result<(), Error> {
        outside(&Clock::system(), |context| Device::erase(store, context))
    }

    /// A device that was linked.
    pub(crate) fn complete(linking: Pending, host: Host, answer: &[u8]) -> Result<Self, Error> {
        let device = outside(&host.clock, |context| linking.complete(context, answer))?;
        Ok(Self::new(device, host))
    }

    fn new(device: Device, host: Host) -> Self {
        let (user, id) = (device.user().clone(), device.id());
        let open = Open { device: Some(Box::new(on_threads(device))), host, requests: Requests::new() };
        Self { user, id, slot: Mutex::new(Some(open)), limit: Mutex::default() }
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
    /// If a call panics, what it had in hand is gone and the store is whole: the next call takes the device up from its store again.
    ///
    /// # Errors
    /// As [`enter`]; [`Code::Busy`], [`Code::Closed`]; the call's.
    pub fn call<T>(&self, call: impl FnOnce(&Device, &mut Context<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.call_with(|device, context, _| call(device, context))
    }

    /// The same for a call that has to do with requests.
    pub(crate) fn call_with<T>(
        &self,
        call: impl FnOnce(&Device, &mut Context<'_>, &mut Requests) -> Result<T, Error>,
    ) -> Result<T, Error> {
        enter()?;
        let mut slot = self.slot.try_lock_for(PATIENCE).ok_or(Code::Busy)?;
        let Open { device, host, requests } = slot.as_mut().ok_or(Code::Closed)?;
        let running = match device.take() {
            Some(device) => device,
            None => {
                let device = host.open()?;
                self.limit.lock().bytes.inspect(|bytes| device.set_memory_limit(*bytes));
                Box::new(device)
            }
        };
        let result = outside(&host.clock, |context| call(&running, context, requests));
        if !matches!(&result, Err(error) if error.code == Code::Internal) {
            *device = Some(running);
        }
        drop(slot);
        self.apply_limit();
        result
    }

    /// Bounds the decoded rows of the store that this handle keeps in memory from one call to the next, in bytes; 0 keeps none. Until this is
    /// called it is 32 MiB.
    ///
    /// What is kept beyond the limit is wiped at once, or at the end of the call that another thread is in: this one waits for nobody, so that a
    /// warning that memory is short may come on any thread. The limit holds until the handle is closed, and is not stored. It changes how fast
    /// calls are, and nothing that they give or store. A call may need more while it runs.
    ///
    /// # Errors
    /// As [`enter`]; [`Code::Closed`].
    pub fn set_memory_limit(&self, limit: usize) -> Result<(), Error> {
        enter()?;
        if self.slot.try_lock().is_some_and(|slot| slot.is_none()) {
            return Err(Code::Closed.into());
        }
        *self.limit.lock() = Limit { bytes: Some(limit), is_due: true };
        self.apply_limit();
        Ok(())
    }

    /// Gives the device a new limit. Whoever has the device in hand now does so afterwards.
    fn apply_limit(&self) {
        if !self.limit.lock().is_due {
            return;
        }
        let Some(slot) = self.slot.try_lock() else { return };
        let mut limit = self.limit.lock();
        limit.is_due = false;
        if let (Some(Open { device: Some(device), .. }), Some(bytes)) = (slot.as_ref(), limit.bytes) {
            device.set_memory_limit(bytes);
        }
    }

    /// Closes the device: wipes the keys from memory and lets go of the store. Every later call gives [`Code::Closed`]. Closing twice does
    /// nothing.
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
    use std::sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    };

    fn made(store: Arc<dyn Store>, key: Secret<32>, user: &UserId) -> Client {
        let server = Server::named("chat.test").unwrap_or_else(|_| unreachable!());
        Client::create(Host::new(store, key), user, &server).unwrap_or_else(|_| unreachable!())
    }

    fn client() -> Client {
        let key = Secret::init_with(|key| key.fill(1));
        let user = UserId::try_from("alice").unwrap_or_else(|_| unreachable!());
        made(Arc::new(MemoryStore::new()), key, &user)
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn after_a_panic_the_next_call_takes_the_device_up_again() {
        let client = client();
        let result: Result<(), Error> = client.call(|_, _| panic!("a fault"));
        assert_eq!(result, Err(Code::Internal.into()));
        assert_eq!(client.call(|device, _| Ok(device.id().0)), Ok(1));
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn a_call_does_not_wait_for_ever_for_another() {
        let client = client();
        let held = client.slot.lock();
        let waits = || (client.call(|_, _| Ok(())), client.close());
        let waited = std::thread::scope(|scope| scope.spawn(waits).join()).unwrap_or_else(|_| unreachable!());
        assert_eq!(waited, (Err(Code::Busy.into()), Err(Code::Busy.into())));
        drop(held);
        assert_eq!(client.call(|_, _| Ok(())), Ok(()));
    }

    /// A store that tells of what it is asked.
    struct Told<F>(MemoryStore, F);

    impl<F: Fn(&[Query]) + Send + Sync> Store for Told<F> {
        fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
            (self.1)(queries);
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
        let other = client();
        // A store written in Rust that comes back into the library.
        let reenter = move |_: &[Query]| {
            assert_eq!(enter(), Err(Code::Reentrant.into()));
            assert_eq!(other.users().map(drop), Err(Code::Reentrant.into()));
            assert_eq!(other.close(), Err(Code::Reentrant.into()));
        };
        let store = Arc::new(Told(MemoryStore::new(), reenter));
        let user = UserId::try_from("bob").unwrap_or_else(|_| unreachable!());
        let key = Secret::init_with(|key| key.fill(1));
        let bob = made(store, key, &user);
        assert_eq!(bob.users().map(|users| users.len()), Ok(1));
        assert_eq!(bob.call(|_, _| bob.close()), Err(Code::Reentrant.into()));
        assert_eq!(bob.close(), Ok(()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn a_limit_of_memory_holds_until_the_handle_is_closed() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let count = move |queries: &[Query]| {
            counted.fetch_add(queries.len(), Ordering::Relaxed);
        };
        let store = Arc::new(Told(MemoryStore::new(), count));
        let user = UserId::try_from("alice").unwrap_or_else(|_| unreachable!());
        let client = made(store, Secret::init_with(|key| key.fill(1)), &user);
        let asks = || {
            asked.store(0, Ordering::Relaxed);
            assert_eq!(client.devices(&user).map(drop), Ok(()));
            asked.load(Ordering::Relaxed)
        };
        asks();
        let kept = asks();
        assert_eq!(client.set_memory_limit(0), Ok(()));
        let nothing = asks();
        assert!(nothing > kept, "{nothing} and {kept}");
        assert_eq!(asks(), nothing);
        // A device that is taken up again after a panic keeps to it.
        assert_eq!(client.call(|_, _| -> Result<(), Error> { panic!("a fault") }), Err(Code::Internal.into()));
        asks();
        assert_eq!(asks(), nothing);
        assert_eq!(client.set_memory_limit(usize::MAX), Ok(()));
        asks();
        assert_eq!(asks(), kept);
        assert_eq!(client.close(), Ok(()));
        assert_eq!(client.set_memory_limit(0), Err(Code::Closed.into()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn a_limit_that_is_set_beside_calls_waits_for_none_and_none_is_lost() {
        let client = client();
        let calls = |_| (0..50).try_for_each(|_| client.users().map(drop));
        let limits = |n: usize| (0..50).try_for_each(|_| client.set_memory_limit(n * 1_000));
        std::thread::scope(|scope| {
            let work: Vec<_> =
                (0..2).flat_map(|n| [scope.spawn(move || calls(n)), scope.spawn(move || limits(n))]).collect();
            for done in work {
                assert_eq!(done.join().unwrap_or_else(|_| unreachable!()), Ok(()));
            }
        });
        assert_eq!(client.call(|_, _| Ok(client.set_memory_limit(0))), Ok(Err(Code::Reentrant.into())));
        // A call that lasts does not keep it waiting, and hands it on at its end.
        let (begun, end) = (Barrier::new(2), Barrier::new(2));
        std::thread::scope(|scope| {
            let long = scope.spawn(|| {
                client.call(|_, _| {
                    begun.wait();
                    end.wait();
                    Ok(())
                })
            });
            begun.wait();
            assert_eq!(client.set_memory_limit(0), Ok(()));
            assert!(client.limit.lock().is_due);
            end.wait();
            assert_eq!(long.join().unwrap_or_else(|_| unreachable!()), Ok(()));
        });
        assert!(!client.limit.lock().is_due);
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn a_closed_handle_stays_closed() {
        let client = client();
        assert_eq!(client.close(), Ok(()));
        assert!(client.slot.lock().is_none(), "neither the device's keys nor the store's are left");
        assert_eq!(client.call(|_, _| Ok(())), Err(Code::Closed.into()));
        assert_eq!(client.close(), Ok(()));
    }
}
