//! A seed and a clock from outside, for the story of `tests/story` alone: one script, one seed, the same bytes in every language.

/// From here on every call sees this time and draws from this seed.
#[unsafe(no_mangle)]
pub extern "C" fn sesame_test_outside(seed: u64, now_ms: u64) {
    sesame::script::begin(seed, now_ms);
}

/// Time passes.
#[unsafe(no_mangle)]
pub extern "C" fn sesame_test_advance(ms: u64) {
    sesame::script::advance(ms);
}
