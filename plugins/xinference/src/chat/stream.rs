//! The answer as chunks.
//!
//! No chunk has null for a content, and none but the last of a client that asked for usage is without a choice: the loops of old
//! clients take both for granted.

use mimus_sdk::answers::{Answer, Event, Part};
use mimus_sdk::stream::Sse;
use mimus_sdk::{Response, WriteError, random};
use serde::Serialize;

use super::{Chat, finish_name};
use crate::generation::{Stamp, Usage};
use crate::refusal::Refusal;
use crate::running;

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: Delta<'a>,
    finish_reason: Option<&'static str>,
}

#[derive(Serialize, Default)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[ToolCall<'a>; 1]>,
}

/// A call's first delta has id and name, the others only arguments.
#[derive(Serialize)]
struct ToolCall<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

pub(super) fn answer(chat: &Chat, mut answer: Answer, response: &mut Response) -> Result<(), Refusal> {
    let explain = |error| running::explain(error, &chat.uid, "text");
    let mut chunks = Chunks { chat, stamp: Stamp::new("chat"), has_role: false, has_calls: false, generated: 0 };
    // The first parts before the status: until then a failure is an ordinary error answer.
    let mut waiting = answer.parts().map_err(explain)?;
    let mut events = response.sse_crlf()?;
    while let Some(parts) = waiting {
        for part in &parts {
            chunks.push(part, &mut events)?;
        }
        events.flush()?;
        waiting = answer.parts().map_err(explain)?;
    }
    if chat.delivery.has_usage {
        let usage = Usage::new(answer.prompt_tokens(), chunks.generated);
        chunks.push_chunk(&[], Some(usage), &mut events)?;
    }
    if chat.delivery.ends_with_done {
        events.push_text("[DONE]");
    }
    Ok(events.flush()?)
}

struct Chunks<'a> {
    chat: &'a Chat,
    stamp: Stamp,
    has_role: bool,
    has_calls: bool,
    generated: u32,
}

impl Chunks<'_> {
    /// The chunks of one part.
    fn push(&mut self, part: &Part, events: &mut Sse<'_>) -> Result<(), WriteError> {
        self.generated = part.generated;
        if !std::mem::replace(&mut self.has_role, true) {
            let delta = Delta { role: Some("assistant"), content: Some(""), ..Delta::default() };
            self.push_delta(delta, None, events)?;
        }
        for event in &part.events {
            let delta = self.delta(event);
            self.push_delta(delta, None, events)?;
        }
        match &part.finish {
            None => Ok(()),
            Some(finish) => {
                let delta = Delta { content: Some(""), ..Delta::default() };
                self.push_delta(delta, Some(finish_name(finish.reason, self.has_calls)), events)
            }
        }
    }

    fn delta<'a>(&mut self, event: &'a Event) -> Delta<'a> {
        match event {
            Event::Text(text) => Delta { content: Some(text), ..Delta::default() },
            Event::Reasoning(text) => Delta { reasoning_content: Some(text), ..Delta::default() },
            Event::Call(start) => {
                self.has_calls = true;
                let function = Function { name: Some(&start.name), arguments: "" };
                let (id, kind) = (Some(format!("call_{}", random::id(24))), Some("function"));
                let call = ToolCall { index: start.index, id, r#type: kind, function };
                Delta { tool_calls: Some([call]), ..Delta::default() }
            }
            Event::Arguments(more) => {
                let function = Function { name: None, arguments: &more.text };
                let call = ToolCall { index: more.index, id: None, r#type: None, function };
                Delta { tool_calls: Some([call]), ..Delta::default() }
            }
        }
    }

    fn push_delta(
        &self,
        delta: Delta<'_>,
        finish_reason: Option<&'static str>,
        events: &mut Sse<'_>,
    ) -> Result<(), WriteError> {
        self.push_chunk(&[Choice { index: 0, delta, finish_reason }], None, events)
    }

    fn push_chunk(&self, choices: &[Choice<'_>], usage: Option<Usage>, events: &mut Sse<'_>) -> Result<(), WriteError> {
        events.push(&Chunk {
            id: &self.stamp.id,
            object: "chat.completion.chunk",
            created: self.stamp.created,
            model: &self.chat.uid,
            choices,
            usage,
        })
    }
}
