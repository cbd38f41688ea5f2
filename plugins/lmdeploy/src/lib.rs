//! The API of lmdeploy's `api_server` in its session era (releases 0.2 to 0.9), which the client of every release understands.
//!
//! One file for each endpoint. What came later and does not contradict it is there as well: `/generate` on tokens, `/pooling`,
//! `/get_ppl`, sleep and abortion. What the original has besides and this refuses to be: a proxy, a member of a cluster, and anything
//! that loads or moves weights.
//!
//! Sources: github.com/InternLM/lmdeploy, tags v0.0.10 to v0.16.0, `lmdeploy/serve/openai/{api_server,protocol,api_client}.py`.

mod abort_request;
mod asleep;
mod chat_completions;
mod completions;
mod docs;
mod embeddings;
mod encode;
mod fields;
mod generate;
mod get_ppl;
mod health;
mod interactive;
mod logprobs;
mod messages;
mod model_choice;
mod models;
mod pooling;
mod prompt;
mod refusal;
mod running;
mod sampling;
mod session;
mod session_len;
mod terminate;
mod usage;

use mimus_sdk::{About, Dialect, ErrorKind, ErrorStyle, Routes};

use refusal::Refusal;

/// Largest body of any route, in bytes. Fits half a million tokens of text; what one becomes in memory stays well below a guest's
/// bound.
const BODY_BYTES_MAX: u64 = 2 << 20;

/// The personality.
pub struct Lmdeploy;

impl Dialect for Lmdeploy {
    type Error = Refusal;

    fn about(&self) -> About {
        About::new("lmdeploy", env!("CARGO_PKG_VERSION"), "lmdeploy api_server, with sessions")
            .port(23333)
            .error_style(
                ErrorStyle::json(refusal::HOST_STYLE)
                    .case(ErrorKind::Unauthorized, 401, "invalid_request_error", r#""invalid_api_key""#)
                    .case(ErrorKind::Overloaded, 429, "requests", r#""rate_limit_exceeded""#),
            )
            .openapi(docs::FRAGMENT)
    }

    fn routes(&self) -> Routes<Refusal> {
        Routes::new()
            .get("/", docs::page)
            .get("/health", health::check)
            .public()
            .get("/v1/models", models::list)
            .get("/v1/models/{id...}", models::one)
            .get("/is_sleeping", asleep::tell)
            .get("/terminate", terminate::refuse)
            .post("/v1/chat/interactive", interactive::answer)
            .body_bytes_max(BODY_BYTES_MAX)
            .post("/v1/chat/completions", chat_completions::answer)
            .body_bytes_max(BODY_BYTES_MAX)
            .post("/v1/completions", completions::answer)
            .body_bytes_max(BODY_BYTES_MAX)
            // Releases 0.2 to 0.5 scheduled these by user; who asked for that gets an answer like anybody.
            .post("/v1/chat/interactive_qos", interactive::answer)
            .body_bytes_max(BODY_BYTES_MAX)
            .post("/v1/chat/completions_qos", chat_completions::answer)
            .body_bytes_max(BODY_BYTES_MAX)
            .post("/v1/completions_qos", completions::answer)
            .body_bytes_max(BODY_BYTES_MAX)
            .post("/generate", generate::answer)
            .body_bytes_max(BODY_BYTES_MAX)
            .post("/v1/encode", encode::answer)
            .body_bytes_max(BODY_BYTES_MAX)
            .post("/v1/embeddings", embeddings::refuse)
            .body_bytes_max(BODY_BYTES_MAX)
            .post("/pooling", pooling::answer)
            .body_bytes_max(BODY_BYTES_MAX)
            .post("/get_ppl", get_ppl::answer)
            .body_bytes_max(BODY_BYTES_MAX)
            .post("/sleep", asleep::sleep)
            .post("/wakeup", asleep::wakeup)
            .post("/abort_request", abort_request::answer)
    }
}

mimus_sdk::personality!(Lmdeploy);
