//! From a source to a running model.

mod decoder;
mod encoder;

use std::sync::Arc;
use std::time::Duration;

use crate::config;
use crate::embedding::EmbeddingModel;
use crate::error::LoadError;
use crate::limits;
use crate::rerank::RerankModel;
use crate::source::{Files, ModelFile, Source};
use crate::text_model::{Activity, TextModel};
use crate::tokenizer::Tokenizer;

/// How a model is loaded and what it may use.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadOptions {
    /// Threads that compute. `None`: as many as the process may run at once.
    pub threads: Option<usize>,
    /// Cuts the model's context to this many tokens.
    pub context_tokens_max: Option<u32>,
    /// Sequences decoded together.
    pub slots: usize,
    /// Bytes of keys and values for all sequences. One context always fits: the context is cut where it does not.
    pub kv_bytes_max: u64,
    /// Requests that may wait for a slot.
    pub queue_requests_max: usize,
    /// Longest wait for a slot.
    pub queue_wait_max: Duration,
    /// Token rows of one step.
    pub step_tokens: usize,
}

impl Default for LoadOptions {
    /// The constants of [`limits`].
    fn default() -> Self {
        Self {
            threads: None,
            context_tokens_max: None,
            slots: limits::SLOTS,
            kv_bytes_max: limits::KV_BYTES_MAX,
            queue_requests_max: limits::QUEUE_REQUESTS_MAX,
            queue_wait_max: limits::QUEUE_WAIT_MAX,
            step_tokens: limits::STEP_TOKENS_MAX,
        }
    }
}

/// How far loading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of weights in memory.
    pub loaded_bytes: u64,
    /// Bytes of weights in all.
    pub total_bytes: u64,
}

/// A loaded model, by what it can do.
#[derive(Clone)]
pub enum Model {
    /// It continues text.
    Text(Arc<dyn TextModel>),
    /// It turns texts into vectors.
    Embedding(Arc<EmbeddingModel>),
    /// It scores documents for a query.
    Rerank(Arc<RerankModel>),
}

impl Model {
    /// The model's own tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        match self {
            Self::Text(model) => model.tokenizer(),
            Self::Embedding(model) => model.tokenizer(),
            Self::Rerank(model) => model.tokenizer(),
        }
    }

    /// What the model does now, for metrics.
    pub fn activity(&self) -> Activity {
        match self {
            Self::Text(model) => model.activity(),
            Self::Embedding(model) => model.activity(),
            Self::Rerank(model) => model.activity(),
        }
    }
}

/// Loads a model and starts its scheduler. Blocks for as long as reading the weights takes.
///
/// * `progress`: called on this thread, after each tensor.
///
/// # Errors
/// [`LoadError`]; nothing stays allocated then.
pub fn load(source: Source, options: &LoadOptions, progress: &dyn Fn(Progress)) -> Result<Model, LoadError> {
    let files = match source {
        Source::Folder(folder) => Files::Folder(folder),
        Source::Embedded(files) => Files::Embedded { files, below: String::new() },
        Source::Gguf(path) => {
            return decoder::start(decoder::read_gguf(ModelFile::open(&path)?, progress)?, options).map(Model::Text);
        }
    };
    match config::encoder::describe(&files)? {
        None => decoder::start(decoder::read_folder(&files, progress)?, options).map(Model::Text),
        Some(config) if config.is_scorer => {
            encoder::rerank(&files, &config, options, progress).map(Arc::new).map(Model::Rerank)
        }
        Some(config) => encoder::embedding(&files, &config, options, progress).map(Arc::new).map(Model::Embedding),
    }
}
