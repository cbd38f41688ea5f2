//! A thread that takes what waits, as much as the model computes in one step.
//!
//! A step takes one input of each request in turn until it is full, so that a long request does not hold up a short one. A step that fails is
//! repeated for each request alone, and only those that fail again end; requests that nobody waits for any more are left out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::ThreadPool;
use tokio::sync::oneshot;

use crate::Refusal;
use crate::queue::{Queue, Waiting};

#[cfg(test)]
mod tests;

/// Longest wait for requests that are about to come.
pub const GATHER_MAX: Duration = Duration::from_millis(2);

/// What a model's thread does.
pub trait Compute: Send + 'static {
    /// What is asked.
    type Input: Send + Sync + 'static;

    /// What comes of it.
    type Output: Send + 'static;

    /// Why nothing comes of it.
    type Error: From<Refusal> + Clone + Send + 'static;

    /// Answers for inputs, as many and in their order; it may be asked for the same input again.
    ///
    /// # Errors
    /// When it fails for any of them.
    fn compute(&mut self, inputs: &[&Self::Input]) -> Result<Vec<Self::Output>, Self::Error>;

    /// How much of a step an input takes, at least 1.
    fn cost(_: &Self::Input) -> usize {
        1
    }

    /// Memory that an input takes while it waits, in the unit of [`Batching::weight_max`].
    fn weight(_: &Self::Input) -> usize {
        0
    }
}

/// How a model's requests are gathered.
#[derive(Clone, Copy, Debug)]
pub struct Batching {
    /// Cost of the inputs of a step; one input may pass it alone.
    pub step_cost_max: usize,
    /// Requests that are computed at the same time.
    pub running_max: usize,
    /// How long a step that is not full waits while requests of this model are being prepared; 0: not at all.
    pub gather: Duration,
    /// Requests that wait; more are refused.
    pub requests_max: usize,
    /// Weight of all that waits; more is refused.
    pub weight_max: usize,
    /// How long a request waits; then it is refused.
    pub wait_max: Duration,
}

/// Requests at a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Being computed.
    pub running: usize,
    /// Waiting for their turn, those that are being prepared included.
    pub waiting: usize,
    /// Cost of all that was computed so far.
    pub computed: u64,
}

/// The handle of a model's thread. Dropping it ends the thread, and frees the model, once the accepted requests are done.
#[derive(Debug)]
pub struct Batcher<I, O, E> {
    shared: Arc<Shared<I, O, E>>,
    weigh: fn(&I) -> usize,
}

/// A request that is being prepared: while it lives, a step that is not full waits a moment for it.
#[derive(Debug)]
pub struct Preparation<I, O, E> {
    shared: Arc<Shared<I, O, E>>,
    weigh: fn(&I) -> usize,
}

/// Outputs on their way, one an input, in the order of the inputs. Dropping it cancels the request before the next step.
#[derive(Debug)]
pub struct Answer<O, E>(oneshot::Receiver<Result<Vec<O>, E>>);

/// What the thread and its handles have in common.
#[derive(Debug)]
struct Shared<I, O, E> {
    queue: Queue<Job<I, O, E>>,
    preparing: AtomicUsize,
    computed: AtomicU64,
}

/// A request under way.
#[derive(Debug)]
struct Job<I, O, E> {
    inputs: Vec<I>,
    weight: usize,
    /// What is computed, in the order of the inputs.
    done: Vec<O>,
    sender: oneshot::Sender<Result<Vec<O>, E>>,
    /// When it was submitted; then when it was admitted.
    since: Instant,
}

impl<I, O, E> Job<I, O, E> {
    /// Inputs that are not computed yet.
    fn left(&self) -> &[I] {
        &self.inputs[self.done.len()..]
    }

    /// Gives the answer, or the failure; nobody needs to be there to take it.
    fn end(self, result: Result<(), E>) {
        let _ = self.sender.send(result.map(|()| self.done));
    }
}

impl<I, O, E> Waiting for Job<I, O, E> {
    fn is_cancelled(&self) -> bool {
        self.sender.is_closed()
    }

    fn submitted(&self) -> Instant {
        self.since
    }

    fn weight(&self) -> usize {
        self.weight
    }
}

impl<O, E: From<Refusal>> Answer<O, E> {
    /// Waits for the outputs.
    ///
    /// # Errors
    /// The request's own failure, or [`Refusal::Overloaded`] when it waited too long.
    pub async fn wait(self) -> Result<Vec<O>, E> {
        self.0.await.unwrap_or_else(|_| Err(lost().into()))
    }

