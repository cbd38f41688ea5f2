//! Computes a step and hands out what came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Scheduler;
use super::plan::Planned;
use super::sequence::Sequence;
use crate::error::EngineError;
use crate::kv_cache::BLOCK_TOKENS;
use crate::model::{LogitRows, Span};

/// What a sequence does after a step.
enum Next {
    /// It goes on.
    Continue,
    /// It has ended.
    End,
}

impl Scheduler {
    /// Computes `plan` and gives each sequence its rows. What fails for all is tried for each alone.
    pub(super) fn execute(&mut self, plan: Vec<Planned>) {
        let mut logits = std::mem::take(&mut self.logits);
        let mut ended = Vec::new();
        match self.forward(&plan, &mut logits) {
            Ok(()) => self.distribute(plan, &logits, &mut ended),
            Err(error) if plan.len() == 1 => self.fail(&plan[0], error, &mut ended),
            Err(_) => {
                for planned in plan {
                    match self.forward(std::slice::from_ref(&planned), &mut logits) {
                        Ok(()) => self.distribute(vec![planned], &logits, &mut ended),
                        Err(error) => self.fail(&planned, error, &mut ended),
                    }
                }
            }
        }
        self.logits = logits;
        ended.sort_unstable();
        ended.dedup();
        for index in ended.into_iter().rev() {
            self.inbox.queue.note_ended(self.running[index].since.elapsed());
            self.end(index);
        }
    }

    /// Puts the rows of `plan` through the model. A panic counts as a failure.
    fn forward(&mut self, plan: &[Planned], logits: &mut Vec<f32>) -> Result<(), EngineError> {
        let spans: Vec<Span<'_>> = plan.iter().map(|planned| span(&self.running[planned.index], planned)).collect();
        logits.clear();
        let (decoder, cache) = (&mut self.decoder, &mut self.cache);
        let computed = catch_unwind(AssertUnwindSafe(|| decoder.forward(&spans, cache, logits)));
        let result = computed.unwrap_or_else(|_| Err(EngineError::Failed("the model panicked".to_owned())));
        let rows: usize = spans.iter().map(Span::logit_rows).sum();
        if result.is_ok() && logits.len() != rows * self.decoder.vocab() {
            return Err(EngineError::Failed("the model gave a wrong number of logits".to_owned()));
        }
        result
    }

    /// Gives every sequence of `plan` its rows of `logits`.
    fn distribute(&mut self, plan: Vec<Planned>, logits: &[f32], ended: &mut Vec<usize>) {
        let vocab = self.decoder.vocab();
        let mut offset = 0;
        for mut planned in plan {
            let rows = span(&self.running[planned.index], &planned).logit_rows() * vocab;
            let own = &logits[offset..offset + rows];
            offset += rows;
            // A sibling's failure has ended it in this very step.
            if ended.contains(&planned.index) {
                continue;
            }
            let next = catch_unwind(AssertUnwindSafe(|| self.advance(&mut planned, own)));
            match next {
                Ok(Ok(Next::Continue)) => {}
                Ok(Ok(Next::End)) => ended.push(planned.index),
                Ok(Err(error)) => self.fail(&planned, error, ended),
                Err(_) => self.fail(&planned, EngineError::Failed("sampling panicked".to_owned()), ended),
            }
        }
    }

    /// Takes note of computed rows and, at the end of what is known, chooses the next token.
    fn advance(&mut self, planned: &mut Planned, rows: &[f32]) -> Result<Next, EngineError> {
        let vocab = self.decoder.vocab();
        self.note_computed(planned);
        let sequence = &mut self.running[planned.index];
        if planned.logits == LogitRows::All && sequence.is_scoring() {
            sequence.score_prompt(planned.start, rows, vocab, &self.tokenizer);
        }
        if planned.end < sequence.tokens.len() {
            return Ok(Next::Continue);
        }
        if sequence.followers > 0 {
            self.start_followers(planned.index);
        }
        let sequence = &mut self.running[planned.index];
        let permit = planned.permit.take();
        if sequence.ticket.tokens_max == 0 {
            let piece = sequence.empty_piece();
            permit.map(|permit| permit.send(Ok(piece)));
            return Ok(Next::End);
        }
        let row = &rows[rows.len() - vocab..];
        let piece = match sequence.choose(row, &self.tokenizer, &mut self.scratch)? {
            None => Some(sequence.end()),
            Some(id) => {
                self.inbox.counters.generated_tokens.fetch_add(1, Ordering::Relaxed);
                sequence.accept(id, row, self.bounds.context_tokens, self.bounds.tokens_per_piece, &self.tokenizer)?
            }
        };
        let Some(piece) = piece else {
            return Ok(Next::Continue);
        };
        let next = if piece.finish.is_some() { Next::End } else { Next::Continue };
        permit.map(|permit| permit.send(Ok(piece)));
        Ok(next)
    }

    /// Moves a sequence past the rows of a step and publishes the blocks that they filled.
    fn note_computed(&mut self, planned: &Planned) {
        let sequence = &mut self.running[planned.index];
        sequence.computed = planned.end;
        let prompt = sequence.prompt_tokens();
        let of_prompt = planned.end.min(prompt).saturating_sub(planned.start) as u64;
        self.inbox.counters.computed_prompt_tokens.fetch_add(of_prompt, Ordering::Relaxed);
        let scope = sequence.ticket.request.cache_scope;
        for index in planned.start / BLOCK_TOKENS..planned.end / BLOCK_TOKENS {
            let previous = index.checked_sub(1).map(|previous| sequence.blocks[previous]);
            if let Some(tokens) = sequence.block_tokens(index) {
                self.cache.publish(scope, previous, sequence.blocks[index], tokens);
            }
        }
    }

    /// Ends the request of a sequence with an error, all its choices with it.
    fn fail(&mut self, planned: &Planned, error: EngineError, ended: &mut Vec<usize>) {
        if ended.contains(&planned.index) {
            return;
        }
        let ticket = Arc::clone(&self.running[planned.index].ticket);
        ticket.fail(error);
        let siblings = self.running.iter().enumerate().filter(|(_, other)| Arc::ptr_eq(&other.ticket, &ticket));
        ended.extend(siblings.map(|(index, _)| index));
        self.set_aside.retain(|other| !Arc::ptr_eq(&other.ticket, &ticket));
    }
}

/// The rows of a sequence as the model takes them.
fn span<'a>(sequence: &'a Sequence, planned: &Planned) -> Span<'a> {
    Span {
        tokens: &sequence.tokens[..planned.end],
        start: planned.start,
        prompt_tokens: sequence.prompt_tokens(),
        blocks: &sequence.blocks,
        logits: planned.logits,
    }
}
