//! The command line's own client: talks to a running server of ours, and to nothing else.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Longest answer that is read whole, in bytes.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Time for a connection.
const CONNECT_TIME: Duration = Duration::from_secs(3);

/// Gets a document; none when no server listens there.
///
/// # Errors
/// When a server answers, but not with the document.
pub async fn get(url: &str, path: &str, key: Option<&str>) -> Result<Option<Bytes>, String> {
    let Some(response) = send(Method::GET, url, path, key, Bytes::new()).await? else { return Ok(None) };
    let status = response.status();
    let body = http_body_util::Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| format!("{url} broke off: {error}"))?.to_bytes();
    if status.is_success() { Ok(Some(body)) } else { Err(refused(url, status.as_u16(), &body)) }
}

/// Posts JSON and returns the answer's lines as they come; none when no server listens there.
///
/// # Errors
/// When a server answers with an error.
pub async fn post_lines(
    url: &str,
    path: &str,
    key: Option<&str>,
    body: &serde_json::Value,
) -> Result<Option<Lines>, String> {
    let Some(response) = send(Method::POST, url, path, key, body.to_string().into()).await? else { return Ok(None) };
    let status = response.status();
    if status.is_success() {
        return Ok(Some(Lines { body: response.into_body(), rest: BytesMut::new(), is_over: false }));
    }
    let body = http_body_util::Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    Err(refused(url, status.as_u16(), &body.map_err(|error| format!("{url} broke off: {error}"))?.to_bytes()))
}

/// The lines of an answer. Dropping it leaves the server, which ends its work.
pub struct Lines {
    body: Incoming,
    rest: BytesMut,
    is_over: bool,
}

impl Lines {
    /// The next line without its end; none after the last.
    ///
    /// # Errors
    /// When the answer breaks off.
    pub async fn next(&mut self) -> Result<Option<String>, String> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line = self.rest.split_to(end + 1);
                return Ok(Some(String::from_utf8_lossy(&line[..end]).into_owned()));
            }
            if self.is_over {
                let line = self.rest.split();
                return Ok((!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned()));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.rest.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new())),
                Some(Err(error)) => return Err(format!("the answer broke off: {error}")),
                None => self.is_over = true,
            }
        }
    }
}

async fn send(
    method: Method,
    url: &str,
    path: &str,
    key: Option<&str>,
    body: Bytes,
) -> Result<Option<Response<Incoming>>, String> {
    let address = format!("{}{path}", url.trim_end_matches('/'));
    let uri: Uri = address.parse().map_err(|error| format!("{url} is no address: {error}"))?;
    if uri.scheme_str() != Some("http") {
        return Err(format!("{url}: an address begins with http://"));
    }
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT_TIME));
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let mut request = Request::builder().method(method).uri(uri).header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
    match client.request(request).await {
        Ok(response) => Ok(Some(response)),
        Err(error) if error.is_connect() => Ok(None),
        Err(error) => Err(format!("{url}: {error}")),
    }
}

fn refused(url: &str, status: u16, body: &[u8]) -> String {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    match value["error"]["message"].as_str() {
        Some(message) => message.to_owned(),
        None => format!("{url} answers with status {status}; is it a Mimus server?"),
    }
}
