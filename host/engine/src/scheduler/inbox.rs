//! What those who submit and the scheduler's thread have in common: requests that wait, and numbers for metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Instant;

use mimus_batching::{Queue, Waiting};

use super::sequence::Ticket;

/// A request on its way to a slot.
pub(crate) struct Job {
    /// The request, and where its answer goes.
    pub(crate) ticket: Arc<Ticket>,
    /// When it was submitted.
    pub(crate) submitted: Instant,
}

impl Waiting for Job {
    fn is_cancelled(&self) -> bool {
        self.ticket.is_cancelled()
    }

    fn submitted(&self) -> Instant {
        self.submitted
    }
}

/// Requests that wait, and what the scheduler tells the outside.
pub(crate) struct Inbox {
    /// The requests; those that run are sequences with a slot, or set aside.
    pub(crate) queue: Queue<Job>,
    /// Numbers for metrics.
    pub(crate) counters: Counters,
}

/// Numbers for metrics.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Blocks with a holder.
    pub(crate) kv_blocks_used: AtomicUsize,
    /// Tokens generated.
    pub(crate) generated_tokens: AtomicU64,
    /// Prompt tokens computed.
    pub(crate) computed_prompt_tokens: AtomicU64,
}

impl Inbox {
    /// An empty inbox for at most `requests_max` waiting requests.
    pub(crate) fn new(requests_max: usize) -> Self {
        Self { queue: Queue::new(requests_max, usize::MAX), counters: Counters::default() }
    }
}
