//! From files to a running encoder: one that makes vectors, or one that scores.

use super::{LoadOptions, Progress};
use crate::config::encoder::EncoderConfig;
use crate::config::scorer;
use crate::config::sentence::{self, TextConfig};
use crate::embedding::{EmbeddingInfo, EmbeddingModel, VectorHead};
use crate::encoding::EncoderForward;
use crate::error::LoadError;
use crate::model::encoder::Encoder;
use crate::rerank::{RerankInfo, RerankModel, ScoreHead};
use crate::source::Files;
use crate::tokenizer::{TOKENIZER, Tokenizer, vocabulary};
use crate::weights::safetensors::Safetensors;
use crate::weights::{Store, Weights};

/// Where the weights of encoders come from.
const FORMAT: &str = "safetensors";

/// Reads the folder of an embedding model and starts it.
pub(super) fn embedding(
    files: &Files,
    config: &EncoderConfig,
    options: &LoadOptions,
    progress: &dyn Fn(Progress),
) -> Result<EmbeddingModel, LoadError> {
    let sentence = sentence::describe(files, config)?;
    let tokenizer = tokenizer(files, &sentence.text)?;
    let mut weights = Weights::new(Store::Safetensors(Safetensors::open(files)?), progress);
    let encoder = Encoder::load(config, &mut weights)?;
    let head = VectorHead::load(files, &sentence, encoder.hidden())?;
    let (sizes, more) = (encoder.size(), head.size());
    let context_tokens = context_tokens(config, &sentence.text, tokenizer.added_tokens() + 1, options)?;
    let info = EmbeddingInfo {
        architecture: config.architecture.clone(),
        format: FORMAT.to_owned(),
        parameters: sizes.0 + more.0,
        weight_bytes: sizes.1 + more.1,
        context_tokens,
        vocab_tokens: narrow(config.vocab),
        dimensions: narrow(head.dimensions()),
        normalizes: head.normalizes(),
        prompts: sentence.prompts.keys().cloned().collect(),
        default_prompt: sentence.default_prompt.clone(),
    };
    EmbeddingModel::start(EncoderForward { encoder, head }, tokenizer, sentence, info, options)
}

/// Reads the folder of a reranker and starts it.
pub(super) fn rerank(
    files: &Files,
    config: &EncoderConfig,
    options: &LoadOptions,
    progress: &dyn Fn(Progress),
) -> Result<RerankModel, LoadError> {
    let function = scorer::describe(files)?;
    let text = sentence::describe_text(files, config)?;
    let tokenizer = tokenizer(files, &text)?;
    let mut weights = Weights::new(Store::Safetensors(Safetensors::open(files)?), progress);
    let encoder = Encoder::load(config, &mut weights)?;
    let head = ScoreHead::load(config, function, &mut weights)?;
    let (sizes, more) = (encoder.size(), head.size());
    let info = RerankInfo {
        architecture: config.architecture.clone(),
        format: FORMAT.to_owned(),
        parameters: sizes.0 + more.0,
        weight_bytes: sizes.1 + more.1,
        context_tokens: context_tokens(config, &text, tokenizer.added_to_pair() + 2, options)?,
        vocab_tokens: narrow(config.vocab),
    };
    let types = if text.gives_types { config.pair_types() } else { 0 };
    RerankModel::start(EncoderForward { encoder, head }, tokenizer, types, info, options)
}

/// Tokens of the longest input.
///
/// * `least`: room for the tokens that the tokenizer adds, and one of each text among them.
fn context_tokens(
    config: &EncoderConfig,
    text: &TextConfig,
    least: usize,
    options: &LoadOptions,
) -> Result<u32, LoadError> {
    let cut = options.context_tokens_max.map_or(text.context_tokens, |max| text.context_tokens.min(max as usize));
    let context_tokens = cut.max(least);
    if context_tokens > config.context_tokens() {
        let reason = format!("{} positions hold no text", config.context_tokens());
        return Err(LoadError::malformed("config.json", reason));
    }
    Ok(narrow(context_tokens))
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The tokenizer of an encoder: `tokenizer.json`, or what an old folder has instead.
fn tokenizer(files: &Files, config: &TextConfig) -> Result<Tokenizer, LoadError> {
    let (begin, end) = (config.begin_token.as_deref(), config.end_token.as_deref());
    let mut tokenizer = if files.has(TOKENIZER) || !files.has(vocabulary::VOCABULARY) {
        Tokenizer::parse(TOKENIZER, &files.read_text(TOKENIZER)?, begin, end, &[])?
    } else {
        let text = files.read_text(vocabulary::VOCABULARY)?;
        let json = vocabulary::tokenizer_json(&text, config.vocabulary_lowercases)?;
        Tokenizer::parse(vocabulary::VOCABULARY, &json, begin, end, &[])?
    };
    if config.lowercases {
        tokenizer.lowercase()?;
    }
    Ok(tokenizer)
}
