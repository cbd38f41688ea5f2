//! The shapes of logprobs: objects for chat, parallel arrays for completions, maps by token id for prompts.

use std::borrow::Cow;

use mimus_sdk::inference::TokenLogprob;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::fields::Report;

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
pub(crate) struct ChatToken<'a> {
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
    /// Of the tokens of an answer, as far as logprobs are asked for.
    pub(crate) fn new(tokens: &'a [TokenLogprob], report: Report) -> Option<Self> {
        let top = report.top_logprobs?;
        Some(ChatLogprobs { content: chat_tokens(tokens, top, report.names_ids), refusal: None })
    }
}

/// Each token with `top` alternatives.
pub(crate) fn chat_tokens(tokens: &[TokenLogprob], top: u32, names_ids: bool) -> Vec<ChatToken<'_>> {
    let mut content = Vec::with_capacity(tokens.len());
    for token in tokens {
        let mut top_logprobs = Vec::with_capacity(top as usize);
        for (id, bytes, logprob) in token.top.iter().take(top as usize) {
            top_logprobs.push(ChatAlternative {
                token: chat_name(*id, bytes, names_ids),
                logprob: finite(*logprob),
                bytes,
            });
        }
        content.push(ChatToken {
            token: chat_name(token.id, &token.bytes, names_ids),
            logprob: finite(token.logprob.unwrap_or(LOGPROB_MIN)),
            bytes: &token.bytes,
            top_logprobs,
        });
    }
    content
}

fn chat_name(id: u32, bytes: &[u8], names_ids: bool) -> Cow<'_, str> {
    if names_ids { id_name(id) } else { String::from_utf8_lossy(bytes) }
}

/// vLLM's name of a token where texts would be ambiguous.
fn id_name(id: u32) -> Cow<'static, str> {
    format!("token_id:{id}").into()
}

/// `logprobs` of a completion choice.
#[derive(serde::Serialize, Default)]
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
    pub(crate) fn new(
        tokens: impl Iterator<Item = &'a TokenLogprob>,
        report: Report,
        mut text: &str,
        mut offset: usize,
    ) -> Option<Self> {
        let top = report.top_logprobs?;
        let mut logprobs = TextLogprobs::default();
        let name_of = |id, bytes| if report.names_ids { id_name(id) } else { token_text(bytes) };
        for token in tokens {
            logprobs.text_offset.push(offset);
            // A begin token, or a token that was left out of the text, takes no room in it.
            let shown = std::str::from_utf8(&token.bytes).ok().filter(|shown| text.starts_with(shown));
            if let Some(shown) = shown {
                text = &text[shown.len()..];
                offset += shown.chars().count();
            }
            let alternatives = |chosen: f32| {
                let best = token.top.iter().take(top as usize);
                let best = best.map(|(id, bytes, logprob)| (name_of(*id, bytes), finite(*logprob)));
                let mut known: Vec<(Cow<'a, str>, f32)> = Vec::with_capacity(token.top.len() + 1);
                for (name, logprob) in best.chain([(name_of(token.id, &token.bytes), finite(chosen))]) {
                    if !known.iter().any(|(present, _)| *present == name) {
                        known.push((name, logprob));
                    }
                }
                Alternatives(known)
            };
            logprobs.token_logprobs.push(token.logprob.map(finite));
            logprobs.top_logprobs.push(token.logprob.map(alternatives));
            logprobs.tokens.push(name_of(token.id, &token.bytes));
        }
        Some(logprobs)
    }
}

/// `prompt_logprobs` as vLLM writes them: null for the first token, a map by token id for each of the others.
pub(crate) fn prompt_logprobs(tokens: &[TokenLogprob], top: u32) -> Vec<Option<PromptToken<'_>>> {
    tokens.iter().map(|token| token.logprob.map(|logprob| PromptToken { token, logprob, top })).collect()
}

/// One token of a prompt with its alternatives.
pub(crate) struct PromptToken<'a> {
    token: &'a TokenLogprob,
    logprob: f32,
    top: u32,
}

#[derive(serde::Serialize)]
struct PromptAlternative<'a> {
    logprob: f32,
    /// From 1; null for a token that is not among the likeliest.
    rank: Option<usize>,
    decoded_token: Cow<'a, str>,
}

impl Serialize for PromptToken<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut entry = |id: u32, bytes, logprob, rank| {
            let decoded_token = String::from_utf8_lossy(bytes);
            map.serialize_entry(&id.to_string(), &PromptAlternative { logprob: finite(logprob), rank, decoded_token })
        };
        let likeliest = || (1..).zip(&self.token.top);
        let rank = likeliest().find(|(_, (id, ..))| *id == self.token.id).map(|(rank, _)| rank);
        entry(self.token.id, &self.token.bytes, self.logprob, rank)?;
        for (rank, (id, bytes, logprob)) in likeliest().take(self.top as usize) {
            if *id != self.token.id {
                entry(*id, bytes, *logprob, Some(rank))?;
            }
        }
        map.end()
    }
}

/// The prompt's tokens, as far as they stand in front of a choice's own: the host tells them once, with one of the choices. They are
/// known by the first, for which there is no logprob.
pub(crate) fn split_prompt(tokens: &[TokenLogprob], prompt_tokens: usize) -> (&[TokenLogprob], &[TokenLogprob]) {
    let has_prompt = tokens.first().is_some_and(|first| first.logprob.is_none());
    tokens.split_at(if has_prompt { prompt_tokens.min(tokens.len()) } else { 0 })
}

/// The ids of tokens.
pub(crate) fn ids(tokens: &[TokenLogprob]) -> Vec<u32> {
    tokens.iter().map(|token| token.id).collect()
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
