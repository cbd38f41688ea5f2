//! Chooses the next token from a row of logits.

mod filter;
pub(crate) mod logprobs;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::grammar::Allowed;
use crate::request::Sampling;
use filter::Candidate;

/// The choices of one sequence: its parameters, and what it has seen so far.
#[derive(Clone, Debug)]
pub(crate) struct Sampler {
    sampling: Sampling,
    seed: u64,
    /// How often each token was generated.
    generated: HashMap<u32, u32>,
    /// Tokens of prompt and output, where a repetition penalty looks at them.
    seen: Vec<u32>,
}

/// Why no token could be chosen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SampleError {
    /// A logit is not a number, or infinite.
    NotFinite,
    /// No token may come.
    NothingAllowed,
}

/// Memory that one thread's samplers share.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    logits: Vec<f32>,
    candidates: Vec<Candidate>,
}

impl Sampler {
    /// The sampler of choice number `choice`.
    pub(crate) fn new(sampling: &Sampling, choice: u32, prompt: &[u32]) -> Self {
        let seed = sampling.seed.unwrap_or_else(random_seed);
        let mut seen = Vec::new();
        if sampling.repetition_penalty != 1.0 {
            seen.extend_from_slice(prompt);
            seen.sort_unstable();
            seen.dedup();
        }
        Self {
            sampling: sampling.clone(),
            // Choices of one request differ; choice 0 is what a request for one choice gives.
            seed: seed ^ u64::from(choice).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            generated: HashMap::new(),
            seen,
        }
    }

    /// Chooses the token number `index` of the output.
    ///
    /// The draw depends on seed, choice and `index` alone, so it is the same in every batch and after the
    /// sequence was set aside and computed again.
    ///
    /// * `row`: logits, `[vocab]`.
    /// * `banned`: tokens that may not come yet.
    pub(crate) fn sample(
        &self,
        row: &[f32],
        index: u32,
        banned: &[u32],
        scratch: &mut Scratch,
    ) -> Result<u32, SampleError> {
        check_finite(row)?;
        let is_plain = self.sampling.temperature == 0.0 && banned.is_empty() && !self.has_adjustments();
        if is_plain {
            return Ok(argmax(row));
        }
        let logits = &mut scratch.logits;
        logits.clear();
        logits.extend_from_slice(row);
        self.adjust(logits);
        for &id in banned {
            if let Some(logit) = logits.get_mut(id as usize) {
                *logit = f32::NEG_INFINITY;
            }
        }
        if self.sampling.temperature == 0.0 {
            return Ok(argmax(logits));
        }
        scratch.candidates.clear();
        scratch.candidates.extend(logits.iter().enumerate().map(|(id, &weight)| Candidate { id: id as u32, weight }));
        filter::keep(&self.sampling, &mut scratch.candidates);
        Ok(filter::draw(&scratch.candidates, uniform(self.seed, index)))
    }

    /// As [`Self::sample`], among `allowed` only.
    pub(crate) fn sample_among(
        &self,
        row: &[f32],
        index: u32,
        allowed: &Allowed,
        scratch: &mut Scratch,
    ) -> Result<u32, SampleError> {
        check_finite(row)?;
        let Scratch { logits, candidates } = scratch;
        let logits = if self.has_adjustments() {
            logits.clear();
            logits.extend_from_slice(row);
            self.adjust(logits);
            &*logits
        } else {
            row
        };
        candidates.clear();
        candidates.extend(allowed.ids(row.len()).map(|id| Candidate { id, weight: logits[id as usize] }));
        if self.sampling.temperature == 0.0 {
            // Of equals the lowest id, which comes first.
            let better = |best: Candidate, next: &Candidate| if next.weight > best.weight { *next } else { best };
            let (first, rest) = candidates.split_first().ok_or(SampleError::NothingAllowed)?;
            return Ok(rest.iter().fold(*first, better).id);
        }
        if candidates.is_empty() {
            return Err(SampleError::NothingAllowed);
        }
        filter::keep(&self.sampling, candidates);
        Ok(filter::draw(candidates, uniform(self.seed, index)))
    }

