//! The script's seed and clock, as in the library that is built for tests (see `sesame/src/outside.rs`).

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sesame_core::context::{Context, Timestamp};

/// The bytes that the core draws in every call to check the generator, in words of four bytes.
const LOOK: u128 = 8;

/// The time, and one stream of random bytes.
pub struct Outside {
    now: Timestamp,
    stream: ChaCha20Rng,
}

impl Outside {
    /// Every later call sees this time and draws from this seed.
    pub fn new(seed: u64, now: u64) -> Self {
        Self { now: Timestamp(now), stream: ChaCha20Rng::seed_from_u64(seed) }
    }

    /// Moves the clock forward.
    pub fn advance(&mut self, ms: u64) {
        self.now.0 += ms;
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Runs a call. If the call only checked the generator, the stream stays where it was.
    pub fn with<T>(&mut self, call: impl FnOnce(&mut Context<'_>) -> T) -> T {
        let mut rng = self.stream.clone();
        let done = call(&mut Context { now: self.now, rng: &mut rng });
        if rng.get_word_pos() - self.stream.get_word_pos() > LOOK {
            self.stream = rng;
        }
        done
    }
}
