//! The answer in one piece.

use mimus_sdk::Response;
use mimus_sdk::inference::Generation;
use serde::Serialize;

use super::Completion;
use crate::generation::{Stamp, Usage, reason_name};
use crate::refusal::Refusal;
use crate::running;

#[derive(Serialize)]
struct Body<'a> {
    id: String,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<Choice>,
    usage: Usage,
}

#[derive(Serialize)]
struct Choice {
    text: String,
    index: u32,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

pub(super) fn answer(completion: &Completion, generation: Generation, response: &mut Response) -> Result<(), Refusal> {
    let prompt_tokens = generation.prompt_tokens();
    let answers = generation.collect().map_err(|error| running::explain(error, &completion.uid, "text"))?;
    let generated = answers.iter().map(|answer| answer.generated).sum();
    let choices = answers.into_iter().map(|answer| Choice {
        text: format!("{}{}", completion.echoed, answer.text),
        index: answer.choice,
        logprobs: None,
        finish_reason: reason_name(answer.finish.reason),
    });
    let stamp = Stamp::new("cmpl-");
    let body = Body {
        id: stamp.id,
        object: "text_completion",
        created: stamp.created,
        model: &completion.uid,
        choices: choices.collect(),
        usage: Usage::new(prompt_tokens, generated),
    };
    Ok(response.json(200, &body)?)
}
