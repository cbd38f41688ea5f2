//! Decides, step by step, which tokens go through the model.
//!
//! One thread per model owns the weights, the cache and every running sequence; requests reach it through the
//! [`Inbox`] and answers leave through bounded streams, so no lock is held while it computes. A step takes one
//! row of every sequence that decodes and shares what is left of its rows evenly among the prompts, so that a
//! long prompt delays nobody's next token by more than a step.
//!
//! It refuses to let a request's failure spread: a step that fails is repeated for each sequence alone, and only
//! those that fail again end, with an error in their own stream.

mod admission;
mod inbox;
mod plan;
mod sequence;
mod step;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub(crate) use inbox::{Inbox, Job};
use sequence::Sequence;
pub(crate) use sequence::Ticket;

use crate::kv_cache::{BLOCK_TOKENS, KvCache};
use crate::model::Decoder;
use crate::sampler::Scratch;
use crate::tokenizer::Tokenizer;

/// How long a scheduler sleeps that has nothing to compute for the sequences it has.
const IDLE_LOOK: Duration = Duration::from_millis(100);

/// Bounds of one scheduler.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Sequences that run together.
    pub(crate) slots: usize,
    /// Rows of a step.
    pub(crate) step_tokens: usize,
    /// Longest wait for a slot.
    pub(crate) queue_wait_max: Duration,
    /// Tokens of prompt and output.
    pub(crate) context_tokens: usize,
    /// Blocks of the cache.
    pub(crate) kv_blocks_max: usize,
    /// Tokens that a piece waits for, unless the choice ends.
    pub(crate) tokens_per_piece: u32,
}

/// The state of a model's thread.
pub(crate) struct Scheduler {
    decoder: Box<dyn Decoder>,
    tokenizer: Arc<Tokenizer>,
    inbox: Arc<Inbox>,
    bounds: Bounds,
    cache: KvCache,
    /// Sequences with a slot, oldest first.
    running: Vec<Sequence>,
    /// Sequences that gave their blocks to older ones and wait to be computed again, oldest first.
    set_aside: VecDeque<Sequence>,
    logits: Vec<f32>,
    scratch: Scratch,
}

impl Scheduler {
    /// A scheduler without requests.
    ///
    /// * `bounds.kv_blocks_max`: at least what one sequence of `context_tokens` needs, so that the oldest
    ///   sequence can always go on.
    pub(crate) fn new(decoder: Box<dyn Decoder>, tokenizer: Arc<Tokenizer>, inbox: Arc<Inbox>, bounds: Bounds) -> Self {
        assert!(bounds.kv_blocks_max >= blocks_for(bounds.context_tokens), "one context fits the cache");
        let cache = KvCache::new(decoder.kv_shape(), bounds.kv_blocks_max);
        Self {
            decoder,
            tokenizer,
            inbox,
            bounds,
            cache,
            running: Vec::new(),
            set_aside: VecDeque::new(),
            logits: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// Works until the model is dropped and every accepted request has ended.
    pub(crate) fn run(mut self) {
        loop {
            self.end_cancelled();
            self.admit();
            let plan = self.plan();
            self.report();
            if !plan.is_empty() {
                self.execute(plan);
                continue;
            }
            let is_idle = self.running.is_empty() && self.set_aside.is_empty();
            if !is_idle {
                self.inbox.queue.sleep_until(Instant::now() + IDLE_LOOK);
            } else if !self.inbox.queue.wait() {
                return;
            }
        }
    }

    /// Frees the slots of sequences whose reader has gone.
    fn end_cancelled(&mut self) {
        for index in (0..self.running.len()).rev() {
            if self.running[index].ticket.is_cancelled() {
                self.end(index);
            }
        }
        self.set_aside.retain(|sequence| !sequence.ticket.is_cancelled());
    }

    /// Takes a running sequence out and lets its blocks go.
    fn end(&mut self, index: usize) {
        let mut sequence = self.running.remove(index);
        self.cache.release(&mut sequence.blocks);
    }

    /// Publishes what metrics show.
    fn report(&self) {
        let used = self.cache.blocks_max() - self.cache.available();
        let running = self.running.len() + self.set_aside.len();
        self.inbox.queue.note_running(running);
        self.inbox.counters.kv_blocks_used.store(used, Ordering::Relaxed);
    }
}

/// Blocks that hold `tokens` positions.
pub(crate) fn blocks_for(tokens: usize) -> usize {
    tokens.div_ceil(BLOCK_TOKENS)
}
