//! The response object and the items that the model writes.

use std::collections::BTreeMap;

use mimus_sdk::inference::{FinishReason, TokenLogprob};
use serde::Serialize;

use super::request::{Reasoning, Text};
use super::tools::{FlatChoice, FlatTool};
use crate::error::ApiError;
use crate::logprobs::{self, ChatToken};
use crate::text_or::TextOr;
use crate::usage::Tally;

/// What every state of a response says alike: who it is, and what was asked for.
#[derive(Serialize)]
pub(super) struct Fixed {
    pub(super) id: String,
    pub(super) created_at: u64,
    pub(super) model: String,
    pub(super) instructions: Option<String>,
    pub(super) previous_response_id: Option<String>,
    pub(super) max_output_tokens: Option<u32>,
    pub(super) temperature: f32,
    pub(super) top_p: f32,
    pub(super) top_logprobs: u32,
    pub(super) parallel_tool_calls: bool,
    pub(super) tool_choice: TextOr<FlatChoice>,
    pub(super) tools: Vec<FlatTool>,
    pub(super) text: Text,
    pub(super) reasoning: Reasoning,
    pub(super) truncation: &'static str,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) store: bool,
    pub(super) user: Option<String>,
}

/// The object `response`.
#[derive(Serialize)]
pub(super) struct Object<'a> {
    object: &'static str,
    status: Status,
    background: bool,
    error: Option<Fault<'a>>,
    incomplete_details: Option<Incomplete>,
    completed_at: Option<u64>,
    service_tier: &'static str,
    output: Vec<OutputItem<'a>>,
    usage: Option<Usage>,
    #[serde(flatten)]
    fixed: &'a Fixed,
}

/// How far a response or an item of it has come.
#[derive(Serialize, Clone, Copy, PartialEq, Debug)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    InProgress,
    Completed,
    Incomplete,
    Failed,
}

#[derive(Serialize)]
struct Fault<'a> {
    code: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct Incomplete {
    reason: &'static str,
}

#[derive(Serialize)]
struct Usage {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: crate::usage::CompletionDetails,
    total_tokens: u64,
}

#[derive(Serialize)]
struct InputDetails {
    cached_tokens: u64,
    /// Filling the cache costs nothing here, so nothing is told apart.
    cache_write_tokens: u64,
}

impl<'a> Object<'a> {
    /// A response that is being written.
    pub(super) fn in_progress(fixed: &'a Fixed) -> Self {
        Object {
            object: "response",
            status: Status::InProgress,
            background: false,
            error: None,
            incomplete_details: None,
            completed_at: None,
            service_tier: "default",
            output: Vec::new(),
            usage: None,
            fixed,
        }
    }

    /// A response that has ended.
    pub(super) fn ended(fixed: &'a Fixed, output: &'a [Output], ending: Ending<'a>, tally: &Tally, now_s: u64) -> Self {
        let usage = tally.usage();
        let status = ending.status();
        Object {
            status,
            error: match ending {
                Ending::Failed(error) => Some(Fault { code: error.response_code(), message: error.message() }),
                Ending::Finished(_) => None,
            },
            incomplete_details: (status == Status::Incomplete).then_some(Incomplete { reason: "max_output_tokens" }),
            completed_at: (status == Status::Completed).then_some(now_s),
            output: output.iter().map(|item| item.view(item.status)).collect(),
            usage: Some(Usage {
                input_tokens: usage.prompt_tokens,
                input_tokens_details: InputDetails {
                    cached_tokens: usage.prompt_tokens_details.cached_tokens,
                    cache_write_tokens: 0,
                },
                output_tokens: usage.completion_tokens,
                output_tokens_details: usage.completion_tokens_details,
                total_tokens: usage.total_tokens,
            }),
            ..Object::in_progress(fixed)
        }
    }
}

/// Why a response has ended.
#[derive(Clone, Copy)]
pub(super) enum Ending<'a> {
    Finished(FinishReason),
    Failed(&'a ApiError),
}

impl Ending<'_> {
    pub(super) fn status(&self) -> Status {
        match self {
            Ending::Finished(FinishReason::Stop) => Status::Completed,
            Ending::Finished(FinishReason::Length) => Status::Incomplete,
            Ending::Failed(_) => Status::Failed,
        }
    }

    /// Of the item that was being written at the end.
    pub(super) fn item_status(&self) -> Status {
        match self.status() {
            Status::Completed => Status::Completed,
            _ => Status::Incomplete,
        }
    }
}

/// An item that the model writes.
pub(super) struct Output {
    pub(super) id: String,
    pub(super) status: Status,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Reasoning { text: String },
    Message { text: String, tokens: Vec<TokenLogprob>, top_logprobs: Option<u32> },
    Call { call_id: String, name: String, arguments: String },
}

/// An item as clients see it.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum OutputItem<'a> {
    Reasoning { id: &'a str, summary: [u8; 0], content: Vec<Part<'a>>, status: Status },
    Message { id: &'a str, role: &'static str, status: Status, content: Vec<Part<'a>> },
    FunctionCall { id: &'a str, call_id: &'a str, name: &'a str, arguments: &'a str, status: Status },
}

/// A part of an item's content.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Part<'a> {
    OutputText { text: &'a str, annotations: [u8; 0], logprobs: Vec<ChatToken<'a>> },
    ReasoningText { text: &'a str },
}

impl Output {
    pub(super) fn view(&self, status: Status) -> OutputItem<'_> {
        let id = &self.id;
        match &self.kind {
            Kind::Reasoning { .. } => {
                OutputItem::Reasoning { id, summary: [], content: self.part().into_iter().collect(), status }
            }
            Kind::Message { .. } => {
                OutputItem::Message { id, role: "assistant", status, content: self.part().into_iter().collect() }
            }
            Kind::Call { call_id, name, arguments } => {
                OutputItem::FunctionCall { id, call_id, name, arguments, status }
            }
        }
    }

    /// As it is when it begins: without content.
    pub(super) fn view_begun(&self) -> OutputItem<'_> {
        let (id, status) = (self.id.as_str(), Status::InProgress);
        match &self.kind {
            Kind::Reasoning { .. } => OutputItem::Reasoning { id, summary: [], content: Vec::new(), status },
            Kind::Message { .. } => OutputItem::Message { id, role: "assistant", status, content: Vec::new() },
            Kind::Call { call_id, name, .. } => OutputItem::FunctionCall { id, call_id, name, arguments: "", status },
        }
    }

    /// The one part of its content; none for a call.
    pub(super) fn part(&self) -> Option<Part<'_>> {
        match &self.kind {
            Kind::Reasoning { text } => Some(Part::ReasoningText { text }),
            Kind::Message { text, .. } => Some(Part::OutputText { text, annotations: [], logprobs: self.logprobs() }),
            Kind::Call { .. } => None,
        }
    }

    /// Of a message, as far as they were asked for.
    pub(super) fn logprobs(&self) -> Vec<ChatToken<'_>> {
        match &self.kind {
            Kind::Message { tokens, top_logprobs: Some(top), .. } => logprobs::chat_tokens(tokens, *top, false),
            _ => Vec::new(),
        }
    }
}
