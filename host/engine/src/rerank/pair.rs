//! From query and documents to token ids, within every bound.

use super::{RerankInfo, RerankRequest};
use crate::encoding::Text;
use crate::error::EngineError;
use crate::limits;
use crate::tokenizer::Tokenizer;

/// Tokenizes and checks every pair.
///
/// * `types`: token types that the encoder knows.
///
/// # Errors
/// [`EngineError::Invalid`] naming the field.
pub(super) fn pairs(
    request: &RerankRequest,
    tokenizer: &Tokenizer,
    types: usize,
    info: &RerankInfo,
) -> Result<Vec<Text>, EngineError> {
    let count = request.documents.len();
    if !(1..=limits::EMBED_INPUTS_MAX).contains(&count) {
        let reason = format!("must be 1 to {}, not {count}", limits::EMBED_INPUTS_MAX);
        return Err(EngineError::invalid("documents", reason));
    }
    let tokens_max = tokens_max(request.options.truncate_tokens, tokenizer, info)?;
    let query = tokenizer.pair_with(&request.query, tokens_max)?;
    let mut pairs = Vec::with_capacity(count);
    let mut tokens = 0;
    for document in &request.documents {
        let pair = query.encode(document)?;
        let (ids, is_truncated) = (pair.ids, pair.is_truncated);
        // A tokenizer may know more ids than the encoder has rows.
        if let Some(id) = ids.iter().find(|id| **id >= info.vocab_tokens) {
            return Err(EngineError::invalid("documents", format!("token {id} is not below {}", info.vocab_tokens)));
        }
        tokens += ids.len();
        if tokens > limits::EMBED_TOKENS_MAX {
            let reason = format!("more than {} tokens in all", limits::EMBED_TOKENS_MAX);
            return Err(EngineError::invalid("documents", reason));
        }
        // An encoder that does not tell the two apart is not told.
        let told = if types < 2 { Vec::new() } else { pair.types };
        if let Some(kind) = told.iter().find(|kind| **kind as usize >= types) {
            return Err(EngineError::Failed(format!("the tokenizer gives token type {kind} of {types}")));
        }
        pairs.push(Text { ids, types: told, is_truncated, ..Text::default() });
    }
    Ok(pairs)
}

/// Where pairs are cut.
fn tokens_max(wanted: Option<u32>, tokenizer: &Tokenizer, info: &RerankInfo) -> Result<usize, EngineError> {
    let most = info.context_tokens as usize;
    let Some(wanted) = wanted else { return Ok(most) };
    let least = tokenizer.added_to_pair() + 2;
    if (wanted as usize) < least {
        return Err(EngineError::invalid("truncate_tokens", format!("must be at least {least}, not {wanted}")));
    }
    Ok(most.min(wanted as usize))
}
