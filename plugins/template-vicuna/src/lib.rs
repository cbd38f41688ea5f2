//! Vicuna 1.1 and 1.5: `USER: … ASSISTANT: …</s>` after a sentence about who is talking.
//!
//! As FastChat's conversation template `vicuna_v1.1` writes it.

use mimus_sdk::template::{Layout, System};

const SYSTEM: &str = "A chat between a curious user and an artificial intelligence assistant. \
                      The assistant gives helpful, detailed, and polite answers to the user's questions.";

const LAYOUTS: &[Layout] = &[
    Layout {
        format: "vicuna",
        has_bos: true,
        system: System::Before("", " "),
        default_system: Some(SYSTEM),
        user: ("USER: ", " "),
        assistant: ("ASSISTANT: ", "</s>"),
        answer: "ASSISTANT:",
        ..Layout::BLANK
    },
    Layout {
        format: "vicuna-v1.1",
        has_bos: true,
        system: System::Before("", " "),
        default_system: Some(SYSTEM),
        user: ("USER: ", " "),
        assistant: ("ASSISTANT: ", "</s>"),
        answer: "ASSISTANT:",
        ..Layout::BLANK
    },
];

mimus_sdk::layouts!(Vicuna, LAYOUTS);

#[cfg(test)]
mod tests {
    use mimus_sdk::golden;

    #[test]
    fn renders_as_the_reference_does() {
        golden::check(&super::Vicuna, "vicuna", include_str!("../tests/vicuna.json"));
    }
}
