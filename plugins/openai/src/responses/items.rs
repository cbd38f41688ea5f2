//! Items: what a conversation is made of in this API, sent by clients, written by the model, and kept.

use mimus_sdk::chat::{Message, Part, Role, ToolCall};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::ids;
use crate::text_or::TextOr;

/// One item of any kind, in the form of the API; what a kind does not have is absent.
#[derive(Serialize, Deserialize, Default)]
pub(super) struct Item {
    id: Option<String>,
    /// Absent for a message in the short form.
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<TextOr<Vec<Content>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Vec<Content>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<TextOr<Vec<Content>>>,
    #[serde(skip_deserializing)]
    status: Option<&'static str>,
}

/// One part of an item's content.
#[derive(Serialize, Deserialize)]
struct Content {
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    /// The model here cites nothing, but typed clients look for the list.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    annotations: Option<[u8; 0]>,
}

impl Item {
    /// A question as a plain text.
    pub(super) fn question(text: String) -> Self {
        Item { role: Some("user".into()), content: Some(TextOr::Text(text)), ..Item::default() }
    }

    pub(super) fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    /// The form in which items are kept and listed: with an id, a type, a status, and content in parts.
    pub(super) fn normalize(&mut self) {
        let kind = self.kind.get_or_insert_with(|| "message".into()).as_str();
        let prefix = match kind {
            "function_call" => "fc_",
            "function_call_output" => "fco_",
            "reasoning" => "rs_",
            _ => "msg_",
        };
        self.status = Some("completed");
        self.id.get_or_insert_with(|| ids::new(prefix));
        let is_answer = self.role.as_deref() == Some("assistant");
        if let Some(TextOr::Text(text)) = &mut self.content {
            let kind = if is_answer { "output_text" } else { "input_text" };
            let part =
                Content { kind: kind.into(), text: Some(std::mem::take(text)), refusal: None, annotations: None };
            self.content = Some(TextOr::Other(vec![part]));
        }
        if let Some(TextOr::Other(parts)) = &mut self.content {
            for part in parts.iter_mut().filter(|part| part.kind == "output_text") {
                part.annotations = Some([]);
            }
        }
    }
}

/// The messages of items in order; `at` names the field that holds them, for errors.
///
/// What a model does in one turn is one message: its reasoning, its text and its calls.
pub(super) fn push_messages(messages: &mut Vec<Message>, items: &[Item], at: &str) -> Result<(), ApiError> {
    // Thoughts wait for the text or the call that they led to.
    let mut thoughts: Option<String> = None;
    for (index, item) in items.iter().enumerate() {
        let at = || format!("{at}[{index}]");
        let needed = |field: &Option<String>, name: &str| {
            field.clone().ok_or_else(|| ApiError::missing(format!("{}.{name}", at())))
        };
        match item.kind.as_deref().unwrap_or("message") {
            "message" => {
                let mut message = message(item, &at())?;
                if message.role == Role::Assistant {
                    message.reasoning = thoughts.take();
                }
                messages.push(message);
            }
            "reasoning" => {
                let parts = match &item.content {
                    Some(TextOr::Other(parts)) if !parts.is_empty() => parts.as_slice(),
                    _ => item.summary.as_deref().unwrap_or_default(),
                };
                let text: String = parts.iter().filter_map(|part| part.text.as_deref()).collect();
                thoughts = (!text.is_empty()).then_some(text);
            }
            "function_call" => {
                let call = ToolCall {
                    id: needed(&item.call_id, "call_id")?,
                    name: needed(&item.name, "name")?,
                    arguments: needed(&item.arguments, "arguments")?,
                };
                let is_turn = messages.last().is_some_and(|message| message.role == Role::Assistant);
                if !is_turn {
                    let mut message = Message::text(Role::Assistant, "");
                    message.content.clear();
                    messages.push(message);
                }
                let message = messages.last_mut().expect("an assistant's message is there");
                message.reasoning = thoughts.take().or(message.reasoning.take());
                message.tool_calls.push(call);
            }
            "function_call_output" => {
                let output = item.output.as_ref().ok_or_else(|| ApiError::missing(format!("{}.output", at())))?;
                let content = texts(output, &format!("{}.output", at()))?;
                let call_id = needed(&item.call_id, "call_id")?;
                let message = Message::text(Role::Tool, "");
                messages.push(Message { content, tool_call_id: Some(call_id), ..message });
            }
            other => {
                let field = format!("{}.type", at());
                let kinds = "message, function_call, function_call_output or reasoning";
                return Err(ApiError::unsupported(field.clone(), format!("`{field}` must be {kinds}, got `{other}`")));
            }
        }
    }
    Ok(())
}

fn message(item: &Item, at: &str) -> Result<Message, ApiError> {
    let role = match item.role.as_deref() {
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("system" | "developer") => Role::System,
        Some(other) => {
            let field = format!("{at}.role");
            let message = format!("`{field}` must be user, assistant, system or developer, got `{other}`");
            return Err(ApiError::invalid(field, message));
        }
        None => return Err(ApiError::missing(format!("{at}.role"))),
    };
    let content = item.content.as_ref().ok_or_else(|| ApiError::missing(format!("{at}.content")))?;
    Ok(Message { content: texts(content, &format!("{at}.content"))?, ..Message::text(role, "") })
}

fn texts(content: &TextOr<Vec<Content>>, at: &str) -> Result<Vec<Part>, ApiError> {
    let parts = match content {
        TextOr::Text(text) => return Ok(vec![Part::Text(text.clone())]),
        TextOr::Other(parts) => parts,
    };
    let one = |(index, part): (usize, &Content)| {
        let at = format!("{at}[{index}]");
        let needed =
            |text: &Option<String>, name| text.clone().ok_or_else(|| ApiError::missing(format!("{at}.{name}")));
        match part.kind.as_str() {
            "input_text" | "output_text" | "text" => needed(&part.text, "text").map(Part::Text),
            "refusal" => needed(&part.refusal, "refusal").map(Part::Text),
            "input_image" | "input_file" | "input_audio" => Err(ApiError::unsupported(
                at.clone(),
                format!("`{at}`: this server takes text only, got `{}`", part.kind),
            )),
            other => {
                let field = format!("{at}.type");
                let message = format!(
                    "`{field}` must be input_text, output_text, refusal, input_image or input_file, got `{other}`"
                );
                Err(ApiError::invalid(field, message))
            }
        }
    };
    parts.iter().enumerate().map(one).collect()
}
