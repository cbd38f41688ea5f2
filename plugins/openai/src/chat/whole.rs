//! The answer in one piece.

use mimus_sdk::Response;
use mimus_sdk::inference::{FinishReason, Generation};
use serde::Serialize;

use super::Chat;
use crate::error::ApiError;
use crate::ids::{FINGERPRINT, Stamp};
use crate::logprobs::ChatLogprobs;
use crate::usage::{Tally, Usage};

#[derive(Serialize)]
struct Completion<'a> {
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
    message: Message<'a>,
    logprobs: Option<ChatLogprobs<'a>>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
    refusal: Option<&'a str>,
}

/// The word of this API.
pub(crate) fn reason_name(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
    }
}

pub(super) fn answer(chat: &Chat, generation: Generation, response: &mut Response) -> Result<(), ApiError> {
    let mut tally = Tally::default();
    tally.add_prompt(generation.prompt_tokens());
    let completions = generation.collect()?;
    for completion in &completions {
        tally.set_generated(completion.choice, completion.generated);
    }
    let choices = completions.iter().map(|completion| Choice {
        index: completion.choice,
        message: Message { role: "assistant", content: &completion.text, refusal: None },
        logprobs: chat.top_logprobs.map(|top| ChatLogprobs::new(&completion.tokens, top)),
        finish_reason: reason_name(completion.finish.reason),
    });
    let stamp = Stamp::new("chatcmpl-");
    let body = Completion {
        id: &stamp.id,
        object: "chat.completion",
        created: stamp.created,
        model: &chat.model,
        system_fingerprint: FINGERPRINT,
        choices: choices.collect(),
        usage: tally.usage(),
    };
    Ok(response.json(200, &body)?)
}
