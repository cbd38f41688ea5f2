//! The answers as chunks: prompt by prompt, choice by choice, then at the very end why each has ended, and `[DONE]`.
//!
//! As with FastChat `created` is left out, a choice's index does not tell its prompt, and logprobs are those of the answer so far.

use mimus_sdk::Response;
use mimus_sdk::inference::{FinishReason, TokenLogprob};
use mimus_sdk::stream::Sse;
use serde::Serialize;

use super::Completion;
use crate::ids;
use crate::logprobs::Logprobs;
use crate::refusal::Refusal;
use crate::turn::{Pace, Turns, reason_name};

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    model: &'a str,
    choices: [Choice<'a>; 1],
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    text: &'a str,
    logprobs: Option<Logprobs<'a>>,
    finish_reason: Option<&'static str>,
}

/// A choice that has ended.
struct Finished {
    index: u32,
    tokens: Vec<TokenLogprob>,
    reason: FinishReason,
}

pub(super) fn answer(completion: &Completion, response: &mut Response) -> Result<(), Refusal> {
    let id = ids::new("cmpl-");
    let mut echoes = Vec::with_capacity(completion.prompts.len());
    for prompt in &completion.prompts {
        echoes.push(completion.echoed(prompt)?);
    }
    let first = completion.prompts.first().map(|prompt| begin(completion, prompt)).transpose()?;
    let mut first = first;
    let mut events = response.sse()?;
    let mut finished = Vec::new();
    for (prompt, echoed) in completion.prompts.iter().zip(echoes) {
        let mut turns = match first.take() {
            Some(turns) => turns,
            None => begin(completion, prompt)?,
        };
        for index in 0..completion.options.choices {
            finished.extend(tell(completion, &id, index, &echoed, &mut turns, &mut events)?);
        }
    }
    for Finished { index, tokens, reason } in finished {
        let logprobs = completion.options.logprobs.map(|_| Logprobs::new(&tokens));
        let choices = [Choice { index, text: "", logprobs, finish_reason: Some(reason_name(reason)) }];
        events.push(&Chunk { id: &id, object: "text_completion", model: &completion.name, choices })?;
    }
    events.push_text("[DONE]");
    Ok(events.flush()?)
}

fn begin(completion: &Completion, prompt: &mimus_sdk::inference::Prompt) -> Result<Turns, Refusal> {
    Turns::begin(completion.start(prompt)?, completion.options.choices)
}

/// Sends the text of one choice.
fn tell(
    completion: &Completion,
    id: &str,
    index: u32,
    echoed: &str,
    turns: &mut Turns,
    events: &mut Sse<'_>,
) -> Result<Option<Finished>, Refusal> {
    let mut pace = Pace::new();
    let mut tokens: Vec<TokenLogprob> = Vec::new();
    let mut text = echoed.to_owned();
    while let Some(news) = turns.next(index)? {
        text.push_str(&news.text.replace('\u{fffd}', ""));
        tokens.extend(news.tokens);
        let is_due = completion.options.logprobs.is_none() || news.finish.is_some() || pace.is_due(tokens.len());
        if is_due && !text.is_empty() {
            let logprobs = completion.options.logprobs.map(|_| Logprobs::new(&tokens));
            let choices = [Choice { index, text: &text, logprobs, finish_reason: None }];
            events.push(&Chunk { id, object: "text_completion", model: &completion.name, choices })?;
            events.flush()?;
            text.clear();
        }
        if let Some(reason) = news.finish {
            return Ok(Some(Finished { index, tokens, reason }));
        }
    }
    Ok(None)
}
