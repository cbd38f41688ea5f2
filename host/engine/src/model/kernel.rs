//! The inner loops: small matrix products and exponentials over plain slices.
//!
//! Weights lie in panels of [`LANES`] columns, so that one row of a panel is a vector register or two and no sum
//! ever runs across a register. Every output is one chain of additions in the order of its inputs, whatever the
//! number of rows computed together: a row's result does not depend on its neighbours.

// The compiler may only use what every machine of the target has, unless a function is compiled for more and
// called after a check. That call is the one thing here that the compiler cannot verify.
#![allow(unsafe_code)]

use std::array;

/// Columns of a panel.
pub(crate) const LANES: usize = 16;

/// Rows computed together; 6 rows of 16 sums fill the 12 vector registers that weights and inputs leave free.
const TILE_ROWS: usize = 6;

/// A stored weight.
pub(crate) trait Weight: Copy + Default + Send + Sync + 'static {
    /// Its value.
    fn widen(self) -> f32;
}

impl Weight for f32 {
    #[inline(always)]
    fn widen(self) -> f32 {
        self
    }
}

/// The upper half of an f32.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bf16(pub(crate) u16);

impl Weight for Bf16 {
    #[inline(always)]
    fn widen(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }
}

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
/// * `depth`: at most the matrix's `panel_depth`.
/// * `sink`: `[rows, columns]`.
pub(crate) fn multiply<W: Weight>(rows: &RowTiles, from: usize, depth: usize, panels: Panels<'_, W>, sink: Sink<'_>) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the machine has both features that the function is compiled for.
        return unsafe { multiply_avx2(rows, from, depth, panels, sink) };
    }
    multiply_body::<W, { cfg!(target_arch = "aarch64") }>(rows, from, depth, panels, sink);
}

/// [`multiply_body`] with 8 lanes and fused multiplication.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_avx2<W: Weight>(rows: &RowTiles, from: usize, depth: usize, panels: Panels<'_, W>, sink: Sink<'_>) {
    multiply_body::<W, true>(rows, from, depth, panels, sink);
}

/// The product, tile by tile.
#[inline(always)]
fn multiply_body<W: Weight, const FUSED: bool>(
    rows: &RowTiles,
    from: usize,
    depth: usize,
    panels: Panels<'_, W>,
    mut sink: Sink<'_>,
) {
    let count = panels.columns.div_ceil(LANES);
    let (weights, _) = panels.weights.as_chunks::<LANES>();
    let panel = |index: usize| &weights[index * panels.panel_depth..][..depth];
    let tile_floats = (TILE_ROWS * rows.depth).max(1);
    let mut index = 0;
    while index < count {
        // Few rows leave registers free for more panels; each needs several sums in flight.
        let together = match rows.rows {
            1 => 4.min(count - index),
            2 => 3.min(count - index),
            3 => 2.min(count - index),
            _ => 1,
        };
        for (tile, values) in rows.values.chunks(tile_floats).enumerate() {
            let tile_rows = values.len() / rows.depth.max(1);
            let inputs = &values[from * tile_rows..][..depth * tile_rows];
            let mut place = Place { sink: &mut sink, row: tile * TILE_ROWS, panel: index, columns: panels.columns };
            match (tile_rows, together) {
                (1, 4) => tile_product::<W, 1, 4, FUSED>(inputs, array::from_fn(|i| panel(index + i)), &mut place),
                (1, 3) => tile_product::<W, 1, 3, FUSED>(inputs, array::from_fn(|i| panel(index + i)), &mut place),
                (1, 2) => tile_product::<W, 1, 2, FUSED>(inputs, array::from_fn(|i| panel(index + i)), &mut place),
                (1, _) => tile_product::<W, 1, 1, FUSED>(inputs, [panel(index)], &mut place),
                (2, 3) => tile_product::<W, 2, 3, FUSED>(inputs, array::from_fn(|i| panel(index + i)), &mut place),
                (2, 2) => tile_product::<W, 2, 2, FUSED>(inputs, array::from_fn(|i| panel(index + i)), &mut place),
                (2, _) => tile_product::<W, 2, 1, FUSED>(inputs, [panel(index)], &mut place),
                (3, 2) => tile_product::<W, 3, 2, FUSED>(inputs, array::from_fn(|i| panel(index + i)), &mut place),
                (3, _) => tile_product::<W, 3, 1, FUSED>(inputs, [panel(index)], &mut place),
                (4, _) => tile_product::<W, 4, 1, FUSED>(inputs, [panel(index)], &mut place),
                (5, _) => tile_product::<W, 5, 1, FUSED>(inputs, [panel(index)], &mut place),
                _ => tile_product::<W, 6, 1, FUSED>(inputs, [panel(index)], &mut place),
            }
        }
        index += together;
    }
}

/// Where a tile's results go.
struct Place<'a, 'b> {
    sink: &'a mut Sink<'b>,
    row: usize,
    panel: usize,
    columns: usize,
}

impl Place<'_, '_> {
    /// The values of row `row` of the tile in panel `panel` of those computed together.
    #[inline(always)]
    fn values(&mut self, row: usize, panel: usize) -> &mut [f32] {
        let column = (self.panel + panel) * LANES;
        let begin = (self.row + row) * self.sink.stride + column;
        &mut self.sink.values[begin..begin + LANES.min(self.columns - column)]
    }
}

