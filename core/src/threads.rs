//! Where the jobs of a large batch run.
//!
//! The core has no threads of its own. What is the same for each item of a batch and needs neither the store nor randomness is written as a
//! job, and the host says where jobs run. What a job needs of randomness is drawn for it before, in order, so that no byte depends on how many
//! threads there are, or which of them was faster.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A batch of fewer items runs where it was called: starting a thread costs as much as some of them.
pub const MIN_ITEMS: usize = 128;
/// Jobs for each thread, so that a slow one does not keep the others waiting.
const JOBS: usize = 4;

/// What runs jobs.
pub trait Threads: Send + Sync {
    /// How many jobs may run at the same time, the caller's own included.
    fn count(&self) -> usize;

    /// Calls `job` with each of `0..jobs` once, on any thread and in any order, and returns when all have ended. A job neither blocks nor
    /// calls this library. If it panics, so does this call.
    fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync));
}

/// Jobs run one after another on the thread that calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Caller;

impl Threads for Caller {
    fn count(&self) -> usize {
        1
    }

    fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync)) {
        (0..jobs).for_each(job);
    }
}

/// Some of the items, and then what came of them.
struct Piece<A, B> {
    items: Vec<A>,
    made: Vec<B>,
}

/// What `step` makes of each item, in the items' order. `size` says how large the batch is, if its items are not alike.
pub(crate) fn map<A: Send, B: Send>(
    threads: &dyn Threads,
    size: usize,
    items: Vec<A>,
    step: impl Fn(A) -> B + Sync,
) -> Vec<B> {
    let count = threads.count();
    if size < MIN_ITEMS || count < 2 {
        return items.into_iter().map(step).collect();
    }
    let length = items.len().div_ceil(count.saturating_mul(JOBS)).max(1);
    let mut items = items.into_iter();
    let mut pieces = Vec::new();
    while !items.as_slice().is_empty() {
        let items: Vec<A> = items.by_ref().take(length).collect();
        pieces.push(Mutex::new(Piece { made: Vec::with_capacity(items.len()), items }));
    }
    let work = |mut piece: MutexGuard<'_, Piece<A, B>>| {
        let items = core::mem::take(&mut piece.items);
        piece.made.extend(items.into_iter().map(&step));
    };
    threads.run(pieces.len(), &|at| {
        if let Some(piece) = pieces.get(at) {
            work(piece.lock().unwrap_or_else(PoisonError::into_inner));
        }
    });
    // A host that left a job out has not left out its items.
    pieces.iter().for_each(|piece| work(piece.lock().unwrap_or_else(PoisonError::into_inner)));
    pieces.into_iter().flat_map(|piece| piece.into_inner().unwrap_or_else(PoisonError::into_inner).made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Jobs on threads of their own, in another order; some of them are left out.
    struct Wild(usize);

    impl Threads for Wild {
        fn count(&self) -> usize {
            self.0
        }

        fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync)) {
            std::thread::scope(|scope| {
                for at in (0..jobs).rev().filter(|at| at % 3 != 1) {
                    scope.spawn(move || job(at));
                }
                scope.spawn(move || job(jobs + 1));
            });
        }
    }

    #[test]
    fn what_comes_out_is_in_the_order_of_what_went_in() {
        for items in [0, 1, MIN_ITEMS - 1, MIN_ITEMS, MIN_ITEMS + 1, 1_000] {
            let expected: Vec<usize> = (0..items).map(|item| item * item).collect();
            for count in [0, 1, 2, 3, 16, 2_000] {
                let made = map(&Wild(count), items, (0..items).collect(), |item| item * item);
                assert_eq!(made, expected, "{items} items on {count} threads");
            }
            assert_eq!(map(&Caller, items, (0..items).collect(), |item| item * item), expected);
        }
    }

    #[test]
    fn a_small_batch_stays_on_its_thread() {
        let here = std::thread::current().id();
        let threads = map(&Wild(4), MIN_ITEMS - 1, vec![(); MIN_ITEMS - 1], |()| std::thread::current().id());
        assert!(threads.iter().all(|id| *id == here));
        let threads = map(&Wild(4), MIN_ITEMS, vec![(); MIN_ITEMS], |()| std::thread::current().id());
        assert!(threads.iter().any(|id| *id != here));
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_of_a_job_is_the_callers() {
        map(&Wild(2), MIN_ITEMS, vec![1; MIN_ITEMS], |item| assert_eq!(item, 2));
    }
}
