//! The bounded queue between those who ask and the thread that computes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Input, Output, Text};
use crate::error::EngineError;
use crate::limits;

/// A request under way.
pub(super) struct Job<F, I = Text> {
    pub(super) inputs: Vec<I>,
    /// What it asks of the head.
    pub(super) form: F,
    /// What is computed, in the order of the inputs.
    pub(super) done: Vec<Output>,
    /// Memory of all inputs, in units of 4 bytes.
    words: usize,
    sender: oneshot::Sender<Result<Vec<Output>, EngineError>>,
    pub(super) submitted: Instant,
}

/// Requests that wait.
pub(super) struct Queue<F, I = Text> {
    state: Mutex<State<F, I>>,
    changed: Condvar,
    requests_max: usize,
    /// What the thread tells the outside.
    pub(super) counters: Counters,
}

/// What is behind the lock; it is held for moves only, never while computing.
struct State<F, I> {
    jobs: VecDeque<Job<F, I>>,
    /// Memory of all jobs, in units of 4 bytes.
    words: usize,
    is_closed: bool,
    /// Nobody can ask any more; the thread ends when it is done.
    is_orphaned: bool,
}

/// Numbers for metrics.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) running_requests: AtomicUsize,
    pub(super) computed_tokens: AtomicU64,
    /// Requests that ended, and the time they took in microseconds, for [`Queue::retry_after`].
    ended_requests: AtomicU64,
    busy_us: AtomicU64,
}

impl<F, I: Input> Job<F, I> {
    pub(super) fn new(
        inputs: Vec<I>,
        form: F,
        sender: oneshot::Sender<Result<Vec<Output>, EngineError>>,
        submitted: Instant,
    ) -> Self {
        let words = inputs.iter().map(Input::words).sum();
        Self { done: Vec::with_capacity(inputs.len()), inputs, form, words, sender, submitted }
    }
}

impl<F, I> Job<F, I> {
    /// Whether nobody waits for it any more.
    pub(super) fn is_cancelled(&self) -> bool {
        self.sender.is_closed()
    }

    /// Gives the answer, or the failure; nobody needs to be there to take it.
    pub(super) fn end(self, result: Result<(), EngineError>) {
        let _ = self.sender.send(result.map(|()| self.done));
    }
}

impl<F, I> Queue<F, I> {
    /// An empty queue for at most `requests_max` waiting requests.
    pub(super) fn new(requests_max: usize) -> Self {
        let state = State { jobs: VecDeque::new(), words: 0, is_closed: false, is_orphaned: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), requests_max, counters: Counters::default() }
    }

    /// Queues a request.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`] when the queue is full, [`EngineError::ShuttingDown`] when it is closed.
    pub(super) fn push(&self, job: Job<F, I>) -> Result<(), EngineError> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(EngineError::ShuttingDown);
        }
        if !state.has_room(self.requests_max, job.words) {
            // Those who left while they waited make room.
            state.jobs.retain(|job| !job.is_cancelled());
            state.words = state.jobs.iter().map(|job| job.words).sum();
        }
        if !state.has_room(self.requests_max, job.words) {
            let waiting = state.jobs.len();
            drop(state);
            return Err(EngineError::Overloaded { retry_after: self.retry_after(waiting) });
        }
        state.words += job.words;
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Refuses requests from here on.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
    }

    /// The model's last handle is gone.
    pub(super) fn orphan(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.is_orphaned = true;
        drop(state);
        self.changed.notify_one();
    }

    /// Requests that wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Takes the first request that somebody still waits for.
    pub(super) fn pop(&self) -> Option<Job<F, I>> {
        let mut state = self.lock();
        loop {
            let job = state.jobs.pop_front()?;
            state.words -= job.words;
            if !job.is_cancelled() {
                return Some(job);
            }
        }
    }

    /// Sleeps until a request waits. False: the model is gone.
    pub(super) fn wait(&self) -> bool {
        let mut state = self.lock();
        while state.jobs.is_empty() {
            if state.is_orphaned {
                return false;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        true
    }

    /// Takes note of a request that ended `took` after it was admitted.
    pub(super) fn note_ended(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.counters.ended_requests.fetch_add(1, Ordering::Relaxed);
        self.counters.busy_us.fetch_add(micros, Ordering::Relaxed);
    }

    /// When a request that is refused now may find room: the time in which a share of the queue is served.
    pub(super) fn retry_after(&self, waiting: usize) -> Duration {
        let ended = self.counters.ended_requests.load(Ordering::Relaxed).max(1);
        let mean_us = self.counters.busy_us.load(Ordering::Relaxed) / ended;
        let running = self.counters.running_requests.load(Ordering::Relaxed).max(1) as u64;
        let micros = mean_us.saturating_mul(waiting as u64 / 4 + 1) / running;
        Duration::from_micros(micros).clamp(Duration::from_secs(1), Duration::from_secs(30))
    }

    /// The state; a thread that panicked while it held the lock left it whole.
    fn lock(&self) -> MutexGuard<'_, State<F, I>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F, I> State<F, I> {
    /// Whether one more request of `words` times 4 bytes fits.
    fn has_room(&self, requests_max: usize, words: usize) -> bool {
        self.jobs.len() < requests_max && self.words + words <= limits::EMBED_QUEUE_TOKENS_MAX
    }
}
