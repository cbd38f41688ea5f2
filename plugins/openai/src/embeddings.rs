//! `POST /v1/embeddings`: texts as vectors.

use mimus_sdk::embeddings::{self, Embedding, INPUTS_MAX, Options};
use mimus_sdk::inference::{self, Prompt};
use mimus_sdk::prompts::Prompts;
use mimus_sdk::{Request, Response};
use serde::Deserialize;

use crate::error::ApiError;
use crate::fields;
use crate::prompts;

/// Largest body: 2,048 texts of 4 KiB.
pub(crate) const BODY_BYTES_MAX: u64 = 8 << 20;
/// Inputs that go to the model in one call: other requests get their turn between two of them.
const INPUTS_AT_ONCE: usize = 128;
/// An answer that may get longer than this is written in pieces: whole it would fill a guest's memory.
const WHOLE_BYTES_MAX: usize = 4 << 20;
/// Such a piece.
const PIECE_BYTES: usize = 64 << 10;
/// Bytes that one number takes at most.
const NUMBER_BYTES_MAX: usize = 16;

#[derive(Deserialize)]
struct EmbeddingRequest {
    model: Option<String>,
    /// What the oldest clients say for `model`.
    engine: Option<String>,
    input: Prompts,
    encoding_format: Option<String>,
    dimensions: Option<i64>,
    /// vLLM's, as is the next.
    truncate_prompt_tokens: Option<i64>,
    normalize: Option<bool>,
    /// Sentence Transformers'.
    prompt_name: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Encoding {
    Float,
    Base64,
}

/// `POST /v1/embeddings`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), ApiError> {
    let mut body: EmbeddingRequest = request.json()?;
    let model = body.model.take().or(body.engine.take()).ok_or_else(|| ApiError::missing("model"))?;
    answer(&model, body, response)
}

/// `POST /v1/engines/{model}/embeddings`: as the oldest clients have it.
pub(crate) fn create_by_engine(request: &Request, response: &mut Response) -> Result<(), ApiError> {
    answer(request.param("model"), request.json()?, response)
}

fn answer(model: &str, body: EmbeddingRequest, response: &mut Response) -> Result<(), ApiError> {
    let encoding = match body.encoding_format.as_deref() {
        None | Some("float") => Encoding::Float,
        Some("base64") => Encoding::Base64,
        Some(other) => {
            return Err(fields::out_of_bounds("encoding_format", "float or base64", format_args!("`{other}`")));
        }
    };
    let options = Options {
        dimensions: body.dimensions.map(|count| fields::positive("dimensions", count)).transpose()?,
        truncate_tokens: match body.truncate_prompt_tokens {
            None => None,
            Some(-1) => Some(u32::MAX),
            Some(count) => Some(fields::positive("truncate_prompt_tokens", count)?),
        },
        normalize: body.normalize,
        prompt_name: body.prompt_name,
    };
    let inputs = prompts::parse(body.input, "input", INPUTS_MAX)?;
    if let Some(index) = inputs.iter().position(|input| matches!(input, Prompt::Text(text) if text.is_empty())) {
        return Err(ApiError::invalid("input", format!("`input` must not hold an empty text, number {index} is one")));
    }
    let mut found = Vec::with_capacity(inputs.len());
    for inputs in inputs.chunks(INPUTS_AT_ONCE) {
        found.extend(embeddings::embed(model, inputs, &options).map_err(|error| of_inference(error, model))?);
    }
    write(model, &found, encoding, response)
}

fn of_inference(error: inference::Error, model: &str) -> ApiError {
    match error {
        inference::Error::Unsupported(_) => {
            ApiError::unsupported("model", format!("The model `{model}` does not make embeddings."))
        }
        error => ApiError::of_inference(error, "input").renamed("prompt-name", "prompt_name"),
    }
}

/// Writes the answer by hand: a tree of two million numbers would not fit.
fn write(model: &str, found: &[Embedding], encoding: Encoding, response: &mut Response) -> Result<(), ApiError> {
    let numbers: usize = found.iter().map(|embedding| embedding.vector.len()).sum();
    let is_long = numbers * NUMBER_BYTES_MAX > WHOLE_BYTES_MAX;
    let mut pieces = if is_long { Some(response.stream(200, "application/json")?) } else { None };
    let mut body = Vec::with_capacity(if is_long { 2 * PIECE_BYTES } else { numbers * NUMBER_BYTES_MAX + 256 });
    body.extend_from_slice(b"{\"object\":\"list\",\"data\":[");
    for (index, embedding) in found.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        body.extend_from_slice(
            format!("{comma}{{\"object\":\"embedding\",\"index\":{index},\"embedding\":").as_bytes(),
        );
        push_vector(&mut body, &embedding.vector, encoding)?;
        body.push(b'}');
        if body.len() >= PIECE_BYTES
            && let Some(pieces) = &mut pieces
        {
            pieces.write(&body)?;
            body.clear();
        }
    }
    let tokens: u64 = found.iter().map(|embedding| u64::from(embedding.tokens)).sum();
    let model = serde_json::Value::from(model);
    let end = format!("],\"model\":{model},\"usage\":{{\"prompt_tokens\":{tokens},\"total_tokens\":{tokens}}}}}");
    body.extend_from_slice(end.as_bytes());
    match &mut pieces {
        Some(pieces) => Ok(pieces.write(&body)?),
        None => Ok(response.bytes(200, "application/json", body)?),
    }
}

fn push_vector(body: &mut Vec<u8>, vector: &[f32], encoding: Encoding) -> Result<(), ApiError> {
    match encoding {
        Encoding::Float => serde_json::to_writer(body, vector)
            .map_err(|error| ApiError::server(500, format!("the vector cannot be written: {error}"))),
        Encoding::Base64 => {
            body.push(b'"');
            body.extend_from_slice(embeddings::vector_base64(vector).as_bytes());
            body.push(b'"');
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
