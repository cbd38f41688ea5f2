//! How to sample: the fields that three endpoints share, their bounds, and the words in which lmdeploy refuses them.
//!
//! The messages are those that lmdeploy's own tests compare (releases 0.4.1 to 0.15).

use std::collections::BTreeMap;

use mimus_sdk::inference::{Constraint, Options};
use serde::Deserialize;
use serde_json::Value;

use crate::fields::Stop;
use crate::refusal::Refusal;

/// Sampling as a client asked for it. None: the endpoint's default.
#[derive(Debug, Default)]
pub struct Sampling {
    pub n: Option<i64>,
    pub tokens_max: Option<i64>,
    pub tokens_min: Option<i64>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<i64>,
    pub min_p: Option<f64>,
    pub repetition_penalty: Option<f64>,
    pub presence_penalty: Option<f64>,
    pub frequency_penalty: Option<f64>,
    pub logit_bias: Option<BTreeMap<String, f64>>,
    pub seed: Option<i64>,
    pub stop: Option<Stop>,
    pub stop_token_ids: Option<Vec<u32>>,
    pub ignore_eos: Option<bool>,
    pub skip_special_tokens: Option<bool>,
    pub include_stop: Option<bool>,
    pub response_format: Option<ResponseFormat>,
}

/// What an endpoint puts where the client says nothing. None: the model's own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Defaults {
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<i64>,
}

impl Defaults {
    /// Of the OpenAI-like routes in the session era. Releases from 0.18 on leave these to the model.
    pub const SESSION_ERA: Defaults = Defaults { temperature: Some(0.7), top_p: Some(1.0), top_k: Some(40) };
}

/// Far beyond any use, and far from what overflows.
const REPETITION_PENALTY_MAX: f64 = 1e6;
/// What the host takes at least. The original takes anything above 0; what is smaller does the same.
const REPETITION_PENALTY_MIN: f32 = 0.01;

impl Sampling {
    /// Checks every value and makes the host's options of them.
    pub fn into_options(self, defaults: Defaults) -> Result<Options, Refusal> {
        let n = self.n.unwrap_or(1);
        if n <= 0 {
            return Err(Refusal::bad("n", format!("The n `{n}` must be a positive int.")));
        }
        let top_p = self.top_p.or(defaults.top_p);
        if let Some(top_p) = top_p.filter(|top_p| !(*top_p > 0.0 && *top_p <= 1.0)) {
            return Err(Refusal::bad("top_p", format!("The top_p `{top_p:?}` must be in (0, 1].")));
        }
        let top_k = self.top_k.or(defaults.top_k);
        if let Some(top_k) = top_k.filter(|top_k| *top_k < 0) {
            return Err(Refusal::bad("top_k", format!("The top_k `{top_k}` cannot be a negative integer.")));
        }
        let temperature = self.temperature.or(defaults.temperature);
        if let Some(temperature) = temperature.filter(|temperature| !(0.0..=2.0).contains(temperature)) {
            return Err(Refusal::bad("temperature", format!("The temperature `{temperature:?}` must be in [0, 2]")));
        }
        let repetition_penalty = self.repetition_penalty.unwrap_or(1.0);
        if !(repetition_penalty > 0.0 && repetition_penalty <= REPETITION_PENALTY_MAX) {
            let message = format!("The repetition_penalty `{repetition_penalty:?}` must be positive.");
            return Err(Refusal::bad("repetition_penalty", message));
        }
        let tokens_max = self.tokens_max.map(|tokens| positive("max_tokens", tokens)).transpose()?;
        let stop = self.stop.unwrap_or_default().texts;
        Ok(Options {
            choices: clamp(n),
            tokens_max,
            tokens_min: self.tokens_min.map_or(Ok(0), |tokens| natural("min_new_tokens", tokens))?,
            temperature: temperature.map(|temperature| temperature as f32),
            top_p: top_p.map(|top_p| top_p as f32),
            top_k: top_k.map(clamp),
            min_p: Some(within("min_p", self.min_p.unwrap_or(0.0), 0.0, 1.0)?),
            repetition_penalty: Some((repetition_penalty as f32).max(REPETITION_PENALTY_MIN)),
            presence_penalty: within("presence_penalty", self.presence_penalty.unwrap_or(0.0), -2.0, 2.0)?,
            frequency_penalty: within("frequency_penalty", self.frequency_penalty.unwrap_or(0.0), -2.0, 2.0)?,
            logit_bias: biases(self.logit_bias.unwrap_or_default())?,
            // 0 stands for no seed.
            seed: self.seed.filter(|seed| *seed != 0).map(|seed| seed as u64),
            stop: stop.into_iter().filter(|text| !text.is_empty()).collect(),
            stop_tokens: self.stop_token_ids.unwrap_or_default(),
            ignore_eos: self.ignore_eos.unwrap_or(false),
            skip_special_tokens: self.skip_special_tokens.unwrap_or(true),
            include_stop: self.include_stop.unwrap_or(false),
            constraint: self.response_format.map(ResponseFormat::into_constraint).transpose()?.flatten(),
            ..Options::default()
        })
    }
}

