//! `suffix`: filling in the middle, by models that were trained for it.
//!
//! Such a model has three special tokens; the prompt is the first, the text before the gap, the second, the text after it, the third,
//! and the answer is what belongs between. The prompt is made of tokens, so that a client's text cannot hold one of the three.

use mimus_sdk::inference::{self, Prompt};

use super::of_inference;
use crate::error::ApiError;

/// How families of models write their three tokens: before the text in front, before the text behind, before the answer.
const MARKS: [[&str; 3]; 4] = [
    // Qwen2.5-Coder, CodeGemma.
    ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"],
    // StarCoder, Granite Code.
    ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"],
    // DeepSeek-Coder.
    ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"],
    // CodeLlama.
    ["▁<PRE>", "▁<SUF>", "▁<MID>"],
];

/// The prompts with a gap between each and `suffix`.
pub(super) fn prompts(model: &str, prompts: Vec<Prompt>, suffix: &str) -> Result<Vec<Prompt>, ApiError> {
    let marks = marks(model)?.ok_or_else(|| {
        ApiError::unsupported("suffix", format!("`suffix`: the model `{model}` was not made to fill in the middle"))
    })?;
    let tokens = |text: &str, special| inference::tokenize(model, text, special).map_err(of_inference);
    let begin = tokens("", true)?;
    let after = tokens(suffix, false)?;
    let fill = |prompt: Prompt| {
        let before = match prompt {
            Prompt::Text(text) => tokens(&text, false)?,
            Prompt::Tokens(tokens) => tokens,
        };
        let [prefix, suffix, middle] = &marks;
        let parts = [begin.as_slice(), &[*prefix], &before, &[*suffix], &after, &[*middle]];
        Ok(Prompt::Tokens(parts.concat()))
    };
    prompts.into_iter().map(fill).collect()
}

/// The three tokens of the model; none when it has no such tokens.
fn marks(model: &str) -> Result<Option<[u32; 3]>, ApiError> {
    for family in MARKS {
        let mut marks = [0; 3];
        let mut are_tokens = true;
        for (mark, text) in marks.iter_mut().zip(family) {
            match inference::tokenize(model, text, false).map_err(of_inference)?.as_slice() {
                [token] => *mark = *token,
                _ => are_tokens = false,
            }
        }
        // Texts that a model does not know can all be its one token for the unknown.
        if are_tokens && marks[0] != marks[1] && marks[1] != marks[2] && marks[0] != marks[2] {
            return Ok(Some(marks));
        }
    }
    Ok(None)
}
