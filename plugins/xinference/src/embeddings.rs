//! `POST /v1/embeddings` and `POST /v1/convert_ids_to_tokens`.

use mimus_sdk::embeddings::{self, Embedding, INPUTS_MAX, Options};
use mimus_sdk::inference::{self, Prompt};
use mimus_sdk::prompts::Prompts;
use mimus_sdk::{Request, Response, body};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::refusal::Refusal;
use crate::running;
use crate::status::replica_uid;
use crate::text_or::{OneOrMany, TextObject, TextOr};

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
/// Ids to convert in one request.
const IDS_MAX: usize = 4096;

#[derive(Deserialize)]
struct EmbeddingRequest<'a> {
    model: String,
    #[serde(borrow)]
    input: &'a RawValue,
    encoding_format: Option<String>,
    dimensions: Option<u32>,
    truncate_prompt_tokens: Option<i64>,
    /// Sentence Transformers', as is the next.
    prompt_name: Option<String>,
    normalize_embeddings: Option<bool>,
    return_sparse: Option<bool>,
}

/// `POST /v1/embeddings`. Inputs that are too long are cut, as the engines over there do by themselves.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let body: EmbeddingRequest = request.json()?;
    let is_base64 = match body.encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(other) => {
            return Err(Refusal::bad(format!("Invalid input. `encoding_format` must be float or base64, got {other}")));
        }
    };
    if body.return_sparse == Some(true) {
        return Err(Refusal::bad("Invalid input. `return_sparse`: sparse vectors are not supported"));
    }
    let options = Options {
        dimensions: body.dimensions,
        // Below 0: at the model's bound.
        truncate_tokens: Some(match body.truncate_prompt_tokens {
            Some(0) => return Err(Refusal::bad("Invalid input. `truncate_prompt_tokens` must not be 0")),
            tokens => tokens.and_then(|tokens| u32::try_from(tokens).ok()).unwrap_or(u32::MAX),
        }),
        normalize: body.normalize_embeddings,
        prompt_name: body.prompt_name,
    };
    let inputs = parse_inputs(body.input)?;
    if inputs.is_empty() {
        // The host would say that there is nothing to do, also where there is no such model.
        running::of_kind(&body.model, "embedding")?;
    }
    let mut found = Vec::with_capacity(inputs.len());
    for inputs in inputs.chunks(INPUTS_AT_ONCE) {
        let vectors = embeddings::embed(&body.model, inputs, &options);
        found.extend(vectors.map_err(|error| running::explain(error, &body.model, "embedding"))?);
    }
    write(&body.model, &found, is_base64, response)
}

/// A text, tokens, an object with a text, or a list of these.
fn parse_inputs(given: &RawValue) -> Result<Vec<Prompt>, Refusal> {
    let bytes = given.get().as_bytes();
    let inputs = match serde_json::from_slice::<Prompts>(bytes) {
        Ok(prompts) => prompts.into_prompts(),
        Err(not_plain) => match body::json::<Contents>(bytes) {
            Ok(contents) => contents.0.into_iter().map(text_of).collect::<Result<_, _>>()?,
            Err(_) => return Err(Refusal::bad(format!("Invalid input. `input` is not text or tokens: {not_plain}"))),
        },
    };
    match inputs.len() <= INPUTS_MAX {
        true => Ok(inputs),
        false => {
            Err(Refusal::bad(format!("Invalid input. `input` must be at most {INPUTS_MAX}, got {}", inputs.len())))
        }
    }
}

/// One object, or a list of objects and texts.
struct Contents(Vec<TextOr<TextObject>>);

