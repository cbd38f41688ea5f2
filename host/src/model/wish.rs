//! What somebody wants to launch, and why it is not.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::check_name;
use crate::limits;
use crate::registry::{self, Weights};

/// What somebody wants to launch. What is left out, the server chooses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Wish {
    pub name: Option<String>,
    pub family: String,
    pub kind: Option<String>,
    pub size: Option<String>,
    pub format: Option<String>,
    pub quantization: Option<String>,
    /// A folder or file on this machine, in place of the family's files.
    pub path: Option<PathBuf>,
    pub context_tokens: Option<u32>,
    pub replicas: u32,
    pub requests_max: Option<u32>,
    pub is_pinned: bool,
}

/// A launch that has begun.
#[derive(Clone, Debug, PartialEq)]
pub struct Launched {
    /// The name clients use.
    pub name: String,
    /// Format of the weights.
    pub format: String,
    /// Their quantization.
    pub quantization: String,
    /// Why these: one sentence for people.
    pub reason: String,
}

/// Why a launch did not begin or did not succeed. Sentences name no paths of this machine.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LaunchError {
    /// No family has this name.
    #[error("{0}")]
    UnknownFamily(String),
    /// The family has no such size, format or quantization.
    #[error("{0}")]
    NoSuchWeights(String),
    /// This server cannot run it.
    #[error("{0}")]
    Unsupported(String),
    /// A model has this name.
    #[error("a model named `{0}` is there already")]
    Taken(String),
    /// No model has this name.
    #[error("the model `{0}` does not exist")]
    UnknownModel(String),
    /// A value is out of bounds.
    #[error("{field}: {reason}")]
    Invalid {
        /// Its name.
        field: &'static str,
        /// The value and the bound.
        reason: String,
    },
    /// It does not fit into memory.
    #[error("{0}")]
    TooLarge(String),
    /// The operator does not allow it.
    #[error("{0}")]
    Forbidden(String),
    /// Too many launches at once.
    #[error("{} models are being launched already: try again when one is ready", limits::LAUNCHES_MAX)]
    Overloaded,
    /// Somebody cancelled or terminated it.
    #[error("the launch was cancelled")]
    Cancelled,
    /// Its files cannot be had or read.
    #[error("{0}")]
    Failed(String),
}

impl Wish {
    /// Checks each field against its bounds.
    pub(super) fn check(&self) -> Result<(), LaunchError> {
        let invalid = |field, reason| Err(LaunchError::Invalid { field, reason });
        if let Some(Err(reason)) = self.name.as_deref().map(check_name) {
            return invalid("name", reason);
        }
        if !(1..=limits::REPLICAS_MAX).contains(&self.replicas) {
            return invalid("replicas", format!("{} is not 1 to {}", self.replicas, limits::REPLICAS_MAX));
        }
        if self.requests_max == Some(0) {
            return invalid("requests-max", "0 requests at once is none at all".into());
        }
        match self.context_tokens {
            Some(tokens) if tokens < 16 => invalid("context-tokens", format!("{tokens} is less than 16")),
            _ => Ok(()),
        }
    }

    /// What the registry is asked for.
    pub(super) fn asked(&self) -> registry::Wish {
        registry::Wish { size: self.size.clone(), format: self.format.clone(), quantization: self.quantization.clone() }
    }

    /// The same with everything in it that was chosen, so that it means the same when the server starts again.
    pub(super) fn chosen(&self, weights: &Weights, quantization: &str) -> Wish {
        Wish {
            size: weights.size.clone().or_else(|| self.size.clone()),
            format: Some(weights.format.clone()),
            quantization: Some(quantization.to_owned()),
            ..self.clone()
        }
    }

    /// One replica of a family, everything else left to the server.
    #[cfg(test)]
    pub fn new(family: &str) -> Wish {
        Wish {
            name: None,
            family: family.to_owned(),
            kind: None,
            size: None,
            format: None,
            quantization: None,
            path: None,
            context_tokens: None,
            replicas: 1,
            requests_max: None,
            is_pinned: false,
        }
    }
}
