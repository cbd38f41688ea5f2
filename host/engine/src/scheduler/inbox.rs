//! The bounded queue between those who submit and the scheduler's thread.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::sequence::Ticket;
use crate::error::EngineError;

/// A request on its way to a slot.
pub(crate) struct Job {
    /// The request, and where its answer goes.
    pub(crate) ticket: Arc<Ticket>,
    /// When it was submitted.
    pub(crate) submitted: Instant,
}

/// Requests that wait, and what tells the scheduler to look at them.
pub(crate) struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
    requests_max: usize,
    /// What the scheduler tells the outside.
    pub(crate) counters: Counters,
}

/// What is behind the lock; it is held for moves only, never while computing.
#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Something happened since the scheduler last looked.
    is_woken: bool,
    /// No more requests are accepted.
    is_closed: bool,
    /// Nobody can submit any more; the scheduler ends when it is done.
    is_orphaned: bool,
}

/// Numbers for metrics.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Sequences with a slot, or set aside.
    pub(crate) running_sequences: AtomicUsize,
    /// Blocks with a holder.
    pub(crate) kv_blocks_used: AtomicUsize,
    /// Tokens generated.
    pub(crate) generated_tokens: AtomicU64,
    /// Prompt tokens computed.
    pub(crate) computed_prompt_tokens: AtomicU64,
    /// Requests that ended, and the time they held a slot in microseconds, for [`Inbox::retry_after`].
    ended_requests: AtomicU64,
    busy_us: AtomicU64,
}

impl Inbox {
    /// An empty inbox for at most `requests_max` waiting requests.
    pub(crate) fn new(requests_max: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), requests_max, counters: Counters::default() }
    }

    /// Queues a request.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`] when the queue is full, [`EngineError::ShuttingDown`] when it is closed.
    pub(crate) fn push(&self, job: Job) -> Result<(), EngineError> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(EngineError::ShuttingDown);
        }
        if state.jobs.len() >= self.requests_max {
            // Those who left while they waited make room.
            state.jobs.retain(|job| !job.ticket.is_cancelled());
        }
        if state.jobs.len() >= self.requests_max {
            let waiting = state.jobs.len();
            drop(state);
            return Err(EngineError::Overloaded { retry_after: self.retry_after(waiting) });
        }
        state.jobs.push_back(job);
        state.is_woken = true;
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Has the scheduler look around.
    pub(crate) fn wake(&self) {
        self.lock().is_woken = true;
        self.changed.notify_one();
    }

    /// Refuses requests from here on.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
    }

    /// The model's last handle is gone.
    pub(crate) fn orphan(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.is_orphaned = true;
        state.is_woken = true;
        drop(state);
        self.changed.notify_one();
    }

    /// Requests that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Takes the first request if `fits` says so.
    pub(super) fn pop_if(&self, fits: impl FnOnce(&Job) -> bool) -> Option<Job> {
        let mut state = self.lock();
        if fits(state.jobs.front()?) { state.jobs.pop_front() } else { None }
    }

    /// Takes out the requests that were cancelled or have waited longer than `wait_max`, and returns the latter.
    pub(super) fn take_expired(&self, wait_max: Duration) -> Vec<Job> {
        let mut state = self.lock();
        state.jobs.retain(|job| !job.ticket.is_cancelled());
        let mut expired = Vec::new();
        while state.jobs.front().is_some_and(|job| job.submitted.elapsed() > wait_max) {
            expired.extend(state.jobs.pop_front());
        }
        expired
    }

    /// Sleeps until something happens, or for `look_after` while there is something to look after.
    /// False: the model is gone and nothing is left to do.
    pub(super) fn wait(&self, has_work: bool, look_after: Duration) -> bool {
        let mut state = self.lock();
        while !state.is_woken {
            if has_work || !state.jobs.is_empty() {
                let waited = self.changed.wait_timeout(state, look_after);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                break;
            }
            if state.is_orphaned {
                return false;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_woken = false;
        !(state.is_orphaned && !has_work && state.jobs.is_empty())
    }

    /// Takes note of a request that held a slot for `held`.
    pub(super) fn note_ended(&self, held: Duration) {
        let micros = u64::try_from(held.as_micros()).unwrap_or(u64::MAX);
        self.counters.ended_requests.fetch_add(1, Ordering::Relaxed);
        self.counters.busy_us.fetch_add(micros, Ordering::Relaxed);
    }

    /// When a request that is refused now may find room: the time in which a share of the queue is served.
    pub(super) fn retry_after(&self, waiting: usize) -> Duration {
        let ended = self.counters.ended_requests.load(Ordering::Relaxed).max(1);
        let mean_us = self.counters.busy_us.load(Ordering::Relaxed) / ended;
        let running = self.counters.running_sequences.load(Ordering::Relaxed).max(1) as u64;
        let micros = mean_us.saturating_mul(waiting as u64 / 4 + 1) / running;
        Duration::from_micros(micros).clamp(Duration::from_secs(1), Duration::from_secs(30))
    }

    /// The state; a thread that panicked while it held the lock left it whole, as every change is one move.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
