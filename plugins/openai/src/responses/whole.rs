//! The answer in one piece.

use mimus_sdk::answers::{Answer, Whole};
use mimus_sdk::inference::FinishReason;
use mimus_sdk::{Response, clock};

use super::object::{Ending, Kind, Object, Output, Status};
use super::{Conversation, of_inference, stored};
use crate::error::ApiError;
use crate::ids;
use crate::usage::Tally;

pub(super) fn answer(mut conversation: Conversation, answer: Answer, response: &mut Response) -> Result<(), ApiError> {
    let mut tally = Tally::default();
    tally.add_prompt(answer.prompt_tokens());
    let (mut answers, cached_tokens) = answer.collect_with_cached().map_err(of_inference)?;
    tally.add_cached(cached_tokens);
    let Some(whole) = answers.pop() else { return Err(ApiError::server(500, "the model gave no answer".into())) };
    tally.set_generated(0, whole.generated, whole.reasoning_tokens);
    let ending = Ending::Finished(whole.finish.reason);
    let output = outputs(whole, conversation.top_logprobs);
    let now_s = clock::now_s();
    let object = |conversation: &Conversation| {
        serde_json::to_vec(&Object::ended(&conversation.fixed, &output, ending, &tally, now_s))
            .map_err(|error| ApiError::server(500, format!("the response cannot be written: {error}")))
    };
    let mut body = object(&conversation)?;
    if conversation.fixed.store && !stored::keep(&conversation, &body) {
        conversation.fixed.store = false;
        body = object(&conversation)?;
    }
    Ok(response.bytes(200, "application/json", body)?)
}

/// The items of an answer. An answer of nothing is a message without text.
fn outputs(whole: Whole, top_logprobs: Option<u32>) -> Vec<Output> {
    let is_cut = whole.finish.reason == FinishReason::Length;
    let item = |prefix, kind| Output { id: ids::new(prefix), status: Status::Completed, kind };
    let mut output = Vec::new();
    if let Some(text) = whole.reasoning.filter(|text| !text.is_empty()) {
        output.push(item("rs_", Kind::Reasoning { text }));
    }
    let is_empty = whole.calls.is_empty() && (output.is_empty() || !is_cut);
    if !whole.text.is_empty() || is_empty {
        let mut tokens = whole.tokens;
        tokens.drain(..(whole.reasoning_tokens as usize).min(tokens.len()));
        output.push(item("msg_", Kind::Message { text: whole.text, tokens, top_logprobs }));
    }
    for call in whole.calls {
        let kind = Kind::Call { call_id: ids::call(), name: call.name, arguments: call.arguments };
        output.push(item("fc_", kind));
    }
    if let Some(last) = output.last_mut().filter(|_| is_cut) {
        last.status = Status::Incomplete;
    }
    output
}
