//! Models that score documents for a query: what is asked, what comes back, and the handle in between.

mod head;
mod pair;

pub(crate) use head::ScoreHead;
use rayon::ThreadPool;

use crate::encoding::{self, EncoderForward, Pending, Service, asked};
use crate::error::{EngineError, LoadError};
use crate::load::LoadOptions;
use crate::text_model::Activity;
use crate::tokenizer::Tokenizer;

/// A model that scores documents for a query: a cross-encoder, which reads both together.
///
/// Requests of all callers are computed together by one thread and its pool. Dropping the last handle lets accepted
/// requests finish, then ends the thread and frees the memory.
pub struct RerankModel {
    info: RerankInfo,
    tokenizer: Tokenizer,
    /// Whether the encoder tells query and document apart.
    types: usize,
    service: Service<EncoderForward<ScoreHead>>,
}

/// What a reranker is: read from its files, constant while it is loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct RerankInfo {
    /// Family: `bert`, `roberta`, `xlm-roberta`, `camembert`, `distilbert`, `electra` or `mpnet`.
    pub architecture: String,
    /// Where the weights came from: `safetensors`.
    pub format: String,
    /// Numbers in the weights.
    pub parameters: u64,
    /// Bytes the weights take in memory.
    pub weight_bytes: u64,
    /// Tokens of query and document together, those that the tokenizer adds included.
    pub context_tokens: u32,
    /// Token ids run from 0 to this, exclusive.
    pub vocab_tokens: u32,
}

/// A query, and the documents to score for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RerankRequest {
    /// The query.
    pub query: String,
    /// 1 to [`limits::EMBED_INPUTS_MAX`](crate::limits::EMBED_INPUTS_MAX) documents, of at most
    /// [`limits::EMBED_TOKENS_MAX`](crate::limits::EMBED_TOKENS_MAX) tokens together, the query counted with each.
    pub documents: Vec<String>,
    /// How.
    pub options: RerankOptions,
}

/// How to score. Every field may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RerankOptions {
    /// Cuts query and document to this many tokens together, special ones included, the longer of the two first.
    /// `None`, and more than that: to what the model reads. A pair is never refused for its length.
    pub truncate_tokens: Option<u32>,
    /// Whether scores are the model's logits. Otherwise they are what the model's files make of them: as a rule numbers
    /// from 0 to 1.
    pub is_raw: bool,
}

/// One document's score. Scores of one model can be compared with each other, whatever the query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relevance {
    /// The higher, the better the document answers the query.
    pub score: f32,
    /// Tokens that were computed, special ones and the query included.
    pub tokens: u32,
    /// Whether query or document was cut.
    pub is_truncated: bool,
}

/// What the scores of one request are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScoreForm {
    /// The classifier's output.
    Logit,
    /// What the model's files make of it.
    Score,
}

impl RerankModel {
    /// Starts the thread of a model.
    ///
    /// * `types`: token types that the encoder knows; 0 or 1 where it does not tell query and document apart.
    ///
    /// # Errors
    /// [`LoadError::Resource`] when the system gives no thread.
    pub(crate) fn start(
        forward: EncoderForward<ScoreHead>,
        tokenizer: Tokenizer,
        types: usize,
        info: RerankInfo,
        options: &LoadOptions,
        pool: ThreadPool,
    ) -> Result<Self, LoadError> {
        Ok(Self { info, tokenizer, types, service: encoding::start(forward, options, pool)? })
    }

    /// What the model is.
    pub fn info(&self) -> &RerankInfo {
        &self.info
    }

    /// The model's own tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Tokenizes query and documents on this thread and queues them; returns as soon as they wait.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a bad request, [`EngineError::Overloaded`] when the queue is full,
    /// [`EngineError::ShuttingDown`] after [`Self::close`].
    pub fn rerank(&self, request: RerankRequest) -> Result<Pending<Relevance>, EngineError> {
        let form = if request.options.is_raw { ScoreForm::Logit } else { ScoreForm::Score };
        let pairs = pair::pairs(&request, &self.tokenizer, self.types, &self.info)?;
        Ok(self.service.submit(asked(pairs, form))?)
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

impl std::fmt::Debug for RerankModel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RerankModel").field("info", &self.info).finish_non_exhaustive()
    }
}
