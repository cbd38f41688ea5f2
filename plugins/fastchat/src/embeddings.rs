//! `POST /v1/embeddings` and `POST /v1/engines/{model}/embeddings`.

mod vectors;

use mimus_sdk::prompts::Prompts;
use mimus_sdk::{Request, Response};
use serde::{Deserialize, Serialize};

use crate::inputs;
use crate::names::{self, Purpose};
use crate::refusal::Refusal;
pub(crate) use vectors::{Vector, Vectors, embed};

#[derive(Deserialize)]
struct EmbeddingsRequest {
    model: Option<String>,
    /// What the oldest clients call the model.
    engine: Option<String>,
    input: Prompts,
    #[serde(rename = "user")]
    _user: Option<String>,
    encoding_format: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    object: &'static str,
    data: Vec<Item>,
    model: &'a str,
    usage: Usage,
}

#[derive(Serialize)]
struct Item {
    object: &'static str,
    embedding: Vector,
    index: usize,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    total_tokens: u64,
}

/// `POST /v1/embeddings`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    answer(request.json()?, None, response)
}

/// `POST /v1/engines/{model}/embeddings`: a model in the body goes before the one in the path.
pub(crate) fn create_for_engine(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    answer(request.json()?, Some(request.param("model")), response)
}

fn answer(body: EmbeddingsRequest, in_path: Option<&str>, response: &mut Response) -> Result<(), Refusal> {
    let name = body.model.as_deref().or(in_path).or(body.engine.as_deref());
    // Python's word for nothing, with which FastChat answers here.
    let name = name.unwrap_or("None");
    let model = names::find(name, Purpose::Vectors)?;
    let inputs = inputs::parse(body.input, "input", mimus_sdk::embeddings::INPUTS_MAX)?;
    let Vectors { vectors, tokens } = embed(&model, &inputs, body.encoding_format.as_deref())?;
    let item = |(index, embedding)| Item { object: "embedding", embedding, index };
    let data = vectors.into_iter().enumerate().map(item).collect();
    let usage = Usage { prompt_tokens: tokens, total_tokens: tokens };
    Ok(response.json(200, &Body { object: "list", data, model: name, usage })?)
}
