//! A loaded model as the rest of the house sees it.

use std::sync::Arc;

use crate::error::EngineError;
use crate::generation::Generation;
use crate::grammar::{Constraint, Grammar};
use crate::request::GenerateRequest;
use crate::tokenizer::Tokenizer;

/// A model that continues text.
///
/// Dropping the last handle lets accepted requests finish, then ends the model's thread and frees its memory.
pub trait TextModel: Send + Sync {
    /// What the model is.
    fn info(&self) -> &ModelInfo;

    /// The model's own tokenizer.
    fn tokenizer(&self) -> &Tokenizer;

    /// Makes a constraint ready for [`GenerateRequest::grammar`]. Known ones return at once; a new one takes some
    /// milliseconds, and the model's first one longer, so this belongs on a thread that may block.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for the field `constraint`, [`EngineError::Overloaded`] when too many are compiled
    /// already, [`EngineError::Unsupported`] for a vocabulary that cannot be constrained.
    fn compile(&self, constraint: &Constraint) -> Result<Arc<Grammar>, EngineError>;

    /// What [`Self::compile`] would return at once; `None` where there is something to compile.
    fn compiled(&self, constraint: &Constraint) -> Option<Result<Arc<Grammar>, EngineError>>;

    /// Queues a request and returns at once; the answer is read from the [`Generation`].
    ///
    /// # Errors
    /// [`EngineError::Invalid`] and [`EngineError::PromptTooLong`] for a bad request,
    /// [`EngineError::Overloaded`] when the queue is full, [`EngineError::ShuttingDown`] after [`Self::close`].
    fn submit(&self, request: GenerateRequest) -> Result<Generation, EngineError>;

    /// What the model does now, for metrics.
    fn activity(&self) -> Activity;

    /// Refuses new requests from here on; those accepted finish.
    fn close(&self);
}

/// What a model is: read from its files, constant while it is loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// Family: `llama`, `mistral`, `qwen2`, `qwen3`, or `scripted`.
    pub architecture: String,
    /// Where the weights came from: `safetensors`, `gguf` or `scripted`.
    pub format: String,
    /// Kind of most quantized weights, such as `Q8_0`; `None` when none is quantized.
    pub quantization: Option<String>,
    /// Numbers in the weights, a tied head counted once.
    pub parameters: u64,
    /// Bytes the weights take in memory.
    pub weight_bytes: u64,
    /// Tokens of prompt and output together.
    pub context_tokens: u32,
    /// Token ids run from 0 to this, exclusive.
    pub vocab_tokens: u32,
    /// The Jinja chat template, as the model's files have it.
    pub chat_template: Option<String>,
    /// Text of the token that begins a sequence, for templates.
    pub bos_token: Option<String>,
    /// Text of the token that ends a sequence, for templates.
    pub eos_token: Option<String>,
    /// What the model's makers advise for sampling.
    pub defaults: SamplingDefaults,
}

/// Sampling that a model's makers advise, from `generation_config.json`. A client's own values win.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SamplingDefaults {
    /// See [`Sampling::temperature`](crate::Sampling::temperature); 0 where the file says not to sample.
    pub temperature: Option<f32>,
    /// See [`Sampling::top_p`](crate::Sampling::top_p).
    pub top_p: Option<f32>,
    /// See [`Sampling::top_k`](crate::Sampling::top_k).
    pub top_k: Option<u32>,
    /// See [`Sampling::repetition_penalty`](crate::Sampling::repetition_penalty).
    pub repetition_penalty: Option<f32>,
}

/// What a model does at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Requests that wait for a slot.
    pub waiting_requests: usize,
    /// Sequences that hold a slot; a request has one for each choice.
    pub running_sequences: usize,
    /// Blocks of the cache that running sequences hold.
    pub kv_blocks_used: usize,
    /// Blocks the cache may have.
    pub kv_blocks_max: usize,
    /// Tokens generated since the model was loaded.
    pub generated_tokens: u64,
    /// Prompt tokens computed since the model was loaded; reused prefixes are not counted.
    pub computed_prompt_tokens: u64,
}
