//! The choices of one generation, one after the other: FastChat runs them in turn, here they are computed together and those whose
//! turn has not come wait.

use mimus_sdk::inference::{FinishReason, Generation, Piece, TokenLogprob};

use crate::refusal::Refusal;

/// The word of this API.
pub(crate) fn reason_name(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
    }
}

/// What is new in a choice.
#[derive(Default)]
pub(crate) struct News {
    pub(crate) text: String,
    pub(crate) tokens: Vec<TokenLogprob>,
    /// Tokens generated so far.
    pub(crate) generated: u32,
    pub(crate) finish: Option<FinishReason>,
}

pub(crate) struct Turns {
    generation: Generation,
    waiting: Vec<News>,
    is_over: bool,
}

impl Turns {
    /// Waits for the first pieces: until something has been sent, a failure can be an ordinary error answer.
    pub(crate) fn begin(generation: Generation, choices: u32) -> Result<Self, Refusal> {
        let waiting = (0..choices).map(|_| News::default()).collect();
        let mut turns = Turns { generation, waiting, is_over: false };
        turns.read()?;
        Ok(turns)
    }

    pub(crate) fn prompt_tokens(&self) -> u32 {
        self.generation.prompt_tokens()
    }

    /// What is new in a choice; waits when nothing is. None: the choice has ended, and that has been told.
    pub(crate) fn next(&mut self, choice: u32) -> Result<Option<News>, Refusal> {
        loop {
            let Some(news) = self.waiting.get_mut(choice as usize) else { return Ok(None) };
            if !news.text.is_empty() || !news.tokens.is_empty() || news.finish.is_some() {
                return Ok(Some(std::mem::take(news)));
            }
            if self.is_over {
                return Ok(None);
            }
            self.read()?;
        }
    }

    fn read(&mut self) -> Result<(), Refusal> {
        match self.generation.pieces()? {
            Some(pieces) => pieces.into_iter().for_each(|piece| self.keep(piece)),
            None => self.is_over = true,
        }
        Ok(())
    }

    fn keep(&mut self, piece: Piece) {
        let Some(news) = self.waiting.get_mut(piece.choice as usize) else { return };
        news.text.push_str(&piece.text);
        news.tokens.extend(piece.tokens);
        news.generated = piece.generated;
        news.finish = piece.finish.map(|finish| finish.reason).or(news.finish);
    }
}

/// How often a growing answer is told whole, which FastChat's worker does: every second token at first, and each time it has grown
/// by a 64th later, so that a long answer takes time in proportion to its length and not to its square.
pub(crate) struct Pace {
    told: usize,
}

/// Tokens between two tellings of a short answer.
const INTERVAL_TOKENS: usize = 2;
/// A long answer is told again when it has grown by this part.
const GROWTH_PART: usize = 64;

impl Pace {
    pub(crate) fn new() -> Self {
        Pace { told: 0 }
    }

    /// Whether an answer of so many tokens is to be told now; the first always is.
    pub(crate) fn is_due(&mut self, tokens: usize) -> bool {
        let is_due = self.told == 0 || tokens >= self.told + INTERVAL_TOKENS.max(self.told / GROWTH_PART);
        if is_due {
            self.told = tokens;
        }
        is_due
    }
}
