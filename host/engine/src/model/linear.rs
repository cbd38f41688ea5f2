//! Weight matrices and their product with rows of activations.

use std::borrow::Cow;

use candle_core::quantized::{GgmlDType, QMatMul, QStorage, QTensor};
use candle_core::{CpuStorage, Device, Module, Storage, Tensor};
use rayon::prelude::*;

use super::kernel::{Bf16, LANES, Panels, RowTiles, Sink, Weight, multiply};
use crate::error::EngineError;

/// Multiplications that are worth waking a thread for, about 50 µs of work.
const PARALLEL_WORK: usize = 1 << 20;

/// A matrix `[columns, depth]`: `columns` outputs of `depth` inputs each.
pub(crate) enum Linear {
    /// f32 weights in panels.
    F32(Packed<f32>),
    /// bf16 weights in panels, widened as they are used.
    Bf16(Packed<Bf16>),
    /// Quantized weights, executed by candle.
    Quantized(Quantized),
}

/// A dense matrix in panels of [`LANES`] outputs: `[panels, depth, LANES]`.
pub(crate) struct Packed<W> {
    weights: Vec<W>,
    columns: usize,
    depth: usize,
}

/// A quantized matrix.
pub(crate) struct Quantized {
    matrix: QMatMul,
    columns: usize,
    depth: usize,
    bytes: usize,
}

impl<W: Weight> Packed<W> {
    /// Packs a row-major matrix `[columns, depth]`.
    pub(crate) fn new(rows: &[W], columns: usize, depth: usize) -> Self {
        let mut weights = vec![W::default(); columns.div_ceil(LANES) * LANES * depth];
        for (column, row) in rows.chunks_exact(depth).enumerate() {
            let begin = column / LANES * LANES * depth + column % LANES;
            for (place, &weight) in weights[begin..].iter_mut().step_by(LANES).zip(row) {
                *place = weight;
            }
        }
        Self { weights, columns, depth }
    }

    /// Panels `first..last` as a matrix.
    fn panels(&self, first: usize, last: usize) -> Panels<'_, W> {
        let floats = LANES * self.depth;
        Panels {
            weights: &self.weights[first * floats..last * floats],
            panel_depth: self.depth,
            columns: self.columns.min(last * LANES) - first * LANES,
        }
    }

    /// `out = inputs * weights`, by one thread or several.
    fn forward(&self, inputs: &[f32], rows: usize, tiles: &mut RowTiles, out: &mut [f32]) {
        tiles.fill(inputs, rows, self.depth, self.depth);
        let tiles = &*tiles;
        let count = self.columns.div_ceil(LANES);
        let threads = rayon::current_num_threads();
        let is_small = rows * self.columns * self.depth < PARALLEL_WORK;
        if threads == 1 || is_small {
            let sink = Sink { values: out, stride: self.columns, adds: false };
            return multiply(tiles, 0, self.depth, self.panels(0, count), sink);
        }
        // More strips than threads, so that one that is held up does not hold up all.
        let strip = count.div_ceil(threads * 4).max(1);
        if rows == 1 {
            out.par_chunks_mut(strip * LANES).enumerate().for_each(|(index, values)| {
                let first = index * strip;
                let sink = Sink { stride: values.len(), values, adds: false };
                multiply(tiles, 0, self.depth, self.panels(first, count.min(first + strip)), sink);
            });
            return;
        }
        // A strip's columns are spread over all rows, so each thread writes into a buffer of its own.
        let strips: Vec<Vec<f32>> = (0..count.div_ceil(strip))
            .into_par_iter()
            .map(|index| {
                let first = index * strip;
                let panels = self.panels(first, count.min(first + strip));
                let mut values = vec![0.0; rows * panels.columns];
                let sink = Sink { values: &mut values, stride: panels.columns, adds: false };
                multiply(tiles, 0, self.depth, panels, sink);
                values
            })
            .collect();
        for (index, values) in strips.iter().enumerate() {
            let begin = index * strip * LANES;
            let width = values.len() / rows;
            for (row, values) in values.chunks_exact(width).enumerate() {
                out[row * self.columns + begin..][..width].copy_from_slice(values);
            }
        }
    }

    /// Writes the weights of output `column` into `out`, `[depth]`.
    fn row(&self, column: usize, out: &mut [f32]) {
        let begin = column / LANES * LANES * self.depth + column % LANES;
        for (place, weight) in out.iter_mut().zip(self.weights[begin..].iter().step_by(LANES)) {
            *place = weight.widen();
        }
    }
}

