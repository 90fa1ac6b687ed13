//! From a call to its commit.

use super::{Call, Tx};
use crate::{
    context::Context,
    error::{Code, Error},
    keys::device::DeviceKeys,
    store::{Generation, Sealer, Store},
};

/// How often a call that lost a race runs again.
const ATTEMPTS: usize = 5;

/// Where a device's rows are, and what opens and seals them.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) sealer: &'a Sealer,
}

impl Place<'_> {
    /// Runs one call of the device with these keys.
    pub(crate) fn call<T>(
        self,
        us: &DeviceKeys,
        context: &mut Context<'_>,
        call: impl FnMut(&mut Call<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.call_to(us, context, call).map(|(output, _)| output)
    }

    /// The same; gives the store's generation after it as well.
    pub(crate) fn call_to<T>(
        self,
        us: &DeviceKeys,
        context: &mut Context<'_>,
        mut call: impl FnMut(&mut Call<'_>) -> Result<T, Error>,
    ) -> Result<(T, Generation), Error> {
        attempt(context, |context, hold| {
            let context = Context { now: context.now, rng: &mut *context.rng };
            let mut running = Call { us, tx: Tx::new(self.store, self.sealer, hold), context };
            let Some(output) = unless_busy(call(&mut running))? else { return Ok(None) };
            let Call { tx, mut context, .. } = running;
            Ok(tx.commit(&mut context)?.map(|generation| (output, generation)))
        })
    }

    /// Runs one call on a store that may hold no device yet.
    pub(crate) fn run<T>(
        self,
        context: &mut Context<'_>,
        mut call: impl FnMut(&mut Tx<'_>, &mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        attempt(context, |context, hold| {
            let mut tx = Tx::new(self.store, self.sealer, hold);
            let Some(output) = unless_busy(call(&mut tx, context))? else { return Ok(None) };
            Ok(tx.commit(context)?.map(|_| output))
        })
    }
}

/// Tries a call until it is committed. A call that loses a race runs again, and from then on it holds the store.
fn attempt<T>(
    context: &mut Context<'_>,
    mut once: impl FnMut(&mut Context<'_>, bool) -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    check_randomness(context)?;
    for attempt in 0..ATTEMPTS {
        if let Some(output) = once(context, attempt > 0)? {
            return Ok(output);
        }
    }
    Err(Code::StoreBusy.into())
}

/// A call whose reads were overtaken by another process has no output.
fn unless_busy<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.code == Code::StoreBusy => Ok(None),
        Err(error) => Err(error),
    }
}

/// A generator that gives zeros or repeats itself is broken, and no call goes on with it (A28).
fn check_randomness(context: &mut Context<'_>) -> Result<(), Error> {
    let (first, second) = (context.random::<16>(), context.random::<16>());
    if first == second || first == [0; 16] || second == [0; 16] {
        return Err(Code::Randomness.into());
    }
    Ok(())
}
