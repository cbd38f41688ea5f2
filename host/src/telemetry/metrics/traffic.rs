//! What was asked of each dialect since the start, as plain numbers for the server's own interface.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

/// Upper bounds of the classes of time, in milliseconds; a last class has none.
pub const SPREAD_MS: [u64; 13] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 60_000];

/// Counters of one dialect.
#[derive(Default)]
pub struct Counts {
    failures: AtomicU64,
    first_byte: Spread,
    whole: Spread,
}

/// What was asked of one dialect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Its name, or `host` for the server's own paths.
    pub name: String,
    /// Requests that are over.
    pub requests: u64,
    /// Those that ended with a status of 500 or more.
    pub failures: u64,
    /// Requests by the time to the first byte of their response, in the classes of [`SPREAD_MS`].
    pub first_byte: Vec<u64>,
    /// Requests by the time to the end of their response.
    pub whole: Vec<u64>,
}

impl Counts {
    /// The first byte of a response's body was sent.
    pub fn first_byte(&self, elapsed: Duration) {
        self.first_byte.add(elapsed);
    }

    /// A request is over.
    pub fn ended(&self, status: u16, elapsed: Duration) {
        if status >= 500 {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        self.whole.add(elapsed);
    }

    /// The numbers now.
    pub fn read(&self, name: &str) -> Traffic {
        let whole = self.whole.read();
        Traffic {
            name: name.to_owned(),
            requests: whole.iter().sum(),
            failures: self.failures.load(Ordering::Relaxed),
            first_byte: self.first_byte.read(),
            whole,
        }
    }
}

/// How often a time fell into each class.
#[derive(Default)]
struct Spread([AtomicU64; SPREAD_MS.len() + 1]);

impl Spread {
    fn add(&self, elapsed: Duration) {
        let class = SPREAD_MS.partition_point(|bound_ms| elapsed > Duration::from_millis(*bound_ms));
        self.0[class].fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> Vec<u64> {
        self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_the_class_of_the_next_bound() {
        let counts = Counts::default();
        counts.ended(200, Duration::from_millis(1));
        counts.ended(499, Duration::from_micros(1_001));
        counts.ended(500, Duration::from_secs(61));
        counts.first_byte(Duration::ZERO);
        let read = counts.read("a");
        assert_eq!((read.requests, read.failures), (3, 1));
        assert_eq!((read.whole[0], read.whole[1], read.whole[SPREAD_MS.len()]), (1, 1, 1));
        assert_eq!((read.first_byte[0], read.first_byte.iter().sum::<u64>()), (1, 1));
    }
}
