//! What chat and completion have in common: how to sample, when to stop, which shape the answer has, and how it is delivered.

use mimus_sdk::inference::{FinishReason, Options};
use mimus_sdk::{Request, clock, random};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::refusal::Refusal;
use crate::requests;
use crate::shape::{self, ResponseFormat};
use crate::text_or::OneOrMany;

/// Stands for a `top_p` of 0, which means the likeliest token alone.
const TOP_P_MIN: f32 = 1e-6;

/// Declares a request with its own fields and the shared ones, as one flat struct: flattening would lose the place of a fault.
macro_rules! generation_request {
    ($(#[$meta:meta])* struct $name:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(serde::Deserialize)]
        struct $name {
            $($field: $type,)*
            model: Option<String>,
            max_tokens: Option<i64>,
            max_completion_tokens: Option<i64>,
            min_tokens: Option<u32>,
            temperature: Option<f32>,
            top_p: Option<f32>,
            top_k: Option<i64>,
            min_p: Option<f32>,
            repetition_penalty: Option<f32>,
            repeat_penalty: Option<f32>,
            presence_penalty: Option<f32>,
            frequency_penalty: Option<f32>,
            seed: Option<i64>,
            stop: Option<$crate::text_or::OneOrMany<String>>,
            stop_token_ids: Option<$crate::text_or::OneOrMany<u32>>,
            include_stop_str_in_output: Option<bool>,
            ignore_eos: Option<bool>,
            skip_special_tokens: Option<bool>,
            logit_bias: Option<serde::de::IgnoredAny>,
            lora_name: Option<String>,
            request_id: Option<String>,
            stream: Option<bool>,
            stream_options: Option<$crate::generation::StreamOptions>,
            response_format: Option<$crate::shape::ResponseFormat>,
            guided_json: Option<Box<serde_json::value::RawValue>>,
            guided_regex: Option<String>,
            guided_choice: Option<Vec<String>>,
            guided_grammar: Option<String>,
            guided_json_object: Option<bool>,
            extra_body: Option<$crate::generation::ExtraBody>,
        }

        impl $name {
            /// Moves the shared fields out.
            fn generation(&mut self) -> $crate::generation::Generation {
                $crate::generation::Generation {
                    model: self.model.take(),
                    max_tokens: self.max_completion_tokens.or(self.max_tokens),
                    min_tokens: self.min_tokens,
                    temperature: self.temperature,
                    top_p: self.top_p,
                    top_k: self.top_k,
                    min_p: self.min_p,
                    repetition_penalty: self.repetition_penalty.or(self.repeat_penalty),
                    presence_penalty: self.presence_penalty,
                    frequency_penalty: self.frequency_penalty,
                    seed: self.seed,
                    stop: self.stop.take(),
                    stop_token_ids: self.stop_token_ids.take(),
                    include_stop_str_in_output: self.include_stop_str_in_output,
                    ignore_eos: self.ignore_eos,
                    skip_special_tokens: self.skip_special_tokens,
                    logit_bias: self.logit_bias.take(),
                    lora_name: self.lora_name.take(),
                    request_id: self.request_id.take(),
                    stream: self.stream,
                    stream_options: self.stream_options.take(),
                    response_format: self.response_format.take(),
                    guided: $crate::generation::ExtraBody {
                        guided_json: self.guided_json.take(),
                        guided_regex: self.guided_regex.take(),
                        guided_choice: self.guided_choice.take(),
                        guided_grammar: self.guided_grammar.take(),
                        guided_json_object: self.guided_json_object,
                        enable_thinking: None,
                    },
                    extra_body: self.extra_body.take(),
                }
            }
        }
    };
}
pub(crate) use generation_request;

/// The shared fields, as the client sent them. `n` is taken and ignored, as the original does.
#[derive(Default)]
pub(crate) struct Generation {
    pub(crate) model: Option<String>,
    pub(crate) max_tokens: Option<i64>,
    pub(crate) min_tokens: Option<u32>,
    pub(crate) temperature: Option<f32>,
    pub(crate) top_p: Option<f32>,
    pub(crate) top_k: Option<i64>,
    pub(crate) min_p: Option<f32>,
    pub(crate) repetition_penalty: Option<f32>,
    pub(crate) presence_penalty: Option<f32>,
    pub(crate) frequency_penalty: Option<f32>,
    pub(crate) seed: Option<i64>,
    pub(crate) stop: Option<OneOrMany<String>>,
    pub(crate) stop_token_ids: Option<OneOrMany<u32>>,
    pub(crate) include_stop_str_in_output: Option<bool>,
    pub(crate) ignore_eos: Option<bool>,
    pub(crate) skip_special_tokens: Option<bool>,
    pub(crate) logit_bias: Option<IgnoredAny>,
    pub(crate) lora_name: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) stream: Option<bool>,
    pub(crate) stream_options: Option<StreamOptions>,
    pub(crate) response_format: Option<ResponseFormat>,
    pub(crate) guided: ExtraBody,
    pub(crate) extra_body: Option<ExtraBody>,
}

