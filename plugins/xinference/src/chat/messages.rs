//! The conversation of a chat request, with what clients of all releases put into it.

use mimus_sdk::chat::{Message, Part, Role, ToolCall};
use serde::Deserialize;
use serde_json::Value;

use crate::refusal::Refusal;
use crate::text_or::TextOr;

/// Messages of a request.
const MESSAGES_MAX: usize = 4096;

/// One message as it came.
#[derive(Deserialize)]
pub(super) struct ChatMessage {
    role: String,
    content: Option<TextOr<Vec<GivenPart>>>,
    name: Option<String>,
    reasoning_content: Option<String>,
    tool_calls: Option<Vec<GivenCall>>,
    tool_call_id: Option<String>,
}

#[derive(Deserialize)]
struct GivenPart {
    #[serde(rename = "type")]
    kind: Option<String>,
    text: Option<String>,
    /// Set where a whole message stands in place of a part: see [`misplaced_history`].
    role: Option<String>,
    content: Option<String>,
}

#[derive(Deserialize)]
struct GivenCall {
    id: Option<String>,
    function: Option<GivenFunction>,
}

#[derive(Deserialize)]
struct GivenFunction {
    name: String,
    /// JSON as text; some clients send the object itself.
    arguments: Option<Value>,
}

/// The conversation that the model is given.
pub(super) fn parse(given: Vec<ChatMessage>, uid: &str) -> Result<Vec<Message>, Refusal> {
    if given.is_empty() {
        return Err(Refusal::bad("Invalid input. Please specify the prompt."));
    }
    if given.len() > MESSAGES_MAX {
        return Err(Refusal::bad(format!("Invalid input. `messages` must be at most {MESSAGES_MAX}")));
    }
    let mut messages = Vec::with_capacity(given.len());
    for (index, message) in given.into_iter().enumerate() {
        let place = format!("messages[{index}]");
        if message.role == "system" {
            match message.content {
                // The first clients' example puts the history, empty as it is, into the place of the system prompt.
                None => continue,
                Some(TextOr::Other(parts)) if parts.is_empty() => continue,
                Some(TextOr::Other(parts)) if parts.iter().all(|part| part.role.is_some()) => {
                    misplaced_history(parts, &place, &mut messages)?;
                    continue;
                }
                _ => {}
            }
        }
        messages.push(parse_message(message, &place, uid)?);
    }
    match messages.is_empty() {
        true => Err(Refusal::bad("Invalid input. Please specify the prompt.")),
        false => Ok(messages),
    }
}

/// The history that stands where the system prompt belongs, turn by turn.
fn misplaced_history(turns: Vec<GivenPart>, place: &str, messages: &mut Vec<Message>) -> Result<(), Refusal> {
    for (index, turn) in turns.into_iter().enumerate() {
        let role = parse_role(turn.role.as_deref().unwrap_or_default(), &format!("{place}.content[{index}]"))?;
        messages.push(Message::text(role, turn.content.unwrap_or_default()));
    }
    Ok(())
}

fn parse_role(role: &str, place: &str) -> Result<Role, Refusal> {
    match role {
        "system" | "developer" => Ok(Role::System),
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        // The last is what models of late 2023 called a tool's answer.
        "tool" | "function" | "observation" => Ok(Role::Tool),
        other => Err(Refusal::bad(format!(
            "Invalid input. `{place}.role` must be system, user, assistant or tool, got {other}"
        ))),
    }
}

fn parse_message(given: ChatMessage, place: &str, uid: &str) -> Result<Message, Refusal> {
    let role = parse_role(&given.role, place)?;
    let calls = given.tool_calls.unwrap_or_default().into_iter().enumerate();
    let tool_calls: Vec<ToolCall> = calls
        .filter_map(|(index, call)| {
            let id = call.id.unwrap_or_else(|| format!("call_{index}"));
            call.function.map(|function| ToolCall { id, name: function.name, arguments: arguments(function.arguments) })
        })
        .collect();
    let content = match given.content {
        Some(TextOr::Text(text)) => vec![Part::Text(text)],
        Some(TextOr::Other(parts)) => {
            let part = |(index, part)| parse_part(part, &format!("{place}.content[{index}]"), uid);
            parts.into_iter().enumerate().map(part).collect::<Result<_, _>>()?
        }
        None if !tool_calls.is_empty() => Vec::new(),
        None if role == Role::Assistant => vec![Part::Text(String::new())],
        None => return Err(Refusal::bad(format!("Invalid input. `{place}.content` is required"))),
    };
    Ok(Message {
        role,
        name: given.name,
        content,
        reasoning: given.reasoning_content,
        tool_calls,
        tool_call_id: given.tool_call_id,
    })
}

fn arguments(given: Option<Value>) -> String {
    match given {
        None | Some(Value::Null) => "{}".into(),
        Some(Value::String(text)) if text.trim().is_empty() => "{}".into(),
        Some(Value::String(text)) => text,
        Some(value) => value.to_string(),
    }
}

fn parse_part(part: GivenPart, place: &str, uid: &str) -> Result<Part, Refusal> {
    match (part.kind.as_deref(), part.text) {
        (Some("text") | None, Some(text)) => Ok(Part::Text(text)),
        (Some("text") | None, None) => Err(Refusal::bad(format!("Invalid input. `{place}.text` is required"))),
        (Some(kind @ ("image_url" | "image" | "input_audio" | "audio_url" | "video_url" | "video" | "file")), _) => {
            Err(Refusal::bad(format!("Invalid input. `{place}`: model {uid} takes text alone, got {kind}")))
        }
        (Some(other), _) => {
            Err(Refusal::bad(format!("Invalid input. `{place}.type` must be text or image_url, got {other}")))
        }
    }
}
