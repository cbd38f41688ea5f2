//! What works on blocked pictures one value, one pixel or one channel at a time.

// See `tile`.
#![allow(unsafe_code)]

use super::lanes::{LANES, Lanes, for_machine};
use super::picture::{Source, Target, share};
use super::unary::Unary;

/// A function of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
    Pow,
}

impl Binary {
    /// The function.
    pub(crate) fn of(self, a: f32, b: f32) -> f32 {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Max => a.max(b),
            Self::Min => a.min(b),
            Self::Pow => a.powf(b),
        }
    }

    /// The function of eight numbers.
    ///
    /// # Safety
    /// The machine must be the one that `L` is for.
    #[inline(always)]
    unsafe fn apply<L: Lanes>(self, a: L, b: L) -> L {
        // SAFETY: as the caller promises.
        unsafe {
            match self {
                Self::Add => a.add(b),
                Self::Sub => a.sub(b),
                Self::Mul => a.mul(b),
                Self::Div => a.div(b),
                Self::Max => a.max(b),
                Self::Min => a.min(b),
                Self::Pow => {
                    let mut powers = [0.0; LANES];
                    b.store(powers.as_mut_ptr());
                    let mut values = [0.0; LANES];
                    a.store(values.as_mut_ptr());
                    for (value, power) in values.iter_mut().zip(powers) {
                        *value = value.powf(power);
                    }
                    L::load(values.as_ptr())
                }
            }
        }
    }
}

/// What the other side of a [`combine`] is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Other {
    /// A picture of the same size.
    Picture(Source),
    /// One value for each channel, of each picture: a picture of one pixel.
    Channels(Source),
}

// SAFETY: see `Source`.
unsafe impl Send for Other {}
unsafe impl Sync for Other {}

/// Puts `blocks` blocks of each picture through `function`.
///
/// # Safety
/// Source and target must hold so many blocks of pictures of one size, and nobody else may write the target.
pub(crate) unsafe fn map(batch: usize, blocks: usize, source: Source, target: Target, function: Unary) {
    share(batch * blocks, move |unit| {
        let (picture, block) = (unit / blocks, unit % blocks);
        // SAFETY: blocks do not meet.
        unsafe {
            let source = { source }.data.add(picture * source.batch_stride + block * source.block_stride());
            let to = { target }.data.add(picture * target.batch_stride + block * target.block_stride());
            map_block(source, to, target.block_stride(), function);
        }
    });
}

for_machine!(unsafe fn map_block(from: *const f32, to: *mut f32, values: usize, function: Unary) = map_block_body);

#[inline(always)]
unsafe fn map_block_body<L: Lanes>(from: *const f32, to: *mut f32, values: usize, function: Unary) {
    for at in (0..values).step_by(LANES) {
        // SAFETY: a block is whole pixels of eight numbers.
        unsafe { function.apply(L::load(from.add(at))).store(to.add(at)) }
    }
}

/// Combines `blocks` blocks of each picture with those of another, value by value.
///
/// # Safety
/// As [`map`]; `other` must hold what its kind says.
pub(crate) unsafe fn combine(
    batch: usize,
    blocks: usize,
    source: Source,
    other: Other,
    target: Target,
    operation: Binary,
) {
    share(batch * blocks, move |unit| {
        let (picture, block) = (unit / blocks, unit % blocks);
        // SAFETY: blocks do not meet.
        unsafe {
            let from = { source }.data.add(picture * source.batch_stride + block * source.block_stride());
            let whole = other;
            let (with, step) = match whole {
                Other::Picture(other) => {
                    (other.data.add(picture * other.batch_stride + block * other.block_stride()), LANES)
                }
                Other::Channels(other) => (other.data.add(picture * other.batch_stride + block * LANES), 0),
            };
            let to = { target }.data.add(picture * target.batch_stride + block * target.block_stride());
            combine_block(from, with, step, to, target.block_stride(), operation);
        }
    });
}

for_machine!(
    unsafe fn combine_block(
        from: *const f32,
        with: *const f32,
        step: usize,
        to: *mut f32,
        values: usize,
        operation: Binary,
    ) = combine_block_body
);

#[inline(always)]
unsafe fn combine_block_body<L: Lanes>(
    from: *const f32,
    with: *const f32,
    step: usize,
    to: *mut f32,
    values: usize,
    operation: Binary,
) {
    for pixel in 0..values / LANES {
        // SAFETY: a block is whole pixels of eight numbers.
        unsafe {
            let (a, b) = (L::load(from.add(pixel * LANES)), L::load(with.add(pixel * step)));
            operation.apply(a, b).store(to.add(pixel * LANES));
        }
    }
}

