//! Log probabilities in the two forms of the OpenAI-like routes.

use mimus_sdk::inference::TokenLogprob;
use serde::Serialize;
use std::collections::BTreeMap;

/// What stands for minus infinity, which JSON does not have.
const IMPOSSIBLE: f32 = -9999.0;

/// `logprobs` of a chat choice.
#[derive(Serialize)]
pub struct ChatLogprobs {
    content: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    token: Token,
    top_logprobs: Vec<Token>,
}

#[derive(Serialize)]
struct Token {
    token: String,
    bytes: Vec<u8>,
    logprob: f32,
}

impl Token {
    fn new(bytes: &[u8], logprob: f32) -> Self {
        Token { token: text(bytes), bytes: bytes.to_vec(), logprob: finite(logprob) }
    }
}

impl ChatLogprobs {
    /// One entry a token.
    pub fn new(tokens: &[TokenLogprob]) -> Self {
        let entry = |token: &TokenLogprob| Entry {
            token: Token::new(&token.bytes, token.logprob.unwrap_or(IMPOSSIBLE)),
            // The original leaves the chosen token out of the others.
            top_logprobs: token
                .top
                .iter()
                .filter(|(id, ..)| *id != token.id)
                .map(|(_, bytes, logprob)| Token::new(bytes, *logprob))
                .collect(),
        };
        ChatLogprobs { content: tokens.iter().map(entry).collect() }
    }
}

/// `logprobs` of a completion: parallel lists.
#[derive(Serialize, Default)]
pub struct CompletionLogprobs {
    text_offset: Vec<usize>,
    token_logprobs: Vec<f32>,
    tokens: Vec<String>,
    top_logprobs: Vec<BTreeMap<String, f32>>,
}

impl CompletionLogprobs {
    /// `offset`: characters of the answer before these tokens; advanced past them.
    pub fn new(tokens: &[TokenLogprob], offset: &mut usize) -> Self {
        let mut logprobs = CompletionLogprobs::default();
        for token in tokens {
            let chosen = text(&token.bytes);
            let logprob = finite(token.logprob.unwrap_or(IMPOSSIBLE));
            let mut top: BTreeMap<String, f32> =
                token.top.iter().map(|(_, bytes, logprob)| (text(bytes), finite(*logprob))).collect();
            top.insert(chosen.clone(), logprob);
            logprobs.text_offset.push(*offset);
            *offset += chosen.chars().count();
            logprobs.token_logprobs.push(logprob);
            logprobs.tokens.push(chosen);
            logprobs.top_logprobs.push(top);
        }
        logprobs
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// As JSON can hold it.
pub fn finite(logprob: f32) -> f32 {
    if logprob.is_finite() { logprob.max(IMPOSSIBLE) } else { IMPOSSIBLE }
}
