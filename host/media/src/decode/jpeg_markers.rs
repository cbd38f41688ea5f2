//! The markers of a JPEG file: what the decoder will meet, known before it starts.
//!
//! A decoder alone fills what a cut file lacks with grey, and walks a picture as often as a file asks for.

use super::{broken, check_size, too_much_memory};
use crate::decode::format::Format;
use crate::{MediaError, limits};

/// What a file states of itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Markers<'a> {
    pub width: u32,
    pub height: u32,
    /// 1 for grey, 3 for colour, 4 for print.
    pub components: usize,
    /// The TIFF structure of the EXIF segment.
    pub exif: Option<&'a [u8]>,
}

struct Frame {
    width: u32,
    height: u32,
    components: usize,
    is_progressive: bool,
    /// Samples of all components together in one block of `max_h x max_v` pixels, and that block's pixels.
    samples: u64,
    block: u64,
}

impl<'a> Markers<'a> {
    /// Walks a file up to its end marker.
    ///
    /// # Errors
    /// `Malformed` when the end is missing or the file is of a kind that is not decoded; `TooLarge` past a bound.
    pub fn read(bytes: &'a [u8]) -> Result<Markers<'a>, MediaError> {
        let wrong = |reason: &str| broken(Format::Jpeg, reason);
        let cut = || wrong("it has no end marker; send the whole file");
        let (mut frame, mut exif, mut scans) = (None, None, 0);
        let mut rest = bytes.get(2..).ok_or_else(cut)?;
        loop {
            // Between segments there may be pixels: in them 0xff is followed by 0 or a restart marker.
            let start = rest.iter().position(|byte| *byte == 0xff).ok_or_else(cut)?;
            rest = &rest[start + 1..];
            let marker = *rest.first().ok_or_else(cut)?;
            match marker {
                // The fill byte before a marker is looked at again as a marker's first.
                0xff => continue,
                0xd9 => break,
                0x00 | 0x01 | 0xd0..=0xd8 => {
                    rest = &rest[1..];
                    continue;
                }
                _ => {}
            }
            let length = rest.get(1..3).map(|length| usize::from(u16::from_be_bytes([length[0], length[1]])));
            let segment = rest.get(3..1 + length.ok_or_else(cut)?.max(2)).ok_or_else(cut)?;
            rest = &rest[3 + segment.len()..];
            match marker {
                0xc0..=0xc2 if frame.is_some() => return Err(wrong("it holds two pictures in one")),
                0xc0..=0xc2 => {
                    frame = Some(Frame::parse(segment, marker == 0xc2).ok_or_else(|| wrong("its head is wrong"))??)
                }
                0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                    return Err(MediaError::Malformed(
                        "lossless and arithmetic JPEG are not read; send baseline or progressive JPEG, or PNG".into(),
                    ));
                }
                0xe1 if exif.is_none() => exif = segment.strip_prefix(b"Exif\0\0"),
                0xda => scans += 1,
                _ => {}
            }
        }
        let frame: Frame = frame.filter(|_| scans > 0).ok_or_else(|| wrong("it has no picture in it"))?;
        frame.check(scans)?;
        Ok(Markers { width: frame.width, height: frame.height, components: frame.components, exif })
    }
}

impl Frame {
    /// None when the segment is not as long as it should be.
    fn parse(segment: &[u8], is_progressive: bool) -> Option<Result<Frame, MediaError>> {
        let [precision, h1, h0, w1, w0, components] = *segment.first_chunk::<6>()?;
        if precision != 8 {
            let message = format!("JPEG with {precision} bits per channel is not read; send 8 bits");
            return Some(Err(MediaError::Malformed(message)));
        }
        let components = usize::from(components);
        let factors: Vec<(u64, u64)> = segment[6..]
            .chunks_exact(3)
            .take(components)
            .map(|component| (u64::from(component[1] >> 4), u64::from(component[1] & 15)))
            .collect();
        let is_sound = factors.iter().all(|(h, v)| (1..=4).contains(h) && (1..=4).contains(v));
        if !matches!(components, 1 | 3 | 4) || factors.len() != components || !is_sound {
            return None;
        }
        let block = factors.iter().map(|(h, _)| h).max()? * factors.iter().map(|(_, v)| v).max()?;
        let (width, height) = (u32::from(u16::from_be_bytes([w1, w0])), u32::from(u16::from_be_bytes([h1, h0])));
        let samples = factors.iter().map(|(h, v)| h * v).sum();
        Some(check_size(width, height).map(|()| Frame { width, height, components, is_progressive, samples, block }))
    }