    /// As [`Self::wait`], for threads that may block.
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub fn wait_blocking(self) -> Result<Vec<O>, E> {
        self.0.blocking_recv().unwrap_or_else(|_| Err(lost().into()))
    }
}

/// The thread ended without an answer.
fn lost() -> Refusal {
    Refusal::Failed("the model's thread has ended")
}

impl<I: Send + Sync + 'static, O: Send + 'static, E: From<Refusal> + Clone + Send + 'static> Batcher<I, O, E> {
    /// Starts the thread.
    ///
    /// * `pool`: who computes; the thread is one of the pool's while it computes, so every parallel region begins without a change of thread.
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    pub fn start<C: Compute<Input = I, Output = O, Error = E>>(
        name: &str,
        batching: Batching,
        pool: ThreadPool,
        compute: C,
    ) -> Result<Self, std::io::Error> {
        let queue = Queue::new(batching.requests_max, batching.weight_max);
        let shared = Arc::new(Shared { queue, preparing: AtomicUsize::new(0), computed: AtomicU64::new(0) });
        let worker = Worker { shared: Arc::clone(&shared), batching, compute, running: Vec::new() };
        std::thread::Builder::new().name(name.to_owned()).spawn(move || pool.install(|| worker.run()))?;
        Ok(Self { shared, weigh: C::weight })
    }

    /// Queues inputs and returns as soon as they wait.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] and [`Refusal::Closed`].
    pub fn submit(&self, inputs: Vec<I>) -> Result<Answer<O, E>, Refusal> {
        self.shared.submit(inputs, self.weigh)
    }

    /// Announces a request.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] and [`Refusal::Closed`], before any work is done.
    pub fn prepare(&self) -> Result<Preparation<I, O, E>, Refusal> {
        self.shared.queue.check_room(self.shared.preparing.load(Ordering::Relaxed))?;
        self.shared.preparing.fetch_add(1, Ordering::Relaxed);
        Ok(Preparation { shared: Arc::clone(&self.shared), weigh: self.weigh })
    }
}

impl<I, O, E> Batcher<I, O, E> {
    /// Requests at the model.
    pub fn activity(&self) -> Activity {
        Activity {
            running: self.shared.queue.running(),
            waiting: self.shared.queue.waiting() + self.shared.preparing.load(Ordering::Relaxed),
            computed: self.shared.computed.load(Ordering::Relaxed),
        }
    }

    /// Refuses requests from here on; those that were accepted are still computed.
    pub fn close(&self) {
        self.shared.queue.close();
    }
}

impl<I, O, E> Drop for Batcher<I, O, E> {
    fn drop(&mut self) {
        self.shared.queue.orphan();
    }
}

impl<I, O, E> Preparation<I, O, E> {
    /// Asks for the prepared inputs.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] and [`Refusal::Closed`].
    pub fn submit(self, inputs: Vec<I>) -> Result<Answer<O, E>, Refusal> {
        self.shared.submit(inputs, self.weigh)
    }
}

impl<I, O, E> Drop for Preparation<I, O, E> {
    fn drop(&mut self) {
        self.shared.preparing.fetch_sub(1, Ordering::Relaxed);
        // A step may be waiting for just this request.
        self.shared.queue.wake();
    }
}

impl<I, O, E> Shared<I, O, E> {
    fn submit(&self, inputs: Vec<I>, weigh: fn(&I) -> usize) -> Result<Answer<O, E>, Refusal> {
        let (sender, receiver) = oneshot::channel();
        let (weight, done) = (inputs.iter().map(weigh).sum(), Vec::with_capacity(inputs.len()));
        let job = Job { inputs, weight, done, sender, since: Instant::now() };
        if job.left().is_empty() {
            job.end(Ok(()));
        } else {
            self.queue.push(job)?;
        }
        Ok(Answer(receiver))
    }
}

/// The state of the thread.
struct Worker<C: Compute> {
    shared: Arc<Shared<C::Input, C::Output, C::Error>>,
    batching: Batching,
    compute: C,
    /// Requests under way.
    running: Vec<Job<C::Input, C::Output, C::Error>>,
}

