//! Gemma: turns of `user` and `model`.
//!
//! As the template of the Gemma 3 instruct models on the hub writes text: the system message stands in front of the first turn.

use mimus_sdk::template::{Layout, System};

const LAYOUTS: &[Layout] = &[Layout {
    format: "gemma",
    has_bos: true,
    system: System::InFirstTurn("\n\n"),
    user: ("<start_of_turn>user\n", "<end_of_turn>\n"),
    assistant: ("<start_of_turn>model\n", "<end_of_turn>\n"),
    answer: "<start_of_turn>model\n",
    is_trimmed: true,
    stop: &["<end_of_turn>"],
    ..Layout::BLANK
}];

mimus_sdk::layouts!(Gemma, LAYOUTS);

#[cfg(test)]
mod tests {
    use mimus_sdk::golden;

    #[test]
    fn renders_as_the_reference_does() {
        golden::check(&super::Gemma, "gemma", include_str!("../tests/gemma.json"));
    }
}
