//! Vectors as numbers or as base64, and those of texts that are longer than the model takes.

use mimus_sdk::embeddings::{self, INPUTS_MAX, Options};
use mimus_sdk::inference::{self, Error, Prompt};
use mimus_sdk::models::Model;
use serde::Serialize;

use crate::refusal::Refusal;

/// A vector as it is sent.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Vector {
    Numbers(Vec<f32>),
    /// 32-bit floats, the lowest byte first.
    Base64(String),
}

/// The vectors of a request and the tokens that they took.
pub(crate) struct Vectors {
    pub(crate) vectors: Vec<Vector>,
    pub(crate) tokens: u64,
}

/// One vector for each input, of length 1. Any `format` but `base64` means numbers.
pub(crate) fn embed(model: &Model, inputs: &[Prompt], format: Option<&str>) -> Result<Vectors, Refusal> {
    let normal = Options { normalize: Some(true), ..Options::default() };
    let (vectors, tokens) = match embeddings::embed(&model.name, inputs, &normal) {
        Ok(embedded) => {
            let tokens = embedded.iter().map(|embedding| u64::from(embedding.tokens)).sum();
            (embedded.into_iter().map(|embedding| embedding.vector).collect(), tokens)
        }
        Err(Error::ContextExceeded(excess)) => embed_in_parts(model, inputs, excess.limit as usize)?,
        Err(error) => return Err(error.into()),
    };
    let sent = |vector: Vec<f32>| match format {
        Some("base64") => Vector::Base64(embeddings::vector_base64(&vector)),
        _ => Vector::Numbers(vector),
    };
    Ok(Vectors { vectors: vectors.into_iter().map(sent).collect(), tokens })
}

/// FastChat cuts a text that passes the model's bound into parts and takes their mean by tokens, brought back to length 1.
fn embed_in_parts(model: &Model, inputs: &[Prompt], limit: usize) -> Result<(Vec<Vec<f32>>, u64), Refusal> {
    let mut parts = Vec::new();
    let mut owners = Vec::new();
    for (owner, input) in inputs.iter().enumerate() {
        let tokens = match input {
            Prompt::Text(text) => inference::tokenize(&model.name, text, true)?,
            Prompt::Tokens(tokens) => tokens.clone(),
        };
        for part in tokens.chunks(limit.max(1)) {
            parts.push(Prompt::Tokens(part.to_vec()));
            owners.push(owner);
        }
    }
    if parts.len() > INPUTS_MAX {
        let count = parts.len();
        let message = format!("{count} parts of {limit} tokens are more than the maximum of {INPUTS_MAX} - 'input'");
        return Err(Refusal::out_of_range(message));
    }
    let raw = Options { normalize: Some(false), ..Options::default() };
    let embedded = embeddings::embed(&model.name, &parts, &raw)?;
    let mut sums: Vec<Vec<f32>> = vec![Vec::new(); inputs.len()];
    let mut tokens = 0;
    for (owner, part) in owners.into_iter().zip(embedded) {
        tokens += u64::from(part.tokens);
        let sum = &mut sums[owner];
        sum.resize(part.vector.len(), 0.0);
        sum.iter_mut().zip(&part.vector).for_each(|(sum, number)| *sum += number * part.tokens as f32);
    }
    sums.iter_mut().for_each(|sum| bring_to_length_1(sum));
    Ok((sums, tokens))
}

fn bring_to_length_1(vector: &mut [f32]) {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|number| *number /= length);
    }
}
