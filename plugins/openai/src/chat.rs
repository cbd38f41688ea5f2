//! `POST /v1/chat/completions`.

mod stream;
mod template;
mod tools;
mod whole;

use std::borrow::Cow;
use std::collections::BTreeMap;

use mimus_sdk::answers::{self, ToolUse};
use mimus_sdk::chat::{Message, RenderOptions, Role};
use mimus_sdk::inference::{self, FinishReason, Options};
use mimus_sdk::{Request, Response};
use serde_json::value::RawValue;

use crate::delivery::Delivery;
use crate::error::ApiError;
use crate::fields::{self, Report, completion_request};
use crate::messages::{self, ChatMessage};
use crate::text_or::TextOr;
use crate::tools::Function;
pub(crate) use template::variables as template_variables;
use tools::{Name, ToolChoice, ToolDefinition};

completion_request! {
    struct ChatRequest {
        model: String,
        messages: Vec<ChatMessage>,
        max_completion_tokens: Option<i64>,
        max_tokens: Option<i64>,
        logprobs: Option<bool>,
        top_logprobs: Option<i64>,
        tools: Option<Vec<ToolDefinition>>,
        tool_choice: Option<TextOr<ToolChoice>>,
        parallel_tool_calls: Option<bool>,
        functions: Option<Vec<Function>>,
        function_call: Option<TextOr<Name>>,
        reasoning_effort: Option<String>,
        include_reasoning: Option<bool>,
        echo: Option<bool>,
        add_generation_prompt: Option<bool>,
        continue_final_message: Option<bool>,
        chat_template: Option<String>,
        chat_template_kwargs: Option<BTreeMap<String, Box<RawValue>>>,
        documents: Option<Box<RawValue>>,
    }
}

/// A request that is sound, as far as that shows without the model.
struct Chat {
    model: String,
    messages: Vec<Message>,
    render: RenderOptions,
    options: Options,
    tools: ToolUse,
    /// Whether a call is told in the older form.
    has_functions: bool,
    has_reasoning: bool,
    has_echo: bool,
    report: Report,
    delivery: Delivery,
}

/// `POST /v1/chat/completions`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), ApiError> {
    let chat = parse(request.json()?)?;
    let answer = answers::converse(&chat.model, &chat.messages, &chat.render, &chat.options, &chat.tools)?;
    match chat.delivery {
        Delivery::Whole => whole::answer(&chat, answer, response),
        Delivery::Stream(usage) => stream::answer(&chat, answer, usage, response),
    }
}

