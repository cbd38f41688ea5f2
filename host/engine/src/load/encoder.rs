//! From files to a running encoder: one that makes vectors, or one that scores.

use rayon::ThreadPool;

use super::{Inspection, Listener, LoadOptions, SAFETENSORS, beside};
use crate::architecture::Ability;
use crate::config::encoder::EncoderConfig;
use crate::config::scorer;
use crate::config::sentence::{self, SentenceConfig, TextConfig};
use crate::embedding::{EmbeddingInfo, EmbeddingModel, VectorHead};
use crate::encoding::EncoderForward;
use crate::error::LoadError;
use crate::model::encoder::Encoder;
use crate::rerank::{RerankInfo, RerankModel, ScoreHead};
use crate::source::Files;
use crate::tokenizer::{TOKENIZER, Tokenizer, vocabulary};
use crate::weights::safetensors::Safetensors;
use crate::weights::{Reading, Store, Weights};

/// Reads the folder of an embedding model and starts it.
pub(super) fn embedding(
    files: &Files,
    config: &EncoderConfig,
    options: &LoadOptions,
    pool: ThreadPool,
    progress: Listener<'_>,
) -> Result<EmbeddingModel, LoadError> {
    let sentence = sentence::describe(files, config)?;
    let reading = Some(Reading { pool: &pool, progress });
    let (tokenizer, forward) =
        beside(|| tokenizer(files, &sentence.text), || vectors(files, config, &sentence, reading))?;
    let (parameters, weight_bytes) = forward.size();
    let head = &forward.head;
    let info = EmbeddingInfo {
        architecture: config.architecture.clone(),
        format: SAFETENSORS.to_owned(),
        parameters,
        weight_bytes,
        context_tokens: context_tokens(config, &sentence.text, tokenizer.added_tokens() + 1, options)?,
        vocab_tokens: narrow(config.vocab),
        dimensions: narrow(head.dimensions()),
        normalizes: head.normalizes(),
        prompts: sentence.prompts.keys().cloned().collect(),
        default_prompt: sentence.default_prompt.clone(),
    };
    EmbeddingModel::start(forward, tokenizer, sentence, info, options, pool)
}

/// Reads the folder of a reranker and starts it.
pub(super) fn rerank(
    files: &Files,
    config: &EncoderConfig,
    options: &LoadOptions,
    pool: ThreadPool,
    progress: Listener<'_>,
) -> Result<RerankModel, LoadError> {
    let text = sentence::describe_text(files, config)?;
    let reading = Some(Reading { pool: &pool, progress });
    let (tokenizer, forward) = beside(|| tokenizer(files, &text), || scores(files, config, reading))?;
    let (parameters, weight_bytes) = forward.size();
    let info = RerankInfo {
        architecture: config.architecture.clone(),
        format: SAFETENSORS.to_owned(),
        parameters,
        weight_bytes,
        context_tokens: context_tokens(config, &text, tokenizer.added_to_pair() + 2, options)?,
        vocab_tokens: narrow(config.vocab),
    };
    let types = if text.gives_types { config.pair_types() } else { 0 };
    RerankModel::start(forward, tokenizer, types, info, options, pool)
}

/// What the headers of an encoder's folder say.
pub(super) fn inspect(files: &Files, config: &EncoderConfig, options: &LoadOptions) -> Result<Inspection, LoadError> {
    let text = sentence::describe_text(files, config)?;
    let (ability, (parameters, weight_bytes)) = if config.is_scorer {
        (Ability::Rerank, scores(files, config, None)?.size())
    } else {
        let sentence = sentence::describe(files, config)?;
        (Ability::Embedding, vectors(files, config, &sentence, None)?.size())
    };
    Ok(Inspection {
        ability,
        architecture: config.architecture.clone(),
        format: SAFETENSORS.to_owned(),
        quantization: None,
        parameters,
        weight_bytes,
        kv_bytes: 0,
        // What the tokenizer adds is not known yet; it matters to contexts of a few tokens only.
        context_tokens: context_tokens(config, &text, 1, options)?,
    })
}

/// The weights of an embedding model.
///
/// * `reading`: `None` for their sizes alone.
fn vectors(
    files: &Files,
    config: &EncoderConfig,
    sentence: &SentenceConfig,
    reading: Option<Reading<'_>>,
) -> Result<EncoderForward<VectorHead>, LoadError> {
    let store = Safetensors::open(files)?;
    let encoder = Encoder::load(config, &mut Weights::new(Store::Safetensors(&store), reading))?;
    let head = VectorHead::load(files, sentence, encoder.hidden(), reading)?;
    Ok(EncoderForward { encoder, head })
}

/// As [`vectors`], of a reranker.
fn scores(
    files: &Files,
    config: &EncoderConfig,
    reading: Option<Reading<'_>>,
) -> Result<EncoderForward<ScoreHead>, LoadError> {
    let function = scorer::describe(files)?;
    let store = Safetensors::open(files)?;
    let mut weights = Weights::new(Store::Safetensors(&store), reading);
    let encoder = Encoder::load(config, &mut weights)?;
    let head = ScoreHead::load(config, function, &mut weights)?;
    Ok(EncoderForward { encoder, head })
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
