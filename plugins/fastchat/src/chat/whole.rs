//! The answer in one piece.

use mimus_sdk::inference::Generation;
use mimus_sdk::{Response, clock};
use serde::Serialize;

use super::Chat;
use crate::ids;
use crate::refusal::Refusal;
use crate::turn::reason_name;
use crate::usage::Usage;

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
    message: Message<'a>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

pub(super) fn answer(chat: &Chat, generation: Generation, response: &mut Response) -> Result<(), Refusal> {
    let prompt_tokens = generation.prompt_tokens();
    let completions = generation.collect()?;
    let mut usage = Usage::default();
    for completion in &completions {
        usage.add(prompt_tokens, completion.generated);
    }
    let choices = completions.iter().map(|completion| Choice {
        index: completion.choice,
        message: Message { role: "assistant", content: &completion.text },
        finish_reason: reason_name(completion.finish.reason),
    });
    let body = Body {
        id: ids::new("chatcmpl-"),
        object: "chat.completion",
        created: clock::now_s(),
        model: &chat.name,
        choices: choices.collect(),
        usage,
    };
    Ok(response.json(200, &body)?)
}
