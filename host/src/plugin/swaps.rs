//! What became of new contents of plugins lately, for operators who ask.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::limits;

/// New content of a plugin's file, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Swap {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Name of the plugin, or the file's while the content has none.
    pub plugin: String,
    /// The file's name.
    pub file: String,
    /// Version for people of what served before; none where nothing did.
    pub before: Option<String>,
    /// Version for people of the new content; empty while unknown.
    pub version: String,
    /// First 12 digits of the new content's hash.
    pub hash: String,
    /// Time from reading the file to its being ready to serve, in milliseconds.
    pub took_ms: u64,
    /// Why the new content does not serve; none where it does.
    pub error: Option<String>,
}

/// The latest swaps, within bounds.
#[derive(Default)]
pub struct Swaps(Mutex<VecDeque<Swap>>);

impl Swaps {
    /// Adds a swap; the oldest goes when there are too many.
    pub fn note(&self, swap: Swap) {
        let mut swaps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        swaps.truncate(limits::SWAPS_MAX - 1);
        swaps.push_front(swap);
    }

    /// All that are remembered, the newest first.
    pub fn newest_first(&self) -> Vec<Swap> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_swaps_are_kept_newest_first() {
        let swaps = Swaps::default();
        for at_ms in 0..=limits::SWAPS_MAX as u64 {
            let plugin = "a".to_owned();
            let file = "a.wasm".to_owned();
            let (version, hash) = (format!("0.{at_ms}"), String::new());
            swaps.note(Swap { at_ms, plugin, file, before: None, version, hash, took_ms: 1, error: None });
        }
        let kept = swaps.newest_first();
        assert_eq!(kept.len(), limits::SWAPS_MAX);
        assert_eq!((kept[0].at_ms, kept[kept.len() - 1].at_ms), (limits::SWAPS_MAX as u64, 1));
    }
}
