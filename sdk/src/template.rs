//! A prompt format: how a conversation becomes the prompt text of a model.

mod layout;

use std::borrow::Cow;

use crate::chat::{Message, RenderOptions, Rendered, Role};

pub use layout::{Layout, System, layout_of};

pub use crate::bindings::template::exports::mimus::plugin::answer_format::{
    AnswerMarks as Marks, CallSyntax, Span, Verdict,
};
pub use crate::bindings::template::exports::mimus::plugin::prompt_format::{Context, RenderError, TemplateManifest};

/// A template plugin. Implemented by a unit struct and exported by [`crate::template!`]. It calls nothing: it is a pure function.
pub trait Template {
    /// Name, version and the formats that it renders.
    fn describe(&self) -> TemplateManifest;

    /// Renders a conversation in the format `context.format`.
    fn render(&self, context: &Context, messages: &[Message], options: &RenderOptions)
    -> Result<Rendered, RenderError>;

    /// How answers in the format `context.format` mark reasoning and calls. None, unless the template says otherwise.
    fn marks(&self, _context: &Context) -> Marks {
        Marks::NONE
    }
}

impl Marks {
    /// Answers are text and nothing else.
    pub const NONE: Marks = Marks { reasoning: None, calls: None, verdict: None };
}

/// A manifest of string literals.
///
/// ```
/// let manifest = mimus_sdk::template::manifest("chatml", "0.1.0", &["chatml"]);
/// assert_eq!(manifest.formats, ["chatml"]);
/// ```
pub fn manifest(name: &str, version: &str, formats: &[&str]) -> TemplateManifest {
    TemplateManifest {
        name: name.into(),
        version: version.into(),
        formats: formats.iter().map(|format| (*format).into()).collect(),
    }
}

/// The text of a message, for formats that have no place for anything else.
///
/// # Errors
/// When the message holds an image, a sound or a film.
pub fn text_of(message: &Message, index: usize) -> Result<Cow<'_, str>, RenderError> {
    let error = || {
        RenderError::Conversation(format!("message {index} holds more than text, and this format has no place for it"))
    };
    message.plain_text().ok_or_else(error)
}

/// The system message, if the conversation begins with one, and the turns after it.
///
/// # Errors
/// When user and assistant do not alternate, starting with the user.
pub fn turns_of(messages: &[Message]) -> Result<(Option<&Message>, &[Message]), RenderError> {
    let (system, turns) = match messages.split_first() {
        Some((first, turns)) if first.role == Role::System => (Some(first), turns),
        _ => (None, messages),
    };
    let first_turn = messages.len() - turns.len();
    for (index, message) in turns.iter().enumerate() {
        if message.role != [Role::User, Role::Assistant][index % 2] {
            let index = first_turn + index;
            return Err(RenderError::Conversation(format!(
                "message {index} breaks the turns: user and assistant must alternate, starting with user"
            )));
        }
    }
    Ok((system, turns))
}

/// Ends a rendering: leaves the last message open where that was asked for, and adds the strings that end an answer.
///
/// # Errors
/// When the last message is to be continued and has no text, or the format does not show it.
pub fn finish(
    prompt: String,
    stop: &[&str],
    messages: &[Message],
    options: &RenderOptions,
) -> Result<Rendered, RenderError> {
    let prompt = if options.continue_final_message { open_last_message(prompt, messages)? } else { prompt };
    Ok(Rendered { prompt, stop: stop.iter().map(|text| (*text).into()).collect() })
}

/// Cuts off what the format puts after the last message, as transformers' `continue_final_message` does.
fn open_last_message(mut prompt: String, messages: &[Message]) -> Result<String, RenderError> {
    let last = messages.last().and_then(Message::plain_text).unwrap_or_default();
    let error = |why: &str| RenderError::Conversation(format!("the last message cannot be continued: {why}"));
    if last.trim().is_empty() {
        return Err(error("it has no text"));
    }
    let start = prompt.rfind(last.trim()).ok_or_else(|| error("the format does not show it"))?;
    // A format that trims its messages takes the space after the last one with it.
    let kept = if prompt[start..].starts_with(last.trim_start()) { last.trim_start() } else { last.trim() };
    prompt.truncate(start + kept.len());
    Ok(prompt)
}

/// Exports a template as the component's world `template`. Takes a value without fields (`template!(ChatMl)`).
///
/// Off WebAssembly it checks the types and makes nothing.
#[macro_export]
macro_rules! template {
    ($template:expr) => {
        const _: () = {
            #[cfg(target_arch = "wasm32")]
            mod exported {
                use super::*;
                use $crate::Template as _;
                use $crate::bindings::template as bindings;

                struct Component;

                impl bindings::exports::mimus::plugin::prompt_format::Guest for Component {
                    fn describe() -> $crate::template::TemplateManifest {
                        ($template).describe()
                    }
                    fn render(
                        context: $crate::template::Context,
                        messages: ::std::vec::Vec<$crate::chat::Message>,
                        options: $crate::chat::RenderOptions,
                    ) -> ::core::result::Result<$crate::chat::Rendered, $crate::template::RenderError> {
                        ($template).render(&context, &messages, &options)
                    }
                }

                impl bindings::exports::mimus::plugin::answer_format::Guest for Component {
                    fn marks(context: $crate::template::Context) -> $crate::template::Marks {
                        ($template).marks(&context)
                    }
                }

        $crate::bindings::template::export_template!(Component with_types_in $crate::bindings::template);
            }

            #[cfg(not(target_arch = "wasm32"))]
            #[allow(dead_code)]
            fn is_a_template() {
                $crate::template::require(&$template);
            }
        };
    };
}

#[doc(hidden)]
pub fn require(_: &impl Template) {}
