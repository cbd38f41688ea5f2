//! The conversation of a chat request.

use mimus_sdk::chat::{Message, Part, Role, ToolCall};

use crate::error::ApiError;
use crate::text_or::TextOr;

/// Most messages of a request.
pub(crate) const MESSAGES_MAX: usize = 4096;

/// One message as a client sends it.
#[derive(serde::Deserialize)]
pub(crate) struct ChatMessage {
    role: String,
    content: Option<TextOr<Vec<ContentPart>>>,
    name: Option<String>,
    tool_calls: Option<Vec<ClientToolCall>>,
    /// The one call of the older form, to which the next message of the role `function` is the answer.
    function_call: Option<ClientFunction>,
    tool_call_id: Option<String>,
    /// What reasoning models gave as their thoughts; clients send it back under either name.
    reasoning_content: Option<String>,
    reasoning: Option<String>,
}

#[derive(serde::Deserialize)]
struct ContentPart {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    refusal: Option<String>,
}

#[derive(serde::Deserialize)]
struct ClientToolCall {
    id: Option<String>,
    function: Option<ClientFunction>,
}

#[derive(serde::Deserialize)]
struct ClientFunction {
    name: String,
    arguments: Option<String>,
}

/// The conversation that the model is given.
pub(crate) fn parse(messages: Vec<ChatMessage>, model: &str) -> Result<Vec<Message>, ApiError> {
    if messages.is_empty() {
        return Err(ApiError::invalid("messages", "`messages` must not be empty"));
    }
    if messages.len() > MESSAGES_MAX {
        let message = format!("`messages` must be at most {MESSAGES_MAX}, got {}", messages.len());
        return Err(ApiError::invalid("messages", message));
    }
    let mut function_calls = 0;
    let one = |(index, message)| parse_message(message, index, &mut function_calls, model);
    messages.into_iter().enumerate().map(one).collect()
}

/// `function_calls`: how many calls of the older form there were so far. Those have no id, so they get their number for one.
fn parse_message(
    message: ChatMessage,
    index: usize,
    function_calls: &mut usize,
    model: &str,
) -> Result<Message, ApiError> {
    let at = |field: &str| format!("messages[{index}].{field}");
    let role = match message.role.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        other => {
            let roles = "system, developer, user, assistant, tool or function";
            return Err(ApiError::invalid(at("role"), format!("`{}` must be {roles}, got `{other}`", at("role"))));
        }
    };
    match message.role.as_str() {
        "tool" if message.tool_call_id.is_none() => return Err(ApiError::missing(at("tool_call_id"))),
        "function" if message.name.is_none() => return Err(ApiError::missing(at("name"))),
        _ => {}
    }
    let calls = message.tool_calls.unwrap_or_default().into_iter().enumerate();
    let mut tool_calls: Vec<ToolCall> = calls
        .map(|(call, tool_call)| parse_tool_call(tool_call, &at(&format!("tool_calls[{call}]"))))
        .collect::<Result<_, _>>()?;
    if let Some(function) = message.function_call {
        *function_calls += 1;
        tool_calls.push(to_call(format!("call_{function_calls}"), function));
    }
    let tool_call_id = match message.role.as_str() {
        "function" => Some(format!("call_{function_calls}")),
        _ => message.tool_call_id,
    };
    let content = match message.content {
        Some(TextOr::Text(text)) => vec![Part::Text(text)],
        Some(TextOr::Other(parts)) => {
            let one =
                |(part, content): (usize, ContentPart)| parse_part(content, &at(&format!("content[{part}]")), model);
            parts.into_iter().enumerate().map(one).collect::<Result<_, _>>()?
        }
        None if role == Role::Assistant && !tool_calls.is_empty() => Vec::new(),
        None => return Err(ApiError::missing(at("content"))),
    };
    Ok(Message {
        role,
        name: message.name,
        content,
        reasoning: message.reasoning_content.or(message.reasoning),
        tool_calls,
        tool_call_id,
    })
}

fn parse_part(part: ContentPart, at: &str, model: &str) -> Result<Part, ApiError> {
    let media =
        |what: &str| ApiError::unsupported(at.to_owned(), format!("`{at}`: the model `{model}` does not take {what}"));
    match part.kind.as_str() {
        "text" => part.text.map(Part::Text).ok_or_else(|| ApiError::missing(format!("{at}.text"))),
        "refusal" => part.refusal.map(Part::Text).ok_or_else(|| ApiError::missing(format!("{at}.refusal"))),
        "image_url" => Err(media("images")),
        "input_audio" => Err(media("sound")),
        "video_url" => Err(media("films")),
        "file" => Err(media("files")),
        other => {
            let message = format!("`{at}.type` must be text, image_url, input_audio, file or refusal, got `{other}`");
            Err(ApiError::invalid(format!("{at}.type"), message))
        }
    }
}

fn parse_tool_call(call: ClientToolCall, at: &str) -> Result<ToolCall, ApiError> {
    let id = call.id.ok_or_else(|| ApiError::missing(format!("{at}.id")))?;
    let function = call.function.ok_or_else(|| ApiError::missing(format!("{at}.function")))?;
    Ok(to_call(id, function))
}

fn to_call(id: String, function: ClientFunction) -> ToolCall {
    let arguments = function.arguments.filter(|arguments| !arguments.trim().is_empty());
    ToolCall { id, name: function.name, arguments: arguments.unwrap_or_else(|| "{}".into()) }
}
