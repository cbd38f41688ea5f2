//! Random ids in the form of RFC 9562.

use mimus_sdk::random;

/// Bytes that the host gives at once.
const BYTES_AT_ONCE: u32 = 1024;

/// Makes ids, many for one call to the host.
#[derive(Default)]
pub(crate) struct Ids {
    bytes: Vec<u8>,
}

impl Ids {
    /// A new id.
    pub(crate) fn next(&mut self) -> String {
        if self.bytes.len() < 16 {
            self.bytes = random::bytes(BYTES_AT_ONCE);
        }
        let mut id: Vec<u8> = self.bytes.split_off(self.bytes.len().saturating_sub(16));
        id.resize(16, 0);
        id[6] = id[6] & 0x0f | 0x40;
        id[8] = id[8] & 0x3f | 0x80;
        let mut text = String::with_capacity(36);
        for (index, byte) in id.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.push(char::from_digit(u32::from(byte >> 4), 16).expect("below 16"));
            text.push(char::from_digit(u32::from(byte & 15), 16).expect("below 16"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimus_sdk::native::with_backend;
    use mimus_sdk::scripted::ScriptedHost;
    use std::rc::Rc;

    #[test]
    fn ids_have_their_form() {
        let ids = with_backend(Rc::new(ScriptedHost::new()), || {
            let mut ids = Ids::default();
            (0..70).map(|_| ids.next()).collect::<Vec<_>>()
        });
        for id in &ids {
            let lengths: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
            assert!(id.as_bytes()[14] == b'4' && matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{id}");
        }
        assert_ne!(ids[0], ids[1]);
    }
}