/// `ROWS` rows times `PANELS` panels.
///
/// * `inputs`: `[depth, ROWS]`.
#[inline(always)]
fn tile_product<W: Weight, const ROWS: usize, const PANELS: usize, const FUSED: bool>(
    inputs: &[f32],
    panels: [&[[W; LANES]]; PANELS],
    place: &mut Place<'_, '_>,
) {
    let (inputs, _) = inputs.as_chunks::<ROWS>();
    let mut sums = [[[0.0f32; LANES]; PANELS]; ROWS];
    if place.sink.adds {
        for (row, sums) in sums.iter_mut().enumerate() {
            for (panel, sums) in sums.iter_mut().enumerate() {
                let values = place.values(row, panel);
                sums[..values.len()].copy_from_slice(values);
            }
        }
    }
    let panels = panels.map(|panel| &panel[..inputs.len()]);
    for (step, input) in inputs.iter().enumerate() {
        for panel in 0..PANELS {
            let weights = panels[panel][step].map(W::widen);
            for row in 0..ROWS {
                for lane in 0..LANES {
                    let sum = &mut sums[row][panel][lane];
                    *sum = multiply_add::<FUSED>(input[row], weights[lane], *sum);
                }
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        for (panel, sums) in sums.iter().enumerate() {
            let values = place.values(row, panel);
            values.copy_from_slice(&sums[..values.len()]);
        }
    }
}

/// `a * b + c`, in one rounding where the machine has an instruction for it and in two where it has not.
#[inline(always)]
fn multiply_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// `gate = gate / (1 + exp(-gate)) * up`, value by value.
pub(crate) fn silu_times(gate: &mut [f32], up: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the machine has both features that the function is compiled for.
        return unsafe { silu_times_avx2(gate, up) };
    }
    silu_times_body(gate, up);
}

/// [`silu_times_body`] with 8 lanes.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn silu_times_avx2(gate: &mut [f32], up: &[f32]) {
    silu_times_body(gate, up);
}

/// The gate of a feed-forward layer.
#[inline(always)]
fn silu_times_body(gate: &mut [f32], up: &[f32]) {
    for (gate, &up) in gate.iter_mut().zip(up) {
        *gate = *gate / (1.0 + exp(-*gate)) * up;
    }
}

/// Turns scores into probabilities, in place.
pub(crate) fn softmax(scores: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the machine has both features that the function is compiled for.
        return unsafe { softmax_avx2(scores) };
    }
    softmax_body(scores);
}

/// [`softmax_body`] with 8 lanes.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn softmax_avx2(scores: &mut [f32]) {
    softmax_body(scores);
}

/// The softmax of a row. A score that is no number makes the whole row so.
#[inline(always)]
fn softmax_body(scores: &mut [f32]) {
    let mut best = [f32::NEG_INFINITY; 8];
    let (chunks, rest) = scores.as_chunks::<8>();
    for chunk in chunks {
        for (best, &score) in best.iter_mut().zip(chunk) {
            *best = if score > *best { score } else { *best };
        }
    }
    let best = best.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
    for score in scores.iter_mut() {
        *score = exp(*score - best);
    }
    let factor = 1.0 / sum(scores);
    for score in scores.iter_mut() {
        *score *= factor;
    }
}

/// Sum in eight lanes.
#[inline(always)]
fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0.0; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    lanes.iter().chain(rest).sum()
}

/// `e` to the power of `x`, to about 1e-7 of the value; written so that the compiler can do eight at once.
///
/// Below -87 the result is what it is at -87, 1e-38, and above 88 what it is at 88. NaN stays NaN.
///
/// Source: Cephes, `expf.c`.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding 1.5 * 2^23 leaves no bits for a fraction, so the number is rounded to the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    // ln 2 in two parts, the first of which has few bits.
    let rest = x - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    let mut series = 1.987_569_1e-4;
    series = series * rest + 1.398_199_9e-3;
    series = series * rest + 8.333_452e-3;
    series = series * rest + 4.166_579_6e-2;
    series = series * rest + 1.666_666_6e-1;
    series = series * rest + 0.5;
    let fraction = series * rest * rest + rest + 1.0;
    // 2 to the power of the integer, whose bits are the lowest of `shifted`.
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    fraction * power
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
        let (depth, columns) = (37, 83);
        let padded = columns.div_ceil(LANES) * LANES;
        let weights = numbers(padded * depth, 1);
        let panels = Panels { weights: &weights, panel_depth: depth, columns };
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

    #[test]
    fn exponentials_are_close() {
        for step in -860..880 {
            let x = step as f32 / 10.0;
            let expect = f64::from(x).exp();
            assert!((f64::from(exp(x)) / expect - 1.0).abs() < 3e-7, "{x}");
        }
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn softmax_sums_to_one() {
        let mut scores = numbers(21, 3);
        softmax(&mut scores);
        assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        let mut broken = vec![0.0, f32::NAN, 1.0];
        softmax(&mut broken);
        assert!(broken.iter().all(|value| value.is_nan()));
    }
}
