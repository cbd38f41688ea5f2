//! The conversation as templates know it: dictionaries in the form of OpenAI's API.

use mimus_sdk::chat::{Message, Part, Tool, ToolCall};
use mimus_sdk::template::RenderError;
use minijinja::Value;

type Fields<'a> = Vec<(&'a str, Value)>;

/// The messages; `tag` is appended to the text of the last one.
pub(crate) fn messages(messages: &[Message], tag: &str) -> Result<Value, RenderError> {
    let last = messages.len().saturating_sub(1);
    let one = |(index, message): (usize, &Message)| self::message(message, index, if index == last { tag } else { "" });
    messages.iter().enumerate().map(one).collect::<Result<Vec<_>, _>>().map(Value::from)
}

fn message(message: &Message, index: usize, tag: &str) -> Result<Value, RenderError> {
    let mut fields: Fields = vec![("role", message.role.name().into()), ("content", content(message, index, tag)?)];
    if let Some(name) = &message.name {
        fields.push(("name", name.as_str().into()));
    }
    if let Some(reasoning) = &message.reasoning {
        // Templates of different families read different names.
        let names = ["reasoning_content", "reasoning", "thinking"];
        fields.extend(names.map(|name| (name, reasoning.as_str().into())));
    }
    if !message.tool_calls.is_empty() {
        let calls = message.tool_calls.iter().map(|call| tool_call(call, index)).collect::<Result<Vec<_>, _>>()?;
        fields.push(("tool_calls", calls.into()));
    }
    if let Some(id) = &message.tool_call_id {
        fields.push(("tool_call_id", id.as_str().into()));
    }
    Ok(Value::from_pairs(fields))
}

/// A text where all parts are text, a list of typed parts otherwise.
fn content(message: &Message, index: usize, tag: &str) -> Result<Value, RenderError> {
    if let Some(text) = message.plain_text() {
        return Ok(if tag.is_empty() { (&*text).into() } else { format!("{text}{tag}").into() });
    }
    let last_text = message.content.iter().rposition(|part| matches!(part, Part::Text(_)));
    if last_text.is_none() && !tag.is_empty() {
        let message = format!("message {index} cannot be continued: it has no text");
        return Err(RenderError::Conversation(message));
    }
    let typed = |kind: &str, value: Value| Value::from_pairs([("type", kind.into()), (kind, value)]);
    let part = |(index, part): (usize, &Part)| match part {
        Part::Text(text) if Some(index) == last_text => typed("text", format!("{text}{tag}").into()),
        Part::Text(text) => typed("text", text.as_str().into()),
        // Templates look at which key is there, not at its value.
        Part::Image(id) => typed("image", id.as_str().into()),
        Part::Audio(id) => typed("audio", id.as_str().into()),
        Part::Video(id) => typed("video", id.as_str().into()),
    };
    Ok(message.content.iter().enumerate().map(part).collect::<Vec<_>>().into())
}

/// The arguments as an object, which is what templates print as JSON.
fn tool_call(call: &ToolCall, index: usize) -> Result<Value, RenderError> {
    let text = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
    let arguments: Value =
        json(text, || format!("message {index}: the arguments of the call `{}` are not JSON", call.id))?;
    let function = Value::from_pairs([("name", call.name.as_str().into()), ("arguments", arguments)]);
    Ok(Value::from_pairs([("id", call.id.as_str().into()), ("type", "function".into()), ("function", function)]))
}

/// The tools, or none: templates ask `if tools`.
pub(crate) fn tools(tools: &[Tool]) -> Result<Value, RenderError> {
    if tools.is_empty() {
        return Ok(Value::from(()));
    }
    tools.iter().map(tool).collect::<Result<Vec<_>, _>>().map(Value::from)
}

fn tool(tool: &Tool) -> Result<Value, RenderError> {
    let mut function: Fields = vec![("name", tool.name.as_str().into())];
    if let Some(description) = &tool.description {
        function.push(("description", description.as_str().into()));
    }
    if !tool.parameters.trim().is_empty() {
        let name = &tool.name;
        let parameters = json(&tool.parameters, || format!("the parameters of the tool `{name}` are not JSON"))?;
        function.push(("parameters", parameters));
    }
    Ok(Value::from_pairs([("type", Value::from("function")), ("function", Value::from_pairs(function))]))
}

/// A value of JSON text; `what` is said of text that is none.
pub(crate) fn json(text: &str, what: impl Fn() -> String) -> Result<Value, RenderError> {
    serde_json::from_str(text).map_err(|error| RenderError::Conversation(format!("{}: {error}", what())))
}
