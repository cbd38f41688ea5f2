//! Turns the vocabulary of a GGUF file into a `tokenizer.json`, so that one reader serves both formats.

use std::collections::HashMap;

use serde_json::{Value as Json, json};

use super::Tokenizer;
use crate::error::LoadError;
use crate::limits;
use crate::weights::gguf::Gguf;
use crate::weights::gguf_value::Value;

/// GPT-2's way to cut text into words.
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// Llama 3's way.
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Qwen 2's way: single digits.
const QWEN2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Kinds of tokens in `tokenizer.ggml.token_type`.
const UNKNOWN: i64 = 2;
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;

/// A vocabulary as the file has it.
struct Vocabulary<'a> {
    file: &'a str,
    tokens: &'a [String],
    kinds: &'a [i64],
    bos: Option<u32>,
    eos: Option<u32>,
    unknown: Option<u32>,
    adds_bos: bool,
    adds_space: bool,
}

/// What begins and ends a sequence, as text.
pub(crate) struct Marks {
    pub(crate) bos: Option<String>,
    pub(crate) eos: Option<String>,
}

/// Builds the tokenizer of a GGUF file.
///
/// # Errors
/// [`LoadError`] when the file has none, or one of another kind.
///
/// Source: llama.cpp, `src/llama-vocab.cpp`; transformers, `integrations/ggml.py` and `convert_slow_tokenizer.py`.
pub(crate) fn tokenizer(gguf: &Gguf) -> Result<(Tokenizer, Marks), LoadError> {
    let file = gguf.file_name();
    let kind = gguf.text("tokenizer.ggml.model").unwrap_or("none");
    let Some(Value::Texts(tokens)) = gguf.value("tokenizer.ggml.tokens") else {
        return Err(LoadError::malformed(file, "lacks tokenizer.ggml.tokens"));
    };
    if tokens.is_empty() || tokens.len() > limits::VOCAB_MAX {
        let reason = format!("must have 1 to {} tokens, not {}", limits::VOCAB_MAX, tokens.len());
        return Err(LoadError::malformed(file, reason));
    }
    let kinds = match gguf.value("tokenizer.ggml.token_type") {
        Some(Value::Integers(kinds)) => kinds.as_slice(),
        _ => &[],
    };
    let id = |name: &str| gguf.count(&format!("tokenizer.ggml.{name}_token_id")).and_then(|id| u32::try_from(id).ok());
    let flag = |name: &str| gguf.count(&format!("tokenizer.ggml.{name}")).map(|value| value != 0);
    let is_sentencepiece = kind == "llama";
    let vocabulary = Vocabulary {
        file,
        tokens,
        kinds,
        bos: id("bos"),
        eos: id("eos"),
        unknown: id("unknown"),
        adds_bos: flag("add_bos_token").unwrap_or(is_sentencepiece),
        adds_space: flag("add_space_prefix").unwrap_or(is_sentencepiece),
    };
    let json = match kind {
        "gpt2" => vocabulary.byte_level(gguf)?,
        "llama" => vocabulary.sentencepiece(gguf)?,
        other => return Err(LoadError::Unsupported(format!("tokenizer {other:?}"))),
    };
    let text = |id: Option<u32>| id.and_then(|id| tokens.get(id as usize)).cloned();
    let marks = Marks { bos: text(vocabulary.bos), eos: text(vocabulary.eos) };
    // Some models end a turn with another token than a text.
    let ends: Vec<u32> = ["eot", "eom"].into_iter().filter_map(id).collect();
    let bytes = serde_json::to_vec(&json).map_err(|error| LoadError::malformed(file, error))?;
    let tokenizer = Tokenizer::parse(file, &bytes, marks.bos.as_deref(), marks.eos.as_deref(), &ends)?;
    Ok((tokenizer, marks))
}

