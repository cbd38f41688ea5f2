//! The answer as chunks.

use mimus_sdk::inference::Generation;
use mimus_sdk::stream::Sse;
use mimus_sdk::{Response, WriteError};
use serde::Serialize;

use super::Completion;
use crate::generation::{Stamp, Usage, reason_name};
use crate::refusal::Refusal;
use crate::running;

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Choice<'a> {
    text: &'a str,
    index: u32,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

pub(super) fn answer(
    completion: &Completion,
    mut generation: Generation,
    response: &mut Response,
) -> Result<(), Refusal> {
    let explain = |error| running::explain(error, &completion.uid, "text");
    let stamp = Stamp::new("cmpl-");
    let push = |choices: &[Choice<'_>], usage, events: &mut Sse<'_>| -> Result<(), WriteError> {
        let (object, created, model) = ("text_completion", stamp.created, completion.uid.as_str());
        events.push(&Chunk { id: &stamp.id, object, created, model, choices, usage })
    };
    // The first pieces before the status: until then a failure is an ordinary error answer.
    let mut waiting = generation.pieces().map_err(explain)?;
    let mut events = response.sse_crlf()?;
    if !completion.echoed.is_empty() {
        push(&[text_of(&completion.echoed)], None, &mut events)?;
    }
    let mut generated = 0;
    while let Some(pieces) = waiting {
        for piece in &pieces {
            generated = piece.generated;
            let finish_reason = piece.finish.as_ref().map(|finish| reason_name(finish.reason));
            if !piece.text.is_empty() || finish_reason.is_some() {
                push(&[Choice { finish_reason, ..text_of(&piece.text) }], None, &mut events)?;
            }
        }
        events.flush()?;
        waiting = generation.pieces().map_err(explain)?;
    }
    if completion.delivery.has_usage {
        push(&[], Some(Usage::new(generation.prompt_tokens(), generated)), &mut events)?;
    }
    Ok(events.flush()?)
}

/// A choice that goes on.
fn text_of(text: &str) -> Choice<'_> {
    Choice { text, index: 0, logprobs: None, finish_reason: None }
}
