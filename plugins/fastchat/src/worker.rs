//! The worker's paths, which FastChat's own server, its web pages and its scripts call.
//!
//! Troubles of a generation have status 200 and the worker's words, `{"text": …, "error_code": …}`: that is where its clients look.

mod generate;
mod template;

use mimus_sdk::prompts::Prompts;
use mimus_sdk::{Request, Response, inference};
use serde::{Deserialize, Serialize};

use crate::embeddings::{self, Vector, Vectors};
use crate::inputs;
use crate::names::{self, Purpose};
use crate::refusal::{Refusal, WorkerFault, code};
pub(crate) use generate::{generate, generate_stream};
pub(crate) use template::conversation_template;

/// Which model a helper is asked about; the usual one where the body is empty or does not say.
#[derive(Deserialize, Default)]
struct About {
    model: Option<String>,
}

impl About {
    fn read(request: &Request) -> Result<Self, Refusal> {
        match request.body().iter().all(u8::is_ascii_whitespace) {
            true => Ok(About::default()),
            false => Ok(request.json::<Option<About>>()?.unwrap_or_default()),
        }
    }
}

/// `POST /worker_get_status`.
pub(crate) fn status(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    #[derive(Serialize)]
    struct Status {
        model_names: Vec<String>,
        speed: u32,
        queue_length: u32,
    }
    let model_names = names::all().into_iter().map(|(name, _)| name).collect();
    Ok(response.json(200, &Status { model_names, speed: 1, queue_length: 0 })?)
}

/// `POST /model_details`.
pub(crate) fn details(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    #[derive(Serialize)]
    struct Details {
        context_length: u32,
    }
    let about = About::read(request)?;
    let model = names::find_or_usual(about.model.as_deref(), Purpose::Text)?;
    Ok(response.json(200, &Details { context_length: model.context_tokens })?)
}

/// `POST /count_token`.
pub(crate) fn count_tokens(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Question {
        model: Option<String>,
        prompt: String,
    }
    #[derive(Serialize)]
    struct Answer {
        count: usize,
        error_code: u32,
    }
    let question: Question = request.json()?;
    let model = names::find_or_usual(question.model.as_deref(), Purpose::Text)?;
    let count = inference::tokenize(&model.name, &question.prompt, true)?.len();
    Ok(response.json(200, &Answer { count, error_code: 0 })?)
}

/// `POST /worker_get_embeddings`.
pub(crate) fn embed(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Question {
        model: Option<String>,
        input: Prompts,
        encoding_format: Option<String>,
    }
    #[derive(Serialize)]
    struct Answer {
        embedding: Vec<Vector>,
        token_num: u64,
    }
    let question: Question = request.json()?;
    let vectors = || -> Result<Vectors, Refusal> {
        let model = names::find_or_usual(question.model.as_deref(), Purpose::Vectors)?;
        let inputs = inputs::parse(question.input, "input", mimus_sdk::embeddings::INPUTS_MAX)?;
        embeddings::embed(&model, &inputs, question.encoding_format.as_deref())
    };
    match vectors() {
        Ok(Vectors { vectors, tokens }) => Ok(response.json(200, &Answer { embedding: vectors, token_num: tokens })?),
        Err(refusal) => Ok(response.json(200, &fault(&refusal))?),
    }
}

/// A refusal in the worker's words: a model that is not there is a worker that is not there.
fn fault(refusal: &Refusal) -> WorkerFault<'_> {
    let error_code = if refusal.code() == code::INVALID_MODEL { code::NO_WORKER } else { refusal.code() };
    WorkerFault { text: refusal.message(), error_code }
}
