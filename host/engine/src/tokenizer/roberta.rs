//! `vocab.json` and `merges.txt` of RoBERTa, whose tokens are bytes and what they are put together to.

use serde_json::{Value, json};

use super::clip::{VOCABULARY, added, merges};
use crate::error::LoadError;

/// The `tokenizer.json` that both files stand for.
///
/// # Errors
/// [`LoadError::Malformed`] for what is no vocabulary, too long, or lacks a token that every text needs.
///
/// Source: transformers 5.23, `RobertaTokenizer`.
pub(crate) fn tokenizer_json(vocabulary: &[u8], merge_lines: &[u8]) -> Result<Vec<u8>, LoadError> {
    let vocabulary: Value =
        serde_json::from_slice(vocabulary).map_err(|error| LoadError::malformed(VOCABULARY, error))?;
    let mut special = Vec::new();
    for (token, is_needed) in [("<s>", true), ("<pad>", false), ("</s>", true), ("<unk>", false), ("<mask>", false)] {
        match vocabulary.get(token).and_then(Value::as_u64) {
            Some(id) => special.push(added(id, token)),
            None if is_needed => return Err(LoadError::malformed(VOCABULARY, format!("has no token {token}"))),
            None => {}
        }
    }
    let (begin, end) = (vocabulary["<s>"].clone(), vocabulary["</s>"].clone());
    let tokenizer = json!({
        "version": "1.0",
        "added_tokens": special,
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
        "post_processor": {
            "type": "RobertaProcessing", "sep": ["</s>", end], "cls": ["<s>", begin], "trim_offsets": true,
            "add_prefix_space": false,
        },
        "decoder": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true },
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
            "end_of_word_suffix": "", "fuse_unk": false, "vocab": vocabulary, "merges": merges(merge_lines)?,
        },
    });
    Ok(tokenizer.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::Tokenizer;

    #[test]
    fn both_files_are_a_tokenizer() {
        let vocabulary = json!({ "<s>": 0, "<pad>": 1, "</s>": 2, "a": 3, "b": 4, "Ġ": 5, "ab": 6, "Ġab": 7 });
        let json = tokenizer_json(vocabulary.to_string().as_bytes(), "#version: 0.2\na b\nĠ ab\n".as_bytes()).unwrap();
        let tokenizer = Tokenizer::parse(VOCABULARY, &json, Some("<s>"), Some("</s>"), &[]).unwrap();
        assert_eq!(tokenizer.encode("ab aba", true).unwrap(), [0, 6, 7, 3, 2]);
        assert_eq!(tokenizer.decode(&[0, 6, 7, 3, 2], true).unwrap(), "ab aba");
        assert!(tokenizer_json(b"{}", b"").unwrap_err().to_string().contains("has no token <s>"));
    }
}
