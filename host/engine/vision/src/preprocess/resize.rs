//! Bilinear resizing of 8-bit pictures, bit for bit as OpenCV's `INTER_LINEAR` does it.
//!
//! Weights have 11 bits after the point, rows are blended first to the right, then down, and lose 4 and 18 bits. Halving both sides
//! exactly is the mean of four pixels. Source: OpenCV, `modules/imgproc/src/resize.cpp`; pinned by `tests/golden/pictures.safetensors`.
//! The same without rounding, as OpenCV does it with numbers in single precision, is [`stretch`].

use rayon::prelude::*;

use super::pixels::Pixels;

/// Weights are multiples of one divided by this.
const WEIGHT_ONE: f32 = 2048.0;

/// Pixels of the result from which on rows are shared out over the cores.
const PARALLEL_PIXELS: usize = 2 << 20;

/// Rows that one core makes at a time.
const PARALLEL_ROWS: usize = 64;

/// Two places along one side and their weights.
#[derive(Clone, Copy)]
struct Tap {
    near: usize,
    far: usize,
    /// The share of the farther place.
    fraction: f32,
    /// Both shares in whole numbers.
    near_weight: i16,
    far_weight: i16,
}

/// Where a picture goes in a larger one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// Resizes a picture into a window of a canvas of `canvas_width` pixels a row; the window must lie inside.
pub(crate) fn resize_into(source: &Pixels, canvas: &mut [u8], canvas_width: usize, window: Window) {
    let stride = canvas_width * 3;
    let (first, bytes) = (window.left * 3, window.width * 3);
    let rows = &mut canvas[window.top * stride..(window.top + window.height) * stride];
    if (source.width, source.height) == (window.width, window.height) {
        for (row, from) in rows.chunks_exact_mut(stride).zip(source.rows()) {
            row[first..first + bytes].copy_from_slice(from);
        }
    } else if (source.width, source.height) == (window.width * 2, window.height * 2) {
        for (y, row) in rows.chunks_exact_mut(stride).enumerate() {
            halve_row(source.row(2 * y), source.row(2 * y + 1), &mut row[first..first + bytes]);
        }
    } else {
        let across = taps(source.width, window.width, true);
        let down = taps(source.height, window.height, false);
        let band = |(index, rows): (usize, &mut [u8])| {
            let down = &down[index * PARALLEL_ROWS..];
            blend_rows(source, &across, down, rows.chunks_exact_mut(stride).map(|row| &mut row[first..first + bytes]));
        };
        if window.width * window.height >= PARALLEL_PIXELS {
            rows.par_chunks_mut(stride * PARALLEL_ROWS).enumerate().for_each(band);
        } else {
            rows.chunks_mut(stride * PARALLEL_ROWS).enumerate().for_each(band);
        }
    }
}

/// The places along one side. To the right, places outside are moved onto the edge; down, they keep their weights.
fn taps(source: usize, target: usize, is_clamped: bool) -> Vec<Tap> {
    let last = source as i64 - 1;
    let scale = 1.0 / (target as f64 / source as f64);
    let tap = |index: usize| {
        let place = ((index as f64 + 0.5) * scale - 0.5) as f32;
        let mut near = place.floor() as i64;
        let mut fraction = place - place.floor();
        if is_clamped && (near < 0 || near >= last) {
            near = near.clamp(0, last);
            fraction = 0.0;
        }
        let weight = |value: f32| (value * WEIGHT_ONE).round_ties_even() as i16;
        Tap {
            near: near.clamp(0, last) as usize,
            far: (near + 1).clamp(0, last) as usize,
            fraction,
            near_weight: weight(1.0 - fraction),
            far_weight: weight(fraction),
        }
    };
    (0..target).map(tap).collect()
}

/// Makes the rows of `down`, as many as `rows` has.
fn blend_rows<'a>(source: &Pixels, across: &[Tap], down: &[Tap], rows: impl Iterator<Item = &'a mut [u8]>) {
    let mut above = (usize::MAX, vec![0i16; across.len() * 3]);
    let mut below = (usize::MAX, vec![0i16; across.len() * 3]);
    for (tap, row) in down.iter().zip(rows) {
        if below.0 == tap.near {
            std::mem::swap(&mut above, &mut below);
        }
        for (wanted, held) in [(tap.near, &mut above), (tap.far, &mut below)] {
            if held.0 != wanted {
                blend_across(source.row(wanted), across, &mut held.1);
                held.0 = wanted;
            }
        }
        let (near_weight, far_weight) = (i32::from(tap.near_weight), i32::from(tap.far_weight));
        for ((out, &near), &far) in row.iter_mut().zip(&above.1).zip(&below.1) {
            let near = ((i32::from(near) * near_weight) >> 16) as i16;
            let far = ((i32::from(far) * far_weight) >> 16) as i16;
            *out = ((near + far + 2) >> 2) as u8;
        }
    }
}

