//! Loops over tensors in row-major order: what stands before and after the convolutions.

// See `tile`; `matmul` hands its vectors to `compute` as pointers.
#![allow(unsafe_code)]

use rayon::prelude::*;

use super::lanes::{LANES, Lanes, for_machine};
use super::picture::share;
use super::tile::{Epilogue, Row, compute};
use super::unary::exp;
use crate::convolution::operator::Reduction;

/// Distance between neighbours along each dimension of a tensor in row-major order.
pub(crate) fn row_major(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis] as isize;
    }
    strides
}

/// The shape that two broadcast to, if they do.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    let sizes = (0..rank).map(|axis| match (size(a, axis), size(b, axis)) {
        (a, b) if a == b => Some(a),
        (1, b) => Some(b),
        (a, 1) => Some(a),
        _ => None,
    });
    sizes.collect()
}

/// Distance between neighbours of a tensor of `shape` that is read as one of shape `to`.
pub(crate) fn broadcast_strides(shape: &[usize], to: &[usize]) -> Vec<isize> {
    let own = row_major(shape);
    let missing = to.len() - shape.len();
    let stride = |axis: usize| if shape[axis] == 1 { 0 } else { own[axis] };
    (0..to.len()).map(|axis| axis.checked_sub(missing).map_or(0, stride)).collect()
}

/// Calls `row` with the offset in the output, and those given by `strides`, of each row along the last dimension of `shape`.
fn for_each_row<const N: usize>(shape: &[usize], strides: [&[isize]; N], mut row: impl FnMut(usize, [isize; N])) {
    let Some((&length, outer)) = shape.split_last() else { return row(0, [0; N]) };
    if shape.contains(&0) {
        return;
    }
    let mut index = vec![0; outer.len()];
    let mut offsets = [0; N];
    let mut output = 0;
    loop {
        row(output, offsets);
        output += length;
        let mut axis = outer.len();
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            index[axis] += 1;
            for (offset, strides) in offsets.iter_mut().zip(strides) {
                *offset += strides[axis];
            }
            if index[axis] < outer[axis] {
                break;
            }
            for (offset, strides) in offsets.iter_mut().zip(strides) {
                *offset -= strides[axis] * outer[axis] as isize;
            }
            index[axis] = 0;
        }
    }
}

/// Reads a tensor of `shape` that lies in `from` from `start` on with `strides`.
pub(crate) fn copy_strided<T: Copy>(from: &[T], start: usize, strides: &[isize], shape: &[usize], to: &mut [T]) {
    let step = strides.last().copied().unwrap_or(1);
    let length = shape.last().copied().unwrap_or(1);
    for_each_row(shape, [strides], |output, [offset]| {
        let first = start as isize + offset;
        let row = &mut to[output..output + length];
        if step == 1 {
            row.copy_from_slice(&from[first as usize..first as usize + length]);
        } else {
            for (index, value) in row.iter_mut().enumerate() {
                *value = from[(first + index as isize * step) as usize];
            }
        }
    });
}

/// Writes a tensor of `shape` into `to` from `start` on with `strides`.
pub(crate) fn copy_into(from: &[f32], shape: &[usize], start: usize, strides: &[isize], to: &mut [f32]) {
    let step = strides.last().copied().unwrap_or(1);
    let length = shape.last().copied().unwrap_or(1);
    for_each_row(shape, [strides], |input, [offset]| {
        let first = start as isize + offset;
        for (index, &value) in from[input..input + length].iter().enumerate() {
            to[(first + index as isize * step) as usize] = value;
        }
    });
}

/// Combines two tensors that are read as ones of `shape`.
pub(crate) fn combine<T: Copy, U>(
    [a, b]: [&[T]; 2],
    strides: [&[isize]; 2],
    shape: &[usize],
    to: &mut [U],
    function: impl Fn(T, T) -> U,
) {
    let length = shape.last().copied().unwrap_or(1);
    let steps = strides.map(|strides| strides.last().copied().unwrap_or(0));
    for_each_row(shape, strides, |output, offsets| {
        let row = &mut to[output..output + length];
        let [a_start, b_start] = offsets.map(|offset| offset as usize);
        match steps {
            [1, 1] => {
                let pairs = a[a_start..a_start + length].iter().zip(&b[b_start..b_start + length]);
                row.iter_mut().zip(pairs).for_each(|(value, (&a, &b))| *value = function(a, b));
            }
            [1, 0] => {
                let b = b[b_start];
                row.iter_mut().zip(&a[a_start..a_start + length]).for_each(|(value, &a)| *value = function(a, b));
            }
            [0, 1] => {
                let a = a[a_start];
                row.iter_mut().zip(&b[b_start..b_start + length]).for_each(|(value, &b)| *value = function(a, b));
            }
            [a_step, b_step] => {
                for (index, value) in row.iter_mut().enumerate() {
                    let at = |start: usize, step: isize| (start as isize + index as isize * step) as usize;
                    *value = function(a[at(a_start, a_step)], b[at(b_start, b_step)]);
                }
            }
        }
    });
}

/// Gathers the values along the axes where `to_strides` is zero into `to`, which holds what to start with.
pub(crate) fn gather_up<T: Copy>(
    from: &[T],
    shape: &[usize],
    to_strides: &[isize],
    to: &mut [T],
    combine: impl Fn(T, T) -> T,
) {
    let length = shape.last().copied().unwrap_or(1);
    let step = to_strides.last().copied().unwrap_or(0);
    for_each_row(shape, [to_strides], |start, [offset]| {
        let row = &from[start..start + length];
        if step == 0 {
            let value = &mut to[offset as usize];
            *value = row.iter().fold(*value, |value, &other| combine(value, other));
        } else {
            let to = &mut to[offset as usize..offset as usize + length];
            to.iter_mut().zip(row).for_each(|(value, &other)| *value = combine(*value, other));
        }
    });
}

