//! What can go wrong while loading a graph and while running it.

use thiserror::Error;

use crate::tensor::Kind;

/// Why a graph could not be loaded or run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is damaged, contradicts itself or passes a bound.
    #[error("the ONNX file is malformed: {0}")]
    Malformed(String),
    /// The graph needs an operator, or a form of one, that no executor here has.
    #[error("operator {operator} is not supported: {reason}")]
    Unsupported {
        /// Name of the operator, with its domain where that is not the standard one.
        operator: String,
        /// What about it is not supported.
        reason: String,
    },
    /// An input is absent, given twice or unknown.
    #[error("input {name:?}: {reason}")]
    Input {
        /// Name of the input.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An input has another shape than the graph declares.
    #[error("input {name:?} has shape {given:?}, expected {expected}")]
    InputShape {
        /// Name of the input.
        name: String,
        /// The declared shape, as `[batch, 3, 640, 640]`.
        expected: String,
        /// The shape that was given.
        given: Vec<usize>,
    },
    /// An input has another element type than the graph declares.
    #[error("input {name:?} holds {given}, expected {expected}")]
    InputKind {
        /// Name of the input.
        name: String,
        /// The declared element type.
        expected: Kind,
        /// The element type that was given.
        given: Kind,
    },
    /// The graph is well formed and the inputs are as declared, but it could not be executed.
    #[error("the graph failed: {0}")]
    Execution(String),
}

impl Error {
    /// An [`Error::Malformed`].
    pub(crate) fn malformed(reason: impl ToString) -> Self {
        Self::Malformed(reason.to_string())
    }

    /// An [`Error::Execution`].
    pub(crate) fn execution(reason: impl ToString) -> Self {
        Self::Execution(reason.to_string())
    }

    /// An [`Error::Input`].
    pub(crate) fn input(name: &str, reason: impl ToString) -> Self {
        Self::Input { name: name.to_owned(), reason: reason.to_string() }
    }
}
