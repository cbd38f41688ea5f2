//! Time.

use crate::backend::{Backend, host};

/// Milliseconds since 1970, for time stamps.
pub fn now_ms() -> u64 {
    Backend::now_ms(&*host())
}

/// Seconds since 1970, for time stamps.
pub fn now_s() -> u64 {
    now_ms() / 1000
}

/// Microseconds of a clock that never jumps, for durations.
pub fn monotonic_us() -> u64 {
    Backend::monotonic_us(&*host())
}
