//! A conversation as clients send it.

use mimus_sdk::chat::{Message, Part, Role};
use serde::{Deserialize, Serialize};

use crate::fields::TextOr;
use crate::refusal::Refusal;

/// Messages in one request.
pub const MESSAGES_MAX: usize = 2048;

/// Parts of one message.
const PARTS_MAX: usize = 256;

/// What `messages` and the interactive `prompt` may be: one text, or a list of messages.
pub type Conversation = TextOr<GivenMessage, MESSAGES_MAX>;

/// One message as it came.
#[derive(Debug, Clone, Deserialize)]
pub struct GivenMessage {
    role: String,
    content: Option<TextOr<GivenPart, PARTS_MAX>>,
}

#[derive(Debug, Clone, Deserialize)]
struct GivenPart {
    r#type: String,
    text: Option<String>,
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

/// The turns of a list of messages; `field` is its name in the request.
///
/// # Errors
/// A refusal that names the message at fault.
pub fn turns(field: &str, messages: Vec<GivenMessage>) -> Result<Vec<Turn>, Refusal> {
    if messages.is_empty() {
        return Err(Refusal::bad(field, format!("`{field}` must not be empty")));
    }
    messages.into_iter().enumerate().map(|(index, message)| turn(&format!("{field}[{index}]"), message)).collect()
}

fn turn(place: &str, message: GivenMessage) -> Result<Turn, Refusal> {
    let role = match message.role.as_str() {
        "system" | "developer" => "system",
        "user" => "user",
        "assistant" => "assistant",
        "tool" => "tool",
        other => {
            return Err(Refusal::bad(&format!("{place}.role"), format!("`{place}.role` has no meaning: `{other}`")));
        }
    };
    let content = match message.content {
        Some(TextOr::Text(text)) => text,
        Some(TextOr::Many(parts)) => text_of(place, parts)?,
        // An assistant that only called tools.
        None if role == "assistant" => String::new(),
        None => {
            return Err(Refusal::bad(&format!("{place}.content"), format!("`{place}.content` is required")));
        }
    };
    Ok(Turn { role: role.into(), content })
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
    Message { content: vec![Part::Text(turn.content.clone())], ..Message::text(role, "") }
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
