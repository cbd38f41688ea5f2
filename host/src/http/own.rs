//! The server's own endpoints: health, figures, documents, and the neutral interface of its command line.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{ALLOW, HeaderValue};
use hyper::{Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::body::{self, Body, Source};
use super::dispatch::Door;
use super::error::Trouble;
use super::exchange::Exchange;
use super::reply::{build, refuse};
use crate::inference::{InferenceError, Options};
use crate::limits;
use crate::plugin::chat::{Message, Part, RenderOptions, Role};
use crate::plugin::manifest::ErrorKind;
use crate::plugin::{Header, Snapshot};
use crate::server::Shared;

const DOCS_PAGE: &str = include_str!("docs.html");

/// Paths of the main listener that no dialect can take.
pub fn is_own(path: &str) -> bool {
    matches!(path, "/" | "/healthz" | "/readyz" | "/metrics" | "/openapi.json" | "/docs")
        || path.starts_with("/_mimus/")
        || path.starts_with("/blobs/")
}

/// Paths that a dialect's own listener answers when the dialect does not.
pub fn is_everywhere(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/openapi.json" | "/docs")
}

/// Paths below a dialect's mount point that the server answers when the dialect does not.
pub fn is_below_mount(below: &str) -> bool {
    matches!(below, "/openapi.json" | "/docs")
}

/// Answers one of the server's own paths.
pub async fn respond(
    shared: &Arc<Shared>,
    snapshot: &Snapshot,
    door: &Door,
    request: Request<Incoming>,
    mut exchange: Exchange,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let is_get = matches!(*request.method(), hyper::Method::GET | hyper::Method::HEAD);
    let is_chat = path == "/_mimus/chat" && request.method() == hyper::Method::POST;
    if !is_get && !is_chat {
        let trouble = Trouble::new(ErrorKind::MethodNotAllowed, "this path is not served for this method");
        let mut response = refuse(&trouble, None, exchange);
        let allow = if path == "/_mimus/chat" { "POST" } else { "GET" };
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        return response;
    }
    if path.starts_with("/_mimus/") && !shared.keys.admit(request.headers()) {
        return refuse(&Trouble::new(ErrorKind::Unauthorized, "a valid API key is required"), None, exchange);
    }
    match (path.as_str(), door) {
        ("/healthz", _) => {
            exchange.routed("host", path);
            json_reply(200, &json!({"status": "ok"}), exchange)
        }
        ("/readyz", _) => {
            exchange.routed("host", path);
            readiness(shared, snapshot, exchange)
        }
        ("/metrics", _) => {
            exchange.routed("host", path);
            let text = shared.metrics.encode(&shared.catalog);
            reply(200, "application/openmetrics-text; version=1.0.0; charset=utf-8", text.into(), exchange)
        }
        ("/_mimus/models", _) => {
            exchange.routed("host", path);
            json_reply(200, &json!({"models": shared.catalog.list()}), exchange)
        }
        ("/_mimus/plugins", _) => {
            exchange.routed("host", path);
            let records = shared.records.load();
            json_reply(200, &json!({"plugins": &**records, "conflicts": snapshot.conflicts}), exchange)
        }
        ("/_mimus/chat", _) => {
            exchange.routed("host", path);
            chat(shared, request, exchange).await
        }
        _ if path.starts_with("/blobs/") => {
            exchange.routed("host", "/blobs/{id}".into());
            blob(shared, &path["/blobs/".len()..], exchange).await
        }
        _ => documents(snapshot, door, &path, exchange),
    }
}

fn readiness(shared: &Shared, snapshot: &Snapshot, exchange: Exchange) -> Response<Body> {
    let is_draining = shared.is_draining.load(Ordering::Acquire);
    let loading = shared.catalog.loading();
    let status = if is_draining {
        "draining"
    } else if !loading.is_empty() {
        "loading"
    } else {
        "ready"
    };
    let dialects: Vec<&str> =
        snapshot.dialects.iter().map(|dialect| dialect.personality.manifest.name.as_str()).collect();
    let code = if status == "ready" { 200 } else { 503 };
    json_reply(code, &json!({"status": status, "loading": loading, "dialects": dialects}), exchange)
}

/// `/openapi.json` and `/docs`: of the whole server, or of one dialect.
fn documents(snapshot: &Snapshot, door: &Door, path: &str, mut exchange: Exchange) -> Response<Body> {
    let (mount, page) = path.rsplit_once('/').unwrap_or(("", path));
    exchange.routed("host", format!("/{page}"));
    if page == "docs" || page.is_empty() {
        return reply(200, "text/html; charset=utf-8", Bytes::from_static(DOCS_PAGE.as_bytes()), exchange);
    }
    let document = match door {
        Door::Dialect(name) => snapshot.dialect(name).map(|dialect| dialect.openapi_unmounted.clone()),
        Door::Main if mount.is_empty() => Some(snapshot.openapi.clone()),
        Door::Main => snapshot.dialect(&mount[1..]).map(|dialect| dialect.openapi.clone()),
    };
    match document {
        Some(document) => reply(200, "application/json", Bytes::from(document.as_bytes().to_vec()), exchange),
        None => refuse(&Trouble::new(ErrorKind::RouteNotFound, "no such document"), None, exchange),
    }
}

async fn blob(shared: &Shared, id: &str, exchange: Exchange) -> Response<Body> {
    match shared.blobs.get(id).await {
        Ok((info, bytes)) => {
            let headers = vec![
                Header { name: "content-type".into(), value: info.content_type },
                // What a client uploaded must never run as a page of this server.
                Header { name: "x-content-type-options".into(), value: "nosniff".into() },
                Header { name: "content-security-policy".into(), value: "sandbox; default-src 'none'".into() },
            ];
            build(200, headers, Source::Whole(Some(bytes)), exchange)
        }
        Err(_) => refuse(&Trouble::new(ErrorKind::RouteNotFound, "no such blob"), None, exchange),
    }
}

/// A conversation in the neutral form that the command line speaks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChatRequest {
    model: Option<String>,
    messages: Vec<ChatMessage>,
    temperature: Option<f32>,
    tokens_max: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChatMessage {
    role: String,
    content: String,
}

/// Answers with JSON lines: `{"text": …}` for each piece, then `{"finish": …}` or `{"error": …}`.
async fn chat(shared: &Arc<Shared>, request: Request<Incoming>, exchange: Exchange) -> Response<Body> {
    let bytes = match body::read(request.into_body(), limits::BODY_BYTES_DEFAULT).await {
        Ok(bytes) => bytes,
        Err(error) => return refuse(&error.into(), None, exchange),
    };
    let chat = match serde_json::from_slice::<ChatRequest>(&bytes) {
        Ok(chat) => chat,
        Err(error) => return error_reply(400, &error.to_string(), exchange),
    };
    let messages: Result<Vec<Message>, String> = chat.messages.into_iter().map(message).collect();
    let messages = match messages {
        Ok(messages) => messages,
        Err(error) => return error_reply(400, &error, exchange),
    };
    let Some(model) = chat.model.or_else(|| shared.catalog.default_name()) else {
        return error_reply(404, "no model is loaded", exchange);
    };
    let render = RenderOptions {
        format: None,
        source: None,
        tools: Vec::new(),
        add_generation_prompt: true,
        continue_final_message: false,
        variables: Vec::new(),
    };
    let options = Options {
        choices: 1,
        temperature: chat.temperature,
        tokens_max: chat.tokens_max,
        skip_special_tokens: true,
        ..Options::default()
    };
    let mut running = match shared.inference.chat(&model, messages, render, options).await {
        Ok(running) => running,
        Err(error) => return error_reply(chat_status(&error), &error.to_string(), exchange),
    };
    let (sender, pieces) = mpsc::channel(limits::RESPONSE_CHUNKS_MAX);
    tokio::spawn(async move {
        let line = |value: Value| Bytes::from(format!("{value}\n"));
        loop {
            let pieces = match running.next(limits::PIECES_MAX).await {
                Ok(pieces) if pieces.is_empty() => return,
                Ok(pieces) => pieces,
                Err(error) => {
                    let _ = sender.send(line(json!({"error": error.to_string()}))).await;
                    return;
                }
            };
            let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
            if !text.is_empty() && sender.send(line(json!({"text": text}))).await.is_err() {
                return;
            }
            if let Some(piece) = pieces.iter().find(|piece| piece.finish.is_some()) {
                let reason = if piece.finish == Some(mimus_engine::Finish::Length) { "length" } else { "stop" };
                let _ = sender.send(line(json!({"finish": reason, "tokens": piece.generated_tokens}))).await;
            }
        }
    });
    let headers = vec![Header { name: "content-type".into(), value: "application/x-ndjson".into() }];
    build(200, headers, Source::Pieces(pieces), exchange)
}

fn message(message: ChatMessage) -> Result<Message, String> {
    let role = match message.role.as_str() {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        other => return Err(format!("role `{}` is not system, user or assistant", other.escape_debug())),
    };
    Ok(Message {
        role,
        name: None,
        content: vec![Part::Text(message.content)],
        reasoning: None,
        tool_calls: Vec::new(),
        tool_call_id: None,
    })
}

fn chat_status(error: &InferenceError) -> u16 {
    use mimus_engine::EngineError;
    match error {
        InferenceError::UnknownModel(_) => 404,
        InferenceError::NotReady(_) | InferenceError::Cancelled => 503,
        InferenceError::Engine(EngineError::Overloaded { .. }) => 429,
        InferenceError::Engine(EngineError::Invalid { .. } | EngineError::PromptTooLong { .. }) => 400,
        InferenceError::Engine(_) => 500,
        _ => 400,
    }
}

fn error_reply(status: u16, message: &str, exchange: Exchange) -> Response<Body> {
    json_reply(status, &json!({"error": {"message": message, "status": status}}), exchange)
}

fn json_reply(status: u16, value: &Value, exchange: Exchange) -> Response<Body> {
    reply(status, "application/json", value.to_string().into(), exchange)
}

fn reply(status: u16, content_type: &str, body: Bytes, exchange: Exchange) -> Response<Body> {
    build(
        status,
        vec![Header { name: "content-type".into(), value: content_type.into() }],
        Source::Whole(Some(body)),
        exchange,
    )
}
