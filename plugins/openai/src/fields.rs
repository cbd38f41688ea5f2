//! What both kinds of completion take: how to sample, when to stop, how to stream.
//!
//! Bounds are checked here, under the names that the client knows; the host checks its own again.

use std::collections::BTreeMap;
use std::fmt;

use mimus_sdk::inference::Options;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use crate::error::ApiError;

/// Answers to one prompt.
pub(crate) const CHOICES_MAX: u32 = 16;
/// Stop strings, after empty ones are taken out.
const STOPS_MAX: usize = 16;
/// Bytes of a stop string.
const STOP_BYTES_MAX: usize = 1024;
/// Tokens with a bias.
const BIASES_MAX: usize = 1024;
/// Alternatives to a token.
pub(crate) const TOP_LOGPROBS_MAX: u32 = 20;
/// Stands for a `top_p` of 0, which OpenAI takes and which means the likeliest token alone.
const TOP_P_MIN: f32 = 1e-6;

/// Declares a request with its own fields and the shared ones, as one flat struct: flattening would lose the path to a field at
/// fault. `fn sampling` moves the shared ones out.
macro_rules! completion_request {
    ($(#[$meta:meta])* struct $name:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(serde::Deserialize)]
        struct $name {
            $($field: $type,)*
            n: Option<i64>,
            stream: Option<bool>,
            stream_options: Option<$crate::fields::StreamOptions>,
            temperature: Option<f32>,
            top_p: Option<f32>,
            top_k: Option<i64>,
            min_p: Option<f32>,
            frequency_penalty: Option<f32>,
            presence_penalty: Option<f32>,
            repetition_penalty: Option<f32>,
            logit_bias: Option<std::collections::BTreeMap<String, f32>>,
            seed: Option<i64>,
            stop: Option<$crate::fields::Stop>,
            stop_token_ids: Option<Vec<u32>>,
            include_stop_str_in_output: Option<bool>,
            ignore_eos: Option<bool>,
            min_tokens: Option<u32>,
            skip_special_tokens: Option<bool>,
        }

        impl $name {
            fn sampling(&mut self) -> $crate::fields::Sampling {
                $crate::fields::Sampling {
                    n: self.n,
                    temperature: self.temperature,
                    top_p: self.top_p,
                    top_k: self.top_k,
                    min_p: self.min_p,
                    frequency_penalty: self.frequency_penalty,
                    presence_penalty: self.presence_penalty,
                    repetition_penalty: self.repetition_penalty,
                    logit_bias: self.logit_bias.take(),
                    seed: self.seed,
                    stop: self.stop.take(),
                    stop_token_ids: self.stop_token_ids.take(),
                    include_stop_str_in_output: self.include_stop_str_in_output,
                    ignore_eos: self.ignore_eos,
                    min_tokens: self.min_tokens,
                    skip_special_tokens: self.skip_special_tokens,
                }
            }
        }
    };
}
pub(crate) use completion_request;

/// The shared fields, as the client sent them.
pub(crate) struct Sampling {
    pub(crate) n: Option<i64>,
    pub(crate) temperature: Option<f32>,
    pub(crate) top_p: Option<f32>,
    pub(crate) top_k: Option<i64>,
    pub(crate) min_p: Option<f32>,
    pub(crate) frequency_penalty: Option<f32>,
    pub(crate) presence_penalty: Option<f32>,
    pub(crate) repetition_penalty: Option<f32>,
    pub(crate) logit_bias: Option<BTreeMap<String, f32>>,
    pub(crate) seed: Option<i64>,
    pub(crate) stop: Option<Stop>,
    pub(crate) stop_token_ids: Option<Vec<u32>>,
    pub(crate) include_stop_str_in_output: Option<bool>,
    pub(crate) ignore_eos: Option<bool>,
    pub(crate) min_tokens: Option<u32>,
    pub(crate) skip_special_tokens: Option<bool>,
}

impl Sampling {
    /// Options with everything but the token limit, logprobs and a shape of the answer.
    pub(crate) fn into_options(self) -> Result<Options, ApiError> {
        let n = self.n.unwrap_or(1);
        let choices = u32::try_from(n).ok().filter(|n| (1..=CHOICES_MAX).contains(n));
        Ok(Options {
            choices: choices.ok_or_else(|| out_of_bounds("n", format!("an integer from 1 to {CHOICES_MAX}"), n))?,
            tokens_min: self.min_tokens.unwrap_or(0),
            temperature: within("temperature", self.temperature, 0.0, 2.0)?,
            top_p: within("top_p", self.top_p, 0.0, 1.0)?.map(|top_p| top_p.max(TOP_P_MIN)),
            top_k: self.top_k.map(parse_top_k).transpose()?,
            min_p: within("min_p", self.min_p, 0.0, 1.0)?,
            repetition_penalty: self.repetition_penalty.map(parse_repetition_penalty).transpose()?,
            presence_penalty: within("presence_penalty", self.presence_penalty, -2.0, 2.0)?.unwrap_or(0.0),
            frequency_penalty: within("frequency_penalty", self.frequency_penalty, -2.0, 2.0)?.unwrap_or(0.0),
            logit_bias: parse_logit_bias(self.logit_bias.unwrap_or_default())?,
            // The sign is one more bit of the seed.
            seed: self.seed.map(i64::cast_unsigned),
            stop: parse_stop(self.stop)?,
            stop_tokens: self.stop_token_ids.unwrap_or_default(),
            ignore_eos: self.ignore_eos.unwrap_or(false),
            include_stop: self.include_stop_str_in_output.unwrap_or(false),
            skip_special_tokens: self.skip_special_tokens.unwrap_or(true),
            ..Options::default()
        })
    }
}

/// The token limit of an answer: `low` is 1, or 0 where nothing need be generated.
pub(crate) fn parse_tokens_max(param: &'static str, value: i64, low: u32) -> Result<u32, ApiError> {
    let tokens = u32::try_from(value).ok().filter(|tokens| *tokens >= low);
    tokens.ok_or_else(|| out_of_bounds(param, format!("an integer of {low} or more"), value))
}

pub(crate) fn out_of_bounds(param: &'static str, bounds: impl fmt::Display, value: impl fmt::Display) -> ApiError {
    ApiError::invalid(param, format!("`{param}` must be {bounds}, got {value}"))
}

fn within(param: &'static str, value: Option<f32>, low: f32, high: f32) -> Result<Option<f32>, ApiError> {
    match value {
        Some(value) if !(low..=high).contains(&value) => {
            Err(out_of_bounds(param, format!("a number from {low} to {high}"), value))
        }
        value => Ok(value),
    }
}

/// -1 and 0 are off.
fn parse_top_k(top_k: i64) -> Result<u32, ApiError> {
    let tokens = u32::try_from(top_k.max(0)).ok().filter(|_| top_k >= -1);
    tokens.ok_or_else(|| out_of_bounds("top_k", "an integer of -1 or more", top_k))
}

fn parse_repetition_penalty(penalty: f32) -> Result<f32, ApiError> {
    if penalty > 0.0 && penalty.is_finite() {
        Ok(penalty)
    } else {
        Err(out_of_bounds("repetition_penalty", "a number above 0", penalty))
    }
}

fn parse_logit_bias(biases: BTreeMap<String, f32>) -> Result<Vec<(u32, f32)>, ApiError> {
    if biases.len() > BIASES_MAX {
        return Err(out_of_bounds("logit_bias", format!("of at most {BIASES_MAX} tokens"), biases.len()));
    }
    let one = |(token, bias): (String, f32)| match token.parse() {
        Err(_) => {
            Err(ApiError::invalid("logit_bias", format!("`logit_bias` must have token ids as keys, got `{token}`")))
        }
        Ok(_) if !(-100.0..=100.0).contains(&bias) => {
            Err(out_of_bounds("logit_bias", "of numbers from -100 to 100", bias))
        }
        Ok(token) => Ok((token, bias)),
    };
    biases.into_iter().map(one).collect()
}

fn parse_stop(stop: Option<Stop>) -> Result<Vec<String>, ApiError> {
    let mut texts = stop.map(|stop| stop.0).unwrap_or_default();
    // An empty text would end every answer before it begins: clients that send one mean none.
    texts.retain(|text| !text.is_empty());
    if texts.len() > STOPS_MAX {
        return Err(out_of_bounds("stop", format!("at most {STOPS_MAX} strings"), texts.len()));
    }
    match texts.iter().find(|text| text.len() > STOP_BYTES_MAX) {
        Some(text) => Err(out_of_bounds("stop", format!("of at most {STOP_BYTES_MAX} bytes each"), text.len())),
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
            fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<Stop, A::Error> {
                let mut stop = Vec::new();
                while let Some(text) = texts.next_element()? {
                    stop.push(text);
                }
                Ok(Stop(stop))
            }
        }
        deserializer.deserialize_any(StopVisitor)
    }
}

