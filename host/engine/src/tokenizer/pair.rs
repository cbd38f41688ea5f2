//! Two texts as one sequence, for models that read them together.

use tokenizers::{Encoding, PostProcessor, TruncationDirection};

use super::{Kind, Tokenizer, guarded};
use crate::error::EngineError;

/// The first text of pairs, tokenized once for all of them.
pub(crate) struct FirstText<'a> {
    tokenizer: &'a Tokenizer,
    /// Cut to what could stay of it.
    first: Encoding,
    /// Its tokens, uncut.
    tokens: usize,
    tokens_max: usize,
}

/// Two texts as one sequence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pair {
    /// Token ids, special ones included.
    pub(crate) ids: Vec<u32>,
    /// The text that each token belongs to, as the tokenizer counts: 0 or 1.
    pub(crate) types: Vec<u32>,
    /// Whether one of the two was cut.
    pub(crate) is_truncated: bool,
}

impl Tokenizer {
    /// Tokenizes the first text of pairs that are cut to `tokens_max` tokens.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the tokenizer cannot represent the text.
    pub(crate) fn pair_with(&self, text: &str, tokens_max: usize) -> Result<FirstText<'_>, EngineError> {
        let mut first = self.plain(text)?;
        let tokens = first.get_ids().len();
        cut(&mut first, tokens_max);
        Ok(FirstText { tokenizer: self, first, tokens, tokens_max })
    }

    /// How many tokens the model expects around a pair.
    pub(crate) fn added_to_pair(&self) -> usize {
        match &self.kind {
            Kind::Bytes => 0,
            Kind::Trained(inner) => inner.get_post_processor().map_or(0, |processor| processor.added_tokens(true)),
        }
    }

    /// A text without anything around it.
    fn plain(&self, text: &str) -> Result<Encoding, EngineError> {
        match &self.kind {
            Kind::Bytes => Err(EngineError::Unsupported("pairs of texts".to_owned())),
            Kind::Trained(inner) => guarded("encode", || inner.encode_fast(text, false)),
        }
    }
}

impl FirstText<'_> {
    /// The pair of this text and `second`.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the tokenizer cannot represent the text.
    ///
    /// Source: transformers 5.23, `tokenizer(first, second, truncation=True)`.
    pub(crate) fn encode(&self, second: &str) -> Result<Pair, EngineError> {
        let Kind::Trained(inner) = &self.tokenizer.kind else {
            return Err(EngineError::Unsupported("pairs of texts".to_owned()));
        };
        let mut second = self.tokenizer.plain(second)?;
        let (one, other) = (self.tokens, second.get_ids().len());
        let room = self.tokens_max.saturating_sub(self.tokenizer.added_to_pair());
        let kept = longest_first(one, other, room);
        let mut first = self.first.clone();
        cut(&mut first, kept.0);
        cut(&mut second, kept.1);
        // Where nothing is put around texts, nothing else says which is which.
        second.set_type_ids(vec![1; kept.1]);
        let whole = guarded("encode", || inner.post_process(first, Some(second), true))?;
        Ok(Pair {
            ids: whole.get_ids().to_vec(),
            types: whole.get_type_ids().to_vec(),
            is_truncated: kept != (one, other),
        })
    }
}

/// Cuts the end off, for good: what is cut off is kept as overflow by default, and combined with other texts'.
pub(super) fn cut(encoding: &mut Encoding, tokens_max: usize) {
    encoding.truncate(tokens_max, 0, TruncationDirection::Right);
    encoding.take_overflowing();
}

/// How much stays of two texts of which the longer is cut first, and both where that is not enough.
///
/// Source: huggingface/tokenizers 0.23, `truncate_encodings`.
fn longest_first(one: usize, other: usize, room: usize) -> (usize, usize) {
    if one + other <= room {
        return (one, other);
    }
    let short = one.min(other);
    // The shorter one stays whole where it takes no more than half.
    let (short, long) = if short <= room / 2 { (short, room - short) } else { (room / 2, room.div_ceil(2)) };
    if one > other { (long, short) } else { (short, long) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_text_is_cut_first() {
        let check = |one, other, room, expect: (usize, usize)| {
            assert_eq!(longest_first(one, other, room), expect, "{one} {other} {room}");
            // The library that the files were made with.
            let encoding = |count: usize| {
                let mut encoding = Encoding::default();
                for _ in 0..count {
                    let token = tokenizers::Token { id: 1, value: "a".to_owned(), offsets: (0, 1) };
                    encoding.merge_with(Encoding::from_tokens(vec![token], 0), false);
                }
                encoding
            };
            let params = tokenizers::TruncationParams { max_length: room, ..Default::default() };
            let (left, right) =
                tokenizers::truncate_encodings(encoding(one), Some(encoding(other)), &params).expect("it is cut");
            assert_eq!((left.get_ids().len(), right.expect("it stays").get_ids().len()), expect);
        };
        check(3, 4, 7, (3, 4));
        check(3, 5, 7, (3, 4));
        check(5, 3, 7, (4, 3));
        check(2, 50, 7, (2, 5));
        check(50, 2, 7, (5, 2));
        check(50, 60, 7, (3, 4));
        check(60, 50, 7, (4, 3));
        check(50, 50, 7, (3, 4));
        check(0, 9, 7, (0, 7));
        check(9, 0, 7, (7, 0));
        check(4, 4, 7, (3, 4));
        check(9, 9, 1, (0, 1));
    }
}
