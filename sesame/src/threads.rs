//! Threads for large batches.
//!
//! They live as long as one step of a call. Starting one costs some 20 us, a batch that uses them some ms, so that no pool is needed: nothing
//! stays behind in the app's process, and nothing breaks when it forks.

use sesame_core::threads::Threads;
use std::{
    num::NonZero,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// More threads would wait for memory, not for each other.
const MOST: usize = 4;

/// Runs jobs on threads that end with them.
#[derive(Clone, Copy, Debug)]
pub struct Scoped {
    count: usize,
}

impl Scoped {
    /// So many threads, the caller's own included.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self { count }
    }

    /// As many as this process may use at a time, and at most 4.
    #[must_use]
    pub fn of_system() -> Self {
        static COUNT: OnceLock<usize> = OnceLock::new();
        let count = || thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
        Self::new(*COUNT.get_or_init(count))
    }
}

impl Threads for Scoped {
    fn count(&self) -> usize {
        self.count
    }

    fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= jobs {
                    break;
                }
                job(at);
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.count.min(jobs) {
                // A system that gives no more threads leaves the work to those that there are.
                if thread::Builder::new().name("sesame".into()).spawn_scoped(scope, work).is_err() {
                    break;
                }
            }
            work();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashSet, sync::Mutex};

    #[test]
    fn each_job_runs_once_and_the_caller_works_as_well() {
        for count in [0, 1, 2, 7] {
            for jobs in [0, 1, 5, 100] {
                let (ran, threads) = (Mutex::new(Vec::new()), Mutex::new(HashSet::new()));
                Scoped::new(count).run(jobs, &|at| {
                    ran.lock().unwrap().push(at);
                    threads.lock().unwrap().insert(thread::current().id());
                });
                let mut ran = ran.into_inner().unwrap();
                ran.sort_unstable();
                assert_eq!(ran, (0..jobs).collect::<Vec<_>>());
                assert!(threads.into_inner().unwrap().len() <= count.max(1));
            }
        }
        assert!((1..=MOST).contains(&Scoped::of_system().count()));
    }
}
