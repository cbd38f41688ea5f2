//! Words as tokens: a word with the space before it is a token, numbered as it first appears.

pub(super) const BOS: u32 = 0;
pub(super) const EOS: u32 = 1;
pub(super) const WORDS_MAX: u32 = 1000;

pub(super) struct Vocabulary {
    words: Vec<String>,
}

impl Default for Vocabulary {
    fn default() -> Self {
        Vocabulary { words: vec!["<s>".into(), "</s>".into()] }
    }
}

impl Vocabulary {
    /// Tokens of a text; its words are learnt. Past the end of the vocabulary all words are its last.
    pub(super) fn tokens(&mut self, text: &str) -> Vec<u32> {
        words(text).map(|word| self.token(word)).collect()
    }

    pub(super) fn token(&mut self, word: &str) -> u32 {
        let known = self.words.iter().position(|candidate| candidate == word);
        let index = known.unwrap_or_else(|| {
            if self.words.len() < WORDS_MAX as usize {
                self.words.push(word.into());
            }
            self.words.len() - 1
        });
        index as u32
    }

    pub(super) fn word(&self, token: u32) -> &str {
        self.words.get(token as usize).map_or("?", String::as_str)
    }

    /// None when a token is past the vocabulary. Tokens that stand for no word yet are `?`.
    pub(super) fn text(&self, tokens: &[u32], skip_special_tokens: bool) -> Option<String> {
        let mut text = String::new();
        for &token in tokens {
            if token >= WORDS_MAX {
                return None;
            }
            if !(skip_special_tokens && (token == BOS || token == EOS)) {
                text.push_str(self.word(token));
            }
        }
        Some(text)
    }
}

/// Splits in front of each space that follows a word.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end =
            rest.char_indices().skip(1).find(|(_, character)| *character == ' ').map_or(rest.len(), |(index, _)| index);
        let (word, tail) = rest.split_at(end);
        rest = tail;
        Some(word)
    })
}
