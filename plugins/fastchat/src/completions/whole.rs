//! The answers in one piece.

use std::collections::VecDeque;

use mimus_sdk::inference::{self, Generation};
use mimus_sdk::{Response, clock};
use serde::Serialize;

use super::Completion;
use crate::ids;
use crate::logprobs::Logprobs;
use crate::refusal::Refusal;
use crate::turn::reason_name;
use crate::usage::Usage;

/// Prompts computed at the same time: enough to fill the engine's steps, few enough to leave room for others.
const PROMPTS_AT_ONCE: usize = 8;

#[derive(Serialize)]
struct Body<'a> {
    id: String,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<Choice<'a>>,
    usage: Usage,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    text: &'a str,
    logprobs: Option<Logprobs<'a>>,
    finish_reason: &'static str,
}

pub(super) fn answer(completion: &Completion, response: &mut Response) -> Result<(), Refusal> {
    let mut usage = Usage::default();
    let mut answers: Vec<(String, inference::Completion)> = Vec::new();
    let mut running: VecDeque<Generation> = VecDeque::new();
    let mut waiting = completion.prompts.iter();
    for prompt in &completion.prompts {
        while running.len() < PROMPTS_AT_ONCE
            && let Some(next) = waiting.next()
        {
            running.push_back(completion.start(next)?);
        }
        let generation = running.pop_front().expect("a generation for each prompt has been started");
        let prompt_tokens = generation.prompt_tokens();
        let echoed = completion.echoed(prompt)?;
        for choice in generation.collect()? {
            usage.add(prompt_tokens, choice.generated);
            answers.push((format!("{echoed}{}", choice.text), choice));
        }
    }
    let choices = answers.iter().zip(0..).map(|((text, answer), index)| Choice {
        index,
        text,
        logprobs: completion.options.logprobs.map(|_| Logprobs::new(&answer.tokens)),
        finish_reason: reason_name(answer.finish.reason),
    });
    let body = Body {
        id: ids::new("cmpl-"),
        object: "text_completion",
        created: clock::now_s(),
        model: &completion.name,
        choices: choices.collect(),
        usage,
    };
    Ok(response.json(200, &body)?)
}