/// What a stream tells besides the answer.
#[derive(serde::Deserialize, Default, Clone, Copy)]
pub(crate) struct StreamOptions {
    include_usage: Option<bool>,
    /// vLLM's: usage in every chunk.
    continuous_usage_stats: Option<bool>,
}

/// How to send the answer.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Delivery {
    Whole,
    Stream(UsageIn),
}

/// Where a stream tells the usage.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum UsageIn {
    Nowhere,
    /// A chunk of its own at the end; `null` in the others.
    LastChunk,
    EveryChunk,
}

impl Delivery {
    pub(crate) fn parse(stream: Option<bool>, options: Option<StreamOptions>) -> Result<Self, ApiError> {
        if !stream.unwrap_or(false) {
            return match options {
                Some(_) => {
                    Err(ApiError::invalid("stream_options", "`stream_options` is only allowed when `stream` is true"))
                }
                None => Ok(Delivery::Whole),
            };
        }
        let options = options.unwrap_or_default();
        let is_wanted = options.include_usage.unwrap_or(false);
        let is_continuous = options.continuous_usage_stats.unwrap_or(false);
        Ok(Delivery::Stream(match (is_wanted, is_continuous) {
            (false, _) => UsageIn::Nowhere,
            (true, false) => UsageIn::LastChunk,
            (true, true) => UsageIn::EveryChunk,
        }))
    }
}
