//! What both kinds of completion take: how to sample, when to stop, what to report.
//!
//! Bounds are checked here, under the names that the client knows; the host checks its own again.

use std::collections::BTreeMap;
use std::fmt;

use mimus_sdk::inference::{self, Options};

use crate::error::ApiError;
use crate::text_or::TextOr;

/// Answers to one prompt.
pub(crate) const CHOICES_MAX: u32 = 16;
/// Stop strings, after empty ones are taken out.
const STOPS_MAX: usize = 16;
/// Bytes of a stop string.
const STOP_BYTES_MAX: usize = 1024;
/// Tokens with a bias.
const BIASES_MAX: usize = 1024;
/// Strongest bias: with it a token is always taken, with its negative never.
const BIAS_MAX: f32 = 100.0;
/// Words that the answer must not hold.
const BAD_WORDS_MAX: usize = 256;
/// Alternatives to a token.
pub(crate) const TOP_LOGPROBS_MAX: u32 = 20;
/// Stands for a `top_p` of 0, which OpenAI takes and which means the likeliest token alone.
const TOP_P_MIN: f32 = 1e-6;

/// Declares a request with its own fields and the shared ones, as one flat struct: flattening would lose the path to a field at
/// fault. `sampling` and `shape` move the shared ones out.
macro_rules! completion_request {
    ($(#[$meta:meta])* struct $name:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(serde::Deserialize)]
        struct $name {
            $($field: $type,)*
            n: Option<i64>,
            stream: Option<bool>,
            stream_options: Option<$crate::delivery::StreamOptions>,
            temperature: Option<f32>,
            top_p: Option<f32>,
            top_k: Option<i64>,
            min_p: Option<f32>,
            frequency_penalty: Option<f32>,
            presence_penalty: Option<f32>,
            repetition_penalty: Option<f32>,
            logit_bias: Option<std::collections::BTreeMap<String, f32>>,
            seed: Option<i64>,
            stop: Option<$crate::text_or::TextOr<Vec<String>>>,
            stop_token_ids: Option<Vec<u32>>,
            include_stop_str_in_output: Option<bool>,
            ignore_eos: Option<bool>,
            min_tokens: Option<u32>,
            skip_special_tokens: Option<bool>,
            bad_words: Option<Vec<String>>,
            allowed_token_ids: Option<Vec<u32>>,
            use_beam_search: Option<bool>,
            prompt_logprobs: Option<i64>,
            truncate_prompt_tokens: Option<i64>,
            return_token_ids: Option<bool>,
            return_tokens_as_token_ids: Option<bool>,
            response_format: Option<$crate::shape::ResponseFormat>,
            structured_outputs: Option<$crate::shape::StructuredOutputs>,
            guided_json: Option<Box<serde_json::value::RawValue>>,
            guided_regex: Option<String>,
            guided_choice: Option<Vec<String>>,
            guided_grammar: Option<String>,
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
                    allowed_token_ids: self.allowed_token_ids.take(),
                    use_beam_search: self.use_beam_search,
                }
            }

            fn shape(&mut self) -> $crate::shape::Shape {
                $crate::shape::Shape {
                    response_format: self.response_format.take(),
                    structured_outputs: self.structured_outputs.take(),
                    guided_json: self.guided_json.take(),
                    guided_regex: self.guided_regex.take(),
                    guided_choice: self.guided_choice.take(),
                    guided_grammar: self.guided_grammar.take(),
                }
            }
        }
    };
}
pub(crate) use completion_request;

/// The shared fields, as the client sent them.
#[derive(Default)]
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
    pub(crate) stop: Option<TextOr<Vec<String>>>,
    pub(crate) stop_token_ids: Option<Vec<u32>>,
    pub(crate) include_stop_str_in_output: Option<bool>,
    pub(crate) ignore_eos: Option<bool>,
    pub(crate) min_tokens: Option<u32>,
    pub(crate) skip_special_tokens: Option<bool>,
    pub(crate) allowed_token_ids: Option<Vec<u32>>,
    pub(crate) use_beam_search: Option<bool>,
}

