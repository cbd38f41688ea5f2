//! Answers taken apart: reasoning, text and tool calls, by the marks of the model's prompt format.

use std::collections::BTreeMap;

use mimus_engine::{Finish, Piece, Token};

use crate::inference::{InferenceError, Running};

/// A running answer. Dropping it cancels.
pub struct Answer {
    running: Running,
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

impl Answer {
    /// An answer that is read from `running`.
    pub fn new(running: Running) -> Answer {
        Answer { running }
    }

    /// Tokens of the prompt.
    pub fn prompt_tokens(&self) -> u32 {
        self.running.prompt_tokens()
    }

    /// Waits until something is there and returns all that is, at most `max` parts. Empty at the end.
    ///
    /// # Errors
    /// The request's own failure; nothing follows it.
    pub async fn next(&mut self, max: usize) -> Result<Vec<Part>, InferenceError> {
        Ok(self.running.next(max).await?.into_iter().map(part).collect())
    }
}

fn part(piece: Piece) -> Part {
    Part {
        choice: piece.choice,
        events: if piece.text.is_empty() { Vec::new() } else { vec![Event::Text(piece.text)] },
        tokens: piece.prompt.into_iter().chain(piece.tokens).collect(),
        generated: piece.generated_tokens,
        reasoning: 0,
        finish: piece.finish,
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
