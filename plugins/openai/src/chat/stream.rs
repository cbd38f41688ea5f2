//! The answer as chunks: a role, the text as it comes, a reason; then the usage where it was asked for, and `[DONE]`.

use mimus_sdk::inference::{Generation, Piece};
use mimus_sdk::stream::Sse;
use mimus_sdk::{Response, WriteError};
use serde::Serialize;

use super::Chat;
use super::whole::reason_name;
use crate::error::ApiError;
use crate::fields::UsageIn;
use crate::ids::{FINGERPRINT, Stamp};
use crate::logprobs::ChatLogprobs;
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
    delta: Delta<'a>,
    logprobs: Option<ChatLogprobs<'a>>,
    finish_reason: Option<&'static str>,
}

#[derive(Serialize, Default)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

pub(super) fn answer(
    chat: &Chat,
    mut generation: Generation,
    usage: UsageIn,
    response: &mut Response,
) -> Result<(), ApiError> {
    let mut chunks = Chunks {
        chat,
        stamp: Stamp::new("chatcmpl-"),
        usage,
        tally: Tally::default(),
        has_role: vec![false; chat.options.choices as usize],
    };
    chunks.tally.add_prompt(generation.prompt_tokens());
    // The first pieces before the status: until then a failure is an ordinary error answer.
    let mut waiting = generation.pieces()?;
    let mut events = response.sse()?;
    while let Some(pieces) = waiting {
        for piece in &pieces {
            chunks.push(piece, &mut events)?;
        }
        events.flush()?;
        waiting = generation.pieces()?;
    }
    if usage != UsageIn::Nowhere {
        let total = chunks.tally.usage();
        chunks.push_chunk(&[], Some(Some(total)), &mut events)?;
    }
    events.push_text("[DONE]");
    Ok(events.flush()?)
}

struct Chunks<'a> {
    chat: &'a Chat,
    stamp: Stamp,
    usage: UsageIn,
    tally: Tally,
    has_role: Vec<bool>,
}

impl Chunks<'_> {
    /// The chunks of one piece.
    fn push(&mut self, piece: &Piece, events: &mut Sse<'_>) -> Result<(), WriteError> {
        let index = piece.choice;
        self.tally.set_generated(index, piece.generated);
        let is_first = self.has_role.get_mut(index as usize).is_some_and(|has_role| !std::mem::replace(has_role, true));
        if is_first {
            let delta = Delta { role: Some("assistant"), content: Some("") };
            self.push_choice(Choice { index, delta, logprobs: None, finish_reason: None }, events)?;
        }
        // A piece without text may carry tokens all the same: a part of a character, or text that is held back.
        let has_tokens = self.chat.top_logprobs.is_some() && !piece.tokens.is_empty();
        if !piece.text.is_empty() || has_tokens {
            let delta = Delta { role: None, content: Some(&piece.text) };
            let logprobs = self.chat.top_logprobs.map(|top| ChatLogprobs::new(&piece.tokens, top));
            self.push_choice(Choice { index, delta, logprobs, finish_reason: None }, events)?;
        }
        if let Some(finish) = &piece.finish {
            let finish_reason = Some(reason_name(finish.reason));
            self.push_choice(Choice { index, delta: Delta::default(), logprobs: None, finish_reason }, events)?;
        }
        Ok(())
    }

    fn push_choice(&self, choice: Choice<'_>, events: &mut Sse<'_>) -> Result<(), WriteError> {
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
            object: "chat.completion.chunk",
            created: self.stamp.created,
            model: &self.chat.model,
            system_fingerprint: FINGERPRINT,
            choices,
            usage,
        })
    }
}
