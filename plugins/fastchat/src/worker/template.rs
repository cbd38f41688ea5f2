//! `POST /worker_get_conv_template`: how a client builds prompts for the model, in the terms of FastChat's `Conversation`.
//!
//! FastChat knows it by the model's name. Here the model's own format is shown a small conversation, and its marks tell.

use mimus_sdk::chat::{Message, RenderOptions, Role};
use mimus_sdk::{Request, Response, inference};
use serde::Serialize;

use super::About;
use crate::names::{self, Purpose};
use crate::refusal::Refusal;

/// Numbers of FastChat's `SeparatorStyle`, those that mean the same in every release: later ones moved when `LLAMA3` came.
mod style {
    pub(super) const ADD_COLON_SINGLE: u32 = 1;
    pub(super) const ADD_COLON_TWO: u32 = 2;
    pub(super) const NO_COLON_SINGLE: u32 = 4;
    pub(super) const ADD_NEW_LINE_SINGLE: u32 = 6;
    pub(super) const LLAMA2: u32 = 7;
}

/// Where a format marks the system's message whatever it says, FastChat's clients would leave the mark empty.
const SYSTEM: &str = "You are a helpful assistant.";

#[derive(Serialize)]
struct Answer {
    conv: Conversation,
}

#[derive(Serialize, Clone, Copy)]
struct Conversation {
    name: &'static str,
    system_template: &'static str,
    system_message: &'static str,
    system_message_vision: &'static str,
    roles: [&'static str; 2],
    messages: [&'static str; 0],
    offset: u32,
    sep_style: u32,
    sep: &'static str,
    sep2: Option<&'static str>,
    stop_str: Option<&'static str>,
    stop_token_ids: Option<[u32; 0]>,
    max_image_size_mb: Option<u32>,
}

/// A text with roles and colons, for models whose format has no marks of its own.
const PLAIN: Conversation = Conversation {
    name: "zero_shot",
    system_template: "{system_message}",
    system_message: "",
    system_message_vision: "",
    roles: ["Human", "Assistant"],
    messages: [],
    offset: 0,
    sep_style: style::ADD_COLON_SINGLE,
    sep: "\n### ",
    sep2: None,
    stop_str: Some("###"),
    stop_token_ids: None,
    max_image_size_mb: None,
};

/// What a prompt holds, and the conversation that makes such prompts; the first that fits.
const KNOWN: [(&str, Conversation); 4] = [
    (
        "<|im_start|>user",
        Conversation {
            name: "chatml",
            system_template: "<|im_start|>system\n{system_message}",
            system_message: SYSTEM,
            roles: ["<|im_start|>user", "<|im_start|>assistant"],
            sep_style: style::ADD_NEW_LINE_SINGLE,
            sep: "<|im_end|>\n",
            stop_str: Some("<|im_end|>"),
            ..PLAIN
        },
    ),
    (
        "<|start_header_id|>",
        Conversation {
            name: "llama-3",
            system_template: "<|start_header_id|>system<|end_header_id|>\n\n{system_message}<|eot_id|>",
            system_message: SYSTEM,
            roles: [
                "<|start_header_id|>user<|end_header_id|>\n\n",
                "<|start_header_id|>assistant<|end_header_id|>\n\n",
            ],
            sep_style: style::NO_COLON_SINGLE,
            sep: "<|eot_id|>",
            stop_str: Some("<|eot_id|>"),
            ..PLAIN
        },
    ),
    (
        "[INST]",
        Conversation {
            name: "llama-2",
            system_template: "[INST] <<SYS>>\n{system_message}\n<</SYS>>\n\n",
            roles: ["[INST]", "[/INST]"],
            sep_style: style::LLAMA2,
            sep: " ",
            sep2: Some(" </s><s>"),
            stop_str: None,
            ..PLAIN
        },
    ),
    (
        "USER:",
        Conversation {
            name: "vicuna_v1.1",
            roles: ["USER", "ASSISTANT"],
            sep_style: style::ADD_COLON_TWO,
            sep: " ",
            sep2: Some("</s>"),
            stop_str: None,
            ..PLAIN
        },
    ),
];

pub(crate) fn conversation_template(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let about = About::read(request)?;
    let model = names::find_or_usual(about.model.as_deref(), Purpose::Text)?;
    let messages =
        [Message::text(Role::User, "1"), Message::text(Role::Assistant, "2"), Message::text(Role::User, "3")];
    let prompt = inference::render_chat(&model.name, &messages, &RenderOptions::default())?.prompt;
    let known = KNOWN.iter().find(|(mark, _)| prompt.contains(mark));
    Ok(response.json(200, &Answer { conv: known.map_or(PLAIN, |(_, conversation)| *conversation) })?)
}
