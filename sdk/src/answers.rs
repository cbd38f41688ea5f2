//! Answers to a conversation, taken apart: reasoning, text, tool calls.

use crate::backend::{Backend, RunningAnswer, host};
use crate::chat::{Message, RenderOptions};
use crate::inference::{Error, Options, PIECES_MAX};

pub use crate::bindings::personality::mimus::plugin::answers::{
    Call, CallArguments, CallStart, Event, Part, ToolChoice, ToolUse, Whole,
};

/// Answers a conversation, rendered by the template that the model is configured with.
///
/// ```
/// use mimus_sdk::answers::{self, ToolUse};
/// use mimus_sdk::chat::{Message, RenderOptions, Role};
/// use mimus_sdk::inference::{self, Options};
///
/// fn ask(model: &str, question: &str) -> Result<String, inference::Error> {
///     let messages = [Message::text(Role::User, question)];
///     let answer = answers::converse(
///         model,
///         &messages,
///         &RenderOptions::default(),
///         &Options::default(),
///         &ToolUse::default(),
///     )?;
///     Ok(answer.collect()?.remove(0).text)
/// }
/// ```
pub fn converse(
    model: &str,
    messages: &[Message],
    render: &RenderOptions,
    options: &Options,
    tools: &ToolUse,
) -> Result<Answer, Error> {
    Backend::converse(&*host(), model, messages, render, options, tools).map(Answer)
}

/// A running answer. Dropping it cancels: its slot is free before the next step.
pub struct Answer(Box<dyn RunningAnswer>);

impl Answer {
    /// Tokens of the prompt, special ones included.
    pub fn prompt_tokens(&self) -> u32 {
        self.0.prompt_tokens()
    }

    /// How many of those were in the cache. 0 until the first part is there.
    pub fn cached_tokens(&self) -> u32 {
        self.0.cached_tokens()
    }

    /// Waits until something is there, then returns all that is. None: every choice has finished.
    pub fn parts(&mut self) -> Result<Option<Vec<Part>>, Error> {
        let parts = self.0.next(PIECES_MAX)?;
        Ok((!parts.is_empty()).then_some(parts))
    }

    /// Waits for the end and returns each choice whole, by index.
    ///
    /// `cached_tokens` is known afterwards, so this borrows.
    pub fn collect(mut self) -> Result<Vec<Whole>, Error> {
        self.0.collect()
    }

    /// As [`Answer::collect`], with the tokens of the prompt that were in the cache.
    pub fn collect_with_cached(mut self) -> Result<(Vec<Whole>, u32), Error> {
        let choices = self.0.collect()?;
        Ok((choices, self.0.cached_tokens()))
    }
}

/// The model decides, and may call several tools at once.
impl Default for ToolUse {
    fn default() -> Self {
        ToolUse { choice: ToolChoice::Auto, is_parallel: true }
    }
}
