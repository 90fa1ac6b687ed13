//! The outside world of a step: the time and randomness.
//!
//! This module does not know where they come from. An app passes the system's, a test passes a fixed clock and
//! a seed.

use core::time::Duration;
use rand_core::Rng;

/// Milliseconds since 1970-01-01 UTC, by the caller's clock.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The time since `earlier`, or zero if `earlier` lies ahead.
    ///
    /// ```
    /// use sesame_core::context::Timestamp;
    /// assert_eq!(Timestamp(1_500).since(Timestamp(1_000)).as_millis(), 500);
    /// assert!(Timestamp(0).since(Timestamp(1)).is_zero());
    /// ```
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The time `age` later.
    #[must_use]
    pub fn plus(self, age: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The time `age` earlier, or 0.
    #[must_use]
    pub fn minus(self, age: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Whole seconds, the unit of a generation.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0 / 1_000
    }
}

/// The time and the randomness of one step.
pub struct Context<'a> {
    /// The caller's clock.
    pub now: Timestamp,
    /// The caller's cryptographically secure generator.
    pub rng: &'a mut dyn Rng,
}

impl Context<'_> {
    /// `N` fresh random bytes for public values such as salts and ids.
    pub fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }
}
