//! Requests of a model, queued within bounds and computed together.
//!
//! [`Queue`] stands between those who ask and the thread that computes. [`Batcher`] is such a thread for models that answer an input in one
//! go; what an input is and how it is computed is the model's business.

mod batcher;
mod queue;

use std::time::Duration;

pub use batcher::{Activity, Answer, Batcher, Batching, Compute, GATHER_MAX, Preparation};
pub use queue::{Queue, Waiting};

/// Why a request has no answer, besides what the model itself says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The queue is full, or the request waited too long in it.
    #[error("the model is busy, retry in {} s", retry_after.as_secs().max(1))]
    Overloaded {
        /// When there may be room.
        retry_after: Duration,
    },
    /// The queue is closed.
    #[error("the model is shutting down")]
    Closed,
    /// The model panicked or broke its promise.
    #[error("{0}")]
    Failed(&'static str),
}
