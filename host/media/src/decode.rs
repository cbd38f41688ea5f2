//! Files to pixels, within bounds.
//!
//! The size that a file states is checked before memory is taken for it, and a file that a decoder cannot bear is an error.

mod format;
mod jpeg;
mod jpeg_markers;
mod raster;

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::tiff::TiffDecoder;
use image::codecs::webp::WebPDecoder;
use mimus_vision::Image;

use crate::{MediaError, Orientation, limits};
use format::Format;

/// A picture as its file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The pixels as they lie in the file.
    pub image: Image,
    /// How they should be turned; [`crate::orient`] does it.
    pub orientation: Orientation,
}

/// Decodes a JPEG, PNG, WebP, GIF, BMP or TIFF file, of an animation the first frame. Grey becomes three equal channels, transparency
/// shows white, 16 bits become the upper 8. Colour profiles are ignored, as by most that computes with pictures.
///
/// Takes milliseconds for photographs and up to seconds for the largest pictures: call it off the threads that serve.
///
/// # Errors
/// `Empty`, `TooLarge`, or `Malformed` when the file is damaged, cut short or of another format.
pub fn decode(bytes: &[u8]) -> Result<Decoded, MediaError> {
    if bytes.is_empty() {
        return Err(MediaError::Empty);
    }
    if bytes.len() > limits::ENCODED_BYTES_MAX {
        return Err(MediaError::TooLarge(format!("the picture has more than {} MiB", limits::ENCODED_BYTES_MAX >> 20)));
    }
    let format = Format::of(bytes)?;
    // The decoders are the work of others, and each had inputs that made it panic: that is a broken picture, no more.
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_as(format, bytes)));
    decoded.unwrap_or_else(|_| Err(broken(format, "its decoder gave up")))
}

/// Width and height that a file states, checked against the bounds, without decoding it.
///
/// # Errors
/// As [`decode`], as far as the head of the file tells.
pub fn measure(bytes: &[u8]) -> Result<(u32, u32), MediaError> {
    if bytes.is_empty() {
        return Err(MediaError::Empty);
    }
    let format = Format::of(bytes)?;
    let measured = catch_unwind(AssertUnwindSafe(|| measure_as(format, bytes)));
    let (width, height) = measured.unwrap_or_else(|_| Err(broken(format, "its decoder gave up")))?;
    check_size(width, height)?;
    Ok((width, height))
}

fn measure_as(format: Format, bytes: &[u8]) -> Result<(u32, u32), MediaError> {
    let file = Cursor::new(bytes);
    match format {
        Format::Jpeg => jpeg_markers::Markers::read(bytes).map(|markers| (markers.width, markers.height)),
        Format::Png => {
            raster::measure(PngDecoder::with_limits(file, raster::bounds(limits::METADATA_BYTES_MAX)), format)
        }
        Format::WebP => raster::measure(WebPDecoder::new(file), format),
        Format::Gif => raster::measure(GifDecoder::new(file), format),
        Format::Bmp => raster::measure(BmpDecoder::new(file), format),
        Format::Tiff => raster::measure(TiffDecoder::new(file), format),
    }
}

fn decode_as(format: Format, bytes: &[u8]) -> Result<Decoded, MediaError> {
    let file = Cursor::new(bytes);
    match format {
        Format::Jpeg => jpeg::decode(bytes),
        // Its bound is on what is unpacked beside the picture.
        Format::Png => raster::read(PngDecoder::with_limits(file, raster::bounds(limits::METADATA_BYTES_MAX)), format),
        Format::WebP => raster::read(WebPDecoder::new(file), format),
        Format::Gif => raster::read(GifDecoder::new(file), format),
        Format::Bmp => raster::read(BmpDecoder::new(file), format),
        Format::Tiff => raster::read(TiffDecoder::new(file), format),
    }
}

/// Whether a picture of this size is taken.
fn check_size(width: u32, height: u32) -> Result<(), MediaError> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(MediaError::Malformed(format!("a picture of {width} x {height} has no pixels")));
    }
    if width.max(height) > limits::SIDE_MAX || pixels > limits::PIXELS_MAX {
        let (side, most) = (limits::SIDE_MAX, limits::PIXELS_MAX >> 20);
        let message =
            format!("the picture has {width} x {height} pixels; sides up to {side} and {most} Mi pixels are taken");
        return Err(MediaError::TooLarge(message));
    }
    Ok(())
}

/// A decoder would need more memory than it gets.
fn too_much_memory() -> MediaError {
    let most = limits::DECODED_BYTES_MAX >> 20;
    MediaError::TooLarge(format!(
        "decoding the picture takes more than {most} MiB; send it smaller, or with 8 bits per channel"
    ))
}

/// A file that is not what it says.
fn broken(format: Format, reason: impl std::fmt::Display) -> MediaError {
    /// What a decoder says may repeat the file's bytes at length, and be in quotation marks.
    const REASON_CHARS: usize = 200;
    let reason: String =
        reason.to_string().chars().filter(|char| !char.is_control() && *char != '"').take(REASON_CHARS).collect();
    MediaError::Malformed(format!("the {} file is damaged or cut short: {reason}", format.name()))
}
