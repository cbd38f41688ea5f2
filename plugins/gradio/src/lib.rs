//! What Gradio's clients speak, from the websockets of Gradio 3 to the event streams of Gradio 6, at one server.
//!
//! An *app* is data: components, and functions over them ([`apps`]). A *transport* takes a call and hands out its values: the queue's
//! event stream, a websocket, `/call`, or one answer to one POST. Every transport runs a function by [`turn::run`], so what a function
//! does is written once. Nothing is kept in here between requests: calls that wait, conversations and files are in the host's state.
//!
//! One set of answers serves all generations: clients from 0.7 on take `"protocol": "sse_v1"`, older ones ignore that key and open a
//! websocket. Every route is there with and without `/gradio_api`, as the generations ask for it.
//!
//! Sources: github.com/gradio-app/gradio, releases 3.50.2 to 6.31.0, as they answered; github.com/lm-sys/FastChat v0.2.33 and v0.2.36;
//! github.com/InternLM/lmdeploy v0.6.4.

mod answering;
mod app;
mod apps;
mod body;
mod call_route;
mod cancel;
mod config;
mod failure;
mod files;
mod ids;
mod info;
mod jobs;
mod kept;
mod line;
mod model_choice;
mod page;
mod place;
mod plain;
mod queue;
mod refusal;
mod service;
mod session;
mod socket;
mod turn;

use mimus_sdk::{About, Dialect, ErrorKind, ErrorStyle, Routes};

use refusal::Refusal;

/// Largest body of a call, in bytes. Fits a message of 100,000 tokens. What a body becomes in memory stays well below a guest's bound,
/// and calls that wait share what the host keeps for this plugin.
const BODY_BYTES_MAX: u64 = 512 << 10;

/// Largest body that cancels a call, in bytes.
const CANCEL_BYTES_MAX: u64 = 64 << 10;

/// Largest body of an upload, in bytes: the host's own bound.
const UPLOAD_BYTES_MAX: u64 = 32 << 20;

/// What each base URL answers.
macro_rules! app_routes {
    ($routes:expr, $base:literal) => {
        $routes
            .get(concat!($base, "/config"), config::show)
            .get(concat!($base, "/info"), info::show)
            .get(concat!($base, "/queue/join"), socket::open)
            .post(concat!($base, "/queue/join"), queue::join)
            .body_bytes_max(BODY_BYTES_MAX)
            .get(concat!($base, "/queue/data"), queue::stream)
            .get(concat!($base, "/queue/status"), service::queue_status)
            .post(concat!($base, "/call/{name}"), call_route::create)
            .body_bytes_max(BODY_BYTES_MAX)
            .get(concat!($base, "/call/{name}/{event}"), call_route::stream)
            .post(concat!($base, "/call/v2/{name}"), call_route::create_named)
            .body_bytes_max(BODY_BYTES_MAX)
            .get(concat!($base, "/call/v2/{name}/{event}"), call_route::stream)
            .post(concat!($base, "/api/{name}"), plain::answer)
            .body_bytes_max(BODY_BYTES_MAX)
            .post(concat!($base, "/run/{name}"), plain::answer)
            .body_bytes_max(BODY_BYTES_MAX)
            .post(concat!($base, "/cancel"), cancel::cancel)
            .body_bytes_max(CANCEL_BYTES_MAX)
            .post(concat!($base, "/reset"), cancel::reset)
            .body_bytes_max(CANCEL_BYTES_MAX)
            .post(concat!($base, "/upload"), files::upload)
            .body_bytes_max(UPLOAD_BYTES_MAX)
            .get(concat!($base, "/file=files/{path...}"), files::download)
            .get(concat!($base, "/file/{path...}"), files::download_by_path)
            .get(concat!($base, "/file=/{path...}"), files::refuse)
            .get(concat!($base, "/heartbeat/{session}"), service::heartbeat)
            .get(concat!($base, "/app_id"), service::app_id)
            .get(concat!($base, "/login_check"), service::login_check)
            .get(concat!($base, "/startup-events"), service::startup_events)
    };
}

/// What an app answers besides, which is not among the paths with `/gradio_api`.
macro_rules! app_pages {
    ($routes:expr, $base:literal) => {
        $routes.get($base, page::show).get(concat!($base, "/theme.css"), service::theme).public()
    };
}

/// The personality.
pub struct Gradio;

impl Dialect for Gradio {
    type Error = Refusal;

    fn about(&self) -> About {
        About::new("gradio", env!("CARGO_PKG_VERSION"), "Gradio apps of FastChat and lmdeploy, for Gradio clients")
            .port(7860)
            .error_style(ErrorStyle::json(r#"{"detail":$message,"error":$message}"#).case(
                ErrorKind::Overloaded,
                503,
                "requests",
                "null",
            ))
    }

    fn routes(&self) -> Routes<Refusal> {
        let routes = Routes::new().get("/", page::show).get("/theme.css", service::theme).public();
        let routes = app_routes!(app_routes!(routes, ""), "/gradio_api");
        let routes = app_pages!(app_pages!(app_pages!(routes, "/multi"), "/lmdeploy"), "/chat");
        let routes = app_routes!(app_routes!(routes, "/multi"), "/multi/gradio_api");
        let routes = app_routes!(app_routes!(routes, "/lmdeploy"), "/lmdeploy/gradio_api");
        app_routes!(app_routes!(routes, "/chat"), "/chat/gradio_api")
    }

    fn self_test(&self) -> Result<(), String> {
        apps::ALL.iter().try_for_each(|app| app.check())
    }
}

mimus_sdk::personality!(Gradio);

#[cfg(test)]
mod tests;
