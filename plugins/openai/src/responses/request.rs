//! What a client asks.

use std::collections::BTreeMap;

use mimus_sdk::chat::{Message, RenderOptions, Role};
use mimus_sdk::clock;
use mimus_sdk::inference::{Constraint, Options};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::items::{self, Item};
use super::object::Fixed;
use super::tools::{self, FlatChoice, FlatTool, one_line};
use super::{Conversation, check_length, stored};
use crate::chat;
use crate::error::ApiError;
use crate::fields::{self, Sampling};
use crate::ids;
use crate::shape;
use crate::text_or::TextOr;

/// Entries of `metadata`, and bytes of a name and of a value, as OpenAI bounds them.
const METADATA_MAX: usize = 16;
const METADATA_NAME_BYTES_MAX: usize = 64;
const METADATA_VALUE_BYTES_MAX: usize = 512;

#[derive(Deserialize)]
pub(super) struct ResponseRequest {
    model: String,
    input: Option<TextOr<Vec<Item>>>,
    instructions: Option<String>,
    previous_response_id: Option<String>,
    max_output_tokens: Option<i64>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_logprobs: Option<i64>,
    tools: Option<Vec<FlatTool>>,
    tool_choice: Option<TextOr<FlatChoice>>,
    parallel_tool_calls: Option<bool>,
    text: Option<Text>,
    reasoning: Option<Reasoning>,
    truncation: Option<String>,
    include: Option<Vec<String>>,
    metadata: Option<BTreeMap<String, String>>,
    store: Option<bool>,
    stream: Option<bool>,
    background: Option<bool>,
    user: Option<String>,
    conversation: Option<serde::de::IgnoredAny>,
    prompt: Option<serde::de::IgnoredAny>,
    /// What local servers take besides.
    top_k: Option<i64>,
    min_p: Option<f32>,
    presence_penalty: Option<f32>,
    frequency_penalty: Option<f32>,
    repetition_penalty: Option<f32>,
    seed: Option<i64>,
    stop: Option<TextOr<Vec<String>>>,
    ignore_eos: Option<bool>,
    chat_template_kwargs: Option<BTreeMap<String, Box<RawValue>>>,
}

