//! Text from models.

use crate::backend::{Backend, RunningGeneration, host};
use crate::chat::{Message, RenderOptions, Rendered};

pub use crate::bindings::personality::mimus::plugin::inference::{
    Completion, Constraint, ContextExcess, Error, Finish, FinishReason, InvalidValue, Options, Piece, Prompt,
    TokenLogprob,
};

/// Pieces that [`Generation::pieces`] takes at once. A slow client makes for large batches, and this bounds the memory they need.
pub const PIECES_MAX: u32 = 64;

/// Answers a conversation, rendered by the template that the model is configured with.
///
/// ```
/// use mimus_sdk::chat::{Message, RenderOptions, Role};
/// use mimus_sdk::inference::{self, Options};
///
/// fn ask(model: &str, question: &str) -> Result<String, inference::Error> {
///     let messages = [Message::text(Role::User, question)];
///     let options = Options { tokens_max: Some(64), ..Options::default() };
///     let mut generation = inference::chat(model, &messages, &RenderOptions::default(), &options)?;
///     let mut answer = String::new();
///     while let Some(pieces) = generation.pieces()? {
///         answer.extend(pieces.into_iter().map(|piece| piece.text));
///     }
///     Ok(answer)
/// }
/// ```
pub fn chat(model: &str, messages: &[Message], render: &RenderOptions, options: &Options) -> Result<Generation, Error> {
    Backend::chat(&*host(), model, messages, render, options).map(Generation)
}

/// Continues a prompt.
pub fn generate(model: &str, prompt: &Prompt, options: &Options) -> Result<Generation, Error> {
    Backend::generate(&*host(), model, prompt, options).map(Generation)
}

/// The prompt that [`chat`] would use.
pub fn render_chat(model: &str, messages: &[Message], render: &RenderOptions) -> Result<Rendered, Error> {
    Backend::render_chat(&*host(), model, messages, render)
}

/// The tokens of a text.
pub fn tokenize(model: &str, text: &str, add_special_tokens: bool) -> Result<Vec<u32>, Error> {
    Backend::tokenize(&*host(), model, text, add_special_tokens)
}

/// The text of tokens.
pub fn detokenize(model: &str, tokens: &[u32], skip_special_tokens: bool) -> Result<String, Error> {
    Backend::detokenize(&*host(), model, tokens, skip_special_tokens)
}

/// Cancels this plugin's generations with that tag; returns how many there were.
pub fn cancel_tagged(tag: &str) -> u32 {
    Backend::cancel_tagged(&*host(), tag)
}

/// A running generation. Dropping it cancels: its slot is free before the next step.
pub struct Generation(Box<dyn RunningGeneration>);

impl Generation {
    /// Tokens of the prompt, special ones included.
    pub fn prompt_tokens(&self) -> u32 {
        self.0.prompt_tokens()
    }

    /// How many of those were in the cache. 0 until the first piece is there.
    pub fn cached_tokens(&self) -> u32 {
        self.0.cached_tokens()
    }

    /// Waits until something is there, then returns all that is. None: every choice has finished.
    pub fn pieces(&mut self) -> Result<Option<Vec<Piece>>, Error> {
        let pieces = self.0.next(PIECES_MAX)?;
        Ok((!pieces.is_empty()).then_some(pieces))
    }

    /// Waits for the end and returns each choice whole, by index.
    pub fn collect(mut self) -> Result<Vec<Completion>, Error> {
        self.0.collect()
    }

    /// As [`Generation::collect`], with the tokens of the prompt that were in the cache.
    pub fn collect_with_cached(mut self) -> Result<(Vec<Completion>, u32), Error> {
        let choices = self.0.collect()?;
        Ok((choices, self.0.cached_tokens()))
    }
}

/// A plain answer: one choice, the model's own defaults, special tokens left out of the text.
impl Default for Options {
    fn default() -> Self {
        Options {
            choices: 1,
            tokens_max: None,
            tokens_min: 0,
            temperature: None,
            top_p: None,
            top_k: None,
            min_p: None,
            repetition_penalty: None,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            logit_bias: Vec::new(),
            seed: None,
            stop: Vec::new(),
            stop_tokens: Vec::new(),
            ignore_eos: false,
            include_stop: false,
            skip_special_tokens: true,
            logprobs: None,
            prompt_logprobs: false,
            token_ids: false,
            constraint: None,
            tag: None,
        }
    }
}

impl Error {
    /// One sentence for the client's user. [`Error::Failed`] keeps its details to itself: they are for the log.
    pub fn message(&self) -> String {
        match self {
            Error::UnknownModel(model) => format!("the model `{model}` does not exist"),
            Error::ModelNotReady(why) => format!("the model is not ready: {why}"),
            Error::ContextExceeded(excess) => excess.message(),
            Error::Invalid(value) => format!("{}: {}", value.field, value.reason),
            Error::Template(why) => format!("the messages do not fit the model's prompt format: {why}"),
            Error::Unsupported(ability) => format!("not supported: {ability}"),
            Error::Overloaded(_) => "the server is overloaded, try again later".into(),
            Error::Cancelled => "the generation was cancelled".into(),
            Error::Failed(_) => "the model failed on this request".into(),
        }
    }
}

impl ContextExcess {
    /// One sentence for the client's user, in the words that clients of language models look for.
    pub fn message(&self) -> String {
        let ContextExcess { limit, prompt, wanted } = self;
        let sum = u64::from(*prompt) + u64::from(*wanted);
        format!(
            "This model's maximum context length is {limit} tokens. However, you requested {sum} tokens \
             ({prompt} in the prompt, {wanted} for the answer). Please reduce the length of either one."
        )
    }
}
