//! From a call to its commit.

use super::{Begun, Call, Tx, WorkingSet, call::Steps, place::Place};
use crate::{
    context::Context,
    error::{Code, Error},
    keys::device::DeviceKeys,
    record::Own,
    store::{Generation, Kind, Places},
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How often a call that lost a race runs again.
const ATTEMPTS: usize = 5;

impl Place<'_> {
    /// Runs one call of the device with these keys; gives the store's generation after it as well.
    pub(crate) fn call<T>(
        self,
        us: &DeviceKeys,
        memory: &Memory,
        context: &mut Context<'_>,
        mut call: impl FnMut(&mut Call<'_>) -> Result<T, Error>,
    ) -> Result<(T, Generation), Error> {
        attempt(context, |context, hold| {
            let context = Context { now: context.now, rng: &mut *context.rng };
            let tx = Tx::with(self, hold, memory.take());
            let at = match tx.moment(context.now) {
                Ok(at) => at,
                Err(code) => {
                    let error = tx.explain(code.into());
                    memory.put_back(tx.into_working());
                    return Err(error);
                }
            };
            let mut running = Call { us, tx, context, at, begun: None, steps: Steps::default() };
            let output = call(&mut running).and_then(|output| {
                // What a call has written may hold ages: the clock that they are of stays with them.
                if running.tx.has_changes() {
                    running.observe()?;
                }
                Ok(output)
            });
            let Call { tx, mut context, begun, .. } = running;
            let before = tx.generation();
            let owned = match &output {
                Err(error) if error.code != Code::RecordInconsistent => Ok(()),
                _ => check_owner(&tx, us, &memory.seen),
            };
            let attempt = finish(&tx, &mut context, owned.and(output));
            memory.put_back(tx.into_working());
            let attempt = attempt?;
            if let (Attempt::Committed((_, generation)), Ok(before)) = (&attempt, before) {
                memory.note_begun(before, *generation, begun);
                *memory.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(*generation);
            }
            Ok(attempt)
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

/// What a handle of a device keeps from one call to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The last generation at which the store was known to be this device's.
    seen: Mutex<Option<Generation>>,
    /// What calls in a row have begun.
    begun: Mutex<Option<Since>>,
    /// Decoded records. A call takes them and puts them back; one beside it does without.
    working: Mutex<WorkingSet>,
}

impl Memory {
    fn working(&self) -> MutexGuard<'_, WorkingSet> {
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_begun(&self, before: Generation, after: Generation, begun: Option<Begun>) {
        let mut place = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if before == after {
            return;
        }
        let Some(mut begun) = begun else {
            *place = None;
            return;
        };
        *place = match place.take() {
            Some(since) if since.after == before => {
                let mut parts = since.begun.parts;
                parts.append(&mut begun.parts);
                Some(Since { before: since.before, after, begun: Begun { parts } })
            }
            _ => Some(Since { before, after, begun }),
        };
        place.take_if(|since| since.begun.parts.len() > MAX_BEGUN);
    }

    /// What calls in a row have begun since this generation, and the generation after them.
    pub(crate) fn begun_since(&self, generation: Generation) -> Option<(Begun, Generation)> {
        let mut place = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        // What does not follow what is asked for never will: a queue that is newer was made from the store.
        place.take().filter(|since| since.before == generation).map(|since| (since.begun, since.after))
    }

    /// Bounds what is kept, in bytes, now and from here on. What a call has in hand is bounded when the call puts it back.
    pub(crate) fn limit_to(&self, bytes: usize) {
        self.working().limit_to(bytes);
    }

    fn take(&self) -> WorkingSet {
        let mut place = self.working();
        let without = WorkingSet::bounded(place.limit());
        core::mem::replace(&mut place, without)
    }

    fn put_back(&self, mut working: WorkingSet) {
        let mut place = self.working();
        if working.generation().counter >= place.generation().counter {
            working.limit_to(place.limit());
            *place = working;
        }
    }
}

/// What calls in a row have begun, from one generation of the store to another.
#[derive(Debug)]
struct Since {
    before: Generation,
    after: Generation,
    begun: Begun,
}

/// So many parts are remembered; beyond, the queue is made anew from the store.
const MAX_BEGUN: usize = 65_536;

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

/// Whether the store is still this device's. The app may have erased it under a handle, and made another device in it.
fn check_owner(tx: &Tx<'_>, us: &DeviceKeys, seen: &Mutex<Option<Generation>>) -> Result<(), Error> {
    if *seen.lock().unwrap_or_else(PoisonError::into_inner) == Some(tx.generation()?) {
        return Ok(());
    }
    let own: Option<Own> = tx.get(&Places::only(Kind::Own))?;
    let party = &us.party;
    let is_ours = own.is_some_and(|own| party.is_device(&own.user, own.device) && party.account() == own.account_key);
    if is_ours { Ok(()) } else { Err(Code::ForeignStore.into()) }
}

/// A generator that gives zeros or repeats itself is broken, and no call goes on with it (A28).
fn check_randomness(context: &mut Context<'_>) -> Result<(), Error> {
    let (first, second) = (context.random::<16>(), context.random::<16>());
    if first == second || first == [0; 16] || second == [0; 16] {
        return Err(Code::Randomness.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RowKey;

    fn with_rows(mut working: WorkingSet) -> WorkingSet {
        for row in 0..8 {
            working.put(RowKey::new(&[row]).unwrap(), None, 1_000);
        }
        working
    }

    fn left(memory: &Memory) -> usize {
        let working = memory.take();
        let left = (0..8).filter(|row| working.knows(&RowKey::new(&[*row]).unwrap())).count();
        memory.put_back(working);
        left
    }

    #[test]
    fn a_limit_that_is_set_while_a_call_has_the_set_in_hand_holds_when_it_is_put_back() {
        for (limit, rows) in [(0, 0), (4_000, 2), (usize::MAX, 8)] {
            let memory = Memory::default();
            let working = with_rows(memory.take());
            let beside = memory.take();
            memory.limit_to(limit);
            memory.put_back(beside);
            memory.put_back(working);
            assert_eq!(left(&memory), rows);
            // It holds for every call after that one, and at once for what lies there.
            memory.put_back(with_rows(memory.take()));
            assert_eq!(left(&memory), rows);
            memory.limit_to(0);
            assert_eq!(left(&memory), 0);
        }
    }
}
