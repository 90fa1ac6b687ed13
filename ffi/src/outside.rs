//! The world outside a call: the system's clock and fresh randomness.
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

/// Runs a step with the time as it is and randomness of its own.
///
/// # Errors
/// [`Code::Randomness`] when the system gives none; the step's.
pub(crate) fn with<T>(step: impl FnOnce(&mut Context<'_>) -> Result<T, Error>) -> Result<T, Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| Code::Randomness)?;
    let mut rng = ChaCha20Rng::from_seed(seed);
    seed.zeroize();
    step(&mut Context { now: now(), rng: &mut rng })
}
