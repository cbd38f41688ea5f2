//! `preprocessor_config.json`: what happens to a picture before a network takes it.
//!
//! Source: transformers 5.23, `CLIPImageProcessorPil`, `ViTImageProcessorPil` and `DeiTImageProcessorPil`.

use mimus_vision::antialias::Filter;
use serde::Deserialize;

use super::hugging_face::parse;
use super::is_positive;
use crate::error::LoadError;
use crate::pictures::{Fit, Preparation};
use crate::source::Files;

const PREPROCESSOR: &str = "preprocessor_config.json";
/// As transformers 5 writes it, with the tokenizer's part beside.
const PROCESSOR: &str = "processor_config.json";

/// Farthest that a factor may be from 1 / 255.
const FACTOR_TOLERANCE: f64 = 1e-6;

/// The file, as far as it matters.
#[derive(Deserialize)]
struct Config {
    do_resize: Option<bool>,
    size: Option<Size>,
    resample: Option<u32>,
    do_center_crop: Option<bool>,
    crop_size: Option<Size>,
    do_rescale: Option<bool>,
    rescale_factor: Option<f64>,
    do_normalize: Option<bool>,
    image_mean: Option<[f32; 3]>,
    image_std: Option<[f32; 3]>,
}

/// The file in which the pictures' part is one of several.
#[derive(Deserialize)]
struct Parts {
    image_processor: Option<Config>,
}

/// A size in pixels, as it is written.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Size {
    Side(u32),
    Sides { height: u32, width: u32 },
    Short { shortest_edge: u32 },
}

/// Reads what happens to pictures.
///
/// * `side`: width and height that the network takes, in pixels.
/// * `usual`: what happens where the files say nothing else.
///
/// # Errors
/// [`LoadError`] when what comes out would not fit the network.
pub(crate) fn describe(files: &Files, side: u32, usual: Preparation) -> Result<Preparation, LoadError> {
    let config = match files.read_optional(PREPROCESSOR)? {
        Some(json) => Some(parse::<Config>(PREPROCESSOR, &json)?),
        None => match files.read_optional(PROCESSOR)? {
            Some(json) => parse::<Parts>(PROCESSOR, &json)?.image_processor,
            None => None,
        },
    };
    config.map_or(Ok(usual.clone()), |config| config.preparation(side, usual))
}

impl Config {
    /// What the file says, checked against the network.
    fn preparation(self, side: u32, usual: Preparation) -> Result<Preparation, LoadError> {
        let (do_resize, do_rescale) = (self.do_resize.unwrap_or(true), self.do_rescale.unwrap_or(true));
        let factor = self.rescale_factor.unwrap_or(1.0 / 255.0);
        if !do_resize || !do_rescale || (factor - 1.0 / 255.0).abs() > FACTOR_TOLERANCE {
            return Err(LoadError::Unsupported("pictures that keep their size or their range".to_owned()));
        }
        let crops = self.do_center_crop.unwrap_or(matches!(usual.fit, Fit::Crop { .. }));
        let fit = if crops { self.crop(side)? } else { self.stretch(side)? };
        let filter = match self.resample {
            None => usual.filter,
            Some(2) => Filter::Bilinear,
            Some(3) => Filter::Bicubic,
            Some(other) => return Err(LoadError::Unsupported(format!("resampling of kind {other}"))),
        };
        let is_normal = self.do_normalize.unwrap_or(true);
        let mean = if is_normal { self.image_mean.unwrap_or(usual.mean) } else { [0.0; 3] };
        let deviation = if is_normal { self.image_std.unwrap_or(usual.deviation) } else { [1.0; 3] };
        if !mean.iter().all(|mean| mean.is_finite()) || !deviation.iter().copied().all(is_positive) {
            return Err(LoadError::malformed(PREPROCESSOR, "image_mean or image_std cannot be"));
        }
        Ok(Preparation { fit, filter, mean, deviation })
    }

    /// The middle of the resized picture.
    fn crop(&self, side: u32) -> Result<Fit, LoadError> {
        let cropped = match self.crop_size {
            None => side,
            Some(Size::Side(cropped) | Size::Short { shortest_edge: cropped }) => cropped,
            Some(Size::Sides { height, width }) if height == width => height,
            Some(Size::Sides { .. }) => 0,
        };
        let short = match self.size {
            None => side,
            Some(Size::Side(short) | Size::Short { shortest_edge: short }) => short,
            Some(Size::Sides { height, width }) if (height, width) == (side, side) && cropped == side => {
                return Ok(Fit::Stretch { side });
            }
            Some(Size::Sides { .. }) => 0,
        };
        // Far larger pictures than the network's would cost without use.
        if cropped != side || short < side || short / 8 > side {
            return Err(misfit(side));
        }
        Ok(Fit::Crop { short, side })
    }

    /// The whole picture.
    fn stretch(&self, side: u32) -> Result<Fit, LoadError> {
        match self.size {
            None => {}
            Some(Size::Side(own)) if own == side => {}
            Some(Size::Sides { height, width }) if (height, width) == (side, side) => {}
            Some(_) => return Err(misfit(side)),
        }
        Ok(Fit::Stretch { side })
    }
}

/// The files contradict each other.
fn misfit(side: u32) -> LoadError {
    LoadError::malformed(PREPROCESSOR, format!("its pictures do not fit a network of {side} x {side} pixels"))
}
