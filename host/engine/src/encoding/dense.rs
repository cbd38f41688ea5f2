//! A matrix, what is added to its outputs and a function: the step of which heads are made.

use crate::error::LoadError;
use crate::model::kernel::RowTiles;
use crate::model::kernel::activations::{Activation, activate};
use crate::model::linear::{Linear, Threads};
use crate::weights::Weights;

/// One step of a head.
pub(crate) struct Dense {
    matrix: Linear,
    bias: Option<Vec<f32>>,
    activation: Activation,
}

/// What a [`Dense`] is made from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DenseShape {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) has_bias: bool,
    pub(crate) activation: Activation,
}

impl Dense {
    /// Takes `<name>.weight` and, where there is one, `<name>.bias`.
    ///
    /// # Errors
    /// [`LoadError`] when a tensor is absent or has another shape.
    pub(crate) fn load(name: &str, shape: DenseShape, weights: &mut Weights<'_>) -> Result<Self, LoadError> {
        let matrix = weights.stacked(&[format!("{name}.weight")], shape.outputs, shape.inputs)?;
        let bias = [format!("{name}.bias")];
        let bias = if shape.has_bias { Some(weights.joined(&bias, shape.outputs)?) } else { None };
        Ok(Self { matrix, bias, activation: shape.activation })
    }

    /// Numbers in the weights, and bytes they take in memory.
    pub(crate) fn size(&self) -> (u64, u64) {
        let numbers = self.bias.as_ref().map_or(0, Vec::len) as u64;
        (self.matrix.parameters() + numbers, self.matrix.bytes() + 4 * numbers)
    }

    /// Puts one vector through.
    pub(crate) fn apply(&self, vector: &[f32]) -> Vec<f32> {
        let mut out = Vec::new();
        self.matrix.forward_by(Threads::One, vector, 1, &mut RowTiles::default(), &mut out);
        if let Some(bias) = &self.bias {
            out.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias);
        }
        activate(self.activation, &mut out);
        out
    }
}
