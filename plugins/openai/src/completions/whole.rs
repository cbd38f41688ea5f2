//! The answer in one piece.

use std::collections::VecDeque;

use mimus_sdk::Response;
use mimus_sdk::inference::{self, Generation};
use serde::Serialize;

use super::Completion;
use crate::chat::reason_name;
use crate::error::ApiError;
use crate::ids::{FINGERPRINT, Stamp};
use crate::logprobs::TextLogprobs;
use crate::usage::{Tally, Usage};

/// Prompts of one request that are generated at the same time: the engine works on them together, and other requests get their turn.
pub(super) const PROMPTS_AT_ONCE: usize = 8;

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    system_fingerprint: &'static str,
    choices: Vec<Choice<'a>>,
    usage: Usage,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    text: &'a str,
    logprobs: Option<TextLogprobs<'a>>,
    finish_reason: &'static str,
}

/// One answer with the text in front of it.
struct Answer {
    text: String,
    completion: inference::Completion,
}

pub(super) fn answer(completion: &Completion, response: &mut Response) -> Result<(), ApiError> {
    let mut tally = Tally::default();
    let mut answers = Vec::new();
    let mut running: VecDeque<Generation> = VecDeque::new();
    let mut waiting = completion.prompts.iter();
    for (index, prompt) in completion.prompts.iter().enumerate() {
        while running.len() < PROMPTS_AT_ONCE
            && let Some(prompt) = waiting.next()
        {
            running.push_back(completion.start(prompt)?);
        }
        let generation = running.pop_front().expect("a generation for each prompt has been started");
        tally.add_prompt(generation.prompt_tokens());
        let echoed = completion.echoed(prompt)?;
        let mut choices = generation.collect().map_err(|error| ApiError::of_inference(error, "prompt"))?;
        for choice in &choices {
            let number = index as u32 * completion.options.choices + choice.choice;
            tally.set_generated(number, choice.generated);
        }
        keep_best(&mut choices, completion.n as usize);
        answers.extend(
            choices.into_iter().map(|completion| Answer { text: format!("{echoed}{}", completion.text), completion }),
        );
    }
    let choices = answers.iter().zip(0..).map(|(answer, index)| Choice {
        index,
        text: &answer.text,
        logprobs: completion.top_logprobs.map(|top| TextLogprobs::new(&answer.completion.tokens, top, &answer.text, 0)),
        finish_reason: reason_name(answer.completion.finish.reason),
    });
    let stamp = Stamp::new("cmpl-");
    let body = Body {
        id: &stamp.id,
        object: "text_completion",
        created: stamp.created,
        model: &completion.model,
        system_fingerprint: FINGERPRINT,
        choices: choices.collect(),
        usage: tally.usage(),
    };
    Ok(response.json(200, &body)?)
}

/// Leaves the `n` answers with the highest mean logprob, the best first; all as they are when there are no more.
fn keep_best(choices: &mut Vec<inference::Completion>, n: usize) {
    if choices.len() <= n {
        return;
    }
    choices.sort_by(|left, right| mean_logprob(right).total_cmp(&mean_logprob(left)));
    choices.truncate(n);
}

fn mean_logprob(completion: &inference::Completion) -> f32 {
    let generated = completion.tokens.len().saturating_sub(completion.generated as usize);
    let logprobs = completion.tokens[generated..].iter().filter_map(|token| token.logprob);
    let (sum, count) = logprobs.fold((0.0, 0.0), |(sum, count), logprob| (sum + logprob, count + 1.0));
    if count > 0.0 { sum / count } else { f32::NEG_INFINITY }
}
