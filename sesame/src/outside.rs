//! The world outside a call: the system's clock and fresh randomness; in builds for tests alone, a seed and a clock that stands still.
//!
//! The only place where the library looks at either: the core takes both as arguments.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sesame_core::{
    context::{Context, Timestamp},
    error::{Code, Error},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use zeroize::Zeroize;

/// Milliseconds since 1970; a clock before that reads as 1970.
#[allow(clippy::disallowed_methods)]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A clock: the system's, or one for tests that stands still until it is moved.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicU64>>);

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock for tests. It stands at this time, in ms since 1970, until [`Clock::advance`]. Clones of it are the same clock.
    #[must_use]
    pub fn test(now_ms: u64) -> Self {
        Self(Some(Arc::new(AtomicU64::new(now_ms))))
    }

    /// Moves a clock for tests forward, by whole ms to the nearest: a language that counts seconds in floating point gives 1.074 s as a little
    /// less. The system's clock does not move.
    pub fn advance(&self, by: Duration) {
        if let Some(clock) = &self.0 {
            let ms = by.saturating_add(Duration::from_micros(500)).as_millis();
            clock.fetch_add(u64::try_from(ms).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// The time, in ms since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        #[cfg(feature = "test-util")]
        if let Some((now, _)) = script::current() {
            return now.0;
        }
        self.0.as_ref().map_or_else(|| now().0, |clock| clock.load(Ordering::Relaxed))
    }
}

/// Runs a step with the clock and randomness that hold now.
///
/// # Errors
/// [`Code::Randomness`] when the system gives none; the step's.
pub(crate) fn with<T>(clock: &Clock, step: impl FnOnce(&mut Context<'_>) -> Result<T, Error>) -> Result<T, Error> {
    #[cfg(feature = "test-util")]
    if let Some((now, stream)) = script::current() {
        return script::with(now, &stream, step);
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| Code::Randomness)?;
    let mut rng = ChaCha20Rng::from_seed(seed);
    seed.zeroize();
    step(&mut Context { now: Timestamp(clock.now()), rng: &mut rng })
}

/// One script, one seed, the same bytes in every language. No artefact that is shipped has this: a release build does not compile with it,
/// and `cargo xtask dist` looks at the exported names.
#[cfg(feature = "test-util")]
pub mod script {
    use super::{ChaCha20Rng, Context, Error, SeedableRng, Timestamp};
    use parking_lot::Mutex;

    static SCRIPT: Mutex<Option<(Timestamp, ChaCha20Rng)>> = Mutex::new(None);

    /// What the core draws in every call to see that the generator is alive, as words of four bytes (A28).
    const LOOK: u128 = 8;

    /// The script's time and its stream of bytes, if there is a script.
    pub(super) fn current() -> Option<(Timestamp, ChaCha20Rng)> {
        SCRIPT.lock().clone()
    }

    /// Runs a step. One that only looked whether there is randomness leaves the stream where it was, so that how often a program asks for
    /// a name does not count.
    pub(super) fn with<T>(
        now: Timestamp,
        before: &ChaCha20Rng,
        step: impl FnOnce(&mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut rng = before.clone();
        let done = step(&mut Context { now, rng: &mut rng });
        if rng.get_word_pos() - before.get_word_pos() > LOOK
            && let Some((_, stream)) = &mut *SCRIPT.lock()
        {
            *stream = rng;
        }
        done
    }

    /// From here on every call sees this time and draws from this seed.
    pub fn begin(seed: u64, now_ms: u64) {
        *SCRIPT.lock() = Some((Timestamp(now_ms), ChaCha20Rng::seed_from_u64(seed)));
    }

    /// Time passes.
    pub fn advance(ms: u64) {
        if let Some((now, _)) = &mut *SCRIPT.lock() {
            now.0 = now.0.saturating_add(ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_moves_by_what_due_in_says_in_floating_point_too() {
        for ms in 0..10_000_u32 {
            let clock = Clock::test(0);
            // Seconds as an f64, cut to whole nanoseconds: what a Swift program passes.
            let seconds = f64::from(ms) / 1e3;
            clock.advance(Duration::new(seconds.trunc() as u64, (seconds.fract() * 1e9) as u32));
            assert_eq!(clock.now(), u64::from(ms), "{seconds}");
        }
    }
}