impl Quantized {
    /// A matrix of blocks as GGUF stores them.
    ///
    /// * `bytes`: exactly `[columns, depth]` values of `dtype`.
    pub(crate) fn new(dtype: GgmlDType, bytes: Vec<u8>, columns: usize, depth: usize) -> candle_core::Result<Self> {
        let size = bytes.len();
        let storage = QStorage::from_data(Cow::Owned(bytes), &Device::Cpu, dtype)?;
        let tensor = QTensor::new(storage, (columns, depth))?;
        Ok(Self { matrix: QMatMul::from_qtensor(tensor)?, columns, depth, bytes: size })
    }

    /// `out = inputs * weights`.
    fn forward(&self, inputs: &[f32], rows: usize, out: &mut [f32]) -> candle_core::Result<()> {
        let inputs = Tensor::from_slice(inputs, (rows, self.depth), &Device::Cpu)?;
        copy_out(&self.matrix.forward(&inputs)?, out)
    }

    /// Writes the weights of output `column` into `out`, `[depth]`.
    fn row(&self, column: usize, out: &mut [f32]) -> candle_core::Result<()> {
        let id = Tensor::from_slice(&[column as u32], 1, &Device::Cpu)?;
        copy_out(&self.matrix.embedding(&id)?, out)
    }
}

/// Copies a contiguous tensor of f32.
fn copy_out(tensor: &Tensor, out: &mut [f32]) -> candle_core::Result<()> {
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(CpuStorage::F32(values)) = &*storage else {
        candle_core::bail!("expected f32 on the CPU");
    };
    let begin = layout.start_offset();
    out.copy_from_slice(&values[begin..begin + out.len()]);
    Ok(())
}

impl Linear {
    /// Outputs.
    pub(crate) fn columns(&self) -> usize {
        match self {
            Self::F32(packed) => packed.columns,
            Self::Bf16(packed) => packed.columns,
            Self::Quantized(quantized) => quantized.columns,
        }
    }

    /// Weights.
    pub(crate) fn parameters(&self) -> u64 {
        let (columns, depth) = match self {
            Self::F32(packed) => (packed.columns, packed.depth),
            Self::Bf16(packed) => (packed.columns, packed.depth),
            Self::Quantized(quantized) => (quantized.columns, quantized.depth),
        };
        columns as u64 * depth as u64
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> u64 {
        let bytes = match self {
            Self::F32(packed) => packed.weights.len() * 4,
            Self::Bf16(packed) => packed.weights.len() * 2,
            Self::Quantized(quantized) => quantized.bytes,
        };
        bytes as u64
    }

    /// Multiplies rows of activations with the matrix.
    ///
    /// * `inputs`: `[rows, depth]`.
    /// * `tiles`: memory to work in.
    /// * `out`: `[rows, columns]`, resized and overwritten.
    ///
    /// # Errors
    /// What candle reports of quantized weights.
    pub(crate) fn forward(
        &self,
        inputs: &[f32],
        rows: usize,
        tiles: &mut RowTiles,
        out: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        out.resize(rows * self.columns(), 0.0);
        match self {
            Self::F32(packed) => packed.forward(inputs, rows, tiles, out),
            Self::Bf16(packed) => packed.forward(inputs, rows, tiles, out),
            Self::Quantized(quantized) => quantized.forward(inputs, rows, out).map_err(failed)?,
        }
        Ok(())
    }

    /// Writes the weights of output `column`: the embedding of a token.
    ///
    /// * `out`: `[depth]`.
    ///
    /// # Errors
    /// What candle reports of quantized weights.
    pub(crate) fn row(&self, column: usize, out: &mut [f32]) -> Result<(), EngineError> {
        match self {
            Self::F32(packed) => packed.row(column, out),
            Self::Bf16(packed) => packed.row(column, out),
            Self::Quantized(quantized) => quantized.row(column, out).map_err(failed)?,
        }
        Ok(())
    }
}

/// What a request is told of a candle error.
fn failed(error: candle_core::Error) -> EngineError {
    EngineError::Failed(format!("matrix product: {error}"))
}
