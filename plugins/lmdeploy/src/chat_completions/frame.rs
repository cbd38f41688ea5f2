//! The shapes of answers and chunks, and writing them.
//!
//! Every streamed chunk has one choice with the role and a text, and the last of a choice an empty text with the reason: lmdeploy's
//! own tests up to 0.9.2 ask for that. What is null there, later releases leave out, and so does this.

use std::collections::BTreeMap;

use mimus_sdk::answers::{Call, Event, Part, Whole};
use mimus_sdk::inference::FinishReason;
use mimus_sdk::{Response, random};
use serde::Serialize;

use super::reason;
use super::source::Source;
use crate::logprobs::ChatLogprobs;
use crate::refusal::Refusal;
use crate::usage::Usage;

/// What all pieces of one answer share.
pub struct Frame {
    pub id: String,
    pub created: u64,
    pub model: String,
    pub has_logprobs: bool,
    pub has_token_ids: bool,
}

#[derive(Serialize)]
struct Answer<'a, C> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<C>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Choice {
    index: u32,
    message: Message,
    logprobs: Option<ChatLogprobs>,
    finish_reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_ids: Option<Vec<u32>>,
}

#[derive(Serialize)]
struct Message {
    role: &'static str,
    /// None for calls alone.
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall>,
}

#[derive(Serialize)]
struct ToolCall {
    id: String,
    r#type: &'static str,
    function: Function,
}

#[derive(Serialize)]
struct Function {
    name: String,
    arguments: String,
}

#[derive(Serialize)]
struct ChunkChoice {
    index: u32,
    delta: Delta,
    logprobs: Option<ChatLogprobs>,
    finish_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_ids: Option<Vec<u32>>,
}

#[derive(Serialize)]
struct Delta {
    role: &'static str,
    content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<CallDelta>,
}

#[derive(Serialize)]
struct CallDelta {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    function: FunctionDelta,
}

#[derive(Serialize)]
struct FunctionDelta {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    arguments: String,
}

const ROLE: &str = "assistant";

fn call_id() -> String {
    format!("chatcmpl-tool-{}", random::id(22))
}

/// Why a choice has ended. A cut answer is cut, even in the middle of its calls.
fn finish_reason(end: FinishReason, has_calls: bool) -> &'static str {
    match end {
        FinishReason::Stop if has_calls => "tool_calls",
        end => reason(end),
    }
}

impl Frame {
    fn answer<'a, C>(&'a self, object: &'static str, choices: Vec<C>, usage: Option<Usage>) -> Answer<'a, C> {
        Answer { id: &self.id, object, created: self.created, model: &self.model, choices, usage }
    }

    /// One answer.
    pub fn whole(&self, source: Source, response: &mut Response) -> Result<(), Refusal> {
        let prompt_tokens = source.prompt_tokens();
        let (choices, cached) = source.collect()?;
        let generated = choices.iter().map(|choice| choice.generated).sum();
        let reasoning = choices.iter().map(|choice| choice.reasoning_tokens).sum();
        let usage = Usage::new(prompt_tokens, generated).with_cached(cached).with_reasoning(reasoning);
        let choices = choices.into_iter().map(|choice| self.choice(choice)).collect();
        Ok(response.json(200, &self.answer("chat.completion", choices, Some(usage)))?)
    }

    fn choice(&self, whole: Whole) -> Choice {
        let has_calls = !whole.calls.is_empty();
        let tool_call = |call: Call| ToolCall {
            id: call_id(),
            r#type: "function",
            function: Function { name: call.name, arguments: call.arguments },
        };
        Choice {
            index: whole.choice,
            message: Message {
                role: ROLE,
                content: Some(whole.text).filter(|text| !(has_calls && text.is_empty())),
                reasoning_content: whole.reasoning,
                tool_calls: whole.calls.into_iter().map(tool_call).collect(),
            },
            logprobs: self.has_logprobs.then(|| ChatLogprobs::new(&whole.tokens)),
            finish_reason: finish_reason(whole.finish.reason, has_calls),
            output_ids: self.has_token_ids.then(|| whole.tokens.iter().map(|token| token.id).collect()),
        }
    }

