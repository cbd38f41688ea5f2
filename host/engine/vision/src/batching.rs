//! Requests of a model run together: one thread takes what waits, as much as the model computes at once.
//!
//! A batch that fails is repeated one by one, so that only the bad picture's request fails; requests that nobody waits for any more are
//! left out. What an item is and how it is computed is the model's business.

mod queue;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::error::VisionError;
use queue::{Job, Queue};

/// Longest wait for requests that are about to come.
pub const GATHER_MAX: Duration = Duration::from_millis(2);

/// How a model's requests are gathered.
#[derive(Clone, Copy, Debug)]
pub struct Batching {
    /// Items that are computed at once.
    pub items_max: usize,
    /// How long a batch that is not full waits while requests of this model are being prepared; 0: not at all.
    pub gather: Duration,
    /// Requests that wait; more are refused.
    pub requests_max: usize,
    /// How long a request waits; then it is refused.
    pub wait_max: Duration,
}

impl Default for Batching {
    fn default() -> Self {
        Self { items_max: 8, gather: GATHER_MAX, requests_max: 256, wait_max: Duration::from_secs(30) }
    }
}

/// Requests at a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Being computed.
    pub running: usize,
    /// Waiting for their turn.
    pub waiting: usize,
}

/// A thread that computes items of many requests together.
///
/// Dropping it ends the thread once the accepted requests are done.
#[derive(Debug)]
pub struct Batcher<I, O> {
    queue: Arc<Queue<I, O>>,
    preparing: Arc<AtomicUsize>,
}

/// A request that is being prepared: while it lives, a batch that is not full waits a moment for it.
#[derive(Debug)]
pub struct Preparation<I, O> {
    queue: Arc<Queue<I, O>>,
    preparing: Arc<AtomicUsize>,
}

impl<I: Send + 'static, O: Send + 'static> Batcher<I, O> {
    /// Starts the thread.
    ///
    /// * `compute`: answers for items, as many and in their order; it may be asked for the same item again.
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    pub fn start(
        name: &str,
        batching: Batching,
        compute: impl Fn(&[&I]) -> Result<Vec<O>, VisionError> + Send + 'static,
    ) -> Result<Self, std::io::Error> {
        let queue = Arc::new(Queue::new(batching.requests_max));
        let preparing = Arc::new(AtomicUsize::new(0));
        let worker = Worker { queue: Arc::clone(&queue), preparing: Arc::clone(&preparing), batching, compute };
        std::thread::Builder::new().name(name.to_owned()).spawn(move || worker.run())?;
        Ok(Self { queue, preparing })
    }

    /// Announces a request.
    ///
    /// # Errors
    /// [`VisionError::Overloaded`] and [`VisionError::ShuttingDown`], before any work is done.
    pub fn prepare(&self) -> Result<Preparation<I, O>, VisionError> {
        self.queue.check_room(self.preparing.load(Ordering::Relaxed))?;
        self.preparing.fetch_add(1, Ordering::Relaxed);
        Ok(Preparation { queue: Arc::clone(&self.queue), preparing: Arc::clone(&self.preparing) })
    }

    /// Requests at the model.
    pub fn activity(&self) -> Activity {
        Activity {
            running: self.queue.running(),
            waiting: self.queue.waiting() + self.preparing.load(Ordering::Relaxed),
        }
    }

    /// Refuses requests from here on; those that were accepted are still computed.
    pub fn close(&self) {
        self.queue.close();
    }
}

impl<I, O> Drop for Batcher<I, O> {
    fn drop(&mut self) {
        self.queue.orphan();
    }
}

impl<I, O> Preparation<I, O> {
    /// Asks for the prepared items; dropping what comes back gives the request up.
    ///
    /// # Errors
    /// [`VisionError::Overloaded`] and [`VisionError::ShuttingDown`]; through the receiver also [`VisionError::Failed`].
    pub fn submit(self, items: Vec<I>) -> Result<oneshot::Receiver<Result<Vec<O>, VisionError>>, VisionError> {
        let (sender, receiver) = oneshot::channel();
        let job = Job::new(items, sender);
        if job.left() == 0 {
            job.end(Ok(()));
        } else {
            self.queue.push(job)?;
        }
        Ok(receiver)
    }
}

impl<I, O> Drop for Preparation<I, O> {
    fn drop(&mut self) {
        self.preparing.fetch_sub(1, Ordering::Relaxed);
        // A batch may be waiting for just this request.
        self.queue.wake();
    }
}

