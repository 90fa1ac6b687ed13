//! This device over a store: the public calls (Sesame 3.3 and 3.4; X 5 to X 9).
//!
//! Each call is a signature, its promise, and a line that enters a road of `flow`. A send begins with [`Device::batch_encrypt`], and what goes
//! to the server leaves by [`Device::next_request`]. An answer comes in by [`Device::respond`], mail among them. What was said, and how sends
//! ended, waits in the inbox until [`Device::ack`].
//!
//! A `Device` keeps its keys in memory, and decoded rows of one generation of the store (`docs/adr/0031-a-working-set.md`); what it knows of its
//! requests is in [`Requests`], which a restart forgets. Every call sees one generation, so that two processes may share a store, and a call
//! that fails has changed nothing anywhere.

mod begin;
mod group;
mod hand_over;
mod linking;
mod receive;
mod registry;
mod requests;
mod restoring;
mod send;
pub(crate) mod steps;
mod upkeep;

pub use crate::flow::{
    requests::{
        Requests,
        link::{LinkRequests, LinkTag},
        restore::RestoreRequests,
    },
    upkeep::restore::{Backup, Loss},
};
pub use group::Group;
pub use linking::Linking;
pub use restoring::Restoring;

use crate::{
    context::{Context, Timestamp},
    error::Error,
    ids::{DeviceId, UserId},
    keys::device::DeviceKeys,
    store::{Generation, Sealer, Store},
    threads::{Caller, Threads},
    tx::{Begun, Call, Memory, Place},
};
use std::sync::Arc;

/// This device.
pub struct Device {
    store: Arc<dyn Store>,
    sealer: Sealer,
    keys: DeviceKeys,
    memory: Memory,
    threads: Arc<dyn Threads>,
}

impl core::fmt::Debug for Device {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Device({:?})", self.keys.party.device)
    }
}

impl Device {
    fn new(store: Arc<dyn Store>, sealer: Sealer, keys: DeviceKeys) -> Self {
        Self { store, sealer, keys, memory: Memory::default(), threads: Arc::new(Caller) }
    }

    /// The same device, whose large batches run on these threads. What comes out does not depend on them.
    #[must_use]
    pub fn on_threads(self, threads: Arc<dyn Threads>) -> Self {
        Self { threads, ..self }
    }

    /// The user that this device belongs to.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.keys.party.user
    }

    /// This device's id.
    #[must_use]
    pub fn id(&self) -> DeviceId {
        self.keys.party.device
    }

    /// Whether this device holds the account key: it signs the device list, links devices and removes them.
    ///
    /// # Errors
    /// The store's.
    pub fn is_primary(&self, context: &mut Context<'_>) -> Result<bool, Error> {
        self.call(context, |call| Ok(call.tx.is_primary()?))
    }

    /// Bounds the decoded rows that this handle keeps from one call to the next, in bytes; 0 keeps none. Until this is called it is 32 MiB.
    ///
    /// What is kept beyond the limit is wiped at once. A call may need more while it runs. The limit changes how fast calls are, and nothing
    /// that they give or store; it is not stored itself.
    pub fn set_memory_limit(&self, limit: usize) {
        self.memory.limit_to(limit);
    }

    /// Runs one call to its commit; gives the store's generation after it as well.
    fn call_to<T>(
        &self,
        context: &mut Context<'_>,
        call: impl FnMut(&mut Call<'_>) -> Result<T, Error>,
    ) -> Result<(T, Generation), Error> {
        let place = Place { store: self.store.as_ref(), sealer: &self.sealer, threads: self.threads.as_ref() };
        place.call(&self.keys, &self.memory, context, call)
    }

    /// The same for a call that touches open sends only by what it begins.
    fn call_begun<T>(
        &self,
        context: &mut Context<'_>,
        mut call: impl FnMut(&mut Call<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.call(context, |running| {
            running.begun = Some(Begun::default());
            call(running)
        })
    }

    /// Brings the requests up to this moment: what is over goes, and what was begun since they last looked is handed on.
    fn bring_up(&self, now: Timestamp, to: &mut Requests) {
        to.tidy(now);
        let since = to.queue_generation().and_then(|generation| self.memory.begun_since(generation));
        if let Some((begun, generation)) = since {
            to.take_in(begun, generation);
        }
    }

    /// Runs one call to its commit.
    fn call<T>(
        &self,
        context: &mut Context<'_>,
        call: impl FnMut(&mut Call<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.call_to(context, call).map(|(output, _)| output)
    }
}
