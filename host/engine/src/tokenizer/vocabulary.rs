//! `vocab.txt`: the tokens of an old BERT folder, one a line.

use serde_json::{Map, Value, json};

use crate::error::LoadError;
use crate::limits;

/// The file's name.
pub(crate) const VOCABULARY: &str = "vocab.txt";

/// The `tokenizer.json` that a vocabulary stands for.
///
/// * `lowercases`: whether the model knows lower case only.
///
/// # Errors
/// [`LoadError::Malformed`] for what is no text, too long, or lacks a token that every text needs.
///
/// Source: transformers, `BertTokenizer`.
pub(crate) fn tokenizer_json(text: &[u8], lowercases: bool) -> Result<Vec<u8>, LoadError> {
    let text = std::str::from_utf8(text).map_err(|error| LoadError::malformed(VOCABULARY, error))?;
    let mut vocabulary = Map::new();
    for (id, line) in text.lines().enumerate() {
        if id >= limits::VOCAB_MAX {
            return Err(LoadError::malformed(VOCABULARY, format!("more than {} tokens", limits::VOCAB_MAX)));
        }
        // A token that stands there twice has the later id, as in a dictionary.
        vocabulary.insert(line.to_owned(), json!(id));
    }
    let mut special = Vec::new();
    for (token, is_needed) in [("[PAD]", false), ("[UNK]", true), ("[CLS]", true), ("[SEP]", true), ("[MASK]", false)] {
        match vocabulary.get(token) {
            Some(id) => special.push(json!({
                "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true,
            })),
            None if is_needed => return Err(LoadError::malformed(VOCABULARY, format!("has no token {token}"))),
            None => {}
        }
    }
    let (begin, end) = (vocabulary["[CLS]"].clone(), vocabulary["[SEP]"].clone());
    let tokenizer = json!({
        "version": "1.0",
        "added_tokens": special,
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
            "lowercase": lowercases,
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": { "type": "BertProcessing", "sep": ["[SEP]", end], "cls": ["[CLS]", begin] },
        "decoder": { "type": "WordPiece", "prefix": "##", "cleanup": true },
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": Value::Object(vocabulary),
        },
    });
    Ok(tokenizer.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::Tokenizer;

    #[test]
    fn a_vocabulary_is_a_tokenizer() {
        let text = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\nbird\n##s\nsing\n!\n";
        let json = tokenizer_json(text, true).unwrap();
        let tokenizer = Tokenizer::parse(VOCABULARY, &json, Some("[CLS]"), Some("[SEP]"), &[]).unwrap();
        assert_eq!(tokenizer.encode("The  BIRDS sing!", true).unwrap(), [2, 4, 5, 6, 7, 8, 3]);
        assert_eq!(tokenizer.encode_cut("the birds fly [SEP]", 5).unwrap(), (vec![2, 4, 5, 6, 3], 7));
        assert_eq!(tokenizer.encode_cut("the", 2).unwrap(), (vec![2, 3], 3));
        assert_eq!(tokenizer.decode(&[2, 4, 5, 6, 7, 8, 3], true).unwrap(), "the birds sing!");
        assert_eq!(tokenizer.token_bytes(6), b"s");
        assert_eq!(tokenizer.token_bytes(2), b"[CLS]");
    }

    #[test]
    fn vocabularies_that_cannot_work_are_refused() {
        let check = |text: &[u8], expect: &str| {
            let error = tokenizer_json(text, true).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        };
        check(b"", "has no token [UNK]");
        check(b"[UNK]\n[CLS]", "has no token [SEP]");
        check(b"\xff", "utf-8");
        check(&b"a\n".repeat(limits::VOCAB_MAX + 1), "more than");
    }
}
