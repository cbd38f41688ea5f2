//! The answer as chunks: for each choice in turn its role and its text, then at the very end why each has ended, and `[DONE]`.
//!
//! FastChat writes `object` and `created` in the last chunks alone, and leaves U+FFFD out of all text.

use mimus_sdk::inference::{FinishReason, Generation};
use mimus_sdk::stream::Sse;
use mimus_sdk::{Response, WriteError, clock};
use serde::Serialize;

use super::Chat;
use crate::ids;
use crate::refusal::Refusal;
use crate::turn::{Turns, reason_name};

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<u64>,
    model: &'a str,
    choices: [Choice<'a>; 1],
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: Delta<'a>,
    finish_reason: Option<&'static str>,
}

#[derive(Serialize, Default)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

pub(super) fn answer(chat: &Chat, generation: Generation, response: &mut Response) -> Result<(), Refusal> {
    let mut turns = Turns::begin(generation, chat.options.choices)?;
    let stream = Stream { id: ids::new("chatcmpl-"), model: &chat.name };
    let mut events = response.sse()?;
    let mut finished = Vec::new();
    for index in 0..chat.options.choices {
        let role = Delta { role: Some("assistant"), content: None };
        stream.push(index, role, &mut events)?;
        while let Some(news) = turns.next(index)? {
            let text = news.text.replace('\u{fffd}', "");
            if !text.is_empty() {
                stream.push(index, Delta { role: None, content: Some(&text) }, &mut events)?;
                events.flush()?;
            }
            if let Some(reason) = news.finish {
                finished.push((index, reason));
                break;
            }
        }
    }
    for (index, reason) in finished {
        stream.push_finish(index, reason, &mut events)?;
    }
    events.push_text("[DONE]");
    Ok(events.flush()?)
}

struct Stream<'a> {
    id: String,
    model: &'a str,
}

impl Stream<'_> {
    fn push(&self, index: u32, delta: Delta<'_>, events: &mut Sse<'_>) -> Result<(), WriteError> {
        let choices = [Choice { index, delta, finish_reason: None }];
        events.push(&Chunk { id: &self.id, object: None, created: None, model: self.model, choices })
    }

    fn push_finish(&self, index: u32, reason: FinishReason, events: &mut Sse<'_>) -> Result<(), WriteError> {
        let choices = [Choice { index, delta: Delta::default(), finish_reason: Some(reason_name(reason)) }];
        events.push(&Chunk {
            id: &self.id,
            object: Some("chat.completion.chunk"),
            created: Some(clock::now_s()),
            model: self.model,
            choices,
        })
    }
}
