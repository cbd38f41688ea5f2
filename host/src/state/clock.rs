//! The time by which things expire.

#[cfg(test)]
use std::sync::Arc;
#[cfg(test)]
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970 that never jump: the system's time is read once, then a monotonic clock carries it on. Somebody who sets
/// the system's time an hour forward expires nothing.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Running {
        start_ms: u64,
        start: Instant,
    },
    #[cfg(test)]
    Set(Arc<AtomicU64>),
}

impl Clock {
    /// The real time.
    pub fn running() -> Clock {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock(Kind::Running {
            start_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
            start: Instant::now(),
        })
    }

    /// A clock that stands at what the number says.
    #[cfg(test)]
    pub fn set(now_ms: Arc<AtomicU64>) -> Clock {
        Clock(Kind::Set(now_ms))
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        match &self.0 {
            Kind::Running { start_ms, start } => {
                start_ms.saturating_add(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX))
            }
            #[cfg(test)]
            Kind::Set(now_ms) => now_ms.load(Ordering::Relaxed),
        }
    }
}
