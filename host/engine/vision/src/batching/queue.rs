//! The bounded queue between those who ask and the thread that computes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::error::VisionError;

/// A request under way.
#[derive(Debug)]
pub(super) struct Job<I, O> {
    items: Vec<I>,
    /// What is computed, in the order of the items.
    pub(super) done: Vec<O>,
    sender: oneshot::Sender<Result<Vec<O>, VisionError>>,
    pub(super) submitted: Instant,
}

/// Requests that wait.
#[derive(Debug)]
pub(super) struct Queue<I, O> {
    state: Mutex<State<I, O>>,
    changed: Condvar,
    requests_max: usize,
    running: AtomicUsize,
    /// Requests that ended, and the time they took in microseconds, for [`Queue::retry_after`].
    ended: AtomicU64,
    busy_us: AtomicU64,
}

/// What is behind the lock; it is held for moves only, never while computing.
#[derive(Debug)]
struct State<I, O> {
    jobs: VecDeque<Job<I, O>>,
    is_closed: bool,
    /// Nobody can ask any more; the thread ends when it is done.
    is_orphaned: bool,
}

impl<I, O> Job<I, O> {
    pub(super) fn new(items: Vec<I>, sender: oneshot::Sender<Result<Vec<O>, VisionError>>) -> Self {
        Self { done: Vec::with_capacity(items.len()), items, sender, submitted: Instant::now() }
    }

    /// Items that are not computed yet.
    pub(super) fn left(&self) -> usize {
        self.items.len() - self.done.len()
    }

    /// The next items.
    pub(super) fn next(&self, count: usize) -> impl Iterator<Item = &I> {
        self.items[self.done.len()..].iter().take(count)
    }

    /// Whether nobody waits for it any more.
    pub(super) fn is_cancelled(&self) -> bool {
        self.sender.is_closed()
    }

    /// Gives the answer, or the failure; nobody needs to be there to take it.
    pub(super) fn end(self, result: Result<(), VisionError>) {
        let _ = self.sender.send(result.map(|()| self.done));
    }
}

impl<I, O> Queue<I, O> {
    /// An empty queue for at most `requests_max` waiting requests.
    pub(super) fn new(requests_max: usize) -> Self {
        Self {
            state: Mutex::new(State { jobs: VecDeque::new(), is_closed: false, is_orphaned: false }),
            changed: Condvar::new(),
            requests_max,
            running: AtomicUsize::new(0),
            ended: AtomicU64::new(0),
            busy_us: AtomicU64::new(0),
        }
    }

    /// Whether one more request would be taken, when `coming` are on their way.
    ///
    /// # Errors
    /// [`VisionError::Overloaded`] when the queue is full, [`VisionError::ShuttingDown`] when it is closed.
    pub(super) fn check_room(&self, coming: usize) -> Result<(), VisionError> {
        self.admit(&mut self.lock(), coming)
    }

    /// Queues a request.
    ///
    /// # Errors
    /// The same.
    pub(super) fn push(&self, job: Job<I, O>) -> Result<(), VisionError> {
        let mut state = self.lock();
        self.admit(&mut state, 0)?;
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    fn admit(&self, state: &mut State<I, O>, coming: usize) -> Result<(), VisionError> {
        if state.is_closed {
            return Err(VisionError::ShuttingDown);
        }
        if state.jobs.len() + coming >= self.requests_max {
            // Those who left while they waited make room.
            state.jobs.retain(|job| !job.is_cancelled());
        }
        if state.jobs.len() + coming >= self.requests_max {
            return Err(VisionError::Overloaded { retry_after: self.retry_after_of(state.jobs.len()) });
        }
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

    /// Lets the thread look again.
    pub(super) fn wake(&self) {
        // Taken and given back, so that the thread is either before its look or asleep.
        drop(self.lock());
        self.changed.notify_one();
    }

    /// Requests that wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Requests that are computed.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    pub(super) fn note_running(&self, count: usize) {
        self.running.store(count, Ordering::Relaxed);
    }

    /// Takes the first request that somebody still waits for.
    pub(super) fn pop(&self) -> Option<Job<I, O>> {
        let mut state = self.lock();
        loop {
            let job = state.jobs.pop_front()?;
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

    /// Sleeps until something changes or the deadline is over. False: it is over, or nobody can ask any more.
    pub(super) fn wait_until(&self, deadline: Instant) -> bool {
        let state = self.lock();
        if !state.jobs.is_empty() {
            return true;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || state.is_orphaned {
            return false;
        }
        let (_state, timeout) = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out()
    }

    /// Takes note of a request that ended `took` after it was queued.
    pub(super) fn note_ended(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.busy_us.fetch_add(micros, Ordering::Relaxed);
    }

    /// When a request that is refused now may find room: the time in which a share of the queue is served.
    pub(super) fn retry_after(&self) -> Duration {
        self.retry_after_of(self.waiting())
    }

    fn retry_after_of(&self, waiting: usize) -> Duration {
        let mean_us = self.busy_us.load(Ordering::Relaxed) / self.ended.load(Ordering::Relaxed).max(1);
        let running = self.running().max(1) as u64;
        let micros = mean_us.saturating_mul(waiting as u64 / 4 + 1) / running;
        Duration::from_micros(micros).clamp(Duration::from_secs(1), Duration::from_secs(30))
    }

    /// The state; a thread that panicked while it held the lock left it whole.
    fn lock(&self) -> MutexGuard<'_, State<I, O>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
