//! The answer as chunks, one prompt after the other.

use std::collections::VecDeque;

use mimus_sdk::inference::{Generation, Piece};
use mimus_sdk::stream::Sse;
use mimus_sdk::{Response, WriteError};
use serde::Serialize;

use super::Completion;
use super::whole::PROMPTS_AT_ONCE;
use crate::chat::reason_name;
use crate::error::ApiError;
use crate::fields::UsageIn;
use crate::ids::{FINGERPRINT, Stamp};
use crate::logprobs::TextLogprobs;
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
}

pub(super) fn answer(completion: &Completion, usage: UsageIn, response: &mut Response) -> Result<(), ApiError> {
    let mut chunks = Chunks { completion, stamp: Stamp::new("cmpl-"), usage, tally: Tally::default() };
    let mut waiting = completion.prompts.iter();
    let mut running = VecDeque::new();
    fill(completion, &mut waiting, &mut running)?;
    let mut echoes = Vec::new();
    for prompt in &completion.prompts {
        echoes.push(completion.echoed(prompt)?);
    }
    // The first pieces before the status: until then a failure is an ordinary error answer.
    let first = running.front_mut().map(pieces_of).transpose()?.flatten();
    let mut first = Some(first);
    let mut events = response.sse()?;
    for (index, echoed) in echoes.iter().enumerate() {
        fill(completion, &mut waiting, &mut running)?;
        let mut generation: Generation = running.pop_front().expect("a generation for each prompt has been started");
        chunks.tally.add_prompt(generation.prompt_tokens());
        // Characters of each choice's text so far, which its logprobs count on; none before its first piece.
        let mut offsets = vec![None; completion.options.choices as usize];
        let mut pieces = match first.take() {
            Some(pieces) => pieces,
            None => pieces_of(&mut generation)?,
        };
        while let Some(batch) = pieces {
            for piece in &batch {
                chunks.push(piece, index as u32, echoed, &mut offsets, &mut events)?;
            }
            events.flush()?;
            pieces = pieces_of(&mut generation)?;
        }
    }
    if usage != UsageIn::Nowhere {
        let total = chunks.tally.usage();
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
    generation.pieces().map_err(|error| ApiError::of_inference(error, "prompt"))
}

struct Chunks<'a> {
    completion: &'a Completion,
    stamp: Stamp,
    usage: UsageIn,
    tally: Tally,
}

impl Chunks<'_> {
    /// The chunk of one piece; the first of a choice has the echoed prompt in front.
    fn push(
        &mut self,
        piece: &Piece,
        prompt_index: u32,
        echoed: &str,
        offsets: &mut [Option<usize>],
        events: &mut Sse<'_>,
    ) -> Result<(), WriteError> {
        let index = prompt_index * self.completion.options.choices + piece.choice;
        self.tally.set_generated(index, piece.generated);
        let Some(offset) = offsets.get_mut(piece.choice as usize) else { return Ok(()) };
        let echoed = if offset.is_none() { echoed } else { "" };
        let start = offset.unwrap_or(0);
        let joined;
        let text = if echoed.is_empty() {
            piece.text.as_str()
        } else {
            joined = format!("{echoed}{}", piece.text);
            &joined
        };
        *offset = Some(start + text.chars().count());
        let logprobs = self.completion.top_logprobs.filter(|_| !piece.tokens.is_empty());
        if text.is_empty() && logprobs.is_none() && piece.finish.is_none() {
            return Ok(());
        }
        let choice = Choice {
            index,
            text,
            logprobs: logprobs.map(|top| TextLogprobs::new(&piece.tokens, top, text, start)),
            finish_reason: piece.finish.as_ref().map(|finish| reason_name(finish.reason)),
        };
        let usage = match self.usage {
            UsageIn::Nowhere => None,
            UsageIn::LastChunk => Some(None),
            UsageIn::EveryChunk => Some(Some(self.tally.usage())),
        };
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
