//! Responses: from what a guest, a refusal or one of the server's own endpoints says, to what hyper sends.

use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};

use super::body::{Body, Source};
use super::error::Trouble;
use super::exchange::Exchange;
use crate::plugin::Header;
use crate::plugin::manifest::{ErrorKind, ErrorStyle};

/// The id of the request, in both directions.
pub const REQUEST_ID: &str = "x-request-id";

/// Headers that belong to the connection, not to a guest.
const HOP_BY_HOP: [&str; 8] =
    ["connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];

/// Start of the headers that say which pages may read an answer. The operator decides that, not a guest.
const CORS: &str = "access-control-";

/// A response out of its parts.
pub fn build(status: u16, headers: Vec<Header>, source: Source, mut exchange: Exchange) -> Response<Body> {
    exchange.answered(status);
    let mut response = Response::new(Body::new(source, exchange));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for header in headers {
        let name = header.name.to_ascii_lowercase();
        if HOP_BY_HOP.contains(&name.as_str()) || name == REQUEST_ID || name.starts_with(CORS) {
            continue;
        }
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(header.value.as_bytes()))
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// A refusal as a response.
pub fn refuse(trouble: &Trouble, style: Option<&ErrorStyle>, exchange: Exchange) -> Response<Body> {
    let refusal = trouble.refuse(style);
    let mut headers = vec![Header { name: CONTENT_TYPE.as_str().to_owned(), value: refusal.content_type }];
    if let Some(seconds) = trouble.retry_after_s() {
        headers.push(Header { name: RETRY_AFTER.as_str().to_owned(), value: seconds.to_string() });
    }
    if trouble.kind == ErrorKind::Unauthorized {
        headers.push(Header { name: "www-authenticate".into(), value: "Bearer".into() });
    }
    build(refusal.status, headers, Source::Whole(Some(refusal.body.into())), exchange)
}

/// A response of the server's own with a status that no dialect shapes.
pub fn plain(exchange: Exchange, status: StatusCode, message: &str) -> Response<Body> {
    let body = serde_json::json!({"error": {"message": message, "status": status.as_u16()}}).to_string();
    let headers = vec![Header { name: "content-type".into(), value: "application/json".into() }];
    build(status.as_u16(), headers, Source::Whole(Some(body.into())), exchange)
}
