//! Windows that slide over each channel on its own: pooling, depthwise convolution, resizing, means.

// See `tile`.
#![allow(unsafe_code)]

use super::lanes::{LANES, Lanes, for_machine};
use super::picture::{Source, Target, padded, share};
use super::tile::Epilogue;

/// A window over a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Height and width.
    pub(crate) kernel: [usize; 2],
    /// Input pixels from one window to the next.
    pub(crate) stride: [usize; 2],
    /// Input pixels from one tap to the next.
    pub(crate) dilation: [usize; 2],
    /// Pixels above and to the left of the picture.
    pub(crate) padding: [usize; 2],
}

/// What is made of the pixels of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pool {
    Max,
    /// The mean; of the pixels that the padding adds too, where `counts_padding`.
    Mean {
        counts_padding: bool,
        /// Pixels of padding below and to the right, which end the windows that run past the picture.
        padding_end: [usize; 2],
    },
}

/// A window at one output pixel: the taps that are inside the picture.
struct Taps {
    rows: (usize, usize),
    columns: (usize, usize),
    /// Input pixel of tap 0; may be outside the picture.
    corner: [isize; 2],
}

impl Window {
    fn taps(&self, y: usize, x: usize, size: [usize; 2]) -> Taps {
        let at = [y, x];
        let corner: [isize; 2] =
            std::array::from_fn(|axis| (at[axis] * self.stride[axis]) as isize - self.padding[axis] as isize);
        let inside = |axis: usize| {
            let dilation = self.dilation[axis];
            let first = corner[axis].min(0).unsigned_abs().div_ceil(dilation);
            let end = (size[axis] as isize - corner[axis]).max(0).unsigned_abs().div_ceil(dilation);
            (first, end.min(self.kernel[axis]).max(first))
        };
        Taps { rows: inside(0), columns: inside(1), corner }
    }
}

/// Pools `blocks` blocks of each picture.
///
/// # Safety
/// Source and target must hold so many blocks, and nobody else may write the target.
pub(crate) unsafe fn pool(batch: usize, blocks: usize, source: Source, target: Target, window: Window, kind: Pool) {
    share(batch * blocks, move |unit| {
        let (picture, block) = (unit / blocks, unit % blocks);
        // SAFETY: blocks do not meet.
        unsafe {
            let from = { source }.data.add(picture * source.batch_stride + block * source.block_stride());
            let to = { target }.data.add(picture * target.batch_stride + block * target.block_stride());
            let (input, output) = ([source.height, source.width], [target.height, target.width]);
            pool_block(from, to, input, output, &window, kind);
        }
    });
}

for_machine!(
    unsafe fn pool_block(
        from: *const f32,
        to: *mut f32,
        input: [usize; 2],
        output: [usize; 2],
        window: &Window,
        kind: Pool,
    ) = pool_block_body
);

#[inline(always)]
unsafe fn pool_block_body<L: Lanes>(
    from: *const f32,
    to: *mut f32,
    input: [usize; 2],
    output: [usize; 2],
    window: &Window,
    kind: Pool,
) {
    for y in 0..output[0] {
        for x in 0..output[1] {
            let taps = window.taps(y, x, input);
            // SAFETY: the taps are inside the picture.
            unsafe {
                let mut result = L::splat(if kind == Pool::Max { f32::NEG_INFINITY } else { 0.0 });
                for row in taps.rows.0..taps.rows.1 {
                    let row = taps.corner[0] + (row * window.dilation[0]) as isize;
                    for column in taps.columns.0..taps.columns.1 {
                        let column = taps.corner[1] + (column * window.dilation[1]) as isize;
                        let value = L::load(from.add((row * input[1] as isize + column) as usize * LANES));
                        result = if kind == Pool::Max { result.max(value) } else { result.add(value) };
                    }
                }
                if let Pool::Mean { counts_padding, padding_end } = kind {
                    let inside = (taps.rows.1 - taps.rows.0) * (taps.columns.1 - taps.columns.0);
                    let padded = |axis: usize| {
                        let end = (input[axis] + padding_end[axis]) as isize;
                        (end - taps.corner[axis]).clamp(1, window.kernel[axis] as isize) as usize
                    };
                    let count = if counts_padding { padded(0) * padded(1) } else { inside };
                    result = result.mul(L::splat(1.0 / count.max(1) as f32));
                }
                result.store(to.add((y * output[1] + x) * LANES));
            }
        }
    }
}

/// Weights of a convolution that has one kernel for each channel.
#[derive(Debug)]
pub(crate) struct Depthwise {
    window: Window,
    blocks: usize,
    /// `[blocks, height, width, 8]`.
    weights: Vec<f32>,
    /// `[blocks, 8]`.
    bias: Vec<f32>,
}

impl Depthwise {
    /// Packs weights `[channels, 1, height, width]`.
    pub(crate) fn pack(window: Window, channels: usize, weights: &[f32], bias: Option<&[f32]>) -> Self {
        let taps = window.kernel[0] * window.kernel[1];
        let blocks = channels.div_ceil(LANES);
        let mut packed = vec![0.0; blocks * taps * LANES];
        for (index, &weight) in weights.iter().enumerate() {
            let (channel, tap) = (index / taps, index % taps);
            packed[(channel / LANES * taps + tap) * LANES + channel % LANES] = weight;
        }
        Self { window, blocks, weights: packed, bias: padded(bias, blocks) }
    }

