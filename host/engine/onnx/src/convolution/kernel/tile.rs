//! The inner loop of all products: pixels by output channels, held in registers.

// See `lanes`. The pointers are checked by the plan; each function says what it needs of them.
#![allow(unsafe_code)]

use super::lanes::{LANES, Lanes, for_machine};
use super::unary::Unary;

/// Pixels of the largest tile: twelve sums of two blocks leave registers for the weights.
const PIXELS: usize = 6;

/// What happens to a sum before it is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Epilogue {
    /// A function of the sum.
    pub(crate) function: Unary,
    /// What is added to it.
    pub(crate) addend: Addend,
    /// Distance between what is added to neighbouring pictures.
    pub(crate) addend_stride: usize,
}

impl Epilogue {
    /// The sum is stored as it is.
    pub(crate) const NONE: Self = Self { function: Unary::Identity, addend: Addend::None, addend_stride: 0 };

    /// The same for what lies `values` further on.
    ///
    /// # Safety
    /// The addend must reach that far.
    pub(super) unsafe fn at(self, values: usize) -> Self {
        // SAFETY: as the caller promises.
        let addend = unsafe {
            match self.addend {
                Addend::None => Addend::None,
                Addend::BeforeFunction(addend) => Addend::BeforeFunction(addend.add(values)),
                Addend::AfterFunction(addend) => Addend::AfterFunction(addend.add(values)),
            }
        };
        Self { addend, ..self }
    }

    /// The stored numbers.
    ///
    /// # Safety
    /// The addend must be good for eight numbers at `offset`; the machine must be the one that `L` is for.
    #[inline(always)]
    pub(super) unsafe fn finish<L: Lanes>(self, sum: L, offset: usize) -> L {
        // SAFETY: as the caller promises.
        unsafe {
            match self.addend {
                Addend::None => self.function.apply(sum),
                Addend::BeforeFunction(addend) => self.function.apply(sum.add(L::load(addend.add(offset)))),
                Addend::AfterFunction(addend) => self.function.apply(sum).add(L::load(addend.add(offset))),
            }
        }
    }
}

/// Numbers of the output's layout that are added to it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Addend {
    None,
    /// As residual networks do.
    BeforeFunction(*const f32),
    /// As YOLO does.
    AfterFunction(*const f32),
}

/// A run of output pixels of one or two blocks of output channels.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    /// Input of the first pixel.
    pub(crate) input: *const f32,
    /// Distance between the inputs of neighbouring pixels.
    pub(crate) pixel_stride: usize,
    /// Where the numbers lie that a pixel sums: `run` at each offset.
    pub(crate) taps: &'a [u32],
    /// Numbers at each tap.
    pub(crate) run: usize,
    /// `[taps, run, blocks, 8]`.
    pub(crate) weights: *const f32,
    /// `[blocks, 8]`.
    pub(crate) bias: *const f32,
    /// One or two.
    pub(crate) blocks: usize,
    /// Number of output pixels.
    pub(crate) pixels: usize,
    /// Output of the first pixel.
    pub(crate) output: *mut f32,
    /// Distance between the outputs of neighbouring pixels.
    pub(crate) output_pixel_stride: usize,
    /// Distance between the outputs of the two blocks.
    pub(crate) output_block_stride: usize,
    /// What happens before the output.
    pub(crate) epilogue: Epilogue,
}

for_machine!(
    /// Computes a row.
    ///
    /// # Safety
    /// Everything that the row's pointers, strides and counts reach must be there, and the output must not be read by others.
    pub(crate) unsafe fn compute(row: &Row<'_>) = compute_body
);

#[inline(always)]
unsafe fn compute_body<L: Lanes>(row: &Row<'_>) {
    let tiles = row.pixels.div_ceil(PIXELS);
    let mut start = 0;
    for tile in 0..tiles {
        // Tiles of nearly the same size: small ones wait for their own sums.
        let pixels = (row.pixels - start).div_ceil(tiles - tile);
        // SAFETY: as the caller promises; the tile is inside the row.
        unsafe {
            match (row.blocks, pixels) {
                (2, 1) => compute_tile::<L, 1, 2>(row, start),
                (2, 2) => compute_tile::<L, 2, 2>(row, start),
                (2, 3) => compute_tile::<L, 3, 2>(row, start),
                (2, 4) => compute_tile::<L, 4, 2>(row, start),
                (2, 5) => compute_tile::<L, 5, 2>(row, start),
                (2, _) => compute_tile::<L, 6, 2>(row, start),
                (_, 1) => compute_tile::<L, 1, 1>(row, start),
                (_, 2) => compute_tile::<L, 2, 1>(row, start),
                (_, 3) => compute_tile::<L, 3, 1>(row, start),
                (_, 4) => compute_tile::<L, 4, 1>(row, start),
                (_, 5) => compute_tile::<L, 5, 1>(row, start),
                _ => compute_tile::<L, 6, 1>(row, start),
            }
        }
        start += pixels;
    }
}

#[inline(always)]
unsafe fn compute_tile<L: Lanes, const P: usize, const B: usize>(row: &Row<'_>, start: usize) {
    // SAFETY: as the caller of `compute` promises; `start + P` is at most the pixels of the row.
    unsafe {
        let mut sums = [[L::splat(0.0); B]; P];
        for sum in &mut sums {
            for (block, sum) in sum.iter_mut().enumerate() {
                *sum = L::load(row.bias.add(block * LANES));
            }
        }
        let input = row.input.add(start * row.pixel_stride);
        let mut weights = row.weights;
        for &tap in row.taps {
            let input = input.add(tap as usize);
            if row.run == LANES {
                // A constant count, which the compiler unrolls.
                for index in 0..LANES {
                    step(&mut sums, input.add(index), row.pixel_stride, weights.add(index * B * LANES));
                }
            } else {
                for index in 0..row.run {
                    step(&mut sums, input.add(index), row.pixel_stride, weights.add(index * B * LANES));
                }
            }
            weights = weights.add(row.run * B * LANES);
        }
        // A copy: the sums stay in registers only while every index into them is a constant.
        let finished = sums;
        for (pixel, sums) in finished.iter().enumerate() {
            for (block, &sum) in sums.iter().enumerate() {
                let offset = (start + pixel) * row.output_pixel_stride + block * row.output_block_stride;
                row.epilogue.finish(sum, offset).store(row.output.add(offset));
            }
        }
    }
}

/// Adds one input of every pixel, times the weights of the blocks.
#[inline(always)]
unsafe fn step<L: Lanes, const P: usize, const B: usize>(
    sums: &mut [[L; B]; P],
    input: *const f32,
    pixel_stride: usize,
    weights: *const f32,
) {
    // SAFETY: as in `compute_tile`.
    unsafe {
        let mut columns = [L::splat(0.0); B];
        for (block, column) in columns.iter_mut().enumerate() {
            *column = L::load(weights.add(block * LANES));
        }
        for (pixel, sums) in sums.iter_mut().enumerate() {
            let value = L::splat(*input.add(pixel * pixel_stride));
            for (sum, &column) in sums.iter_mut().zip(&columns) {
                *sum = value.mul_add(column, *sum);
            }
        }
    }
}
