//! Follows one answer through a grammar.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};

use llguidance::TokenParser;
use llguidance::api::StopReason;
use llguidance::earley::regexvec::LexerStats;
use llguidance::panic_utils::catch_unwind;
use llguidance::toktrie::SimpleVob;

use super::Grammar;
use crate::error::EngineError;
use crate::limits;

/// Where one choice is in its grammar. A clone goes its own way.
#[derive(Clone)]
pub(crate) struct Matcher {
    grammar: Arc<Grammar>,
    parser: TokenParser,
    /// Nothing may follow but the end.
    is_over: bool,
    has_recovered: bool,
}

/// The tokens that may come next, those that end the answer included. Ids beyond the set are not in it.
#[derive(Debug)]
pub(crate) struct Allowed(SimpleVob);

impl Grammar {
    /// A matcher at the beginning.
    pub(crate) fn start(self: &Arc<Self>) -> Matcher {
        let mut warm = self.warm.lock().unwrap_or_else(PoisonError::into_inner);
        // Tables that a request broke, or that have grown large, are replaced; the requests that hold them go on.
        let is_usable =
            lexer_stats(&warm).is_ok_and(|stats| !stats.error && stats.num_states <= limits::GRAMMAR_STATES_KEPT);
        if !is_usable {
            *warm = self.pristine.deep_clone();
        }
        let parser = warm.clone();
        drop(warm);
        let is_over = parser.stop_reason() != StopReason::NotStopped;
        Matcher { grammar: Arc::clone(self), parser, is_over, has_recovered: false }
    }
}

impl Matcher {
    /// Whether nothing may follow but the end.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether the answer may end here.
    pub(crate) fn may_end(&mut self) -> bool {
        self.is_over || fenced(|| Ok(self.parser.is_accepting())).unwrap_or(false)
    }

    /// The tokens that may come next; none in a dead end.
    ///
    /// * `generated`: the tokens that were followed so far.
    ///
    /// # Errors
    /// See [`Self::attempt`].
    pub(crate) fn allowed(&mut self, generated: &[u32]) -> Result<Allowed, EngineError> {
        let mask = self.attempt(generated, |parser| match parser.compute_mask() {
            Err(_) if parser.stop_reason() == StopReason::NoExtensionBias => Ok(SimpleVob::new()),
            mask => mask.map_err(|error| error.to_string()),
        });
        mask.map(Allowed)
    }

    /// Takes in a token.
    ///
    /// * `generated`: the tokens that were followed before it.
    ///
    /// # Errors
    /// See [`Self::attempt`]; also for a token that may not come.
    pub(crate) fn follow(&mut self, id: u32, generated: &[u32]) -> Result<(), EngineError> {
        self.is_over = self.attempt(generated, |parser| step(parser, id))?;
        Ok(())
    }

    /// Does `work`. When it fails, perhaps for what another request did to the tables they share, does it again with
    /// tables of its own.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a grammar that asks too much of a step, [`EngineError::Failed`] for what else
    /// goes wrong.
    fn attempt<T>(
        &mut self,
        generated: &[u32],
        work: impl Fn(&mut TokenParser) -> Result<T, String>,
    ) -> Result<T, EngineError> {
        let mut result = fenced(|| work(&mut self.parser));
        let is_own_fault = self.parser.stop_reason() == StopReason::ParserTooComplex;
        if result.is_err()
            && !is_own_fault
            && !self.has_recovered
            && generated.len() <= limits::GRAMMAR_REPLAY_TOKENS_MAX
        {
            self.has_recovered = true;
            result = fenced(|| {
                let mut parser = self.grammar.pristine.deep_clone();
                generated.iter().try_for_each(|&id| step(&mut parser, id).map(drop))?;
                let value = work(&mut parser)?;
                self.parser = parser;
                Ok(value)
            });
        }
        result.map_err(|_| match self.parser.stop_reason() {
            StopReason::LexerTooComplex | StopReason::ParserTooComplex => {
                EngineError::invalid("constraint", "is too complex to follow")
            }
            _ => EngineError::Failed("the constraint could not be followed".to_owned()),
        })
    }
}

impl Allowed {
    /// Lets `id` come as well.
    pub(crate) fn insert(&mut self, id: u32) {
        if (id as usize) < self.0.len() {
            self.0.allow_token(id);
        }
    }

    /// Forbids `id`.
    pub(crate) fn remove(&mut self, id: u32) {
        if (id as usize) < self.0.len() {
            self.0.disallow_token(id);
        }
    }

    /// Their ids in ascending order, as far as they are below `vocab`.
    pub(crate) fn ids(&self, vocab: usize) -> impl Iterator<Item = u32> {
        let of_word = |(&word, first): (&u32, u32)| Bits(word).map(move |bit| first + bit);
        let bits = self.0.as_slice().iter().zip((0..).step_by(32)).flat_map(of_word);
        bits.take_while(move |&id| (id as usize) < vocab)
    }
}

/// Places of the bits that are set.
struct Bits(u32);

impl Iterator for Bits {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let bit = self.0.trailing_zeros();
        // Takes the lowest bit away; of none there is none to take.
        self.0 &= self.0.checked_sub(1)?;
        Some(bit)
    }
}

/// Moves on by a token. Whether only the end may follow.
fn step(parser: &mut TokenParser, id: u32) -> Result<bool, String> {
    parser.consume_token(id).map_err(|error| error.to_string())?;
    parser.check_stop().map_err(|error| error.to_string())
}

/// The size of a lexer's tables.
pub(super) fn lexer_stats(parser: &TokenParser) -> Result<LexerStats, String> {
    fenced(|| Ok(parser.parser.lexer_stats()))
}

/// Runs llguidance, whose panics are errors like others.
pub(super) fn fenced<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(|| Ok(work()))).unwrap_or_else(|error| Err(error.to_string()))
}
