//! From a picture to the pixels that a network takes: crop, contrast, grey, resize, and where all of it came from.
//!
//! What it refuses to do: it turns no picture by its EXIF orientation; pictures come upright.

mod adaptive;
pub(crate) mod contrast;
pub(crate) mod pixels;
pub(crate) mod placement;
pub(crate) mod resize;
pub(crate) mod values;

#[cfg(test)]
mod tests;

use contrast::Contrast;
use pixels::Pixels;
use placement::{Area, Placement, Size};
use resize::Window;
pub(crate) use values::{Canvas, Values};

use crate::error::VisionError;
use crate::image::Image;
use crate::prediction::{PostProcessing, PredictOptions};

/// What a model's files ask for before the network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Preprocessing {
    pub(crate) crop: Option<StaticCrop>,
    pub(crate) contrast: Option<Contrast>,
    pub(crate) is_gray: bool,
    pub(crate) fit: Fit,
    pub(crate) values: Values,
}

/// A part of each picture, in percent of its sides, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StaticCrop {
    pub(crate) x_min: f64,
    pub(crate) x_max: f64,
    pub(crate) y_min: f64,
    pub(crate) y_max: f64,
}

/// How a picture comes to the network's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Both sides, whatever becomes of their ratio.
    Stretch,
    /// The ratio stays; the rest is filled.
    Letterbox(Fill),
    /// The middle as it is; what is missing is black.
    CenterCrop,
    /// The shorter side fits, and the middle of the longer one is taken.
    Cover,
}

/// What is around a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    Value(u8),
    /// Whatever each server calls grey.
    Grey,
}

/// A picture in the network's size.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) canvas: Canvas,
    pub(crate) placement: Placement,
}

/// Brings a picture to the network's size.
///
/// # Errors
/// [`VisionError::Invalid`] when the static crop leaves nothing of it.
pub(crate) fn prepare(
    image: &Image,
    steps: &Preprocessing,
    network: Size,
    options: &PredictOptions,
) -> Result<Prepared, VisionError> {
    let rules = options.post_processing;
    let picture = Size { width: image.width() as usize, height: image.height() as usize };
    let static_crop = steps.crop.filter(|_| !options.skip_static_crop);
    let crop = static_crop.map_or(Area::whole(picture), |crop| crop.area(picture));
    if crop.width == 0 || crop.height == 0 {
        let reason =
            format!("a picture of {} x {} pixels is empty after the static crop", picture.width, picture.height);
        return Err(VisionError::Invalid { field: "images", reason });
    }
    let mut pixels = Pixels::of(image).crop(crop.x, crop.y, crop.width, crop.height);
    let is_gray = steps.is_gray && !options.skip_grayscale;
    let contrast = steps.contrast.filter(|_| !options.skip_contrast);
    // The modern server makes a picture grey before its contrast, the legacy one after.
    if is_gray && rules == PostProcessing::Modern {
        pixels = Pixels::from_gray(&pixels.gray(), pixels.width, pixels.height);
    }
    if let Some(contrast) = contrast {
        pixels = contrast::apply(&pixels, contrast, rules);
    }
    if is_gray && rules == PostProcessing::Legacy {
        pixels = Pixels::from_gray(&pixels.gray(), pixels.width, pixels.height);
    }
    let placement = Placement::new(picture, crop, static_crop, network, steps.fit, rules);
    // The legacy server stretches without rounding.
    let canvas = match (steps.fit, rules) {
        (Fit::Stretch, PostProcessing::Legacy) => {
            Canvas::Floats(resize::stretch(&pixels, network.width, network.height))
        }
        _ => Canvas::Bytes(place(pixels, &placement, steps.fit.fill(rules))),
    };
    Ok(Prepared { canvas, placement })
}

/// Resizes what is seen and puts it on a canvas of the network's size.
fn place(pixels: Pixels, placement: &Placement, fill: u8) -> Vec<u8> {
    let (network, content) = (placement.network, placement.content);
    let mut canvas = vec![fill; network.width * network.height * 3];
    let overhang = |pad: i64| usize::try_from(-pad).unwrap_or(0);
    let (left, top) = (overhang(placement.pad_left), overhang(placement.pad_top));
    let window = Window {
        left: usize::try_from(placement.pad_left).unwrap_or(0),
        top: usize::try_from(placement.pad_top).unwrap_or(0),
        width: content.width.min(network.width),
        height: content.height.min(network.height),
    };
    if (window.width, window.height) == (content.width, content.height) {
        resize::resize_into(&pixels, &mut canvas, network.width, window);
    } else if (pixels.width, pixels.height) == (content.width, content.height) {
        let seen = pixels.crop(left, top, window.width, window.height);
        resize::resize_into(&seen, &mut canvas, network.width, window);
    } else {
        // Only the part that will be seen is resized; its edges blend with pixels that are cut off, by less than one.
        let part = placement.seen(left, top, window);
        let seen = pixels.crop(part.x, part.y, part.width, part.height);
        resize::resize_into(&seen, &mut canvas, network.width, window);
    }
    canvas
}

impl StaticCrop {
    /// The part in pixels, as both servers cut it.
    fn area(&self, picture: Size) -> Area {
        let at = |percent: f64, side: usize| ((percent / 100.0 * side as f64) as usize).min(side);
        let (left, right) = (at(self.x_min, picture.width), at(self.x_max, picture.width));
        let (top, bottom) = (at(self.y_min, picture.height), at(self.y_max, picture.height));
        Area { x: left, y: top, width: right.saturating_sub(left), height: bottom.saturating_sub(top) }
    }
}

impl Fit {
    /// What is around a picture.
    fn fill(self, rules: PostProcessing) -> u8 {
        match (self, rules) {
            (Fit::Letterbox(Fill::Value(value)), _) => value,
            (Fit::Letterbox(Fill::Grey), PostProcessing::Modern) => 127,
            (Fit::Letterbox(Fill::Grey), PostProcessing::Legacy) => 114,
            (Fit::Stretch | Fit::CenterCrop | Fit::Cover, _) => 0,
        }
    }
}
