//! JPEG, by far the most of what clients send.

use image::metadata::Orientation as Exif;
use mimus_vision::Image;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::format::Format;
use super::jpeg_markers::Markers;
use super::{Decoded, broken};
use crate::{MediaError, Orientation, limits};

/// Decodes a JPEG file: grey, colour, or the four colours of print.
///
/// # Errors
/// `TooLarge` past a bound; `Malformed` when the file is cut short, damaged, or lossless, arithmetic or of 12 bits.
pub fn decode(bytes: &[u8]) -> Result<Decoded, MediaError> {
    let markers = Markers::read(bytes)?;
    let wrong = |error| broken(Format::Jpeg, error);
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(markers.width as usize)
        .set_max_height(markers.height as usize)
        .jpeg_set_max_scans(limits::JPEG_SCANS_MAX)
        .jpeg_set_out_colorspace(if markers.components == 1 { ColorSpace::Luma } else { ColorSpace::RGB });
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(wrong)?;
    let pixels = decoder.decode().map_err(wrong)?;
    let pixels = match markers.components {
        1 => pixels.into_iter().flat_map(|grey| [grey; 3]).collect(),
        _ => pixels,
    };
    let image = Image::new(markers.width, markers.height, pixels);
    let image = image.ok_or_else(|| broken(Format::Jpeg, "it has fewer pixels than it says"))?;
    let orientation =
        markers.exif.and_then(Exif::from_exif_chunk).and_then(|exif| Orientation::from_exif(exif.to_exif()));
    Ok(Decoded { image, orientation: orientation.unwrap_or_default() })
}
