//! How to sample and when to stop: FastChat's defaults, its checks in its order and words, and the bounds of this server.

use std::fmt;

use mimus_sdk::inference::Options;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use crate::refusal::Refusal;

/// Answers to one prompt. FastChat has no bound.
const CHOICES_MAX: i64 = 16;
/// Stop strings, after empty ones are taken out.
const STOPS_MAX: usize = 16;
/// Bytes of a stop string.
const STOP_BYTES_MAX: usize = 1024;
/// Stands for a `top_p` of 0, which means the likeliest token alone.
const TOP_P_MIN: f64 = 1e-6;
/// The server's temperature, where the client does not say.
const TEMPERATURE: f64 = 0.7;

/// What all requests for text have in common, as the client sent it.
#[derive(Default)]
pub(crate) struct Sampling {
    pub(crate) n: Option<i64>,
    pub(crate) max_tokens: Option<i64>,
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
    pub(crate) top_k: Option<i64>,
    pub(crate) presence_penalty: Option<f64>,
    pub(crate) frequency_penalty: Option<f64>,
    pub(crate) repetition_penalty: Option<f64>,
    pub(crate) stop: Option<Stop>,
}

impl Sampling {
    /// Options with everything but logprobs. FastChat does not use a model's own defaults, so each value is stated.
    pub(crate) fn into_options(self) -> Result<Options, Refusal> {
        at_least("max_tokens", self.max_tokens, 1)?;
        at_least("n", self.n, 1)?;
        let temperature = within("temperature", self.temperature, 0, 2)?.unwrap_or(TEMPERATURE);
        let top_p = within("top_p", self.top_p, 0, 1)?.unwrap_or(1.0);
        let top_k = self.top_k.unwrap_or(-1);
        if top_k == 0 {
            return Err(Refusal::out_of_range(format!("{top_k} is out of Range. Either set top_k to -1 or >=1.")));
        }
        let n = self.n.unwrap_or(1);
        if n > CHOICES_MAX {
            return Err(Refusal::out_of_range(format!("{n} is greater than the maximum of {CHOICES_MAX} - 'n'")));
        }
        let tokens_max = self.max_tokens.map(|tokens| u32::try_from(tokens).unwrap_or(u32::MAX));
        Ok(Options {
            choices: u32::try_from(n).unwrap_or(1),
            tokens_max,
            temperature: Some(temperature as f32),
            top_p: Some(top_p.max(TOP_P_MIN) as f32),
            // Below 1 is off; what passes every vocabulary cuts nothing either.
            top_k: Some(u32::try_from(top_k).unwrap_or(0)),
            min_p: Some(0.0),
            // Below 1 is off, as in FastChat's worker.
            repetition_penalty: Some(self.repetition_penalty.unwrap_or(1.0).max(1.0) as f32),
            presence_penalty: within("presence_penalty", self.presence_penalty, -2, 2)?.unwrap_or(0.0) as f32,
            frequency_penalty: within("frequency_penalty", self.frequency_penalty, -2, 2)?.unwrap_or(0.0) as f32,
            stop: texts(self.stop)?,
            ..Options::default()
        })
    }
}

fn at_least(name: &str, value: Option<i64>, least: i64) -> Result<(), Refusal> {
    match value {
        Some(value) if value < least => {
            Err(Refusal::out_of_range(format!("{value} is less than the minimum of {least} - '{name}'")))
        }
        _ => Ok(()),
    }
}

fn within(name: &str, value: Option<f64>, least: i32, most: i32) -> Result<Option<f64>, Refusal> {
    match value {
        Some(value) if value < f64::from(least) => {
            Err(Refusal::out_of_range(format!("{value:?} is less than the minimum of {least} - '{name}'")))
        }
        Some(value) if value > f64::from(most) => {
            Err(Refusal::out_of_range(format!("{value:?} is greater than the maximum of {most} - '{name}'")))
        }
        value => Ok(value),
    }
}

fn texts(stop: Option<Stop>) -> Result<Vec<String>, Refusal> {
    let mut texts = stop.map(|stop| stop.0).unwrap_or_default();
    // Clients that send an empty text mean none; it would end every answer before it begins.
    texts.retain(|text| !text.is_empty());
    if texts.len() > STOPS_MAX {
        let count = texts.len();
        return Err(Refusal::out_of_range(format!("{count} is greater than the maximum of {STOPS_MAX} - 'stop'")));
    }
    match texts.iter().find(|text| text.len() > STOP_BYTES_MAX) {
        Some(text) => {
            let bytes = text.len();
            Err(Refusal::out_of_range(format!("{bytes} bytes are more than the maximum of {STOP_BYTES_MAX} - 'stop'")))
        }
        None => Ok(texts),
    }
}

/// A string or an array of strings.
pub(crate) struct Stop(Vec<String>);

impl<'de> Deserialize<'de> for Stop {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StopVisitor;
        impl<'de> Visitor<'de> for StopVisitor {
            type Value = Stop;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or an array of strings")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Stop, E> {
                Ok(Stop(vec![text.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Stop, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = elements.next_element()? {
                    texts.push(text);
                }
                Ok(Stop(texts))
            }
        }
        deserializer.deserialize_any(StopVisitor)
    }
}
