//! What comes after an encoder that scores: how many labels, and what becomes of the one logit.
//!
//! Source: sentence-transformers 6.2.0, `CrossEncoder`; transformers, `PreTrainedConfig`.

use std::collections::HashMap;

use serde::Deserialize;

use super::hugging_face::{CONFIG, parse, parse_optional};
use super::sentence::PROMPTS;
use crate::error::LoadError;
use crate::source::Files;

/// Labels of a configuration that names none.
const LABELS: usize = 2;

/// What turns a logit into a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScoreFunction {
    /// Nothing.
    Identity,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
}

/// `config.json`, as far as a head needs it.
#[derive(Deserialize)]
struct Config {
    num_labels: Option<usize>,
    id2label: Option<HashMap<String, serde::de::IgnoredAny>>,
    sentence_transformers: Option<Own>,
    /// As versions before 4 wrote it.
    sbert_ce_default_activation_function: Option<String>,
}

/// What sentence-transformers writes into `config.json`, or since version 6 into a file of its own.
#[derive(Default, Deserialize)]
struct Own {
    activation_fn: Option<String>,
}

/// Reads what becomes of the logit.
///
/// # Errors
/// [`LoadError::Unsupported`] for several labels and functions of another kind.
pub(crate) fn describe(files: &Files) -> Result<ScoreFunction, LoadError> {
    let config: Config = parse(CONFIG, &files.read_text(CONFIG)?)?;
    let labels = config.num_labels.or(config.id2label.map(|labels| labels.len())).unwrap_or(LABELS);
    match labels {
        1 => {}
        0 => return Err(LoadError::malformed(CONFIG, "a classifier of 0 labels")),
        _ => {
            let reason = format!("a classifier of {labels} labels; a reranker has one");
            return Err(LoadError::Unsupported(reason));
        }
    }
    let own: Own = parse_optional(files, PROMPTS)?;
    let in_config = match config.sentence_transformers {
        Some(Own { activation_fn: Some(name) }) => Some(name),
        _ => config.sbert_ce_default_activation_function,
    };
    // A name outside torch would have to be executed; as there, it counts as none.
    let is_known = |name: &String| name.starts_with("torch.");
    match own.activation_fn.filter(is_known).or(in_config.filter(is_known)) {
        None => Ok(ScoreFunction::Sigmoid),
        Some(name) => match name.rsplit('.').next().unwrap_or_default() {
            "Sigmoid" => Ok(ScoreFunction::Sigmoid),
            "Identity" => Ok(ScoreFunction::Identity),
            _ => Err(LoadError::Unsupported(format!("activation {name:?} of a score"))),
        },
    }
}

impl ScoreFunction {
    /// The score of a logit.
    pub(crate) fn apply(self, logit: f32) -> f32 {
        match self {
            Self::Identity => logit,
            Self::Sigmoid => 1.0 / (1.0 + (-logit).exp()),
        }
    }
}
