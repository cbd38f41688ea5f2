//! Convolution as it is written: each output sums its inputs, tap by tap.
//!
//! Serves kernels of one pixel, strided ones, dilated ones and, one phase at a time, transposed ones.

// See `tile`.
#![allow(unsafe_code)]

use std::ops::Range;

use super::lanes::LANES;
use super::picture::{Source, Target, padded, piece, pieces, share, with_scratch};
use super::tile::{Epilogue, Row, compute};

/// Numbers of an input band that stay in a core's cache while all output channels pass over them.
const BAND_VALUES: usize = 48 << 10;

/// Where a convolution reads and writes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Geometry {
    /// Rows and columns from the corner of an output pixel's inputs to the input itself.
    pub(crate) taps: Vec<[isize; 2]>,
    /// Input pixels from one output pixel to the next.
    pub(crate) stride: [usize; 2],
    /// Output pixels from one to the next: more than one where phases are done one at a time.
    pub(crate) output_step: [usize; 2],
    /// The first output pixel.
    pub(crate) output_start: [usize; 2],
}

/// A convolution's weights in the order in which they are read.
#[derive(Debug)]
pub(crate) struct Direct {
    geometry: Geometry,
    groups: usize,
    /// Blocks of input channels of a group.
    input_blocks: usize,
    /// Blocks of output channels of a group.
    output_blocks: usize,
    /// Channels of an input that is not in blocks: `[channels, height, width]`.
    plain_channels: Option<usize>,
    /// `[groups, pairs of output blocks, input blocks, taps, 8, output blocks of the pair, 8]`.
    weights: Vec<f32>,
    /// `[groups, output blocks, 8]`.
    bias: Vec<f32>,
}

/// Sizes of a convolution's weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Channels {
    pub(crate) groups: usize,
    /// Of one group.
    pub(crate) input: usize,
    /// Of one group.
    pub(crate) output: usize,
}

impl Direct {
    /// Packs weights. `weight` gives the one of an output channel, an input channel of its group and a tap.
    ///
    /// With several groups, the channels of each must fill whole blocks.
    pub(crate) fn pack(
        geometry: Geometry,
        channels: Channels,
        is_plain: bool,
        weight: impl Fn(usize, usize, usize) -> f32,
        bias: Option<&[f32]>,
    ) -> Self {
        let Channels { groups, input, output } = channels;
        let input_blocks = input.div_ceil(LANES);
        let output_blocks = output.div_ceil(LANES);
        let run = if is_plain { input } else { LANES };
        let taps = geometry.taps.len();
        let mut weights = Vec::with_capacity(groups * output_blocks * LANES * input_blocks * taps * run);
        let mut biases = Vec::with_capacity(groups * output_blocks * LANES);
        for group in 0..groups {
            let first = group * output;
            biases.extend(padded(bias.map(|bias| &bias[first..first + output]), output_blocks));
            for pair in (0..output_blocks).step_by(2) {
                let columns = 2.min(output_blocks - pair) * LANES;
                for block in 0..input_blocks {
                    for tap in 0..taps {
                        for channel in block * LANES..block * LANES + run {
                            weights.extend((pair * LANES..pair * LANES + columns).map(|column| {
                                let is_there = channel < input && column < output;
                                if is_there { weight(first + column, channel, tap) } else { 0.0 }
                            }));
                        }
                    }
                }
            }
        }
        let plain_channels = is_plain.then_some(input);
        Self { geometry, groups, input_blocks, output_blocks, plain_channels, weights, bias: biases }
    }

    /// Whether each output pixel reads the input pixel of its own place alone.
    fn is_flat(&self, padding: [usize; 2]) -> bool {
        let Geometry { taps, stride, output_step, output_start } = &self.geometry;
        self.plain_channels.is_none()
            && padding == [0, 0]
            && taps == &[[0, 0]]
            && (*stride, *output_step, *output_start) == ([1, 1], [1, 1], [0, 0])
    }

    /// Computes `grid` rows and columns of output pixels for each of `batch` pictures that have `padding` zero rows above and columns
    /// to the left.
    ///
    /// # Safety
    /// Source, target and the epilogue's addend must hold the pictures that the weights
    /// and the grid ask for, and nobody else may write them.
    pub(crate) unsafe fn run(
        &self,
        batch: usize,
        source: Source,
        target: Target,
        grid: [usize; 2],
        padding: [usize; 2],
        epilogue: Epilogue,
    ) {
        let [mut height, mut width] = grid;
        let (mut source, mut target) = (source, target);
        let is_flat = self.is_flat(padding);
        if is_flat {
            // One long row, of which bands are cut.
            (height, width) = (1, height * width);
            (source.width, source.height) = (source.width * source.height, 1);
            (target.width, target.height) = (target.width * target.height, 1);
        }
        let total = if is_flat { width } else { height };
        let values = self.input_blocks * LANES * if is_flat { 1 } else { source.width * self.geometry.stride[0] };
        let bands = pieces(total, (BAND_VALUES / values.max(1)).max(1), batch);
        let job = Job { direct: self, source, target, padding, epilogue };
        let job = &job;
        share(batch * bands, move |unit| {
            let (picture, band) = (unit / bands, piece(total, bands, unit % bands));
            // SAFETY: bands are parts of the pictures that do not meet.
            unsafe { if is_flat { job.band(picture, 0..1, band) } else { job.band(picture, band, 0..width) } }
        });
    }

