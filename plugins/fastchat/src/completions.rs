//! `POST /v1/completions`.
//!
//! `suffix`, `best_of` and `use_beam_search` are taken and change nothing: FastChat hands the last two to workers, and its own worker
//! looks at neither. `logprobs` asks for logprobs, whatever the number.

mod stream;
mod whole;

use mimus_sdk::inference::{self, Generation, Options, Prompt};
use mimus_sdk::models::Model;
use mimus_sdk::prompts::Prompts;
use mimus_sdk::{Request, Response};
use serde::Deserialize;

use crate::inputs;
use crate::names::{self, Purpose};
use crate::refusal::Refusal;
use crate::sampling::{Sampling, Stop};

/// Tokens of an answer where the client does not say.
const TOKENS_MAX: i64 = 16;
/// Prompts of one request.
const PROMPTS_MAX: usize = 64;

#[derive(Deserialize)]
struct CompletionRequest {
    model: String,
    prompt: Prompts,
    #[serde(rename = "suffix")]
    _suffix: Option<String>,
    temperature: Option<f64>,
    n: Option<i64>,
    max_tokens: Option<i64>,
    stop: Option<Stop>,
    stream: Option<bool>,
    top_p: Option<f64>,
    top_k: Option<i64>,
    logprobs: Option<i64>,
    echo: Option<bool>,
    presence_penalty: Option<f64>,
    frequency_penalty: Option<f64>,
    #[serde(rename = "user")]
    _user: Option<String>,
    #[serde(rename = "use_beam_search")]
    _use_beam_search: Option<bool>,
    #[serde(rename = "best_of")]
    _best_of: Option<i64>,
}

/// A request that is sound, and whose prompts fit.
struct Completion {
    /// The model as the client called it.
    name: String,
    model: Model,
    prompts: Vec<Prompt>,
    /// Of one prompt.
    options: Options,
    has_echo: bool,
}

pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let body: CompletionRequest = request.json()?;
    let is_stream = body.stream.unwrap_or(false);
    let completion = parse(body)?;
    match is_stream {
        true => stream::answer(&completion, response),
        false => whole::answer(&completion, response),
    }
}

fn parse(body: CompletionRequest) -> Result<Completion, Refusal> {
    let model = names::find(&body.model, Purpose::Text)?;
    let sampling = Sampling {
        n: body.n,
        max_tokens: Some(body.max_tokens.unwrap_or(TOKENS_MAX)),
        temperature: body.temperature,
        top_p: body.top_p,
        top_k: body.top_k,
        presence_penalty: body.presence_penalty,
        frequency_penalty: body.frequency_penalty,
        repetition_penalty: None,
        stop: body.stop,
    };
    let options = sampling.into_options()?;
    let prompts = inputs::parse(body.prompt, "prompt", PROMPTS_MAX)?;
    let tokens_max = shortest_answer(&model, &prompts, options.tokens_max)?;
    let has_echo = body.echo.unwrap_or(false);
    let logprobs = body.logprobs.map(|_| 0);
    let options = Options { tokens_max, logprobs, prompt_logprobs: has_echo && logprobs.is_some(), ..options };
    Ok(Completion { name: body.model, model, prompts, options, has_echo })
}

/// Tokens of answer that the context leaves for every prompt: the longest prompt decides for all, as with FastChat.
fn shortest_answer(model: &Model, prompts: &[Prompt], mut wanted: Option<u32>) -> Result<Option<u32>, Refusal> {
    for prompt in prompts {
        let tokens = match prompt {
            Prompt::Text(text) => inference::tokenize(&model.name, text, true)?.len(),
            Prompt::Tokens(tokens) => tokens.len(),
        };
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        let left = model.context_tokens.saturating_sub(tokens);
        if left == 0 {
            return Err(Refusal::context_overflow(model.context_tokens, tokens));
        }
        wanted = wanted.map(|wanted| wanted.min(left));
    }
    Ok(wanted)
}

impl Completion {
    fn start(&self, prompt: &Prompt) -> Result<Generation, Refusal> {
        Ok(inference::generate(&self.model.name, prompt, &self.options)?)
    }

    /// What stands before the answer: the prompt's text with `echo`.
    fn echoed(&self, prompt: &Prompt) -> Result<String, Refusal> {
        match (self.has_echo, prompt) {
            (false, _) => Ok(String::new()),
            (true, Prompt::Text(text)) => Ok(text.clone()),
            (true, Prompt::Tokens(tokens)) => Ok(inference::detokenize(&self.model.name, tokens, true)?),
        }
    }
}
