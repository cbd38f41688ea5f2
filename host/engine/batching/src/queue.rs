//! The bounded queue between those who ask and the thread that computes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Refusal;

/// A request in a queue.
pub trait Waiting {
    /// Whether nobody waits for it any more.
    fn is_cancelled(&self) -> bool;

    /// When it was asked.
    fn submitted(&self) -> Instant;

    /// Memory that it takes, in units of the model's choice.
    fn weight(&self) -> usize {
        0
    }
}

/// Requests that wait, and what wakes the thread.
#[derive(Debug)]
pub struct Queue<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
    requests_max: usize,
    weight_max: usize,
    running: AtomicUsize,
    /// Requests that ended, and the time they were computed in microseconds, for [`Queue::retry_after`].
    ended: AtomicU64,
    busy_us: AtomicU64,
}

/// What is behind the lock; it is held for moves only, never while computing.
#[derive(Debug)]
struct State<J> {
    jobs: VecDeque<J>,
    weight: usize,
    /// Something happened since the thread last slept.
    is_woken: bool,
    is_closed: bool,
    /// Nobody can ask any more; the thread ends when it is done.
    is_orphaned: bool,
}

impl<J: Waiting> Queue<J> {
    /// An empty queue for at most `requests_max` waiting requests of at most `weight_max` together.
    pub fn new(requests_max: usize, weight_max: usize) -> Self {
        let jobs = VecDeque::new();
        Self {
            state: Mutex::new(State { jobs, weight: 0, is_woken: false, is_closed: false, is_orphaned: false }),
            changed: Condvar::new(),
            requests_max,
            weight_max,
            running: AtomicUsize::new(0),
            ended: AtomicU64::new(0),
            busy_us: AtomicU64::new(0),
        }
    }

    /// Whether one more request would be taken, when `coming` are on their way.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] when the queue is full, [`Refusal::Closed`] when it is closed.
    pub fn check_room(&self, coming: usize) -> Result<(), Refusal> {
        self.admit(&mut self.lock(), coming, 0)
    }

    /// Queues a request.
    ///
    /// # Errors
    /// As [`Self::check_room`].
    pub fn push(&self, job: J) -> Result<(), Refusal> {
        let mut state = self.lock();
        self.admit(&mut state, 0, job.weight())?;
        state.weight += job.weight();
        state.jobs.push_back(job);
        self.rouse(state);
        Ok(())
    }

    fn admit(&self, state: &mut State<J>, coming: usize, weight: usize) -> Result<(), Refusal> {
        if state.is_closed {
            return Err(Refusal::Closed);
        }
        let has_room = |state: &State<J>| {
            state.jobs.len() + coming < self.requests_max && state.weight.saturating_add(weight) <= self.weight_max
        };
        if !has_room(state) {
            // Those who left while they waited make room.
            state.drop_cancelled();
        }
        if has_room(state) {
            return Ok(());
        }
        Err(Refusal::Overloaded { retry_after: self.retry_after_of(state.jobs.len()) })
    }

    /// Refuses requests from here on.
    pub fn close(&self) {
        self.lock().is_closed = true;
    }

    /// Nobody can ask any more.
    pub fn orphan(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.is_orphaned = true;
        self.rouse(state);
    }

    /// Has the thread look around.
    pub fn wake(&self) {
        self.rouse(self.lock());
    }

    /// Requests that wait.
    pub fn waiting(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Requests that are computed.
    pub fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Takes note of how many requests are computed.
    pub fn note_running(&self, count: usize) {
        self.running.store(count, Ordering::Relaxed);
    }

    /// Takes note of a request that was computed for `took`.
    pub fn note_ended(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.busy_us.fetch_add(micros, Ordering::Relaxed);
    }

    /// Takes the first request if `fits` says so.
    pub fn pop_if(&self, fits: impl FnOnce(&J) -> bool) -> Option<J> {
        let mut state = self.lock();
        if fits(state.jobs.front()?) { state.pop() } else { None }
    }

    /// Drops the requests that were cancelled and takes out those that have waited longer than `wait_max`.
    pub fn take_expired(&self, wait_max: Duration) -> Vec<J> {
        let mut state = self.lock();
        state.drop_cancelled();
        let mut expired = Vec::new();
        while state.jobs.front().is_some_and(|job| job.submitted().elapsed() > wait_max) {
            expired.extend(state.pop());
        }
        expired
    }

    /// Sleeps until a request waits. False: nobody can ask any more.
    pub fn wait(&self) -> bool {
        let mut state = self.lock();
        while state.jobs.is_empty() {
            if state.is_orphaned {
                return false;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        true
    }

    /// Sleeps until something happens, or happened since the last time, or the deadline is over. False: it is over.
    pub fn sleep_until(&self, deadline: Instant) -> bool {
        let mut state = self.lock();
        while !state.is_woken {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.is_woken = false;
        true
    }

    /// When a request that is refused now may find room: the time in which a share of the queue is served.
    pub fn retry_after(&self) -> Duration {
        self.retry_after_of(self.waiting())
    }

    fn retry_after_of(&self, waiting: usize) -> Duration {
        let mean_us = self.busy_us.load(Ordering::Relaxed) / self.ended.load(Ordering::Relaxed).max(1);
        let running = self.running().max(1) as u64;
        let micros = mean_us.saturating_mul(waiting as u64 / 4 + 1) / running;
        Duration::from_micros(micros).clamp(Duration::from_secs(1), Duration::from_secs(30))
    }

    /// Gives the state back and has the thread look at it.
    fn rouse(&self, mut state: MutexGuard<'_, State<J>>) {
        state.is_woken = true;
        drop(state);
        self.changed.notify_one();
    }

    /// The state; a thread that panicked while it held the lock left it whole.
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J: Waiting> State<J> {
    /// Takes out the first request.
    fn pop(&mut self) -> Option<J> {
        let job = self.jobs.pop_front()?;
        self.weight -= job.weight();
        Some(job)
    }

    /// Leaves out those that nobody waits for.
    fn drop_cancelled(&mut self) {
        self.jobs.retain(|job| !job.is_cancelled());
        self.weight = self.jobs.iter().map(Waiting::weight).sum();
    }
}
