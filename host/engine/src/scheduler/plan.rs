//! Chooses the rows of a step.

use super::sequence::Permit;
use super::{Scheduler, blocks_for};
use crate::limits;
use crate::model::LogitRows;

/// Most numbers in the logits of a step; fewer prompt rows are scored at once for a large vocabulary.
const LOGITS_MAX: usize = 8 << 20;

/// The rows of one sequence in a step.
pub(super) struct Planned {
    /// Its place among the running sequences.
    pub(super) index: usize,
    /// Position of the first row.
    pub(super) start: usize,
    /// Position after the last row.
    pub(super) end: usize,
    /// Which rows give logits.
    pub(super) logits: LogitRows,
    /// Room for the piece that may come of it, where a token is chosen.
    pub(super) permit: Option<Permit>,
}

impl Scheduler {
    /// The rows of the next step; none when every sequence waits for its reader.
    pub(super) fn plan(&mut self) -> Vec<Planned> {
        self.make_room();
        let (decoding, mut prompts): (Vec<usize>, Vec<usize>) =
            (0..self.running.len()).partition(|&index| self.remaining(index) == 1);
        let mut planned: Vec<Planned> = decoding.into_iter().filter_map(|index| self.plan_rows(index, 1)).collect();
        let mut rows = self.bounds.step_tokens.saturating_sub(planned.len());
        // The shortest first, and an even share for each: a short prompt need not wait for a long one.
        prompts.sort_by_key(|&index| self.remaining(index));
        let mut sharers = prompts.len();
        for index in prompts {
            let share = rows / sharers;
            sharers -= 1;
            if share == 0 {
                continue;
            }
            if let Some(next) = self.plan_rows(index, share) {
                rows -= next.end - next.start;
                planned.push(next);
            }
        }
        planned
    }

    /// Tokens of a sequence that are not computed yet.
    fn remaining(&self, index: usize) -> usize {
        self.running[index].tokens.len() - self.running[index].computed
    }

    /// Up to `rows_max` rows of a sequence. `None`: its reader lags behind.
    fn plan_rows(&mut self, index: usize, rows_max: usize) -> Option<Planned> {
        let start = self.running[index].computed;
        let is_scoring = self.running[index].is_scoring();
        let rows_max = if is_scoring { rows_max.min((LOGITS_MAX / self.decoder.vocab()).max(1)) } else { rows_max };
        let mut rows = self.remaining(index).min(rows_max);
        if !self.extend_blocks(index, blocks_for(start + rows)) {
            // Others hold the rest; what there is covers one row at least.
            rows = self.running[index].blocks.len() * crate::kv_cache::BLOCK_TOKENS - start;
        }
        let sequence = &self.running[index];
        let end = start + rows;
        let is_last = end == sequence.tokens.len();
        let permit = if is_last { Some(sequence.ticket.reserve()?) } else { None };
        let logits = match (is_scoring, is_last) {
            (true, _) => LogitRows::All,
            (false, true) => LogitRows::Last,
            (false, false) => LogitRows::None,
        };
        Some(Planned { index, start, end, logits, permit })
    }
}

// Every stream keeps one place for an error and needs one for a piece.
const _: () = assert!(limits::STREAM_PIECES_MAX >= 2);
