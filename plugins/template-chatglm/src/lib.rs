//! ChatGLM: numbered rounds, then tokens before each speaker.
//!
//! `chatglm2` and `chatglm3` as FastChat's conversation templates of those names write them.

use mimus_sdk::Template;
use mimus_sdk::chat::{Message, RenderOptions, Rendered, Role};
use mimus_sdk::template::{self, Context, Layout, RenderError, System, TemplateManifest};

const CHATGLM3: Layout = Layout {
    format: "chatglm3",
    has_bos: true,
    system: System::Before("<|system|>\n", ""),
    user: ("<|user|>\n", ""),
    assistant: ("<|assistant|>\n", ""),
    tool: Some(("<|observation|>\n", "")),
    answer: "<|assistant|>",
    takes_turns: false,
    stop: &["<|user|>", "<|observation|>"],
    ..Layout::BLANK
};

struct ChatGlm;

impl Template for ChatGlm {
    fn describe(&self) -> TemplateManifest {
        template::manifest("template-chatglm", env!("CARGO_PKG_VERSION"), &["chatglm2", "chatglm3"])
    }

    fn render(
        &self,
        context: &Context,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Rendered, RenderError> {
        if context.format == CHATGLM3.format {
            CHATGLM3.render(context, messages, options)
        } else {
            rounds(context, messages, options)
        }
    }
}

mimus_sdk::template!(ChatGlm);

fn rounds(context: &Context, messages: &[Message], options: &RenderOptions) -> Result<Rendered, RenderError> {
    let (system, turns) = template::turns_of(messages)?;
    let first_turn = messages.len() - turns.len();
    let mut prompt = context.bos_token.clone();
    if let Some(system) = system {
        prompt.extend([&*template::text_of(system, 0)?, "\n\n"]);
    }
    for (index, message) in turns.iter().enumerate() {
        let text = template::text_of(message, first_turn + index)?;
        if message.role == Role::User {
            let round = index / 2 + 1;
            prompt.push_str(&format!("[Round {round}]\n\n问：{text}\n\n"));
        } else {
            prompt.extend(["答：", &text, "\n\n"]);
        }
    }
    if options.add_generation_prompt {
        prompt.push_str("答：");
    }
    template::finish(prompt, &[], messages, options)
}

#[cfg(test)]
mod tests {
    use mimus_sdk::golden;

    #[test]
    fn renders_as_the_reference_does() {
        golden::check(&super::ChatGlm, "chatglm2", include_str!("../tests/chatglm2.json"));
        golden::check(&super::ChatGlm, "chatglm3", include_str!("../tests/chatglm3.json"));
    }
}