impl Vocabulary<'_> {
    /// Byte-level BPE, as GPT-2 has it.
    fn byte_level(&self, gguf: &Gguf) -> Result<Json, LoadError> {
        let Some(Value::Texts(merges)) = gguf.value("tokenizer.ggml.merges") else {
            return Err(LoadError::malformed(self.file, "lacks tokenizer.ggml.merges"));
        };
        let pattern = match gguf.text("tokenizer.ggml.pre").unwrap_or("default") {
            "default" | "gpt-2" => GPT2,
            "llama-bpe" | "llama3" | "llama-v3" | "smaug-bpe" => LLAMA3,
            "qwen2" | "deepseek-r1-qwen" => QWEN2,
            other => return Err(LoadError::Unsupported(format!("pre-tokenizer {other:?}"))),
        };
        Ok(json!({
            "added_tokens": self.added(),
            "normalizer": null,
            "pre_tokenizer": { "type": "Sequence", "pretokenizers": [
                { "type": "Split", "pattern": { "Regex": pattern }, "behavior": "Isolated", "invert": false },
                { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false },
            ] },
            "post_processor": self.post_processor(),
            "decoder": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false },
            "model": { "type": "BPE", "vocab": self.ids(), "merges": merges },
        }))
    }

    /// Sentencepiece BPE: pairs are merged in the order of the scores of what they become.
    fn sentencepiece(&self, gguf: &Gguf) -> Result<Json, LoadError> {
        let scores = match gguf.value("tokenizer.ggml.scores") {
            Some(Value::Floats(scores)) if scores.len() == self.tokens.len() => scores,
            _ => return Err(LoadError::malformed(self.file, "lacks a score for each token")),
        };
        let mut normalizers = Vec::new();
        if self.adds_space {
            normalizers.push(json!({ "type": "Prepend", "prepend": "▁" }));
        }
        normalizers.push(json!({ "type": "Replace", "pattern": { "String": " " }, "content": "▁" }));
        let mut decoders = vec![
            json!({ "type": "Replace", "pattern": { "String": "▁" }, "content": " " }),
            json!({ "type": "ByteFallback" }),
            json!({ "type": "Fuse" }),
        ];
        if self.adds_space {
            decoders.push(json!({ "type": "Strip", "content": " ", "start": 1, "stop": 0 }));
        }
        let unknown = self.unknown.and_then(|id| self.tokens.get(id as usize));
        Ok(json!({
            "added_tokens": self.added(),
            "normalizer": { "type": "Sequence", "normalizers": normalizers },
            "pre_tokenizer": null,
            "post_processor": self.post_processor(),
            "decoder": { "type": "Sequence", "decoders": decoders },
            "model": {
                "type": "BPE",
                "unk_token": unknown,
                "fuse_unk": true,
                "byte_fallback": true,
                "vocab": self.ids(),
                "merges": merges(self.tokens, scores),
            },
        }))
    }

    /// Ids by token. Of two tokens with one text the first counts; the other gets a text nobody writes.
    fn ids(&self) -> HashMap<String, usize> {
        let mut ids = HashMap::with_capacity(self.tokens.len());
        for (id, token) in self.tokens.iter().enumerate() {
            let text = if ids.contains_key(token) { format!("{token}\u{0}{id}") } else { token.clone() };
            ids.insert(text, id);
        }
        ids
    }

    /// Tokens that stand for themselves.
    fn added(&self) -> Vec<Json> {
        let kinds = self.kinds.iter().zip(self.tokens).enumerate();
        let added = kinds.filter(|(_, (kind, _))| matches!(**kind, UNKNOWN | CONTROL | USER_DEFINED));
        let entry = |(id, (kind, token)): (usize, (&i64, &String))| {
            json!({
                "id": id, "content": token, "special": *kind != USER_DEFINED, "single_word": false,
                "lstrip": false, "rstrip": false, "normalized": false,
            })
        };
        added.map(entry).collect()
    }

    /// What puts the begin token before a text.
    fn post_processor(&self) -> Json {
        let token = self.bos.and_then(|id| Some((id, self.tokens.get(id as usize)?)));
        let Some((id, token)) = token.filter(|_| self.adds_bos) else {
            return Json::Null;
        };
        let special = json!({ "SpecialToken": { "id": token, "type_id": 0 } });
        let text = |which: &str, kind: u32| json!({ "Sequence": { "id": which, "type_id": kind } });
        json!({
            "type": "TemplateProcessing",
            "single": [special, text("A", 0)],
            "pair": [special, text("A", 0), special, text("B", 1)],
            "special_tokens": { token: { "id": token, "ids": [id], "tokens": [token] } },
        })
    }
}

/// All pairs of tokens that together are a token, the best result first.
fn merges(tokens: &[String], scores: &[f64]) -> Vec<(String, String)> {
    let ids: HashMap<&str, usize> = tokens.iter().enumerate().map(|(id, token)| (token.as_str(), id)).collect();
    let mut pairs = Vec::new();
    for (token, &score) in tokens.iter().zip(scores) {
        let mut of_token = Vec::new();
        for (middle, _) in token.char_indices().skip(1) {
            let (left, right) = token.split_at(middle);
            if let (Some(&left_id), Some(&right_id)) = (ids.get(left), ids.get(right)) {
                of_token.push((left_id, right_id, left, right));
            }
        }
        of_token.sort_unstable();
        pairs.extend(of_token.into_iter().map(|(_, _, left, right)| (score, left, right)));
    }
    // A stable order: equal scores stay in the order of the vocabulary.
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    pairs.into_iter().map(|(_, left, right)| (left.to_owned(), right.to_owned())).collect()
}
