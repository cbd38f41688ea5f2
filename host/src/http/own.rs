//! The server's own endpoints: health, figures, documents, and the neutral interface of its command line.

mod chat;
mod dialects;
mod figures;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{ALLOW, HeaderValue};
use hyper::{Request, Response};
use serde_json::{Value, json};

use super::body::{Body, Source};
use super::dispatch::Door;
use super::error::Trouble;
use super::exchange::Exchange;
use super::reply::{build, refuse};
use crate::plugin::manifest::ErrorKind;
use crate::plugin::{Header, Snapshot};
use crate::server::Shared;

const DOCS_PAGE: &str = include_str!("docs.html");

/// Paths of the main listener that no dialect can take.
pub fn is_own(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/metrics" | "/openapi.json" | "/docs")
        || path.starts_with("/_mimus/")
        || path.starts_with("/blobs/")
}

/// Paths of the main listener that the server answers when no dialect does.
pub fn is_free(path: &str) -> bool {
    path == "/"
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
            let swaps = shared.swaps.newest_first();
            let listing = json!({"plugins": &**records, "conflicts": snapshot.conflicts, "swaps": swaps});
            json_reply(200, &listing, exchange)
        }
        ("/_mimus/dialects", _) => {
            exchange.routed("host", path);
            json_reply(200, &dialects::of(shared, snapshot), exchange)
        }
        ("/_mimus/figures", _) => {
            exchange.routed("host", path);
            json_reply(200, &figures::of(shared), exchange)
        }
        ("/_mimus/chat", _) => {
            exchange.routed("host", path);
            chat::respond(shared, request, exchange).await
        }
        _ if path.starts_with("/blobs/") => {
            exchange.routed("host", "/blobs/{id}".into());
            blob(shared, &path["/blobs/".len()..], exchange).await
        }
        _ => documents(snapshot, door, &path, exchange),
    }
}

fn readiness(shared: &Shared, snapshot: &Snapshot, exchange: Exchange) -> Response<Body> {
    let loading = shared.catalog.loading();
    let status = status(shared, &loading);
    let dialects: Vec<&str> =
        snapshot.dialects.iter().map(|dialect| dialect.personality.manifest.name.as_str()).collect();
    let code = if status == "ready" { 200 } else { 503 };
    json_reply(code, &json!({"status": status, "loading": loading, "dialects": dialects}), exchange)
}

/// Whether the server takes requests, in a word; `loading` names the models that are on their way.
fn status(shared: &Shared, loading: &[String]) -> &'static str {
    if shared.is_draining.load(Ordering::Acquire) {
        "draining"
    } else if !loading.is_empty() {
        "loading"
    } else {
        "ready"
    }
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
