//! DeepSeek's chat models: speakers by name, then by tokens.
//!
//! `deepseek` as the template of DeepSeek LLM chat on the hub writes it, `deepseek-v3` as those of V2.5, V3 and R1 do without tools.

use mimus_sdk::template::{Layout, System};

const LAYOUTS: &[Layout] = &[
    Layout {
        format: "deepseek",
        has_bos: true,
        system: System::Before("", "\n\n"),
        user: ("User: ", "\n\n"),
        assistant: ("Assistant: ", "<｜end▁of▁sentence｜>"),
        answer: "Assistant:",
        stop: &["<｜end▁of▁sentence｜>"],
        ..Layout::BLANK
    },
    Layout {
        format: "deepseek-v3",
        has_bos: true,
        user: ("<｜User｜>", ""),
        assistant: ("<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
        answer: "<｜Assistant｜>",
        stop: &["<｜end▁of▁sentence｜>"],
        ..Layout::BLANK
    },
];

mimus_sdk::layouts!(DeepSeek, LAYOUTS);

#[cfg(test)]
mod tests {
    use mimus_sdk::golden;

    #[test]
    fn renders_as_the_reference_does() {
        golden::check(&super::DeepSeek, "deepseek", include_str!("../tests/deepseek.json"));
        golden::check(&super::DeepSeek, "deepseek-v3", include_str!("../tests/deepseek-v3.json"));
    }
}
