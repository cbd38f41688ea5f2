//! The answer in one piece.

use std::collections::VecDeque;

use mimus_sdk::Response;
use mimus_sdk::inference::{self, Generation};
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

/// One answer with the text in front of it.
struct Answer {
    text: String,
    completion: inference::Completion,
    prompt_tokens: u32,
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
        keep_best(&mut choices, completion.n as usize);
        for mut choice in choices {
            let text = std::mem::take(&mut choice.text);
            let text = if echoed.is_empty() { text } else { format!("{echoed}{text}") };
            let prompt_token_ids = prompt_token_ids.clone();
            answers.push(Answer { text, completion: choice, prompt_tokens, prompt_token_ids });
        }
    }
    let stamp = Stamp::new("cmpl-");
    let body = Body {
        id: &stamp.id,
        object: "text_completion",
        created: stamp.created,
        model: &completion.model,
        system_fingerprint: FINGERPRINT,
        choices: answers.iter().zip(0..).map(|(answer, index)| choice(completion, answer, index)).collect(),
        usage: tally.usage(),
    };
    Ok(response.json(200, &body)?)
}

fn choice<'a>(completion: &Completion, answer: &'a Answer, index: u32) -> Choice<'a> {
    let report = completion.report;
    let tokens = answer.completion.tokens.as_slice();
    let after = |count: usize| &tokens[count.min(tokens.len())..];
    let of_prompt = if completion.options.prompt_logprobs { answer.prompt_tokens as usize } else { 0 };
    let prompt_logprobs = |top| logprobs::prompt_logprobs(&tokens[..of_prompt.min(tokens.len())], top);
    let shown = after(completion.hidden_tokens(answer.prompt_tokens));
    Choice {
        index,
        text: &answer.text,
        logprobs: TextLogprobs::new(shown, report, &answer.text, 0),
        finish_reason: reason_name(answer.completion.finish.reason),
        prompt_logprobs: report.prompt_logprobs.map(prompt_logprobs),
        prompt_token_ids: answer.prompt_token_ids.clone(),
        token_ids: report.has_token_ids.then(|| logprobs::ids(after(of_prompt))),
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
    let generated = completion.tokens.len().saturating_sub(completion.generated as usize);
    let logprobs = completion.tokens[generated..].iter().filter_map(|token| token.logprob);
    let (sum, count) = logprobs.fold((0.0, 0.0), |(sum, count), logprob| (sum + logprob, count + 1.0));
    if count > 0.0 { sum / count } else { f32::NEG_INFINITY }
}
