//! Time in one place: the device's own clock for ages, and how dates are judged that others see.
//!
//! The host's clock may be wrong at any call, by any amount. What must not suffer from one wrong reading is measured by the *age clock*: it
//! runs as the host's clock does, and follows a jump only once the host's clock has stood there for a day. Generations, signatures and dates
//! are of the host's clock.

use crate::{context::Timestamp, limits::MAX_CLOCK_SKEW};
use core::time::Duration;

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// A step that is simply believed, and the most that a jump adds at once.
const STEP: u64 = 3 * DAY;
/// How long the host's clock must stand beyond a jump.
const STAND: u64 = DAY;
/// The most that one step counts as standing: two readings far apart show nothing yet.
const COUNTED: u64 = DAY / 2;
/// A device that is on less often than every three days still is on within this time.
const SELDOM: u64 = 45 * DAY;
/// Steps below are not written.
const WRITTEN: u64 = DAY / 24;

/// A moment by the age clock, in ms. It never goes back, but for the hour that is not written. On a device whose clock was always right it is the host's time.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Age(pub u64);

impl Age {
    /// Before all that a device has lived.
    pub const NEVER: Self = Self(0);

    /// The time since an earlier moment. There is no later one in a store: the age clock never goes back.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The moment so much later.
    #[must_use]
    pub fn plus(self, age: Duration) -> Self {
        Self(self.0.saturating_add(millis(age)))
    }

    /// The moment so much earlier.
    #[must_use]
    pub fn minus(self, age: Duration) -> Self {
        Self(self.0.saturating_sub(millis(age)))
    }
}

/// One moment by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// By the host's clock.
    pub now: Timestamp,
    /// By the age clock.
    pub age: Age,
    /// Whether the host's clock has jumped and not stood there yet. Nothing is decided by it that can wait.
    pub in_doubt: bool,
}

impl Moment {
    /// A moment of a device whose clock was always right.
    #[must_use]
    pub fn true_at(now: Timestamp) -> Self {
        Self { now, age: Age(now.0), in_doubt: false }
    }
}

/// What the age clock remembers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AgeClock {
    /// The age.
    pub age: u64,
    /// The reading of the host's clock that the age belongs to.
    pub mark: u64,
    /// What was added for a jump and has not been lived yet.
    pub debt: u64,
    /// How far the host's clock was set back. What is set forward by as much was not lived.
    pub behind: u64,
    /// Where the host's clock has jumped to.
    pub doubt: Option<Doubt>,
}

/// A jump of the host's clock that is not believed yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Doubt {
    /// The first reading after it.
    pub at: u64,
    /// The newest one.
    pub last: u64,
    /// For how long the clock has stood there.
    pub stood: u64,
}

impl AgeClock {
    /// The clock of a device that begins now.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { age: now.0, mark: now.0, debt: 0, behind: 0, doubt: None }
    }

    /// The moment of a reading. Nothing is remembered.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Moment {
        let mut clock = *self;
        clock.observe(now);
        Moment { now, age: Age(clock.age), in_doubt: clock.doubt.is_some() }
    }

    /// The clock after a reading; `None` if that is not worth a write.
    #[must_use]
    pub fn after(&self, now: Timestamp) -> Option<Self> {
        let mut clock = *self;
        clock.observe(now);
        let is_worth = clock.doubt != self.doubt || clock.mark.saturating_sub(self.mark) >= WRITTEN;
        is_worth.then_some(clock)
    }

    /// A reading of the host's clock.
    ///
    /// > A step adds at most three days at once, and the rest only when the clock has stood beyond it for another day.
    pub fn observe(&mut self, now: Timestamp) {
        let now = now.0;
        if let Some(step) = passed(self.mark, now, STEP) {
            self.credit(step);
            self.mark = now;
            self.doubt = None;
            return;
        }
        let is_ahead = now > self.mark;
        if let Some(doubt) = self.doubt {
            let was_ahead = doubt.at > self.mark;
            if let Some(step) = passed(doubt.last, now, STEP) {
                let stood = doubt.stood.saturating_add(step.min(COUNTED));
                if stood < STAND {
                    self.doubt = Some(Doubt { last: now, stood, ..doubt });
                    return;
                }
                // Believed. Ahead: the time was lived, but for what only takes an earlier step back. Behind: what was lived since.
                if was_ahead {
                    let step = now.saturating_sub(self.mark);
                    let back = self.behind.min(step);
                    self.behind -= back;
                    self.credit(step - back);
                } else {
                    self.behind = self.behind.saturating_add(self.mark.saturating_sub(doubt.at));
                    self.credit(now.saturating_sub(doubt.at));
                }
                self.mark = now;
                self.doubt = None;
                return;
            }
            if was_ahead && passed(doubt.last, now, SELDOM).is_some() {
                let stood = doubt.stood.saturating_add(COUNTED);
                if stood < STAND {
                    self.doubt = Some(Doubt { last: now, stood, ..doubt });
                    return;
                }
                // A device that is seldom on: the three days of its last step were real, and three more are.
                self.mark = doubt.last;
                self.debt = STEP;
                self.age = self.age.saturating_add(STEP);
                self.doubt = Some(Doubt { at: now, last: now, stood: COUNTED });
                return;
            }
        }
        if is_ahead {
            // Lent once, however often the clock flaps.
            self.age = self.age.saturating_add(STEP.saturating_sub(self.debt));
            self.debt = STEP;
        }
        self.doubt = Some(Doubt { at: now, last: now, stood: 0 });
    }

    /// Time was lived: what was lent is paid first.
    fn credit(&mut self, lived: u64) {
        let paid = self.debt.min(lived);
        self.debt -= paid;
        self.age = self.age.saturating_add(lived - paid);
    }
}