/// What clients of OpenAI's API have no field for. They send it flat or, by mistake, as the object itself.
#[derive(Deserialize, Default)]
pub(crate) struct ExtraBody {
    pub(crate) guided_json: Option<Box<RawValue>>,
    pub(crate) guided_regex: Option<String>,
    pub(crate) guided_choice: Option<Vec<String>>,
    pub(crate) guided_grammar: Option<String>,
    pub(crate) guided_json_object: Option<bool>,
    pub(crate) enable_thinking: Option<bool>,
}

#[derive(Deserialize)]
pub(crate) struct StreamOptions {
    include_usage: Option<bool>,
}

/// How an answer reaches the client.
pub(crate) struct Delivery {
    pub(crate) is_stream: bool,
    pub(crate) has_usage: bool,
    /// Whether `[DONE]` ends a stream of chat. The clients of Xinference before 0.9.2 take it for broken JSON, those after do
    /// without it, and all of them that wait for lines speak through `requests`.
    pub(crate) ends_with_done: bool,
}

/// A request that is sound, as far as that shows without the model.
pub(crate) struct Parsed {
    pub(crate) uid: String,
    pub(crate) options: Options,
    pub(crate) delivery: Delivery,
    /// What a body within the body says of thinking.
    pub(crate) enable_thinking: Option<bool>,
}

impl Generation {
    /// Checks what can be checked here; the host checks the bounds of numbers.
    pub(crate) fn parse(self, request: &Request) -> Result<Parsed, Refusal> {
        let uid = self.model.ok_or_else(|| Refusal::missing("model"))?;
        if self.logit_bias.is_some() {
            return Err(Refusal::new(501, "Not implemented: `logit_bias`"));
        }
        if let Some(name) = self.lora_name {
            return Err(Refusal::bad(format!("Invalid input. `lora_name`: the model has no adapter {name}")));
        }
        let tokens_max = match self.max_tokens {
            None => None,
            Some(tokens) => {
                let at_least_one = u32::try_from(tokens).ok().filter(|tokens| *tokens >= 1);
                let refusal = || Refusal::bad(format!("Invalid input. `max_tokens` must be 1 or more, got {tokens}"));
                Some(at_least_one.ok_or_else(refusal)?)
            }
        };
        let extra = self.extra_body.unwrap_or_default();
        let enable_thinking = extra.enable_thinking;
        let mut stop: Vec<String> = self.stop.map(|stop| stop.0).unwrap_or_default();
        // An empty text would end every answer before it begins.
        stop.retain(|text| !text.is_empty());
        let options = Options {
            tokens_max,
            tokens_min: self.min_tokens.unwrap_or(0),
            temperature: self.temperature,
            top_p: self.top_p.map(|top_p| if top_p == 0.0 { TOP_P_MIN } else { top_p }),
            // -1 is off.
            top_k: self.top_k.map(|top_k| u32::try_from(top_k).unwrap_or(0)),
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty,
            presence_penalty: self.presence_penalty.unwrap_or(0.0),
            frequency_penalty: self.frequency_penalty.unwrap_or(0.0),
            seed: self.seed.map(i64::cast_unsigned),
            stop,
            stop_tokens: self.stop_token_ids.map(|tokens| tokens.0).unwrap_or_default(),
            ignore_eos: self.ignore_eos.unwrap_or(false),
            include_stop: self.include_stop_str_in_output.unwrap_or(false),
            skip_special_tokens: self.skip_special_tokens.unwrap_or(true),
            constraint: shape::parse(self.response_format, self.guided, extra)?,
            tag: requests::tag(self.request_id)?,
            ..Options::default()
        };
        let delivery = Delivery {
            is_stream: self.stream.unwrap_or(false),
            has_usage: self.stream_options.and_then(|options| options.include_usage).unwrap_or(false),
            ends_with_done: !request.header("user-agent").is_some_and(|agent| agent.starts_with("python-requests/")),
        };
        Ok(Parsed { uid, options, delivery, enable_thinking })
    }
}

/// Tokens of a request.
#[derive(Serialize, Clone, Copy)]
pub(crate) struct Usage {
    prompt_tokens: u32,
    completion_tokens: u32,
    total_tokens: u32,
}

impl Usage {
    pub(crate) fn new(prompt_tokens: u32, completion_tokens: u32) -> Self {
        Usage { prompt_tokens, completion_tokens, total_tokens: prompt_tokens.saturating_add(completion_tokens) }
    }
}

/// Who and when an answer is.
pub(crate) struct Stamp {
    pub(crate) id: String,
    pub(crate) created: u64,
}

impl Stamp {
    /// The time is now, the id begins with `prefix`.
    pub(crate) fn new(prefix: &str) -> Self {
        Stamp { id: format!("{prefix}{}", random::id(32)), created: clock::now_s() }
    }
}

/// Why an answer ended.
pub(crate) fn reason_name(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
    }
}