/// The shape that an answer must have.
#[derive(Debug, Deserialize)]
pub struct ResponseFormat {
    r#type: String,
    json_schema: Option<NamedSchema>,
    /// lmdeploy's own.
    regex_schema: Option<String>,
}

#[derive(Debug, Deserialize)]
struct NamedSchema {
    schema: Option<Value>,
}

impl ResponseFormat {
    fn into_constraint(self) -> Result<Option<Constraint>, Refusal> {
        let lacks = |field: &str| Refusal::bad("response_format", format!("the response_format lacks `{field}`"));
        match self.r#type.as_str() {
            "text" => Ok(None),
            "json_object" => Ok(Some(Constraint::JsonObject)),
            "json_schema" => {
                let schema = self.json_schema.and_then(|named| named.schema).ok_or_else(|| lacks("json_schema"))?;
                Ok(Some(Constraint::JsonSchema(schema.to_string())))
            }
            "regex_schema" => self.regex_schema.map(Constraint::Regex).map(Some).ok_or_else(|| lacks("regex_schema")),
            other => Err(Refusal::bad("response_format", format!("the response_format `{other}` does not exist"))),
        }
    }
}

/// A count of at least 1.
pub fn positive(field: &str, value: i64) -> Result<u32, Refusal> {
    if value < 1 {
        return Err(Refusal::bad(field, format!("The {field} `{value}` must be a positive integer.")));
    }
    Ok(clamp(value))
}

/// A count of at least 0.
pub fn natural(field: &str, value: i64) -> Result<u32, Refusal> {
    if value < 0 {
        return Err(Refusal::bad(field, format!("The {field} `{value}` cannot be a negative integer.")));
    }
    Ok(clamp(value))
}

fn clamp(value: i64) -> u32 {
    u32::try_from(value.max(0)).unwrap_or(u32::MAX)
}

fn within(field: &str, value: f64, min: f64, max: f64) -> Result<f32, Refusal> {
    if !(min..=max).contains(&value) {
        return Err(Refusal::bad(field, format!("The {field} `{value:?}` must be in [{min}, {max}].")));
    }
    Ok(value as f32)
}

fn biases(biases: BTreeMap<String, f64>) -> Result<Vec<(u32, f32)>, Refusal> {
    let bias = |(token, value): (String, f64)| {
        let id = token
            .parse()
            .map_err(|_| Refusal::bad("logit_bias", format!("the logit_bias key `{token}` is no token id")))?;
        Ok((id, within("logit_bias", value, -100.0, 100.0)?))
    };
    biases.into_iter().map(bias).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimus_sdk::DialectError;

    fn message(sampling: Sampling) -> String {
        let refusal = sampling.into_options(Defaults::SESSION_ERA).expect_err("refused");
        let body: Value = serde_json::from_slice(&refusal.reply().body).expect("JSON");
        body["message"].as_str().expect("text").to_owned()
    }

    #[test]
    fn refuses_in_the_words_of_the_original() {
        let cases = [
            (Sampling { n: Some(0), ..Sampling::default() }, "The n `0` must be a positive int."),
            (Sampling { top_p: Some(1.01), ..Sampling::default() }, "The top_p `1.01` must be in (0, 1]."),
            (Sampling { top_p: Some(0.0), ..Sampling::default() }, "The top_p `0.0` must be in (0, 1]."),
            (Sampling { top_k: Some(-3), ..Sampling::default() }, "The top_k `-3` cannot be a negative integer."),
            (Sampling { temperature: Some(2.01), ..Sampling::default() }, "The temperature `2.01` must be in [0, 2]"),
            (Sampling { tokens_max: Some(0), ..Sampling::default() }, "The max_tokens `0` must be a positive integer."),
            (Sampling { min_p: Some(1.5), ..Sampling::default() }, "The min_p `1.5` must be in [0, 1]."),
            (
                Sampling { repetition_penalty: Some(0.0), ..Sampling::default() },
                "The repetition_penalty `0.0` must be positive.",
            ),
            (
                Sampling { temperature: Some(f64::NAN), ..Sampling::default() },
                "The temperature `NaN` must be in [0, 2]",
            ),
        ];
        for (sampling, expect) in cases {
            assert_eq!(message(sampling), expect);
        }
    }

    #[test]
    fn fills_in_the_session_era() {
        let options = Sampling::default().into_options(Defaults::SESSION_ERA).expect("good");
        assert_eq!((options.choices, options.tokens_max, options.top_k, options.seed), (1, None, Some(40), None));
        assert_eq!((options.temperature, options.top_p), (Some(0.7), Some(1.0)));
        let options = Sampling {
            seed: Some(0),
            stop: Some(Stop { texts: vec!["".into(), "x".into()], is_cancel: false }),
            ..Sampling::default()
        };
        let options = options.into_options(Defaults::SESSION_ERA).expect("good");
        assert_eq!((options.seed, options.stop), (None, vec!["x".to_owned()]));
    }
}
