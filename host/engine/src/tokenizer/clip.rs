//! `vocab.json` and `merges.txt` of CLIP: the pieces of words, and the order in which they are put together.

use serde_json::{Value, json};

use crate::error::LoadError;
use crate::limits;

/// The files' names.
pub(crate) const VOCABULARY: &str = "vocab.json";
/// See [`VOCABULARY`].
pub(crate) const MERGES: &str = "merges.txt";

/// Texts of the tokens around every text.
pub(crate) const BEGIN: &str = "<|startoftext|>";
/// See [`BEGIN`].
pub(crate) const END: &str = "<|endoftext|>";

/// What is one word.
const WORD: &str = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// The `tokenizer.json` that both files stand for.
///
/// # Errors
/// [`LoadError::Malformed`] for what is no vocabulary, too long, or lacks a token that every text needs.
///
/// Source: transformers 5.23, `CLIPTokenizer`.
pub(crate) fn tokenizer_json(vocabulary: &[u8], merge_lines: &[u8]) -> Result<Vec<u8>, LoadError> {
    let vocabulary: Value =
        serde_json::from_slice(vocabulary).map_err(|error| LoadError::malformed(VOCABULARY, error))?;
    let id = |token: &str| {
        let id = vocabulary.get(token).and_then(Value::as_u64);
        id.ok_or_else(|| LoadError::malformed(VOCABULARY, format!("has no token {token}")))
    };
    let (begin, end) = (id(BEGIN)?, id(END)?);
    let merges = merges(merge_lines)?;
    let tokenizer = json!({
        "version": "1.0",
        "added_tokens": [added(begin, BEGIN), added(end, END)],
        "normalizer": { "type": "Sequence", "normalizers": [
            { "type": "NFC" },
            { "type": "Replace", "pattern": { "Regex": r"\s+" }, "content": " " },
            { "type": "Lowercase" },
        ]},
        "pre_tokenizer": { "type": "Sequence", "pretokenizers": [
            { "type": "Split", "pattern": { "Regex": WORD }, "behavior": "Removed", "invert": true },
            { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
        ]},
        "post_processor": {
            "type": "RobertaProcessing", "sep": [END, end], "cls": [BEGIN, begin], "trim_offsets": false,
            "add_prefix_space": false,
        },
        "decoder": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true },
        "model": {
            "type": "BPE", "dropout": null, "unk_token": END, "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>", "fuse_unk": false, "vocab": vocabulary, "merges": merges,
        },
    });
    Ok(tokenizer.to_string().into_bytes())
}

/// The pairs of `merges.txt`, the first first.
pub(super) fn merges(text: &[u8]) -> Result<Vec<&str>, LoadError> {
    let text = std::str::from_utf8(text).map_err(|error| LoadError::malformed(MERGES, error))?;
    let is_merge = |line: &&str| !line.is_empty() && !line.starts_with("#version");
    let merges: Vec<&str> = text.lines().filter(is_merge).take(limits::VOCAB_MAX + 1).collect();
    if merges.len() > limits::VOCAB_MAX {
        return Err(LoadError::malformed(MERGES, format!("more than {} merges", limits::VOCAB_MAX)));
    }
    Ok(merges)
}

/// A token that texts spell out as a whole.
pub(super) fn added(id: u64, token: &str) -> Value {
    json!({
        "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
        "special": true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::Tokenizer;

    #[test]
    fn both_files_are_a_tokenizer() {
        let vocabulary = json!({ "b": 0, "i": 1, "r": 2, "d</w>": 3, "bi": 4, "rd</w>": 5, "bird</w>": 6, "!</w>": 7, BEGIN: 8, END: 9 });
        let merges = b"#version: 0.2\nb i\nr d</w>\nbi rd</w>\n";
        let json = tokenizer_json(vocabulary.to_string().as_bytes(), merges).unwrap();
        let tokenizer = Tokenizer::parse(VOCABULARY, &json, Some(BEGIN), Some(END), &[]).unwrap();
        assert_eq!(tokenizer.encode("  BIRD\n bird!", true).unwrap(), [8, 6, 6, 7, 9]);
        assert_eq!(tokenizer.encode("", true).unwrap(), [8, 9]);
    }

    #[test]
    fn files_that_cannot_work_are_refused() {
        let check = |vocabulary: &[u8], merges: &[u8], expect: &str| {
            let error = tokenizer_json(vocabulary, merges).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        };
        check(b"", b"", "vocab.json is malformed");
        check(b"[]", b"", "has no token <|startoftext|>");
        check(br#"{"<|startoftext|>":0}"#, b"", "has no token <|endoftext|>");
        let vocabulary = br#"{"<|startoftext|>":0,"<|endoftext|>":1}"#;
        check(vocabulary, b"\xff", "utf-8");
        check(vocabulary, &b"a b\n".repeat(limits::VOCAB_MAX + 1), "more than");
    }
}
