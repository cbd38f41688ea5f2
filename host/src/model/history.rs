//! What happened to models lately, for operators who ask.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::limits;

/// Something that happened to a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// One sentence for people, without paths of this machine.
    pub text: String,
    /// Whether it went wrong.
    pub is_error: bool,
}

/// Events by name. Outlives the models, within bounds.
#[derive(Default)]
pub(super) struct History(Mutex<BTreeMap<String, VecDeque<Event>>>);

impl History {
    /// Adds an event; the oldest goes when there are too many. Of too many names, the one with the oldest news goes.
    pub fn note(&self, name: &str, event: Event) {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !events.contains_key(name) && events.len() >= limits::MODELS_MAX {
            let latest = |events: &VecDeque<Event>| events.back().map_or(0, |event| event.at_ms);
            if let Some(oldest) = events.iter().min_by_key(|(_, events)| latest(events)).map(|(name, _)| name.clone()) {
                events.remove(&oldest);
            }
        }
        let events = events.entry(name.to_owned()).or_default();
        if events.len() >= limits::MODEL_EVENTS_MAX {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// Events of a model, the oldest first.
    pub fn of(&self, name: &str) -> Vec<Event> {
        let events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        events.get(name).map(|events| events.iter().cloned().collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_events_are_kept() {
        let history = History::default();
        for at_ms in 0..limits::MODEL_EVENTS_MAX as u64 + 1 {
            history.note("m", Event { at_ms, text: "it loads".into(), is_error: false });
        }
        let events = history.of("m");
        assert_eq!((events.len(), events[0].at_ms), (limits::MODEL_EVENTS_MAX, 1));
        for number in 0..limits::MODELS_MAX as u64 {
            history.note(&number.to_string(), Event { at_ms: 1000 + number, text: String::new(), is_error: true });
        }
        assert!(history.of("m").is_empty() && history.of("0").len() == 1, "the oldest news goes first");
    }
}
