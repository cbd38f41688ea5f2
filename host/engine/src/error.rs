//! What can go wrong while loading a model and while answering a request.

use std::time::Duration;

use thiserror::Error;

/// Why a model could not be loaded.
///
/// The messages name the file and the field inside the model folder, never a path of the machine.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file is missing or could not be read.
    #[error("cannot read {file}: {reason}")]
    Read {
        /// Name of the file inside the model folder.
        file: String,
        /// What the operating system said.
        reason: String,
    },
    /// A file is damaged, contradicts itself or passes a bound.
    #[error("{file} is malformed: {reason}")]
    Malformed {
        /// Name of the file inside the model folder.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A tensor that the architecture needs is absent or has another shape.
    #[error("tensor {name}: {reason}")]
    Tensor {
        /// Name of the tensor in the file.
        name: String,
        /// What was expected and what was found.
        reason: String,
    },
    /// A network of a picture model, or what lies beside it, cannot be used: the file and what is wrong with it.
    #[error("{0}")]
    Network(String),
    /// The model is well formed, but of a kind this engine does not execute.
    #[error("unsupported model: {0}")]
    Unsupported(String),
    /// The model is of an architecture that is not in [`supports`](crate::supports): its class, or its name in a GGUF file.
    #[error("unsupported model: architecture {0:?}")]
    UnsupportedArchitecture(String),
    /// The machine refused a resource, for instance a thread.
    #[error("cannot start the model: {0}")]
    Resource(String),
    /// Whoever heard of the progress ended it.
    #[error("loading was cancelled")]
    Cancelled,
}

impl LoadError {
    /// A [`LoadError::Malformed`] for `file`.
    pub(crate) fn malformed(file: &str, reason: impl ToString) -> Self {
        Self::Malformed { file: file.to_owned(), reason: reason.to_string() }
    }

    /// A [`LoadError::Read`] for `file`.
    pub(crate) fn read(file: &str, reason: impl ToString) -> Self {
        Self::Read { file: file.to_owned(), reason: reason.to_string() }
    }

    /// A [`LoadError::Tensor`] for `name`.
    pub(crate) fn tensor(name: &str, reason: impl ToString) -> Self {
        Self::Tensor { name: name.to_owned(), reason: reason.to_string() }
    }
}

/// Why a request ended without its answer. It never concerns another request.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum EngineError {
    /// The prompt, or the prompt and the tokens asked for, do not fit the context.
    #[error("context of {limit} tokens exceeded: the prompt has {prompt} and {wanted} more are wanted")]
    PromptTooLong {
        /// Tokens of the context.
        limit: u32,
        /// Tokens of the prompt.
        prompt: u32,
        /// Tokens to generate; at least 1 where the request left it open.
        wanted: u32,
    },
    /// A field of the request is out of range.
    #[error("{field}: {reason}")]
    Invalid {
        /// Name of the field in [`GenerateRequest`](crate::GenerateRequest) or [`Sampling`](crate::Sampling).
        field: &'static str,
        /// The range and the value found.
        reason: String,
    },
    /// The queue is full, or the request waited too long in it.
    #[error("the model is busy, retry in {} s", retry_after.as_secs().max(1))]
    Overloaded {
        /// An estimate of when a slot may be free.
        retry_after: Duration,
    },
    /// The model cannot do what was asked.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// The computation failed: our fault, not the client's.
    #[error("generation failed: {0}")]
    Failed(String),
    /// The model accepts no more requests.
    #[error("the model is shutting down")]
    ShuttingDown,
}

impl EngineError {
    /// An [`EngineError::Invalid`] for `field`.
    pub(crate) fn invalid(field: &'static str, reason: impl ToString) -> Self {
        Self::Invalid { field, reason: reason.to_string() }
    }
}
