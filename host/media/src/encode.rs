//! Pixels to files.

use std::io::{self, Write};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use mimus_vision::Image;

use crate::{MediaError, limits};

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Baseline, with a quarter of the colour as all cameras do. Quality 1 to 100.
    Jpeg(u8),
    /// Every pixel as it is, packed for speed rather than size.
    Png,
}

/// The picture as a file.
///
/// Takes milliseconds for photographs: call it off the threads that serve.
///
/// # Errors
/// `Malformed` for a quality that is none, `TooLarge` when the file would pass [`limits::ENCODED_BYTES_MAX`].
pub fn encode(image: &Image, format: Format) -> Result<Vec<u8>, MediaError> {
    let mut file = Bounded(Vec::new());
    let is_written = match format {
        Format::Jpeg(quality) => write_jpeg(image, quality, &mut file)?,
        Format::Png => PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Adaptive)
            .write_image(image.pixels(), image.width(), image.height(), ExtendedColorType::Rgb8)
            .is_ok(),
    };
    if !is_written {
        let most = limits::ENCODED_BYTES_MAX >> 20;
        return Err(MediaError::TooLarge(format!(
            "the file would have more than {most} MiB; ask for JPEG, or of lower quality"
        )));
    }
    Ok(file.0)
}

/// Whether the file is within its bound.
fn write_jpeg(image: &Image, quality: u8, file: &mut Bounded) -> Result<bool, MediaError> {
    if !(1..=100).contains(&quality) {
        return Err(MediaError::Malformed(format!("a JPEG quality of {quality} is not between 1 and 100")));
    }
    let sides = (u16::try_from(image.width()), u16::try_from(image.height()));
    let (Ok(width), Ok(height)) = sides else {
        return Err(MediaError::TooLarge(format!("JPEG has sides up to {}; ask for PNG", u16::MAX)));
    };
    let mut encoder = Encoder::new(file, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    Ok(encoder.encode(image.pixels(), width, height, ColorType::Rgb).is_ok())
}

/// A file in memory that ends at [`limits::ENCODED_BYTES_MAX`].
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > limits::ENCODED_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;

    fn picture(width: u32, height: u32, noise: bool) -> Image {
        let mut state = 1_u32;
        let pixels = (0..width * height * 3).map(|at| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if noise { (state >> 24) as u8 } else { (at / 3 % width / 4) as u8 }
        });
        Image::new(width, height, pixels.collect()).expect("as many bytes")
    }

    #[test]
    fn png_keeps_every_pixel_and_jpeg_nearly() {
        for (width, height) in [(1, 1), (17, 13), (640, 480)] {
            let image = picture(width, height, false);
            let png = encode(&image, Format::Png).expect("a file");
            assert_eq!(decode(&png).map(|decoded| decoded.image), Ok(image.clone()));
            for quality in [90, 100] {
                let jpeg = encode(&image, Format::Jpeg(quality)).expect("a file");
                let back = decode(&jpeg).expect("a picture").image;
                let differences = back.pixels().iter().zip(image.pixels()).map(|(ours, theirs)| ours.abs_diff(*theirs));
                assert!(differences.max() <= Some(8), "{width} x {height}, {quality}");
            }
        }
    }

    #[test]
    fn a_lower_quality_makes_a_smaller_file() {
        let image = picture(64, 64, true);
        let sizes = [1, 50, 90, 100].map(|quality| encode(&image, Format::Jpeg(quality)).expect("a file").len());
        assert!(sizes.is_sorted(), "{sizes:?}");
        for quality in [0, 101, 255] {
            assert!(matches!(encode(&image, Format::Jpeg(quality)), Err(MediaError::Malformed(_))), "{quality}");
        }
    }

    #[test]
    fn a_file_past_the_bound_is_refused() {
        // Noise cannot be packed: 27 MiB.
        let image = picture(3_072, 3_072, true);
        assert!(matches!(encode(&image, Format::Png), Err(MediaError::TooLarge(_))));
        assert!(encode(&image, Format::Jpeg(50)).is_ok());
    }
}