/// The time from one reading to a later one, if it is at most so long.
fn passed(from: u64, to: u64, most: u64) -> Option<u64> {
    to.checked_sub(from).filter(|step| *step <= most)
}

fn millis(age: Duration) -> u64 {
    u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
}

/// Whether a date that others see lies further back than this.
#[must_use]
pub fn is_old(date: Timestamp, now: Timestamp, most: Duration) -> bool {
    now.0.checked_sub(date.0).is_some_and(|passed| passed > millis(most))
}

/// Whether a date was written by a clock that was ahead: by more than clocks may differ.
#[must_use]
pub fn is_ahead(date: Timestamp, now: Timestamp) -> bool {
    is_old(now, date, MAX_CLOCK_SKEW)
}

/// Whether what has this date is to be renewed: it is old, or others refuse it because its date has not come.
#[must_use]
pub fn is_due(date: Timestamp, now: Timestamp, every: Duration) -> bool {
    is_old(date, now, every) || is_ahead(date, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{
        ChaCha20Rng,
        rand_core::{Rng, SeedableRng},
    };

    const START: u64 = 20_000 * DAY;

    fn clock() -> AgeClock {
        AgeClock::new(Timestamp(START))
    }

    /// The age after these readings, in days since the start.
    fn days(readings: &[i64]) -> Vec<u64> {
        let mut clock = clock();
        let age = |day: &i64| {
            clock.observe(Timestamp(START.saturating_add_signed(day * DAY as i64)));
            (clock.age - START) / DAY
        };
        readings.iter().map(age).collect()
    }

    #[test]
    fn n_l05_a_jump_adds_three_days_and_the_rest_once_the_clock_has_stood_there_for_a_day() {
        assert_eq!(days(&[1, 3, 6, 9]), [1, 3, 6, 9], "read every three days it is the host's clock");
        assert_eq!(days(&[1, 200, 2, 4, 5, 8]), [1, 4, 4, 4, 5, 8], "one wrong reading lends three days");
        assert_eq!(days(&[200, 0, 200, 0, 300, 1]), [3, 3, 3, 3, 3, 3], "once, however often it flaps");
        assert_eq!(days(&[200, 201, 202, 203]), [3, 3, 202, 203], "set to where it stays");
        assert_eq!(days(&[10, -500, -499, -498, -400, -399, -398]), [3, 3, 3, 3, 5, 5, 5]);
        assert_eq!(days(&[1, -20_000, -19_999, -19_998, 2, 3, 4, 5]), [1, 1, 1, 3, 6, 6, 6, 6], "in 1970 for a while");
        assert_eq!(days(&[7, 14, 21, 28]), [3, 3, 6, 9], "seldom on: late, and never too early");
    }

    #[test]
    fn a_clock_that_jumps_at_random_never_ages_more_than_it_lives_and_six_days() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        for _ in 0..200 {
            let (mut clock, mut lived, mut before) = (clock(), 0, START);
            for _ in 0..500 {
                lived += rng.next_u64() % (DAY / 4);
                let jump = match rng.next_u32() % 3 {
                    0 => 0,
                    _ => (rng.next_u64() % (36_500 * DAY)) as i64 - (18_250 * DAY) as i64,
                };
                clock.observe(Timestamp((START + lived).saturating_add_signed(jump)));
                assert!(clock.age >= before && clock.age <= START + lived + 2 * STEP);
                before = clock.age;
            }
            // It is right again once the clock is.
            for _ in 0..10 {
                lived += DAY;
                clock.observe(Timestamp(START + lived));
            }
            assert!(clock.doubt.is_none() && clock.age <= START + lived + 2 * STEP);
            assert_eq!(clock.mark, START + lived);
        }
    }
}
