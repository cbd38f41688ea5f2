//! One choice of a request while it runs.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use crate::detokenize::TextStream;
use crate::error::EngineError;
use crate::generation::{Finish, Link, Piece, Token, TopToken};
use crate::grammar::Matcher;
use crate::kv_cache::{BLOCK_TOKENS, BlockId};
use crate::request::GenerateRequest;
use crate::sampler::logprobs::LogProbs;
use crate::sampler::{SampleError, Sampler, Scratch};
use crate::stop_strings::StopStrings;
use crate::tokenizer::Tokenizer;

/// Where pieces of a request go.
pub(crate) type PieceSender = mpsc::Sender<Result<Piece, EngineError>>;
/// Room for one piece.
pub(super) type Permit = mpsc::OwnedPermit<Result<Piece, EngineError>>;

/// A request and its stream, shared by its choices. The stream ends when the last of them drops it.
pub(crate) struct Ticket {
    /// The request, checked.
    pub(crate) request: GenerateRequest,
    /// Tokens each choice may generate.
    pub(crate) tokens_max: u32,
    /// Where each choice begins in the request's grammar.
    matcher: Option<Matcher>,
    stops: StopStrings,
    pieces: PieceSender,
    pub(super) link: Arc<Link>,
}

impl Ticket {
    /// A ticket for a request that has been checked.
    pub(crate) fn new(mut request: GenerateRequest, tokens_max: u32, pieces: PieceSender, link: Arc<Link>) -> Self {
        let stops = StopStrings::new(std::mem::take(&mut request.stop_strings));
        let matcher = request.grammar.as_ref().map(|grammar| grammar.start());
        Self { request, tokens_max, matcher, stops, pieces, link }
    }

    /// Whether the reader has gone.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.pieces.is_closed()
    }

    /// Room for a piece; `None` while the reader lags behind.
    ///
    /// The last place stays free for [`Self::fail`].
    pub(super) fn reserve(&self) -> Option<Permit> {
        if self.pieces.capacity() < 2 {
            self.link.stall();
            // The reader may have made room between the two lines above, and then wakes nobody.
            if self.pieces.capacity() < 2 {
                return None;
            }
        }
        self.pieces.clone().try_reserve_owned().ok()
    }

    /// Ends the stream with an error.
    pub(super) fn fail(&self, error: EngineError) {
        // Only a reader that has gone cannot take it; there is always a place for it.
        let _ = self.pieces.try_send(Err(error));
    }
}

/// One choice of a request.
pub(super) struct Sequence {
    pub(super) ticket: Arc<Ticket>,
    pub(super) choice: u32,
    /// Prompt and output.
    pub(super) tokens: Vec<u32>,
    /// How many of `tokens` are in the cache.
    pub(super) computed: usize,
    /// Blocks of the cache, in the order of positions.
    pub(super) blocks: Vec<BlockId>,
    /// Choices that begin when the prompt is computed.
    pub(super) followers: u32,
    /// When it got its slot.
    pub(super) since: Instant,
    sampler: Sampler,
    matcher: Option<Matcher>,
    text: TextStream,
    generated: u32,
    /// Generated tokens that no piece has carried yet.
    unsent: u32,
    /// Their content, each with the offset of its first byte in the text not yet released.
    pending: Vec<(usize, Token)>,
    /// The prompt's tokens with log-probabilities, until the first piece takes them.
    pub(super) scored_prompt: Vec<Token>,
    /// What the request wants to know of the first token, until the first piece takes it.
    asked: Vec<f32>,
}

