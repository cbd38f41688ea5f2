//! Llama 3: `<|start_header_id|>role<|end_header_id|>`, the text, `<|eot_id|>`.
//!
//! As the template of the Llama 3 instruct models on the hub writes it. Llama 3.1 and later ship a template of their own, with
//! tools and a date: those models are rendered by `jinja`.

use mimus_sdk::Template;
use mimus_sdk::chat::{Message, RenderOptions, Rendered};
use mimus_sdk::template::{self, Context, RenderError, TemplateManifest};

struct Llama3;

impl Template for Llama3 {
    fn describe(&self) -> TemplateManifest {
        template::manifest("template-llama3", env!("CARGO_PKG_VERSION"), &["llama3"])
    }

    fn render(
        &self,
        context: &Context,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Rendered, RenderError> {
        let mut prompt = String::new();
        if !messages.is_empty() {
            prompt.push_str(&context.bos_token);
        }
        for (index, message) in messages.iter().enumerate() {
            let text = template::text_of(message, index)?;
            let role = message.role.name();
            prompt.extend(["<|start_header_id|>", role, "<|end_header_id|>\n\n", text.trim(), "<|eot_id|>"]);
        }
        if options.add_generation_prompt {
            prompt.push_str("<|start_header_id|>assistant<|end_header_id|>\n\n");
        }
        template::finish(prompt, &["<|eot_id|>"], messages, options)
    }
}

mimus_sdk::template!(Llama3);

#[cfg(test)]
mod tests {
    #[test]
    fn renders_as_transformers_does() {
        mimus_sdk::golden::check(&super::Llama3, "llama3", include_str!("../tests/golden.json"));
    }
}
