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
        let (system, turns) = template::turns_of(messages)?;
        let first_turn = messages.len() - turns.len();
        let mut opening = String::new();
        if let Some(system) = system {
            opening = format!("<<SYS>>\n{}\n<</SYS>>\n\n", template::text_of(system, 0)?);
        }
        let mut prompt = String::new();
        for (index, message) in turns.iter().enumerate() {
            let text = template::text_of(message, first_turn + index)?;
            if message.role == Role::User {
                // Trimmed as a whole, so that the space at the end of the system message stays.
                let text = std::mem::take(&mut opening) + &text;
                prompt.extend([&context.bos_token, "[INST] ", text.trim(), " [/INST]"]);
            } else {
                prompt.extend([" ", text.trim(), " ", &context.eos_token]);
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
        mimus_sdk::golden::check(&super::Llama2, "llama2", include_str!("../tests/llama2.json"));
    }
}
