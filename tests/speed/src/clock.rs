//! Processor time: on a shared machine the time on the wall says little.

use rustix::time::{ClockId, clock_gettime};

/// Seconds of processor time that this process has used.
fn now() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// What a step gives, and the microseconds that it took.
pub fn timed<T>(step: impl FnOnce() -> T) -> (T, f64) {
    let begun = now();
    let output = step();
    (output, (now() - begun) * 1e6)
}

/// The figures of one run: microseconds an item, by name, in rounds.
#[derive(Default)]
pub struct Figures(std::collections::BTreeMap<&'static str, Vec<f64>>);

impl Figures {
    /// Notes what one round of a measurement has come to.
    pub fn note(&mut self, name: &'static str, value: f64) {
        self.0.entry(name).or_default().push(value);
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
