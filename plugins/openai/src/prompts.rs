//! The fields `prompt` and `input`.

use mimus_sdk::inference::Prompt;
use mimus_sdk::prompts::Prompts;

use crate::error::ApiError;
use crate::fields;

/// The prompts of the field `param`, at most `count_max`; none may be an empty list of tokens.
pub(crate) fn parse(prompts: Prompts, param: &'static str, count_max: usize) -> Result<Vec<Prompt>, ApiError> {
    let prompts = prompts.into_prompts();
    let is_empty = |prompt: &Prompt| matches!(prompt, Prompt::Tokens(tokens) if tokens.is_empty());
    if prompts.is_empty() || prompts.iter().any(is_empty) {
        return Err(ApiError::invalid(param, format!("`{param}` must not be empty")));
    }
    if prompts.len() > count_max {
        return Err(fields::out_of_bounds(param, format!("at most {count_max} texts or lists"), prompts.len()));
    }
    Ok(prompts)
}
