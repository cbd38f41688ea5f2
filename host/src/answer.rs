//! Answers taken apart: reasoning, text and tool calls, by the marks of the model's prompt format.
//!
//! The marks are data that the format's template gives; this room reads them in the text that comes, and writes the grammar that
//! holds the model to them.

mod converse;
mod grammar;
mod marks;
mod reader;

use std::collections::BTreeMap;
use std::sync::Arc;

use mimus_engine::{Finish, Piece, Token};

use crate::inference::{InferenceError, Running};
pub use marks::{CallSyntax, Marks, Span, Verdict};
use reader::Reader;

/// Which tools an answer calls.
#[derive(Clone, Debug, PartialEq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// No call is read.
    None,
    /// One call at least, and no text.
    Required,
    /// Exactly one call of this tool, and no text.
    Named(String),
}

/// How tools are used.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolUse {
    /// Which.
    pub choice: ToolChoice,
    /// Whether one answer may hold several calls.
    pub is_parallel: bool,
}

/// A part of an answer as it comes.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// More of what the model thinks.
    Reasoning(String),
    /// More of the answer.
    Text(String),
    /// Call `index` begins.
    Call {
        /// Which call, from 0.
        index: u32,
        /// The tool's name.
        name: String,
    },
    /// More of the arguments of call `index`.
    Arguments {
        /// Which call, from 0.
        index: u32,
        /// JSON text.
        text: String,
    },
}

/// What is new in one choice.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Which choice.
    pub choice: u32,
    /// What came, in order.
    pub events: Vec<Event>,
    /// Tokens behind it, where asked for.
    pub tokens: Vec<Token>,
    /// Tokens generated so far.
    pub generated: u32,
    /// Tokens of reasoning among them.
    pub reasoning: u32,
    /// Set on the last part of a choice.
    pub finish: Option<Finish>,
}

/// A running answer. Dropping it cancels.
pub struct Answer {
    running: Running,
    marks: Arc<Marks>,
    is_in_reasoning: bool,
    choices: BTreeMap<u32, Choice>,
}

struct Choice {
    reader: Reader,
    reasoning_tokens: u32,
}

impl Answer {
    /// An answer that is read from `running`.
    ///
    /// * `is_in_reasoning`: the prompt has opened the reasoning already.
    fn new(running: Running, marks: Arc<Marks>, is_in_reasoning: bool) -> Answer {
        Answer { running, marks, is_in_reasoning, choices: BTreeMap::new() }
    }

    /// The generation behind it.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Tokens of the prompt.
    pub fn prompt_tokens(&self) -> u32 {
        self.running.prompt_tokens()
    }

    /// How many of those were in the cache; 0 until the first part is there.
    pub fn cached_tokens(&self) -> u32 {
        self.running.cached_tokens()
    }

    /// Waits until something is there and returns all that is, at most `max` parts. Empty at the end.
    ///
    /// # Errors
    /// The request's own failure; nothing follows it.
    pub async fn next(&mut self, max: usize) -> Result<Vec<Part>, InferenceError> {
        let pieces = self.running.next(max).await?;
        Ok(pieces.into_iter().map(|piece| self.read(piece)).collect())
    }

    fn read(&mut self, piece: Piece) -> Part {
        let (marks, is_in_reasoning) = (&self.marks, self.is_in_reasoning);
        let choice = self
            .choices
            .entry(piece.choice)
            .or_insert_with(|| Choice { reader: Reader::new(marks.clone(), is_in_reasoning), reasoning_tokens: 0 });
        let mut events = Vec::new();
        let was_reasoning = choice.reader.is_reasoning();
        choice.reader.push(&piece.text, &mut events);
        // A piece is mostly one token; one that holds the end of the reasoning counts to it.
        if was_reasoning || choice.reader.is_reasoning() {
            choice.reasoning_tokens = piece.generated_tokens;
        }
        if piece.finish.is_some() {
            choice.reader.finish(&mut events);
        }
        Part {
            choice: piece.choice,
            events,
            tokens: piece.prompt.into_iter().chain(piece.tokens).collect(),
            generated: piece.generated_tokens,
            reasoning: choice.reasoning_tokens,
            finish: piece.finish,
        }
    }
}

/// A whole answer.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    /// What the model thought, where it marked any.
    pub reasoning: Option<String>,
    /// The answer.
    pub text: String,
    /// Calls: name and JSON text of the arguments.
    pub calls: Vec<(String, String)>,
    /// Tokens, where asked for.
    pub tokens: Vec<Token>,
    /// Tokens generated.
    pub generated: u32,
    /// Tokens of reasoning among them.
    pub reasoning_tokens: u32,
    /// Why it ended.
    pub finish: Option<Finish>,
}

/// Puts parts together, each choice for itself.
pub fn append(choices: &mut BTreeMap<u32, Whole>, part: Part) {
    let whole = choices.entry(part.choice).or_default();
    for event in part.events {
        match event {
            Event::Reasoning(text) => whole.reasoning.get_or_insert_default().push_str(&text),
            Event::Text(text) => whole.text.push_str(&text),
            Event::Call { name, .. } => whole.calls.push((name, String::new())),
            Event::Arguments { text, .. } => {
                if let Some((_, arguments)) = whole.calls.last_mut() {
                    arguments.push_str(&text);
                }
            }
        }
    }
    whole.tokens.extend(part.tokens);
    whole.generated = part.generated;
    whole.reasoning_tokens = part.reasoning;
    whole.finish = part.finish.or(whole.finish.take());
}
