//! A conversation as clients send it.

use mimus_sdk::chat::{Message, Part, Role, ToolCall};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fields::TextOr;
use crate::refusal::Refusal;

/// Messages in one request.
pub const MESSAGES_MAX: usize = 2048;

/// Parts of one message.
const PARTS_MAX: usize = 256;

/// Calls in one message.
const CALLS_MAX: usize = 128;

/// What `messages` and the interactive `prompt` may be: one text, or a list of messages.
pub type Conversation = TextOr<GivenMessage, MESSAGES_MAX>;

/// One message as it came.
#[derive(Debug, Clone, Deserialize)]
pub struct GivenMessage {
    role: String,
    content: Option<TextOr<GivenPart, PARTS_MAX>>,
    name: Option<String>,
    reasoning_content: Option<String>,
    tool_calls: Option<Vec<GivenCall>>,
    tool_call_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct GivenPart {
    r#type: String,
    text: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct GivenCall {
    id: Option<String>,
    function: Option<GivenFunction>,
}

#[derive(Debug, Clone, Deserialize)]
struct GivenFunction {
    name: String,
    /// JSON as text; some clients send the object itself.
    arguments: Option<Value>,
}

/// One turn of a conversation, in the form in which sessions keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Who speaks: `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// What was said.
    pub content: String,
}

impl Turn {
    /// Something a user says.
    pub fn user(content: impl Into<String>) -> Self {
        Turn { role: "user".into(), content: content.into() }
    }

    /// What the model has answered.
    pub fn assistant(content: impl Into<String>) -> Self {
        Turn { role: "assistant".into(), content: content.into() }
    }
}

/// The turns of a list of messages, which sessions keep as texts; `field` is its name in the request.
///
/// # Errors
/// A refusal that names the message at fault.
pub fn turns(field: &str, messages: Vec<GivenMessage>) -> Result<Vec<Turn>, Refusal> {
    let turn = |message: Message| Turn {
        role: message.role.name().to_owned(),
        content: message.plain_text().unwrap_or_default().into_owned(),
    };
    Ok(read(field, messages)?.into_iter().map(turn).collect())
}

/// A list of messages for the host; `field` is its name in the request.
///
/// # Errors
/// A refusal that names the message at fault.
pub fn read(field: &str, messages: Vec<GivenMessage>) -> Result<Vec<Message>, Refusal> {
    if messages.is_empty() {
        return Err(Refusal::bad(field, format!("`{field}` must not be empty")));
    }
    messages.into_iter().enumerate().map(|(index, message)| read_one(&format!("{field}[{index}]"), message)).collect()
}

fn read_one(place: &str, given: GivenMessage) -> Result<Message, Refusal> {
    let role = match given.role.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        other => {
            return Err(Refusal::bad(&format!("{place}.role"), format!("`{place}.role` has no meaning: `{other}`")));
        }
    };
    let text = match given.content {
        Some(TextOr::Text(text)) => text,
        Some(TextOr::Many(parts)) => text_of(place, parts)?,
        // An assistant that only called tools.
        None if matches!(role, Role::Assistant) => String::new(),
        None => {
            return Err(Refusal::bad(&format!("{place}.content"), format!("`{place}.content` is required")));
        }
    };
    let tool_calls = calls_of(place, given.tool_calls.unwrap_or_default())?;
    let content = if text.is_empty() && !tool_calls.is_empty() { Vec::new() } else { vec![Part::Text(text)] };
    Ok(Message {
        role,
        name: given.name,
        content,
        reasoning: given.reasoning_content,
        tool_calls,
        tool_call_id: given.tool_call_id,
    })
}

