//! Processor time: on a shared machine the time on the wall says little.

use rustix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Whether steps are timed.
static TICKS: AtomicBool = AtomicBool::new(true);
/// The steps that were measured so far.
static STEPS: AtomicUsize = AtomicUsize::new(0);

/// Seconds of processor time that this process has used.
fn now() -> f64 {
    if !TICKS.load(Ordering::Relaxed) {
        return 0.0;
    }
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Times nothing from here on. Under valgrind there is no clock of this kind: `rustix` reads it out of the kernel's page, which is not there.
pub fn stop() {
    TICKS.store(false, Ordering::Relaxed);
}

/// How many steps were measured so far.
pub fn steps() -> usize {
    STEPS.load(Ordering::Relaxed)
}

/// Runs a step. Everything that is measured goes through this one function: callgrind counts what happens inside it, and knows it by its name.
#[inline(never)]
fn measured(step: &mut dyn FnMut()) {
    step();
    // After the step, so that it is a call and no jump.
    STEPS.fetch_add(1, Ordering::Relaxed);
}

/// A step is over: before this function callgrind writes down what it has counted, and begins at 0.
#[inline(never)]
fn noted() {
    std::hint::black_box(&STEPS);
}

/// What a step gives, and the microseconds that it took.
pub fn timed<T>(step: impl FnOnce() -> T) -> (T, f64) {
    let (mut step, mut output) = (Some(step), None);
    let begun = now();
    measured(&mut || output = step.take().map(|step| step()));
    noted();
    let micros = (now() - begun) * 1e6;
    (output.expect("the step has run"), micros)
}

/// The figures of one run: microseconds an item, by name, in rounds.
#[derive(Default)]
pub struct Figures(std::collections::BTreeMap<&'static str, Vec<f64>>);

impl Figures {
    /// Notes what one round of a measurement has come to.
    pub fn note(&mut self, name: &'static str, value: f64) {
        self.0.entry(name).or_default().push(value);
    }

    /// Notes a figure that needs no rounds: the last one counts.
    pub fn only(&mut self, name: &'static str, value: f64) {
        self.0.insert(name, vec![value]);
    }

    /// Times a step over so many items.
    pub fn time<T>(&mut self, name: &'static str, items: usize, step: impl FnOnce() -> T) -> T {
        let (output, micros) = timed(step);
        self.note(name, micros / items as f64);
        output
    }

    /// Prints a line for each figure: its name and its median.
    pub fn print(mut self) {
        for (name, values) in &mut self.0 {
            values.sort_by(f64::total_cmp);
            println!("{name} {:.4}", values[values.len() / 2]);
        }
    }
}
