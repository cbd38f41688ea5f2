//! OpenAI's REST API, as its official clients use it: models, chat completions, responses, completions, embeddings, and the helpers
//! that local servers add.
//!
//! One file for each endpoint; `fields.rs` holds what all kinds of generation take, `error.rs` the shape of errors.

mod chat;
mod completions;
mod delivery;
mod embeddings;
mod error;
mod fields;
mod health;
mod ids;
mod logprobs;
mod messages;
mod models;
mod prompts;
mod rerank;
mod responses;
mod shape;
mod text_or;
mod tokens;
mod tools;
mod usage;

use mimus_sdk::{About, Dialect, ErrorKind, ErrorStyle, Routes};

use error::ApiError;

/// The personality.
pub struct OpenAi;

impl Dialect for OpenAi {
    type Error = ApiError;

    fn about(&self) -> About {
        let null = "null";
        About::new(
            "openai",
            env!("CARGO_PKG_VERSION"),
            "OpenAI's API: chat completions, responses, completions, embeddings, models",
        )
        .port(8000)
        .client_base_path("/v1")
        .error_style(
            ErrorStyle::json(r#"{"error":{"message":$message,"type":$type,"param":null,"code":$code}}"#)
                .case(ErrorKind::Unauthorized, 401, error::INVALID_REQUEST, r#""invalid_api_key""#)
                .case(ErrorKind::Overloaded, 429, "requests", r#""rate_limit_exceeded""#)
                .case(ErrorKind::Unavailable, 503, error::SERVER_ERROR, null),
        )
        .openapi(include_str!("../openapi.json"))
    }

    /// Each route also without `/v1`, which some clients leave out.
    fn routes(&self) -> Routes<ApiError> {
        Routes::new()
            .get("/v1/models", models::list)
            .get("/v1/models/{model...}", models::retrieve)
            .post("/v1/chat/completions", chat::create)
            .post("/v1/completions", completions::create)
            .post("/v1/embeddings", embeddings::create)
            .body_bytes_max(embeddings::BODY_BYTES_MAX)
            .post("/v1/engines/{model}/embeddings", embeddings::create_by_engine)
            .body_bytes_max(embeddings::BODY_BYTES_MAX)
            .post("/v1/rerank", rerank::create)
            .body_bytes_max(rerank::BODY_BYTES_MAX)
            .post("/v2/rerank", rerank::create_v2)
            .body_bytes_max(rerank::BODY_BYTES_MAX)
            .post("/v1/responses", responses::create)
            .get("/v1/responses/{id}", responses::retrieve)
            .delete("/v1/responses/{id}", responses::delete)
            .post("/v1/responses/{id}/cancel", responses::cancel)
            .get("/v1/responses/{id}/input_items", responses::input_items)
            .get("/models", models::list)
            .get("/models/{model...}", models::retrieve)
            .post("/chat/completions", chat::create)
            .post("/completions", completions::create)
            .post("/embeddings", embeddings::create)
            .body_bytes_max(embeddings::BODY_BYTES_MAX)
            .post("/rerank", rerank::create)
            .body_bytes_max(rerank::BODY_BYTES_MAX)
            .post("/responses", responses::create)
            .get("/responses/{id}", responses::retrieve)
            .delete("/responses/{id}", responses::delete)
            .post("/responses/{id}/cancel", responses::cancel)
            .get("/responses/{id}/input_items", responses::input_items)
            .post("/tokenize", tokens::tokenize)
            .post("/detokenize", tokens::detokenize)
            .get("/health", health::health)
            .public()
            .get("/version", health::version)
            .post("/v1/tokenize", tokens::tokenize)
            .post("/v1/detokenize", tokens::detokenize)
            .get("/v1/health", health::health)
            .public()
            .get("/v1/version", health::version)
    }
}

mimus_sdk::personality!(OpenAi);

#[cfg(test)]
mod tests;
