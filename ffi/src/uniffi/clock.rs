//! A clock for tests.

use sesame::Clock;
use std::{sync::Arc, time::Duration};

/// A clock that stands still until it is moved, for tests of an app: devices and a relay that are made with it see its time.
#[derive(::uniffi::Object)]
pub struct TestClock {
    clock: Clock,
}

#[::uniffi::export]
impl TestClock {
    /// A clock that stands at this time, in ms since 1970.
    #[::uniffi::constructor(default(now = 1800000000000))]
    pub fn new(now: u64) -> Arc<Self> {
        Arc::new(Self { clock: Clock::test(now) })
    }

    /// Time passes.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The time, in ms since 1970.
    pub fn now(&self) -> u64 {
        self.clock.now()
    }
}

/// This clock, or the system's.
pub(super) fn clock(clock: Option<&TestClock>) -> Clock {
    clock.map_or_else(Clock::system, |clock| clock.clock.clone())
}
