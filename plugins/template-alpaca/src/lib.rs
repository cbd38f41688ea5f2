//! Formats with headings: Alpaca's and SOLAR's.
//!
//! `alpaca` as FastChat's conversation template of that name writes it, `solar` as the template of SOLAR 10.7B instruct on the hub does.

use mimus_sdk::template::{Layout, System};

const TASK: &str =
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.";

const LAYOUTS: &[Layout] = &[
    Layout {
        format: "alpaca",
        has_bos: true,
        system: System::Before("", "\n\n"),
        default_system: Some(TASK),
        user: ("### Instruction: ", "\n\n"),
        assistant: ("### Response: ", "</s>"),
        answer: "### Response:",
        stop: &["### Instruction:"],
        ..Layout::BLANK
    },
    Layout {
        format: "solar",
        has_bos: true,
        system: System::Before("### System:\n", "\n\n"),
        user: ("### User:\n", "\n\n"),
        assistant: ("### Assistant:\n", "\n\n"),
        answer: "### Assistant:\n",
        stop: &["### User:"],
        ..Layout::BLANK
    },
];

mimus_sdk::layouts!(Alpaca, LAYOUTS);

#[cfg(test)]
mod tests {
    use mimus_sdk::golden;

    #[test]
    fn renders_as_the_reference_does() {
        golden::check(&super::Alpaca, "alpaca", include_str!("../tests/alpaca.json"));
        golden::check(&super::Alpaca, "solar", include_str!("../tests/solar.json"));
    }
}
