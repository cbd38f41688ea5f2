//! The inner loops of matrix products, over plain slices.
//!
//! Weights lie in panels of [`LANES`] columns, so that one row of a panel fills whole vector registers and no sum
//! ever runs across a register. Every output is one chain of additions in the order of its inputs, whatever the
//! number of rows computed together: a row's result does not depend on its neighbours.

pub(crate) mod activations;
mod lanes;

use std::array;

pub(crate) use lanes::{Bf16, LANES, Scaled8, Weight};
use lanes::{Lanes, Portable};

/// Rows computed together; 6 rows of 16 sums fill the 12 vector registers that weights and inputs leave free.
const TILE_ROWS: usize = 6;

/// Rows of inputs, interleaved so that the values that meet one row of a panel lie side by side.
#[derive(Debug, Default)]
pub(crate) struct RowTiles {
    /// Tile after tile; a tile of `r` rows is `[depth, r]`.
    values: Vec<f32>,
    rows: usize,
    depth: usize,
}

impl RowTiles {
    /// Takes in `rows` rows of `depth` values; row `i` begins at `i * stride` of `inputs`.
    pub(crate) fn fill(&mut self, inputs: &[f32], rows: usize, depth: usize, stride: usize) {
        self.rows = rows;
        self.depth = depth;
        self.values.clear();
        self.values.resize(rows * depth, 0.0);
        for (tile, values) in self.values.chunks_mut((TILE_ROWS * depth).max(1)).enumerate() {
            let tile_rows = values.len() / depth;
            for row in 0..tile_rows {
                let begin = (tile * TILE_ROWS + row) * stride;
                let input = &inputs[begin..begin + depth];
                for (place, &value) in values[row..].iter_mut().step_by(tile_rows).zip(input) {
                    *place = value;
                }
            }
        }
    }
}

/// A matrix in panels: `[panels, panel_depth, LANES]`, of which the first `depth` rows of each panel count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panels<'a, W> {
    /// The weights.
    pub(crate) weights: &'a [W],
    /// Scales of blocks, `[panels, panel_depth / block, LANES]`; empty where the weights have none.
    pub(crate) scales: &'a [f32],
    /// Rows of a panel in memory.
    pub(crate) panel_depth: usize,
    /// Columns of the matrix; the last panel may have fewer than [`LANES`].
    pub(crate) columns: usize,
}

/// Where results go.
#[derive(Debug)]
pub(crate) struct Sink<'a> {
    /// Row `i` begins at `i * stride`.
    pub(crate) values: &'a mut [f32],
    /// Values between the beginnings of two rows.
    pub(crate) stride: usize,
    /// Whether results are added to what is there.
    pub(crate) adds: bool,
}

/// Multiplies inputs `from..from + depth` of every row with the matrix.
///
/// * `from`: 0 where weights have scales.
/// * `depth`: at most the matrix's `panel_depth`.
/// * `sink`: `[rows, columns]`.
pub(crate) fn multiply<W: Weight>(rows: &RowTiles, from: usize, depth: usize, panels: Panels<'_, W>, sink: Sink<'_>) {
    let product = Product { rows, from, depth, panels, sink };
    #[cfg(target_arch = "x86_64")]
    if let Some(machine) = lanes::Avx2Machine::detect() {
        return machine.run(product);
    }
    product.compute::<Portable>();
}

/// A product to compute.
struct Product<'a, W> {
    rows: &'a RowTiles,
    from: usize,
    depth: usize,
    panels: Panels<'a, W>,
    sink: Sink<'a>,
}

