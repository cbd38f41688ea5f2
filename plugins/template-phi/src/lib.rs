//! Phi 2, 3 and 4.
//!
//! `phi2` as that model's card describes it, `phi3` (3 and 3.5) and `phi4` as the templates on the hub write them.

use mimus_sdk::template::{Layout, System};

const LAYOUTS: &[Layout] = &[
    Layout {
        format: "phi2",
        system: System::Before("", "\n"),
        user: ("Instruct: ", "\n"),
        assistant: ("Output: ", "\n"),
        answer: "Output:",
        stop: &["\nInstruct:"],
        ..Layout::BLANK
    },
    Layout {
        format: "phi3",
        system: System::Before("<|system|>\n", "<|end|>\n"),
        user: ("<|user|>\n", "<|end|>\n"),
        assistant: ("<|assistant|>\n", "<|end|>\n"),
        answer: "<|assistant|>\n",
        takes_turns: false,
        stop: &["<|end|>"],
        ..Layout::BLANK
    },
    Layout {
        format: "phi4",
        system: System::Before("<|im_start|>system<|im_sep|>", "<|im_end|>"),
        user: ("<|im_start|>user<|im_sep|>", "<|im_end|>"),
        assistant: ("<|im_start|>assistant<|im_sep|>", "<|im_end|>"),
        answer: "<|im_start|>assistant<|im_sep|>",
        takes_turns: false,
        stop: &["<|im_end|>"],
        ..Layout::BLANK
    },
];

mimus_sdk::layouts!(Phi, LAYOUTS);

#[cfg(test)]
mod tests {
    use mimus_sdk::golden;

    #[test]
    fn renders_as_the_reference_does() {
        golden::check(&super::Phi, "phi2", include_str!("../tests/phi2.json"));
        golden::check(&super::Phi, "phi3", include_str!("../tests/phi3.json"));
        golden::check(&super::Phi, "phi4", include_str!("../tests/phi4.json"));
    }
}
