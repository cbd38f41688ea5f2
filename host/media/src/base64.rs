//! Files in base64, as clients write it: either alphabet, with or without padding, broken into lines, with a data URL's head.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::{MediaError, limits};

const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// Characters of text that are looked at: [`limits::ENCODED_BYTES_MAX`] in base64, a line break after every 60 characters, and the
/// head of a data URL.
const TEXT_BYTES_MAX: usize = limits::ENCODED_BYTES_MAX / 3 * 4 + limits::ENCODED_BYTES_MAX / 20 + 1_024;

/// Longest head of a data URL.
const HEAD_BYTES_MAX: usize = 256;

/// The bytes of base64 text.
///
/// # Errors
/// `Empty` when there are none, `TooLarge` past [`limits::ENCODED_BYTES_MAX`], `Malformed` when it is no base64.
pub fn decode(text: &str) -> Result<Vec<u8>, MediaError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(too_large());
    }
    let text = without_head(text.trim_ascii())?;
    let bytes = match STANDARD.decode(text) {
        Ok(bytes) => bytes,
        Err(_) => decode_cleaned(text)?,
    };
    match bytes.len() {
        0 => Err(MediaError::Empty),
        length if length > limits::ENCODED_BYTES_MAX => Err(too_large()),
        _ => Ok(bytes),
    }
}

/// Once more without white space, and in the alphabet that the text is in. Most clients need neither.
fn decode_cleaned(text: &str) -> Result<Vec<u8>, MediaError> {
    let characters: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let is_url_safe = characters.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if is_url_safe { URL_SAFE } else { STANDARD };
    engine.decode(&characters).map_err(|error| {
        let reason = match text.contains(',') {
            true => "one picture is taken at a time, without commas".to_owned(),
            false => reason(&error),
        };
        MediaError::Malformed(format!("this is not base64: {reason}"))
    })
}

/// Says what is wrong without repeating the client's bytes as they came.
fn reason(error: &base64::DecodeError) -> String {
    use base64::DecodeError::{InvalidByte, InvalidLastSymbol, InvalidLength, InvalidPadding};
    match error {
        InvalidByte(place, byte) => format!("`{}` at character {place}", byte.escape_ascii()),
        InvalidLength(length) => format!("{length} characters are one too many or three too few"),
        InvalidLastSymbol(..) | InvalidPadding => "its end is wrong".to_owned(),
    }
}

/// Takes the head of a data URL away.
fn without_head(text: &str) -> Result<&str, MediaError> {
    if !text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("data:")) {
        return Ok(text);
    }
    let wrong = |reason: &str| MediaError::Malformed(format!("this data URL is not read: {reason}"));
    let comma = text.bytes().take(HEAD_BYTES_MAX).position(|byte| byte == b',');
    let (head, rest) = text.split_at(comma.ok_or_else(|| wrong("it has no comma before its data"))?);
    match head.to_ascii_lowercase().trim_ascii_end().ends_with(";base64") {
        true => Ok(rest[1..].trim_ascii_start()),
        false => Err(wrong("send it as `data:image/jpeg;base64,…`")),
    }
}

fn too_large() -> MediaError {
    MediaError::TooLarge(format!("the picture has more than {} MiB", limits::ENCODED_BYTES_MAX >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(bytes: &[u8]) -> String {
        STANDARD.encode(bytes)
    }

    #[test]
    fn every_way_of_writing_it_is_read() {
        for length in [1, 2, 3, 254, 255, 256] {
            let bytes: Vec<u8> = (0..length).map(|at| (at * 7) as u8 ^ 0xfb).collect();
            let plain = encode(&bytes);
            let lines: String =
                plain.as_bytes().chunks(60).flat_map(|line| [line, b"\r\n"].concat()).map(char::from).collect();
            for text in [
                plain.clone(),
                plain.trim_end_matches('=').to_owned(),
                plain.replace('+', "-").replace('/', "_"),
                lines,
                format!("  {plain}\n"),
                format!("data:image/jpeg;base64,{plain}"),
                format!("DATA:image/png;charset=utf-8;BASE64, {plain}"),
                format!("data:;base64,{plain}"),
            ] {
                assert_eq!(decode(&text).as_ref(), Ok(&bytes), "{text}");
            }
        }
    }

    #[test]
    fn nothing_is_empty_and_rubbish_is_malformed() {
        for text in ["", "   ", "data:image/png;base64,", "\n\n"] {
            assert_eq!(decode(text), Err(MediaError::Empty), "{text:?}");
        }
        for text in [
            "!!!!",
            "A",
            "AAAAA",
            "AA=A",
            "AA+_",
            "é",
            "data:image/png",
            "data:image/png,AAAA",
            "data:image/svg+xml;utf8,<svg/>",
        ] {
            assert!(matches!(decode(text), Err(MediaError::Malformed(_))), "{text:?}: {:?}", decode(text));
        }
    }

    #[test]
    fn five_thousand_frames_are_not_one_picture() {
        let frames = format!("data:video/jpeg;base64,{}", vec!["/9j/4AAQ"; 5_000].join(","));
        let error = decode(&frames).expect_err("frames are not a picture").to_string();
        assert!(error.contains("one picture"), "{error}");
    }

    #[test]
    fn the_bound_is_that_of_files() {
        let bytes = vec![0; limits::ENCODED_BYTES_MAX];
        assert_eq!(decode(&encode(&bytes)).map(|bytes| bytes.len()), Ok(limits::ENCODED_BYTES_MAX));
        for length in [limits::ENCODED_BYTES_MAX + 1, limits::ENCODED_BYTES_MAX * 2] {
            assert!(matches!(decode(&"A".repeat(length.div_ceil(3) * 4)), Err(MediaError::TooLarge(_))), "{length}");
        }
    }
}
