//! What a session and a new turn become as tokens.
//!
//! Templates write a whole conversation, and its text may give other tokens than the model has seen and said. So only what is new is
//! rendered: a mark stands for the words before it, and what the template writes after the mark is what follows them. The prompt is
//! then the session's own tokens and the new ones, and the server computes the new ones alone. lmdeploy does the same.

use mimus_sdk::chat::RenderOptions;
use mimus_sdk::inference::{self, Error};
use mimus_sdk::models::Model;
use mimus_sdk::random;

use crate::messages::{self, Turn};
use crate::prompt::Rendered;
use crate::session::Session;

/// What comes next: the model's answer, or nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The prompt ends where the answer begins.
    Answer,
    /// The prompt ends with the last word of the last turn.
    Nothing,
}

impl Session {
    /// Adds what a turn says, and returns the prompt up to there; `self.ids` is then empty until the caller fills it in.
    ///
    /// A list that begins with the session's own turns is the whole history; any other continues it.
    pub fn prompt(&mut self, model: &Model, mut given: Vec<Turn>, then: Then) -> Result<Rendered, Error> {
        let is_whole_history = given.len() > 1 && given.starts_with(&self.turns);
        let news = given.split_off(if is_whole_history { self.turns.len() } else { 0 });
        let last_role = self.turns.last().map(|turn| turn.role.clone());
        let ids = std::mem::take(&mut self.ids);
        let vocabulary = std::mem::replace(&mut self.vocabulary, vocabulary_of(model));
        let continued = match last_role {
            Some(role) if !ids.is_empty() && !news.is_empty() && vocabulary == self.vocabulary => {
                continuation(model, &role, &news, then)
            }
            _ => None,
        };
        self.turns.extend(news);
        if let Some((text, stop)) = continued {
            let mut prompt = Rendered { ids, stop };
            prompt.ids.extend(inference::tokenize(&model.name, &text, false)?);
            return Ok(prompt);
        }
        let (text, stop) = render(model, self.turns.clone(), then)?;
        Ok(Rendered { ids: inference::tokenize(&model.name, &text, false)?, stop })
    }
}

/// Sessions outlive servers, and a model of the same name may have other tokens.
fn vocabulary_of(model: &Model) -> String {
    format!("{} {} {}", model.name, model.architecture, model.vocab_tokens)
}

/// What the template writes after the last word of a turn of that role: its end, the new turns, and how an answer begins. None where
/// the template cannot be asked that way.
fn continuation(model: &Model, role: &str, news: &[Turn], then: Then) -> Option<(String, Vec<String>)> {
    let mark = mark();
    let mut turns = match role {
        // Many templates want a user before an assistant.
        "assistant" => vec![Turn::user("-")],
        "user" | "system" => Vec::new(),
        _ => return None,
    };
    turns.push(Turn { role: role.into(), content: mark.clone() });
    turns.extend(news.iter().cloned());
    let (text, stop) = render(model, turns, then).ok()?;
    let (before, after) = text.split_once(&mark)?;
    (!before.is_empty() && !after.contains(&mark)).then(|| (after.to_owned(), stop))
}

fn render(model: &Model, mut turns: Vec<Turn>, then: Then) -> Result<(String, Vec<String>), Error> {
    let end = mark();
    if let (Then::Nothing, Some(last)) = (then, turns.last_mut()) {
        last.content.push_str(&end);
    }
    let options = RenderOptions { add_generation_prompt: then == Then::Answer, ..RenderOptions::default() };
    let rendered = inference::render_chat(&model.name, &messages::for_host(&turns), &options)?;
    let text = match (then, rendered.prompt.split_once(&end)) {
        (Then::Nothing, Some((before, _))) => before.to_owned(),
        _ => rendered.prompt,
    };
    Ok((text, rendered.stop))
}

/// A word that no conversation holds.
fn mark() -> String {
    format!("mark{}", random::id(24))
}
