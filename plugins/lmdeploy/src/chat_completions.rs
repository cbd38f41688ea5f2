//! `POST /v1/chat/completions`, OpenAI's route as lmdeploy answers it: its own defaults, every streamed chunk with role and content,
//! and `messages` that may be one raw prompt.
//!
//! Where the eras differ: a prompt past the context is refused (from 0.16 on; before, an empty answer), several choices are answered
//! (from 0.16 on; before, one), and usage comes in a chunk of its own (from 0.15 on; before, in every chunk).

mod frame;
mod source;
#[cfg(test)]
mod tests;
mod tools;

use std::collections::BTreeMap;

use mimus_sdk::answers;
use mimus_sdk::chat::RenderOptions;
use mimus_sdk::inference::{self, FinishReason, Options, Prompt};
use mimus_sdk::models::Model;
use mimus_sdk::{Request, Response, clock, random};
use serde::Deserialize;
use serde_json::Value;

use crate::fields::{Stop, TextOr, Tokens};
use crate::messages::{self, Conversation};
use crate::refusal::Refusal;
use crate::sampling::{Defaults, ResponseFormat, Sampling};
use crate::{asleep, model_choice, prompt, running, session, session_len};

use frame::Frame;
use source::Source;
use tools::{GivenChoice, GivenTool};

/// Likeliest tokens that may be asked for.
const TOP_LOGPROBS_MAX: i64 = 20;

#[derive(Deserialize)]
struct Body {
    model: String,
    messages: Option<Conversation>,
    /// In place of messages, from release 0.15 on.
    input_ids: Option<Tokens>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<i64>,
    min_p: Option<f64>,
    n: Option<i64>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    min_new_tokens: Option<i64>,
    stop: Option<Stop>,
    stop_token_ids: Option<Vec<u32>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    logprobs: Option<bool>,
    top_logprobs: Option<i64>,
    logit_bias: Option<BTreeMap<String, f64>>,
    presence_penalty: Option<f64>,
    frequency_penalty: Option<f64>,
    repetition_penalty: Option<f64>,
    session_id: Option<i64>,
    ignore_eos: Option<bool>,
    skip_special_tokens: Option<bool>,
    include_stop_str_in_output: Option<bool>,
    seed: Option<i64>,
    response_format: Option<ResponseFormat>,
    tools: Option<Vec<GivenTool>>,
    tool_choice: Option<GivenChoice>,
    parallel_tool_calls: Option<bool>,
    enable_thinking: Option<bool>,
    reasoning_effort: Option<String>,
    chat_template_kwargs: Option<BTreeMap<String, Value>>,
    return_token_ids: Option<bool>,
}

#[derive(Clone, Copy, Default, Deserialize)]
pub struct StreamOptions {
    /// Report usage in a chunk of its own at the end.
    pub include_usage: Option<bool>,
}

/// Answers a chat, streamed or whole.
pub fn answer(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let mut body: Body = request.json()?;
    let model = model_choice::named(&body.model)?;
    asleep::require_awake()?;
    let id = session::require_free(body.session_id)?;
    let has_logprobs = body.logprobs.unwrap_or(false);
    let has_token_ids = body.return_token_ids.unwrap_or(false);
    let logprobs = top_logprobs(has_logprobs, body.top_logprobs)?;
    let variables = variables(&mut body);
    let (tools, tool_use) = tools::read(body.tools.take(), body.tool_choice.take(), body.parallel_tool_calls)?;
    let sampling = Sampling {
        n: body.n,
        tokens_max: body.max_completion_tokens.or(body.max_tokens),
        tokens_min: body.min_new_tokens,
        temperature: body.temperature,
        top_p: body.top_p,
        top_k: body.top_k,
        min_p: body.min_p,
        repetition_penalty: body.repetition_penalty,
        presence_penalty: body.presence_penalty,
        frequency_penalty: body.frequency_penalty,
        logit_bias: body.logit_bias,
        seed: body.seed,
        stop: body.stop,
        stop_token_ids: body.stop_token_ids,
        ignore_eos: body.ignore_eos,
        skip_special_tokens: body.skip_special_tokens,
        include_stop: body.include_stop_str_in_output,
        response_format: body.response_format,
    };
    let options = sampling.into_options(Defaults::SESSION_ERA)?;
    let mut options = Options { logprobs, token_ids: has_token_ids, tag: Some(running::tag(id)), ..options };
    let _running = running::enter(id)?;
    let source = match (body.messages, body.input_ids) {
        (None, None) => return Err(Refusal::bad("messages", "`messages` is required")),
        (Some(TextOr::Text(text)), None) => raw(&model, Prompt::Text(text), &mut options)?,
        (Some(TextOr::Many(messages)), None) => {
            let messages = messages::read("messages", messages)?;
            let render = RenderOptions { tools, variables, ..RenderOptions::default() };
            if session_len::is_set(&model) {
                let prompt = prompt::render(&model.name, &messages, &render)?;
                session_len::bound(&model, prompt.ids.len(), &mut options)?;
            }
            Source::Conversation(answers::converse(&model.name, &messages, &render, &options, &tool_use)?)
        }
        (messages, Some(Tokens(ids))) if messages.as_ref().is_none_or(is_empty) => {
            raw(&model, Prompt::Tokens(ids), &mut options).map_err(|refusal| refusal.about("input_ids"))?
        }
        _ => return Err(Refusal::bad("input_ids", "input_ids cannot be used when messages is non-empty.")),
    };
    let id = format!("chatcmpl-{}", random::id(22));
    let frame = Frame { id, created: clock::now_s(), model: body.model, has_logprobs, has_token_ids };
    if body.stream.unwrap_or(false) {
        let reports_usage = body.stream_options.and_then(|options| options.include_usage).unwrap_or(false);
        frame.stream(source, reports_usage, response)
    } else {
        frame.whole(source, response)
    }
}

/// One raw prompt, which no template touches.
fn raw(model: &Model, prompt: Prompt, options: &mut Options) -> Result<Source, Refusal> {
    let prompt = prompt::bounded(model, prompt, options)?;
    Ok(Source::Raw(inference::generate(&model.name, &prompt, options)?))
}

fn is_empty(messages: &Conversation) -> bool {
    match messages {
        TextOr::Text(text) => text.is_empty(),
        TextOr::Many(messages) => messages.is_empty(),
    }
}

/// Further variables of the template. A name given twice counts by its own field.
fn variables(body: &mut Body) -> Vec<(String, String)> {
    let mut variables = body.chat_template_kwargs.take().unwrap_or_default();
    variables.extend(body.enable_thinking.map(|value| ("enable_thinking".to_owned(), value.into())));
    variables.extend(body.reasoning_effort.take().map(|value| ("reasoning_effort".to_owned(), value.into())));
    variables.into_iter().map(|(name, value)| (name, value.to_string())).collect()
}

fn top_logprobs(has_logprobs: bool, top: Option<i64>) -> Result<Option<u32>, Refusal> {
    let top = top.unwrap_or(0);
    if !(0..=TOP_LOGPROBS_MAX).contains(&top) {
        return Err(Refusal::bad(
            "top_logprobs",
            format!("The top_logprobs `{top}` must be in [0, {TOP_LOGPROBS_MAX}]."),
        ));
    }
    Ok(if has_logprobs { u32::try_from(top).ok() } else { None })
}

/// The word for an end.
pub fn reason(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
    }
}
