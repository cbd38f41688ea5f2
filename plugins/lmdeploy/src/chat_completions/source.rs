//! Where an answer comes from: a conversation, whose answer the host takes apart, or a raw prompt, whose answer is text alone.

use mimus_sdk::answers::{Answer, Event, Part, Whole};
use mimus_sdk::inference::{Completion, Error, Generation, Piece};

/// A running answer.
pub enum Source {
    Conversation(Answer),
    Raw(Generation),
}

impl Source {
    pub fn prompt_tokens(&self) -> u32 {
        match self {
            Source::Conversation(answer) => answer.prompt_tokens(),
            Source::Raw(generation) => generation.prompt_tokens(),
        }
    }

    /// 0 until the first part is there.
    pub fn cached_tokens(&self) -> u32 {
        match self {
            Source::Conversation(answer) => answer.cached_tokens(),
            Source::Raw(generation) => generation.cached_tokens(),
        }
    }

    /// Waits for what is new. None: every choice has finished.
    pub fn parts(&mut self) -> Result<Option<Vec<Part>>, Error> {
        match self {
            Source::Conversation(answer) => answer.parts(),
            Source::Raw(generation) => Ok(generation.pieces()?.map(|pieces| pieces.into_iter().map(part).collect())),
        }
    }

    /// Waits for the end. The number is the prompt's tokens that were in the cache, where that is known.
    pub fn collect(self) -> Result<(Vec<Whole>, Option<u32>), Error> {
        match self {
            Source::Conversation(answer) => {
                answer.collect_with_cached().map(|(choices, cached)| (choices, Some(cached)))
            }
            Source::Raw(generation) => Ok((generation.collect()?.into_iter().map(whole).collect(), None)),
        }
    }
}

fn part(piece: Piece) -> Part {
    let Piece { choice, text, tokens, generated, finish } = piece;
    let events = if text.is_empty() { Vec::new() } else { vec![Event::Text(text)] };
    Part { choice, events, tokens, generated, reasoning: 0, finish }
}

fn whole(completion: Completion) -> Whole {
    let Completion { choice, text, tokens, generated, finish } = completion;
    Whole { choice, reasoning: None, text, calls: Vec::new(), tokens, generated, reasoning_tokens: 0, finish }
}
