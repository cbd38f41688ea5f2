//! The answer to a request, read piece by piece.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use crate::error::EngineError;
use crate::scheduler::Inbox;

/// A running answer. It does not need the model's handle: dropping the last one lets this go on to its end, and the
/// weights stay until then. Dropping the answer itself cancels the request: its slots are free before the next decode
/// step.
pub struct Generation {
    prompt_tokens: u32,
    pieces: mpsc::Receiver<Result<Piece, EngineError>>,
    link: Arc<Link>,
    inbox: Arc<Inbox>,
}

/// What the scheduler tells the reader beside the pieces.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// A full stream made the scheduler pause a choice.
    is_stalled: AtomicBool,
    cached_tokens: AtomicU32,
}

impl Link {
    /// Asks the reader to wake the scheduler when it next takes a piece.
    pub(crate) fn stall(&self) {
        self.is_stalled.store(true, Ordering::SeqCst);
    }

    /// Takes the wish back, and tells whether it was there.
    fn take_stall(&self) -> bool {
        self.is_stalled.swap(false, Ordering::SeqCst)
    }

    /// Notes how many tokens of the prompt were found in the cache.
    pub(crate) fn set_cached(&self, tokens: usize) {
        self.cached_tokens.store(u32::try_from(tokens).unwrap_or(u32::MAX), Ordering::Relaxed);
    }
}

impl Generation {
    /// The reading end for a request with `prompt_tokens` that was put into `inbox`.
    pub(crate) fn new(
        prompt_tokens: u32,
        pieces: mpsc::Receiver<Result<Piece, EngineError>>,
        link: Arc<Link>,
        inbox: Arc<Inbox>,
    ) -> Self {
        Self { prompt_tokens, pieces, link, inbox }
    }

    /// Tokens of the prompt.
    pub fn prompt_tokens(&self) -> u32 {
        self.prompt_tokens
    }

    /// How many of those were in the cache; 0 until the first piece is there.
    pub fn cached_tokens(&self) -> u32 {
        self.link.cached_tokens.load(Ordering::Relaxed)
    }

    /// The next piece, of whichever choice has one; `None` after every choice has finished.
    ///
    /// Safe to drop before it is ready: no piece is lost.
    ///
    /// # Errors
    /// The request's own failure. Nothing follows it.
    pub async fn next(&mut self) -> Option<Result<Piece, EngineError>> {
        let piece = self.pieces.recv().await;
        self.taken(piece)
    }

    /// As [`Self::next`], for a hand-written future.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Piece, EngineError>>> {
        let piece = self.pieces.poll_recv(context);
        piece.map(|piece| self.taken(piece))
    }

    /// A piece that is ready now, or `None`: nothing is ready yet, or the answer has ended.
    pub fn try_next(&mut self) -> Option<Result<Piece, EngineError>> {
        let piece = self.pieces.try_recv().ok();
        self.taken(piece)
    }

    /// As [`Self::next`], on a thread that may block.
    ///
    /// # Panics
    /// Inside an asynchronous task, which must not block.
    pub fn next_blocking(&mut self) -> Option<Result<Piece, EngineError>> {
        let piece = self.pieces.blocking_recv();
        self.taken(piece)
    }

    /// Wakes the scheduler if it waits for room in this stream.
    fn taken(&self, piece: Option<Result<Piece, EngineError>>) -> Option<Result<Piece, EngineError>> {
        if piece.is_some() && self.link.take_stall() {
            self.inbox.queue.wake();
        }
        piece
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        // The scheduler looks for closed streams; a sleeping one is told to.
        self.pieces.close();
        self.inbox.queue.wake();
    }
}

impl std::fmt::Debug for Generation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Generation").field("prompt_tokens", &self.prompt_tokens).finish_non_exhaustive()
    }
}

/// A part of the answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// Which choice it continues, from 0.
    pub choice: u32,
    /// Whole UTF-8 text. The bytes of an unfinished character and what may become a stop string are held back.
    pub text: String,
    /// The tokens behind `text`, where the request asked for them. The token that ended the choice is left
    /// out unless the request has `include_stop`.
    pub tokens: Vec<Token>,
    /// The prompt's tokens with their log-probabilities, in the first piece of choice 0 where the request
    /// asked for them. The first token has none.
    pub prompt: Vec<Token>,
    /// Log-probabilities of the tokens that the request names in
    /// [`logprobs_of`](crate::GenerateRequest::logprobs_of), in their order: those of the choice's first token, before
    /// temperature, penalties, bias and grammar. In the choice's first piece.
    pub logprobs_of: Vec<f32>,
    /// Tokens this choice has generated so far, the one that ended it included.
    pub generated_tokens: u32,
    /// Why the choice ended; set in its last piece only.
    pub finish: Option<Finish>,
}

/// A token of the answer or the prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Its id.
    pub id: u32,
    /// Its bytes, which need not be whole UTF-8.
    pub bytes: Vec<u8>,
    /// Natural logarithm of its probability before temperature, penalties and bias, where asked for.
    pub logprob: Option<f32>,
    /// The most likely tokens in its place, best first.
    pub top: Vec<TopToken>,
}

/// A token that could have stood in another's place.
#[derive(Clone, Debug, PartialEq)]
pub struct TopToken {
    /// Its id.
    pub id: u32,
    /// Its bytes, which need not be whole UTF-8.
    pub bytes: Vec<u8>,
    /// Natural logarithm of its probability.
    pub logprob: f32,
}

/// Why a choice ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model ended it, or its grammar lets nothing follow.
    Eos,
    /// A stop token of the request was generated.
    StopToken(u32),
    /// A stop string of the request was generated.
    StopString(String),
    /// `tokens_max` or the context was reached.
    Length,
}
