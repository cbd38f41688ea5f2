//! Temperature, top-k, top-p and min-p, and the draw among what they leave.

use crate::request::Sampling;

/// A token that may be drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) id: u32,
    /// First the logit, then its weight relative to the most likely token, 0 to 1.
    pub(super) weight: f32,
}

/// Candidates sorted in the first attempt to reach top-p; most distributions need fewer.
const SORTED_FIRST: usize = 256;

/// Leaves in `kept`, which has logits for weights, the candidates that pass all filters, best first where a filter
/// needed the order.
///
/// At least the most likely token stays.
pub(super) fn keep(sampling: &Sampling, kept: &mut Vec<Candidate>) {
    let top_k = sampling.top_k as usize;
    if top_k > 0 && top_k < kept.len() {
        kept.select_nth_unstable_by(top_k - 1, best_first);
        kept.truncate(top_k);
    }
    let best = kept.iter().map(|candidate| candidate.weight).fold(f32::NEG_INFINITY, f32::max);
    for candidate in kept.iter_mut() {
        // In f64, because a tiny temperature would overflow the quotient.
        let scaled = f64::from(candidate.weight - best) / f64::from(sampling.temperature);
        candidate.weight = scaled.exp() as f32;
    }
    if sampling.top_p < 1.0 {
        keep_top_p(kept, sampling.top_p);
    }
    if sampling.min_p > 0.0 {
        kept.retain(|candidate| candidate.weight >= sampling.min_p);
    }
}

/// Keeps the fewest best candidates whose share of all weights is at least `top_p`.
fn keep_top_p(kept: &mut Vec<Candidate>, top_p: f32) {
    let total: f64 = kept.iter().map(|candidate| f64::from(candidate.weight)).sum();
    let wanted = total * f64::from(top_p);
    let mut sorted = SORTED_FIRST;
    loop {
        let count = sorted.min(kept.len());
        if count < kept.len() {
            kept.select_nth_unstable_by(count - 1, best_first);
        }
        kept[..count].sort_unstable_by(best_first);
        let mut reached = 0.0;
        let enough = kept[..count].iter().position(|candidate| {
            reached += f64::from(candidate.weight);
            reached >= wanted
        });
        match enough {
            Some(last) => return kept.truncate(last + 1),
            None if count == kept.len() => return,
            None => sorted *= 8,
        }
    }
}

/// Draws from `kept`.
///
/// * `uniform`: in `[0, 1)`.
pub(super) fn draw(kept: &[Candidate], uniform: f64) -> u32 {
    let total: f64 = kept.iter().map(|candidate| f64::from(candidate.weight)).sum();
    let mut rest = uniform * total;
    for candidate in kept {
        rest -= f64::from(candidate.weight);
        if rest < 0.0 {
            return candidate.id;
        }
    }
    // Rounding left a little over: the last one with any weight.
    kept.iter().rev().find(|candidate| candidate.weight > 0.0).map_or(0, |candidate| candidate.id)
}

/// By weight downwards, equals by id, so that the order is the same in every run.
fn best_first(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    b.weight.total_cmp(&a.weight).then(a.id.cmp(&b.id))
}
