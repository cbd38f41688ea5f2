//! The other formats, by way of the `image` crate.

use image::{ColorType, ImageDecoder, ImageError, ImageResult, Limits};
use mimus_vision::Image;

use super::format::Format;
use super::{Decoded, broken, check_size, too_much_memory};
use crate::{MediaError, Orientation, limits};

/// What a decoder may take: so many bytes, and sides as long as any.
pub fn bounds(bytes: u64) -> Limits {
    let mut bounds = Limits::no_limits();
    bounds.max_image_width = Some(limits::SIDE_MAX);
    bounds.max_image_height = Some(limits::SIDE_MAX);
    bounds.max_alloc = Some(bytes);
    bounds
}

/// Reads the picture, or the first of several, of a file whose head a decoder has read.
///
/// # Errors
/// `TooLarge` past a bound, `Malformed` when the file is damaged or of a kind that is not read.
pub fn read(decoder: ImageResult<impl ImageDecoder>, format: Format) -> Result<Decoded, MediaError> {
    let wrong = |error| refuse(format, &error);
    let mut decoder = decoder.map_err(wrong)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    if decoder.total_bytes() > limits::DECODED_BYTES_MAX {
        return Err(too_much_memory());
    }
    decoder.set_limits(bounds(limits::DECODED_BYTES_MAX)).map_err(wrong)?;
    // A picture with damaged EXIF is still a picture.
    let exif = decoder.orientation().ok();
    let orientation = exif.and_then(|exif| Orientation::from_exif(exif.to_exif())).unwrap_or_default();
    let color = decoder.color_type();
    let mut samples = vec![0; decoder.total_bytes() as usize];
    decoder.read_image(&mut samples).map_err(wrong)?;
    let pixels = to_rgb(samples, color).ok_or_else(|| {
        MediaError::Malformed(format!(
            "the {} file has floating point numbers; send 8 or 16 bits per channel",
            format.name()
        ))
    })?;
    let image = Image::new(width, height, pixels).ok_or_else(|| broken(format, "it has fewer pixels than it says"))?;
    Ok(Decoded { image, orientation })
}

/// Width and height, of a file whose head a decoder has read.
pub fn measure(decoder: ImageResult<impl ImageDecoder>, format: Format) -> Result<(u32, u32), MediaError> {
    decoder.map(|decoder| decoder.dimensions()).map_err(|error| refuse(format, &error))
}

fn refuse(format: Format, error: &ImageError) -> MediaError {
    match error {
        ImageError::Limits(_) => too_much_memory(),
        ImageError::Unsupported(what) => {
            MediaError::Malformed(format!("this kind of {} is not read: {what}", format.name()))
        }
        other => broken(format, other),
    }
}

/// Samples of `[height, width, channels]` as 8-bit RGB; 16-bit ones are in this machine's byte order. None for numbers that are not
/// of 8 or 16 bits.
fn to_rgb(samples: Vec<u8>, color: ColorType) -> Option<Vec<u8>> {
    let high = |bytes: [u8; 2]| (u16::from_ne_bytes(bytes) >> 8) as u8;
    Some(match color {
        ColorType::Rgb8 => samples,
        ColorType::L8 => each(&samples, |[grey]| [grey; 3]),
        ColorType::La8 => each(&samples, |[grey, alpha]| [over_white(grey, alpha); 3]),
        ColorType::Rgba8 => each(&samples, |[r, g, b, alpha]| [r, g, b].map(|value| over_white(value, alpha))),
        ColorType::L16 => each(&samples, |grey| [high(grey); 3]),
        ColorType::La16 => each(&samples, |[g0, g1, a0, a1]| [over_white(high([g0, g1]), high([a0, a1])); 3]),
        ColorType::Rgb16 => each(&samples, |[r0, r1, g0, g1, b0, b1]| [high([r0, r1]), high([g0, g1]), high([b0, b1])]),
        ColorType::Rgba16 => each(&samples, |[r0, r1, g0, g1, b0, b1, a0, a1]| {
            let alpha = high([a0, a1]);
            [high([r0, r1]), high([g0, g1]), high([b0, b1])].map(|value| over_white(value, alpha))
        }),
        _ => return None,
    })
}

/// Maps each pixel of `N` bytes.
fn each<const N: usize>(samples: &[u8], map: impl Fn([u8; N]) -> [u8; 3]) -> Vec<u8> {
    let mut pixels = vec![0; samples.len() / N * 3];
    for (pixel, sample) in pixels.as_chunks_mut::<3>().0.iter_mut().zip(samples.as_chunks::<N>().0) {
        *pixel = map(*sample);
    }
    pixels
}

/// A value of this opacity before white.
fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_samples_becomes_rgb() {
        let words = |words: &[u16]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<u8>>();
        for (samples, color, expect) in [
            (vec![1, 2, 3], ColorType::Rgb8, Some([1, 2, 3])),
            (vec![9], ColorType::L8, Some([9; 3])),
            (vec![9, 255], ColorType::La8, Some([9; 3])),
            (vec![9, 0], ColorType::La8, Some([255; 3])),
            (vec![0, 100, 200, 128], ColorType::Rgba8, Some([127, 177, 227])),
            (words(&[0x12ff]), ColorType::L16, Some([0x12; 3])),
            (words(&[0x12ff, 0xffff]), ColorType::La16, Some([0x12; 3])),
            (words(&[0x0100, 0x0200, 0x03ff]), ColorType::Rgb16, Some([1, 2, 3])),
            (words(&[0x0100, 0x0200, 0x03ff, 0x00ff]), ColorType::Rgba16, Some([255; 3])),
            (vec![0; 12], ColorType::Rgb32F, None),
        ] {
            assert_eq!(to_rgb(samples, color).as_deref(), expect.as_ref().map(|rgb| &rgb[..]), "{color:?}");
        }
    }
}
