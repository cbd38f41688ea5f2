//! The answer as chunks: a role, the parts as they come, a reason; then the usage where it was asked for, and `[DONE]`.

use mimus_sdk::answers::{Answer, Event, Part};
use mimus_sdk::stream::Sse;
use mimus_sdk::{Response, WriteError};
use serde::Serialize;

use super::Chat;
use crate::delivery::UsageIn;
use crate::error::ApiError;
use crate::ids::{self, FINGERPRINT, Stamp};
use crate::logprobs::{self, ChatLogprobs};
use crate::usage::{Tally, Usage};

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    system_fingerprint: &'static str,
    choices: &'a [Choice<'a>],
    /// Absent unless usage was asked for; then null but where it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Usage>>,
    /// In the first chunk, where it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_token_ids: Option<Vec<u32>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: Delta<'a>,
    logprobs: Option<ChatLogprobs<'a>>,
    finish_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_ids: Option<Vec<u32>>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<Function<'a>>,
}

/// A call's first delta has id and name, the others only arguments.
#[derive(Serialize)]
struct ToolCall<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

pub(super) fn answer(chat: &Chat, mut answer: Answer, usage: UsageIn, response: &mut Response) -> Result<(), ApiError> {
    let mut chunks = Chunks {
        chat,
        stamp: Stamp::new("chatcmpl-"),
        usage,
        tally: Tally::default(),
        choices: vec![Progress::default(); chat.options.choices as usize],
        prompt_token_ids: chat.report.has_token_ids.then(|| chat.prompt_ids()).transpose()?,
    };
    chunks.tally.add_prompt(answer.prompt_tokens());
    // The first parts before the status: until then a failure is an ordinary error answer.
    let mut waiting = answer.parts()?;
    chunks.tally.add_cached(answer.cached_tokens());
    let mut events = response.sse()?;
    while let Some(parts) = waiting {
        for part in &parts {
            chunks.push(part, &mut events)?;
        }
        events.flush()?;
        waiting = answer.parts()?;
    }
    if let Some(total) = usage.of_end(&chunks.tally) {
        chunks.push_chunk(&[], Some(Some(total)), &mut events)?;
    }
    events.push_text("[DONE]");
    Ok(events.flush()?)
}

/// How far a choice has come.
#[derive(Clone, Default)]
struct Progress {
    has_role: bool,
    has_calls: bool,
}

struct Chunks<'a> {
    chat: &'a Chat,
    stamp: Stamp,
    usage: UsageIn,
    tally: Tally,
    choices: Vec<Progress>,
    prompt_token_ids: Option<Vec<u32>>,
}

impl Chunks<'_> {
    /// The chunks of one part.
    fn push(&mut self, part: &Part, events: &mut Sse<'_>) -> Result<(), WriteError> {
        let index = part.choice;
        self.tally.set_generated(index, part.generated, part.reasoning);
        let Some(progress) = self.choices.get_mut(index as usize) else { return Ok(()) };
        if !std::mem::replace(&mut progress.has_role, true) {
            self.push_delta(index, Delta { role: Some("assistant"), content: Some(""), ..Delta::default() }, events)?;
            let chat = self.chat;
            let echoed = chat.echoed();
            if !echoed.is_empty() {
                self.push_delta(index, Delta { content: Some(&echoed), ..Delta::default() }, events)?;
            }
        }
        // The tokens go with the first delta of the part. A part without events may have some all the same: of a part of a
        // character, of a mark, or of text that is held back.
        let report = self.chat.report;
        let has_tokens = (report.top_logprobs.is_some() || report.has_token_ids) && !part.tokens.is_empty();
        let mut tokens = has_tokens.then_some(part.tokens.as_slice());
        for event in &part.events {
            let Some(delta) = self.delta(index, event) else { continue };
            let choice = Choice {
                index,
                delta,
                logprobs: tokens.and_then(|tokens| ChatLogprobs::new(tokens, report)),
                finish_reason: None,
                token_ids: tokens.filter(|_| report.has_token_ids).map(logprobs::ids),
            };
            tokens = None;
            self.push_choice(choice, events)?;
        }
        if let Some(tokens) = tokens {
            let choice = Choice {
                index,
                delta: Delta { content: Some(""), ..Delta::default() },
                logprobs: ChatLogprobs::new(tokens, report),
                finish_reason: None,
                token_ids: report.has_token_ids.then(|| logprobs::ids(tokens)),
            };
            self.push_choice(choice, events)?;
        }
        if let Some(finish) = &part.finish {
            let has_calls = self.choices[index as usize].has_calls;
            let finish_reason = Some(self.chat.reason_name(finish.reason, has_calls));
            let delta = Delta::default();
            self.push_choice(Choice { index, delta, logprobs: None, finish_reason, token_ids: None }, events)?;
        }
        Ok(())
    }

    /// What an event says in this API; none when the client does not want to know.
    fn delta<'a>(&mut self, choice: u32, event: &'a Event) -> Option<Delta<'a>> {
        match event {
            Event::Text(text) => Some(Delta { content: Some(text), ..Delta::default() }),
            Event::Reasoning(text) => {
                self.chat.has_reasoning.then(|| Delta { reasoning_content: Some(text), ..Delta::default() })
            }
            Event::Call(start) => {
                self.choices[choice as usize].has_calls = true;
                let function = Function { name: Some(&start.name), arguments: "" };
                Some(match self.chat.has_functions {
                    true => Delta { function_call: Some(function), ..Delta::default() },
                    false => {
                        let (id, kind) = (Some(ids::call()), Some("function"));
                        let call = ToolCall { index: start.index, id, kind, function };
                        Delta { tool_calls: Some([call]), ..Delta::default() }
                    }
                })
            }
            Event::Arguments(more) => {
                let function = Function { name: None, arguments: &more.text };
                Some(match self.chat.has_functions {
                    true => Delta { function_call: Some(function), ..Delta::default() },
                    false => {
                        let call = ToolCall { index: more.index, id: None, kind: None, function };
                        Delta { tool_calls: Some([call]), ..Delta::default() }
                    }
                })
            }
        }
    }

    fn push_delta(&mut self, index: u32, delta: Delta<'_>, events: &mut Sse<'_>) -> Result<(), WriteError> {
        self.push_choice(Choice { index, delta, logprobs: None, finish_reason: None, token_ids: None }, events)
    }

    fn push_choice(&mut self, choice: Choice<'_>, events: &mut Sse<'_>) -> Result<(), WriteError> {
        let usage = self.usage.of_chunk(&self.tally);
        self.push_chunk(&[choice], usage, events)
    }

    fn push_chunk(
        &mut self,
        choices: &[Choice<'_>],
        usage: Option<Option<Usage>>,
        events: &mut Sse<'_>,
    ) -> Result<(), WriteError> {
        events.push(&Chunk {
            id: &self.stamp.id,
            object: "chat.completion.chunk",
            created: self.stamp.created,
            model: &self.chat.model,
            system_fingerprint: FINGERPRINT,
            choices,
            usage,
            prompt_token_ids: self.prompt_token_ids.take(),
        })
    }
}
