//! A model's tokens as llguidance wants them.

use std::sync::Arc;

use llguidance::toktrie::{INVALID_TOKEN, TokRxInfo, TokTrie, TokenizerEnv};

use crate::limits;
use crate::tokenizer::Tokenizer;

/// A tokenizer, and its tokens in a tree by their bytes.
pub(super) struct Vocabulary {
    tokenizer: Arc<Tokenizer>,
    tree: TokTrie,
    is_canonical: bool,
}

impl Vocabulary {
    /// Reads all tokens of `tokenizer`.
    ///
    /// Special tokens and those that end a sequence have no text here, so that only a grammar that names them lets
    /// them come.
    pub(super) fn new(tokenizer: Arc<Tokenizer>) -> Self {
        let count = tokenizer.vocab_tokens();
        let ends: Vec<u32> = tokenizer.eos_ids().iter().copied().filter(|&id| id < count).collect();
        let words: Vec<Vec<u8>> = (0..count)
            .map(|id| match tokenizer.is_special(id) || ends.contains(&id) {
                true => marked(id, &tokenizer.token_bytes(id)),
                false => tokenizer.token_bytes(id),
            })
            .collect();
        let info = TokRxInfo::new(count, ends.first().copied().unwrap_or(INVALID_TOKEN));
        let mut tree = TokTrie::from(&info, &words);
        if !ends.is_empty() {
            tree = tree.with_eos_tokens(&ends);
        }
        let mut vocabulary = Self { tokenizer, tree, is_canonical: false };
        // Tokenizers that put a space before every text cannot continue one; then llguidance chooses the tokens.
        vocabulary.is_canonical = vocabulary.canonical("{\"a b\": 1}").is_some();
        vocabulary
    }

    /// The tokens into which the model's own tokenizer cuts `text`; `None` where they are not exactly `text`.
    fn canonical(&self, text: &str) -> Option<Vec<u32>> {
        let ids = self.tokenizer.encode(text, false).ok()?;
        let mut rest = text.as_bytes();
        for &id in &ids {
            // A special token that the text spells out begins with the marker, and so is never equal.
            let word = self.tree.token(id);
            rest = rest.strip_prefix(word).filter(|_| !word.is_empty())?;
        }
        rest.is_empty().then_some(ids)
    }
}

impl TokenizerEnv for Vocabulary {
    fn tok_trie(&self) -> &TokTrie {
        &self.tree
    }

    /// Tokens of text that a grammar leaves no choice about.
    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<u32> {
        let (head, rest) = split_text(bytes, limits::FORCED_TEXT_BYTES_MAX);
        let mut tokens = self.canonical(head).unwrap_or_else(|| self.tree.greedy_tokenize(head.as_bytes()));
        tokens.extend(self.tree.greedy_tokenize(rest));
        tokens
    }

    fn tokenize_is_canonical(&self) -> bool {
        self.is_canonical
    }
}

/// A token without text: llguidance's marker, then its name in angle brackets.
fn marked(id: u32, name: &[u8]) -> Vec<u8> {
    let mut word = vec![TokTrie::SPECIAL_TOKEN_MARKER];
    match name {
        [b'<', .., b'>'] => word.extend_from_slice(name),
        _ => word.extend_from_slice(format!("<token {id}>").as_bytes()),
    }
    word
}

/// The longest beginning of `bytes` that is text of at most `max` bytes, and what follows.
fn split_text(bytes: &[u8], max: usize) -> (&str, &[u8]) {
    let head = &bytes[..bytes.len().min(max)];
    let end = std::str::from_utf8(head).map_or_else(|error| error.valid_up_to(), str::len);
    let (head, rest) = bytes.split_at(end);
    (std::str::from_utf8(head).unwrap_or_default(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(split_text("aé".as_bytes(), 2), ("a", "é".as_bytes()));
        assert_eq!(split_text(b"ab\xffc", 9), ("ab", b"\xffc".as_slice()));
        assert_eq!(split_text(b"", 9), ("", b"".as_slice()));
    }

    #[test]
    fn bytes_are_canonical_and_ends_have_no_text() {
        let vocabulary = Vocabulary::new(Arc::new(Tokenizer::bytes()));
        assert!(vocabulary.tokenize_is_canonical());
        assert_eq!(vocabulary.tokenize_bytes("é!".as_bytes()), [0xc3, 0xa9, 33]);
        assert_eq!(vocabulary.tree.eos_tokens(), [crate::tokenizer::BYTES_EOS]);
        assert!(vocabulary.tree.is_special_token(crate::tokenizer::BYTES_BOS));
    }
}
