//! A clock for tests.

use super::{boundary::sesame_error, handle::*, status::sesame_status};
use sesame::Clock;
use sesame_core::error::Error;
use std::time::Duration;

impl sesame_clock {
    /// This clock, or the system's for {0}.
    pub(super) fn or_system(self) -> Result<Clock, Error> {
        if self.token == 0 { Ok(Clock::system()) } else { Ok(self.get()?.0.clone()) }
    }
}

/// A clock for tests of an app, which stands at `now`, in ms since 1970, until it is moved. Devices and relays that are made with it see its
/// time. Free it with `sesame_clock_free`.
///
/// @return none but the common ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_clock_new(
    now: u64,
    clock: *mut sesame_clock,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(clock), {
        let clock = output!(clock);
        clock.put(sesame_clock::new(ClockObject(Clock::test(now))));
        Ok(())
    })
}

/// Frees the handle; what was made with the clock keeps it. 0 is passed over.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_clock_free(clock: sesame_clock) -> sesame_status {
    enter!(core::ptr::null_mut(), { clock.free() })
}

/// Time passes, in ms.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_clock_advance(clock: sesame_clock, by: u64, error: *mut sesame_error) -> sesame_status {
    enter!(error, {
        clock.get()?.0.advance(Duration::from_millis(by));
        Ok(())
    })
}
