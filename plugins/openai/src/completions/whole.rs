//! The answer in one piece.

use std::collections::VecDeque;

use mimus_sdk::Response;
use mimus_sdk::inference::{self, Generation, TokenLogprob};
use serde::Serialize;

use super::{Completion, of_inference, reason_name};
use crate::error::ApiError;
use crate::ids::{FINGERPRINT, Stamp};
use crate::logprobs::{self, PromptToken, TextLogprobs};
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
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_logprobs: Option<Vec<Option<PromptToken<'a>>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_token_ids: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_ids: Option<Vec<u32>>,
}

/// The answers to one prompt.
struct Answers {
    /// Each with the prompt's text in front of it where that is wanted.
    choices: Vec<inference::Completion>,
    /// The prompt's tokens, where they are scored.
    scored: Vec<TokenLogprob>,
    prompt_token_ids: Option<Vec<u32>>,
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
        let prompt_tokens = generation.prompt_tokens();
        tally.add_prompt(prompt_tokens);
        let echoed = completion.echoed(prompt)?;
        let prompt_token_ids = completion.prompt_ids(prompt)?;
        let (mut choices, cached_tokens) = generation.collect_with_cached().map_err(of_inference)?;
        tally.add_cached(cached_tokens);
        for choice in &choices {
            let number = index as u32 * completion.options.choices + choice.choice;
            tally.set_generated(number, choice.generated, 0);
        }
        let scored = take_prompt(completion, &mut choices, prompt_tokens as usize);
        keep_best(&mut choices, completion.n as usize);
        if !echoed.is_empty() {
            choices.iter_mut().for_each(|choice| choice.text.insert_str(0, &echoed));
        }
        answers.push(Answers { choices, scored, prompt_token_ids });
    }
    let all = answers.iter().flat_map(|answers| answers.choices.iter().map(move |choice| (answers, choice)));
    let stamp = Stamp::new("cmpl-");
    let body = Body {
        id: &stamp.id,
        object: "text_completion",
        created: stamp.created,
        model: &completion.model,
        system_fingerprint: FINGERPRINT,
        choices: all.zip(0..).map(|((answers, choice), index)| tell(completion, answers, choice, index)).collect(),
        usage: tally.usage(),
    };
    Ok(response.json(200, &body)?)
}

/// Takes the scored prompt out of the choices, which then hold their own tokens alone.
fn take_prompt(
    completion: &Completion,
    choices: &mut [inference::Completion],
    prompt_tokens: usize,
) -> Vec<TokenLogprob> {
    let mut scored = Vec::new();
    if completion.options.prompt_logprobs {
        for choice in choices {
            let count = logprobs::split_prompt(&choice.tokens, prompt_tokens).0.len();
            let own = choice.tokens.split_off(count);
            let of_prompt = std::mem::replace(&mut choice.tokens, own);
            scored = if scored.is_empty() { of_prompt } else { scored };
        }
    }
    scored
}

fn tell<'a>(
    completion: &Completion,
    answers: &'a Answers,
    choice: &'a inference::Completion,
    index: u32,
) -> Choice<'a> {
    let report = completion.report;
    let echoed = if completion.has_echo { answers.scored.as_slice() } else { &[] };
    Choice {
        index,
        text: &choice.text,
        logprobs: TextLogprobs::new(echoed.iter().chain(&choice.tokens), report, &choice.text, 0),
        finish_reason: reason_name(choice.finish.reason),
        prompt_logprobs: report.prompt_logprobs.map(|top| logprobs::prompt_logprobs(&answers.scored, top)),
        prompt_token_ids: answers.prompt_token_ids.clone(),
        token_ids: report.has_token_ids.then(|| logprobs::ids(&choice.tokens)),
    }
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
    let logprobs = completion.tokens.iter().filter_map(|token| token.logprob);
    let (sum, count) = logprobs.fold((0.0, 0.0), |(sum, count), logprob| (sum + logprob, count + 1.0));
    if count > 0.0 { sum / count } else { f32::NEG_INFINITY }
}
