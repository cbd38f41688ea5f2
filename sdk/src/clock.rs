//! Time.

use std::time::Duration;

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

/// Waits, at most a minute. The time counts towards what the whole request may take.
pub fn sleep(time: Duration) {
    Backend::sleep(&*host(), u32::try_from(time.as_millis()).unwrap_or(u32::MAX));
}
