//! Where the jobs of a large batch run.
//!
//! The core has no threads of its own. What is the same for each item of a batch and needs neither the store nor randomness is written as a
//! job, and the host says where jobs run. What a job needs of randomness is drawn for it before, in order, so that no byte depends on how many
//! threads there are, or which of them was faster.

use std::{
    panic::resume_unwind,
    sync::{Mutex, MutexGuard},
};

/// A batch of fewer items runs where it was called: starting a thread costs as much as some of them.
pub const MIN_ITEMS: usize = 128;
/// Jobs for each thread, so that a slow one does not keep the others waiting.
const JOBS: usize = 4;

/// The threads of a host.
pub trait Threads: Send + Sync {
    /// How many jobs may run at the same time, the caller's own included.
    fn count(&self) -> usize;

    /// Calls `job` with each of `0..jobs`, on any thread and in any order, and returns when all have ended. What was left out, the caller of
    /// this does itself; what is called twice does nothing the second time. A job neither blocks nor calls this library. If one panics, so
    /// does the call that it is of.
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

/// Some of the items, and then their results.
struct Piece<A, B> {
    items: Vec<A>,
    made: Vec<B>,
}

/// The result of `step` for each item, in the items' order. `size` says how large the batch is, if its items are not alike.
///
/// # Panics
/// If `step` does, also if the host has caught that: no item is ever passed over.
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
        // A piece whose job has panicked is poisoned, and is left alone.
        if let Some(Ok(piece)) = pieces.get(at).map(Mutex::lock) {
            work(piece);
        }
    });
    let mut made = Vec::with_capacity(size);
    for piece in pieces {
        // A job that panicked ends the call, as it would have on this thread.
        let piece = piece.into_inner().unwrap_or_else(|_| resume_unwind(Box::new("a job panicked")));
        let Piece { items, made: mut done } = piece;
        // A host that left a job out has not left out its items.
        done.extend(items.into_iter().map(&step));
        made.append(&mut done);
    }
    made
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

    /// A host whose pool catches what panics.
    struct Calm;

    impl Threads for Calm {
        fn count(&self) -> usize {
            4
        }

        fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync)) {
            for at in (0..jobs).chain(0..jobs) {
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(at)));
            }
        }
    }

    #[test]
    fn a_job_that_is_called_twice_does_nothing_the_second_time() {
        let items: Vec<usize> = (0..1_000).collect();
        assert_eq!(map(&Calm, items.len(), items.clone(), |item| item), items);
    }

    #[test]
    #[should_panic(expected = "a job panicked")]
    fn a_panic_that_the_host_has_caught_drops_no_item() {
        map(&Calm, MIN_ITEMS, (0..MIN_ITEMS).collect(), |item| assert_ne!(item, 40));
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_of_a_job_is_the_callers() {
        map(&Wild(2), MIN_ITEMS, vec![1; MIN_ITEMS], |item| assert_eq!(item, 2));
    }
}
