//! `POST /tokenize` and `POST /detokenize`, in the form of vLLM.

use mimus_sdk::chat::RenderOptions;
use mimus_sdk::models::{self, Readiness};
use mimus_sdk::{Request, Response, inference};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::messages::{self, ChatMessage};

#[derive(Deserialize)]
struct TokenizeRequest {
    model: Option<String>,
    prompt: Option<String>,
    messages: Option<Vec<ChatMessage>>,
    add_special_tokens: Option<bool>,
    add_generation_prompt: Option<bool>,
    continue_final_message: Option<bool>,
}

#[derive(Serialize)]
struct TokenizeResponse {
    count: usize,
    max_model_len: u32,
    tokens: Vec<u32>,
}

/// `POST /tokenize`: of a text, or of a conversation as it would be given to the model.
pub(crate) fn tokenize(request: &Request, response: &mut Response) -> Result<(), ApiError> {
    let body: TokenizeRequest = request.json()?;
    let model = model_or_first(body.model)?;
    let (text, special) = match (body.prompt, body.messages) {
        (Some(prompt), None) => (prompt, body.add_special_tokens.unwrap_or(true)),
        (None, Some(conversation)) => {
            let continue_final_message = body.continue_final_message.unwrap_or(false);
            let render = RenderOptions {
                add_generation_prompt: body.add_generation_prompt.unwrap_or(!continue_final_message),
                continue_final_message,
                ..RenderOptions::default()
            };
            let conversation = messages::parse(conversation, &model)?;
            // The template has written the special tokens.
            (inference::render_chat(&model, &conversation, &render)?.prompt, body.add_special_tokens.unwrap_or(false))
        }
        (None, None) => return Err(ApiError::missing("prompt")),
        (Some(_), Some(_)) => return Err(ApiError::invalid("prompt", "give either `prompt` or `messages`")),
    };
    let tokens =
        inference::tokenize(&model, &text, special).map_err(|error| ApiError::of_inference(error, "prompt"))?;
    let max_model_len = models::get(&model).map_or(0, |model| model.context_tokens);
    Ok(response.json(200, &TokenizeResponse { count: tokens.len(), max_model_len, tokens })?)
}

#[derive(Deserialize)]
struct DetokenizeRequest {
    model: Option<String>,
    tokens: Vec<u32>,
}

#[derive(Serialize)]
struct DetokenizeResponse {
    prompt: String,
}

/// `POST /detokenize`.
pub(crate) fn detokenize(request: &Request, response: &mut Response) -> Result<(), ApiError> {
    let body: DetokenizeRequest = request.json()?;
    let model = model_or_first(body.model)?;
    let text = inference::detokenize(&model, &body.tokens, false);
    let prompt = text.map_err(|error| ApiError::of_inference(error, "tokens"))?;
    Ok(response.json(200, &DetokenizeResponse { prompt })?)
}

/// These endpoints do without a model's name; then the first that is ready is meant.
fn model_or_first(name: Option<String>) -> Result<String, ApiError> {
    match name {
        Some(name) => Ok(name),
        None => {
            let first = models::list().into_iter().find(|model| model.readiness == Readiness::Ready);
            first.map(|model| model.name).ok_or_else(|| ApiError::missing("model"))
        }
    }
}
