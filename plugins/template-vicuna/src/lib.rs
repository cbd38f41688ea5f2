//! Vicuna 1.1 and 1.5: `USER: … ASSISTANT: …</s>` after a sentence about who is talking.
//!
//! As FastChat's conversation template `vicuna_v1.1` writes it.

use mimus_sdk::Template;
use mimus_sdk::chat::{Message, RenderOptions, Rendered, Role};
use mimus_sdk::template::{self, Context, RenderError, TemplateManifest};

const SYSTEM: &str = "A chat between a curious user and an artificial intelligence assistant. \
                      The assistant gives helpful, detailed, and polite answers to the user's questions.";

struct Vicuna;

impl Template for Vicuna {
    fn describe(&self) -> TemplateManifest {
        template::manifest("template-vicuna", env!("CARGO_PKG_VERSION"), &["vicuna", "vicuna-v1.1"])
    }

    fn render(
        &self,
        context: &Context,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Rendered, RenderError> {
        let (system, turns) = match messages.split_first() {
            Some((first, turns)) if first.role == Role::System => (template::text_of(first, 0)?, turns),
            _ => (SYSTEM.into(), messages),
        };
        let first_turn = messages.len() - turns.len();
        let mut prompt = format!("{}{system} ", context.bos_token);
        for (index, message) in turns.iter().enumerate() {
            let text = template::text_of(message, first_turn + index)?;
            match (index % 2, message.role) {
                (0, Role::User) => prompt.extend(["USER: ", &text, " "]),
                (1, Role::Assistant) => prompt.extend(["ASSISTANT: ", &text, &context.eos_token]),
                _ => return Err(template::must_alternate(first_turn + index)),
            }
        }
        if options.add_generation_prompt {
            prompt.push_str("ASSISTANT:");
        }
        template::finish(prompt, &[], messages, options)
    }
}

mimus_sdk::template!(Vicuna);

#[cfg(test)]
mod tests {
    #[test]
    fn renders_as_transformers_does() {
        mimus_sdk::golden::check(&super::Vicuna, "vicuna", include_str!("../tests/golden.json"));
    }
}
