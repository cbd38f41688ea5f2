//! Llama 3: `<|start_header_id|>role<|end_header_id|>`, the text, `<|eot_id|>`.
//!
//! As the template of the Llama 3 instruct models on the hub writes it. Llama 3.1 and later ship a template of their own, with
//! tools and a date: those models are rendered by `jinja`.

use mimus_sdk::template::{Layout, System};

const LAYOUTS: &[Layout] = &[Layout {
    format: "llama3",
    has_bos: true,
    system: System::Before("<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"),
    user: ("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
    assistant: ("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"),
    tool: Some(("<|start_header_id|>tool<|end_header_id|>\n\n", "<|eot_id|>")),
    answer: "<|start_header_id|>assistant<|end_header_id|>\n\n",
    takes_turns: false,
    is_trimmed: true,
    stop: &["<|eot_id|>"],
    ..Layout::BLANK
}];

mimus_sdk::layouts!(Llama3, LAYOUTS);

#[cfg(test)]
mod tests {
    use mimus_sdk::golden;

    #[test]
    fn renders_as_the_reference_does() {
        golden::check(&super::Llama3, "llama3", include_str!("../tests/llama3.json"));
    }
}
