//! Falcon: speakers by name.
//!
//! `falcon` (7B and 40B instruct) as the template on the hub writes texts that hold no empty line, `falcon-chat` (180B) as FastChat's
//! conversation template of that name does.

use mimus_sdk::template::{Layout, System};

const LAYOUTS: &[Layout] = &[
    Layout {
        format: "falcon",
        system: System::Before("", "\n\n"),
        user: ("User: ", "\n\n"),
        assistant: ("Assistant: ", "\n\n"),
        answer: "Assistant:",
        stop: &["\nUser:"],
        ..Layout::BLANK
    },
    Layout {
        format: "falcon-chat",
        system: System::Before("System: ", "\n"),
        user: ("User: ", "\n"),
        assistant: ("Falcon: ", "\n"),
        answer: "Falcon:",
        stop: &["\nUser:"],
        ..Layout::BLANK
    },
];

mimus_sdk::layouts!(Falcon, LAYOUTS);

#[cfg(test)]
mod tests {
    use mimus_sdk::golden;

    #[test]
    fn renders_as_the_reference_does() {
        golden::check(&super::Falcon, "falcon", include_str!("../tests/falcon.json"));
        golden::check(&super::Falcon, "falcon-chat", include_str!("../tests/falcon-chat.json"));
    }
}