/// Reduces the axes along which `to_strides` is zero.
pub(crate) fn reduce(from: &[f32], shape: &[usize], to_strides: &[isize], to: &mut [f32], reduction: Reduction) {
    to.fill(match reduction {
        Reduction::Mean | Reduction::Sum => 0.0,
        Reduction::Max => f32::NEG_INFINITY,
        Reduction::Min => f32::INFINITY,
        Reduction::Product => 1.0,
    });
    gather_up(from, shape, to_strides, to, |a, b| match reduction {
        Reduction::Mean | Reduction::Sum => a + b,
        Reduction::Max => a.max(b),
        Reduction::Min => a.min(b),
        Reduction::Product => a * b,
    });
    if reduction == Reduction::Mean {
        let factor = to.len() as f32 / from.len().max(1) as f32;
        to.iter_mut().for_each(|value| *value *= factor);
    }
}

/// Exponentials along the middle of `[outer, length, inner]`, divided by their sum.
pub(crate) fn softmax(from: &[f32], length: usize, inner: usize, to: &mut [f32]) {
    /// Columns whose sums are built together.
    const COLUMNS: usize = 256;
    let size = length * inner;
    if size == 0 {
        return;
    }
    assert_eq!(from.len(), to.len(), "a softmax keeps the shape");
    let parts = inner.div_ceil(COLUMNS);
    let job = Softmax { from: from.as_ptr(), to: to.as_mut_ptr(), length, inner };
    let job = &job;
    share(from.len() / size * parts, move |unit| {
        let start = unit % parts * COLUMNS;
        let columns = COLUMNS.min(inner - start);
        // SAFETY: the columns are inside both slices, and those of different units do not meet.
        unsafe { softmax_columns(job, unit / parts * size + start, columns) }
    });
}

/// One softmax.
struct Softmax {
    from: *const f32,
    to: *mut f32,
    length: usize,
    inner: usize,
}

// SAFETY: threads read all and write different columns.
unsafe impl Sync for Softmax {}

for_machine!(unsafe fn softmax_columns(job: &Softmax, start: usize, columns: usize) = softmax_columns_body);

/// # Safety
/// `columns` columns must follow `start`.
#[inline(always)]
unsafe fn softmax_columns_body<L: Lanes>(job: &Softmax, start: usize, columns: usize) {
    let Softmax { length, inner, .. } = *job;
    // SAFETY: as the caller promises.
    unsafe {
        let (from, to) = (job.from.add(start), job.to.add(start));
        let mut column = 0;
        while column + LANES <= columns {
            let mut maximum = L::splat(f32::NEG_INFINITY);
            for row in 0..length {
                maximum = maximum.max(L::load(from.add(row * inner + column)));
            }
            let mut sum = L::splat(0.0);
            for row in 0..length {
                let value = exp(L::load(from.add(row * inner + column)).sub(maximum));
                value.store(to.add(row * inner + column));
                sum = sum.add(value);
            }
            let factor = L::splat(1.0).div(sum);
            for row in 0..length {
                let at = to.add(row * inner + column);
                L::load(at).mul(factor).store(at);
            }
            column += LANES;
        }
        for column in column..columns {
            let value = |row: usize| *from.add(row * inner + column);
            let maximum = (0..length).map(value).fold(f32::NEG_INFINITY, f32::max);
            let mut sum = 0.0;
            for row in 0..length {
                let value = (value(row) - maximum).exp();
                *to.add(row * inner + column) = value;
                sum += value;
            }
            for row in 0..length {
                *to.add(row * inner + column) /= sum;
            }
        }
    }
}

/// The product of `[rows, inner]` and `[inner, columns]`; `b_strides` are the distances between the rows and columns of the second.
pub(crate) fn matmul(a: &[f32], b: &[f32], b_strides: [usize; 2], [rows, inner, columns]: [usize; 3], to: &mut [f32]) {
    const PANEL: usize = 2 * LANES;
    assert!(a.len() >= rows * inner && to.len() >= rows * columns, "a product keeps to its tensors");
    if rows == 0 || columns == 0 {
        return;
    }
    let panels = columns.div_ceil(PANEL);
    let products: Vec<Vec<f32>> = (0..panels)
        .into_par_iter()
        .map(|panel| {
            let mut weights = vec![0.0; inner * PANEL];
            let first = panel * PANEL;
            for (row, weights) in weights.chunks_exact_mut(PANEL).enumerate() {
                for (column, weight) in (first..columns).zip(weights) {
                    *weight = b[row * b_strides[0] + column * b_strides[1]];
                }
            }
            let mut products = vec![0.0; rows * PANEL];
            let row = Row {
                input: a.as_ptr(),
                pixel_stride: inner,
                taps: &[0],
                run: inner,
                weights: weights.as_ptr(),
                bias: [0.0; PANEL].as_ptr(),
                blocks: 2,
                pixels: rows,
                output: products.as_mut_ptr(),
                output_pixel_stride: PANEL,
                output_block_stride: LANES,
                epilogue: Epilogue::NONE,
            };
            // SAFETY: the vectors above hold `rows` rows and `inner` weights of a panel.
            unsafe { compute(&row) };
            products
        })
        .collect();
    for (panel, products) in products.iter().enumerate() {
        let first = panel * PANEL;
        let count = PANEL.min(columns - first);
        for (row, product) in products.chunks_exact(PANEL).enumerate() {
            to[row * columns + first..row * columns + first + count].copy_from_slice(&product[..count]);
        }
    }
}
