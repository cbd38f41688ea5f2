//! Prompts that the client wants made of tokens in another way than usual.

use mimus_sdk::inference::{self, Prompt};
use mimus_sdk::models;

use super::of_inference;
use crate::error::ApiError;
use crate::fields;

/// The prompts as tokens: without the model's special tokens if so wanted, and no longer than `limit`, where the end of a prompt stays.
/// A limit of -1 is what the context leaves beside `tokens_max` tokens of answer.
pub(super) fn cut(
    model: &str,
    prompts: Vec<Prompt>,
    has_special_tokens: bool,
    limit: Option<i64>,
    tokens_max: u32,
) -> Result<Vec<Prompt>, ApiError> {
    let param = "truncate_prompt_tokens";
    let limit = match limit {
        None => usize::MAX,
        Some(-1) => {
            let context = models::get(model).ok_or_else(|| ApiError::unknown_model(model))?.context_tokens;
            context.saturating_sub(tokens_max).max(1) as usize
        }
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| *limit > 0)
            .ok_or_else(|| fields::out_of_bounds(param, "-1 or an integer of 1 or more", limit))?,
    };
    let one = |prompt: Prompt| {
        let tokens = match prompt {
            Prompt::Text(text) => inference::tokenize(model, &text, has_special_tokens).map_err(of_inference)?,
            Prompt::Tokens(tokens) => tokens,
        };
        Ok(Prompt::Tokens(tokens[tokens.len().saturating_sub(limit)..].to_vec()))
    };
    prompts.into_iter().map(one).collect()
}
