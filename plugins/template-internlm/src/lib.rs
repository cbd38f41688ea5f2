//! InternLM: `<|User|>:…<eoh>`, then ChatML.
//!
//! `internlm` as FastChat's `internlm-chat` writes it, `internlm2` (2, 2.5 and 3) as the templates of those models on the hub do.

use mimus_sdk::template::{Layout, System};

const CHAT: &str = "A chat between a curious <|User|> and an <|Bot|>. \
                    The <|Bot|> gives helpful, detailed, and polite answers to the <|User|>'s questions.\n\n";

const LAYOUTS: &[Layout] = &[
    Layout {
        format: "internlm",
        default_system: Some(CHAT),
        user: ("<s><|User|>:", "<eoh>\n"),
        assistant: ("<|Bot|>:", "<eoa>\n"),
        answer: "<|Bot|>:",
        stop: &["<eoa>", "<|User|>"],
        ..Layout::BLANK
    },
    Layout {
        format: "internlm2",
        has_bos: true,
        system: System::Before("<|im_start|>system\n", "<|im_end|>\n"),
        user: ("<|im_start|>user\n", "<|im_end|>\n"),
        assistant: ("<|im_start|>assistant\n", "<|im_end|>\n"),
        tool: Some(("<|im_start|>environment\n", "<|im_end|>\n")),
        answer: "<|im_start|>assistant\n",
        takes_turns: false,
        stop: &["<|im_end|>"],
        ..Layout::BLANK
    },
];

mimus_sdk::layouts!(InternLm, LAYOUTS);

#[cfg(test)]
mod tests {
    use mimus_sdk::golden;

    #[test]
    fn renders_as_the_reference_does() {
        golden::check(&super::InternLm, "internlm", include_str!("../tests/internlm.json"));
        golden::check(&super::InternLm, "internlm2", include_str!("../tests/internlm2.json"));
    }
}
