//! libsesame for other languages: two thin faces over [`sesame`].
//!
//! There is no logic here: what a call does stands in `sesame-core`, and `sesame` adds a clock, randomness, a lock and a boundary for
//! panics. The faces turn their types into what C, Kotlin, Swift and Python can hold.

#[cfg(feature = "capi")]
pub mod capi;
pub mod host;
#[cfg(any(feature = "capi", feature = "uniffi"))]
mod joined;
#[cfg(feature = "test-util")]
mod script;
#[cfg(feature = "uniffi")]
pub mod uniffi;

// A seed from outside makes every key predictable: no build that is optimised for shipping has it.
#[cfg(all(feature = "test-util", not(debug_assertions)))]
compile_error!("test-util is for the story of tests/story alone, in a debug build");

#[cfg(feature = "wiping-allocator")]
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

#[cfg(feature = "uniffi")]
::uniffi::setup_scaffolding!("sesame_ffi");
