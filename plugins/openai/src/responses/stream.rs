//! The answer as events: each item is added, grows by deltas, and is done, before the next begins.

use mimus_sdk::answers::{self, Answer};
use mimus_sdk::inference::{FinishReason, TokenLogprob};
use mimus_sdk::stream::Sse;
use mimus_sdk::{Response, WriteError, clock};
use serde::Serialize;

use super::object::{Ending, Kind, Object, Output, OutputItem, Part, Status};
use super::{Conversation, of_inference, stored};
use crate::error::ApiError;
use crate::ids;
use crate::logprobs::{self, ChatToken};
use crate::usage::Tally;

/// An event of any type; what a type does not have is absent.
#[derive(Serialize, Default)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    sequence_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Object<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<OutputItem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<Part<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<Vec<ChatToken<'a>>>,
}

/// The event `error`, which says null where it has nothing to say.
#[derive(Serialize)]
struct ErrorEvent<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    sequence_number: u64,
    code: &'static str,
    message: &'a str,
    param: Option<&'a str>,
}

pub(super) fn answer(
    mut conversation: Conversation,
    mut answer: Answer,
    response: &mut Response,
) -> Result<(), ApiError> {
    let mut tally = Tally::default();
    tally.add_prompt(answer.prompt_tokens());
    // The first parts before the status: until then a failure is an ordinary error answer.
    let mut waiting = answer.parts().map_err(of_inference)?;
    tally.add_cached(answer.cached_tokens());
    let mut writer = Writer { events: response.sse()?, sequence: 0, output: Vec::new(), is_open: false };
    for kind in ["response.created", "response.in_progress"] {
        let response = Some(Object::in_progress(&conversation.fixed));
        writer.push(Event { kind, response, ..Event::default() })?;
    }
    let top_logprobs = conversation.top_logprobs;
    let (mut reason, mut reasoning_tokens, mut failure) = (FinishReason::Stop, 0, None);
    while let Some(parts) = waiting {
        for mut part in parts {
            // The tokens of thoughts are not those of the text.
            let is_reasoning = std::mem::replace(&mut reasoning_tokens, part.reasoning) < part.reasoning;
            let tokens = if is_reasoning { Vec::new() } else { std::mem::take(&mut part.tokens) };
            writer.push_part(&part.events, tokens, top_logprobs)?;
            tally.set_generated(0, part.generated, part.reasoning);
            reason = part.finish.map_or(reason, |finish| finish.reason);
        }
        writer.events.flush()?;
        waiting = match answer.parts() {
            Ok(parts) => parts,
            Err(error) => {
                failure = Some(of_inference(error));
                None
            }
        };
    }
    let ending = failure.as_ref().map_or(Ending::Finished(reason), Ending::Failed);
    writer.finish(ending, top_logprobs)?;
    let output = std::mem::take(&mut writer.output);
    let now_s = clock::now_s();
    if conversation.fixed.store {
        let object = Object::ended(&conversation.fixed, &output, ending, &tally, now_s);
        conversation.fixed.store = stored::keep_object(&conversation, &object);
    }
    if let Some(error) = &failure {
        writer.push_error(error)?;
    }
    let kind = match ending.status() {
        Status::Completed | Status::InProgress => "response.completed",
        Status::Incomplete => "response.incomplete",
        Status::Failed => "response.failed",
    };
    let response = Some(Object::ended(&conversation.fixed, &output, ending, &tally, now_s));
    writer.push(Event { kind, response, ..Event::default() })?;
    Ok(writer.events.flush()?)
}

struct Writer<'a> {
    events: Sse<'a>,
    sequence: u64,
    output: Vec<Output>,
    /// Whether the last of `output` is still being written.
    is_open: bool,
}