impl Sequence {
    /// A choice that has not begun.
    pub(super) fn new(ticket: Arc<Ticket>, choice: u32) -> Self {
        let tokens = ticket.request.prompt.clone();
        let sampler = Sampler::new(&ticket.request.sampling, choice, &tokens);
        let matcher = ticket.matcher.clone();
        Self {
            ticket,
            choice,
            tokens,
            computed: 0,
            blocks: Vec::new(),
            followers: 0,
            since: Instant::now(),
            sampler,
            matcher,
            text: TextStream::default(),
            generated: 0,
            unsent: 0,
            pending: Vec::new(),
            scored_prompt: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// Tokens of the prompt.
    pub(super) fn prompt_tokens(&self) -> usize {
        self.ticket.request.prompt.len()
    }

    /// Whether the prompt's tokens still have to be scored.
    pub(super) fn is_scoring(&self) -> bool {
        self.ticket.request.prompt_logprobs
            && self.choice == 0
            && self.generated == 0
            && self.scored_prompt.len() < self.prompt_tokens()
    }

    /// The tokens of full block `index`, once they are known.
    pub(super) fn block_tokens(&self, index: usize) -> Option<&[u32; BLOCK_TOKENS]> {
        self.tokens.as_chunks::<BLOCK_TOKENS>().0.get(index)
    }

    /// Chooses the next token; `None` where the grammar lets nothing follow.
    ///
    /// * `row`: logits, `[vocab]`.
    pub(super) fn choose(
        &mut self,
        row: &[f32],
        tokenizer: &Tokenizer,
        scratch: &mut Scratch,
    ) -> Result<Option<u32>, EngineError> {
        if self.generated == 0 && !self.ticket.request.logprobs_of.is_empty() {
            let probs = LogProbs::new(row);
            self.asked = self.ticket.request.logprobs_of.iter().map(|&id| probs.of(id)).collect();
        }
        let mut banned = self.banned(tokenizer);
        let Some(matcher) = &mut self.matcher else {
            return self.sampler.sample(row, self.generated, &banned, scratch).map(Some).map_err(describe_failure);
        };
        if matcher.is_over() {
            return Ok(None);
        }
        let request = &self.ticket.request;
        let mut allowed = matcher.allowed(&self.tokens[request.prompt.len()..])?;
        // Where the grammar may end, whatever ends the choice may come.
        if !request.stop_tokens.is_empty() && matcher.may_end() {
            request.stop_tokens.iter().for_each(|&id| allowed.insert(id));
        }
        if request.ignore_eos {
            banned.extend_from_slice(tokenizer.eos_ids());
        }
        banned.iter().for_each(|&id| allowed.remove(id));
        match self.sampler.sample_among(row, self.generated, &allowed, scratch) {
            Err(SampleError::NothingAllowed) if matcher.may_end() => Ok(None),
            chosen => chosen.map(Some).map_err(describe_failure),
        }
    }

    /// Tokens that may not come yet, because the choice is too short to end.
    fn banned(&self, tokenizer: &Tokenizer) -> Vec<u32> {
        let request = &self.ticket.request;
        if self.generated >= request.tokens_min {
            return Vec::new();
        }
        let eos: &[u32] = if request.ignore_eos { &[] } else { tokenizer.eos_ids() };
        eos.iter().chain(&request.stop_tokens).copied().collect()
    }

    /// Scores prompt tokens from the rows of a step.
    ///
    /// * `start`: position of the first row.
    /// * `rows`: logits, `[rows, vocab]`; row `i` tells of the token at `start + i + 1`.
    pub(super) fn score_prompt(&mut self, start: usize, rows: &[f32], vocab: usize, tokenizer: &Tokenizer) {
        if self.scored_prompt.is_empty() {
            let first = self.tokens[0];
            let bytes = tokenizer.token_bytes(first);
            self.scored_prompt.push(Token { id: first, bytes, logprob: None, top: Vec::new() });
        }
        for (index, row) in rows.chunks_exact(vocab).enumerate() {
            let position = start + index + 1;
            if position >= self.prompt_tokens() {
                break;
            }
            // A sequence that was set aside comes here again for tokens it has.
            if position == self.scored_prompt.len() {
                let token = self.describe(self.tokens[position], row, tokenizer);
                self.scored_prompt.push(token);
            }
        }
    }

    /// Takes in the next token and returns the piece that it releases, if any.
    ///
    /// * `row`: the logits it was chosen from, `[vocab]`.
    /// * `tokens_per_piece`: tokens that a piece waits for.
    ///
    /// # Errors
    /// When the grammar cannot follow the token.
    pub(super) fn accept(
        &mut self,
        id: u32,
        row: &[f32],
        context_tokens: usize,
        tokens_per_piece: u32,
        tokenizer: &Tokenizer,
    ) -> Result<Option<Piece>, EngineError> {
        let ticket = Arc::clone(&self.ticket);
        let request = &ticket.request;
        self.generated += 1;
        self.unsent += 1;
        let ended_by = self.end_token(id, tokenizer);
        if let (Some(matcher), None) = (&mut self.matcher, &ended_by) {
            matcher.follow(id, &self.tokens[request.prompt.len()..])?;
        }
        self.tokens.push(id);
        self.sampler.accept(id);
        let is_shown = ended_by.is_none() || request.include_stop;
        if is_shown {
            if request.wants_tokens() {
                let token = self.describe(id, row, tokenizer);
                self.pending.push((self.text.held_bytes(), token));
            }
            self.text.push(tokenizer.text_bytes(id, request.hides(id)));
        }
        // A choice that is too short to end is not searched for stop strings either.
        let stops = if self.generated < request.tokens_min { &StopStrings::NONE } else { &ticket.stops };
        let mut released = self.text.release(stops, request.include_stop);
        let mut finish = ended_by;
        if let Some(index) = released.stop {
            self.pending.retain(|(start, _)| *start < released.text.len());
            finish = Some(Finish::StopString(stops.text(index)));
        }
        if finish.is_none() && self.matcher.as_ref().is_some_and(Matcher::is_over) {
            finish = Some(Finish::Eos);
        }
        let is_full = self.generated >= ticket.tokens_max || self.tokens.len() >= context_tokens;
        if finish.is_none() && is_full {
            finish = Some(Finish::Length);
        }
        if finish.is_some() && released.stop.is_none() {
            released.text.push_str(&self.text.finish());
        }
        Ok(self.piece(released.text, finish, tokens_per_piece))
    }

    /// The last piece of a choice after which the grammar lets nothing follow.
    pub(super) fn end(&mut self) -> Piece {
        let text = self.text.finish();
        self.piece(text, Some(Finish::Eos), 1).expect("an end is always told")
    }

    /// The one piece of a request that generates nothing.
    pub(super) fn empty_piece(&mut self) -> Piece {
        let prompt = std::mem::take(&mut self.scored_prompt);
        Piece { choice: self.choice, prompt, finish: Some(Finish::Length), ..Piece::default() }
    }

    /// Why `id` ends the choice, if it does.
    fn end_token(&self, id: u32, tokenizer: &Tokenizer) -> Option<Finish> {
        let request = &self.ticket.request;
        if self.generated < request.tokens_min {
            return None;
        }
        if request.stop_tokens.contains(&id) {
            return Some(Finish::StopToken(id));
        }
        let is_end = !request.ignore_eos && tokenizer.eos_ids().contains(&id);
        is_end.then_some(Finish::Eos)
    }

    /// A token as the request wants to see it.
    fn describe(&self, id: u32, row: &[f32], tokenizer: &Tokenizer) -> Token {
        let bytes = tokenizer.token_bytes(id);
        let Some(count) = self.ticket.request.logprobs.or(self.ticket.request.prompt_logprobs.then_some(0)) else {
            return Token { id, bytes, logprob: None, top: Vec::new() };
        };
        let probs = LogProbs::new(row);
        let top = probs.top(count as usize).into_iter();
        let top = top.map(|(id, logprob)| TopToken { id, bytes: tokenizer.token_bytes(id), logprob }).collect();
        Token { id, bytes, logprob: Some(probs.of(id)), top }
    }

    /// Puts a piece together, unless there is nothing to say yet and no end to tell.
    fn piece(&mut self, text: String, finish: Option<Finish>, tokens_per_piece: u32) -> Option<Piece> {
        // A token goes with the text that its first byte is in; one without text goes with what is before it.
        let released = text.len();
        let takes_all = finish.is_some() || self.text.held_bytes() == 0;
        let later = match takes_all {
            true => self.pending.len(),
            false => self.pending.partition_point(|(start, _)| *start < released),
        };
        let has_news = !text.is_empty() || later > 0 || !self.scored_prompt.is_empty() || !self.asked.is_empty();
        if finish.is_none() && !(has_news && self.unsent >= tokens_per_piece) {
            self.text.put_back(&text);
            return None;
        }
        let rest = self.pending.split_off(later);
        let tokens = std::mem::replace(&mut self.pending, rest).into_iter().map(|(_, token)| token).collect();
        for (start, _) in &mut self.pending {
            *start -= released;
        }
        self.unsent = 0;
        Some(Piece {
            choice: self.choice,
            text,
            tokens,
            prompt: std::mem::take(&mut self.scored_prompt),
            logprobs_of: std::mem::take(&mut self.asked),
            generated_tokens: self.generated,
            finish,
        })
    }
}

/// Why no token could be chosen, as the request ends with it.
fn describe_failure(error: SampleError) -> EngineError {
    match error {
        SampleError::NotFinite => EngineError::Failed("the model's numbers are not finite".to_owned()),
        SampleError::NothingAllowed => {
            EngineError::invalid("constraint", "no token of this model continues the text as it asks")
        }
    }
}
