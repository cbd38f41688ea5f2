//! Convolution of 3 by 3 pixels with stride 1, four by four outputs at a time.
//!
//! Winograd's F(4x4, 3x3): 36 products in place of 144 for the sixteen outputs of a tile, for the price of a transformation of each
//! input and output. Source: arXiv 1509.09308, section 4.3.

// See `tile`.
#![allow(unsafe_code)]

use std::ops::Range;

use super::lanes::{LANES, Lanes, for_machine};
use super::picture::{Source, Target, padded, piece, pieces, share, with_scratch};
use super::tile::{Epilogue, Row, compute};

/// Outputs of a tile in each direction.
const OUTPUTS: usize = 4;
/// Inputs of a tile in each direction.
const INPUTS: usize = 6;
/// Products of a tile.
const POINTS: usize = INPUTS * INPUTS;

/// Transformed inputs of as many tiles as stay in a core's cache, in numbers.
const TRANSFORMED_VALUES: usize = 64 << 10;
/// Fewest tiles that share one pass over the weights.
const TILES_MIN: usize = 12;
/// Numbers between the planes of points, so that planes do not fall on the same lines of the cache.
const GAP: usize = 2 * LANES;

/// Transformed weights.
#[derive(Debug)]
pub(crate) struct Winograd {
    input_blocks: usize,
    output_blocks: usize,
    /// `[pairs of output blocks, points, input channels, output blocks of the pair, 8]`.
    weights: Vec<f32>,
    /// `[output blocks, 8]`.
    bias: Vec<f32>,
}

impl Winograd {
    /// Transforms weights `[output, input, 3, 3]`.
    pub(crate) fn pack(input: usize, output: usize, weights: &[f32], bias: Option<&[f32]>) -> Self {
        let (input_blocks, output_blocks) = (input.div_ceil(LANES), output.div_ceil(LANES));
        let inputs = input_blocks * LANES;
        let mut packed = vec![0.0; output_blocks * LANES * POINTS * inputs];
        for (index, kernel) in weights.chunks_exact(9).enumerate() {
            let (column, channel) = (index / input, index % input);
            let (pair, lane) = (column / (2 * LANES), column % (2 * LANES));
            let columns = 2.min(output_blocks - 2 * pair) * LANES;
            for (point, weight) in transform_kernel(kernel).into_iter().enumerate() {
                let at = pair * 2 * LANES * POINTS * inputs;
                packed[at + (point * inputs + channel) * columns + lane] = weight;
            }
        }
        Self { input_blocks, output_blocks, weights: packed, bias: padded(bias, output_blocks) }
    }

    /// Convolves `batch` pictures with `padding` zero rows above and columns to the left.
    ///
    /// # Safety
    /// As [`Direct::run`](super::direct::Direct::run).
    pub(crate) unsafe fn run(
        &self,
        batch: usize,
        source: Source,
        target: Target,
        padding: [usize; 2],
        epilogue: Epilogue,
    ) {
        let across = target.width.div_ceil(OUTPUTS);
        let tiles = target.height.div_ceil(OUTPUTS) * across;
        let largest = (TRANSFORMED_VALUES / (POINTS * self.input_blocks * LANES)).max(TILES_MIN);
        // Every chunk passes over all weights: small ones are worth it only where threads would stand idle.
        let shared = pieces(tiles, largest, batch).min(tiles / (2 * TILES_MIN));
        let busy = rayon::current_num_threads().div_ceil(batch.max(1)).min(tiles.div_ceil(TILES_MIN / 2));
        let chunks = tiles.div_ceil(largest).max(shared).max(busy);
        let job = Job { winograd: self, source, target, padding, epilogue, across };
        let job = &job;
        share(batch * chunks, move |unit| {
            // SAFETY: chunks of tiles are parts of the pictures that do not meet.
            unsafe { job.chunk(unit / chunks, piece(tiles, chunks, unit % chunks)) }
        });
    }
}

/// `G`.
const KERNEL_TRANSFORM: [[f64; 3]; INPUTS] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// `G g G'`, rounded once.
fn transform_kernel(kernel: &[f32]) -> [f32; POINTS] {
    let mut half = [[0.0; INPUTS]; 3];
    for (half, row) in half.iter_mut().zip(kernel.chunks_exact(3)) {
        for (half, factors) in half.iter_mut().zip(KERNEL_TRANSFORM) {
            *half = factors[0] * f64::from(row[0]) + factors[1] * f64::from(row[1]) + factors[2] * f64::from(row[2]);
        }
    }
    let mut points = [0.0; POINTS];
    for (points, factors) in points.chunks_exact_mut(INPUTS).zip(KERNEL_TRANSFORM) {
        for (column, point) in points.iter_mut().enumerate() {
            let sum = factors[0] * half[0][column] + factors[1] * half[1][column] + factors[2] * half[2][column];
            *point = sum as f32;
        }
    }
    points
}

