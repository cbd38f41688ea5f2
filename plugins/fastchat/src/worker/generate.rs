//! `POST /worker_generate_stream` and `POST /worker_generate`.
//!
//! A stream is JSON with a NUL behind each text; each holds the whole answer so far.

use mimus_sdk::inference::{self, Error, FinishReason, Generation, Options, Prompt, TokenLogprob};
use mimus_sdk::models::Model;
use mimus_sdk::{Request, Response};
use serde::Deserialize;
use serde::Serialize;
use serde::de::IgnoredAny;

use super::fault;
use crate::logprobs::Logprobs;
use crate::names::{self, Purpose};
use crate::refusal::{Refusal, code};
use crate::sampling::{Sampling, Stop};
use crate::turn::{Pace, Turns, reason_name};
use crate::usage::WorkerUsage;

/// Tokens of an answer where the client does not say.
const TOKENS_MAX: i64 = 256;
/// Tokens that end an answer, of those a client names.
const STOP_TOKENS_MAX: usize = 64;

#[derive(Deserialize)]
struct GenerateRequest {
    model: Option<String>,
    prompt: String,
    temperature: Option<f64>,
    repetition_penalty: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<i64>,
    presence_penalty: Option<f64>,
    frequency_penalty: Option<f64>,
    max_new_tokens: Option<i64>,
    logprobs: Option<i64>,
    echo: Option<bool>,
    stop: Option<Stop>,
    stop_token_ids: Option<Vec<u32>>,
    images: Option<Vec<IgnoredAny>>,
}

/// An answer as far as it has come.
#[derive(Serialize)]
struct Told<'a> {
    text: &'a str,
    error_code: u32,
    usage: WorkerUsage,
    finish_reason: Option<&'static str>,
    logprobs: Option<Logprobs<'a>>,
}

/// `POST /worker_generate_stream`.
pub(crate) fn generate_stream(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let work = Work::begin(request);
    let mut body = response.stream(200, "application/octet-stream")?;
    let mut tell = |message: Vec<u8>| -> Result<(), Refusal> { Ok(body.write(&message)?) };
    let told = work.and_then(|mut work| {
        let mut pace = Pace::new();
        while work.advance()? {
            if pace.is_due(work.generated as usize) {
                tell(work.message(None)?)?;
            }
        }
        // As with FastChat the last message repeats the one before, with the reason.
        tell(work.message(None)?)?;
        tell(work.message(work.finish)?)
    });
    match told {
        Ok(()) => Ok(()),
        Err(refusal) => tell(ended(&fault(&refusal))?),
    }
}

/// `POST /worker_generate`: the last message of the stream.
pub(crate) fn generate(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let answer = Work::begin(request).and_then(|mut work| {
        while work.advance()? {}
        Ok(work)
    });
    match answer {
        Ok(work) => Ok(response.json(200, &work.told(work.finish))?),
        Err(refusal) => Ok(response.json(200, &fault(&refusal))?),
    }
}

/// JSON and a NUL.
fn ended(value: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = serde_json::to_vec(value)
        .map_err(|error| Refusal::new(code::INTERNAL, format!("the answer could not be written: {error}")))?;
    bytes.push(0);
    Ok(bytes)
}

struct Work {
    turns: Turns,
    text: String,
    tokens: Vec<TokenLogprob>,
    has_logprobs: bool,
    generated: u32,
    finish: Option<FinishReason>,
}

impl Work {
    fn begin(request: &Request) -> Result<Self, Refusal> {
        let body: GenerateRequest = request.json()?;
        let model = names::find_or_usual(body.model.as_deref(), Purpose::Text)?;
        if body.images.as_ref().is_some_and(|images| !images.is_empty()) {
            return Err(Refusal::out_of_range(format!("the model `{}` does not take images", model.name)));
        }
        // The worker's own defaults: the answer has the prompt in front unless the client says otherwise.
        let has_echo = body.echo.unwrap_or(true);
        let has_logprobs = body.logprobs.is_some();
        let sampling = Sampling {
            n: None,
            max_tokens: Some(body.max_new_tokens.unwrap_or(TOKENS_MAX)),
            temperature: Some(body.temperature.unwrap_or(1.0)),
            top_p: body.top_p,
            top_k: body.top_k.filter(|top_k| *top_k > 0),
            presence_penalty: body.presence_penalty,
            frequency_penalty: body.frequency_penalty,
            repetition_penalty: body.repetition_penalty,
            stop: body.stop,
        };
        // The conversation templates of clients name tokens of the models that they were written for.
        let stop_tokens = body.stop_token_ids.unwrap_or_default().into_iter();
        let stop_tokens = stop_tokens.filter(|token| *token < model.vocab_tokens).take(STOP_TOKENS_MAX);
        let options = Options {
            logprobs: has_logprobs.then_some(0),
            prompt_logprobs: has_echo && has_logprobs,
            stop_tokens: stop_tokens.collect(),
            ..sampling.into_options()?
        };
        let generation = start(&model, &body.prompt, &options)?;
        Ok(Work {
            turns: Turns::begin(generation, 1)?,
            text: if has_echo { body.prompt } else { String::new() },
            tokens: Vec::new(),
            has_logprobs,
            generated: 0,
            finish: None,
        })
    }

    /// Takes what is new; false: the answer has ended.
    fn advance(&mut self) -> Result<bool, Refusal> {
        if self.finish.is_some() {
            return Ok(false);
        }
        let Some(news) = self.turns.next(0)? else { return Ok(false) };
        self.text.push_str(&news.text);
        self.tokens.extend(news.tokens);
        self.generated = news.generated;
        self.finish = news.finish;
        Ok(self.finish.is_none())
    }

    fn told(&self, finish: Option<FinishReason>) -> Told<'_> {
        Told {
            text: &self.text,
            error_code: 0,
            usage: WorkerUsage::new(self.turns.prompt_tokens(), self.generated),
            finish_reason: finish.map(reason_name),
            logprobs: self.has_logprobs.then(|| Logprobs::new(&self.tokens)),
        }
    }

    fn message(&self, finish: Option<FinishReason>) -> Result<Vec<u8>, Refusal> {
        ended(&self.told(finish))
    }
}

/// FastChat's worker never refuses a long prompt: it forgets the beginning, so that the answer has room. An answer that would leave
/// no room for a prompt is cut first.
fn start(model: &Model, prompt: &str, options: &Options) -> Result<Generation, Refusal> {
    match inference::generate(&model.name, &Prompt::Text(prompt.to_owned()), options) {
        Err(Error::ContextExceeded(excess)) => {
            let wanted = excess.wanted.min(excess.limit / 2).max(1);
            let keep = (excess.limit - wanted).saturating_sub(1).max(1) as usize;
            let mut tokens = inference::tokenize(&model.name, prompt, true)?;
            let forgotten = tokens.len().saturating_sub(keep);
            tokens.drain(..forgotten);
            let left = excess.limit.saturating_sub(u32::try_from(tokens.len()).unwrap_or(u32::MAX)).max(1);
            let options = Options { tokens_max: Some(excess.wanted.min(left).max(1)), ..options.clone() };
            Ok(inference::generate(&model.name, &Prompt::Tokens(tokens), &options)?)
        }
        begun => Ok(begun?),
    }
}