    /// Chunks, and after them one with the usage and no choice where it is asked for.
    pub fn stream(&self, mut source: Source, reports_usage: bool, response: &mut Response) -> Result<(), Refusal> {
        const OBJECT: &str = "chat.completion.chunk";
        let prompt_tokens = source.prompt_tokens();
        let mut progress: BTreeMap<u32, Progress> = BTreeMap::new();
        let mut events = response.sse()?;
        while let Some(parts) = source.parts()? {
            for part in parts {
                let progress = progress.entry(part.choice).or_default();
                progress.note(&part);
                for choice in self.chunks(part, progress.has_calls) {
                    events.push(&self.answer(OBJECT, vec![choice], None))?;
                }
            }
            events.flush()?;
        }
        if reports_usage {
            let generated = progress.values().map(|progress| progress.generated).sum();
            let reasoning = progress.values().map(|progress| progress.reasoning).sum();
            let usage = Usage::new(prompt_tokens, generated);
            let usage = usage.with_cached(Some(source.cached_tokens())).with_reasoning(reasoning);
            events.push(&self.answer::<ChunkChoice>(OBJECT, Vec::new(), Some(usage)))?;
        }
        Ok(events.done()?)
    }

    /// What is new, and after the last of it an empty piece that carries the reason.
    fn chunks(&self, part: Part, has_calls: bool) -> impl Iterator<Item = ChunkChoice> {
        let index = part.choice;
        let has_news = !part.events.is_empty() || !part.tokens.is_empty();
        let news = has_news.then(|| ChunkChoice {
            index,
            logprobs: self.has_logprobs.then(|| ChatLogprobs::new(&part.tokens)),
            output_ids: self.has_token_ids.then(|| part.tokens.iter().map(|token| token.id).collect()),
            finish_reason: None,
            delta: Delta::new(part.events),
        });
        let end = part.finish.map(|finish| ChunkChoice {
            index,
            delta: Delta::new(Vec::new()),
            logprobs: None,
            finish_reason: Some(finish_reason(finish.reason, has_calls)),
            output_ids: None,
        });
        news.into_iter().chain(end)
    }
}

/// How far a choice has come.
#[derive(Default)]
struct Progress {
    generated: u32,
    reasoning: u32,
    has_calls: bool,
}

impl Progress {
    fn note(&mut self, part: &Part) {
        self.generated = part.generated;
        self.reasoning = part.reasoning;
        self.has_calls |= part.events.iter().any(|event| matches!(event, Event::Call(_)));
    }
}

impl Delta {
    /// All of a part in one chunk, so that its tokens are reported with it.
    fn new(events: Vec<Event>) -> Self {
        let mut delta = Delta { role: ROLE, content: String::new(), reasoning_content: None, tool_calls: Vec::new() };
        for event in events {
            match event {
                Event::Text(text) => delta.content.push_str(&text),
                Event::Reasoning(text) => delta.reasoning_content.get_or_insert_default().push_str(&text),
                Event::Call(call) => delta.tool_calls.push(CallDelta {
                    index: call.index,
                    id: Some(call_id()),
                    r#type: Some("function"),
                    function: FunctionDelta { name: Some(call.name), arguments: String::new() },
                }),
                Event::Arguments(more) => delta.add_arguments(more.index, &more.text),
            }
        }
        delta
    }

    fn add_arguments(&mut self, index: u32, text: &str) {
        match self.tool_calls.last_mut().filter(|call| call.index == index) {
            Some(call) => call.function.arguments.push_str(text),
            None => self.tool_calls.push(CallDelta {
                index,
                id: None,
                r#type: None,
                function: FunctionDelta { name: None, arguments: text.to_owned() },
            }),
        }
    }
}
