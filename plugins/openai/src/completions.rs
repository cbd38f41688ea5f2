//! `POST /v1/completions`: the older API, which continues prompts.

mod prompt;
mod stream;
mod whole;

use mimus_sdk::inference::{self, Generation, Options, Prompt};
use mimus_sdk::{Request, Response};

use crate::error::ApiError;
use crate::fields::{self, Delivery, completion_request};
use prompt::Prompts;

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

    /// Alternatives to report for each token; none: no logprobs.
    top_logprobs: Option<u32>,
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
    if body.suffix.take().is_some_and(|suffix| !suffix.is_empty()) {
        return Err(ApiError::unsupported(
            "suffix",
            "`suffix` is not supported: the model does not fill in the middle",
        ));
    }
    let has_echo = body.echo.unwrap_or(false);
    let tokens_min = if has_echo { 0 } else { 1 };
    let tokens_max = match body.max_tokens {
        Some(tokens) => fields::parse_tokens_max("max_tokens", tokens, tokens_min)?,
        None => TOKENS_MAX_DEFAULT,
    };
    let top_logprobs = body.logprobs.map(parse_logprobs).transpose()?;
    let options = body.sampling().into_options()?;
    let n = options.choices;
    let choices = match body.best_of {
        Some(best_of) => parse_best_of(best_of, n, delivery)?,
        None => n,
    };
    let is_score = tokens_max == 0;
    // The best are found by their logprobs.
    let logprobs = top_logprobs.or((choices > n).then_some(0));
    let prompts = body.prompt.map_or_else(|| Ok(vec![Prompt::Text(String::new())]), Prompts::parse)?;
    let prompt_logprobs = is_score || (has_echo && top_logprobs.is_some());
    let options = Options { choices, tokens_max: Some(tokens_max), logprobs, prompt_logprobs, ..options };
    Ok(Completion { model: body.model, prompts, options, n, has_echo, top_logprobs, delivery })
}

fn parse_logprobs(logprobs: i64) -> Result<u32, ApiError> {
    let max = fields::TOP_LOGPROBS_MAX;
    let count = u32::try_from(logprobs).ok().filter(|count| *count <= max);
    count.ok_or_else(|| fields::out_of_bounds("logprobs", format!("an integer from 0 to {max}"), logprobs))
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

impl Completion {
    fn start(&self, prompt: &Prompt) -> Result<Generation, ApiError> {
        inference::generate(&self.model, prompt, &self.options).map_err(|error| ApiError::of_inference(error, "prompt"))
    }

    /// What stands before the answer: the prompt's text with `echo`.
    fn echoed(&self, prompt: &Prompt) -> Result<String, ApiError> {
        match (self.has_echo, prompt) {
            (false, _) => Ok(String::new()),
            (true, Prompt::Text(text)) => Ok(text.clone()),
            (true, Prompt::Tokens(tokens)) => inference::detokenize(&self.model, tokens, false)
                .map_err(|error| ApiError::of_inference(error, "prompt")),
        }
    }
}

#[cfg(test)]
mod tests;
