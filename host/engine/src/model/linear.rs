//! Weight matrices and their product with rows of activations.

use rayon::prelude::*;

use super::kernel::{Bf16, LANES, Panels, RowTiles, Scaled8, Sink, Weight, multiply};

/// Multiplications that are worth waking a thread for, about 50 µs of work.
const PARALLEL_WORK: usize = 1 << 20;

/// Which threads compute a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    /// The one that asks; the others have work of their own.
    One,
    /// All of the pool, where the work is worth it.
    All,
}

/// A matrix `[columns, depth]`: `columns` outputs of `depth` inputs each.
pub(crate) enum Linear {
    /// f32 weights in panels.
    F32(Packed<f32>),
    /// bf16 weights in panels, widened as they are used.
    Bf16(Packed<Bf16>),
    /// 8-bit weights in panels, with a scale for every 32.
    Scaled8(Packed<Scaled8>),
}

/// A matrix in panels of [`LANES`] outputs: `[panels, depth, LANES]`.
pub(crate) struct Packed<W> {
    weights: Vec<W>,
    /// `[panels, depth / block, LANES]`, where weights have scales.
    scales: Vec<f32>,
    columns: usize,
    depth: usize,
}

impl<W: Weight> Packed<W> {
    /// A matrix that lies in panels already.
    ///
    /// * `weights`: `[panels, depth, LANES]`; columns past `columns` are zero.
    /// * `scales`: `[panels, depth / block, LANES]`; empty where the weights have none.
    pub(crate) fn from_panels(weights: Vec<W>, scales: Vec<f32>, columns: usize, depth: usize) -> Self {
        let packed = Self { weights, scales, columns, depth };
        let (weights, scales) = (packed.weights.len(), packed.scales.len());
        assert_eq!(packed.numbers(), (weights, scales), "panels have the size of their matrix");
        packed
    }

    /// A matrix that has a size and no weights; it cannot be multiplied.
    pub(crate) fn sized(columns: usize, depth: usize) -> Self {
        Self { weights: Vec::new(), scales: Vec::new(), columns, depth }
    }

    /// Weights and scales in memory, those of missing columns included.
    fn numbers(&self) -> (usize, usize) {
        let columns = self.columns.div_ceil(LANES) * LANES;
        (columns * self.depth, columns * W::BLOCK.map_or(0, |block| self.depth / block))
    }

    /// Panels `first..last` as a matrix.
    fn panels(&self, first: usize, last: usize) -> Panels<'_, W> {
        let floats = LANES * self.depth;
        let scales = LANES * W::BLOCK.map_or(0, |block| self.depth / block);
        Panels {
            weights: &self.weights[first * floats..last * floats],
            scales: &self.scales[first * scales..last * scales],
            panel_depth: self.depth,
            columns: self.columns.min(last * LANES) - first * LANES,
        }
    }

    /// Bytes in memory.
    fn bytes(&self) -> u64 {
        let (weights, scales) = self.numbers();
        (weights * size_of::<W>() + scales * size_of::<f32>()) as u64
    }

    /// `out = inputs * weights`, by one thread or several.
    fn forward(&self, inputs: &[f32], rows: usize, by: Threads, tiles: &mut RowTiles, out: &mut [f32]) {
        tiles.fill(inputs, rows, self.depth, self.depth);
        let tiles = &*tiles;
        let count = self.columns.div_ceil(LANES);
        let threads = rayon::current_num_threads();
        let is_small = rows * self.columns * self.depth < PARALLEL_WORK;
        if by == Threads::One || threads == 1 || is_small {
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
        let begin = |depth: usize| column / LANES * LANES * depth + column % LANES;
        for (place, weight) in out.iter_mut().zip(self.weights[begin(self.depth)..].iter().step_by(LANES)) {
            *place = weight.widen();
        }
        if let Some(block) = W::BLOCK {
            let scales = self.scales[begin(self.depth / block)..].iter().step_by(LANES);
            for (values, &scale) in out.chunks_mut(block).zip(scales) {
                values.iter_mut().for_each(|value| *value *= scale);
            }
        }
    }
}

impl Linear {
    /// A matrix of numbers that were computed.
    ///
    /// * `rows`: `[columns, depth]`.
    pub(crate) fn from_rows(rows: &[f32], columns: usize, depth: usize) -> Self {
        Self::F32(Packed::from_panels(into_panels(rows, columns, depth), Vec::new(), columns, depth))
    }

