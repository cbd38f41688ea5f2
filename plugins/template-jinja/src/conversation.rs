//! The conversation as templates know it: dictionaries in the form of OpenAI's API.

use mimus_sdk::chat::{Message, Part, Tool, ToolCall};
use mimus_sdk::template::RenderError;
use minijinja::Value;
use minijinja::value::Serde;
use serde_json::{Map, Value as Json, json};

/// The messages; `tag` is appended to the text of the last one.
pub(crate) fn messages(messages: &[Message], tag: &str) -> Result<Value, RenderError> {
    let last = messages.len().saturating_sub(1);
    let one = |(index, message): (usize, &Message)| self::message(message, index, if index == last { tag } else { "" });
    let messages = messages.iter().enumerate().map(one).collect::<Result<Vec<_>, _>>()?;
    Ok(Value::from(Serde(messages)))
}

fn message(message: &Message, index: usize, tag: &str) -> Result<Json, RenderError> {
    let mut fields = Map::new();
    fields.insert("role".into(), message.role.name().into());
    fields.insert("content".into(), content(message, index, tag)?);
    if let Some(name) = &message.name {
        fields.insert("name".into(), name.as_str().into());
    }
    if let Some(reasoning) = &message.reasoning {
        // Templates of different families read different names.
        for name in ["reasoning_content", "reasoning", "thinking"] {
            fields.insert(name.into(), reasoning.as_str().into());
        }
    }
    if !message.tool_calls.is_empty() {
        let calls = message.tool_calls.iter().map(|call| tool_call(call, index)).collect::<Result<Vec<_>, _>>()?;
        fields.insert("tool_calls".into(), calls.into());
    }
    if let Some(id) = &message.tool_call_id {
        fields.insert("tool_call_id".into(), id.as_str().into());
    }
    Ok(Json::Object(fields))
}

/// A text where all parts are text, a list of typed parts otherwise.
fn content(message: &Message, index: usize, tag: &str) -> Result<Json, RenderError> {
    if let Some(text) = message.plain_text() {
        return Ok(format!("{text}{tag}").into());
    }
    let last_text = message.content.iter().rposition(|part| matches!(part, Part::Text(_)));
    if last_text.is_none() && !tag.is_empty() {
        let message = format!("message {index} cannot be continued: it has no text");
        return Err(RenderError::Conversation(message));
    }
    let part = |(index, part): (usize, &Part)| match part {
        Part::Text(text) if Some(index) == last_text => json!({"type": "text", "text": format!("{text}{tag}")}),
        Part::Text(text) => json!({"type": "text", "text": text}),
        // Templates look at which key is there, not at its value.
        Part::Image(id) => json!({"type": "image", "image": id}),
        Part::Audio(id) => json!({"type": "audio", "audio": id}),
        Part::Video(id) => json!({"type": "video", "video": id}),
    };
    Ok(message.content.iter().enumerate().map(part).collect())
}

/// The arguments as an object, which is what templates print as JSON.
fn tool_call(call: &ToolCall, index: usize) -> Result<Json, RenderError> {
    let text = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
    let arguments: Json = serde_json::from_str(text).map_err(|error| {
        RenderError::Conversation(format!(
            "message {index}: the arguments of the call `{}` are not JSON: {error}",
            call.id
        ))
    })?;
    Ok(json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}))
}

/// The tools, or none: templates ask `if tools`.
pub(crate) fn tools(tools: &[Tool]) -> Result<Value, RenderError> {
    if tools.is_empty() {
        return Ok(Value::from(()));
    }
    let tools = tools.iter().map(tool).collect::<Result<Vec<_>, _>>()?;
    Ok(Value::from(Serde(tools)))
}

fn tool(tool: &Tool) -> Result<Json, RenderError> {
    let mut function = Map::new();
    function.insert("name".into(), tool.name.as_str().into());
    if let Some(description) = &tool.description {
        function.insert("description".into(), description.as_str().into());
    }
    if !tool.parameters.trim().is_empty() {
        let parameters = serde_json::from_str(&tool.parameters).map_err(|error| {
            RenderError::Conversation(format!("the parameters of the tool `{}` are not JSON: {error}", tool.name))
        })?;
        function.insert("parameters".into(), parameters);
    }
    Ok(json!({"type": "function", "function": function}))
}
