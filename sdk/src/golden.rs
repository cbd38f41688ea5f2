//! Checking a template against what another implementation made of the same conversations.

use serde::Deserialize;

use crate::chat::{Message, RenderOptions, Role};
use crate::template::{Context, Template};

/// A golden file.
#[derive(Deserialize)]
struct Golden {
    bos_token: String,
    eos_token: String,
    /// The template's source, for formats that are given one.
    source: Option<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    messages: Vec<GoldenMessage>,
    add_generation_prompt: bool,
    continue_final_message: bool,
    /// None: the other implementation refused.
    prompt: Option<String>,
}

#[derive(Deserialize)]
struct GoldenMessage {
    role: String,
    content: String,
}

/// Renders each conversation of a golden file (JSON with `bos_token`, `eos_token`, and `cases` of `messages`,
/// `add_generation_prompt`, `continue_final_message` and `prompt`) and compares, byte by byte.
///
/// # Panics
/// At the first difference.
pub fn check(template: &impl Template, format: &str, golden: &str) {
    let golden: Golden = serde_json::from_str(golden).expect("the golden file has the form that golden::check reads");
    assert!(!golden.cases.is_empty(), "the golden file has cases");
    let context = Context {
        format: format.into(),
        source: golden.source,
        bos_token: golden.bos_token,
        eos_token: golden.eos_token,
        now_s: crate::scripted::START_MS / 1000,
    };
    for (index, case) in golden.cases.iter().enumerate() {
        let messages: Vec<Message> = case.messages.iter().map(message).collect();
        let options = RenderOptions {
            add_generation_prompt: case.add_generation_prompt,
            continue_final_message: case.continue_final_message,
            ..RenderOptions::default()
        };
        let rendered = template.render(&context, &messages, &options);
        match (&case.prompt, rendered) {
            (Some(expect), Ok(rendered)) => assert_eq!(&rendered.prompt, expect, "case {index}"),
            (Some(expect), Err(error)) => panic!("case {index}: expected {expect:?}, got {error:?}"),
            (None, Ok(rendered)) => panic!("case {index}: expected an error, got {:?}", rendered.prompt),
            (None, Err(_)) => {}
        }
    }
}

fn message(message: &GoldenMessage) -> Message {
    let role = match message.role.as_str() {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        other => panic!("the golden file has the role {other}"),
    };
    Message::text(role, &message.content)
}
