//! Llama 2 chat: `[INST] <<SYS>> … <</SYS>> … [/INST]`.
//!
//! As the template of the Llama 2 chat models on the hub writes it, which is the layout of the reference implementation.

use mimus_sdk::Template;
use mimus_sdk::chat::{Message, RenderOptions, Rendered, Role};
use mimus_sdk::template::{self, Context, RenderError, TemplateManifest};

struct Llama2;

impl Template for Llama2 {
    fn describe(&self) -> TemplateManifest {
        template::manifest("template-llama2", env!("CARGO_PKG_VERSION"), &["llama2"])
    }

    fn render(
        &self,
        context: &Context,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Rendered, RenderError> {
        let (system, turns) = match messages.split_first() {
            Some((first, turns)) if first.role == Role::System => (Some(template::text_of(first, 0)?), turns),
            _ => (None, messages),
        };
        let first_turn = messages.len() - turns.len();
        let mut prompt = String::new();
        for (index, message) in turns.iter().enumerate() {
            let text = template::text_of(message, first_turn + index)?;
            match (index % 2, message.role) {
                (0, Role::User) => {
                    prompt.push_str(&context.bos_token);
                    prompt.push_str("[INST] ");
                    match &system {
                        // Trimmed as a whole, so that the space at the end of the system message stays.
                        Some(system) if index == 0 => {
                            let text = format!("<<SYS>>\n{system}\n<</SYS>>\n\n{text}");
                            prompt.push_str(text.trim());
                        }
                        _ => prompt.push_str(text.trim()),
                    }
                    prompt.push_str(" [/INST]");
                }
                (1, Role::Assistant) => prompt.extend([" ", text.trim(), " ", &context.eos_token]),
                _ => return Err(template::must_alternate(first_turn + index)),
            }
        }
        // Nothing announces the answer: the model goes on after `[/INST]`.
        template::finish(prompt, &[], messages, options)
    }
}

mimus_sdk::template!(Llama2);

#[cfg(test)]
mod tests {
    #[test]
    fn renders_as_transformers_does() {
        mimus_sdk::golden::check(&super::Llama2, "llama2", include_str!("../tests/golden.json"));
    }
}