fn parse(mut body: ChatRequest) -> Result<Chat, ApiError> {
    let delivery = Delivery::parse(body.stream, body.stream_options)?;
    let report = Report {
        top_logprobs: parse_logprobs(body.logprobs, body.top_logprobs)?,
        prompt_logprobs: fields::parse_alternatives("prompt_logprobs", body.prompt_logprobs)?,
        has_token_ids: body.return_token_ids.unwrap_or(false),
        names_ids: body.return_tokens_as_token_ids.unwrap_or(false),
    };
    if report.prompt_logprobs.is_some() && delivery != Delivery::Whole {
        let message = "`prompt_logprobs` are not available when `stream` is true";
        return Err(ApiError::unsupported("prompt_logprobs", message));
    }
    let tokens_max = match (body.max_completion_tokens, body.max_tokens) {
        (Some(tokens), _) => Some(fields::parse_tokens_max("max_completion_tokens", tokens, 1)?),
        (None, Some(tokens)) => Some(fields::parse_tokens_max("max_tokens", tokens, 1)?),
        (None, None) => None,
    };
    let mut options = Options { tokens_max, ..body.sampling().into_options()? };
    let constraint = body.shape().into_constraint()?;
    let has_functions = body.functions.is_some() && body.tools.is_none();
    let tools = match body.functions {
        Some(functions) if has_functions => tools::parse_functions(functions, body.function_call)?,
        _ => tools::parse(body.tools.unwrap_or_default(), body.tool_choice, body.parallel_tool_calls)?,
    };
    options.constraint = constraint.filter(|_| !tools.exclude_text());
    let messages = messages::parse(body.messages, &body.model)?;
    let continue_final_message = body.continue_final_message.unwrap_or(false);
    let add_generation_prompt = body.add_generation_prompt.unwrap_or(!continue_final_message);
    if continue_final_message && add_generation_prompt {
        let message = "`continue_final_message` and `add_generation_prompt` exclude each other";
        return Err(ApiError::invalid("continue_final_message", message));
    }
    let render = RenderOptions {
        format: None,
        source: template::parse_source(body.chat_template)?,
        tools: tools.list,
        add_generation_prompt,
        continue_final_message,
        variables: template::variables(
            body.chat_template_kwargs.unwrap_or_default(),
            body.documents.as_deref(),
            body.reasoning_effort.as_deref(),
        )?,
    };
    report.ask(&mut options);
    fields::forbid(body.bad_words.as_deref().unwrap_or_default(), &body.model, &mut options.logit_bias)?;
    let chat = Chat {
        model: body.model,
        messages,
        render,
        options,
        tools: tools.usage,
        has_functions,
        has_reasoning: body.include_reasoning.unwrap_or(true),
        has_echo: body.echo.unwrap_or(false),
        report,
        delivery,
    };
    if let Some(tokens_max) = body.truncate_prompt_tokens {
        chat.check_truncation(tokens_max)?;
    }
    Ok(chat)
}

fn parse_logprobs(logprobs: Option<bool>, top_logprobs: Option<i64>) -> Result<Option<u32>, ApiError> {
    let count = fields::parse_alternatives("top_logprobs", top_logprobs)?.unwrap_or(0);
    match logprobs.unwrap_or(false) {
        true => Ok(Some(count)),
        false if count > 0 => Err(ApiError::invalid("top_logprobs", "`top_logprobs` needs `logprobs` to be true")),
        false => Ok(None),
    }
}

impl Chat {
    /// The ids of the prompt that the model is given.
    fn prompt_ids(&self) -> Result<Vec<u32>, ApiError> {
        let rendered = inference::render_chat(&self.model, &self.messages, &self.render)?;
        Ok(inference::tokenize(&self.model, &rendered.prompt, false)?)
    }

    /// A conversation that fits is left as it is. One that does not cannot be cut: its beginning says who speaks.
    fn check_truncation(&self, tokens_max: i64) -> Result<(), ApiError> {
        let param = "truncate_prompt_tokens";
        if tokens_max == -1 {
            return Ok(());
        }
        let limit = usize::try_from(tokens_max).ok().filter(|limit| *limit > 0);
        let limit = limit.ok_or_else(|| fields::out_of_bounds(param, "-1 or an integer of 1 or more", tokens_max))?;
        let prompt_tokens = self.prompt_ids()?.len();
        match prompt_tokens <= limit {
            true => Ok(()),
            false => Err(ApiError::unsupported(
                param,
                format!("`{param}`: the conversation is {prompt_tokens} tokens and cannot be cut to {limit}"),
            )),
        }
    }

    /// What stands before the answer with `echo`: the assistant's message that it continues.
    fn echoed(&self) -> Cow<'_, str> {
        let last = self.messages.last().filter(|message| self.has_echo && message.role == Role::Assistant);
        last.and_then(Message::plain_text).unwrap_or_default()
    }

    /// Why an answer ended, in the words of this API.
    fn reason_name(&self, reason: FinishReason, has_calls: bool) -> &'static str {
        match reason {
            FinishReason::Length => "length",
            FinishReason::Stop if !has_calls => "stop",
            FinishReason::Stop if self.has_functions => "function_call",
            FinishReason::Stop => "tool_calls",
        }
    }
}

#[cfg(test)]
mod tests;
