//! Constraints, and requests that must follow them.

use std::sync::Arc;

use mimus_engine::{Answer, Constraint, GenerateRequest, Sampling, Script, TextModel, scripted};

use super::request;

/// A model that says anything.
pub fn noise(seed: u64) -> Arc<dyn TextModel> {
    scripted(Script { answer: Answer::Noise(seed), ..Script::default() })
}

/// A request that must follow `constraint`.
pub fn constrained(model: &dyn TextModel, constraint: &Constraint) -> GenerateRequest {
    let grammar = model.compile(constraint).unwrap_or_else(|error| panic!("{constraint:?}: {error}"));
    GenerateRequest { grammar: Some(grammar), tokens_max: Some(2_000), ..request(model, "hello") }
}

/// The request of [`constrained`], drawn at a temperature with `seed`.
pub fn drawn(model: &dyn TextModel, constraint: &Constraint, seed: u64) -> GenerateRequest {
    let sampling = Sampling { temperature: 2.0, seed: Some(seed), ..Sampling::default() };
    GenerateRequest { sampling, ..constrained(model, constraint) }
}

pub fn regex(pattern: &str) -> Constraint {
    Constraint::Regex(pattern.to_owned())
}

pub fn lark(text: &str) -> Constraint {
    Constraint::Lark(text.to_owned())
}

pub fn schema(text: &str) -> Constraint {
    Constraint::JsonSchema(text.to_owned())
}

pub fn choice(texts: &[&str]) -> Constraint {
    Constraint::Choice(texts.iter().map(|&text| text.to_owned()).collect())
}
