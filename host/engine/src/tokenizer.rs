//! Text to token ids and back.

pub(crate) mod clip;
pub(crate) mod gguf;
mod pair;
pub(crate) mod roberta;
mod token_bytes;
pub(crate) mod vocabulary;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{EngineError, LoadError};
use crate::limits;
use token_bytes::TokenBytes;
use tokenizers::PostProcessor;
use tokenizers::normalizers::{Lowercase, NormalizerWrapper, Sequence};

/// The file of a trained tokenizer.
pub(crate) const TOKENIZER: &str = "tokenizer.json";

/// A model's tokenizer. Plain bytes stand behind every token, so that a stream of tokens can be cut into
/// whole characters without decoding it again and again.
pub struct Tokenizer {
    kind: Kind,
    bytes: TokenBytes,
    special: HashSet<u32>,
    bos_id: Option<u32>,
    eos_ids: Vec<u32>,
}

/// How text becomes ids.
enum Kind {
    /// A `tokenizer.json`.
    Trained(Box<tokenizers::Tokenizer>),
    /// One token a byte: ids 0 to 255, then begin and end of sequence.
    Bytes,
}

/// Id that begins a sequence of a byte tokenizer.
pub(crate) const BYTES_BOS: u32 = 256;
/// Id that ends a sequence of a byte tokenizer.
pub(crate) const BYTES_EOS: u32 = 257;

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// * `file`: its name, for messages.
    /// * `bos`, `eos`: texts of the tokens that begin and end a sequence.
    /// * `eos_ids`: further ids that end a sequence.
    ///
    /// # Errors
    /// [`LoadError::Malformed`] for what is no tokenizer, has no token, or too many.
    pub(crate) fn parse(
        file: &str,
        json: &[u8],
        bos: Option<&str>,
        eos: Option<&str>,
        eos_ids: &[u32],
    ) -> Result<Self, LoadError> {
        // The tokenizers crate asserts some of its own consistency while it reads.
        let parsed = catch_unwind(|| tokenizers::Tokenizer::from_bytes(json));
        let mut inner = match parsed {
            Ok(Ok(inner)) => inner,
            Ok(Err(error)) => return Err(LoadError::malformed(file, error)),
            Err(_) => return Err(LoadError::malformed(file, "it contradicts itself")),
        };
        // Limits of training that a file may carry; the engine has its own.
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| LoadError::malformed(file, error))?;
        let count = inner.get_vocab_size(true);
        if count == 0 || count > limits::VOCAB_MAX {
            let reason = format!("must have 1 to {} tokens, not {count}", limits::VOCAB_MAX);
            return Err(LoadError::malformed(file, reason));
        }
        let added = inner.get_added_tokens_decoder();
        let special = added.iter().filter(|(_, token)| token.special).map(|(&id, _)| id).collect();
        let bytes = TokenBytes::new(file, &inner, json)?;
        let id_of = |token: Option<&str>| token.and_then(|token| inner.token_to_id(token));
        let bos_id = id_of(bos);
        let mut all_eos: Vec<u32> = id_of(eos).into_iter().chain(eos_ids.iter().copied()).collect();
        all_eos.sort_unstable();
        all_eos.dedup();
        Ok(Self { kind: Kind::Trained(Box::new(inner)), bytes, special, bos_id, eos_ids: all_eos })
    }

    /// A tokenizer with one token for each byte, as the scripted model uses it.
    pub(crate) fn bytes() -> Self {
        Self {
            kind: Kind::Bytes,
            bytes: TokenBytes::plain(),
            special: HashSet::from([BYTES_BOS, BYTES_EOS]),
            bos_id: Some(BYTES_BOS),
            eos_ids: vec![BYTES_EOS],
        }
    }

    /// Ids of `text`. Special tokens that `text` spells out are recognised.
    ///
    /// * `add_special`: whether to add what the model expects around a prompt, such as a begin token. Chat
    ///   templates write it themselves.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the tokenizer cannot represent the text.
    pub fn encode(&self, text: &str, add_special: bool) -> Result<Vec<u32>, EngineError> {
        match &self.kind {
            Kind::Bytes => Ok(text.bytes().map(u32::from).collect()),
            Kind::Trained(inner) => {
                guarded("encode", || inner.encode_fast(text, add_special).map(|encoding| encoding.get_ids().to_vec()))
            }
        }
    }

    /// Ids of `text` with what the model expects around them, the text cut so that all are at most `tokens_max`; and how
    /// many they are uncut.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the tokenizer cannot represent the text.
    pub(crate) fn encode_cut(&self, text: &str, tokens_max: usize) -> Result<(Vec<u32>, usize), EngineError> {
        let Kind::Trained(inner) = &self.kind else {
            let ids = self.encode(text, true)?;
            let all = ids.len();
            return Ok((ids.into_iter().take(tokens_max).collect(), all));
        };
        let added = self.added_tokens();
        guarded("encode", || {
            let mut encoding = inner.encode_fast(text, false)?;
            let all = encoding.get_ids().len() + added;
            pair::cut(&mut encoding, tokens_max.saturating_sub(added));
            Ok((inner.post_process(encoding, None, true)?.get_ids().to_vec(), all))
        })
    }

    /// How many tokens the model expects around a text.
    pub(crate) fn added_tokens(&self) -> usize {
        match &self.kind {
            Kind::Bytes => 0,
            Kind::Trained(inner) => inner.get_post_processor().map_or(0, |processor| processor.added_tokens(false)),
        }
    }

    /// Lower-cases texts before all else, unless the tokenizer's own file says so.
    ///
    /// # Errors
    /// [`LoadError::Malformed`] when the tokenizer then contradicts itself.
    pub(crate) fn lowercase(&mut self) -> Result<(), LoadError> {
        let Kind::Trained(inner) = &mut self.kind else { return Ok(()) };
        let mut steps = vec![NormalizerWrapper::Lowercase(Lowercase)];
        match inner.get_normalizer() {
            Some(NormalizerWrapper::Lowercase(_)) => return Ok(()),
            Some(NormalizerWrapper::Sequence(own)) => steps.extend(own.as_ref().iter().cloned()),
            Some(other) => steps.push(other.clone()),
            None => {}
        }
        let changed = inner.with_normalizer(Some(Sequence::new(steps)));
        changed.map(|_| ()).map_err(|error| LoadError::malformed("tokenizer.json", error))
    }

    /// Text of `ids`; bytes that are no UTF-8 become U+FFFD.
    ///
    /// * `skip_special`: whether special tokens give no text.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the tokenizer cannot decode them.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> Result<String, EngineError> {
        match &self.kind {
            Kind::Bytes => {
                let bytes: Vec<u8> = ids.iter().flat_map(|&id| self.text_bytes(id, skip_special)).copied().collect();
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            Kind::Trained(inner) => guarded("decode", || inner.decode(ids, skip_special)),
        }
    }

    /// Bytes of one token, which need not be whole UTF-8; none for an id that the tokenizer does not have.
    pub fn token_bytes(&self, id: u32) -> Vec<u8> {
        self.bytes.get(id).to_vec()
    }

    /// Bytes that a token adds to a text.
    pub(crate) fn text_bytes(&self, id: u32, skip_special: bool) -> &[u8] {
        if skip_special && self.special.contains(&id) { &[] } else { self.bytes.get(id) }
    }

    /// Whether `id` is a special token.
    pub fn is_special(&self, id: u32) -> bool {
        self.special.contains(&id)
    }

    /// Id of a token by its exact text, special tokens included.
    pub fn token_id(&self, token: &str) -> Option<u32> {
        match &self.kind {
            Kind::Bytes => match token.as_bytes() {
                [byte] => Some(u32::from(*byte)),
                _ => None,
            },
            Kind::Trained(inner) => inner.token_to_id(token),
        }
    }

    /// Number of ids the tokenizer knows: the highest one plus 1. The model's vocabulary may be larger.
    pub fn vocab_tokens(&self) -> u32 {
        self.bytes.count()
    }

    /// The token that begins a sequence.
    pub fn bos_id(&self) -> Option<u32> {
        self.bos_id
    }

    /// The tokens that end a sequence, in ascending order.
    pub fn eos_ids(&self) -> &[u32] {
        &self.eos_ids
    }
}