/// One run of a convolution.
struct Job<'a> {
    winograd: &'a Winograd,
    source: Source,
    target: Target,
    padding: [usize; 2],
    epilogue: Epilogue,
    /// Tiles in a row of them.
    across: usize,
}

// SAFETY: see `Source` and `Target`; the addend is read.
unsafe impl Sync for Job<'_> {}

impl Job<'_> {
    /// Computes some tiles of a picture.
    unsafe fn chunk(&self, picture: usize, tiles: Range<usize>) {
        let winograd = self.winograd;
        let count = tiles.len();
        let plane = winograd.input_blocks * count * LANES + GAP;
        let product_plane = 2 * count * LANES + GAP;
        let taps: Vec<u32> = (0..winograd.input_blocks).map(|block| (block * count * LANES) as u32).collect();
        with_scratch(POINTS * (plane + product_plane), |scratch| {
            let (inputs, products) = scratch.split_at_mut(POINTS * plane);
            // SAFETY: as the caller of `run` promises; both parts of the scratch hold their planes.
            unsafe {
                transform_inputs(self, picture, tiles.clone(), inputs.as_mut_ptr(), plane);
                for pair in (0..winograd.output_blocks).step_by(2) {
                    let blocks = 2.min(winograd.output_blocks - pair);
                    let channels = winograd.input_blocks * LANES;
                    let weights = winograd.weights.as_ptr().add(pair * LANES * POINTS * channels);
                    for point in 0..POINTS {
                        compute(&Row {
                            input: inputs.as_ptr().add(point * plane),
                            pixel_stride: LANES,
                            taps: &taps,
                            run: LANES,
                            weights: weights.add(point * channels * blocks * LANES),
                            bias: ZEROS.as_ptr(),
                            blocks,
                            pixels: count,
                            output: products.as_mut_ptr().add(point * product_plane),
                            output_pixel_stride: LANES,
                            output_block_stride: count * LANES,
                            epilogue: Epilogue::NONE,
                        });
                    }
                    for block in 0..blocks {
                        let products = products.as_ptr().add(block * count * LANES);
                        transform_outputs(self, picture, pair + block, tiles.clone(), products, product_plane);
                    }
                }
            }
        });
    }
}

/// The bias of the products of points: it is added once they are outputs.
static ZEROS: [f32; 2 * LANES] = [0.0; 2 * LANES];

