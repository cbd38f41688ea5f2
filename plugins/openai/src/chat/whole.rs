//! The answer in one piece.

use std::borrow::Cow;

use mimus_sdk::Response;
use mimus_sdk::answers::{Answer, Call, Whole};
use serde::Serialize;

use super::Chat;
use crate::error::ApiError;
use crate::ids::{self, FINGERPRINT, Stamp};
use crate::logprobs::{self, ChatLogprobs, PromptToken};
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
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_logprobs: Option<Vec<Option<PromptToken<'a>>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_token_ids: Option<Vec<u32>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: Message<'a>,
    logprobs: Option<ChatLogprobs<'a>>,
    finish_reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_ids: Option<Vec<u32>>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<Cow<'a, str>>,
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<Function<'a>>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

pub(super) fn answer(chat: &Chat, answer: Answer, response: &mut Response) -> Result<(), ApiError> {
    let mut tally = Tally::default();
    tally.add_prompt(answer.prompt_tokens());
    // Where the prompt's tokens are reported they stand before those of the answer.
    let prompt_tokens = if chat.options.prompt_logprobs { answer.prompt_tokens() as usize } else { 0 };
    let (answers, cached_tokens) = answer.collect_with_cached()?;
    tally.add_cached(cached_tokens);
    for whole in &answers {
        tally.set_generated(whole.choice, whole.generated, whole.reasoning_tokens);
    }
    let of_prompt = answers.first().map(|whole| logprobs::split_prompt(&whole.tokens, prompt_tokens).0);
    let prompt_logprobs = chat.report.prompt_logprobs.zip(of_prompt);
    let echoed = chat.echoed();
    let stamp = Stamp::new("chatcmpl-");
    let body = Completion {
        id: &stamp.id,
        object: "chat.completion",
        created: stamp.created,
        model: &chat.model,
        system_fingerprint: FINGERPRINT,
        choices: answers.iter().map(|whole| choice(chat, whole, prompt_tokens, &echoed)).collect(),
        usage: tally.usage(),
        prompt_logprobs: prompt_logprobs.map(|(top, tokens)| logprobs::prompt_logprobs(tokens, top)),
        prompt_token_ids: chat.report.has_token_ids.then(|| chat.prompt_ids()).transpose()?,
    };
    Ok(response.json(200, &body)?)
}

fn choice<'a>(chat: &Chat, whole: &'a Whole, prompt_tokens: usize, echoed: &str) -> Choice<'a> {
    let (_, tokens) = logprobs::split_prompt(&whole.tokens, prompt_tokens);
    let has_calls = !whole.calls.is_empty();
    let content = match (echoed, whole.text.as_str()) {
        ("", "") if has_calls => None,
        ("", text) => Some(Cow::Borrowed(text)),
        (echoed, text) => Some(Cow::Owned(format!("{echoed}{text}"))),
    };
    let message = Message {
        role: "assistant",
        content,
        refusal: None,
        reasoning_content: whole.reasoning.as_deref().filter(|_| chat.has_reasoning),
        tool_calls: if chat.has_functions { Vec::new() } else { whole.calls.iter().map(tool_call).collect() },
        function_call: whole.calls.first().filter(|_| chat.has_functions).map(function),
    };
    Choice {
        index: whole.choice,
        message,
        logprobs: ChatLogprobs::new(tokens, chat.report),
        finish_reason: chat.reason_name(whole.finish.reason, has_calls),
        token_ids: chat.report.has_token_ids.then(|| logprobs::ids(tokens)),
    }
}

fn tool_call(call: &Call) -> ToolCall<'_> {
    ToolCall { id: ids::call(), kind: "function", function: function(call) }
}

fn function(call: &Call) -> Function<'_> {
    Function { name: &call.name, arguments: &call.arguments }
}
