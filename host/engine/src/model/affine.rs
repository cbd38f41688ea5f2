//! What layers of encoders are made of: a matrix with what is added to its outputs, and a normalisation with its scale.

use rayon::prelude::*;

use super::kernel::RowTiles;
use super::kernel::activations::{Activation, activate};
use super::linear::{Linear, Threads};
use super::norm::layer_norm_in_place;
use crate::error::LoadError;
use crate::weights::Weights;

/// Values worth waking a thread for when they go through an activation.
const PARALLEL_VALUES: usize = 1 << 17;

/// Scale and shift after a normalisation.
pub(crate) struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// A matrix and what is added to its outputs.
pub(crate) struct Projection {
    matrix: Linear,
    /// Empty where nothing is added.
    bias: Vec<f32>,
}

impl Norm {
    /// Takes a norm's scale and shift, which old files call gamma and beta.
    ///
    /// # Errors
    /// [`LoadError`] when a tensor is absent or has another shape.
    pub(crate) fn load(name: &str, length: usize, weights: &mut Weights<'_>) -> Result<Self, LoadError> {
        let is_old = weights.has(&format!("{name}.gamma"));
        let (weight, bias) = if is_old { ("gamma", "beta") } else { ("weight", "bias") };
        Ok(Self {
            weight: weights.joined(&[format!("{name}.{weight}")], length)?,
            bias: weights.joined(&[format!("{name}.{bias}")], length)?,
        })
    }

    /// Normalises every row in place.
    pub(crate) fn apply(&self, rows: &mut [f32], epsilon: f32) {
        layer_norm_in_place(rows, &self.weight, &self.bias, epsilon);
    }

    /// Numbers, and bytes they take in memory.
    pub(crate) fn size(&self) -> (u64, u64) {
        vector_size(self.weight.len() + self.bias.len())
    }
}

impl Projection {
    /// A matrix and what is added to its `bias.len()` outputs; no bias where nothing is.
    pub(crate) fn new(matrix: Linear, bias: Vec<f32>) -> Self {
        Self { matrix, bias }
    }

    /// Takes several matrices of `columns` outputs and `depth` inputs as one, and their biases.
    ///
    /// * `matrices`, `biases`: names of tensors; no bias where nothing is added.
    ///
    /// # Errors
    /// [`LoadError`] when a tensor is absent or has another shape.
    pub(crate) fn load(
        matrices: &[String],
        biases: &[String],
        columns: usize,
        depth: usize,
        weights: &mut Weights<'_>,
    ) -> Result<Self, LoadError> {
        let matrix = weights.stacked(matrices, columns, depth)?;
        Ok(Self { matrix, bias: weights.joined(biases, columns)? })
    }

    /// As [`Self::load`], of `<name>.weight` and `<name>.bias`.
    pub(crate) fn named(
        name: &str,
        columns: usize,
        depth: usize,
        weights: &mut Weights<'_>,
    ) -> Result<Self, LoadError> {
        Self::load(&[format!("{name}.weight")], &[format!("{name}.bias")], columns, depth, weights)
    }

    /// Outputs of a row.
    pub(crate) fn columns(&self) -> usize {
        self.matrix.shape().0
    }

    /// See [`Linear::forward_by`].
    pub(crate) fn forward(&self, by: Threads, inputs: &[f32], rows: usize, tiles: &mut RowTiles, out: &mut Vec<f32>) {
        self.matrix.forward_by(by, inputs, rows, tiles, out);
        if self.bias.is_empty() {
            return;
        }
        for row in out.chunks_exact_mut(self.bias.len()) {
            for (value, bias) in row.iter_mut().zip(&self.bias) {
                *value += bias;
            }
        }
    }

    /// Numbers, and bytes they take in memory.
    pub(crate) fn size(&self) -> (u64, u64) {
        total([(self.matrix.parameters(), self.matrix.bytes()), vector_size(self.bias.len())])
    }
}

/// Puts values through an activation, by the threads that are free.
pub(crate) fn activate_by(by: Threads, activation: Activation, values: &mut [f32]) {
    if by == Threads::All && values.len() >= 2 * PARALLEL_VALUES {
        values.par_chunks_mut(PARALLEL_VALUES).for_each(|values| activate(activation, values));
    } else {
        activate(activation, values);
    }
}

/// `out += delta`.
pub(crate) fn add(out: &mut [f32], delta: &[f32]) {
    for (value, delta) in out.iter_mut().zip(delta) {
        *value += delta;
    }
}

/// The size of so many numbers kept in 32 bits.
pub(crate) fn vector_size(numbers: usize) -> (u64, u64) {
    (numbers as u64, numbers as u64 * size_of::<f32>() as u64)
}

/// Several sizes together.
pub(crate) fn total(sizes: impl IntoIterator<Item = (u64, u64)>) -> (u64, u64) {
    sizes.into_iter().fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1))
}
