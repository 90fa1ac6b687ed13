//! The world outside a call: the system's clock and fresh randomness; in builds for tests alone, a seed and a clock that stands still.
//!
//! The only place where the library looks at either: the core takes both as arguments.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sesame_core::{
    context::{Context, Timestamp},
    error::{Code, Error},
};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroize;

/// Milliseconds since 1970; a clock before that reads as 1970.
#[allow(clippy::disallowed_methods)]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Runs a step with the clock and randomness that hold now.
///
/// # Errors
/// [`Code::Randomness`] when the system gives none; the step's.
pub(crate) fn with<T>(step: impl FnOnce(&mut Context<'_>) -> Result<T, Error>) -> Result<T, Error> {
    #[cfg(feature = "test-util")]
    if let Some((now, mut rng)) = scripted::current() {
        return step(&mut Context { now, rng: &mut rng });
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| Code::Randomness)?;
    let mut rng = ChaCha20Rng::from_seed(seed);
    seed.zeroize();
    step(&mut Context { now: now(), rng: &mut rng })
}

/// One script, one seed, the same bytes in every language. No artefact that is shipped has this: `cargo xtask test` looks for the symbols.
#[cfg(feature = "test-util")]
mod scripted {
    use parking_lot::Mutex;
    use rand_chacha::{
        ChaCha20Rng,
        rand_core::{SeedableRng, TryRng},
    };
    use sesame_core::context::Timestamp;

    static SCRIPT: Mutex<Option<(Timestamp, ChaCha20Rng)>> = Mutex::new(None);

    /// Draws from the one stream, so that only what is really drawn moves it, and not how often a program asks for a name.
    pub(super) struct Shared;

    impl TryRng for Shared {
        type Error = core::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            let mut bytes = [0; 4];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u32::from_le_bytes(bytes))
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u64::from_le_bytes(bytes))
        }

        fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Self::Error> {
            match &mut *SCRIPT.lock() {
                Some((_, rng)) => rng.try_fill_bytes(to),
                None => Ok(()),
            }
        }
    }

    pub(super) fn current() -> Option<(Timestamp, Shared)> {
        SCRIPT.lock().as_ref().map(|(now, _)| (*now, Shared))
    }

    /// From here on every call sees this time and draws from this seed.
    #[unsafe(no_mangle)]
    pub extern "C" fn sesame_test_outside(seed: u64, now_ms: u64) {
        *SCRIPT.lock() = Some((Timestamp(now_ms), ChaCha20Rng::seed_from_u64(seed)));
    }

    /// Time passes.
    #[unsafe(no_mangle)]
    pub extern "C" fn sesame_test_advance(ms: u64) {
        if let Some((now, _)) = &mut *SCRIPT.lock() {
            now.0 = now.0.saturating_add(ms);
        }
    }
}
