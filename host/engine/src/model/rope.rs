//! Rotary position embedding.

use crate::config::{RopeConfig, RopeScaling};

/// Frequencies of a model, and the angles of the rows at hand.
pub(crate) struct Rope {
    /// Radians per position, `[head_dim / 2]`.
    frequencies: Vec<f32>,
    is_interleaved: bool,
    /// Cosine and sine of each row, `[rows, head_dim / 2]`.
    cosines: Vec<f32>,
    sines: Vec<f32>,
}

impl Rope {
    /// * `head_dim`: even.
    pub(crate) fn new(config: &RopeConfig, head_dim: usize) -> Self {
        let half = head_dim / 2;
        let plain = (0..half).map(|index| {
            let exponent = (2 * index) as f32 / head_dim as f32;
            1.0 / config.theta.powf(exponent)
        });
        let frequencies = plain.enumerate().map(|(index, frequency)| scale(frequency, index, &config.scaling));
        Self {
            frequencies: frequencies.collect(),
            is_interleaved: config.is_interleaved,
            cosines: Vec::new(),
            sines: Vec::new(),
        }
    }

    /// Computes the angles of rows at these positions.
    pub(crate) fn set_positions(&mut self, positions: impl Iterator<Item = usize>) {
        self.cosines.clear();
        self.sines.clear();
        for position in positions {
            for &frequency in &self.frequencies {
                let (sine, cosine) = (position as f32 * frequency).sin_cos();
                self.cosines.push(cosine);
                self.sines.push(sine);
            }
        }
    }

    /// Rotates every head of every row, in place.
    ///
    /// * `rows`: `[rows, heads, head_dim]`, rows as in [`Self::set_positions`].
    /// * `heads`: queries' or keys'.
    ///
    /// Pairs are half-split, or neighbours where the configuration says interleaved.
    ///
    /// Source: arXiv 2104.09864, section 3.4.2.
    pub(crate) fn rotate(&self, rows: &mut [f32], heads: usize) {
        let half = self.frequencies.len();
        let angles = self.cosines.chunks_exact(half).zip(self.sines.chunks_exact(half));
        for (row, (cosines, sines)) in rows.chunks_exact_mut(heads * half * 2).zip(angles) {
            for head in row.chunks_exact_mut(half * 2) {
                if self.is_interleaved {
                    rotate_interleaved(head, cosines, sines);
                } else {
                    rotate_half(head, cosines, sines);
                }
            }
        }
    }
}

/// Rotates pairs `i` and `i + head_dim / 2`.
fn rotate_half(head: &mut [f32], cosines: &[f32], sines: &[f32]) {
    let (first, second) = head.split_at_mut(cosines.len());
    for (((a, b), &cosine), &sine) in first.iter_mut().zip(second).zip(cosines).zip(sines) {
        (*a, *b) = (*a * cosine - *b * sine, *b * cosine + *a * sine);
    }
}

/// Rotates pairs `2 i` and `2 i + 1`.
fn rotate_interleaved(head: &mut [f32], cosines: &[f32], sines: &[f32]) {
    let (pairs, _) = head.as_chunks_mut::<2>();
    for (([a, b], &cosine), &sine) in pairs.iter_mut().zip(cosines).zip(sines) {
        (*a, *b) = (*a * cosine - *b * sine, *b * cosine + *a * sine);
    }
}

/// Scales frequency number `index` for long contexts.
///
/// Source: transformers, `modeling_rope_utils.py`, `_compute_llama3_parameters`; llama.cpp, `rope_freqs.weight`.
fn scale(frequency: f32, index: usize, scaling: &RopeScaling) -> f32 {
    match scaling {
        RopeScaling::None => frequency,
        RopeScaling::Linear { factor } => frequency / factor,
        RopeScaling::Divisors(divisors) => frequency / divisors[index],
        RopeScaling::Llama3 { factor, low, high, original } => {
            let wavelength = 2.0 * std::f32::consts::PI / frequency;
            if wavelength < original / high {
                return frequency;
            }
            if wavelength > original / low {
                return frequency / factor;
            }
            let smooth = (original / wavelength - low) / (high - low);
            (1.0 - smooth) * frequency / factor + smooth * frequency
        }
    }
}
