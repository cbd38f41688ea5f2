//! Bringing models into memory on threads of their own, and out of it when another needs the room.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mimus_engine::{LoadError, Model as EngineModel, Source};

use super::Loaded;
use super::catalog::{Catalog, now_ms};
use super::job::{Job, Stage};
use super::memory::{Reservation, shown};
use super::plan::Planned;
use super::shelf::{Entry, Lookup, State};
use crate::limits;

/// What finds and reads a model's files; replaced in tests.
pub type Read = dyn Reader;

/// See [`Read`]. All of it blocks.
pub trait Reader: Send + Sync {
    /// Brings the files to this machine, unless they are here. Reports how far it is, and ends early when nobody wants it.
    fn fetch(&self, planned: &Planned, job: &Job) -> Result<Source, Stop>;

    /// Checks that the files are whole and can be run, and tells how much memory the model takes at its most.
    fn measure(&self, planned: &Planned, source: &Source) -> Result<u64, LoadError>;

    /// Reads the weights.
    fn load(
        &self,
        planned: &Planned,
        source: Source,
        progress: &dyn Fn(u64, u64) -> ControlFlow<()>,
    ) -> Result<EngineModel, LoadError>;
}

/// Why a model does not come into memory.
#[derive(Debug)]
pub enum Stop {
    /// Nobody wants it any more.
    Cancelled,
    /// There is no room for it now.
    NoRoom(String),
    /// It cannot be had or read: why, without paths of this machine.
    Failed(String),
}

/// Who loads next: so many at once, the others wait.
#[derive(Default)]
pub(super) struct Turns {
    taken: Mutex<usize>,
    given_back: Condvar,
}

/// The right to load. Dropping it gives it to another.
struct Turn<'a>(&'a Turns);

impl Turns {
    /// Waits for a turn; none when nobody wants the model any more.
    fn take(&self, job: &Job) -> Option<Turn<'_>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken >= limits::MODELS_LOADING_MAX {
            if job.is_cancelled() {
                return None;
            }
            let wait = self.given_back.wait_timeout(taken, POLL);
            taken = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
        *taken += 1;
        Some(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.given_back.notify_one();
    }
}

/// How often a waiting load looks whether it is still wanted.
const POLL: Duration = Duration::from_millis(20);

/// Whether others may be taken out of memory for a model.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manners {
    /// It takes what is free. What does not fit stays idle until somebody asks for it.
    Modest,
    /// Somebody waits for it.
    Eager,
}

