//! From token bytes to text that may be shown: whole characters, and nothing that may become a stop string.

use crate::stop_strings::{Stop, StopStrings};

/// Text of one choice on its way out.
#[derive(Debug, Default)]
pub(crate) struct TextStream {
    /// Bytes of an unfinished character, at most three.
    unfinished: Vec<u8>,
    /// Text not yet released.
    held: String,
}

/// What a stream gives out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Released {
    /// Text to show.
    pub(crate) text: String,
    /// Index of the stop string that ended the text.
    pub(crate) stop: Option<usize>,
}

impl TextStream {
    /// Bytes taken in and not yet given out. A token that starts at this offset belongs to later text.
    pub(crate) fn held_bytes(&self) -> usize {
        self.held.len() + self.unfinished.len()
    }

    /// Takes in the bytes of one token.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.unfinished.extend_from_slice(bytes);
        let mut rest = self.unfinished.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.held.push_str(text);
                    rest = &[];
                    break;
                }
                Err(error) => {
                    let (valid, invalid) = rest.split_at(error.valid_up_to());
                    self.held.push_str(&String::from_utf8_lossy(valid));
                    // Bytes that no continuation can repair are replaced at once; others wait.
                    let Some(bad) = error.error_len() else {
                        rest = invalid;
                        break;
                    };
                    self.held.push(char::REPLACEMENT_CHARACTER);
                    rest = &invalid[bad..];
                }
            }
        }
        self.unfinished = rest.to_vec();
    }

    /// Gives out what can no longer become a stop string. With a stop string in it the text ends there.
    ///
    /// * `include_stop`: whether the stop string itself is given out.
    pub(crate) fn release(&mut self, stops: &StopStrings, include_stop: bool) -> Released {
        match stops.find(&self.held) {
            Stop::Found { index, start, end } => {
                let cut = if include_stop { end } else { start };
                self.held.truncate(cut);
                self.unfinished.clear();
                Released { text: std::mem::take(&mut self.held), stop: Some(index) }
            }
            Stop::Possible { start } => {
                let rest = self.held.split_off(start);
                Released { text: std::mem::replace(&mut self.held, rest), stop: None }
            }
            Stop::None => Released { text: std::mem::take(&mut self.held), stop: None },
        }
    }

    /// Takes back text that was released and not shown yet.
    pub(crate) fn put_back(&mut self, text: &str) {
        self.held.insert_str(0, text);
    }

    /// Gives out everything: no more tokens come. An unfinished character becomes U+FFFD.
    pub(crate) fn finish(&mut self) -> String {
        if !self.unfinished.is_empty() {
            self.unfinished.clear();
            self.held.push(char::REPLACEMENT_CHARACTER);
        }
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes each token and returns what each one released, and the rest.
    fn check(stops: &[&str], tokens: &[&[u8]], expect: &[&str]) {
        let stops = StopStrings::new(stops.iter().map(|stop| (*stop).to_owned()).collect());
        let mut stream = TextStream::default();
        let mut seen = Vec::new();
        for token in tokens {
            stream.push(token);
            let released = stream.release(&stops, false);
            seen.push(released.text);
            if released.stop.is_some() {
                assert_eq!(seen, expect);
                return;
            }
        }
        seen.push(stream.finish());
        assert_eq!(seen, expect);
    }

    #[test]
    fn characters_are_whole() {
        check(&[], &[b"a", "é".as_bytes(), b"b"], &["a", "é", "b", ""]);
        check(&[], &[&[0xf0, 0x9f], &[0x98], &[0x80]], &["", "", "😀", ""]);
        check(&[], &[&[0xf0, 0x9f, 0x98], b"x"], &["", "\u{fffd}x", ""]);
        check(&[], &[b"ok", &[0xe2, 0x82]], &["ok", "", "\u{fffd}"]);
        check(&[], &[&[0xff, b'a']], &["\u{fffd}a", ""]);
    }

    #[test]
    fn stop_strings_end_the_text() {
        check(&["STOP"], &[b"go ST", b"OP on"], &["go ", ""]);
        check(&["STOP"], &[b"go ST", b"AY"], &["go ", "STAY", ""]);
        check(&["\n\n"], &[b"a\n", b"b\n", b"\nc"], &["a", "\nb", ""]);
        check(&["b", "abc"], &[b"a", b"bc"], &["", ""]);
        check(&["é"], &[b"a", &[0xc3], &[0xa9]], &["a", "", ""]);
        check(&["END"], &[b"EN"], &["", "EN"]);
    }
}
