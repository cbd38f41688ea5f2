//! `POST /v1/completions`: the older API, which continues prompts.

mod cut;
mod infill;
mod stream;
mod whole;

use std::borrow::Cow;

use mimus_sdk::inference::{self, FinishReason, Generation, Options, Prompt};
use mimus_sdk::prompts::Prompts;
use mimus_sdk::{Request, Response};

use crate::delivery::Delivery;
use crate::error::ApiError;
use crate::fields::{self, Report, completion_request};
use crate::prompts;

/// Tokens of an answer when the client does not say.
const TOKENS_MAX_DEFAULT: u32 = 16;
/// Prompts of one request.
const PROMPTS_MAX: usize = 128;

completion_request! {
    struct CompletionRequest {
        model: String,
        prompt: Option<Prompts>,
        max_tokens: Option<i64>,
        best_of: Option<i64>,
        echo: Option<bool>,
        logprobs: Option<i64>,
        suffix: Option<String>,
        add_special_tokens: Option<bool>,
    }
}

/// A request that is sound, as far as that shows without the model.
struct Completion {
    model: String,
    prompts: Vec<Prompt>,
    /// Of one prompt.
    options: Options,
    /// Answers to each prompt that the client gets, the best of `options.choices`.
    n: u32,
    has_echo: bool,
    report: Report,
    delivery: Delivery,
}

/// `POST /v1/completions`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), ApiError> {
    let completion = parse(request.json()?)?;
    match completion.delivery {
        Delivery::Whole => whole::answer(&completion, response),
        Delivery::Stream(usage) => stream::answer(&completion, usage, response),
    }
}

fn parse(mut body: CompletionRequest) -> Result<Completion, ApiError> {
    let delivery = Delivery::parse(body.stream, body.stream_options)?;
    let has_echo = body.echo.unwrap_or(false);
    let tokens_min = if has_echo { 0 } else { 1 };
    let tokens_max = match body.max_tokens {
        Some(tokens) => fields::parse_tokens_max("max_tokens", tokens, tokens_min)?,
        None => TOKENS_MAX_DEFAULT,
    };
    let report = Report {
        top_logprobs: fields::parse_alternatives("logprobs", body.logprobs)?,
        prompt_logprobs: fields::parse_alternatives("prompt_logprobs", body.prompt_logprobs)?,
        has_token_ids: body.return_token_ids.unwrap_or(false),
        names_ids: body.return_tokens_as_token_ids.unwrap_or(false),
    };
    if report.prompt_logprobs.is_some() && delivery != Delivery::Whole {
        let message = "`prompt_logprobs` are not available when `stream` is true";
        return Err(ApiError::unsupported("prompt_logprobs", message));
    }
    let options = body.sampling().into_options()?;
    let n = options.choices;
    let choices = match body.best_of {
        Some(best_of) => parse_best_of(best_of, n, delivery)?,
        None => n,
    };
    let constraint = body.shape().into_constraint()?;
    let is_score = tokens_max == 0;
    let prompt_logprobs = is_score || (has_echo && report.top_logprobs.is_some());
    // The best are found by their logprobs.
    let logprobs = (choices > n).then_some(0);
    let mut options =
        Options { choices, tokens_max: Some(tokens_max), logprobs, prompt_logprobs, constraint, ..options };
    report.ask(&mut options);
    let prompts = body
        .prompt
        .map_or_else(|| Ok(vec![Prompt::Text(String::new())]), |given| prompts::parse(given, "prompt", PROMPTS_MAX))?;
    let suffix = body.suffix.filter(|suffix| !suffix.is_empty());
    if suffix.is_some() && has_echo {
        return Err(ApiError::unsupported("suffix", "`suffix` and `echo` exclude each other"));
    }
    fields::forbid(body.bad_words.as_deref().unwrap_or_default(), &body.model, &mut options.logit_bias)?;
    let prompts = match suffix {
        Some(suffix) => infill::prompts(&body.model, prompts, &suffix)?,
        None => prompts,
    };
    let has_special_tokens = body.add_special_tokens.unwrap_or(true);
    let prompts = match (has_special_tokens, body.truncate_prompt_tokens) {
        (true, None) => prompts,
        (_, limit) => cut::cut(&body.model, prompts, has_special_tokens, limit, tokens_max)?,
    };
    Ok(Completion { model: body.model, prompts, options, n, has_echo, report, delivery })
}

fn parse_best_of(best_of: i64, n: u32, delivery: Delivery) -> Result<u32, ApiError> {
    let max = fields::CHOICES_MAX;
    let choices = u32::try_from(best_of).ok().filter(|choices| (n..=max).contains(choices));
    let choices = choices.ok_or_else(|| {
        fields::out_of_bounds("best_of", format!("an integer from `n`, which is {n}, to {max}"), best_of)
    })?;
    if choices > n && delivery != Delivery::Whole {
        return Err(ApiError::invalid("best_of", "`best_of` is not allowed with `stream`"));
    }
    Ok(choices)
}

/// An error of the model, as this endpoint says it.
fn of_inference(error: inference::Error) -> ApiError {
    ApiError::of_inference(error, "prompt")
}

fn reason_name(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
    }
}

impl Completion {
    fn start(&self, prompt: &Prompt) -> Result<Generation, ApiError> {
        inference::generate(&self.model, prompt, &self.options).map_err(of_inference)
    }

    /// What stands before the answer: the prompt's text with `echo`.
    fn echoed<'a>(&self, prompt: &'a Prompt) -> Result<Cow<'a, str>, ApiError> {
        match (self.has_echo, prompt) {
            (false, _) => Ok("".into()),
            (true, Prompt::Text(text)) => Ok(text.into()),
            (true, Prompt::Tokens(tokens)) => {
                inference::detokenize(&self.model, tokens, false).map(Cow::Owned).map_err(of_inference)
            }
        }
    }

    /// The prompt's ids, where they are to be told.
    fn prompt_ids(&self, prompt: &Prompt) -> Result<Option<Vec<u32>>, ApiError> {
        match prompt {
            _ if !self.report.has_token_ids => Ok(None),
            Prompt::Tokens(tokens) => Ok(Some(tokens.clone())),
            Prompt::Text(text) => inference::tokenize(&self.model, text, true).map(Some).map_err(of_inference),
        }
    }
}

#[cfg(test)]
mod tests;
