//! The models that are there: looking them up, and changing what is there.
//!
//! Readers see an immutable snapshot; whatever changes is a new snapshot. Nothing waits for a lock.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use mimus_engine::{Activity, Model as EngineModel, TextModel};
use tokio::sync::watch;

use super::history::{Event, History};
use super::loading::{Read, Turns};
use super::memory::Memory;
use super::plan::{Origin, Planned};
use super::shelf::{Entry, Lookup, ModelStatus, Replica, Shelf, State};
use super::{Loaded, job::Job};

/// All models of the server by name.
pub struct Catalog {
    shelf: ArcSwap<Shelf>,
    /// Held while a new snapshot is made from the present one.
    writing: Mutex<()>,
    /// Grows with every snapshot.
    version: watch::Sender<u64>,
    pub(super) memory: Memory,
    pub(super) read: Arc<Read>,
    pub(super) turns: Turns,
    history: History,
}

impl Catalog {
    /// A catalog without models.
    ///
    /// * `memory_bytes_max`: memory that models may take together.
    pub fn new(memory_bytes_max: u64, read: Arc<Read>) -> Arc<Catalog> {
        Arc::new(Catalog {
            shelf: ArcSwap::default(),
            writing: Mutex::new(()),
            version: watch::Sender::new(0),
            memory: Memory::new(memory_bytes_max),
            read,
            turns: Turns::default(),
            history: History::default(),
        })
    }

    /// Adds a model that is loaded already, or replaces one.
    pub fn insert(&self, name: &str, model: Arc<dyn TextModel>) {
        let planned = Arc::new(Planned::inserted(name));
        let mut entry = Entry::new(planned.clone(), now_ms());
        let Some(memory) = self.memory.reserve(0) else { return };
        let loaded = Loaded::new(&planned, EngineModel::Text(model), now_ms() / 1000, None, memory);
        entry.replicas = vec![Replica { id: 0, created_ms: now_ms(), state: State::Ready(loaded) }];
        self.update(|shelf| shelf.put(entry));
    }

    /// What stands behind a name or alias. Counts as use.
    pub fn get(&self, name: &str) -> Lookup {
        let shelf = self.shelf.load();
        let Some(entry) = shelf.entry(name) else { return Lookup::Unknown };
        entry.used_ms.store(now_ms(), Ordering::Relaxed);
        entry.lookup()
    }

    /// What is known of one model, by its name or an alias.
    pub fn status(&self, name: &str) -> Option<ModelStatus> {
        self.shelf.load().entry(name).map(|entry| entry.status())
    }

    /// What is known of all models, in the order of their names.
    pub fn list(&self) -> Vec<ModelStatus> {
        self.shelf.load().models.values().map(|entry| entry.status()).collect()
    }

    /// Names of the models that are loading and answer nobody yet.
    pub fn loading(&self) -> Vec<String> {
        let shelf = self.shelf.load();
        let is_loading = |entry: &Entry| matches!(entry.lookup(), Lookup::Loading(_));
        shelf.models.iter().filter(|(_, entry)| is_loading(entry)).map(|(name, _)| name.clone()).collect()
    }

    /// The model for people who name none: a configured one, else one that was launched, one from the models folder, a built-in one;
    /// among those the first by name that has not failed. One that is known to continue no text is for nobody who names none.
    pub fn default_name(&self) -> Option<String> {
        let shelf = self.shelf.load();
        let is_usable = |entry: &Entry| match entry.lookup() {
            Lookup::Ready(loaded) => loaded.text().is_some(),
            Lookup::Loading(_) | Lookup::Idle => true,
            Lookup::Failed(_) | Lookup::Unknown => false,
        };
        let usable = shelf.models.iter().filter(|(_, entry)| is_usable(entry));
        usable.min_by_key(|(_, entry)| entry.planned.origin).map(|(name, _)| name.clone())
    }

    /// What each loaded model does now, by name; the sum of its replicas.
    pub fn activities(&self) -> Vec<(String, Activity)> {
        let shelf = self.shelf.load();
        let activity = |entry: &Entry| entry.ready().map(Loaded::activity).reduce(sum);
        shelf.models.iter().filter_map(|(name, entry)| Some((name.clone(), activity(entry)?))).collect()
    }

    /// Memory that models may take together, and what they take, in bytes.
    pub fn memory(&self) -> (u64, u64) {
        (self.memory.bytes_max(), self.memory.used())
    }

    /// What happened to a model lately, the oldest first.
    pub fn events(&self, name: &str) -> Vec<Event> {
        self.history.of(name)
    }

    /// Waits until no model is loading.
    pub async fn wait_loaded(&self) {
        self.wait(|shelf| shelf.models.values().all(|entry| entry.jobs().next().is_none())).await;
    }

    /// Waits until the snapshot is as wanted.
    pub(super) async fn wait(&self, is_wanted: impl Fn(&Shelf) -> bool) {
        let mut version = self.version.subscribe();
        // The sender lives as long as this.
        let _ = version.wait_for(|_| is_wanted(&self.shelf.load())).await;
    }

    /// The present snapshot.
    pub(super) fn shelf(&self) -> Arc<Shelf> {
        self.shelf.load_full()
    }

    /// Makes the next snapshot.
    pub(super) fn update<R>(&self, change: impl FnOnce(&mut Shelf) -> R) -> R {
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shelf = Shelf::clone(&self.shelf.load());
        let result = change(&mut shelf);
        self.shelf.store(Arc::new(shelf));
        drop(writing);
        self.version.send_modify(|version| *version += 1);
        result
    }

    /// Changes one replica if it is still loaded by this job. Returns whether it is.
    pub(super) fn settle(&self, name: &str, id: u32, job: &Arc<Job>, state: State) -> bool {
        self.update(|shelf| {
            let Some(place) = shelf.models.get_mut(name) else { return false };
            let mut entry = Entry::clone(place);
            let own = |replica: &&mut Replica| {
                replica.id == id && matches!(&replica.state, State::Loading(other) if Arc::ptr_eq(other, job))
            };
            let Some(replica) = entry.replicas.iter_mut().find(own) else { return false };
            replica.state = state;
            *place = Arc::new(entry);
            true
        })
    }

    /// Notes what happened to a model.
    pub(super) fn note(&self, name: &str, text: impl Into<String>, is_error: bool) {
        self.history.note(name, Event { at_ms: now_ms(), text: text.into(), is_error });
    }

    /// Whether a model of that origin is there; for the rules of launching.
    pub(super) fn origin(&self, name: &str) -> Option<Origin> {
        self.shelf.load().entry(name).map(|entry| entry.planned.origin)
    }
}

fn sum(one: Activity, other: Activity) -> Activity {
    Activity {
        waiting_requests: one.waiting_requests + other.waiting_requests,
        running_sequences: one.running_sequences + other.running_sequences,
        kv_blocks_used: one.kv_blocks_used + other.kv_blocks_used,
        kv_blocks_max: one.kv_blocks_max + other.kv_blocks_max,
        generated_tokens: one.generated_tokens + other.generated_tokens,
        computed_prompt_tokens: one.computed_prompt_tokens + other.computed_prompt_tokens,
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
