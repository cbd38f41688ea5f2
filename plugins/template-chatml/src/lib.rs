//! ChatML: `<|im_start|>role`, the text, `<|im_end|>`.
//!
//! `chatml` as transformers' ChatML template writes it: no system message unless the conversation brings one. `yi` is the same without
//! a place for tools, `qwen` puts a system message of its own where there is none, as FastChat's `qwen-7b-chat` does.

use mimus_sdk::template::{Layout, System};

const LAYOUTS: &[Layout] = &[
    Layout {
        format: "chatml",
        system: System::Before("<|im_start|>system\n", "<|im_end|>\n"),
        user: ("<|im_start|>user\n", "<|im_end|>\n"),
        assistant: ("<|im_start|>assistant\n", "<|im_end|>\n"),
        tool: Some(("<|im_start|>tool\n", "<|im_end|>\n")),
        answer: "<|im_start|>assistant\n",
        takes_turns: false,
        stop: &["<|im_end|>"],
        ..Layout::BLANK
    },
    Layout {
        format: "qwen",
        default_system: Some("You are a helpful assistant."),
        system: System::Before("<|im_start|>system\n", "<|im_end|>\n"),
        user: ("<|im_start|>user\n", "<|im_end|>\n"),
        assistant: ("<|im_start|>assistant\n", "<|im_end|>\n"),
        answer: "<|im_start|>assistant\n",
        takes_turns: false,
        stop: &["<|im_end|>"],
        ..Layout::BLANK
    },
    Layout {
        format: "yi",
        system: System::Before("<|im_start|>system\n", "<|im_end|>\n"),
        user: ("<|im_start|>user\n", "<|im_end|>\n"),
        assistant: ("<|im_start|>assistant\n", "<|im_end|>\n"),
        answer: "<|im_start|>assistant\n",
        takes_turns: false,
        stop: &["<|im_end|>"],
        ..Layout::BLANK
    },
];

mimus_sdk::layouts!(ChatMl, LAYOUTS);

#[cfg(test)]
mod tests {
    use mimus_sdk::golden;

    #[test]
    fn renders_as_the_reference_does() {
        golden::check(&super::ChatMl, "chatml", include_str!("../tests/chatml.json"));
        golden::check(&super::ChatMl, "qwen", include_str!("../tests/qwen.json"));
        golden::check(&super::ChatMl, "yi", include_str!("../tests/yi.json"));
    }
}