impl Writer<'_> {
    fn push(&mut self, event: Event<'_>) -> Result<(), WriteError> {
        push(&mut self.events, &mut self.sequence, event)
    }

    fn push_part(
        &mut self,
        events: &[answers::Event],
        tokens: Vec<TokenLogprob>,
        top_logprobs: Option<u32>,
    ) -> Result<(), WriteError> {
        let mut tokens = tokens;
        for event in events {
            match event {
                answers::Event::Reasoning(text) => {
                    if !matches!(self.open_kind(), Some(Kind::Reasoning { .. })) {
                        self.begin("rs_", Kind::Reasoning { text: String::new() })?;
                    }
                    self.grow(text, Vec::new())?;
                }
                answers::Event::Text(text) => {
                    self.begin_message(top_logprobs)?;
                    self.grow(text, std::mem::take(&mut tokens))?;
                }
                answers::Event::Call(start) => {
                    let (call_id, name) = (ids::call(), start.name.clone());
                    self.begin("fc_", Kind::Call { call_id, name, arguments: String::new() })?;
                }
                answers::Event::Arguments(more) => self.grow(&more.text, Vec::new())?,
            }
        }
        // Tokens of text that is held back go with a delta of their own.
        if top_logprobs.is_some() && !tokens.is_empty() && matches!(self.open_kind(), Some(Kind::Message { .. })) {
            self.grow("", tokens)?;
        }
        Ok(())
    }

    fn open_kind(&self) -> Option<&Kind> {
        self.output.last().filter(|_| self.is_open).map(|item| &item.kind)
    }

    fn begin_message(&mut self, top_logprobs: Option<u32>) -> Result<(), WriteError> {
        match self.open_kind() {
            Some(Kind::Message { .. }) => Ok(()),
            _ => self.begin("msg_", Kind::Message { text: String::new(), tokens: Vec::new(), top_logprobs }),
        }
    }

    fn begin(&mut self, prefix: &str, kind: Kind) -> Result<(), WriteError> {
        self.end(Status::Completed)?;
        let output_index = Some(self.output.len());
        let item = Output { id: ids::new(prefix), status: Status::InProgress, kind };
        self.push(Event {
            kind: "response.output_item.added",
            output_index,
            item: Some(item.view_begun()),
            ..Event::default()
        })?;
        if let Some(part) = item.part() {
            self.push(Event {
                kind: "response.content_part.added",
                item_id: Some(&item.id),
                output_index,
                content_index: Some(0),
                part: Some(part),
                ..Event::default()
            })?;
        }
        self.output.push(item);
        self.is_open = true;
        Ok(())
    }

    /// More of the item that is being written.
    fn grow(&mut self, more: &str, new_tokens: Vec<TokenLogprob>) -> Result<(), WriteError> {
        let output_index = self.output.len().checked_sub(1);
        let Some(item) = self.output.last_mut() else { return Ok(()) };
        let mut event = Event { item_id: Some(&item.id), output_index, delta: Some(more), ..Event::default() };
        match &mut item.kind {
            Kind::Reasoning { text } => {
                text.push_str(more);
                event.kind = "response.reasoning_text.delta";
                event.content_index = Some(0);
                push(&mut self.events, &mut self.sequence, event)
            }
            Kind::Message { text, tokens, top_logprobs } => {
                text.push_str(more);
                event.kind = "response.output_text.delta";
                event.content_index = Some(0);
                let top = top_logprobs.unwrap_or(0);
                let shown = if top_logprobs.is_some() { new_tokens.as_slice() } else { &[] };
                event.logprobs = Some(logprobs::chat_tokens(shown, top, false));
                push(&mut self.events, &mut self.sequence, event)?;
                if top_logprobs.is_some() {
                    tokens.extend(new_tokens);
                }
                Ok(())
            }
            Kind::Call { arguments, .. } => {
                arguments.push_str(more);
                event.kind = "response.function_call_arguments.delta";
                push(&mut self.events, &mut self.sequence, event)
            }
        }
    }

    /// Ends the item that is being written, if there is one.
    fn end(&mut self, status: Status) -> Result<(), WriteError> {
        if !std::mem::replace(&mut self.is_open, false) {
            return Ok(());
        }
        let output_index = self.output.len().checked_sub(1);
        let Some(item) = self.output.last_mut() else { return Ok(()) };
        item.status = status;
        let item = &*item;
        let base = || Event { item_id: Some(&item.id), output_index, content_index: Some(0), ..Event::default() };
        let done = match &item.kind {
            Kind::Reasoning { text } => Event { kind: "response.reasoning_text.done", text: Some(text), ..base() },
            Kind::Message { text, .. } => {
                Event { kind: "response.output_text.done", text: Some(text), logprobs: Some(item.logprobs()), ..base() }
            }
            Kind::Call { name, arguments, .. } => Event {
                kind: "response.function_call_arguments.done",
                name: Some(name),
                arguments: Some(arguments),
                content_index: None,
                ..base()
            },
        };
        push(&mut self.events, &mut self.sequence, done)?;
        if let Some(part) = item.part() {
            let event = Event { kind: "response.content_part.done", part: Some(part), ..base() };
            push(&mut self.events, &mut self.sequence, event)?;
        }
        let event = Event {
            kind: "response.output_item.done",
            output_index,
            item: Some(item.view(status)),
            ..Event::default()
        };
        push(&mut self.events, &mut self.sequence, event)
    }

    /// Ends the last item. An answer of nothing is a message without text.
    fn finish(&mut self, ending: Ending<'_>, top_logprobs: Option<u32>) -> Result<(), WriteError> {
        let has_answer = self.output.iter().any(|item| !matches!(item.kind, Kind::Reasoning { .. }));
        if !has_answer && (ending.status() == Status::Completed || self.output.is_empty()) {
            self.begin_message(top_logprobs)?;
        }
        self.end(ending.item_status())
    }

    fn push_error(&mut self, error: &ApiError) -> Result<(), WriteError> {
        let sequence_number = self.sequence;
        self.sequence += 1;
        let (code, message, param) = (error.response_code(), error.message(), error.param());
        self.events.push_event("error", &ErrorEvent { kind: "error", sequence_number, code, message, param })
    }
}

fn push(events: &mut Sse<'_>, sequence: &mut u64, event: Event<'_>) -> Result<(), WriteError> {
    let event = Event { sequence_number: *sequence, ..event };
    *sequence += 1;
    events.push_event(event.kind, &event)
}