/// A row blended to the right, less the last 4 bits.
fn blend_across(row: &[u8], across: &[Tap], out: &mut [i16]) {
    for (tap, out) in across.iter().zip(out.as_chunks_mut::<3>().0) {
        let near = &row[tap.near * 3..tap.near * 3 + 3];
        let far = &row[tap.far * 3..tap.far * 3 + 3];
        let (near_weight, far_weight) = (i32::from(tap.near_weight), i32::from(tap.far_weight));
        for channel in 0..3 {
            let sum = i32::from(near[channel]) * near_weight + i32::from(far[channel]) * far_weight;
            out[channel] = (sum >> 4) as i16;
        }
    }
}

/// Resizes a picture to `[height, width, 3]` without rounding; values stay from 0 to 255.
pub(crate) fn stretch(source: &Pixels, width: usize, height: usize) -> Vec<f32> {
    let mut stretched = vec![0.0; width * height * 3];
    let across = taps(source.width, width, true);
    let mut above = (usize::MAX, vec![0.0; width * 3]);
    let mut below = (usize::MAX, vec![0.0; width * 3]);
    // Places of a halved picture lie in the middle of four pixels: the mean of OpenCV's special case comes out by itself.
    for (tap, row) in taps(source.height, height, false).iter().zip(stretched.chunks_exact_mut(width * 3)) {
        if below.0 == tap.near {
            std::mem::swap(&mut above, &mut below);
        }
        for (wanted, held) in [(tap.near, &mut above), (tap.far, &mut below)] {
            if held.0 != wanted {
                stretch_across(source.row(wanted), &across, &mut held.1);
                held.0 = wanted;
            }
        }
        for ((out, near), far) in row.iter_mut().zip(&above.1).zip(&below.1) {
            *out = near * (1.0 - tap.fraction) + far * tap.fraction;
        }
    }
    stretched
}

/// A row blended to the right, without rounding.
fn stretch_across(row: &[u8], across: &[Tap], out: &mut [f32]) {
    for (tap, out) in across.iter().zip(out.as_chunks_mut::<3>().0) {
        let near = &row[tap.near * 3..tap.near * 3 + 3];
        let far = &row[tap.far * 3..tap.far * 3 + 3];
        for channel in 0..3 {
            out[channel] = f32::from(near[channel]) * (1.0 - tap.fraction) + f32::from(far[channel]) * tap.fraction;
        }
    }
}

/// The mean of each four pixels.
fn halve_row(above: &[u8], below: &[u8], out: &mut [u8]) {
    let pairs = above.as_chunks::<6>().0.iter().zip(below.as_chunks::<6>().0);
    for (out, (above, below)) in out.as_chunks_mut::<3>().0.iter_mut().zip(pairs) {
        for channel in 0..3 {
            let sum = [above[channel], above[channel + 3], below[channel], below[channel + 3]].map(u16::from);
            out[channel] = ((sum.iter().sum::<u16>() + 2) >> 2) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[height, width, 3]` resized.
    fn resize(source: &Pixels, width: usize, height: usize) -> Vec<u8> {
        let mut canvas = vec![0; width * height * 3];
        resize_into(source, &mut canvas, width, Window { left: 0, top: 0, width, height });
        canvas
    }

    #[test]
    fn a_single_pixel_fills_everything() {
        let source = Pixels::owned(vec![7, 200, 255], 1, 1);
        let resized = resize(&source, 5, 3);
        assert_eq!(resized.as_chunks::<3>().0, [[7, 200, 255]; 15]);
    }

    #[test]
    fn many_rows_are_the_same_as_few() {
        let bytes: Vec<u8> = (0..40 * 30 * 3u32).map(|index| ((index * 2_654_435_761) >> 24) as u8).collect();
        let source = Pixels::owned(bytes, 40, 30);
        let (width, height) = (2048, 1100);
        assert!(width * height >= PARALLEL_PIXELS);
        let whole = resize(&source, width, height);
        let (across, down) = (taps(40, width, true), taps(30, height, false));
        let mut expected = vec![0; whole.len()];
        blend_rows(&source, &across, &down, expected.chunks_exact_mut(width * 3));
        assert!(whole == expected);
    }

    #[test]
    fn a_window_leaves_the_rest_alone() {
        let source = Pixels::owned(vec![9; 12], 2, 2);
        let mut canvas = vec![1; 4 * 4 * 3];
        resize_into(&source, &mut canvas, 4, Window { left: 1, top: 1, width: 2, height: 2 });
        let gray: Vec<u8> = canvas.iter().step_by(3).copied().collect();
        assert_eq!(gray, [1, 1, 1, 1, 1, 9, 9, 1, 1, 9, 9, 1, 1, 1, 1, 1]);
    }
}
