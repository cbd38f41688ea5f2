//! Both shapes of logprobs: objects for chat, parallel arrays for completions.

use std::borrow::Cow;

use mimus_sdk::inference::TokenLogprob;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// JSON has no -Infinity.
const LOGPROB_MIN: f32 = -9999.0;

fn finite(logprob: f32) -> f32 {
    if logprob.is_finite() { logprob.max(LOGPROB_MIN) } else { LOGPROB_MIN }
}

/// `logprobs` of a chat choice.
#[derive(serde::Serialize)]
pub(crate) struct ChatLogprobs<'a> {
    content: Vec<ChatToken<'a>>,
    refusal: Option<&'a str>,
}

#[derive(serde::Serialize)]
struct ChatToken<'a> {
    token: Cow<'a, str>,
    logprob: f32,
    bytes: &'a [u8],
    top_logprobs: Vec<ChatAlternative<'a>>,
}

#[derive(serde::Serialize)]
struct ChatAlternative<'a> {
    token: Cow<'a, str>,
    logprob: f32,
    bytes: &'a [u8],
}

impl<'a> ChatLogprobs<'a> {
    /// Of the tokens of an answer, with `top` alternatives each.
    pub(crate) fn new(tokens: &'a [TokenLogprob], top: u32) -> Self {
        let alternative = |(_, bytes, logprob): &'a (u32, Vec<u8>, f32)| ChatAlternative {
            token: String::from_utf8_lossy(bytes),
            logprob: finite(*logprob),
            bytes,
        };
        let content = tokens.iter().map(|token| ChatToken {
            token: String::from_utf8_lossy(&token.bytes),
            logprob: finite(token.logprob.unwrap_or(LOGPROB_MIN)),
            bytes: &token.bytes,
            top_logprobs: token.top.iter().take(top as usize).map(alternative).collect(),
        });
        ChatLogprobs { content: content.collect(), refusal: None }
    }
}

/// `logprobs` of a completion choice.
#[derive(serde::Serialize)]
pub(crate) struct TextLogprobs<'a> {
    tokens: Vec<Cow<'a, str>>,
    token_logprobs: Vec<Option<f32>>,
    top_logprobs: Vec<Option<Alternatives<'a>>>,
    text_offset: Vec<usize>,
}

/// Alternatives by text, in the order of their likelihood; the chosen token is always among them.
struct Alternatives<'a>(Vec<(Cow<'a, str>, f32)>);

impl Serialize for Alternatives<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (token, logprob) in &self.0 {
            map.serialize_entry(token, logprob)?;
        }
        map.end()
    }
}

impl<'a> TextLogprobs<'a> {
    /// Of the tokens behind `text`, which starts `offset` characters into the choice's whole text.
    pub(crate) fn new(tokens: &'a [TokenLogprob], top: u32, mut text: &str, mut offset: usize) -> Self {
        let mut logprobs = TextLogprobs {
            tokens: Vec::with_capacity(tokens.len()),
            token_logprobs: Vec::with_capacity(tokens.len()),
            top_logprobs: Vec::with_capacity(tokens.len()),
            text_offset: Vec::with_capacity(tokens.len()),
        };
        for token in tokens {
            let name = token_text(&token.bytes);
            logprobs.text_offset.push(offset);
            // A begin token, or a token that was left out of the text, takes no room in it.
            if let Some(rest) = text.strip_prefix(name.as_ref()) {
                text = rest;
                offset += name.chars().count();
            }
            logprobs.token_logprobs.push(token.logprob.map(finite));
            logprobs.top_logprobs.push(token.logprob.map(|logprob| alternatives(token, &name, logprob, top)));
            logprobs.tokens.push(name);
        }
        logprobs
    }
}

fn alternatives<'a>(token: &'a TokenLogprob, name: &Cow<'a, str>, logprob: f32, top: u32) -> Alternatives<'a> {
    let mut alternatives: Vec<(Cow<'a, str>, f32)> = Vec::with_capacity(token.top.len() + 1);
    let best = token.top.iter().take(top as usize).map(|(_, bytes, logprob)| (token_text(bytes), finite(*logprob)));
    for (text, logprob) in best.chain([(name.clone(), finite(logprob))]) {
        if !alternatives.iter().any(|(known, _)| *known == text) {
            alternatives.push((text, logprob));
        }
    }
    Alternatives(alternatives)
}

/// A token as a key: `bytes:\xe4\xbd` where it is a part of a character, as OpenAI writes it.
fn token_text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => {
            let escaped: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
            format!("bytes:{escaped}").into()
        }
    }
}
