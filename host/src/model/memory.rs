//! Memory for models: one bound for all, a share for each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The memory that models may take together.
pub struct Memory {
    bytes_max: u64,
    used: Arc<AtomicU64>,
}

/// A share of it. Dropping it gives it back.
pub struct Reservation {
    bytes: u64,
    used: Arc<AtomicU64>,
}

impl Memory {
    /// So many bytes for all models.
    pub fn new(bytes_max: u64) -> Self {
        Memory { bytes_max, used: Arc::default() }
    }

    /// Bytes for all models.
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// Bytes that are taken.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Acquire)
    }

    /// Takes a share where there is room for it.
    pub fn reserve(&self, bytes: u64) -> Option<Reservation> {
        let taken = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.bytes_max);
        self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, taken).ok()?;
        Some(Reservation { bytes, used: self.used.clone() })
    }
}

impl Reservation {
    /// Its bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// Bytes for people: `4.1 GB`, `12 MB`.
pub fn shown(bytes: u64) -> String {
    match bytes {
        1_000_000_000.. => format!("{:.1} GB", bytes as f64 / 1e9),
        1_000_000.. => format!("{:.0} MB", bytes as f64 / 1e6),
        _ => format!("{:.0} kB", bytes as f64 / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_taken_while_there_is_room_and_given_back() {
        let memory = Memory::new(10);
        let first = memory.reserve(6).expect("room");
        assert!(memory.reserve(5).is_none() && memory.reserve(u64::MAX).is_none());
        let second = memory.reserve(4).expect("room");
        assert_eq!((memory.used(), second.bytes()), (10, 4));
        drop(first);
        assert_eq!(memory.used(), 4);
        assert!(memory.reserve(6).is_some());
    }

    #[test]
    fn bytes_are_shown_with_a_fitting_unit() {
        assert_eq!([shown(4_100_000_000), shown(12_400_000), shown(900)], ["4.1 GB", "12 MB", "1 kB"]);
    }
}
