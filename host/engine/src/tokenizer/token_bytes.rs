//! The bytes behind every token, in one table.

use serde::Deserialize;
use serde_json::Value;

use crate::error::LoadError;
use crate::limits;

/// Bytes of all tokens, by id.
pub(super) struct TokenBytes {
    /// All bytes, one token after the other.
    bytes: Vec<u8>,
    /// Where each token's bytes end.
    ends: Vec<u32>,
}

/// How a vocabulary writes bytes.
#[derive(Clone, PartialEq, Eq)]
enum Spelling {
    /// Every byte is one printable character, as GPT-2 does.
    ByteLevel,
    /// `▁` is a space and `<0x0A>` a byte, as sentencepiece does.
    SentencePiece,
    /// A token that goes on with a word begins with this prefix, any other begins a word, as BERT does.
    WordPiece(String),
}

/// The part of a `tokenizer.json` that tells how it writes bytes.
#[derive(Deserialize)]
struct DecoderOnly {
    #[serde(default)]
    decoder: Value,
    #[serde(default)]
    model: ModelOnly,
}

/// What kind of vocabulary it is.
#[derive(Default, Deserialize)]
struct ModelOnly {
    #[serde(default)]
    r#type: String,
    continuing_subword_prefix: Option<String>,
}

impl TokenBytes {
    /// Spells out every token of `tokenizer`, whose file is `json`.
    pub(super) fn new(file: &str, tokenizer: &tokenizers::Tokenizer, json: &[u8]) -> Result<Self, LoadError> {
        let parsed: DecoderOnly = serde_json::from_slice(json).map_err(|error| LoadError::malformed(file, error))?;
        // A decoder can be a sequence of decoders; its text names all of them.
        let is_byte_level = parsed.decoder.to_string().contains("\"ByteLevel\"");
        let spelling = if parsed.model.r#type == "WordPiece" {
            Spelling::WordPiece(parsed.model.continuing_subword_prefix.unwrap_or_else(|| "##".to_owned()))
        } else if is_byte_level {
            Spelling::ByteLevel
        } else {
            Spelling::SentencePiece
        };
        let mut tokens: Vec<(u32, String)> =
            tokenizer.get_vocab(true).into_iter().map(|(token, id)| (id, token)).collect();
        tokens.sort_unstable();
        let added = tokenizer.get_added_tokens_decoder();
        let mut table = Self { bytes: Vec::new(), ends: Vec::new() };
        for (id, token) in tokens {
            let index = id as usize;
            if index >= limits::VOCAB_MAX {
                return Err(LoadError::malformed(file, format!("token id {id} passes {}", limits::VOCAB_MAX)));
            }
            // Ids need not be dense.
            let end = table.end();
            table.ends.resize(table.ends.len().max(index), end);
            if table.ends.len() > index {
                // Two texts for one id: the first, in the order of their texts, stands.
                continue;
            }
            // Added tokens stand for themselves.
            if added.contains_key(&id) {
                table.bytes.extend_from_slice(token.as_bytes());
            } else {
                spelling.append(&token, &mut table.bytes);
            }
            let end = table.end();
            table.ends.push(end);
        }
        Ok(table)
    }

    /// The table of a byte tokenizer: 256 bytes, then two tokens without text.
    pub(super) fn plain() -> Self {
        let mut ends: Vec<u32> = (1..=256).collect();
        ends.extend([256, 256]);
        Self { bytes: (0..=255).collect(), ends }
    }

    /// Bytes of `id`; none where there is no such token.
    pub(super) fn get(&self, id: u32) -> &[u8] {
        let index = id as usize;
        let Some(&end) = self.ends.get(index) else {
            return &[];
        };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start as usize..end as usize]
    }

    /// The highest id plus 1.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// Where the next token's bytes begin. Files of at most 64 MiB keep it inside 32 bits.
    fn end(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }
}

impl Spelling {
    /// Appends the bytes that `token` stands for.
    fn append(&self, token: &str, bytes: &mut Vec<u8>) {
        match self {
            Self::SentencePiece => match byte_token(token) {
                Some(byte) => bytes.push(byte),
                None => bytes.extend_from_slice(token.replace('▁', " ").as_bytes()),
            },
            Self::WordPiece(prefix) => match token.strip_prefix(&**prefix) {
                Some(rest) => bytes.extend_from_slice(rest.as_bytes()),
                None => bytes.extend(std::iter::once(b' ').chain(token.bytes())),
            },
            Self::ByteLevel => {
                for character in token.chars() {
                    match byte_of(character) {
                        Some(byte) => bytes.push(byte),
                        // Not a character of the byte alphabet: the token stands for itself.
                        None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
                    }
                }
            }
        }
    }
}

/// The byte of a token such as `<0x0A>`.
fn byte_token(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() == 2 { u8::from_str_radix(digits, 16).ok() } else { None }
}

/// The byte that a character of the byte alphabet stands for.
///
/// Printable Latin-1 characters stand for themselves; the other 68 bytes are, in order, U+0100 to U+0143.
///
/// Source: openai/gpt-2, `src/encoder.py`, `bytes_to_unicode`.
fn byte_of(character: char) -> Option<u8> {
    let code = u32::from(character);
    match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => u8::try_from(code).ok(),
        0x100..=0x120 => u8::try_from(code - 0x100).ok(),
        0x121..=0x142 => u8::try_from(code - 0x121 + 0x7f).ok(),
        0x143 => Some(0xad),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_character() {
        let mut bytes: Vec<u8> = (0..=0x143).filter_map(char::from_u32).filter_map(byte_of).collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
        assert_eq!(byte_of('Ġ'), Some(b' '));
        assert_eq!(byte_of('Ċ'), Some(b'\n'));
    }

    #[test]
    fn spellings() {
        let check = |spelling: &Spelling, token: &str, expect: &[u8]| {
            let mut bytes = Vec::new();
            spelling.append(token, &mut bytes);
            assert_eq!(bytes, expect, "{token}");
        };
        check(&Spelling::SentencePiece, "▁the", b" the");
        check(&Spelling::SentencePiece, "<0xE2>", &[0xe2]);
        check(&Spelling::SentencePiece, "<0xZZ>", b"<0xZZ>");
        let word_piece = Spelling::WordPiece("##".to_owned());
        check(&word_piece, "the", b" the");
        check(&word_piece, "##ing", b"ing");
        check(&word_piece, "##", b"");
    }
}