/// `text`, as it comes and as the response repeats it.
#[derive(Serialize, Deserialize, Default)]
pub(super) struct Text {
    #[serde(default)]
    format: Option<Format>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Format {
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// `reasoning`, as it comes and as the response repeats it.
#[derive(Serialize, Deserialize, Default)]
pub(super) struct Reasoning {
    effort: Option<String>,
    summary: Option<String>,
}

pub(super) fn parse(body: ResponseRequest) -> Result<Conversation, ApiError> {
    refuse_unserved(&body)?;
    check_metadata(body.metadata.as_ref())?;
    let tokens_max = body.max_output_tokens.map(|tokens| fields::parse_tokens_max("max_output_tokens", tokens, 1));
    let tokens_max = tokens_max.transpose()?;
    let may_cut = match body.truncation.as_deref() {
        None | Some("disabled") => false,
        Some("auto") => true,
        Some(other) => return Err(fields::out_of_bounds("truncation", "auto or disabled", format_args!("`{other}`"))),
    };
    let asked = fields::parse_alternatives("top_logprobs", body.top_logprobs)?.unwrap_or(0);
    let includes = |name: &str| body.include.iter().flatten().any(|wanted| wanted == name);
    let top_logprobs = (asked > 0 || includes("message.output_text.logprobs")).then_some(asked);
    let sampling = Sampling {
        temperature: body.temperature,
        top_p: body.top_p,
        top_k: body.top_k,
        min_p: body.min_p,
        presence_penalty: body.presence_penalty,
        frequency_penalty: body.frequency_penalty,
        repetition_penalty: body.repetition_penalty,
        seed: body.seed,
        stop: body.stop,
        ignore_eos: body.ignore_eos,
        ..Sampling::default()
    };
    let mut text = body.text.unwrap_or_default();
    let constraint = parse_format(text.format.as_mut())?;
    text.format.get_or_insert_with(|| Format {
        kind: "text".into(),
        name: None,
        description: None,
        schema: None,
        strict: None,
    });
    let mut definitions = body.tools.unwrap_or_default();
    let tools = tools::parse(&mut definitions, body.tool_choice.as_ref(), body.parallel_tool_calls)?;
    let constraint = constraint.filter(|_| !tools.exclude_text());
    let options = Options { tokens_max, logprobs: top_logprobs, constraint, ..sampling.into_options()? };

    let mut input = match body.input {
        None if body.previous_response_id.is_none() => return Err(ApiError::missing("input")),
        None => Vec::new(),
        Some(TextOr::Text(text)) => vec![Item::question(text)],
        Some(TextOr::Other(items)) => items,
    };
    let mut messages: Vec<Message> =
        body.instructions.iter().map(|text| Message::text(Role::System, text.clone())).collect();
    if let Some(id) = &body.previous_response_id {
        stored::push_messages(&mut messages, id)?;
    }
    items::push_messages(&mut messages, &input, "input")?;
    check_length(&messages)?;
    input.iter_mut().for_each(Item::normalize);

    let reasoning = body.reasoning.unwrap_or_default();
    let named = body.chat_template_kwargs.unwrap_or_default();
    let render = RenderOptions {
        tools: tools.list,
        variables: chat::template_variables(named, None, reasoning.effort.as_deref())?,
        ..RenderOptions::default()
    };
    let fixed = Fixed {
        id: ids::new("resp_"),
        created_at: clock::now_s(),
        model: body.model,
        instructions: body.instructions,
        previous_response_id: body.previous_response_id,
        max_output_tokens: tokens_max,
        temperature: body.temperature.unwrap_or(1.0),
        top_p: body.top_p.unwrap_or(1.0),
        top_logprobs: asked,
        parallel_tool_calls: body.parallel_tool_calls.unwrap_or(true),
        tool_choice: body.tool_choice.unwrap_or_else(|| TextOr::Text("auto".into())),
        tools: definitions,
        text,
        reasoning,
        truncation: if may_cut { "auto" } else { "disabled" },
        metadata: body.metadata.unwrap_or_default(),
        store: body.store.unwrap_or(true),
        user: body.user,
    };
    let is_stream = body.stream.unwrap_or(false);
    Ok(Conversation { messages, render, options, tools: tools.usage, top_logprobs, may_cut, is_stream, fixed, input })
}

fn refuse_unserved(body: &ResponseRequest) -> Result<(), ApiError> {
    let refuse =
        |param: &str, why: &str| Err(ApiError::unsupported(param, format!("`{param}` is not supported: {why}")));
    match body {
        _ if body.background == Some(true) => refuse("background", "an answer is made while its client waits"),
        _ if body.conversation.is_some() => refuse("conversation", "use `previous_response_id`"),
        _ if body.prompt.is_some() => refuse("prompt", "this server keeps no prompt templates"),
        _ => Ok(()),
    }
}

fn check_metadata(metadata: Option<&BTreeMap<String, String>>) -> Result<(), ApiError> {
    let Some(metadata) = metadata else { return Ok(()) };
    let is_long = |(name, value): (&String, &String)| {
        name.len() > METADATA_NAME_BYTES_MAX || value.len() > METADATA_VALUE_BYTES_MAX
    };
    if metadata.len() > METADATA_MAX || metadata.iter().any(is_long) {
        let message = format!(
            "`metadata` must be at most {METADATA_MAX} entries with names of at most {METADATA_NAME_BYTES_MAX} bytes \
             and values of at most {METADATA_VALUE_BYTES_MAX}"
        );
        return Err(ApiError::invalid("metadata", message));
    }
    Ok(())
}

fn parse_format(format: Option<&mut Format>) -> Result<Option<Constraint>, ApiError> {
    let Some(format) = format else { return Ok(None) };
    format.schema = format.schema.take().map(one_line);
    let constraint = match format.kind.as_str() {
        "text" => return Ok(None),
        "json_object" => Constraint::JsonObject,
        "json_schema" => {
            let schema = format.schema.as_deref().ok_or_else(|| ApiError::missing("text.format.schema"))?;
            shape::of_schema(schema)
        }
        other => {
            let message = format!("`text.format.type` must be text, json_object or json_schema, got `{other}`");
            return Err(ApiError::invalid("text.format.type", message));
        }
    };
    shape::check("text.format", &constraint)?;
    Ok(Some(constraint))
}
