//! `answers`: conversations answered, and the answers taken apart.

use std::collections::BTreeMap;

use mimus_engine::Finish;
use wasmtime::component::Resource;

use super::inference::{to_finish, to_token, to_wit};
use crate::answer::{self, Answer, Event, Part, ToolChoice, ToolUse, Whole};
use crate::limits;
use crate::plugin::bindings::personality::mimus::plugin::answers as wit;
use crate::plugin::bindings::personality::mimus::plugin::inference as inference_wit;
use crate::plugin::chat::{Message, RenderOptions};
use crate::plugin::guest::Guest;

impl wit::Host for Guest {
    async fn converse(
        &mut self,
        model: String,
        messages: Vec<Message>,
        render: RenderOptions,
        options: inference_wit::Options,
        tools: wit::ToolUse,
    ) -> wasmtime::Result<Result<Resource<Answer>, inference_wit::Error>> {
        self.count_call()?;
        let options = match self.options(options) {
            Ok(options) => options,
            Err(error) => return Ok(Err(error)),
        };
        let inference = self.services.inference.clone();
        let answer = self.wait(inference.converse(&model, messages, render, options, to_tools(tools))).await;
        Ok(match answer {
            Ok(answer) => {
                self.charge_work(answer.running());
                Ok(self.table.push(answer)?)
            }
            Err(error) => Err(to_wit(error)),
        })
    }
}

impl wit::HostAnswer for Guest {
    async fn prompt_tokens(&mut self, answer: Resource<Answer>) -> wasmtime::Result<u32> {
        self.count_call()?;
        Ok(self.table.get(&answer)?.prompt_tokens())
    }

    async fn cached_tokens(&mut self, answer: Resource<Answer>) -> wasmtime::Result<u32> {
        self.count_call()?;
        Ok(self.table.get(&answer)?.cached_tokens())
    }

    async fn next(
        &mut self,
        answer: Resource<Answer>,
        max: u32,
    ) -> wasmtime::Result<Result<Vec<wit::Part>, inference_wit::Error>> {
        self.count_call()?;
        self.rest();
        let start = std::time::Instant::now();
        let max = (max.max(1) as usize).min(limits::PIECES_MAX);
        let parts = self.table.get_mut(&answer)?.next(max).await;
        self.add_wait(start.elapsed());
        Ok(parts.map(|parts| parts.into_iter().map(to_part).collect()).map_err(to_wit))
    }

    async fn collect(
        &mut self,
        answer: Resource<Answer>,
    ) -> wasmtime::Result<Result<Vec<wit::Whole>, inference_wit::Error>> {
        self.count_call()?;
        self.rest();
        let start = std::time::Instant::now();
        let running = self.table.get_mut(&answer)?;
        let mut choices = BTreeMap::new();
        let collected = loop {
            match running.next(limits::PIECES_MAX).await {
                Ok(parts) if parts.is_empty() => break Ok(choices.into_iter().map(to_whole).collect()),
                Ok(parts) => parts.into_iter().for_each(|part| answer::append(&mut choices, part)),
                Err(error) => break Err(to_wit(error)),
            }
        };
        self.add_wait(start.elapsed());
        Ok(collected)
    }

    async fn drop(&mut self, answer: Resource<Answer>) -> wasmtime::Result<()> {
        self.table.delete(answer)?;
        Ok(())
    }
}

fn to_tools(tools: wit::ToolUse) -> ToolUse {
    let choice = match tools.choice {
        wit::ToolChoice::Auto => ToolChoice::Auto,
        wit::ToolChoice::None => ToolChoice::None,
        wit::ToolChoice::Required => ToolChoice::Required,
        wit::ToolChoice::Named(name) => ToolChoice::Named(name),
    };
    ToolUse { choice, is_parallel: tools.is_parallel }
}

fn to_part(part: Part) -> wit::Part {
    wit::Part {
        choice: part.choice,
        events: part.events.into_iter().map(to_event).collect(),
        tokens: part.tokens.into_iter().map(to_token).collect(),
        generated: part.generated,
        reasoning: part.reasoning,
        finish: part.finish.map(to_finish),
    }
}

fn to_event(event: Event) -> wit::Event {
    match event {
        Event::Reasoning(text) => wit::Event::Reasoning(text),
        Event::Text(text) => wit::Event::Text(text),
        Event::Call { index, name } => wit::Event::Call(wit::CallStart { index, name }),
        Event::Arguments { index, text } => wit::Event::Arguments(wit::CallArguments { index, text }),
    }
}

fn to_whole((choice, whole): (u32, Whole)) -> wit::Whole {
    wit::Whole {
        choice,
        reasoning: whole.reasoning,
        text: whole.text,
        calls: whole.calls.into_iter().map(|(name, arguments)| wit::Call { name, arguments }).collect(),
        tokens: whole.tokens.into_iter().map(to_token).collect(),
        generated: whole.generated,
        reasoning_tokens: whole.reasoning_tokens,
        finish: to_finish(whole.finish.unwrap_or(Finish::Eos)),
    }
}