impl<'de> Deserialize<'de> for Contents {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match TextOr::<OneOrList>::deserialize(deserializer)? {
            TextOr::Text(text) => Ok(Contents(vec![TextOr::Text(text)])),
            TextOr::Other(OneOrList::One(content)) => Ok(Contents(vec![TextOr::Other(content)])),
            TextOr::Other(OneOrList::List(list)) => Ok(Contents(list)),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrList {
    One(TextObject),
    List(Vec<TextOr<TextObject>>),
}

fn text_of(content: TextOr<TextObject>) -> Result<Prompt, Refusal> {
    match content {
        TextOr::Text(text) | TextOr::Other(TextObject { text: Some(text) }) => Ok(Prompt::Text(text)),
        TextOr::Other(TextObject { text: None }) => {
            Err(Refusal::bad("Invalid input. `input`: the model embeds text alone, and an object has no `text`"))
        }
    }
}

/// Writes the answer by hand: a tree of two million numbers would not fit.
fn write(uid: &str, found: &[Embedding], is_base64: bool, response: &mut Response) -> Result<(), Refusal> {
    let numbers: usize = found.iter().map(|embedding| embedding.vector.len()).sum();
    let is_long = numbers * NUMBER_BYTES_MAX > WHOLE_BYTES_MAX;
    let mut pieces = if is_long { Some(response.stream(200, "application/json")?) } else { None };
    let (model, replica) = (serde_json::Value::from(uid), serde_json::Value::from(replica_uid(uid, 0)));
    let mut body = Vec::with_capacity(if is_long { 2 * PIECE_BYTES } else { numbers * NUMBER_BYTES_MAX + 256 });
    body.extend_from_slice(
        format!("{{\"object\":\"list\",\"model\":{model},\"model_replica\":{replica},\"data\":[").as_bytes(),
    );
    for (index, embedding) in found.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        body.extend_from_slice(
            format!("{comma}{{\"index\":{index},\"object\":\"embedding\",\"embedding\":").as_bytes(),
        );
        push_vector(&mut body, &embedding.vector, is_base64)?;
        body.push(b'}');
        if body.len() >= PIECE_BYTES
            && let Some(pieces) = &mut pieces
        {
            pieces.write(&body)?;
            body.clear();
        }
    }
    let tokens: u64 = found.iter().map(|embedding| u64::from(embedding.tokens)).sum();
    body.extend_from_slice(
        format!("],\"usage\":{{\"prompt_tokens\":{tokens},\"total_tokens\":{tokens}}}}}").as_bytes(),
    );
    match &mut pieces {
        Some(pieces) => Ok(pieces.write(&body)?),
        None => Ok(response.bytes(200, "application/json", body)?),
    }
}

fn push_vector(body: &mut Vec<u8>, vector: &[f32], is_base64: bool) -> Result<(), Refusal> {
    match is_base64 {
        false => serde_json::to_writer(body, vector)
            .map_err(|error| Refusal::new(500, format!("the vector cannot be written: {error}"))),
        true => {
            body.push(b'"');
            body.extend_from_slice(embeddings::vector_base64(vector).as_bytes());
            body.push(b'"');
            Ok(())
        }
    }
}

#[derive(Deserialize)]
struct ConversionRequest {
    model: String,
    input: Vec<OneOrMany<u32>>,
}

/// `POST /v1/convert_ids_to_tokens`: the text of each id; lists of ids give lists.
pub(crate) fn convert(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let body: ConversionRequest = request.json()?;
    let count: usize = body.input.iter().map(|ids| ids.0.len()).sum();
    if count > IDS_MAX {
        return Err(Refusal::bad(format!("Invalid input. `input` must be at most {IDS_MAX} ids, got {count}")));
    }
    let text = |id: &u32| {
        inference::detokenize(&body.model, &[*id], false)
            .map_err(|error| running::explain(error, &body.model, "embedding"))
    };
    // A list of ids comes as lists of one.
    let is_flat = request_is_flat(request)?;
    let texts: Vec<Vec<String>> =
        body.input.iter().map(|ids| ids.0.iter().map(text).collect()).collect::<Result<_, _>>()?;
    match is_flat {
        true => Ok(response.json(200, &texts.concat())?),
        false => Ok(response.json(200, &texts)?),
    }
}

/// Whether `input` is a list of ids rather than of lists.
fn request_is_flat(request: &Request) -> Result<bool, Refusal> {
    #[derive(Deserialize)]
    struct Input<'a> {
        #[serde(borrow)]
        input: Vec<&'a RawValue>,
    }
    let given: Input = request.json()?;
    Ok(given.input.first().is_none_or(|first| !first.get().starts_with('[')))
}

#[cfg(test)]
mod tests;