/// The state of the thread.
struct Worker<I, O, C> {
    queue: Arc<Queue<I, O>>,
    preparing: Arc<AtomicUsize>,
    batching: Batching,
    compute: C,
}

impl<I: Send, O: Send, C: Fn(&[&I]) -> Result<Vec<O>, VisionError>> Worker<I, O, C> {
    /// Works until nobody can ask any more and every accepted request has ended.
    fn run(self) {
        let mut running: Vec<Job<I, O>> = Vec::new();
        loop {
            running.retain(|job| !job.is_cancelled());
            if running.is_empty() && !self.queue.wait() {
                return;
            }
            self.admit(&mut running);
            self.queue.note_running(running.len());
            if !running.is_empty() {
                self.step(&mut running);
            }
            self.queue.note_running(running.len());
        }
    }

    /// Takes as many requests as a batch has places; an unfilled one waits a moment for those that are being prepared.
    fn admit(&self, running: &mut Vec<Job<I, O>>) {
        let items_max = self.batching.items_max.max(1);
        let deadline = Instant::now() + self.batching.gather;
        loop {
            while running.len() < items_max {
                let Some(job) = self.queue.pop() else { break };
                if job.submitted.elapsed() > self.batching.wait_max {
                    let retry_after = self.queue.retry_after();
                    job.end(Err(VisionError::Overloaded { retry_after }));
                } else {
                    running.push(job);
                }
            }
            let items: usize = running.iter().map(Job::left).sum();
            let is_coming = items > 0 && self.preparing.load(Ordering::Relaxed) > 0;
            if items >= items_max || !is_coming || !self.queue.wait_until(deadline) {
                return;
            }
        }
    }

    /// Computes one batch and ends the requests that are complete or have failed.
    fn step(&self, running: &mut Vec<Job<I, O>>) {
        // Requests take turns by their items, so that a long one does not hold up a short one.
        let most = self.batching.items_max.max(1);
        let mut plan: Vec<usize> = Vec::new();
        for round in 0.. {
            let before = plan.len();
            let jobs = running.iter().enumerate().filter(|(_, job)| job.left() > round).map(|(index, _)| index);
            plan.extend(jobs.take(most - plan.len()));
            if plan.len() == before || plan.len() == most {
                break;
            }
        }
        plan.sort_unstable();
        let mut failed: Vec<(usize, VisionError)> = Vec::new();
        match self.attempt(running, &plan) {
            Ok(outputs) => distribute(running, &plan, outputs),
            Err(error) if plan.len() == 1 => failed.push((plan[0], error)),
            Err(_) => {
                for &index in &plan {
                    if failed.iter().any(|(job, _)| *job == index) {
                        continue;
                    }
                    match self.attempt(running, &[index]) {
                        Ok(outputs) => distribute(running, &[index], outputs),
                        Err(error) => failed.push((index, error)),
                    }
                }
            }
        }
        for index in (0..running.len()).rev() {
            let error = failed.iter().find(|(job, _)| *job == index).map(|(_, error)| error.clone());
            if error.is_some() || running[index].left() == 0 {
                let job = running.remove(index);
                // Before the answer: whoever has it no longer counts.
                self.queue.note_running(running.len());
                self.queue.note_ended(job.submitted.elapsed());
                job.end(error.map_or(Ok(()), Err));
            }
        }
    }

    /// Computes the next items of requests; `plan` names the request of each, those of one request together.
    fn attempt(&self, running: &[Job<I, O>], plan: &[usize]) -> Result<Vec<O>, VisionError> {
        let mut items = Vec::with_capacity(plan.len());
        for group in plan.chunk_by(|one, other| one == other) {
            items.extend(running[group[0]].next(group.len()));
        }
        let outputs = catch_unwind(AssertUnwindSafe(|| (self.compute)(&items)))
            .unwrap_or_else(|_| Err(VisionError::Failed("the network gave up on this picture".to_owned())))?;
        if outputs.len() != items.len() {
            let (given, asked) = (outputs.len(), items.len());
            return Err(VisionError::Failed(format!("the network answered {given} of {asked} pictures")));
        }
        Ok(outputs)
    }
}

/// Gives outputs to their requests.
fn distribute<I, O>(running: &mut [Job<I, O>], plan: &[usize], outputs: Vec<O>) {
    for (&index, output) in plan.iter().zip(outputs) {
        running[index].done.push(output);
    }
}
