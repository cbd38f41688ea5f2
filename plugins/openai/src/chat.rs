//! `POST /v1/chat/completions`.

mod stream;
mod tools;
mod whole;

use std::collections::BTreeMap;

use mimus_sdk::chat::{Message, RenderOptions};
use mimus_sdk::inference::{self, Constraint, Options};
use mimus_sdk::{Request, Response};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::fields::{self, Delivery, completion_request};
use crate::messages::{self, ChatMessage};
use tools::{ToolChoice, ToolDefinition};
pub(crate) use whole::reason_name;

/// Variables for the prompt's template, as the contract bounds them.
const VARIABLES_MAX: usize = 32;

completion_request! {
    struct ChatRequest {
        model: String,
        messages: Vec<ChatMessage>,
        max_completion_tokens: Option<i64>,
        max_tokens: Option<i64>,
        logprobs: Option<bool>,
        top_logprobs: Option<i64>,
        response_format: Option<ResponseFormat>,
        structured_outputs: Option<StructuredOutputs>,
        tools: Option<Vec<ToolDefinition>>,
        tool_choice: Option<ToolChoice>,
        add_generation_prompt: Option<bool>,
        continue_final_message: Option<bool>,
        chat_template_kwargs: Option<BTreeMap<String, Box<RawValue>>>,
    }
}

#[derive(Deserialize)]
struct ResponseFormat {
    #[serde(rename = "type")]
    kind: String,
    json_schema: Option<JsonSchema>,
    /// lmdeploy's.
    regex_schema: Option<String>,
}

#[derive(Deserialize)]
struct JsonSchema {
    schema: Option<Box<RawValue>>,
}

/// vLLM's.
#[derive(Deserialize)]
struct StructuredOutputs {
    json: Option<Box<RawValue>>,
    regex: Option<String>,
    choice: Option<Vec<String>>,
    grammar: Option<String>,
}

/// A request that is sound, as far as that shows without the model.
struct Chat {
    model: String,
    messages: Vec<Message>,
    render: RenderOptions,
    options: Options,
    delivery: Delivery,
    /// Alternatives to report for each token; none: no logprobs.
    top_logprobs: Option<u32>,
}

/// `POST /v1/chat/completions`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), ApiError> {
    let chat = parse(request.json()?)?;
    let generation = inference::chat(&chat.model, &chat.messages, &chat.render, &chat.options)?;
    match chat.delivery {
        Delivery::Whole => whole::answer(&chat, generation, response),
        Delivery::Stream(usage) => stream::answer(&chat, generation, usage, response),
    }
}

fn parse(mut body: ChatRequest) -> Result<Chat, ApiError> {
    let delivery = Delivery::parse(body.stream, body.stream_options)?;
    let top_logprobs = parse_logprobs(body.logprobs, body.top_logprobs)?;
    let constraint = parse_constraint(body.response_format.take(), body.structured_outputs.take())?;
    let tokens_max = match (body.max_completion_tokens, body.max_tokens) {
        (Some(tokens), _) => Some(fields::parse_tokens_max("max_completion_tokens", tokens, 1)?),
        (None, Some(tokens)) => Some(fields::parse_tokens_max("max_tokens", tokens, 1)?),
        (None, None) => None,
    };
    let sampling = body.sampling();
    let messages = messages::parse(body.messages, &body.model)?;
    let continue_final_message = body.continue_final_message.unwrap_or(false);
    let add_generation_prompt = body.add_generation_prompt.unwrap_or(!continue_final_message);
    if continue_final_message && add_generation_prompt {
        let message = "`continue_final_message` and `add_generation_prompt` exclude each other";
        return Err(ApiError::invalid("continue_final_message", message));
    }
    let render = RenderOptions {
        format: None,
        source: None,
        tools: tools::parse(body.tools.unwrap_or_default(), body.tool_choice.as_ref())?,
        add_generation_prompt,
        continue_final_message,
        variables: parse_variables(body.chat_template_kwargs.unwrap_or_default())?,
    };
    let options = Options { tokens_max, logprobs: top_logprobs, constraint, ..sampling.into_options()? };
    Ok(Chat { model: body.model, messages, render, options, delivery, top_logprobs })
}

fn parse_logprobs(logprobs: Option<bool>, top_logprobs: Option<i64>) -> Result<Option<u32>, ApiError> {
    let max = fields::TOP_LOGPROBS_MAX;
    let top = top_logprobs.unwrap_or(0);
    let count = u32::try_from(top).ok().filter(|count| *count <= max);
    let count =
        count.ok_or_else(|| fields::out_of_bounds("top_logprobs", format!("an integer from 0 to {max}"), top))?;
    match logprobs.unwrap_or(false) {
        true => Ok(Some(count)),
        false if count > 0 => Err(ApiError::invalid("top_logprobs", "`top_logprobs` needs `logprobs` to be true")),
        false => Ok(None),
    }
}

fn parse_constraint(
    format: Option<ResponseFormat>,
    structured: Option<StructuredOutputs>,
) -> Result<Option<Constraint>, ApiError> {
    let from_format = match format {
        None => None,
        Some(format) => match format.kind.as_str() {
            "text" => None,
            "json_object" => Some(Constraint::JsonObject),
            "json_schema" => {
                let schema = format.json_schema.ok_or_else(|| ApiError::missing("response_format.json_schema"))?.schema;
                Some(schema.map_or(Constraint::JsonObject, |schema| Constraint::JsonSchema(schema.get().into())))
            }
            "regex_schema" => {
                let regex = format.regex_schema.ok_or_else(|| ApiError::missing("response_format.regex_schema"))?;
                Some(Constraint::Regex(regex))
            }
            other => {
                let message = format!("`response_format.type` must be text, json_object or json_schema, got `{other}`");
                return Err(ApiError::invalid("response_format.type", message));
            }
        },
    };
    let from_structured = structured.and_then(|structured| {
        let json = structured.json.map(|schema| Constraint::JsonSchema(schema.get().into()));
        let regex = structured.regex.map(Constraint::Regex);
        json.or(regex).or(structured.choice.map(Constraint::Choice)).or(structured.grammar.map(Constraint::Grammar))
    });
    Ok(from_format.or(from_structured))
}

fn parse_variables(variables: BTreeMap<String, Box<RawValue>>) -> Result<Vec<(String, String)>, ApiError> {
    if variables.len() > VARIABLES_MAX {
        let bounds = format!("of at most {VARIABLES_MAX} entries");
        return Err(fields::out_of_bounds("chat_template_kwargs", bounds, variables.len()));
    }
    Ok(variables.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect())
}

#[cfg(test)]
mod tests;
