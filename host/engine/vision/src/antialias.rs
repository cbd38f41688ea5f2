//! Resizing as Pillow does it: a weighted mean of all pixels under the filter, wider where a picture shrinks.
//!
//! Weights are fixed-point numbers and both passes round to 8 bits, so the pixels are those of `PIL.Image.resize`.
//!
//! Source: Pillow 13, `src/libImaging/Resample.c`; `tests/golden/antialias.json` pins it.

use std::ops::Range;

use crate::Image;

/// Bits of a weight after the point.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// How the pixels under the filter are weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// A triangle, 1 pixel to each side.
    Bilinear,
    /// Keys' cubic with a = -0.5, 2 pixels to each side.
    Bicubic,
}

impl Filter {
    /// Pixels to each side when the picture does not shrink.
    fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
        }
    }

    /// The weight at a distance in pixels.
    fn weight(self, distance: f64) -> f64 {
        const A: f64 = -0.5;
        let x = distance.abs();
        match self {
            Self::Bilinear if x < 1.0 => 1.0 - x,
            Self::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            Self::Bilinear | Self::Bicubic => 0.0,
        }
    }
}

/// A part of a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
}

/// What one row or column of the result is made of.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// Brings a picture to `width` times `height` pixels, both at least 1; the caller bounds them.
pub fn resize(image: &Image, width: u32, height: u32, filter: Filter) -> Image {
    resize_part(image, width, height, filter, Part { left: 0, top: 0, width, height })
}

/// As [`resize`], but computes a part of the result only, which lies inside it; the caller bounds the part.
///
/// # Panics
/// When the part passes the result's sides.
pub fn resize_part(image: &Image, width: u32, height: u32, filter: Filter, part: Part) -> Image {
    let (columns, rows) = (part.left..part.left + part.width, part.top..part.top + part.height);
    assert!(columns.end <= width && rows.end <= height, "{part:?} lies inside {width} x {height}");
    let columns = taps(image.width(), width, columns, filter);
    let mut rows = taps(image.height(), height, rows, filter);
    // Rows that no part of the result is made of are left out.
    let first = rows.iter().map(|taps| taps.first).min().unwrap_or(0);
    let last = rows.iter().map(|taps| taps.first + taps.weights.len()).max().unwrap_or(0);
    rows.iter_mut().for_each(|taps| taps.first -= first);
    let stride = image.width() as usize * 3;
    let narrow = horizontally(&image.pixels()[first * stride..last * stride], stride, &columns);
    let pixels = vertically(&narrow, columns.len() * 3, &rows);
    made(part.width, part.height, pixels)
}

/// Cuts the middle out of a picture; black surrounds one that is smaller.
///
/// Where the rest is odd, the picture is cut less at the top and the left, and padded more there.
///
/// Source: transformers 5, `image_transforms.center_crop`.
pub fn centre_crop(image: &Image, width: u32, height: u32) -> Image {
    let (from_x, to_x) = offsets(image.width(), width);
    let (from_y, to_y) = offsets(image.height(), height);
    let bytes = image.width().min(width) as usize * 3;
    let mut pixels = vec![0; width as usize * height as usize * 3];
    for row in 0..image.height().min(height) as usize {
        let from = ((from_y + row) * image.width() as usize + from_x) * 3;
        let to = ((to_y + row) * width as usize + to_x) * 3;
        pixels[to..][..bytes].copy_from_slice(&image.pixels()[from..][..bytes]);
    }
    made(width, height, pixels)
}

/// Where a middle part begins in the source and in the result.
fn offsets(length: u32, wanted: u32) -> (usize, usize) {
    let from = length.saturating_sub(wanted) / 2;
    let to = wanted.saturating_sub(length).div_ceil(2);
    (from as usize, to as usize)
}

/// The taps of some of the `wanted` places of a side of `length` pixels.
///
/// A side that keeps its length has a single weight of 1 at each place, and the pass changes nothing.
fn taps(length: u32, wanted: u32, places: Range<u32>, filter: Filter) -> Vec<Taps> {
    let scale = f64::from(length) / f64::from(wanted);
    let filter_scale = scale.max(1.0);
    let support = filter.support() * filter_scale;
    let inverse = 1.0 / filter_scale;
    let place = |index: u32| {
        let centre = (f64::from(index) + 0.5) * scale;
        // Both conversions cut off what is after the point, and what is below 0.
        let first = (centre - support + 0.5) as usize;
        let last = ((centre + support + 0.5) as usize).min(length as usize);
        let weights = (first..last).map(|x| filter.weight((x as f64 - centre + 0.5) * inverse));
        let weights: Vec<f64> = weights.collect();
        let sum: f64 = weights.iter().sum();
        let fixed = |weight: f64| {
            let weight = if sum == 0.0 { weight } else { weight / sum };
            (weight * f64::from(1 << PRECISION_BITS) + 0.5_f64.copysign(weight)) as i32
        };
        Taps { first, weights: weights.into_iter().map(fixed).collect() }
    };
    places.map(place).collect()
}

/// A fixed-point sum as a pixel.
fn pixel(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

/// Makes every row of `stride` bytes one of `taps.len()` pixels.
fn horizontally(pixels: &[u8], stride: usize, taps: &[Taps]) -> Vec<u8> {
    let mut out = Vec::with_capacity(pixels.len() / stride * taps.len() * 3);
    for row in pixels.chunks_exact(stride) {
        for taps in taps {
            let mut sums = [1 << (PRECISION_BITS - 1); 3];
            for (colours, weight) in row[taps.first * 3..].as_chunks::<3>().0.iter().zip(&taps.weights) {
                for (sum, &colour) in sums.iter_mut().zip(colours) {
                    *sum += i32::from(colour) * weight;
                }
            }
            out.extend(sums.map(pixel));
        }
    }
    out
}

/// Makes `taps.len()` rows of those of `stride` bytes.
fn vertically(pixels: &[u8], stride: usize, taps: &[Taps]) -> Vec<u8> {
    let mut out = Vec::with_capacity(stride * taps.len());
    let mut sums = vec![0; stride];
    for taps in taps {
        sums.fill(1 << (PRECISION_BITS - 1));
        for (row, weight) in pixels[taps.first * stride..].chunks_exact(stride).zip(&taps.weights) {
            for (sum, &colour) in sums.iter_mut().zip(row) {
                *sum += i32::from(colour) * weight;
            }
        }
        out.extend(sums.iter().copied().map(pixel));
    }
    out
}

/// A picture of pixels that were counted here.
fn made(width: u32, height: u32, pixels: Vec<u8>) -> Image {
    Image::new(width, height, pixels).expect("sides are at least 1 and every pixel was written")
}
