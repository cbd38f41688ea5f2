//! Compiled grammars by constraint, within bounds on number and bytes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::{Constraint, Grammar};
use crate::error::EngineError;

/// What compiling gave. Refusals are kept too: a client that repeats its mistake costs nothing. Failures that are not
/// the constraint's are not kept.
type Compiled = Result<Arc<Grammar>, EngineError>;

/// Forgets what was not used for longest. A grammar that requests still follow lives on until they end.
pub(super) struct Cache {
    entries_max: usize,
    bytes_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: HashMap<Constraint, Entry>,
    /// Counts uses, to tell older from younger.
    clock: u64,
}

struct Entry {
    /// Filled by the first who asks; the others wait for it, outside the cache's lock.
    slot: Arc<OnceLock<Compiled>>,
    bytes: usize,
    used: u64,
}

impl Cache {
    /// An empty cache.
    pub(super) fn new(entries_max: usize, bytes_max: usize) -> Self {
        Self { entries_max, bytes_max, state: Mutex::default() }
    }

    /// What compiling `constraint` gave, if it was compiled.
    pub(super) fn get(&self, constraint: &Constraint) -> Option<Compiled> {
        let mut state = self.lock();
        state.clock += 1;
        let now = state.clock;
        let entry = state.entries.get_mut(constraint)?;
        entry.used = now;
        entry.slot.get().cloned()
    }

    /// What compiling `constraint` gave, or gives now.
    pub(super) fn get_or_compile(&self, constraint: &Constraint, compile: impl FnOnce() -> Compiled) -> Compiled {
        let slot = self.slot(constraint);
        let compiled = slot.get_or_init(compile).clone();
        // Tables have grown since the last time.
        let bytes = compiled.as_ref().map_or(0, |grammar| grammar.bytes()) + constraint.bytes();
        let is_kept = matches!(compiled, Ok(_) | Err(EngineError::Invalid { .. }));
        let mut state = self.lock();
        if !is_kept {
            state.entries.remove(constraint);
        } else if let Some(entry) = state.entries.get_mut(constraint) {
            entry.bytes = bytes;
        }
        self.shrink(&mut state);
        compiled
    }

    /// The place of `constraint`, new or old.
    fn slot(&self, constraint: &Constraint) -> Arc<OnceLock<Compiled>> {
        let mut state = self.lock();
        state.clock += 1;
        let now = state.clock;
        if let Some(entry) = state.entries.get_mut(constraint) {
            entry.used = now;
            return Arc::clone(&entry.slot);
        }
        let entry = Entry { slot: Arc::default(), bytes: constraint.bytes(), used: now };
        let slot = Arc::clone(&entry.slot);
        state.entries.insert(constraint.clone(), entry);
        self.shrink(&mut state);
        slot
    }

    /// Keeps the bounds. The entry used last always stays.
    fn shrink(&self, state: &mut State) {
        loop {
            let bytes: usize = state.entries.values().map(|entry| entry.bytes).sum();
            let is_within = state.entries.len() <= self.entries_max && bytes <= self.bytes_max;
            if is_within || state.entries.len() <= 1 {
                return;
            }
            let oldest = state.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                state.entries.remove(&oldest);
            }
        }
    }

    /// The state; every change is whole before the lock goes.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A constraint of `bytes` bytes whose first one is `name`.
    fn constraint(name: char, bytes: usize) -> Constraint {
        Constraint::Regex(format!("{name}{}", "x".repeat(bytes - 1)))
    }

    fn refused() -> Compiled {
        Err(EngineError::invalid("constraint", "refused"))
    }

    #[test]
    fn the_one_not_used_for_longest_goes() {
        let check = |cache: Cache| {
            for name in ['a', 'b', 'c'] {
                assert_eq!(cache.get_or_compile(&constraint(name, 10), refused).unwrap_err(), refused().unwrap_err());
                assert!(cache.get(&constraint('a', 10)).is_some());
            }
            assert!(cache.get(&constraint('b', 10)).is_none());
            assert!(cache.get(&constraint('c', 10)).is_some());
        };
        check(Cache::new(2, 1_000));
        check(Cache::new(100, 29));
    }

    #[test]
    fn what_many_want_is_compiled_once() {
        let cache = Cache::new(2, 1_000);
        let compiled = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    let result = cache.get_or_compile(&constraint('a', 10), || {
                        compiled.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        std::thread::yield_now();
                        refused()
                    });
                    assert!(result.is_err());
                });
            }
        });
        assert_eq!(compiled.into_inner(), 1);
    }
}