fn calls_of(place: &str, given: Vec<GivenCall>) -> Result<Vec<ToolCall>, Refusal> {
    let place = format!("{place}.tool_calls");
    if given.len() > CALLS_MAX {
        let count = given.len();
        return Err(Refusal::bad(&place, format!("`{place}` holds {count}, at most {CALLS_MAX} are allowed")));
    }
    // Calls without a function are of a kind that is none of the model's.
    let calls = given.into_iter().enumerate().filter_map(|(index, call)| Some((index, call.id, call.function?)));
    let call = |(index, id, function): (usize, Option<String>, GivenFunction)| {
        let arguments = match function.arguments {
            None | Some(Value::Null) => "{}".to_owned(),
            Some(Value::String(text)) => text,
            Some(object @ Value::Object(_)) => object.to_string(),
            Some(_) => {
                let place = format!("{place}[{index}].function.arguments");
                return Err(Refusal::bad(&place, format!("`{place}` must be JSON of an object as text")));
            }
        };
        Ok(ToolCall { id: id.unwrap_or_else(|| format!("call_{index}")), name: function.name, arguments })
    };
    calls.map(call).collect()
}

fn text_of(place: &str, parts: Vec<GivenPart>) -> Result<String, Refusal> {
    let mut text = String::new();
    for (index, part) in parts.into_iter().enumerate() {
        let place = format!("{place}.content[{index}]");
        match (part.r#type.as_str(), part.text) {
            ("text", Some(piece)) => text.push_str(&piece),
            ("text", None) => {
                return Err(Refusal::bad(&format!("{place}.text"), format!("`{place}.text` is required")));
            }
            ("image_url" | "image_data" | "video_url" | "input_audio", _) => {
                return Err(Refusal::bad(
                    &place,
                    format!("`{place}` is an image, a film or a sound, and the model reads text alone"),
                ));
            }
            (other, _) => {
                return Err(Refusal::bad(&place, format!("`{place}.type` has no meaning: `{other}`")));
            }
        }
    }
    Ok(text)
}

/// Turns as the host takes them.
pub fn for_host(turns: &[Turn]) -> Vec<Message> {
    turns.iter().map(message_of).collect()
}

fn message_of(turn: &Turn) -> Message {
    let role = match turn.role.as_str() {
        "system" => Role::System,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        _ => Role::User,
    };
    Message::text(role, &turn.content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimus_sdk::DialectError;

    fn read(json: &str) -> Result<Vec<Turn>, String> {
        let messages = serde_json::from_str(json).map_err(|error| error.to_string())?;
        turns("messages", messages).map_err(|refusal| {
            let body: serde_json::Value = serde_json::from_slice(&refusal.reply().body).expect("JSON");
            body["message"].as_str().expect("text").to_owned()
        })
    }

    #[test]
    fn reads_messages() {
        let said = |role: &str, content: &str| Turn { role: role.into(), content: content.into() };
        let cases = [
            (r#"[{"role":"user","content":"a"}]"#, Ok(vec![said("user", "a")])),
            (
                r#"[{"role":"developer","content":"a"},{"role":"user","content":[]}]"#,
                Ok(vec![said("system", "a"), said("user", "")]),
            ),
            (
                r#"[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]"#,
                Ok(vec![said("user", "ab")]),
            ),
            (r#"[{"role":"assistant","content":null,"tool_calls":[{}]}]"#, Ok(vec![said("assistant", "")])),
            (
                r#"[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":5}}]}]"#,
                Err("`messages[0].tool_calls[0].function.arguments` must be JSON of an object as text"),
            ),
            ("[]", Err("`messages` must not be empty")),
            (r#"[{"role":"robot","content":"a"}]"#, Err("`messages[0].role` has no meaning: `robot`")),
            (r#"[{"role":"user"}]"#, Err("`messages[0].content` is required")),
            (
                r#"[{"role":"user","content":[{"type":"smell"}]}]"#,
                Err("`messages[0].content[0].type` has no meaning: `smell`"),
            ),
            (r#"[{"role":"user","content":[{"type":"text"}]}]"#, Err("`messages[0].content[0].text` is required")),
            (
                r#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]"#,
                Err("`messages[0].content[0]` is an image, a film or a sound, and the model reads text alone"),
            ),
        ];
        for (json, expect) in cases {
            assert_eq!(read(json), expect.map_err(str::to_owned), "{json}");
        }
    }
}