    fn check(&self, scans: usize) -> Result<(), MediaError> {
        if scans > limits::JPEG_SCANS_MAX {
            let most = limits::JPEG_SCANS_MAX;
            return Err(MediaError::TooLarge(format!("the JPEG file has {scans} scans; {most} are read")));
        }
        // Coefficients of several scans are kept for the whole picture, in 16 bits each.
        let pixels = u64::from(self.width) * u64::from(self.height);
        let coefficients = pixels * self.samples / self.block * 2;
        match self.is_progressive || scans > 1 {
            true if coefficients > limits::DECODED_BYTES_MAX => Err(too_much_memory()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
        let length = (body.len() as u16 + 2).to_be_bytes();
        [&[0xff, marker], &length[..], body].concat()
    }

    fn frame(width: u16, height: u16, factors: &[u8]) -> Vec<u8> {
        let ([h1, h0], [w1, w0]) = (height.to_be_bytes(), width.to_be_bytes());
        let mut body = vec![8, h1, h0, w1, w0, factors.len() as u8];
        body.extend(factors.iter().enumerate().flat_map(|(at, factor)| [at as u8 + 1, *factor, 0]));
        body
    }

    /// A file of these segments, with pixels after each start of a scan.
    fn file(segments: &[Vec<u8>]) -> Vec<u8> {
        [&b"\xff\xd8"[..], &segments.concat(), b"\xff\xd9"].concat()
    }

    fn scan() -> Vec<u8> {
        [segment(0xda, b"\x01\x01\0\0\x3f\0"), b"pixels\xff\x00more\xff\xd0end".to_vec()].concat()
    }

    #[test]
    fn a_file_states_its_size_and_where_its_exif_is() {
        let exif = segment(0xe1, b"Exif\0\0MM\0*");
        // A thumbnail's end marker is inside a segment.
        let thumbnail = segment(0xe2, b"\xff\xd8\xff\xd9");
        let bytes = file(&[exif, thumbnail, segment(0xc0, &frame(640, 480, &[0x22, 0x11, 0x11])), scan()]);
        let markers = Markers::read(&[&bytes[..], b"bytes after its end"].concat())
            .map(|m| (m.width, m.height, m.components, m.exif.map(<[u8]>::to_vec)));
        assert_eq!(markers, Ok((640, 480, 3, Some(b"MM\0*".to_vec()))));
        for cut in 0..bytes.len() {
            assert!(matches!(Markers::read(&bytes[..cut]), Err(MediaError::Malformed(_))), "{cut}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_decoded_within_bounds_is_refused() {
        let grey = |width, height| segment(0xc0, &frame(width, height, &[0x11]));
        let colour = |marker, factors| segment(marker, &frame(16_384, 4_096, &[factors, 0x11, 0x11]));
        let scans = |count| vec![scan(); count].concat();
        let read = |segments: &[Vec<u8>]| match Markers::read(&file(segments)) {
            Ok(_) => "read",
            Err(MediaError::TooLarge(_)) => "too large",
            Err(_) => "malformed",
        };
        for (segments, expect) in [
            (vec![grey(16_384, 4_096), scan()], "read"),
            (vec![grey(16_384, 4_097), scan()], "too large"),
            (vec![grey(16_385, 1), scan()], "too large"),
            (vec![grey(65_535, 65_535), scan()], "too large"),
            (vec![grey(0, 1), scan()], "malformed"),
            (vec![grey(1, 0), scan()], "malformed"),
            (vec![grey(8, 8), scans(100)], "read"),
            (vec![grey(8, 8), scans(101)], "too large"),
            (vec![grey(8, 8), grey(8, 8), scan()], "malformed"),
            (vec![grey(8, 8)], "malformed"),
            (vec![scan()], "malformed"),
            (vec![segment(0xc3, &frame(8, 8, &[0x11])), scan()], "malformed"),
            (vec![segment(0xc9, &frame(8, 8, &[0x11])), scan()], "malformed"),
            (vec![segment(0xc0, &frame(8, 8, &[0x11, 0x11])), scan()], "malformed"),
            (vec![segment(0xc0, &frame(8, 8, &[0x01])), scan()], "malformed"),
            (vec![segment(0xc0, &frame(8, 8, &[0x51])), scan()], "malformed"),
            (vec![segment(0xc0, &frame(8, 8, &[0x11])[..8]), scan()], "malformed"),
            (vec![segment(0xc0, &[12, 0, 8, 0, 8, 1, 1, 0x11, 0]), scan()], "malformed"),
            // 64 Mi pixels keep 384 MiB of coefficients with full colour, 192 MiB with a quarter of it; one scan keeps none.
            (vec![colour(0xc2, 0x11), scan()], "too large"),
            (vec![colour(0xc2, 0x22), scan()], "read"),
            (vec![colour(0xc0, 0x11), scan()], "read"),
            (vec![colour(0xc0, 0x11), scans(3)], "too large"),
        ] {
            assert_eq!(
                read(&segments),
                expect,
                "{:?}",
                segments.first().map(|segment| segment.escape_ascii().to_string())
            );
        }
    }
}
