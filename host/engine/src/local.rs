//! A model that runs in this process.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use rayon::ThreadPool;
use tokio::sync::mpsc;

use crate::error::{EngineError, LoadError};
use crate::generation::{Generation, Link};
use crate::grammar::{Constraint, Grammar, Grammars};
use crate::limits;
use crate::model::Decoder;
use crate::request::GenerateRequest;
use crate::scheduler::{Bounds, Inbox, Job, Scheduler, Ticket};
use crate::text_model::{Activity, ModelInfo, TextModel};
use crate::tokenizer::Tokenizer;

/// The handle of a model whose scheduler runs on a thread of its own.
pub(crate) struct LocalModel {
    info: ModelInfo,
    tokenizer: Arc<Tokenizer>,
    inbox: Arc<Inbox>,
    grammars: Grammars,
    kv_blocks_max: usize,
}

impl LocalModel {
    /// Starts the scheduler's thread.
    ///
    /// * `pool`: who computes. `None`: the scheduler's thread alone, for a decoder that computes nothing.
    ///
    /// # Errors
    /// [`LoadError::Resource`] when the system gives no thread.
    pub(crate) fn start(
        decoder: Box<dyn Decoder>,
        tokenizer: Tokenizer,
        info: ModelInfo,
        bounds: Bounds,
        requests_max: usize,
        pool: Option<ThreadPool>,
    ) -> Result<Self, LoadError> {
        let tokenizer = Arc::new(tokenizer);
        let inbox = Arc::new(Inbox::new(requests_max));
        let scheduler = Scheduler::new(decoder, Arc::clone(&tokenizer), Arc::clone(&inbox), bounds);
        let thread = std::thread::Builder::new().name("engine".to_owned());
        thread
            .spawn(move || match pool {
                // On one of the pool's threads every parallel region begins without a change of thread.
                Some(pool) => pool.install(|| scheduler.run()),
                None => scheduler.run(),
            })
            .map_err(|error| LoadError::Resource(error.to_string()))?;
        let grammars = Grammars::new(Arc::clone(&tokenizer));
        Ok(Self { info, tokenizer, inbox, grammars, kv_blocks_max: bounds.kv_blocks_max })
    }
}

impl TextModel for LocalModel {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    fn compile(&self, constraint: &Constraint) -> Result<Arc<Grammar>, EngineError> {
        self.grammars.compile(constraint)
    }

    fn compiled(&self, constraint: &Constraint) -> Option<Result<Arc<Grammar>, EngineError>> {
        self.grammars.compiled(constraint)
    }

    fn submit(&self, request: GenerateRequest) -> Result<Generation, EngineError> {
        let tokens_max = request.check(&self.info)?;
        if request.grammar.as_ref().is_some_and(|grammar| !self.grammars.owns(grammar)) {
            return Err(EngineError::invalid("grammar", "was compiled for another model"));
        }
        let prompt_tokens = u32::try_from(request.prompt.len()).unwrap_or(u32::MAX);
        let (sender, receiver) = mpsc::channel(limits::STREAM_PIECES_MAX);
        let link = Arc::new(Link::default());
        let ticket = Arc::new(Ticket::new(request, tokens_max, sender, Arc::clone(&link)));
        self.inbox.queue.push(Job { ticket, submitted: Instant::now() })?;
        Ok(Generation::new(prompt_tokens, receiver, link, Arc::clone(&self.inbox)))
    }

    fn activity(&self) -> Activity {
        let counters = &self.inbox.counters;
        Activity {
            waiting_requests: self.inbox.queue.waiting(),
            running_sequences: self.inbox.queue.running(),
            kv_blocks_used: counters.kv_blocks_used.load(Ordering::Relaxed),
            kv_blocks_max: self.kv_blocks_max,
            generated_tokens: counters.generated_tokens.load(Ordering::Relaxed),
            computed_prompt_tokens: counters.computed_prompt_tokens.load(Ordering::Relaxed),
        }
    }

    fn close(&self) {
        self.inbox.queue.close();
    }
}

impl Drop for LocalModel {
    fn drop(&mut self) {
        self.inbox.queue.orphan();
    }
}
