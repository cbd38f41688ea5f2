//! The answer in one piece.

use mimus_sdk::answers::{Answer, Call, Whole};
use mimus_sdk::{Response, random};
use serde::Serialize;

use super::{Chat, finish_name};
use crate::generation::{Stamp, Usage};
use crate::refusal::Refusal;
use crate::running;

#[derive(Serialize)]
struct Completion<'a> {
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
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: String,
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

pub(super) fn answer(chat: &Chat, answer: Answer, response: &mut Response) -> Result<(), Refusal> {
    let prompt_tokens = answer.prompt_tokens();
    let answers = answer.collect().map_err(|error| running::explain(error, &chat.uid, "text"))?;
    let generated = answers.iter().map(|whole| whole.generated).sum();
    let stamp = Stamp::new("chat");
    let body = Completion {
        id: stamp.id,
        object: "chat.completion",
        created: stamp.created,
        model: &chat.uid,
        choices: answers.iter().map(choice).collect(),
        usage: Usage::new(prompt_tokens, generated),
    };
    Ok(response.json(200, &body)?)
}

fn choice(whole: &Whole) -> Choice<'_> {
    let has_calls = !whole.calls.is_empty();
    let message = Message {
        role: "assistant",
        content: Some(whole.text.as_str()).filter(|text| !text.is_empty() || !has_calls),
        reasoning_content: whole.reasoning.as_deref(),
        tool_calls: whole.calls.iter().map(tool_call).collect(),
    };
    Choice { index: whole.choice, message, finish_reason: finish_name(whole.finish.reason, has_calls) }
}

fn tool_call(call: &Call) -> ToolCall<'_> {
    let function = Function { name: &call.name, arguments: &call.arguments };
    ToolCall { id: format!("call_{}", random::id(24)), r#type: "function", function }
}
