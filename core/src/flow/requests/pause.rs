//! When the requests rest, and for how long. A pause lives in memory: after a restart everything is due.

use crate::{
    context::{Context, Timestamp},
    error::Code,
};

/// The first pause, in ms; each further failure doubles it.
const FIRST: u64 = 1_000;
/// The longest pause of our own making, in ms.
const LONGEST: u64 = 5 * 60 * 1_000;
/// The longest pause that a server may ask for, in ms. A pause that seems longer comes from a clock that has jumped, and is over.
const LONGEST_ASKED: u64 = 60 * 60 * 1_000;

/// A pause that grows with each failure.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pause {
    failures: u32,
    until: Option<Timestamp>,
    /// Why it pauses, or why it last did.
    pub(crate) problem: Option<Code>,
}

impl Pause {
    /// How long it still lasts, in ms.
    pub(crate) fn left(&self, now: Timestamp) -> u64 {
        self.until.map_or(0, |until| left(until, now))
    }

    /// It failed again. `asked` is how long the server asks to wait, in ms.
    pub(crate) fn fail(&mut self, context: &mut Context<'_>, problem: Code, asked: u64) {
        let doubled = FIRST << self.failures.min(20);
        let length = with_jitter(context, doubled.min(LONGEST)).max(asked.min(LONGEST_ASKED));
        self.failures = self.failures.saturating_add(1);
        self.until = Some(Timestamp(context.now.0.saturating_add(length)));
        self.problem = Some(problem);
    }

    /// It may go on at once, but the next failure still counts as a further one.
    pub(crate) fn skip(&mut self) {
        self.until = None;
    }
}

/// The time of a pause for one user after so many rounds that brought nothing.
pub(crate) fn after_rounds(context: &mut Context<'_>, rounds: u8) -> Timestamp {
    let length = with_jitter(context, (FIRST << u32::from(rounds.min(20))).min(LONGEST));
    Timestamp(context.now.0.saturating_add(length))
}

/// The end of a pause that the server asks for, in seconds.
pub(crate) fn asked(now: Timestamp, seconds: u32) -> Timestamp {
    Timestamp(now.0.saturating_add((u64::from(seconds) * 1_000).clamp(FIRST, LONGEST_ASKED)))
}

/// How long it is until a time, in ms; a time that is too far away is over.
pub(crate) fn left(until: Timestamp, now: Timestamp) -> u64 {
    let left = until.0.saturating_sub(now.0);
    if left > LONGEST_ASKED { 0 } else { left }
}

/// Up to a fifth more or less, so that many devices do not come back together.
fn with_jitter(context: &mut Context<'_>, length: u64) -> u64 {
    let [random] = context.random::<1>();
    length * (205 + u64::from(random) * 100 / 255) / 255
}