    /// Convolves each channel of `batch` pictures with `padding` zero rows above and columns to the left.
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
        let window = Window { padding, ..self.window };
        let job = Job { depthwise: self, window, source, target, epilogue };
        let job = &job;
        let blocks = self.blocks;
        // SAFETY: blocks do not meet.
        share(batch * blocks, move |unit| unsafe { convolve_block(job, unit / blocks, unit % blocks) });
    }
}

/// One run of a depthwise convolution.
struct Job<'a> {
    depthwise: &'a Depthwise,
    window: Window,
    source: Source,
    target: Target,
    epilogue: Epilogue,
}

// SAFETY: see `Source` and `Target`; the addend is read.
unsafe impl Sync for Job<'_> {}

for_machine!(unsafe fn convolve_block(job: &Job<'_>, picture: usize, block: usize) = convolve_block_body);

#[inline(always)]
unsafe fn convolve_block_body<L: Lanes>(job: &Job<'_>, picture: usize, block: usize) {
    /// Pixels whose sums are built together where all their taps are inside.
    const PIXELS: usize = 8;
    let Depthwise { weights, bias, .. } = job.depthwise;
    let window = &job.window;
    let (input, output) = ([job.source.height, job.source.width], [job.target.height, job.target.width]);
    let [kernel_height, kernel_width] = window.kernel;
    let pixel_stride = window.stride[1] * LANES;
    // SAFETY: the taps are inside the picture; the weights hold every block's kernel.
    unsafe {
        let from = job.source.data.add(picture * job.source.batch_stride + block * job.source.block_stride());
        let weights = weights.as_ptr().add(block * kernel_height * kernel_width * LANES);
        let bias = L::load(bias.as_ptr().add(block * LANES));
        let to = job.target.data.add(picture * job.target.batch_stride);
        let epilogue = job.epilogue.at(picture * job.epilogue.addend_stride);
        let reach = (kernel_width - 1) * window.dilation[1];
        for y in 0..output[0] {
            let mut x = 0;
            while x < output[1] {
                let taps = window.taps(y, x, input);
                let last = taps.corner[1] + ((PIXELS - 1) * window.stride[1] + reach) as isize;
                let is_run = x + PIXELS <= output[1] && taps.corner[1] >= 0 && last < input[1] as isize;
                let mut sums = [bias; PIXELS];
                for row in taps.rows.0..taps.rows.1 {
                    let input_row = taps.corner[0] + (row * window.dilation[0]) as isize;
                    for column in taps.columns.0..taps.columns.1 {
                        let input_column = taps.corner[1] + (column * window.dilation[1]) as isize;
                        let weight = L::load(weights.add((row * kernel_width + column) * LANES));
                        let at = from.add((input_row * input[1] as isize + input_column) as usize * LANES);
                        if is_run {
                            for (pixel, sum) in sums.iter_mut().enumerate() {
                                *sum = L::load(at.add(pixel * pixel_stride)).mul_add(weight, *sum);
                            }
                        } else {
                            sums[0] = L::load(at).mul_add(weight, sums[0]);
                        }
                    }
                }
                let count = if is_run { PIXELS } else { 1 };
                let finished = sums;
                for (pixel, &sum) in finished.iter().enumerate().take(count) {
                    let offset = block * job.target.block_stride() + (y * output[1] + x + pixel) * LANES;
                    epilogue.finish(sum, offset).store(to.add(offset));
                }
                x += count;
            }
        }
    }
}

/// Where the value of an output row or column comes from: two inputs, and the share of the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Between {
    pub(crate) first: usize,
    pub(crate) second: usize,
    pub(crate) share: f32,
}

/// Resizes `blocks` blocks of each picture.
///
/// # Safety
/// As [`pool`]; `rows` and `columns` must be as many as the target has, and name pixels of the source.
pub(crate) unsafe fn resize(
    batch: usize,
    blocks: usize,
    source: Source,
    target: Target,
    rows: &[Between],
    columns: &[Between],
) {
    share(batch * blocks, move |unit| {
        let (picture, block) = (unit / blocks, unit % blocks);
        // SAFETY: blocks do not meet.
        unsafe {
            let from = { source }.data.add(picture * source.batch_stride + block * source.block_stride());
            let to = { target }.data.add(picture * target.batch_stride + block * target.block_stride());
            resize_block(from, source.width, to, rows, columns);
        }
    });
}

for_machine!(
    unsafe fn resize_block(from: *const f32, width: usize, to: *mut f32, rows: &[Between], columns: &[Between]) =
        resize_block_body
);

#[inline(always)]
unsafe fn resize_block_body<L: Lanes>(
    from: *const f32,
    width: usize,
    to: *mut f32,
    rows: &[Between],
    columns: &[Between],
) {
    // SAFETY: as the caller of `resize` promises.
    unsafe {
        for (y, row) in rows.iter().enumerate() {
            let (above, below) = (from.add(row.first * width * LANES), from.add(row.second * width * LANES));
            for (x, column) in columns.iter().enumerate() {
                let (left, right) = (column.first * LANES, column.second * LANES);
                let mut value = L::load(above.add(left));
                if row.share != 0.0 || column.share != 0.0 {
                    let mix = |first: L, second: L, share: f32| second.sub(first).mul_add(L::splat(share), first);
                    let top = mix(value, L::load(above.add(right)), column.share);
                    let bottom = mix(L::load(below.add(left)), L::load(below.add(right)), column.share);
                    value = mix(top, bottom, row.share);
                }
                value.store(to.add((y * columns.len() + x) * LANES));
            }
        }
    }
}
