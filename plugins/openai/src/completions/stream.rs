//! The answer as chunks, one prompt after the other.

use std::borrow::Cow;
use std::collections::VecDeque;

use mimus_sdk::inference::{Generation, Piece, TokenLogprob};
use mimus_sdk::stream::Sse;
use mimus_sdk::{Response, WriteError};
use serde::Serialize;

use super::whole::PROMPTS_AT_ONCE;
use super::{Completion, of_inference, reason_name};
use crate::delivery::UsageIn;
use crate::error::ApiError;
use crate::ids::{FINGERPRINT, Stamp};
use crate::logprobs::{self, TextLogprobs};
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
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    text: &'a str,
    logprobs: Option<TextLogprobs<'a>>,
    finish_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_token_ids: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_ids: Option<Vec<u32>>,
}

/// One prompt's part of the stream.
struct Part<'a> {
    index: u32,
    echoed: Cow<'a, str>,
    prompt_tokens: u32,
    prompt_ids: Option<Vec<u32>>,
    /// The prompt's tokens, once they have come, where they are scored.
    scored: Vec<TokenLogprob>,
    /// Characters of each choice's text so far, which its logprobs count on; none before its first piece.
    offsets: Vec<Option<usize>>,
}

pub(super) fn answer(completion: &Completion, usage: UsageIn, response: &mut Response) -> Result<(), ApiError> {
    let mut chunks = Chunks { completion, stamp: Stamp::new("cmpl-"), usage, tally: Tally::default() };
    let mut waiting = completion.prompts.iter();
    let mut running = VecDeque::new();
    fill(completion, &mut waiting, &mut running)?;
    let mut parts = Vec::new();
    for (prompt, index) in completion.prompts.iter().zip(0..) {
        let (echoed, prompt_ids) = (completion.echoed(prompt)?, completion.prompt_ids(prompt)?);
        let offsets = vec![None; completion.options.choices as usize];
        parts.push(Part { index, echoed, prompt_tokens: 0, prompt_ids, scored: Vec::new(), offsets });
    }
    // The first pieces before the status: until then a failure is an ordinary error answer.
    let first = running.front_mut().map(pieces_of).transpose()?.flatten();
    let mut first = Some(first);
    let mut events = response.sse()?;
    for mut part in parts {
        fill(completion, &mut waiting, &mut running)?;
        let mut generation: Generation = running.pop_front().expect("a generation for each prompt has been started");
        part.prompt_tokens = generation.prompt_tokens();
        chunks.tally.add_prompt(part.prompt_tokens);
        let mut pieces = match first.take() {
            Some(pieces) => pieces,
            None => pieces_of(&mut generation)?,
        };
        chunks.tally.add_cached(generation.cached_tokens());
        while let Some(batch) = pieces {
            for piece in &batch {
                chunks.push(piece, &mut part, &mut events)?;
            }
            events.flush()?;
            pieces = pieces_of(&mut generation)?;
        }
    }
    if let Some(total) = usage.of_end(&chunks.tally) {
        chunks.push_chunk(&[], Some(Some(total)), &mut events)?;
    }
    events.push_text("[DONE]");
    Ok(events.flush()?)
}

fn fill<'a>(
    completion: &Completion,
    waiting: &mut impl Iterator<Item = &'a mimus_sdk::inference::Prompt>,
    running: &mut VecDeque<Generation>,
) -> Result<(), ApiError> {
    while running.len() < PROMPTS_AT_ONCE
        && let Some(prompt) = waiting.next()
    {
        running.push_back(completion.start(prompt)?);
    }
    Ok(())
}

fn pieces_of(generation: &mut Generation) -> Result<Option<Vec<Piece>>, ApiError> {
    generation.pieces().map_err(of_inference)
}

struct Chunks<'a> {
    completion: &'a Completion,
    stamp: Stamp,
    usage: UsageIn,
    tally: Tally,
}

impl Chunks<'_> {
    /// The chunk of one piece; the first of a choice has the echoed prompt in front.
    fn push(&mut self, piece: &Piece, part: &mut Part<'_>, events: &mut Sse<'_>) -> Result<(), WriteError> {
        let report = self.completion.report;
        let index = part.index * self.completion.options.choices + piece.choice;
        self.tally.set_generated(index, piece.generated, 0);
        let Some(offset) = part.offsets.get_mut(piece.choice as usize) else { return Ok(()) };
        let is_first = offset.is_none();
        let start = offset.unwrap_or(0);
        let joined;
        let text = if !is_first || part.echoed.is_empty() {
            piece.text.as_str()
        } else {
            joined = format!("{}{}", part.echoed, piece.text);
            &joined
        };
        *offset = Some(start + text.chars().count());
        let of_prompt = if self.completion.options.prompt_logprobs && is_first { part.prompt_tokens } else { 0 };
        let (scored, own) = logprobs::split_prompt(&piece.tokens, of_prompt as usize);
        if part.scored.is_empty() {
            part.scored = scored.to_vec();
        }
        let echoed = if is_first && self.completion.has_echo { part.scored.as_slice() } else { &[] };
        let has_tokens = !(echoed.is_empty() && own.is_empty());
        if text.is_empty() && !has_tokens && piece.finish.is_none() {
            return Ok(());
        }
        let logprobs = TextLogprobs::new(echoed.iter().chain(own), report, text, start).filter(|_| has_tokens);
        let token_ids = report.has_token_ids.then(|| logprobs::ids(own));
        let choice = Choice {
            index,
            text,
            logprobs,
            finish_reason: piece.finish.as_ref().map(|finish| reason_name(finish.reason)),
            prompt_token_ids: part.prompt_ids.as_ref().filter(|_| is_first).cloned(),
            token_ids,
        };
        let usage = self.usage.of_chunk(&self.tally);
        self.push_chunk(&[choice], usage, events)
    }

    fn push_chunk(
        &self,
        choices: &[Choice<'_>],
        usage: Option<Option<Usage>>,
        events: &mut Sse<'_>,
    ) -> Result<(), WriteError> {
        events.push(&Chunk {
            id: &self.stamp.id,
            object: "text_completion",
            created: self.stamp.created,
            model: &self.completion.model,
            system_fingerprint: FINGERPRINT,
            choices,
            usage,
        })
    }
}