    /// Outputs, and inputs of each.
    pub(crate) fn shape(&self) -> (usize, usize) {
        match self {
            Self::F32(packed) => (packed.columns, packed.depth),
            Self::Bf16(packed) => (packed.columns, packed.depth),
            Self::Scaled8(packed) => (packed.columns, packed.depth),
        }
    }

    /// Weights.
    pub(crate) fn parameters(&self) -> u64 {
        let (columns, depth) = self.shape();
        columns as u64 * depth as u64
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::F32(packed) => packed.bytes(),
            Self::Bf16(packed) => packed.bytes(),
            Self::Scaled8(packed) => packed.bytes(),
        }
    }

    /// Multiplies rows of activations with the matrix.
    ///
    /// * `inputs`: `[rows, depth]`.
    /// * `tiles`: memory to work in.
    /// * `out`: `[rows, columns]`, resized and overwritten.
    pub(crate) fn forward(&self, inputs: &[f32], rows: usize, tiles: &mut RowTiles, out: &mut Vec<f32>) {
        self.forward_by(Threads::All, inputs, rows, tiles, out);
    }

    /// As [`Self::forward`], by the threads that are free. Which they are does not change a bit of the result.
    pub(crate) fn forward_by(
        &self,
        by: Threads,
        inputs: &[f32],
        rows: usize,
        tiles: &mut RowTiles,
        out: &mut Vec<f32>,
    ) {
        out.resize(rows * self.shape().0, 0.0);
        match self {
            Self::F32(packed) => packed.forward(inputs, rows, by, tiles, out),
            Self::Bf16(packed) => packed.forward(inputs, rows, by, tiles, out),
            Self::Scaled8(packed) => packed.forward(inputs, rows, by, tiles, out),
        }
    }

    /// Writes the weights of output `column`: the embedding of a token.
    ///
    /// * `out`: `[depth]`.
    pub(crate) fn row(&self, column: usize, out: &mut [f32]) {
        match self {
            Self::F32(packed) => packed.row(column, out),
            Self::Bf16(packed) => packed.row(column, out),
            Self::Scaled8(packed) => packed.row(column, out),
        }
    }
}

/// Lays rows `[columns, depth]` out as `[panels, depth, LANES]`; missing columns are zero.
fn into_panels<T: Copy + Default>(rows: &[T], columns: usize, depth: usize) -> Vec<T> {
    let mut panels = vec![T::default(); columns.div_ceil(LANES) * LANES * depth];
    for (column, row) in rows.chunks_exact(depth).enumerate() {
        let begin = column / LANES * LANES * depth + column % LANES;
        for (place, &value) in panels[begin..].iter_mut().step_by(LANES).zip(row) {
            *place = value;
        }
    }
    panels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_weights_are_their_products() {
        let (columns, depth, rows) = (21usize, 64usize, 7usize);
        let number = |index: usize| (index * 37 % 255) as f32 - 127.0;
        let weights: Vec<Scaled8> = (0..columns * depth).map(|index| Scaled8(number(index) as i8)).collect();
        let scales: Vec<f32> = (0..columns * 2).map(|index| (index + 1) as f32 / 64.0).collect();
        let value = |column: usize, step: usize| number(column * depth + step) * scales[column * 2 + step / 32];
        let matrix = Linear::Scaled8(Packed::from_panels(
            into_panels(&weights, columns, depth),
            into_panels(&scales, columns, depth / 32),
            columns,
            depth,
        ));
        let mut embedding = vec![0.0; depth];
        matrix.row(20, &mut embedding);
        assert!(embedding.iter().enumerate().all(|(step, &weight)| weight == value(20, step)));
        let inputs: Vec<f32> = (0..rows * depth).map(|index| (index % 13) as f32 - 6.0).collect();
        let mut out = Vec::new();
        matrix.forward(&inputs, rows, &mut RowTiles::default(), &mut out);
        for (index, &sum) in out.iter().enumerate() {
            let (row, column) = (index / columns, index % columns);
            let expect: f32 = (0..depth).map(|step| inputs[row * depth + step] * value(column, step)).sum();
            assert!((sum - expect).abs() <= expect.abs() * 1e-4 + 1e-1, "{sum} {expect}");
        }
    }
}