impl<C: Compute> Worker<C> {
    /// Works until nobody can ask any more and every accepted request has ended.
    fn run(mut self) {
        loop {
            self.running.retain(|job| !job.is_cancelled());
            if self.running.is_empty() && !self.shared.queue.wait() {
                return;
            }
            self.gather();
            self.note_running();
            if !self.running.is_empty() {
                self.step();
            }
            self.note_running();
        }
    }

    fn note_running(&self) {
        self.shared.queue.note_running(self.running.len());
    }

    /// Admits who waits, while there is room; a step that is not full waits a moment for those that are being prepared.
    fn gather(&mut self) {
        let deadline = Instant::now() + self.batching.gather;
        loop {
            self.admit();
            let cost: usize = self.running.iter().flat_map(Job::left).map(C::cost).sum();
            let is_coming = cost > 0 && self.shared.preparing.load(Ordering::Relaxed) > 0;
            if cost >= self.batching.step_cost_max || !is_coming || !self.shared.queue.sleep_until(deadline) {
                return;
            }
        }
    }

    /// Admits who waits, while there is room; who has waited too long is refused.
    fn admit(&mut self) {
        let queue = &self.shared.queue;
        for job in queue.take_expired(self.batching.wait_max) {
            job.end(Err(Refusal::Overloaded { retry_after: queue.retry_after() }.into()));
        }
        while self.running.len() < self.batching.running_max.max(1) {
            let Some(mut job) = queue.pop_if(|_| true) else { return };
            job.since = Instant::now();
            self.running.push(job);
        }
    }

    /// Computes one step and ends the requests that are complete or have failed.
    fn step(&mut self) {
        let plan = self.plan();
        let mut failed: Vec<(usize, C::Error)> = Vec::new();
        match self.attempt(&plan) {
            Ok(outputs) => self.distribute(&plan, outputs),
            Err(error) if plan[0] == plan[plan.len() - 1] => failed.push((plan[0], error)),
            Err(_) => {
                for one in plan.chunk_by(|one, other| one == other) {
                    match self.attempt(one) {
                        Ok(outputs) => self.distribute(one, outputs),
                        Err(error) => failed.push((one[0], error)),
                    }
                }
            }
        }
        for index in (0..self.running.len()).rev() {
            let error = failed.iter().find(|(job, _)| *job == index).map(|(_, error)| error.clone());
            if error.is_some() || self.running[index].left().is_empty() {
                let job = self.running.remove(index);
                // Before the answer: whoever has it no longer counts.
                self.note_running();
                self.shared.queue.note_ended(job.since.elapsed());
                job.end(error.map_or(Ok(()), Err));
            }
        }
    }

    /// The request of each of the next inputs, those of one request together; at least one.
    fn plan(&self) -> Vec<usize> {
        let (mut plan, mut cost) = (Vec::new(), 0);
        'full: for round in 0.. {
            let before = plan.len();
            for (index, job) in self.running.iter().enumerate() {
                let Some(input) = job.left().get(round) else { continue };
                cost += C::cost(input);
                if !plan.is_empty() && cost > self.batching.step_cost_max {
                    break 'full;
                }
                plan.push(index);
            }
            if plan.len() == before {
                break;
            }
        }
        plan.sort_unstable();
        plan
    }

    /// Computes the next inputs of requests. A panic counts as a failure.
    fn attempt(&mut self, plan: &[usize]) -> Result<Vec<C::Output>, C::Error> {
        let mut inputs: Vec<&C::Input> = Vec::with_capacity(plan.len());
        for group in plan.chunk_by(|one, other| one == other) {
            inputs.extend(&self.running[group[0]].left()[..group.len()]);
        }
        let compute = &mut self.compute;
        let computed = catch_unwind(AssertUnwindSafe(|| compute.compute(&inputs)));
        let outputs = computed.unwrap_or_else(|_| Err(Refusal::Failed("the model panicked").into()))?;
        if outputs.len() != inputs.len() {
            return Err(Refusal::Failed("the model gave a wrong number of outputs").into());
        }
        let cost: usize = inputs.iter().map(|input| C::cost(input)).sum();
        self.shared.computed.fetch_add(cost as u64, Ordering::Relaxed);
        Ok(outputs)
    }

    /// Gives outputs to their requests.
    fn distribute(&mut self, plan: &[usize], outputs: Vec<C::Output>) {
        for (&index, output) in plan.iter().zip(outputs) {
            self.running[index].done.push(output);
        }
    }
}
