//! Baichuan chat: reserved tokens before each speaker.
//!
//! `baichuan` and `baichuan2` as FastChat's `baichuan-chat` and `baichuan2-chat` write them.

use mimus_sdk::template::Layout;

const LAYOUTS: &[Layout] = &[
    Layout {
        format: "baichuan",
        user: ("<reserved_102>", ""),
        assistant: ("<reserved_103>", ""),
        answer: "<reserved_103>",
        ..Layout::BLANK
    },
    Layout {
        format: "baichuan2",
        user: ("<reserved_106>", ""),
        assistant: ("<reserved_107>", ""),
        answer: "<reserved_107>",
        ..Layout::BLANK
    },
];

mimus_sdk::layouts!(Baichuan, LAYOUTS);

#[cfg(test)]
mod tests {
    use mimus_sdk::golden;

    #[test]
    fn renders_as_the_reference_does() {
        golden::check(&super::Baichuan, "baichuan", include_str!("../tests/baichuan.json"));
        golden::check(&super::Baichuan, "baichuan2", include_str!("../tests/baichuan2.json"));
    }
}