/// Runs code of the tokenizers crate on a client's text: neither its error nor its panic goes further.
fn guarded<T>(doing: &str, work: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, EngineError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(EngineError::Failed(format!("tokenizer cannot {doing}: {error}"))),
        Err(_) => Err(EngineError::Failed(format!("tokenizer panicked in {doing}"))),
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tokenizer")
            .field("vocab_tokens", &self.vocab_tokens())
            .field("bos_id", &self.bos_id)
            .field("eos_ids", &self.eos_ids)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_tokenizer_round_trips() {
        let tokenizer = Tokenizer::bytes();
        let ids = tokenizer.encode("é!", true).unwrap();
        assert_eq!(ids, [0xc3, 0xa9, u32::from(b'!')]);
        assert_eq!(tokenizer.decode(&ids, true).unwrap(), "é!");
        assert_eq!(tokenizer.decode(&[104, BYTES_EOS, 105], true).unwrap(), "hi");
        assert_eq!(tokenizer.vocab_tokens(), 258);
    }

    #[test]
    fn hostile_tokenizers_are_refused() {
        let check = |json: &str, expect: &str| {
            let error = Tokenizer::parse("tokenizer.json", json.as_bytes(), None, None, &[]).unwrap_err();
            assert!(error.to_string().contains(expect), "{error}");
        };
        check("", "malformed");
        check("[[[[", "malformed");
        check(&"[".repeat(100_000), "malformed");
        check(r#"{"model":{"type":"BPE","vocab":{},"merges":[]}}"#, "must have 1 to");
        check(r#"{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}"#, "malformed");
        check(r#"{"model":{"type":"BPE","vocab":{"a":4294967295},"merges":[]}}"#, "id 4294967295");
    }

    #[test]
    fn cyclic_merges_end() {
        // Both pairs make tokens that take part in the other's merge again.
        let json = r#"{"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"ba":3,"aba":4},
            "merges":["a b","b a","ab a","a ba"]}}"#;
        let tokenizer = Tokenizer::parse("tokenizer.json", json.as_bytes(), None, None, &[]).unwrap();
        let ids = tokenizer.encode(&"ab".repeat(1_000), false).unwrap();
        assert!(!ids.is_empty());
    }
}
