//! The field `messages`: a conversation, or a finished prompt as a plain string.

use std::fmt;

use mimus_sdk::chat::{Message, Role};
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use crate::refusal::Refusal;

/// Messages of a conversation.
const MESSAGES_MAX: usize = 2048;

pub(crate) enum Messages {
    Prompt(String),
    Conversation(Vec<ClientMessage>),
}

#[derive(Deserialize)]
pub(crate) struct ClientMessage {
    role: String,
    content: Content,
}

enum Content {
    Text(String),
    Parts(Vec<ClientPart>),
}

#[derive(Deserialize)]
struct ClientPart {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

/// The conversation as models understand it: what the system says stands first and is what it said last, wherever it stood.
pub(crate) fn parse(messages: Vec<ClientMessage>, model: &str) -> Result<Vec<Message>, Refusal> {
    if messages.len() > MESSAGES_MAX {
        let count = messages.len();
        return Err(Refusal::out_of_range(format!(
            "{count} is greater than the maximum of {MESSAGES_MAX} - 'messages'"
        )));
    }
    let mut system = None;
    let mut parsed = Vec::with_capacity(messages.len() + 1);
    for (index, message) in messages.into_iter().enumerate() {
        let role = match message.role.as_str() {
            "system" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            other => return Err(Refusal::validation(format!("Unknown role: {other}"))),
        };
        let text = match message.content {
            Content::Text(text) => text,
            Content::Parts(parts) => joined(parts, index, model)?,
        };
        match role {
            Role::System => system = Some(text),
            role => parsed.push(Message::text(role, text)),
        }
    }
    if let Some(text) = system {
        parsed.insert(0, Message::text(Role::System, text));
    }
    Ok(parsed)
}

/// The texts of the parts, a line each.
fn joined(parts: Vec<ClientPart>, index: usize, model: &str) -> Result<String, Refusal> {
    let mut texts = Vec::with_capacity(parts.len());
    for (place, part) in parts.into_iter().enumerate() {
        let at = format!("messages[{index}].content[{place}]");
        match (part.kind.as_str(), part.text) {
            ("text", Some(text)) => texts.push(text),
            ("text", None) => return Err(Refusal::validation(format!("`{at}.text` is required"))),
            ("image_url", _) => {
                return Err(Refusal::out_of_range(format!("`{at}`: the model `{model}` does not take images")));
            }
            (other, _) => {
                return Err(Refusal::validation(format!("`{at}.type` must be text or image_url, got `{other}`")));
            }
        }
    }
    Ok(texts.join("\n"))
}

impl<'de> Deserialize<'de> for Messages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MessagesVisitor;
        impl<'de> Visitor<'de> for MessagesVisitor {
            type Value = Messages;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or an array of messages")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Messages, E> {
                Ok(Messages::Prompt(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Messages, A::Error> {
                let mut messages = Vec::new();
                while let Some(message) = elements.next_element()? {
                    messages.push(message);
                }
                Ok(Messages::Conversation(messages))
            }
        }
        deserializer.deserialize_any(MessagesVisitor)
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor;
        impl<'de> Visitor<'de> for ContentVisitor {
            type Value = Content;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or an array of parts")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Content, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = elements.next_element()? {
                    parts.push(part);
                }
                Ok(Content::Parts(parts))
            }
        }
        deserializer.deserialize_any(ContentVisitor)
    }
}
