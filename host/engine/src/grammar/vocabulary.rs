//! A model's tokens as llguidance wants them.

use std::sync::Arc;

use llguidance::toktrie::{ApproximateTokEnv, INVALID_TOKEN, TokEnv, TokRxInfo, TokTrie};

use crate::tokenizer::Tokenizer;

/// All tokens of `tokenizer`, in a tree by their bytes.
///
/// Special tokens and those that end a sequence have no text here, so that only a grammar that names them lets them
/// come. Text that a grammar leaves no choice about is not cut into tokens here: the model chooses among the tokens
/// that spell it, and a grammar that asks for a million letters does not have them written down at once.
pub(super) fn vocabulary(tokenizer: &Tokenizer) -> TokEnv {
    let count = tokenizer.vocab_tokens();
    let ends: Vec<u32> = tokenizer.eos_ids().iter().copied().filter(|&id| id < count).collect();
    let words: Vec<Vec<u8>> = (0..count)
        .map(|id| match tokenizer.is_special(id) || ends.contains(&id) {
            true => marked(id, &tokenizer.token_bytes(id)),
            false => tokenizer.token_bytes(id),
        })
        .collect();
    let info = TokRxInfo::new(count, ends.first().copied().unwrap_or(INVALID_TOKEN));
    let tree = TokTrie::from(&info, &words);
    let tree = if ends.is_empty() { tree } else { tree.with_eos_tokens(&ends) };
    Arc::new(ApproximateTokEnv::new(tree))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::{BYTES_BOS, BYTES_EOS};

    #[test]
    fn special_tokens_have_no_text() {
        let vocabulary = vocabulary(&Tokenizer::bytes());
        let tree = vocabulary.tok_trie();
        assert_eq!(tree.token(u32::from(b'a')), b"a");
        assert_eq!(tree.eos_tokens(), [BYTES_EOS]);
        assert!(tree.is_special_token(BYTES_BOS) && tree.is_special_token(BYTES_EOS));
        assert_eq!(marked(7, b"<|end|>"), b"\xff<|end|>");
        assert_eq!(marked(7, b"[INST]"), b"\xff<token 7>");
    }
}