impl Catalog {
    /// Puts models on the shelf and loads them, the most deliberate first. What does not fit stays idle. Returns at once.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn load_all(self: &Arc<Self>, mut planned: Vec<Planned>) -> Result<(), String> {
        planned.sort_by_key(|model| model.origin);
        let entries: Vec<Entry> = planned.into_iter().map(|planned| Entry::new(Arc::new(planned), now_ms())).collect();
        self.update(|shelf| entries.iter().cloned().for_each(|entry| shelf.put(entry)));
        let jobs: VecDeque<_> = entries
            .iter()
            .flat_map(|entry| entry.jobs().map(|(id, job)| (entry.planned.clone(), id, job.clone())))
            .collect();
        let threads = jobs.len().min(limits::MODELS_LOADING_MAX);
        let queue = Arc::new(Mutex::new(jobs));
        for _ in 0..threads {
            let (catalog, queue) = (self.clone(), queue.clone());
            let work = move || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((planned, id, job)) = next else { return };
                    catalog.work(&planned, id, &job, Manners::Modest);
                }
            };
            thread(work).map_err(|error| format!("cannot load models: {error}"))?;
        }
        Ok(())
    }

    /// Loads a model that has just been put on the shelf, or the replicas of it that are new. Returns at once.
    pub(super) fn begin(self: &Arc<Self>, entry: &Entry, is_wanted: impl Fn(u32) -> bool) {
        for (id, job) in entry.jobs().filter(|(id, _)| is_wanted(*id)) {
            let (catalog, planned, own) = (self.clone(), entry.planned.clone(), job.clone());
            if let Err(error) = thread(move || catalog.work(&planned, id, &own, Manners::Eager)) {
                self.settle(&entry.planned.name, id, job, State::Failed(format!("no thread to load it: {error}")));
            }
        }
    }

    /// Brings an idle model back. Returns at once; nothing happens to one that is not idle.
    pub fn wake(self: &Arc<Self>, name: &str) {
        let woken = self.update(|shelf| {
            let name = shelf.entry(name)?.planned.name.clone();
            let place = shelf.models.get_mut(&name)?;
            if !matches!(place.lookup(), Lookup::Idle) {
                return None;
            }
            let mut entry = Entry::clone(place);
            for replica in entry.replicas.iter_mut().filter(|replica| matches!(replica.state, State::Idle)) {
                replica.state = State::Loading(Arc::default());
            }
            *place = Arc::new(entry);
            Some(place.clone())
        });
        if let Some(entry) = woken {
            self.note(&entry.planned.name, "it is loaded again", false);
            self.begin(&entry, |_| true);
        }
    }

    /// What stands behind a name, once it is no longer idle or on its way back; gives up after a bounded time.
    pub async fn get_awake(self: &Arc<Self>, name: &str) -> Lookup {
        let found = self.get(name);
        if !matches!(found, Lookup::Idle) {
            return found;
        }
        self.wake(name);
        let is_settled = |shelf: &super::shelf::Shelf| {
            shelf.entry(name).is_none_or(|entry| !matches!(entry.lookup(), Lookup::Loading(_)))
        };
        let wait = Duration::from_millis(limits::MODEL_WAKE_MS);
        // Past the bound the caller sees that it is still loading.
        let _ = tokio::time::timeout(wait, self.wait(is_settled)).await;
        self.get(name)
    }

    /// Loads one replica and says how it went.
    fn work(&self, planned: &Planned, id: u32, job: &Arc<Job>, manners: Manners) {
        let start = Instant::now();
        tracing::info!(model = planned.name, "a model is loading");
        // A panic on a hostile file costs that model, not the server.
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| self.bring(planned, job, manners)));
        let stop = match result {
            Ok(Ok(loaded)) => {
                let took_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
                if self.settle(&planned.name, id, job, State::Ready(loaded)) {
                    tracing::info!(model = planned.name, took_ms, "a model is ready");
                    self.note(&planned.name, format!("it is ready after {:.1} s", took_ms as f64 / 1e3), false);
                }
                return;
            }
            Ok(Err(stop)) => stop,
            Err(_) => Stop::Failed("loading it failed unexpectedly; the log says where".to_owned()),
        };
        let state = match stop {
            Stop::Cancelled => State::Failed("its launch was cancelled".to_owned()),
            Stop::NoRoom(reason) if manners == Manners::Modest => {
                tracing::warn!(model = planned.name, reason, "a model stays idle until it is asked for");
                State::Idle
            }
            Stop::NoRoom(reason) | Stop::Failed(reason) => {
                tracing::error!(model = planned.name, reason, "a model does not load");
                self.note(&planned.name, &*reason, true);
                State::Failed(reason)
            }
        };
        self.settle(&planned.name, id, job, state);
    }

    fn bring(&self, planned: &Planned, job: &Job, manners: Manners) -> Result<Loaded, Stop> {
        let failed = |error: LoadError| Stop::Failed(error.to_string());
        let source = self.read.fetch(planned, job)?;
        job.report(Stage::Waiting, 0, 0);
        let _turn = self.turns.take(job).ok_or(Stop::Cancelled)?;
        let bytes = self.read.measure(planned, &source).map_err(failed)?;
        let memory = self.room(planned, bytes, job, manners)?;
        let progress = |done, total| {
            job.report(Stage::Loading, done, total);
            if job.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let model = self.read.load(planned, source, &progress);
        if job.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        let requests = self.shelf().entry(&planned.name).and_then(|entry| entry.requests.clone());
        Ok(Loaded::new(planned, model.map_err(failed)?, now_ms() / 1000, requests, memory))
    }

    /// Memory for a model, taken from others where manners allow it. Waits a bounded time for models in use.
    fn room(&self, planned: &Planned, bytes: u64, job: &Job, manners: Manners) -> Result<Reservation, Stop> {
        let (max, needs) = (self.memory.bytes_max(), shown(bytes));
        if bytes > max {
            let all = shown(max);
            return Err(Stop::Failed(format!(
                "it needs {needs} of memory, and all models together may take {all}: choose smaller weights, a shorter context, or raise memory_mib in [engine]"
            )));
        }
        let start = Instant::now();
        loop {
            if let Some(memory) = self.memory.reserve(bytes) {
                return Ok(memory);
            }
            let free = shown(max.saturating_sub(self.memory.used()));
            if manners == Manners::Modest {
                return Err(Stop::NoRoom(format!("it needs {needs} of memory, {free} are free")));
            }
            if job.is_cancelled() {
                return Err(Stop::Cancelled);
            }
            if self.evict(&planned.name) {
                continue;
            }
            if start.elapsed() > Duration::from_millis(limits::MODEL_ROOM_WAIT_MS) {
                return Err(Stop::NoRoom(format!(
                    "it needs {needs} of memory, {free} are free, and the other models are pinned or in use: try again later, or terminate one"
                )));
            }
            std::thread::sleep(POLL);
        }
    }

    /// Takes the model out of memory that nobody has asked for the longest. False when all others are pinned or in use.
    fn evict(&self, except: &str) -> bool {
        let is_free = |entry: &Entry| {
            let name = &entry.planned.name;
            let mut ready = entry.ready().peekable();
            let has_any = ready.peek().is_some();
            name != except && !entry.planned.is_pinned && has_any && !ready.any(Loaded::is_in_use)
        };
        let evicted = self.update(|shelf| {
            let candidates = shelf.models.values().filter(|entry| is_free(entry));
            let name = candidates.min_by_key(|entry| entry.used_ms())?.planned.name.clone();
            let place = shelf.models.get_mut(&name)?;
            let before = place.clone();
            let mut entry = Entry::clone(place);
            for replica in entry.replicas.iter_mut().filter(|replica| matches!(replica.state, State::Ready(_))) {
                replica.state = State::Idle;
            }
            *place = Arc::new(entry);
            Some(before)
        });
        let Some(entry) = evicted else { return false };
        tracing::info!(model = entry.planned.name, "a model leaves memory for another");
        self.note(&entry.planned.name, "it left memory for another model", false);
        true
    }
}

fn thread(work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name("load".into()).spawn(work).map(drop)
}
