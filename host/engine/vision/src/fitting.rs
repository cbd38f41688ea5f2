//! Pictures in a network's input: the aspect is kept, and black fills the rest.
//!
//! Source: docTR 1.1.0, `transforms/modules/pytorch.py`, `Resize`; `models/detection/_utils/base.py`, `_remove_padding`.

use crate::Image;
use crate::antialias::{Filter, resize};

/// A network's input: `[3, height, width]`, RGB, each channel less its mean and over its deviation, both of values 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Input {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) mean: [f32; 3],
    pub(crate) std: [f32; 3],
}

/// Where the black is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    /// On both sides; the odd pixel comes before.
    Around,
    /// At the right and at the bottom.
    Behind,
}

/// Height over width.
fn aspect(width: usize, height: usize) -> f64 {
    height as f64 / width as f64
}

/// The size that a picture of `width` times `height` pixels has inside an input.
fn fitted(input: &Input, width: usize, height: usize) -> (usize, usize) {
    let (wanted, given) = (aspect(input.width, input.height), aspect(width, height));
    if wanted == given {
        (input.width, input.height)
    } else if given > wanted {
        (((input.height as f64 / given) as usize).max(1), input.height)
    } else {
        (input.width, ((input.width as f64 * given) as usize).max(1))
    }
}

/// Appends a picture to a batch: `[3, height, width]`, RGB, normalised. Black is normalised too.
pub(crate) fn place(image: &Image, input: &Input, padding: Padding, batch: &mut Vec<f32>) {
    let (width, height) = fitted(input, image.width() as usize, image.height() as usize);
    let (left, top) = match padding {
        Padding::Around => ((input.width - width).div_ceil(2), (input.height - height).div_ceil(2)),
        Padding::Behind => (0, 0),
    };
    let fitted = resize(image, width as u32, height as u32, Filter::Bilinear);
    for channel in 0..3 {
        let (mean, std) = (input.mean[channel], input.std[channel]);
        let start = batch.len();
        batch.resize(start + input.width * input.height, -mean / std);
        for (y, row) in fitted.pixels().chunks_exact(width * 3).enumerate() {
            let out = &mut batch[start + (top + y) * input.width + left..][..width];
            for (out, pixel) in out.iter_mut().zip(row.chunks_exact(3)) {
                *out = (f32::from(pixel[channel]) / 255.0 - mean) / std;
            }
        }
    }
}

/// How much wider and higher an input padded around is than the picture inside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Excess {
    across: f64,
    down: f64,
}

impl Excess {
    /// For a picture of `width` times `height` pixels.
    pub(crate) fn of(input: &Input, width: u32, height: u32) -> Self {
        let (wanted, given) = (aspect(input.width, input.height), aspect(width as usize, height as usize));
        Self { across: (given / wanted).max(1.0), down: (wanted / given).max(1.0) }
    }

    /// A place as a part of the picture's width, from one as a part of the input's; less than 0 or more than 1 outside of the picture.
    pub(crate) fn x(&self, part: f64) -> f64 {
        (part - 0.5) * self.across + 0.5
    }

    /// The same of the height.
    pub(crate) fn y(&self, part: f64) -> f64 {
        (part - 0.5) * self.down + 0.5
    }
}
