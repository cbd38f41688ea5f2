//! Pictures in blocks, and how work on them is shared.
//!
//! A blocked picture is `[channels / 8, height, width, 8]`: the eight channels of a block lie side by side, so that a register holds them.

// Pointers are handed to threads; that they do not meet is said where the work is shared.
#![allow(unsafe_code)]

use std::cell::RefCell;

use rayon::prelude::*;

use super::lanes::LANES;

/// A bias for each channel of so many blocks; 0 where none is given.
pub(crate) fn padded(bias: Option<&[f32]>, blocks: usize) -> Vec<f32> {
    let mut values = vec![0.0; blocks * LANES];
    if let Some(bias) = bias {
        values[..bias.len()].copy_from_slice(bias);
    }
    values
}

/// Pictures that are read: one for each of the batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    /// The first value.
    pub(crate) data: *const f32,
    /// Distance between pictures.
    pub(crate) batch_stride: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

/// Pictures that are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// The first value.
    pub(crate) data: *mut f32,
    /// Distance between pictures.
    pub(crate) batch_stride: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

// SAFETY: threads read one source, and write different parts of a target.
unsafe impl Send for Source {}
unsafe impl Sync for Source {}
unsafe impl Send for Target {}
unsafe impl Sync for Target {}

impl Source {
    /// Distance between blocks of channels.
    pub(crate) fn block_stride(&self) -> usize {
        self.height * self.width * LANES
    }
}

impl Target {
    /// Distance between blocks of channels.
    pub(crate) fn block_stride(&self) -> usize {
        self.height * self.width * LANES
    }
}

/// Pieces of work for each thread, so that one that is held up does not hold up all.
const PIECES_PER_THREAD: usize = 3;

/// Into how many pieces work is cut of which every piece has at most `largest` of `total` parts, for each of `batch` pictures.
pub(crate) fn pieces(total: usize, largest: usize, batch: usize) -> usize {
    let threads = rayon::current_num_threads();
    let needed = total.div_ceil(largest.max(1));
    if threads == 1 {
        return needed.max(1);
    }
    let wished = (threads * PIECES_PER_THREAD).div_ceil(batch.max(1));
    needed.max(wished.min(total)).max(1)
}

/// The part of `0..total` that is piece `index` of `pieces`.
pub(crate) fn piece(total: usize, pieces: usize, index: usize) -> std::ops::Range<usize> {
    total * index / pieces..total * (index + 1) / pieces
}

/// Does all pieces of work, on the threads of the present pool.
pub(crate) fn share(pieces: usize, work: impl Fn(usize) + Send + Sync) {
    if pieces <= 1 || rayon::current_num_threads() == 1 {
        (0..pieces).for_each(work);
    } else {
        (0..pieces).into_par_iter().with_max_len(1).for_each(work);
    }
}

/// Gives `work` memory of this thread, of any content.
pub(crate) fn with_scratch<T>(values: usize, work: impl FnOnce(&mut [f32]) -> T) -> T {
    thread_local!(static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) });
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < values {
            scratch.resize(values, 0.0);
        }
        work(&mut scratch[..values])
    })
}
