//! Models that turn texts into vectors: what is asked, what comes back, and the handle in between.

mod head;
mod input;

use head::VectorForm;
pub(crate) use head::VectorHead;
use rayon::ThreadPool;

use crate::config::sentence::SentenceConfig;
use crate::encoding::{self, EncoderForward, Pending, Service, asked};
use crate::error::{EngineError, LoadError};
use crate::load::LoadOptions;
use crate::text_model::Activity;
use crate::tokenizer::Tokenizer;

/// A model that turns texts into vectors.
///
/// Requests of all callers are computed together by one thread and its pool. Dropping the last handle lets accepted
/// requests finish, then ends the thread and frees the memory.
pub struct EmbeddingModel {
    info: EmbeddingInfo,
    tokenizer: Tokenizer,
    config: SentenceConfig,
    service: Service<EncoderForward<VectorHead>>,
}

/// What an embedding model is: read from its files, constant while it is loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingInfo {
    /// Family: `bert`, `roberta`, `xlm-roberta`, `camembert`, `distilbert` or `mpnet`.
    pub architecture: String,
    /// Where the weights came from: `safetensors`.
    pub format: String,
    /// Numbers in the weights.
    pub parameters: u64,
    /// Bytes the weights take in memory.
    pub weight_bytes: u64,
    /// Tokens of the longest input, those that the tokenizer adds included.
    pub context_tokens: u32,
    /// Token ids run from 0 to this, exclusive.
    pub vocab_tokens: u32,
    /// Numbers of a vector.
    pub dimensions: u32,
    /// Whether vectors have length 1 when nothing else is asked.
    pub normalizes: bool,
    /// Names of the prompts that the model knows, in order.
    pub prompts: Vec<String>,
    /// The prompt of inputs that name none.
    pub default_prompt: Option<String>,
}

/// Inputs and what to make of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmbedRequest {
    /// 1 to [`limits::EMBED_INPUTS_MAX`](crate::limits::EMBED_INPUTS_MAX) inputs, of at most
    /// [`limits::EMBED_TOKENS_MAX`](crate::limits::EMBED_TOKENS_MAX) tokens together.
    pub inputs: Vec<EmbedInput>,
    /// How.
    pub options: EmbedOptions,
}

/// What to embed.
#[derive(Clone, Debug, PartialEq)]
pub enum EmbedInput {
    /// A text. Prompt and special tokens are added to it.
    Text(String),
    /// Token ids, used as they are: no prompt and no special token is added. At least one.
    Tokens(Vec<u32>),
}

/// How to embed. Every field may be left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmbedOptions {
    /// Cuts vectors to their first numbers, 1 to [`EmbeddingInfo::dimensions`]; they get length 1 again where they had it.
    /// Good vectors come of it only where the model was trained for it.
    pub dimensions: Option<u32>,
    /// Cuts inputs to this many tokens, special ones included, and never to more than the model reads. `None`: inputs
    /// that are too long are refused.
    pub truncate_tokens: Option<u32>,
    /// Whether vectors get length 1. `None`: as the model's files say.
    pub normalize: Option<bool>,
    /// Name of the prompt put before every text. `None`: the model's default, if it has one.
    pub prompt_name: Option<String>,
}

/// One input's vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// The vector.
    pub vector: Vec<f32>,
    /// Tokens that were computed, special ones and the prompt included.
    pub tokens: u32,
    /// Whether the input was longer.
    pub is_truncated: bool,
}

impl EmbeddingModel {
    /// Starts the thread of a model.
    ///
    /// # Errors
    /// [`LoadError::Resource`] when the system gives no thread.
    pub(crate) fn start(
        forward: EncoderForward<VectorHead>,
        tokenizer: Tokenizer,
        config: SentenceConfig,
        info: EmbeddingInfo,
        options: &LoadOptions,
        pool: ThreadPool,
    ) -> Result<Self, LoadError> {
        Ok(Self { info, tokenizer, config, service: encoding::start(forward, options, pool)? })
    }

    /// What the model is.
    pub fn info(&self) -> &EmbeddingInfo {
        &self.info
    }

    /// The model's own tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Tokenizes the inputs on this thread and queues them; returns as soon as they wait.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] and [`EngineError::PromptTooLong`] for a bad request,
    /// [`EngineError::Overloaded`] when the queue is full, [`EngineError::ShuttingDown`] after [`Self::close`].
    pub fn embed(&self, request: EmbedRequest) -> Result<Pending<Embedding>, EngineError> {
        let form = self.form(&request.options)?;
        let texts = input::texts(&request, &self.tokenizer, &self.config, &self.info)?;
        Ok(self.service.submit(asked(texts, form))?)
    }

    /// The shape of the vectors that `options` ask for.
    fn form(&self, options: &EmbedOptions) -> Result<VectorForm, EngineError> {
        let dimensions = options.dimensions.unwrap_or(self.info.dimensions);
        if !(1..=self.info.dimensions).contains(&dimensions) {
            let reason = format!("must be 1 to {}, not {dimensions}", self.info.dimensions);
            return Err(EngineError::invalid("dimensions", reason));
        }
        Ok(VectorForm { dimensions: dimensions as usize, normalize: options.normalize })
    }

    /// What the model does now, for metrics.
    pub fn activity(&self) -> Activity {
        encoding::activity(&self.service)
    }

    /// Refuses new requests from here on; those accepted finish.
    pub fn close(&self) {
        self.service.close();
    }
}

impl std::fmt::Debug for EmbeddingModel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EmbeddingModel").field("info", &self.info).finish_non_exhaustive()
    }
}
