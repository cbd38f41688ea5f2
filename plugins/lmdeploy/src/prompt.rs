//! Prompts that are rendered here, because their tokens are wanted, rather than by the host's `chat`.

use mimus_sdk::chat::{Message, RenderOptions};
use mimus_sdk::inference::{self, Error, Options, Prompt};
use mimus_sdk::models::Model;

use crate::session_len;

/// A conversation as tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// What the model reads.
    pub ids: Vec<u32>,
    /// What ends an answer in the model's format.
    pub stop: Vec<String>,
}

/// The prompt that the host's `chat` would use, as tokens.
pub fn render(model: &str, messages: &[Message], options: &RenderOptions) -> Result<Rendered, Error> {
    let rendered = inference::render_chat(model, messages, options)?;
    Ok(Rendered { ids: inference::tokenize(model, &rendered.prompt, false)?, stop: rendered.stop })
}

/// Lets an answer end where the format says. What is one special token ends it as a token, because special tokens do not show in
/// the text.
pub fn end_at(model: &str, stop: &[String], options: &mut Options) -> Result<(), Error> {
    if options.ignore_eos {
        return Ok(());
    }
    for text in stop {
        match inference::tokenize(model, text, false)?.as_slice() {
            [id] if inference::detokenize(model, &[*id], true)?.is_empty() => options.stop_tokens.push(*id),
            _ => options.stop.push(text.clone()),
        }
    }
    Ok(())
}

/// A prompt as it is to be generated from, and the answer bounded by the session's length where that is set. A text then becomes
/// tokens here, because they are counted.
pub fn bounded(model: &Model, prompt: Prompt, options: &mut Options) -> Result<Prompt, Error> {
    if !session_len::is_set(model) {
        return Ok(prompt);
    }
    let ids = match prompt {
        Prompt::Text(text) => inference::tokenize(&model.name, &text, true)?,
        Prompt::Tokens(ids) => ids,
    };
    session_len::bound(model, ids.len(), options)?;
    Ok(Prompt::Tokens(ids))
}
