//! From a picture of any size to what a network takes.
//!
//! Source: transformers 5.23, `CLIPImageProcessorPil` and `ViTImageProcessorPil`.

use mimus_vision::Image;
use mimus_vision::antialias::{Filter, Part, resize, resize_part};

/// How a picture gets its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Its short side gets this many pixels, and a square of `side` is cut out of the middle.
    Crop { short: u32, side: u32 },
    /// Both sides get this many pixels.
    Stretch { side: u32 },
}

/// What happens to a picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Preparation {
    pub(crate) fit: Fit,
    pub(crate) filter: Filter,
    /// Of each channel.
    pub(crate) mean: [f32; 3],
    /// Of each channel, above 0.
    pub(crate) deviation: [f32; 3],
}

/// The number that stands for each byte of each channel.
pub(crate) struct Normalisation(pub(crate) [[f32; 256]; 3]);

impl Preparation {
    /// The picture that the network takes, still in bytes.
    ///
    /// Memory is bounded by the picture's and the result's: what is cut away is not computed.
    pub(crate) fn fit(&self, image: &Image) -> Image {
        let (short, side) = match self.fit {
            Fit::Stretch { side } => return resize(image, side, side, self.filter),
            Fit::Crop { short, side } => (short, side),
        };
        let long = |long: u32, other: u32| {
            // At least as long as the short side, and inside 32 bits: both sides are.
            (u64::from(short) * u64::from(long) / u64::from(other)).min(u64::from(u32::MAX)) as u32
        };
        let (width, height) = if image.width() <= image.height() {
            (short, long(image.height(), image.width()))
        } else {
            (long(image.width(), image.height()), short)
        };
        let part = Part { left: (width - side) / 2, top: (height - side) / 2, width: side, height: side };
        resize_part(image, width, height, self.filter, part)
    }

    /// The numbers of bytes.
    pub(crate) fn normalisation(&self) -> Normalisation {
        let channel = |channel: usize| {
            std::array::from_fn(|byte| (byte as f32 / 255.0 - self.mean[channel]) / self.deviation[channel])
        };
        Normalisation(std::array::from_fn(channel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_any_shape_fit() {
        let check = |fit: Fit, width: u32, height: u32| {
            let preparation = Preparation { fit, filter: Filter::Bicubic, mean: [0.5; 3], deviation: [0.5; 3] };
            let image = Image::new(width, height, vec![7; (width * height * 3) as usize]).unwrap();
            let image = preparation.fit(&image);
            assert_eq!((image.width(), image.height()), (8, 8), "{fit:?} {width} x {height}");
            assert!(image.pixels().iter().all(|&byte| byte == 7));
        };
        for fit in [Fit::Stretch { side: 8 }, Fit::Crop { short: 8, side: 8 }, Fit::Crop { short: 9, side: 8 }] {
            check(fit, 8, 8);
            check(fit, 1, 1);
            check(fit, 13, 7);
            check(fit, 1, 100_000);
            check(fit, 300_000, 2);
        }
    }

    #[test]
    fn bytes_become_numbers() {
        let preparation = Preparation {
            fit: Fit::Stretch { side: 1 },
            filter: Filter::Bilinear,
            mean: [0.5, 0.0, 0.25],
            deviation: [0.5, 1.0, 0.25],
        };
        let Normalisation([red, green, blue]) = preparation.normalisation();
        assert_eq!((red[0], red[255], green[0], green[255], blue[0], blue[255]), (-1.0, 1.0, 0.0, 1.0, -1.0, 3.0));
    }
}
