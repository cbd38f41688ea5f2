//! The bounds of `inference.options`, as the contract writes them.

use crate::inference::{Error, InvalidValue, Options};

pub(super) fn check(options: &Options, vocab_tokens: u32) -> Result<(), Error> {
    let tokens_min = u32::from(!options.prompt_logprobs);
    let in_range = |value: Option<f32>, low: f32, high: f32| value.is_none_or(|value| (low..=high).contains(&value));
    let is_bias = |(token, bias): &(u32, f32)| *token < vocab_tokens && (-100.0..=100.0).contains(bias);
    let checks = [
        ("choices", (1..=16).contains(&options.choices), "must be 1 to 16"),
        ("tokens-max", options.tokens_max.is_none_or(|tokens| tokens >= tokens_min), "must be at least 1"),
        ("temperature", in_range(options.temperature, 0.0, 2.0), "must be 0 to 2"),
        ("top-p", options.top_p.is_none_or(|p| p > 0.0 && p <= 1.0), "must be above 0 and at most 1"),
        ("min-p", in_range(options.min_p, 0.0, 1.0), "must be 0 to 1"),
        ("repetition-penalty", options.repetition_penalty.is_none_or(|penalty| penalty > 0.0), "must be above 0"),
        ("presence-penalty", in_range(Some(options.presence_penalty), -2.0, 2.0), "must be -2 to 2"),
        ("frequency-penalty", in_range(Some(options.frequency_penalty), -2.0, 2.0), "must be -2 to 2"),
        ("logit-bias", options.logit_bias.len() <= 1024, "must be at most 1024 tokens"),
        ("logit-bias", options.logit_bias.iter().all(is_bias), "must be known tokens and -100 to 100"),
        ("stop", options.stop.len() <= 16, "must be at most 16 texts"),
        ("stop", options.stop.iter().all(|stop| (1..=1024).contains(&stop.len())), "must be of 1 to 1024 bytes"),
        ("logprobs", options.logprobs.is_none_or(|count| count <= 20), "must be 0 to 20"),
        ("tag", options.tag.as_ref().is_none_or(|tag| tag.len() <= 128), "must be at most 128 bytes"),
    ];
    match checks.into_iter().find(|(_, is_good, _)| !is_good) {
        Some((field, _, reason)) => Err(Error::Invalid(InvalidValue { field: field.into(), reason: reason.into() })),
        None => Ok(()),
    }
}
