//! From a call to its commit.

use super::{Call, Tx};
use crate::{
    context::Context,
    error::{Code, Error},
    keys::device::DeviceKeys,
    store::{Generation, Kind, Places, Sealer, Store},
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
            let output = call(&mut running);
            let Call { tx, mut context, .. } = running;
            let output = output.map_err(|error| if is_erased(&tx, &error) { Code::ForeignStore.into() } else { error });
            finish(&tx, &mut context, output)
        })
    }

    /// Runs one call on a store that may hold no device yet.
    pub(crate) fn run<T>(
        self,
        context: &mut Context<'_>,
        mut call: impl FnMut(&mut Tx<'_>, &mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let committed = attempt(context, |context, hold| {
            let mut tx = Tx::new(self.store, self.sealer, hold);
            let output = call(&mut tx, context);
            finish(&tx, context, output)
        });
        committed.map(|(output, _)| output)
    }
}

/// What one attempt of a call comes to.
enum Attempt<T> {
    Committed(T),
    /// Another process was faster, or holds the store: the error, if no further attempt succeeds.
    Busy(Error),
}

/// Tries a call until it is committed. A call that loses a race runs again, and from then on it holds the store.
fn attempt<T>(
    context: &mut Context<'_>,
    mut once: impl FnMut(&mut Context<'_>, bool) -> Result<Attempt<T>, Error>,
) -> Result<T, Error> {
    check_randomness(context)?;
    let mut busy = Code::StoreBusy.into();
    for attempt in 0..ATTEMPTS {
        match once(context, attempt > 0)? {
            Attempt::Committed(output) => return Ok(output),
            Attempt::Busy(error) => busy = error,
        }
    }
    Err(busy)
}

/// Commits a call that has an output; gives it with the store's generation afterwards. A call whose reads were overtaken by another process
/// has none.
fn finish<T>(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    output: Result<T, Error>,
) -> Result<Attempt<(T, Generation)>, Error> {
    match output {
        Ok(output) => match tx.commit(context).map_err(|error| tx.explain(error))? {
            Some(generation) => Ok(Attempt::Committed((output, generation))),
            None => Ok(Attempt::Busy(Code::StoreBusy.into())),
        },
        Err(error) if error.code == Code::StoreBusy => Ok(Attempt::Busy(tx.explain(error))),
        Err(error) => Err(tx.explain(error)),
    }
}

/// Whether a row is missing because all are: the app has erased the store under this handle.
fn is_erased(tx: &Tx<'_>, error: &Error) -> bool {
    error.code == Code::RecordInconsistent && tx.exists(&Places::only(Kind::Own)).is_ok_and(|there| !there)
}

/// A generator that gives zeros or repeats itself is broken, and no call goes on with it (A28).
fn check_randomness(context: &mut Context<'_>) -> Result<(), Error> {
    let (first, second) = (context.random::<16>(), context.random::<16>());
    if first == second || first == [0; 16] || second == [0; 16] {
        return Err(Code::Randomness.into());
    }
    Ok(())
}
