//! Models that read whole texts or pictures: one thread a model computes the inputs of all callers together.
//!
//! What a text's rows become is a [`Head`]'s: a vector or a score. Nothing here knows which.

pub(crate) mod dense;
mod queue;
mod scheduler;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use rayon::ThreadPool;
use tokio::sync::oneshot;

use queue::{Job, Queue};
use scheduler::Scheduler;
pub(crate) use scheduler::{EncoderForward, Forward, Head, in_groups};

use crate::error::{EngineError, LoadError};
use crate::load::LoadOptions;
use crate::text_model::Activity;

/// What a model's thread computes.
pub(crate) trait Input: Send + Sync + 'static {
    /// Rows that go through the model, at least 1.
    fn rows(&self) -> usize;

    /// Memory that it takes while it waits, in units of 4 bytes.
    fn words(&self) -> usize;

    /// Whether there was more of it.
    fn is_truncated(&self) -> bool;
}

/// An input as the encoder takes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Text {
    /// Token ids, at least one.
    pub(crate) ids: Vec<u32>,
    /// The token type of each id; empty where all are 0.
    pub(crate) types: Vec<u32>,
    /// How many of the ids are the prompt, a special token before it included.
    pub(crate) prompt_tokens: usize,
    /// Whether there were more.
    pub(crate) is_truncated: bool,
}

impl Input for Text {
    fn rows(&self) -> usize {
        self.ids.len()
    }

    fn words(&self) -> usize {
        self.ids.len()
    }

    fn is_truncated(&self) -> bool {
        self.is_truncated
    }
}

/// What came of one input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Output {
    /// What the head made of it.
    pub(crate) numbers: Vec<f32>,
    /// Rows that were computed: tokens, or parts of a picture.
    pub(crate) tokens: u32,
    /// Whether there was more of the input.
    pub(crate) is_truncated: bool,
}

/// The handle of a model's thread. Dropping it lets accepted requests finish, then ends the thread and frees the memory.
///
/// `F`: what a request asks of the model; `I`: what it computes.
pub(crate) struct Service<F, I = Text> {
    queue: Arc<Queue<F, I>>,
}

/// Outputs on their way. Dropping it cancels the request before the next step.
#[derive(Debug)]
pub(crate) struct Answer(oneshot::Receiver<Result<Vec<Output>, EngineError>>);

impl Answer {
    /// Waits for the outputs, one a text, in the order of the texts.
    pub(crate) async fn wait(self) -> Result<Vec<Output>, EngineError> {
        self.0.await.unwrap_or_else(|_| Err(lost()))
    }

    /// As [`Self::wait`], for threads that may block.
    pub(crate) fn wait_blocking(self) -> Result<Vec<Output>, EngineError> {
        self.0.blocking_recv().unwrap_or_else(|_| Err(lost()))
    }
}

/// What a request asked for, on its way. Dropping it cancels the request before the next step.
pub struct Pending<T> {
    answer: Answer,
    finish: Finish<T>,
}

/// Makes of a request's outputs what was asked for.
type Finish<T> = Box<dyn FnOnce(Vec<Output>) -> Result<T, EngineError> + Send>;

impl<T> Pending<T> {
    pub(crate) fn new(
        answer: Answer,
        finish: impl FnOnce(Vec<Output>) -> Result<T, EngineError> + Send + 'static,
    ) -> Pending<T> {
        Pending { answer, finish: Box::new(finish) }
    }

    /// Waits for it. What was asked for of several inputs is in their order.
    ///
    /// # Errors
    /// The request's own failure, or [`EngineError::Overloaded`] when it waited too long.
    pub async fn wait(self) -> Result<T, EngineError> {
        (self.finish)(self.answer.wait().await?)
    }

    /// As [`Self::wait`], for threads that may block.
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub fn wait_blocking(self) -> Result<T, EngineError> {
        (self.finish)(self.answer.wait_blocking()?)
    }
}

impl<T> std::fmt::Debug for Pending<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Pending").finish_non_exhaustive()
    }
}

/// The thread ended without an answer.
fn lost() -> EngineError {
    EngineError::Failed("the model's thread has ended".to_owned())
}

impl<F: Copy + Send + Sync + 'static, I: Input> Service<F, I> {
    /// Starts the thread of a model.
    ///
    /// * `pool`: who computes.
    ///
    /// # Errors
    /// [`LoadError::Resource`] when the system gives no thread.
    pub(crate) fn start(
        forward: impl Forward<Input = I, Form = F> + 'static,
        options: &LoadOptions,
        pool: ThreadPool,
    ) -> Result<Self, LoadError> {
        let queue = Arc::new(Queue::new(options.queue_requests_max));
        let scheduler = Scheduler::new(forward, Arc::clone(&queue), options);
        let thread = std::thread::Builder::new().name("encoder".to_owned());
        thread
            .spawn(move || pool.install(|| scheduler.run()))
            .map_err(|error| LoadError::Resource(error.to_string()))?;
        Ok(Self { queue })
    }

    /// Queues inputs and returns as soon as they wait.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`] when the queue is full, [`EngineError::ShuttingDown`] after [`Self::close`].
    pub(crate) fn submit(&self, inputs: Vec<I>, form: F) -> Result<Answer, EngineError> {
        let (sender, receiver) = oneshot::channel();
        self.queue.push(Job::new(inputs, form, sender, Instant::now()))?;
        Ok(Answer(receiver))
    }
}

impl<F, I> Service<F, I> {
    /// What the model does now, for metrics.
    pub(crate) fn activity(&self) -> Activity {
        let counters = &self.queue.counters;
        Activity {
            waiting_requests: self.queue.waiting(),
            running_sequences: counters.running_requests.load(Ordering::Relaxed),
            computed_prompt_tokens: counters.computed_tokens.load(Ordering::Relaxed),
            ..Activity::default()
        }
    }

    /// Refuses new requests from here on; those accepted finish.
    pub(crate) fn close(&self) {
        self.queue.close();
    }
}

impl<F, I> Drop for Service<F, I> {
    fn drop(&mut self) {
        self.queue.orphan();
    }
}