for_machine!(
    unsafe fn transform_inputs(job: &Job<'_>, picture: usize, tiles: Range<usize>, inputs: *mut f32, plane: usize) =
        transform_inputs_body
);

/// `B' d B` of every tile and block.
#[inline(always)]
unsafe fn transform_inputs_body<L: Lanes>(
    job: &Job<'_>,
    picture: usize,
    tiles: Range<usize>,
    inputs: *mut f32,
    plane: usize,
) {
    let (height, width) = (job.source.height as isize, job.source.width as isize);
    let count = tiles.len();
    for block in 0..job.winograd.input_blocks {
        for (index, tile) in tiles.clone().enumerate() {
            let row = (tile / job.across * OUTPUTS) as isize - job.padding[0] as isize;
            let column = (tile % job.across * OUTPUTS) as isize - job.padding[1] as isize;
            // SAFETY: pixels are read where they are inside the picture; the planes hold every tile and block.
            unsafe {
                let picture = job.source.data.add(picture * job.source.batch_stride);
                let picture = picture.add(block * job.source.block_stride());
                let to = inputs.add((block * count + index) * LANES);
                let size = INPUTS as isize;
                let is_inside = row >= 0 && column >= 0 && row + size <= height && column + size <= width;
                if is_inside {
                    let corner = picture.add((row * width + column) as usize * LANES);
                    transform_input::<L>(corner, width as usize * LANES, to, plane);
                    continue;
                }
                let mut window = [0.0; POINTS * LANES];
                for y in row.max(0)..(row + size).min(height) {
                    let from = column.max(0);
                    let pixels = ((column + size).min(width) - from).max(0) as usize;
                    if pixels == 0 {
                        continue;
                    }
                    let at = ((y - row) * size + from - column) as usize * LANES;
                    let found = picture.add((y * width + from) as usize * LANES);
                    let found = std::slice::from_raw_parts(found, pixels * LANES);
                    window[at..at + pixels * LANES].copy_from_slice(found);
                }
                transform_input::<L>(window.as_ptr(), INPUTS * LANES, to, plane);
            }
        }
    }
}

/// `B' d B` of a tile whose rows are `row_stride` apart; point `i` goes to `to + i * plane`.
#[inline(always)]
unsafe fn transform_input<L: Lanes>(from: *const f32, row_stride: usize, to: *mut f32, plane: usize) {
    // SAFETY: as `transform_inputs_body` says.
    unsafe {
        let mut half = [[L::splat(0.0); INPUTS]; INPUTS];
        #[allow(clippy::needless_range_loop, reason = "the column also says where to load from")]
        for column in 0..INPUTS {
            let load = |row: usize| L::load(from.add(row * row_stride + column * LANES));
            let points = input_points([load(0), load(1), load(2), load(3), load(4), load(5)]);
            for (row, point) in points.into_iter().enumerate() {
                half[row][column] = point;
            }
        }
        for (row, values) in half.into_iter().enumerate() {
            for (column, point) in input_points(values).into_iter().enumerate() {
                point.store(to.add((row * INPUTS + column) * plane));
            }
        }
    }
}

/// `B' d`.
#[inline(always)]
unsafe fn input_points<L: Lanes>(d: [L; INPUTS]) -> [L; INPUTS] {
    // SAFETY: as `transform_inputs_body` says.
    unsafe {
        let (four, minus_four, minus_five) = (L::splat(4.0), L::splat(-4.0), L::splat(-5.0));
        let even = d[2].mul_add(minus_four, d[4]);
        let odd = d[1].mul_add(minus_four, d[3]);
        let near_even = d[4].sub(d[2]);
        let near_odd = d[3].sub(d[1]);
        [
            d[0].mul_add(four, d[2].mul_add(minus_five, d[4])),
            even.add(odd),
            even.sub(odd),
            near_odd.mul_add(L::splat(2.0), near_even),
            near_odd.mul_add(L::splat(-2.0), near_even),
            d[1].mul_add(four, d[3].mul_add(minus_five, d[5])),
        ]
    }
}

for_machine!(
    unsafe fn transform_outputs(
        job: &Job<'_>,
        picture: usize,
        block: usize,
        tiles: Range<usize>,
        products: *const f32,
        plane: usize,
    ) = transform_outputs_body
);

/// `A' m A` of every tile of a block of output channels, finished and stored.
#[inline(always)]
unsafe fn transform_outputs_body<L: Lanes>(
    job: &Job<'_>,
    picture: usize,
    block: usize,
    tiles: Range<usize>,
    products: *const f32,
    plane: usize,
) {
    let (height, width) = (job.target.height, job.target.width);
    // SAFETY: only pixels inside the picture are stored; the planes hold every tile.
    unsafe {
        let bias = L::load(job.winograd.bias.as_ptr().add(block * LANES));
        let output = job.target.data.add(picture * job.target.batch_stride);
        let epilogue = job.epilogue.at(picture * job.epilogue.addend_stride);
        for (index, tile) in tiles.enumerate() {
            let (row, column) = (tile / job.across * OUTPUTS, tile % job.across * OUTPUTS);
            let from = products.add(index * LANES);
            let mut half = [[L::splat(0.0); INPUTS]; OUTPUTS];
            #[allow(clippy::needless_range_loop, reason = "the column also says where to load from")]
            for column in 0..INPUTS {
                let load = |row: usize| L::load(from.add((row * INPUTS + column) * plane));
                let outputs = output_points([load(0), load(1), load(2), load(3), load(4), load(5)]);
                for (row, output) in outputs.into_iter().enumerate() {
                    half[row][column] = output;
                }
            }
            let mut sums = [[L::splat(0.0); OUTPUTS]; OUTPUTS];
            for (sums, values) in sums.iter_mut().zip(half) {
                *sums = output_points(values);
            }
            // A copy: the sums above stay in registers only while every index into them is a constant.
            let finished = sums;
            for (y, sums) in finished.iter().enumerate().take(height - row) {
                let offset = block * job.target.block_stride() + ((row + y) * width + column) * LANES;
                for (x, &sum) in sums.iter().enumerate().take(width - column) {
                    let offset = offset + x * LANES;
                    epilogue.finish(sum.add(bias), offset).store(output.add(offset));
                }
            }
        }
    }
}

/// `A' m`.
#[inline(always)]
unsafe fn output_points<L: Lanes>(m: [L; INPUTS]) -> [L; OUTPUTS] {
    // SAFETY: as `transform_outputs_body` says.
    unsafe {
        let (near_sum, near_difference) = (m[1].add(m[2]), m[1].sub(m[2]));
        let (far_sum, far_difference) = (m[3].add(m[4]), m[3].sub(m[4]));
        [
            m[0].add(near_sum).add(far_sum),
            far_difference.mul_add(L::splat(2.0), near_difference),
            far_sum.mul_add(L::splat(4.0), near_sum),
            far_difference.mul_add(L::splat(8.0), near_difference).add(m[5]),
        ]
    }
}