impl<W: Weight> Product<'_, W> {
    /// Computes it tile by tile. Inlined into a function that is compiled for the lanes' instructions.
    #[inline(always)]
    fn compute<L: Lanes>(mut self) {
        let count = self.panels.columns.div_ceil(LANES);
        let mut index = 0;
        while index < count {
            // Few rows leave registers free for more panels; enough sums must be in flight.
            let together = match self.rows.rows {
                1 => 4.min(count - index),
                2 => 3.min(count - index),
                3 => 2.min(count - index),
                _ => 1,
            };
            let tile_floats = (TILE_ROWS * self.rows.depth).max(1);
            for (tile, values) in self.rows.values.chunks(tile_floats).enumerate() {
                let tile_rows = values.len() / self.rows.depth.max(1);
                let inputs = &values[self.from * tile_rows..][..self.depth * tile_rows];
                let row = tile * TILE_ROWS;
                match (tile_rows, together) {
                    (1, 4) => self.tile::<L, 1, 4>(inputs, row, index),
                    (1, 3) => self.tile::<L, 1, 3>(inputs, row, index),
                    (1, 2) => self.tile::<L, 1, 2>(inputs, row, index),
                    (1, _) => self.tile::<L, 1, 1>(inputs, row, index),
                    (2, 3) => self.tile::<L, 2, 3>(inputs, row, index),
                    (2, 2) => self.tile::<L, 2, 2>(inputs, row, index),
                    (2, _) => self.tile::<L, 2, 1>(inputs, row, index),
                    (3, 2) => self.tile::<L, 3, 2>(inputs, row, index),
                    (3, _) => self.tile::<L, 3, 1>(inputs, row, index),
                    (4, _) => self.tile::<L, 4, 1>(inputs, row, index),
                    (5, _) => self.tile::<L, 5, 1>(inputs, row, index),
                    _ => self.tile::<L, 6, 1>(inputs, row, index),
                }
            }
            index += together;
        }
    }

    /// `ROWS` rows from `row` on times `PANELS` panels from `panel` on.
    ///
    /// * `inputs`: `[depth, ROWS]`.
    #[inline(always)]
    fn tile<L: Lanes, const ROWS: usize, const PANELS: usize>(&mut self, inputs: &[f32], row: usize, panel: usize) {
        let (inputs, _) = inputs.as_chunks::<ROWS>();
        let (weights, _) = self.panels.weights.as_chunks::<LANES>();
        let panel_depth = self.panels.panel_depth;
        let panels: [&[[W; LANES]]; PANELS] =
            array::from_fn(|index| &weights[(panel + index) * panel_depth..][..inputs.len()]);
        let mut sums = [[L::load(&[0.0; LANES]); PANELS]; ROWS];
        if self.sink.adds {
            for (index, sums) in sums.iter_mut().enumerate() {
                for (ahead, sum) in sums.iter_mut().enumerate() {
                    let mut values = [0.0; LANES];
                    let place = self.place(row + index, panel + ahead);
                    values[..place.len()].copy_from_slice(place);
                    *sum = L::load(&values);
                }
            }
        }
        let block = W::BLOCK.unwrap_or(inputs.len()).max(1);
        let (scales, _) = self.panels.scales.as_chunks::<LANES>();
        for (number, inputs) in inputs.chunks(block).enumerate() {
            let weights = panels.map(|panel| &panel[number * block..][..inputs.len()]);
            // Where weights have no scales the compiler sees that these are not used.
            let scales: [L; PANELS] = array::from_fn(|index| match W::BLOCK {
                Some(block) => L::load(&scales[(panel + index) * (panel_depth / block) + number]),
                None => L::load(&[1.0; LANES]),
            });
            for (step, input) in inputs.iter().enumerate() {
                let weights: [L; PANELS] = array::from_fn(|index| {
                    let weights = L::load_weights(&weights[index][step]);
                    if W::BLOCK.is_some() { weights.times(scales[index]) } else { weights }
                });
                for (sums, &input) in sums.iter_mut().zip(input) {
                    for (sum, &weights) in sums.iter_mut().zip(&weights) {
                        *sum = sum.add_product(input, weights);
                    }
                }
            }
        }
        for (index, sums) in sums.iter().enumerate() {
            for (ahead, sum) in sums.iter().enumerate() {
                let place = self.place(row + index, panel + ahead);
                place.copy_from_slice(&sum.values()[..place.len()]);
            }
        }
    }

    /// Where the results of `row` and `panel` go.
    #[inline(always)]
    fn place(&mut self, row: usize, panel: usize) -> &mut [f32] {
        let column = panel * LANES;
        let begin = row * self.sink.stride + column;
        &mut self.sink.values[begin..begin + LANES.min(self.panels.columns - column)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without pattern in -1..1.
    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn products_are_right_and_rows_do_not_depend_on_each_other() {
        let (depth, columns) = (37usize, 83usize);
        let padded = columns.div_ceil(LANES) * LANES;
        let weights = numbers(padded * depth, 1);
        let panels = Panels { weights: &weights, scales: &[], panel_depth: depth, columns };
        let inputs = numbers(20 * depth, 2);
        let run = |first: usize, rows: usize| {
            let mut tiles = RowTiles::default();
            tiles.fill(&inputs[first * depth..], rows, depth, depth);
            let mut out = vec![f32::NAN; rows * columns];
            multiply(&tiles, 0, depth, panels, Sink { values: &mut out, stride: columns, adds: false });
            out
        };
        let all = run(0, 20);
        for row in 0..20 {
            for column in 0..columns {
                let weight = |step: usize| weights[(column / LANES * depth + step) * LANES + column % LANES];
                let expect: f32 = (0..depth).map(|step| inputs[row * depth + step] * weight(step)).sum();
                assert!((all[row * columns + column] - expect).abs() < 1e-4);
            }
        }
        for rows in 1..=13 {
            assert_eq!(run(3, rows), all[3 * columns..(3 + rows) * columns], "{rows} rows");
        }
    }
}
