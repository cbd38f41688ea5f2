//! The fields `prompt` and `input`.
//!
//! FastChat takes tokens for those of OpenAI's models and turns them back into text; here they are the model's own.

use mimus_sdk::inference::Prompt;
use mimus_sdk::prompts::Prompts;

use crate::refusal::Refusal;

/// At least one, at most `count_max`; `name` is the field's.
pub(crate) fn parse(prompts: Prompts, name: &str, count_max: usize) -> Result<Vec<Prompt>, Refusal> {
    let prompts = prompts.into_prompts();
    let is_empty = |prompt: &Prompt| matches!(prompt, Prompt::Tokens(tokens) if tokens.is_empty());
    if prompts.is_empty() || prompts.iter().any(is_empty) {
        return Err(Refusal::validation(format!("`{name}` must not be empty")));
    }
    if prompts.len() > count_max {
        let count = prompts.len();
        return Err(Refusal::out_of_range(format!("{count} is greater than the maximum of {count_max} - '{name}'")));
    }
    Ok(prompts)
}