/// Copies `blocks` blocks of each picture.
///
/// # Safety
/// As [`map`].
pub(crate) unsafe fn copy(batch: usize, blocks: usize, source: Source, target: Target) {
    // SAFETY: as the caller promises.
    unsafe { map(batch, blocks, source, target, Unary::Identity) }
}

/// Turns `[channels, pixels]` into blocks; lanes past the last channel are zero.
///
/// # Safety
/// `from` must hold the channels of each picture, `from_stride` apart, and the target their blocks.
pub(crate) unsafe fn to_blocks(batch: usize, channels: usize, from: Plain, target: Target) {
    let blocks = channels.div_ceil(LANES);
    let pixels = target.height * target.width;
    share(batch * blocks, move |unit| {
        let (picture, block) = (unit / blocks, unit % blocks);
        // SAFETY: blocks do not meet.
        unsafe {
            let rows = { from }.data.add(picture * from.batch_stride + block * LANES * from.row_stride);
            let to = { target }.data.add(picture * target.batch_stride + block * target.block_stride());
            interleave(rows, from.row_stride, LANES.min(channels - block * LANES), pixels, to);
        }
    });
}

/// Rows of a tensor that is not in blocks: `[channels, pixels]` of each picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain {
    pub(crate) data: *mut f32,
    /// Distance between pictures.
    pub(crate) batch_stride: usize,
    /// Distance between channels.
    pub(crate) row_stride: usize,
}

// SAFETY: as for `Source` and `Target`.
unsafe impl Send for Plain {}
unsafe impl Sync for Plain {}

for_machine!(
    unsafe fn interleave(rows: *const f32, row_stride: usize, channels: usize, pixels: usize, to: *mut f32) =
        interleave_body
);

#[inline(always)]
unsafe fn interleave_body<L: Lanes>(rows: *const f32, row_stride: usize, channels: usize, pixels: usize, to: *mut f32) {
    // SAFETY: as the caller of `to_blocks` promises.
    unsafe {
        let mut pixel = 0;
        if channels == LANES {
            while pixel + LANES <= pixels {
                let rows = std::array::from_fn(|row| L::load(rows.add(row * row_stride + pixel)));
                for (index, column) in L::transpose(rows).into_iter().enumerate() {
                    column.store(to.add((pixel + index) * LANES));
                }
                pixel += LANES;
            }
        }
        for pixel in pixel..pixels {
            for channel in 0..LANES {
                let value = if channel < channels { *rows.add(channel * row_stride + pixel) } else { 0.0 };
                *to.add(pixel * LANES + channel) = value;
            }
        }
    }
}

/// Turns blocks into `[channels, pixels]`.
///
/// # Safety
/// As [`to_blocks`], the other way round.
pub(crate) unsafe fn to_plain(batch: usize, channels: usize, source: Source, to: Plain) {
    let blocks = channels.div_ceil(LANES);
    let pixels = source.height * source.width;
    share(batch * blocks, move |unit| {
        let (picture, block) = (unit / blocks, unit % blocks);
        // SAFETY: rows do not meet.
        unsafe {
            let from = { source }.data.add(picture * source.batch_stride + block * source.block_stride());
            let rows = { to }.data.add(picture * to.batch_stride + block * LANES * to.row_stride);
            separate(from, rows, to.row_stride, LANES.min(channels - block * LANES), pixels);
        }
    });
}

for_machine!(
    unsafe fn separate(from: *const f32, rows: *mut f32, row_stride: usize, channels: usize, pixels: usize) =
        separate_body
);

#[inline(always)]
unsafe fn separate_body<L: Lanes>(from: *const f32, rows: *mut f32, row_stride: usize, channels: usize, pixels: usize) {
    // SAFETY: as the caller of `to_plain` promises.
    unsafe {
        let mut pixel = 0;
        while pixel + LANES <= pixels {
            let columns = std::array::from_fn(|column| L::load(from.add((pixel + column) * LANES)));
            for (channel, row) in L::transpose(columns).into_iter().enumerate().take(channels) {
                row.store(rows.add(channel * row_stride + pixel));
            }
            pixel += LANES;
        }
        for pixel in pixel..pixels {
            for channel in 0..channels {
                *rows.add(channel * row_stride + pixel) = *from.add(pixel * LANES + channel);
            }
        }
    }
}
