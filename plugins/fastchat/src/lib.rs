//! FastChat as its clients meet it: the server with OpenAI's paths, the worker that generates, and the controller that knows the
//! workers. Here all three are one server, so the controller names itself as every model's worker.
//!
//! Seen in FastChat 0.2.36 and its sources of April 2025 (`fastchat/serve`, `fastchat/protocol`). One file for each endpoint;
//! `sampling.rs` holds what they share, `refusal.rs` the shape of errors, `names.rs` the setting `model_names`.
//!
//! What is not copied: workers cannot register (whoever reaches FastChat's controller can hand it a worker, and so other clients'
//! prompts), keys guard every path but the health check, and a fault that FastChat lets become a bare 500 is a proper error.

mod chat;
mod completions;
mod controller;
mod embeddings;
mod ids;
mod inputs;
mod logprobs;
mod messages;
mod models;
mod names;
mod refusal;
mod sampling;
mod token_check;
mod turn;
mod usage;
mod worker;

use mimus_sdk::{About, Dialect, ErrorKind, ErrorStyle, Routes};

use refusal::{Refusal, code};

/// The personality.
pub struct FastChat;

impl Dialect for FastChat {
    type Error = Refusal;

    /// The conventional port is the controller's: FastChat's own tools look there, and find everything else from it. Its server with
    /// OpenAI's paths shares port 8000 with every other server of that API, and two dialects cannot listen on one port.
    fn about(&self) -> About {
        let coded = |code: u32| code.to_string();
        About::new(
            "fastchat",
            env!("CARGO_PKG_VERSION"),
            "FastChat's API: its OpenAI-like server, worker and controller",
        )
        .port(21001)
        .client_base_path("/v1")
        .error_style(
            ErrorStyle::json(r#"{"object":"error","message":$message,"code":$code}"#)
                .case(ErrorKind::RouteNotFound, 404, "", &coded(code::VALIDATION))
                .case(ErrorKind::MethodNotAllowed, 405, "", &coded(code::VALIDATION))
                .case(ErrorKind::BodyTooLarge, 413, "", &coded(code::VALIDATION))
                .case(ErrorKind::BodyTimeout, 408, "", &coded(code::VALIDATION))
                .case(ErrorKind::Unauthorized, 401, "", &coded(code::INCORRECT_KEY))
                .case(ErrorKind::Forbidden, 403, "", &coded(code::NO_PERMISSION))
                .case(ErrorKind::Overloaded, 429, "", &coded(code::OVERLOADED))
                .case(ErrorKind::Unavailable, 503, "", &coded(code::NO_WORKER))
                .case(ErrorKind::Timeout, 504, "", &coded(code::WORKER_TIMEOUT))
                .case(ErrorKind::Internal, 500, "", &coded(code::INTERNAL)),
        )
        .openapi(include_str!("../openapi.json"))
    }

    fn routes(&self) -> Routes<Refusal> {
        Routes::new()
            .get("/v1/models", models::list)
            .post("/v1/chat/completions", chat::create)
            .post("/v1/completions", completions::create)
            .post("/v1/embeddings", embeddings::create)
            .post("/v1/engines/{model}/embeddings", embeddings::create_for_engine)
            .post("/api/v1/chat/completions", chat::create_general)
            .post("/api/v1/token_check", token_check::check)
            .post("/worker_generate_stream", worker::generate_stream)
            .post("/worker_generate", worker::generate)
            .post("/worker_get_embeddings", worker::embed)
            .post("/worker_get_status", worker::status)
            .post("/worker_get_conv_template", worker::conversation_template)
            .post("/count_token", worker::count_tokens)
            .post("/model_details", worker::details)
            .post("/list_models", controller::list_models)
            .post("/list_language_models", controller::list_models)
            .post("/list_multimodal_models", controller::list_multimodal_models)
            .post("/get_worker_address", controller::worker_address)
            .post("/refresh_all_workers", controller::refresh)
            .post("/register_worker", controller::refuse_registration)
            .post("/receive_heart_beat", controller::heart_beat)
            .get("/test_connection", controller::test_connection)
            .public()
    }
}

mimus_sdk::personality!(FastChat);

#[cfg(test)]
mod tests;
