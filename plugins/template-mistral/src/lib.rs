//! Mistral, and two that were made of it: Zephyr and OpenChat.
//!
//! `mistral` (7B instruct, Mixtral) and `openchat` (3.5) as FastChat's conversation templates of those models write them, `zephyr` as the
//! template on the hub does.

use mimus_sdk::template::{Layout, System};

const LAYOUTS: &[Layout] = &[
    Layout {
        format: "mistral",
        has_bos: true,
        system: System::InFirstTurn("\n"),
        user: ("[INST] ", " [/INST]"),
        assistant: (" ", "</s>"),
        ..Layout::BLANK
    },
    Layout {
        format: "openchat",
        has_bos: true,
        system: System::Before("", "<|end_of_turn|>"),
        user: ("GPT4 Correct User: ", "<|end_of_turn|>"),
        assistant: ("GPT4 Correct Assistant: ", "<|end_of_turn|>"),
        answer: "GPT4 Correct Assistant:",
        stop: &["<|end_of_turn|>"],
        ..Layout::BLANK
    },
    Layout {
        format: "zephyr",
        system: System::Before("<|system|>\n", "</s>\n"),
        user: ("<|user|>\n", "</s>\n"),
        assistant: ("<|assistant|>\n", "</s>\n"),
        answer: "<|assistant|>\n",
        takes_turns: false,
        ..Layout::BLANK
    },
];

mimus_sdk::layouts!(Mistral, LAYOUTS);

#[cfg(test)]
mod tests {
    use mimus_sdk::golden;

    #[test]
    fn renders_as_the_reference_does() {
        golden::check(&super::Mistral, "mistral", include_str!("../tests/mistral.json"));
        golden::check(&super::Mistral, "openchat", include_str!("../tests/openchat.json"));
        golden::check(&super::Mistral, "zephyr", include_str!("../tests/zephyr.json"));
    }
}
