//! How relevant texts are to a query: by a cross-encoder, or by a model that continues text and whose template says how it judges.
//! Used by every way into the server.
//!
//! Knows no HTTP and no guest, as `inference.rs` does.

use futures_util::stream::{FuturesOrdered, StreamExt};
use mimus_engine::{EngineError, RerankModel, RerankRequest};

pub use mimus_engine::Relevance;

use crate::answer::Verdict;
use crate::inference::{Inference, InferenceError, Options, admit};
use crate::limits;
use crate::model::LoadedModel;
use crate::plugin::chat::{Message, Part, RenderOptions, Role};

/// How relevance is told.
#[derive(Clone, Debug, Default)]
pub struct RerankOptions {
    /// Cuts query and document together after so many tokens; none: at the model's bound.
    pub truncate_tokens: Option<u32>,
    /// The model's own number in place of one between 0 and 1.
    pub is_raw: bool,
    /// What relevance means here, for models that follow an instruction.
    pub instruction: Option<String>,
    /// Whose request it is.
    pub tenant: u64,
}

impl Inference {
    /// One relevance for each document, in order. Dropping the future frees the engine before its next step.
    ///
    /// # Errors
    /// `Unsupported` for a model that does not rerank; the engine's word for a bad input.
    pub async fn rerank(
        &self,
        model: &str,
        query: String,
        documents: Vec<String>,
        options: RerankOptions,
    ) -> Result<Vec<Relevance>, InferenceError> {
        if documents.len() > limits::RERANK_DOCUMENTS_MAX {
            let reason = format!("must be 0 to {}, not {}", limits::RERANK_DOCUMENTS_MAX, documents.len());
            return Err(EngineError::Invalid { field: "documents", reason }.into());
        }
        let loaded = self.loaded(model).await?;
        let relevances = if let Some(loaded) = loaded.rerank() {
            encode(loaded, query, documents, options).await?
        } else {
            let judge = loaded.text().ok_or_else(unsupported)?;
            self.judge(judge, query, documents, options).await?
        };
        let tokens = relevances.iter().fold(0u32, |sum, relevance| sum.saturating_add(relevance.tokens));
        self.count_prompt_tokens(model, tokens);
        Ok(relevances)
    }

    /// Asks a model that continues text about each document, some at once.
    async fn judge(
        &self,
        model: LoadedModel,
        query: String,
        documents: Vec<String>,
        options: RerankOptions,
    ) -> Result<Vec<Relevance>, InferenceError> {
        let (_, marks) = self.marks(&model.name, &render_options()).await?;
        let verdict = marks.verdict.as_ref().ok_or_else(unsupported)?;
        let words = words(&model, verdict)?;
        let judge = |document| self.judge_one(&model, &query, document, words, &options);
        let mut waiting = documents.into_iter();
        let mut running: FuturesOrdered<_> = waiting.by_ref().take(limits::JUDGED_AT_ONCE_MAX).map(judge).collect();
        let mut relevances = Vec::new();
        while let Some(relevance) = running.next().await {
            relevances.push(relevance?);
            running.extend(waiting.next().map(judge));
        }
        Ok(relevances)
    }

    async fn judge_one(
        &self,
        model: &LoadedModel,
        query: &str,
        mut document: String,
        (positive, negative): (u32, u32),
        options: &RerankOptions,
    ) -> Result<Relevance, InferenceError> {
        let context = model.model.info().context_tokens.saturating_sub(1);
        let limit = options.truncate_tokens.map_or(context, |tokens| tokens.min(context)) as usize;
        let mut is_truncated = false;
        let tokens = loop {
            let messages = conversation(options.instruction.as_deref(), query, &document);
            let rendered = self.render(model, messages, render_options()).await?;
            let mut stops = Options { ignore_eos: true, ..Options::default() };
            let tokens = self.encode_rendered(model, rendered, &mut stops).await?;
            let excess = tokens.len().saturating_sub(limit);
            if excess == 0 {
                break tokens;
            }
            // Cuts the document by as many tokens as are too many; texts that join differently take another round.
            let tokenizer = model.model.tokenizer();
            let of_document = tokenizer.encode(&document, false)?;
            if of_document.is_empty() {
                let reason = format!("takes {} tokens with the prompt around it, of {limit}", tokens.len());
                return Err(EngineError::Invalid { field: "query", reason }.into());
            }
            document = tokenizer.decode(&of_document[..of_document.len().saturating_sub(excess)], false)?;
            is_truncated = true;
        };
        let count = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        let asked = Options {
            choices: 1,
            tokens_max: Some(1),
            temperature: Some(0.0),
            ignore_eos: true,
            logprobs_of: vec![positive, negative],
            tenant: options.tenant,
            ..Options::default()
        };
        let mut running = self.submit(model, tokens, asked).await?;
        let pieces = running.next(limits::PIECES_MAX).await?;
        let Some([yes, no]) = pieces.first().and_then(|piece| <[f32; 2]>::try_from(&*piece.logprobs_of).ok()) else {
            return Err(EngineError::Failed("the model gave no verdict".into()).into());
        };
        let score = if options.is_raw { yes - no } else { 1.0 / (1.0 + (no - yes).exp()) };
        Ok(Relevance { score, tokens: count, is_truncated })
    }
}

/// Relevance by a cross-encoder.
async fn encode(
    loaded: LoadedModel<RerankModel>,
    query: String,
    documents: Vec<String>,
    options: RerankOptions,
) -> Result<Vec<Relevance>, InferenceError> {
    let _admission = admit(&loaded)?;
    let bytes = documents.iter().map(|document| document.len() + query.len()).sum::<usize>();
    let options = mimus_engine::RerankOptions { truncate_tokens: options.truncate_tokens, is_raw: options.is_raw };
    let request = RerankRequest { query, documents, options };
    let pending = if bytes <= limits::TOKENIZE_INLINE_BYTES_MAX {
        loaded.model.rerank(request)?
    } else {
        // Tokenizing much text would hold up other requests on this thread.
        let model = loaded.model.clone();
        let queued = tokio::task::spawn_blocking(move || model.rerank(request)).await;
        queued.map_err(|_| EngineError::Failed("tokenizing failed".into()))??
    };
    Ok(pending.wait().await?)
}

fn unsupported() -> InferenceError {
    InferenceError::Unsupported("reranking by this model".into())
}

/// The tokens of a verdict.
fn words(model: &LoadedModel, verdict: &Verdict) -> Result<(u32, u32), InferenceError> {
    let tokenizer = model.model.tokenizer();
    let token = |text: &str| {
        tokenizer.token_id(text).ok_or_else(|| {
            InferenceError::NotReady(format!("the prompt format judges by `{text}`, which is no token of this model"))
        })
    };
    Ok((token(&verdict.positive)?, token(&verdict.negative)?))
}

fn render_options() -> RenderOptions {
    RenderOptions {
        format: None,
        source: None,
        tools: Vec::new(),
        add_generation_prompt: true,
        continue_final_message: false,
        variables: Vec::new(),
    }
}

fn conversation(instruction: Option<&str>, query: &str, document: &str) -> Vec<Message> {
    let message = |role, name: Option<&str>, text: &str| Message {
        role,
        name: name.map(str::to_owned),
        content: vec![Part::Text(text.to_owned())],
        reasoning: None,
        tool_calls: Vec::new(),
        tool_call_id: None,
    };
    let system = instruction.map(|text| message(Role::System, None, text));
    let texts = [message(Role::User, Some("query"), query), message(Role::User, Some("document"), document)];
    system.into_iter().chain(texts).collect()
}
