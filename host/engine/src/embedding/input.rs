//! From inputs to token ids, within every bound.

use super::{EmbedInput, EmbedOptions, EmbedRequest, EmbeddingInfo};
use crate::config::sentence::SentenceConfig;
use crate::encoding::Text;
use crate::error::EngineError;
use crate::limits;
use crate::tokenizer::Tokenizer;

/// Tokenizes and checks all inputs.
///
/// # Errors
/// [`EngineError::Invalid`] naming the field, or [`EngineError::PromptTooLong`].
pub(super) fn texts(
    request: &EmbedRequest,
    tokenizer: &Tokenizer,
    config: &SentenceConfig,
    info: &EmbeddingInfo,
) -> Result<Vec<Text>, EngineError> {
    let count = request.inputs.len();
    if !(1..=limits::EMBED_INPUTS_MAX).contains(&count) {
        let reason = format!("must be 1 to {}, not {count}", limits::EMBED_INPUTS_MAX);
        return Err(EngineError::invalid("inputs", reason));
    }
    let tokens_max = tokens_max(&request.options, tokenizer, info)?;
    let prompt = prompt(&request.options, config)?;
    let prompt_tokens = match prompt {
        Some(prompt) => count_prompt(prompt, tokenizer)?,
        None => 0,
    };
    let mut texts = Vec::with_capacity(count);
    let mut tokens = 0;
    for input in &request.inputs {
        let text = match input {
            EmbedInput::Text(text) => {
                let joined = prompt.map(|prompt| format!("{prompt}{text}"));
                let (ids, all) = tokenizer.encode_cut(joined.as_deref().unwrap_or(text), tokens_max)?;
                let is_truncated = ids.len() < all;
                check_length(is_truncated, all, &request.options, info)?;
                Text { ids, prompt_tokens, is_truncated, ..Text::default() }
            }
            EmbedInput::Tokens(ids) => given(ids, tokens_max, &request.options, info)?,
        };
        if text.ids.is_empty() {
            return Err(EngineError::invalid("inputs", "an input has no token"));
        }
        // A tokenizer may know more ids than the encoder has rows.
        if let Some(id) = text.ids.iter().find(|id| **id >= info.vocab_tokens) {
            let reason = format!("token {id} is not below {}", info.vocab_tokens);
            return Err(EngineError::invalid("inputs", reason));
        }
        tokens += text.ids.len();
        if tokens > limits::EMBED_TOKENS_MAX {
            let reason = format!("more than {} tokens in all", limits::EMBED_TOKENS_MAX);
            return Err(EngineError::invalid("inputs", reason));
        }
        texts.push(text);
    }
    Ok(texts)
}

/// Token ids as a client gave them.
fn given(ids: &[u32], tokens_max: usize, options: &EmbedOptions, info: &EmbeddingInfo) -> Result<Text, EngineError> {
    if options.prompt_name.is_some() {
        return Err(EngineError::invalid("prompt_name", "a prompt goes before texts, not before token ids"));
    }
    let is_truncated = ids.len() > tokens_max;
    check_length(is_truncated, ids.len(), options, info)?;
    Ok(Text { ids: ids[..ids.len().min(tokens_max)].to_vec(), is_truncated, ..Text::default() })
}

/// Where inputs are cut, or too long.
fn tokens_max(options: &EmbedOptions, tokenizer: &Tokenizer, info: &EmbeddingInfo) -> Result<usize, EngineError> {
    let most = info.context_tokens as usize;
    let Some(wanted) = options.truncate_tokens else {
        return Ok(most);
    };
    let least = tokenizer.added_tokens() + 1;
    if (wanted as usize) < least {
        return Err(EngineError::invalid("truncate_tokens", format!("must be at least {least}, not {wanted}")));
    }
    Ok(most.min(wanted as usize))
}

/// Refuses an input that would be cut where nobody allowed it.
fn check_length(
    is_truncated: bool,
    tokens: usize,
    options: &EmbedOptions,
    info: &EmbeddingInfo,
) -> Result<(), EngineError> {
    if !is_truncated || options.truncate_tokens.is_some() {
        return Ok(());
    }
    let prompt = u32::try_from(tokens).unwrap_or(u32::MAX);
    Err(EngineError::PromptTooLong { limit: info.context_tokens, prompt, wanted: 0 })
}

/// The text put before every text.
fn prompt<'a>(options: &EmbedOptions, config: &'a SentenceConfig) -> Result<Option<&'a str>, EngineError> {
    let text = match (&options.prompt_name, &config.default_prompt) {
        (Some(name), _) => match config.prompts.get(name) {
            Some(text) => Some(text),
            None => {
                let known: Vec<&str> = config.prompts.keys().map(String::as_str).collect();
                let reason = match known.as_slice() {
                    [] => "the model knows no prompt".to_owned(),
                    known => format!("the model knows {}", known.join(", ")),
                };
                return Err(EngineError::invalid("prompt_name", reason));
            }
        },
        (None, Some(name)) => config.prompts.get(name),
        (None, None) => None,
    };
    Ok(text.map(String::as_str).filter(|text| !text.is_empty()))
}

/// Tokens of the prompt alone, without the special token at its end.
fn count_prompt(prompt: &str, tokenizer: &Tokenizer) -> Result<usize, EngineError> {
    let ids = tokenizer.encode(prompt, true)?;
    let has_end = ids.last().is_some_and(|&id| tokenizer.is_special(id));
    Ok(ids.len() - usize::from(has_end))
}