    /// Takes note of a generated token.
    pub(crate) fn accept(&mut self, id: u32) {
        *self.generated.entry(id).or_default() += 1;
        if self.sampling.repetition_penalty != 1.0
            && let Err(place) = self.seen.binary_search(&id)
        {
            self.seen.insert(place, id);
        }
    }

    /// Whether logits change before the choice.
    fn has_adjustments(&self) -> bool {
        let sampling = &self.sampling;
        !sampling.logit_bias.is_empty()
            || sampling.repetition_penalty != 1.0
            || sampling.presence_penalty != 0.0
            || sampling.frequency_penalty != 0.0
    }

    /// Applies penalties and bias.
    fn adjust(&self, logits: &mut [f32]) {
        let sampling = &self.sampling;
        if sampling.repetition_penalty != 1.0 {
            for &id in &self.seen {
                if let Some(logit) = logits.get_mut(id as usize) {
                    let penalty = sampling.repetition_penalty;
                    *logit = if *logit > 0.0 { *logit / penalty } else { *logit * penalty };
                }
            }
        }
        if sampling.presence_penalty != 0.0 || sampling.frequency_penalty != 0.0 {
            for (&id, &count) in &self.generated {
                if let Some(logit) = logits.get_mut(id as usize) {
                    *logit -= sampling.presence_penalty + sampling.frequency_penalty * count as f32;
                }
            }
        }
        for &(id, bias) in &sampling.logit_bias {
            if let Some(logit) = logits.get_mut(id as usize) {
                *logit += bias;
            }
        }
    }
}

/// Refuses rows that are not all numbers.
fn check_finite(row: &[f32]) -> Result<(), SampleError> {
    // No early end, so that it runs many wide.
    let is_broken = row.iter().fold(false, |found, logit| found | !logit.is_finite());
    if is_broken { Err(SampleError::NotFinite) } else { Ok(()) }
}

/// The most likely token; of equals the lowest id.
fn argmax(row: &[f32]) -> u32 {
    // Values first and the place afterwards: the first loop then runs eight wide.
    let mut lanes = [f32::NEG_INFINITY; 8];
    let (chunks, rest) = row.as_chunks::<8>();
    for chunk in chunks {
        for (best, &logit) in lanes.iter_mut().zip(chunk) {
            *best = if logit > *best { logit } else { *best };
        }
    }
    let best = lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter().position(|&logit| logit == best).unwrap_or(0) as u32
}

/// A seed that nobody can foresee; the hasher's keys come from the operating system.
pub(crate) fn random_seed() -> u64 {
    RandomState::new().hash_one(0u8)
}

