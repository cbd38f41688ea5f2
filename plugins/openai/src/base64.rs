//! Bytes as text, in the standard alphabet with padding (RFC 4648, section 4).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends the text of `bytes`.
pub(crate) fn push(text: &mut Vec<u8>, bytes: impl Iterator<Item = u8>) {
    let (mut group, mut count) = (0u32, 0);
    for byte in bytes {
        group = group << 8 | u32::from(byte);
        count += 1;
        if count == 3 {
            push_group(text, group, 4);
            (group, count) = (0, 0);
        }
    }
    if count > 0 {
        push_group(text, group << (8 * (3 - count)), count + 1);
        text.resize(text.len() + 3 - count, b'=');
    }
}

/// The first `characters` of the four that 24 bits make.
fn push_group(text: &mut Vec<u8>, group: u32, characters: usize) {
    for shift in [18, 12, 6, 0].into_iter().take(characters) {
        text.push(ALPHABET[(group >> shift & 63) as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_standard() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("\u{7ff}\u{3f}", "378/"),
        ];
        for (bytes, expect) in cases {
            let mut text = Vec::new();
            push(&mut text, bytes.bytes());
            assert_eq!(String::from_utf8(text).as_deref(), Ok(expect), "{bytes}");
        }
    }
}