impl Sampling {
    /// Options with everything but the token limit, logprobs and a shape of the answer.
    pub(crate) fn into_options(self) -> Result<Options, ApiError> {
        let n = self.n.unwrap_or(1);
        // One beam is the likeliest token each time; `length_penalty` compares beams, so that with one it changes nothing.
        let is_greedy = self.use_beam_search.unwrap_or(false);
        if is_greedy && n > 1 {
            return Err(ApiError::unsupported("use_beam_search", "`use_beam_search` is supported with one beam only"));
        }
        let temperature = within("temperature", self.temperature, 0.0, 2.0)?;
        let choices = u32::try_from(n).ok().filter(|n| (1..=CHOICES_MAX).contains(n));
        Ok(Options {
            choices: choices.ok_or_else(|| out_of_bounds("n", format!("an integer from 1 to {CHOICES_MAX}"), n))?,
            tokens_min: self.min_tokens.unwrap_or(0),
            temperature: if is_greedy { Some(0.0) } else { temperature },
            top_p: within("top_p", self.top_p, 0.0, 1.0)?.map(|top_p| top_p.max(TOP_P_MIN)),
            top_k: self.top_k.map(parse_top_k).transpose()?,
            min_p: within("min_p", self.min_p, 0.0, 1.0)?,
            repetition_penalty: self.repetition_penalty.map(parse_repetition_penalty).transpose()?,
            presence_penalty: within("presence_penalty", self.presence_penalty, -2.0, 2.0)?.unwrap_or(0.0),
            frequency_penalty: within("frequency_penalty", self.frequency_penalty, -2.0, 2.0)?.unwrap_or(0.0),
            logit_bias: parse_biases(self.logit_bias, self.allowed_token_ids)?,
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

/// A count of one or more.
pub(crate) fn positive(param: &'static str, count: i64) -> Result<u32, ApiError> {
    let positive = u32::try_from(count).ok().filter(|count| *count > 0);
    positive.ok_or_else(|| out_of_bounds(param, "an integer of 1 or more", count))
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

/// Tokens that alone are allowed stand so far above all others that nothing else is ever taken.
fn parse_biases(biases: Option<BTreeMap<String, f32>>, allowed: Option<Vec<u32>>) -> Result<Vec<(u32, f32)>, ApiError> {
    let Some(allowed) = allowed else { return parse_logit_bias(biases.unwrap_or_default()) };
    let param = "allowed_token_ids";
    if biases.is_some_and(|biases| !biases.is_empty()) {
        return Err(ApiError::unsupported(param, "`allowed_token_ids` and `logit_bias` exclude each other"));
    }
    if !(1..=BIASES_MAX).contains(&allowed.len()) {
        return Err(out_of_bounds(param, format!("1 to {BIASES_MAX} tokens"), allowed.len()));
    }
    Ok(allowed.into_iter().map(|token| (token, BIAS_MAX)).collect())
}

fn parse_logit_bias(biases: BTreeMap<String, f32>) -> Result<Vec<(u32, f32)>, ApiError> {
    if biases.len() > BIASES_MAX {
        return Err(out_of_bounds("logit_bias", format!("of at most {BIASES_MAX} tokens"), biases.len()));
    }
    let one = |(token, bias): (String, f32)| match token.parse() {
        Err(_) => {
            Err(ApiError::invalid("logit_bias", format!("`logit_bias` must have token ids as keys, got `{token}`")))
        }
        Ok(_) if !(-BIAS_MAX..=BIAS_MAX).contains(&bias) => {
            Err(out_of_bounds("logit_bias", "of numbers from -100 to 100", bias))
        }
        Ok(token) => Ok((token, bias)),
    };
    biases.into_iter().map(one).collect()
}

fn parse_stop(stop: Option<TextOr<Vec<String>>>) -> Result<Vec<String>, ApiError> {
    let mut texts = match stop {
        None => return Ok(Vec::new()),
        Some(TextOr::Text(text)) => vec![text],
        Some(TextOr::Other(texts)) => texts,
    };
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

/// Forbids words by the one token that each is, alone and after a space. This asks the model's tokenizer, so it comes last.
pub(crate) fn forbid(words: &[String], model: &str, biases: &mut Vec<(u32, f32)>) -> Result<(), ApiError> {
    let param = "bad_words";
    if words.len() > BAD_WORDS_MAX {
        return Err(out_of_bounds(param, format!("at most {BAD_WORDS_MAX} words"), words.len()));
    }
    for word in words {
        let tokens =
            |text: &str| inference::tokenize(model, text, false).map_err(|error| ApiError::of_inference(error, param));
        let alone = tokens(word)?;
        let [alone] = alone.as_slice() else {
            let message =
                format!("`bad_words`: `{word}` is {} tokens, only words of one token can be forbidden", alone.len());
            return Err(ApiError::unsupported(param, message));
        };
        let spaced = if word.starts_with(' ') { Vec::new() } else { tokens(&format!(" {word}"))? };
        let spaced = if let [token] = spaced.as_slice() { Some(*token) } else { None };
        for token in [Some(*alone), spaced].into_iter().flatten() {
            biases.retain(|(biased, _)| *biased != token);
            biases.push((token, -BIAS_MAX));
        }
    }
    match biases.len() <= BIASES_MAX {
        true => Ok(()),
        false => Err(out_of_bounds(param, format!("at most {BIASES_MAX} tokens with `logit_bias`"), biases.len())),
    }
}

/// A count of alternatives, `None` for none.
pub(crate) fn parse_alternatives(param: &'static str, count: Option<i64>) -> Result<Option<u32>, ApiError> {
    let Some(asked) = count else { return Ok(None) };
    match u32::try_from(asked).ok().filter(|count| *count <= TOP_LOGPROBS_MAX) {
        Some(count) => Ok(Some(count)),
        None => Err(out_of_bounds(param, format!("an integer from 0 to {TOP_LOGPROBS_MAX}"), asked)),
    }
}

/// What an answer tells besides its text.
#[derive(Clone, Copy, Default)]
pub(crate) struct Report {
    /// Alternatives for each token of the answer; none: no logprobs.
    pub(crate) top_logprobs: Option<u32>,
    /// The same for each token of the prompt, as vLLM reports them.
    pub(crate) prompt_logprobs: Option<u32>,
    /// The ids of prompt and answer, as vLLM reports them.
    pub(crate) has_token_ids: bool,
    /// Write `token_id:7` in place of a token's text.
    pub(crate) names_ids: bool,
}

impl Report {
    /// Asks the model for what is to be told.
    pub(crate) fn ask(&self, options: &mut Options) {
        options.logprobs = options.logprobs.max(self.top_logprobs).max(self.prompt_logprobs);
        options.prompt_logprobs |= self.prompt_logprobs.is_some();
        options.token_ids |= self.has_token_ids;
    }
}
