//! Formats that are texts around messages, which most formats of published models are.

use super::{Context, RenderError, finish, turns_of};
use crate::chat::{Message, RenderOptions, Rendered, Role};

/// A format that puts texts around each message.
///
/// ```
/// use mimus_sdk::template::{Layout, System};
/// const ALPACA: Layout = Layout {
///     format: "alpaca",
///     system: System::Before("", "\n\n"),
///     user: ("### Instruction:\n", "\n\n"),
///     assistant: ("### Response:\n", "</s>"),
///     answer: "### Response:\n",
///     ..Layout::BLANK
/// };
/// ```
pub struct Layout {
    /// Name of the format.
    pub format: &'static str,
    /// Begin with the model's begin token.
    pub has_bos: bool,
    /// Where a system message goes.
    pub system: System,
    /// The system message of conversations that bring none.
    pub default_system: Option<&'static str>,
    /// Before and after what the user says.
    pub user: (&'static str, &'static str),
    /// Before and after what the assistant says.
    pub assistant: (&'static str, &'static str),
    /// Before and after what a tool returns; none: no place for it.
    pub tool: Option<(&'static str, &'static str)>,
    /// What announces an answer.
    pub answer: &'static str,
    /// User and assistant take turns, and only the first message may be a system message.
    pub takes_turns: bool,
    /// Texts lose the space around them.
    pub is_trimmed: bool,
    /// Strings that end an answer.
    pub stop: &'static [&'static str],
}

/// Where a format has its system message.
pub enum System {
    /// Between two texts, as the other messages.
    Before(&'static str, &'static str),
    /// In front of what the user says first, with a text between them.
    InFirstTurn(&'static str),
}

impl Layout {
    /// Texts and nothing around them, in turns.
    pub const BLANK: Layout = Layout {
        format: "",
        has_bos: false,
        system: System::Before("", ""),
        default_system: None,
        user: ("", ""),
        assistant: ("", ""),
        tool: None,
        answer: "",
        takes_turns: true,
        is_trimmed: false,
        stop: &[],
    };

    /// Renders a conversation.
    ///
    /// # Errors
    /// When a message holds more than text or has no place in the format.
    pub fn render(
        &self,
        context: &Context,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Rendered, RenderError> {
        if self.takes_turns {
            turns_of(messages)?;
        }
        let mut prompt = String::new();
        if self.has_bos && !messages.is_empty() {
            prompt.push_str(&context.bos_token);
        }
        // A system message on its way to the first turn.
        let mut waiting = String::new();
        if let Some(text) =
            self.default_system.filter(|_| messages.first().is_some_and(|first| first.role != Role::System))
        {
            self.system(text, &mut prompt, &mut waiting);
        }
        for (index, message) in messages.iter().enumerate() {
            let text = super::text_of(message, index)?;
            let text = if self.is_trimmed { text.trim() } else { &text };
            let (before, after) = match message.role {
                Role::System => {
                    self.system(text, &mut prompt, &mut waiting);
                    continue;
                }
                Role::User => self.user,
                Role::Assistant => self.assistant,
                Role::Tool => self.tool.ok_or_else(|| {
                    RenderError::Conversation(format!(
                        "message {index} is a tool's, and this format has no place for it"
                    ))
                })?,
            };
            prompt.extend([before, &std::mem::take(&mut waiting), text, after]);
        }
        if options.add_generation_prompt {
            prompt.push_str(self.answer);
        }
        finish(prompt, self.stop, messages, options)
    }

    fn system(&self, text: &str, prompt: &mut String, waiting: &mut String) {
        match self.system {
            System::Before(before, after) => prompt.extend([before, text, after]),
            System::InFirstTurn(after) => waiting.extend([text, after]),
        }
    }
}

/// The layout of the context's format.
///
/// # Errors
/// When there is none: the server asks only for formats of the manifest.
pub fn layout_of<'a>(context: &Context, layouts: &'a [Layout]) -> Result<&'a Layout, RenderError> {
    let named = layouts.iter().find(|layout| layout.format == context.format);
    named.ok_or_else(|| RenderError::Template(format!("no format `{}`", context.format)))
}

/// Makes a template of layouts: the type, its manifest, its rendering and its export.
///
/// ```
/// use mimus_sdk::template::Layout;
/// mimus_sdk::layouts!(Plain, &[Layout { format: "plain", ..Layout::BLANK }]);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! layouts {
    ($template:ident, $layouts:expr) => {
        struct $template;

        impl $crate::Template for $template {
            fn describe(&self) -> $crate::template::TemplateManifest {
                let layouts: &[$crate::template::Layout] = $layouts;
                let formats: ::std::vec::Vec<&str> = layouts.iter().map(|layout| layout.format).collect();
                $crate::template::manifest(
                    env!("CARGO_PKG_NAME").trim_start_matches("mimus-"),
                    env!("CARGO_PKG_VERSION"),
                    &formats,
                )
            }

            fn render(
                &self,
                context: &$crate::template::Context,
                messages: &[$crate::chat::Message],
                options: &$crate::chat::RenderOptions,
            ) -> ::core::result::Result<$crate::chat::Rendered, $crate::template::RenderError> {
                $crate::template::layout_of(context, $layouts)?.render(context, messages, options)
            }
        }

        $crate::template!($template);
    };
}
