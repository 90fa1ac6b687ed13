//! This device over a store: one public call, one set of changes, one commit (section 4 of the design).
//!
//! A message comes in through [`Device::batch_decrypt`] and waits in the inbox until [`Device::ack`]; one goes out through
//! [`Device::batch_encrypt`] and waits in the outbox until [`Device::accepted`]. A `Device` keeps nothing in memory but its keys:
//! every call reads what it needs at one generation of the store, so that two processes may share one, and a call that fails has
//! changed nothing anywhere (`docs/adr/0002-no-cache.md`).

mod content;
mod create;
mod encrypt;
mod gaps;
mod group;
mod held;
mod inbox;
mod lists;
mod outbox;
mod pre_keys;
mod publish;
mod receive;
mod received;
mod send;
mod sessions;
mod settle;
mod tick;
mod views;
mod warm;
mod work;

pub use create::Linking;
pub use group::Group;

pub use crate::event::*;
pub use crate::ids::SendId;

use crate::{
    context::Context,
    error::{Code, Error},
    ids::{DeviceId, UserId},
    keys::device::DeviceKeys,
    store::{Sealer, Store},
};
use std::sync::Arc;
use work::Work;

/// How often a call that lost a race runs again.
const ATTEMPTS: usize = 5;

/// This device.
pub struct Device {
    store: Arc<dyn Store>,
    sealer: Sealer,
    keys: DeviceKeys,
}

impl core::fmt::Debug for Device {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Device({:?})", self.keys.party.device)
    }
}

impl Device {
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

    fn us(&self) -> (&UserId, DeviceId) {
        (self.user(), self.id())
    }

    fn run<T>(
        &self,
        context: &mut Context<'_>,
        call: impl FnMut(&mut Work<'_>, &mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        run(self.store.as_ref(), &self.sealer, context, call)
    }
}

/// Runs one call to its commit; who loses a race runs again, holding the store.
fn run<T>(
    store: &dyn Store,
    sealer: &Sealer,
    context: &mut Context<'_>,
    mut call: impl FnMut(&mut Work<'_>, &mut Context<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    check_randomness(context)?;
    for attempt in 0..ATTEMPTS {
        let mut work = Work::new(store, sealer, attempt > 0);
        match call(&mut work, context) {
            Ok(output) => {
                if work.commit(context)? {
                    return Ok(output);
                }
            }
            Err(error) if error.code == Code::StoreBusy => {}
            Err(error) => return Err(error),
        }
    }
    Err(Code::StoreBusy.into())
}

/// A generator that gives zeros or repeats itself is broken, and no call goes on with it (A28).
fn check_randomness(context: &mut Context<'_>) -> Result<(), Error> {
    let (first, second) = (context.random::<16>(), context.random::<16>());
    if first == second || first == [0; 16] || second == [0; 16] {
        return Err(Code::Randomness.into());
    }
    Ok(())
}