    /// The smallest and largest tap, by rows and by columns.
    fn reach(&self) -> ([isize; 2], [isize; 2]) {
        let taps = &self.geometry.taps;
        let edge = |axis: usize, pick: fn(isize, isize) -> isize| {
            taps.iter().map(|tap| tap[axis]).reduce(pick).unwrap_or_default()
        };
        ([edge(0, isize::min), edge(1, isize::min)], [edge(0, isize::max), edge(1, isize::max)])
    }
}

/// One run of a convolution.
struct Job<'a> {
    direct: &'a Direct,
    source: Source,
    target: Target,
    padding: [usize; 2],
    epilogue: Epilogue,
}

// SAFETY: see `Source` and `Target`; the addend is read.
unsafe impl Sync for Job<'_> {}

/// Input of a band, in the source or copied from it with its padding.
struct Band {
    /// The input of the smallest tap of the first pixel.
    data: *const f32,
    row_stride: usize,
    pixel_stride: usize,
    block_stride: usize,
}

impl Job<'_> {
    /// Computes some rows and columns of a picture.
    unsafe fn band(&self, picture: usize, rows: Range<usize>, columns: Range<usize>) {
        let direct = self.direct;
        let (low, high) = direct.reach();
        let padding = self.padding.map(|padding| padding as isize);
        let (low, high) = ([low[0] - padding[0], low[1] - padding[1]], [high[0] - padding[0], high[1] - padding[1]]);
        let [row_stride, column_stride] = direct.geometry.stride.map(|stride| stride as isize);
        let first_row = rows.start as isize * row_stride + low[0];
        let last_row = (rows.end as isize - 1) * row_stride + high[0];
        let first_column = columns.start as isize * column_stride + low[1];
        let last_column = (columns.end as isize - 1) * column_stride + high[1];
        let (height, width) = (self.source.height as isize, self.source.width as isize);
        let is_inside = first_row >= 0 && first_column >= 0 && last_row < height && last_column < width;
        for group in 0..direct.groups {
            // SAFETY: as the caller of `run` promises; the window is inside the picture or is copied with its padding.
            unsafe {
                let source = self.source.data.add(picture * self.source.batch_stride);
                let source = source.add(group * direct.input_blocks * self.source.block_stride());
                if is_inside && direct.plain_channels.is_none() {
                    let data = source.add((first_row * width + first_column) as usize * LANES);
                    let block_stride = self.source.block_stride();
                    let band = Band { data, row_stride: width as usize * LANES, pixel_stride: LANES, block_stride };
                    self.rows(picture, group, &band, rows.clone(), columns.clone());
                    continue;
                }
                let window = [first_row..last_row + 1, first_column..last_column + 1];
                let pixel_stride = direct.plain_channels.unwrap_or(LANES);
                let row_stride = (last_column + 1 - first_column) as usize * pixel_stride;
                let block_stride = (last_row + 1 - first_row) as usize * row_stride;
                with_scratch(direct.input_blocks * block_stride, |scratch| {
                    match direct.plain_channels {
                        Some(channels) => copy_plain(source, [height, width], channels, window, scratch),
                        None => copy_blocks(source, [height, width], window, scratch),
                    }
                    let band = Band { data: scratch.as_ptr(), row_stride, pixel_stride, block_stride };
                    self.rows(picture, group, &band, rows.clone(), columns.clone());
                });
            }
        }
    }

    /// Computes the band's pixels for all output channels of a group.
    unsafe fn rows(&self, picture: usize, group: usize, band: &Band, rows: Range<usize>, columns: Range<usize>) {
        let direct = self.direct;
        let geometry = &direct.geometry;
        let (taps, run) = direct.taps(band);
        let inputs = taps.len() * run;
        let block_stride = self.target.block_stride();
        let first_pair = group * direct.output_blocks * inputs * LANES;
        for pair in (0..direct.output_blocks).step_by(2) {
            let blocks = 2.min(direct.output_blocks - pair);
            let block = group * direct.output_blocks + pair;
            for row in rows.clone() {
                let output_row = geometry.output_start[0] + row * geometry.output_step[0];
                let output_column = geometry.output_start[1] + columns.start * geometry.output_step[1];
                let offset = block * block_stride + (output_row * self.target.width + output_column) * LANES;
                // SAFETY: as the caller of `run` promises.
                unsafe {
                    compute(&Row {
                        input: band.data.add((row - rows.start) * geometry.stride[0] * band.row_stride),
                        pixel_stride: geometry.stride[1] * band.pixel_stride,
                        taps: &taps,
                        run,
                        weights: direct.weights.as_ptr().add(first_pair + pair * LANES * inputs),
                        bias: direct.bias.as_ptr().add(block * LANES),
                        blocks,
                        pixels: columns.len(),
                        output: self.target.data.add(picture * self.target.batch_stride + offset),
                        output_pixel_stride: geometry.output_step[1] * LANES,
                        output_block_stride: block_stride,
                        epilogue: self.epilogue.at(picture * self.epilogue.addend_stride + offset),
                    });
                }
            }
        }
    }
}

