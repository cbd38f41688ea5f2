//! What can go wrong, for those who ask and for those who load.

use std::time::Duration;

use mimus_batching::Refusal;

/// Why a request has no answer. The other requests of the model have theirs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VisionError {
    /// A value of the request is out of bounds.
    #[error("{field}: {reason}")]
    Invalid {
        /// The name of the option or `images`.
        field: &'static str,
        /// What is wrong, with the bound.
        reason: String,
    },
    /// The model does not do what was asked.
    #[error("{0}")]
    Unsupported(String),
    /// More requests wait than the model takes.
    #[error("too many requests wait for this model; try again in {} s", retry_after.as_secs())]
    Overloaded {
        /// When there may be room.
        retry_after: Duration,
    },
    /// The model is being unloaded.
    #[error("the model is shutting down")]
    ShuttingDown,
    /// The network or a step around it failed.
    #[error("{0}")]
    Failed(String),
}

impl From<Refusal> for VisionError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Overloaded { retry_after } => Self::Overloaded { retry_after },
            Refusal::Closed => Self::ShuttingDown,
            Refusal::Failed(reason) => Self::Failed(reason.to_owned()),
        }
    }
}

/// Why a model cannot be loaded. Every case names the file.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file that the package needs is not there.
    #[error("{file} is missing: {hint}")]
    Missing {
        /// The file's name.
        file: String,
        /// What it is for.
        hint: String,
    },
    /// A file cannot be read.
    #[error("{file} cannot be read: {source}")]
    Read {
        /// The file's name.
        file: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is larger than any such file is.
    #[error("{file} has {bytes} bytes; at most {bytes_max} are read")]
    TooLarge {
        /// The file's name.
        file: String,
        /// Its size.
        bytes: u64,
        /// The bound.
        bytes_max: u64,
    },
    /// A file is not what it should be, or does not fit the others.
    #[error("{file}: {reason}")]
    Invalid {
        /// The file's name.
        file: String,
        /// What is wrong and what to change.
        reason: String,
    },
    /// A kind of model that is not run.
    #[error("{file}: {what}")]
    Unsupported {
        /// The file that says so.
        file: String,
        /// What it says, and what is run instead.
        what: String,
    },
    /// The system gives no threads for it.
    #[error("no threads for {file}: {reason}")]
    Threads {
        /// The file of the weights.
        file: String,
        /// What the system says.
        reason: String,
    },
}

impl LoadError {
    /// A file that is wrong.
    pub(crate) fn invalid(file: &str, reason: impl Into<String>) -> Self {
        LoadError::Invalid { file: file.to_owned(), reason: reason.into() }
    }

    /// A kind of model that is not run.
    pub(crate) fn unsupported(file: &str, what: impl Into<String>) -> Self {
        LoadError::Unsupported { file: file.to_owned(), what: what.into() }
    }
}
