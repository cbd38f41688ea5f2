//! ChatML: `<|im_start|>role`, the text, `<|im_end|>`.
//!
//! As transformers' ChatML template writes it: no system message unless the conversation brings one.

use mimus_sdk::Template;
use mimus_sdk::chat::{Message, RenderOptions, Rendered};
use mimus_sdk::template::{self, Context, RenderError, TemplateManifest};

struct ChatMl;

impl Template for ChatMl {
    fn describe(&self) -> TemplateManifest {
        template::manifest("template-chatml", env!("CARGO_PKG_VERSION"), &["chatml"])
    }

    fn render(&self, _: &Context, messages: &[Message], options: &RenderOptions) -> Result<Rendered, RenderError> {
        let mut prompt = String::new();
        for (index, message) in messages.iter().enumerate() {
            let text = template::text_of(message, index)?;
            prompt.extend(["<|im_start|>", message.role.name(), "\n", &text, "<|im_end|>\n"]);
        }
        if options.add_generation_prompt {
            prompt.push_str("<|im_start|>assistant\n");
        }
        template::finish(prompt, &["<|im_end|>"], messages, options)
    }
}

mimus_sdk::template!(ChatMl);

#[cfg(test)]
mod tests {
    #[test]
    fn renders_as_transformers_does() {
        mimus_sdk::golden::check(&super::ChatMl, "chatml", include_str!("../tests/golden.json"));
    }
}