impl Direct {
    /// Offsets of the taps in a band, and how many numbers each has.
    fn taps(&self, band: &Band) -> (Vec<u32>, usize) {
        let (low, _) = self.reach();
        let offset = |tap: &[isize; 2]| {
            (tap[0] - low[0]) as usize * band.row_stride + (tap[1] - low[1]) as usize * band.pixel_stride
        };
        let taps = self.geometry.taps.iter().map(offset);
        let Some(channels) = self.plain_channels else {
            let taps: Vec<usize> = taps.collect();
            let blocks = (0..self.input_blocks).flat_map(|block| taps.iter().map(move |tap| (block, tap)));
            return (blocks.map(|(block, tap)| (block * band.block_stride + tap) as u32).collect(), LANES);
        };
        // Taps side by side are one longer run.
        let taps: Vec<usize> = taps.collect();
        let columns = taps.iter().filter(|&&tap| tap < band.row_stride).count();
        let is_row = |row: &[usize]| row.windows(2).all(|pair| pair[1] == pair[0] + channels);
        if columns > 0 && taps.len().is_multiple_of(columns) && taps.chunks(columns).all(is_row) {
            return (taps.iter().step_by(columns).map(|&tap| tap as u32).collect(), columns * channels);
        }
        (taps.iter().map(|&tap| tap as u32).collect(), channels)
    }
}

/// Copies a window of a blocked picture; what is outside the picture is zero.
unsafe fn copy_blocks(source: *const f32, size: [isize; 2], window: [Range<isize>; 2], scratch: &mut [f32]) {
    let [height, width] = size;
    let [rows, columns] = window;
    let row_values = (columns.end - columns.start) as usize * LANES;
    let inside = columns.start.clamp(0, width)..columns.end.clamp(0, width);
    let left = ((inside.start - columns.start).max(0) as usize * LANES).min(row_values);
    let values = (inside.end - inside.start) as usize * LANES;
    let row_count = (rows.end - rows.start) as usize;
    for (index, target) in scratch.chunks_exact_mut(row_values).enumerate() {
        let (block, row) = (index / row_count, rows.start + (index % row_count) as isize);
        if row < 0 || row >= height {
            target.fill(0.0);
            continue;
        }
        let from = (block as isize * height * width + row * width + inside.start) as usize * LANES;
        // SAFETY: the row is inside the picture, which the caller promises to be there.
        let found = unsafe { std::slice::from_raw_parts(source.add(from), values) };
        target[..left].fill(0.0);
        target[left..left + values].copy_from_slice(found);
        target[left + values..].fill(0.0);
    }
}

/// Copies a window of a picture `[channels, height, width]` as `[rows, columns, channels]`; what is outside the picture is zero.
unsafe fn copy_plain(
    source: *const f32,
    size: [isize; 2],
    channels: usize,
    window: [Range<isize>; 2],
    scratch: &mut [f32],
) {
    let [height, width] = size;
    let [rows, columns] = window;
    let row_values = (columns.end - columns.start) as usize * channels;
    let inside = columns.start.clamp(0, width)..columns.end.clamp(0, width);
    let left = ((inside.start - columns.start).max(0) as usize * channels).min(row_values);
    let pixels = (inside.end - inside.start) as usize;
    for (index, target) in scratch.chunks_exact_mut(row_values).enumerate() {
        let row = rows.start + index as isize;
        if row < 0 || row >= height {
            target.fill(0.0);
            continue;
        }
        target[..left].fill(0.0);
        target[left + pixels * channels..].fill(0.0);
        for channel in 0..channels {
            let from = (channel as isize * height + row) * width + inside.start;
            // SAFETY: the row is inside the picture, which the caller promises to be there.
            let found = unsafe { std::slice::from_raw_parts(source.add(from as usize), pixels) };
            let pixels = target[left..left + pixels * channels].chunks_exact_mut(channels);
            for (pixel, &value) in pixels.zip(found) {
                pixel[channel] = value;
            }
        }
    }
}