/// Number in `[0, 1)` for draw number `index`.
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014 (SplitMix64).
fn uniform(seed: u64, index: u32) -> f64 {
    let mut state = seed.wrapping_add(u64::from(index).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^= state >> 31;
    // The upper 53 bits, as many as an f64 holds.
    (state >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: [f32; 5] = [0.0, 3.0, 1.0, 2.0, -1.0];

    /// Tokens of 2,000 draws with different indices, in ascending order and without repetition.
    fn reachable(sampling: Sampling) -> Vec<u32> {
        let sampler = Sampler::new(&Sampling { seed: Some(7), ..sampling }, 0, &[]);
        let mut scratch = Scratch::default();
        let mut ids: Vec<u32> =
            (0..2_000).map(|index| sampler.sample(&ROW, index, &[], &mut scratch).unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn warm() -> Sampling {
        Sampling { temperature: 1.0, ..Sampling::default() }
    }

    #[test]
    fn filters_keep_the_right_tokens() {
        assert_eq!(reachable(Sampling::default()), [1]);
        assert_eq!(reachable(warm()), [0, 1, 2, 3, 4]);
        assert_eq!(reachable(Sampling { top_k: 2, ..warm() }), [1, 3]);
        // Probabilities are 0.636, 0.234, 0.086, 0.032, 0.012 in the order of ids 1, 3, 2, 0, 4.
        assert_eq!(reachable(Sampling { top_p: 0.6, ..warm() }), [1]);
        assert_eq!(reachable(Sampling { top_p: 0.65, ..warm() }), [1, 3]);
        assert_eq!(reachable(Sampling { top_p: 0.9, ..warm() }), [1, 2, 3]);
        assert_eq!(reachable(Sampling { top_p: 1e-30, ..warm() }), [1]);
        assert_eq!(reachable(Sampling { min_p: 0.1, ..warm() }), [1, 2, 3]);
        assert_eq!(reachable(Sampling { min_p: 1.0, ..warm() }), [1]);
        assert_eq!(reachable(Sampling { temperature: 1e-30, ..warm() }), [1]);
        assert_eq!(reachable(Sampling { temperature: 100.0, ..warm() }), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn frequencies_follow_the_probabilities() {
        let sampler = Sampler::new(&Sampling { seed: Some(1), ..warm() }, 0, &[]);
        let mut scratch = Scratch::default();
        let draws = 20_000;
        let hits = (0..draws).filter(|&index| sampler.sample(&ROW, index, &[], &mut scratch) == Ok(1)).count();
        let share = hits as f64 / f64::from(draws);
        assert!((share - 0.636).abs() < 0.015, "{share}");
    }

    #[test]
    fn penalties_bias_and_bans_move_the_choice() {
        let check = |sampling: Sampling, prompt: &[u32], generated: &[u32], banned: &[u32], expect: u32| {
            let mut sampler = Sampler::new(&sampling, 0, prompt);
            generated.iter().for_each(|&id| sampler.accept(id));
            assert_eq!(sampler.sample(&ROW, 0, banned, &mut Scratch::default()), Ok(expect));
        };
        let plain = Sampling::default();
        check(plain.clone(), &[1], &[1], &[], 1);
        check(Sampling { repetition_penalty: 2.0, ..plain.clone() }, &[1], &[], &[], 3);
        check(Sampling { repetition_penalty: 2.0, ..plain.clone() }, &[], &[1, 3], &[], 1);
        check(Sampling { presence_penalty: 1.5, ..plain.clone() }, &[1], &[], &[], 1);
        check(Sampling { presence_penalty: 1.5, ..plain.clone() }, &[], &[1], &[], 3);
        check(Sampling { frequency_penalty: 0.4, ..plain.clone() }, &[], &[1, 1], &[], 1);
        check(Sampling { frequency_penalty: 0.4, ..plain.clone() }, &[], &[1, 1, 1], &[], 3);
        check(Sampling { logit_bias: vec![(4, 5.0)], ..plain.clone() }, &[], &[], &[], 4);
        check(plain, &[], &[], &[1, 3], 2);
    }

    #[test]
    fn rows_without_meaning_are_refused() {
        let sampler = Sampler::new(&warm(), 0, &[]);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let row = [0.0, bad];
            assert_eq!(sampler.sample(&row, 0, &[], &mut Scratch::default()), Err(SampleError::NotFinite));
        }
    }

    #[test]
    fn seeds_reproduce_and_choices_differ() {
        let draw = |seed: u64, choice: u32| -> Vec<u32> {
            let sampler = Sampler::new(&Sampling { seed: Some(seed), ..warm() }, choice, &[]);
            (0..32).map(|index| sampler.sample(&ROW, index, &[], &mut Scratch::default()).unwrap()).collect()
        };
        assert_eq!(draw(5, 0), draw(5, 0));
        assert_ne!(draw(5, 0), draw(6, 0));
        assert_ne!(draw(5, 0), draw(5, 1));
    }
}
