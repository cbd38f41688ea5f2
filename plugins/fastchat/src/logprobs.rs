//! `logprobs` of a completion: parallel arrays, without alternatives, because FastChat's worker reports none.

use std::borrow::Cow;

use mimus_sdk::inference::TokenLogprob;
use serde::Serialize;

/// JSON has no -Infinity.
const LOGPROB_MIN: f32 = -9999.0;

#[derive(Serialize)]
pub(crate) struct Logprobs<'a> {
    text_offset: Vec<usize>,
    token_logprobs: Vec<Option<f32>>,
    tokens: Vec<Cow<'a, str>>,
    top_logprobs: Vec<Nothing>,
}

/// An empty object.
#[derive(Serialize)]
struct Nothing {}

impl<'a> Logprobs<'a> {
    pub(crate) fn new(tokens: &'a [TokenLogprob]) -> Self {
        let mut offset = 0;
        let mut logprobs = Logprobs {
            text_offset: Vec::with_capacity(tokens.len()),
            token_logprobs: Vec::with_capacity(tokens.len()),
            tokens: Vec::with_capacity(tokens.len()),
            top_logprobs: Vec::with_capacity(tokens.len()),
        };
        for token in tokens {
            let text = String::from_utf8_lossy(&token.bytes);
            logprobs.text_offset.push(offset);
            // By the tokens' own characters, as FastChat counts, also where together they make fewer.
            offset += text.chars().count();
            logprobs.token_logprobs.push(token.logprob.map(|logprob| logprob.max(LOGPROB_MIN)));
            logprobs.tokens.push(text);
            logprobs.top_logprobs.push(Nothing {});
        }
        logprobs
    }
}
