//! Names that nobody can guess.

use mimus_sdk::random;

/// 32 hexadecimal digits, as Gradio's event ids are.
pub(crate) fn event() -> String {
    random::bytes(16).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text could be one.
pub(crate) fn is_event(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
