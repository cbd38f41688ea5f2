//! A conversation, as every dialect and every template understands it.

pub use crate::bindings::personality::mimus::plugin::chat::{
    Message, Part, RenderOptions, Rendered, Role, Tool, ToolCall,
};

impl Message {
    /// A message of text alone.
    ///
    /// ```
    /// use mimus_sdk::chat::{Message, Role};
    /// assert_eq!(Message::text(Role::User, "hi").plain_text().as_deref(), Some("hi"));
    /// ```
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Message {
            role,
            name: None,
            content: vec![Part::Text(text.into())],
            reasoning: None,
            tool_calls: Vec::new(),
            tool_call_id: None,
        }
    }

    /// The text of the message's parts, joined; none when a part is not text.
    pub fn plain_text(&self) -> Option<std::borrow::Cow<'_, str>> {
        match self.content.as_slice() {
            [] => Some("".into()),
            [Part::Text(text)] => Some(text.into()),
            parts => {
                let text = |part: &Part| if let Part::Text(text) = part { Some(text.clone()) } else { None };
                parts.iter().map(text).collect::<Option<String>>().map(Into::into)
            }
        }
    }
}

impl Role {
    /// `system`, `user`, `assistant` or `tool`.
    pub fn name(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        }
    }
}

/// The model's own format, no tools, ending where the answer begins.
impl Default for RenderOptions {
    fn default() -> Self {
        RenderOptions {
            format: None,
            source: None,
            tools: Vec::new(),
            add_generation_prompt: true,
            continue_final_message: false,
            variables: Vec::new(),
        }
    }
}
