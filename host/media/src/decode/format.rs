//! What kind of file the bytes are, from their beginning.

use crate::MediaError;

/// A format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
    WebP,
    Gif,
    Bmp,
    Tiff,
}

impl Format {
    /// The name that people know.
    pub fn name(self) -> &'static str {
        match self {
            Format::Jpeg => "JPEG",
            Format::Png => "PNG",
            Format::WebP => "WebP",
            Format::Gif => "GIF",
            Format::Bmp => "BMP",
            Format::Tiff => "TIFF",
        }
    }

    /// The format of a file.
    ///
    /// # Errors
    /// `Malformed` when it is none of these; names what it is where that is known.
    pub fn of(bytes: &[u8]) -> Result<Format, MediaError> {
        let starts = |magic: &[u8]| bytes.starts_with(magic);
        match () {
            () if starts(b"\xff\xd8\xff") => Ok(Format::Jpeg),
            () if starts(b"\x89PNG\r\n\x1a\n") => Ok(Format::Png),
            () if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") => Ok(Format::WebP),
            () if starts(b"GIF87a") || starts(b"GIF89a") => Ok(Format::Gif),
            () if starts(b"II*\0") || starts(b"MM\0*") => Ok(Format::Tiff),
            () if starts(b"BM") => Ok(Format::Bmp),
            () => {
                let what = foreign(bytes).unwrap_or("this is no picture that can be read");
                let advice = "send JPEG, PNG, WebP, GIF, BMP or TIFF";
                Err(MediaError::Malformed(format!("{what}; {advice}")))
            }
        }
    }
}

/// Says what a file is that is not read.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    /// Bytes that are searched for the first word of a text.
    const TEXT_BYTES: usize = 512;

    const MAGIC: [(usize, &[u8], &str); 17] = [
        (0, b"\x93NUMPY", "a NumPy array is not a picture"),
        (0, b"\x80\x02", "a Python pickle is not a picture and is never opened"),
        (0, b"\x80\x03", "a Python pickle is not a picture and is never opened"),
        (0, b"\x80\x04", "a Python pickle is not a picture and is never opened"),
        (0, b"\x80\x05", "a Python pickle is not a picture and is never opened"),
        (0, b"%PDF", "a PDF is not a picture"),
        (0, b"PK\x03\x04", "an archive is not a picture"),
        (0, b"\x1f\x8b", "a compressed file is not a picture"),
        (0, b"\x1a\x45\xdf\xa3", "a video is not a picture"),
        (0, b"8BPS", "Photoshop files are not read"),
        (0, b"\0\0\x01\0", "icons are not read"),
        (0, b"\0\0\0\x0cjP  ", "JPEG 2000 is not read"),
        (0, b"\xff\x0a", "JPEG XL is not read"),
        (0, b"\0\0\0\x0cJXL ", "JPEG XL is not read"),
        (4, b"ftypavif", "AVIF is not read"),
        (4, b"ftyphei", "HEIC is not read"),
        (4, b"ftyp", "a video is not a picture"),
    ];
    let known = MAGIC.iter().find(|(at, magic, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    if let Some((.., what)) = known {
        return Some(what);
    }
    let head = bytes[..bytes.len().min(TEXT_BYTES)].to_ascii_lowercase();
    let text = String::from_utf8_lossy(&head);
    let text = text.trim_start_matches('\u{feff}').trim_ascii_start();
    match () {
        () if text.starts_with("<!doctype html") || text.starts_with("<html") => Some("a web page is not a picture"),
        () if text.starts_with('<') && text.contains("<svg") => Some("SVG is not read"),
        () if text.starts_with("<?xml") => Some("XML is not a picture"),
        () if text.starts_with('{') || text.starts_with('[') => Some("JSON is not a picture"),
        () if text.starts_with("data:image/") => Some("this is a data URL, not a file"),
        () if text.starts_with("http://") || text.starts_with("https://") => Some("this is an address, not a file"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_known_by_its_beginning() {
        for (bytes, format) in [
            (&b"\xff\xd8\xff\xe0"[..], Format::Jpeg),
            (b"\x89PNG\r\n\x1a\n\0", Format::Png),
            (b"RIFF\0\0\0\0WEBPVP8 ", Format::WebP),
            (b"GIF89a", Format::Gif),
            (b"GIF87a", Format::Gif),
            (b"BM\0", Format::Bmp),
            (b"II*\0\x08", Format::Tiff),
            (b"MM\0*\0", Format::Tiff),
        ] {
            assert_eq!(Format::of(bytes), Ok(format));
        }
    }

    #[test]
    fn what_is_not_read_is_refused_by_name() {
        for (bytes, name) in [
            (&b"\x93NUMPY\x01\0v\0{'descr'"[..], "NumPy"),
            (b"\x80\x04\x95\x0b\0\0\0", "pickle"),
            (b"\x80\x02cposix\nsystem\n", "pickle"),
            (b"%PDF-1.7", "PDF"),
            (b"<svg xmlns=", "SVG"),
            (b"<?xml version=\"1.0\"?><!-- x --><svg ", "SVG"),
            (b"\xef\xbb\xbf <SVG>", "SVG"),
            (b"<!DOCTYPE html><html>", "web page"),
            (b"\0\0\0\x20ftypheic", "HEIC"),
            (b"\0\0\0\x1cftypavif", "AVIF"),
            (b"\0\0\0\x20ftypisom", "video"),
            (b"PK\x03\x04", "archive"),
            (b"RIFF\0\0\0\0WAVEfmt ", "no picture"),
            (b"data:image/png;base64,iVBO", "data URL"),
            (b"hello", "no picture"),
            (b"\xff\xd8", "no picture"),
        ] {
            let Err(MediaError::Malformed(message)) = Format::of(bytes) else { panic!("{name} is read") };
            assert!(message.contains(name) && message.contains("send JPEG"), "{message}");
        }
    }
}
