//! The response to fill: whole, or as a stream.

use std::time::Duration;

use serde::Serialize;

use crate::backend::ResponseSink;
use crate::request::Header;
use crate::stream::{Bytes, Lines, Sse};

pub use crate::bindings::personality::mimus::plugin::http::WriteError;

/// A whole answer as a value, for errors and for handlers that compute one.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// 200 to 599.
    pub status: u16,
    /// Besides `content-length`, which the host sets.
    pub headers: Vec<Header>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Reply {
    /// A JSON body on one line.
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Reply::bytes(status, "application/json", body),
            Err(error) => Reply::text(500, &format!("answer cannot be written as JSON: {error}")),
        }
    }

    /// A body of plain text.
    pub fn text(status: u16, text: &str) -> Self {
        Reply::bytes(status, "text/plain; charset=utf-8", text.into())
    }

    /// Any body.
    pub fn bytes(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Reply { status, headers: vec![header("content-type", content_type)], body }
    }

    /// Adds a header.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(header(name, value));
        self
    }
}

pub(crate) fn header(name: &str, value: &str) -> Header {
    Header { name: name.into(), value: value.into() }
}

/// How far a response has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Fresh,
    Sent,
    Sse,
    Lines,
    Bytes,
    /// The client has left.
    Closed,
}

/// The response to one request. Exactly one of `json`, `text`, `bytes`, `empty`, `reply`, `sse`, `sse_crlf`, `lines` and `stream` is
/// called on it.
pub struct Response {
    sink: Box<dyn ResponseSink>,
    stage: Stage,
    headers: Vec<Header>,
    pub(crate) buffer: Vec<u8>,
    /// What ends a line of server-sent events.
    pub(crate) line_end: &'static str,
}

impl Response {
    /// A response that goes to `sink`.
    pub(crate) fn new(sink: Box<dyn ResponseSink>) -> Self {
        Response { sink, stage: Stage::Fresh, headers: Vec::new(), buffer: Vec::new(), line_end: "\n" }
    }

    /// Adds a header to the answer that follows.
    pub fn header(&mut self, name: &str, value: &str) -> &mut Self {
        self.headers.push(header(name, value));
        self
    }

    /// Answers with JSON on one line.
    pub fn json(&mut self, status: u16, value: &impl Serialize) -> Result<(), WriteError> {
        let body = serde_json::to_vec(value).map_err(not_json)?;
        self.bytes(status, "application/json", body)
    }

    /// Answers with plain text.
    pub fn text(&mut self, status: u16, text: &str) -> Result<(), WriteError> {
        self.bytes(status, "text/plain; charset=utf-8", text.into())
    }

    /// Answers with any bytes.
    pub fn bytes(&mut self, status: u16, content_type: &str, body: Vec<u8>) -> Result<(), WriteError> {
        self.header("content-type", content_type);
        self.send(status, body)
    }

    /// Answers without a body.
    pub fn empty(&mut self, status: u16) -> Result<(), WriteError> {
        self.send(status, Vec::new())
    }

    /// Answers with a value made before.
    pub fn reply(&mut self, reply: Reply) -> Result<(), WriteError> {
        self.headers.extend(reply.headers);
        self.send(reply.status, reply.body)
    }

    /// Starts server-sent events, with status 200.
    pub fn sse(&mut self) -> Result<Sse<'_>, WriteError> {
        self.header("cache-control", "no-cache").header("x-accel-buffering", "no");
        self.start(200, "text/event-stream; charset=utf-8", Stage::Sse)?;
        Ok(Sse { response: self })
    }

    /// As [`Response::sse`], with lines that end in CRLF and an answer that nobody may store, as servers made with Starlette have it.
    pub fn sse_crlf(&mut self) -> Result<Sse<'_>, WriteError> {
        self.line_end = "\r\n";
        self.header("cache-control", "no-store").header("x-accel-buffering", "no");
        self.start(200, "text/event-stream; charset=utf-8", Stage::Sse)?;
        Ok(Sse { response: self })
    }

    /// Starts lines of JSON, with status 200.
    pub fn lines(&mut self, content_type: &str) -> Result<Lines<'_>, WriteError> {
        self.header("cache-control", "no-cache").header("x-accel-buffering", "no");
        self.start(200, content_type, Stage::Lines)?;
        Ok(Lines { response: self })
    }

    /// Starts a body of any form that is written in pieces.
    pub fn stream(&mut self, status: u16, content_type: &str) -> Result<Bytes<'_>, WriteError> {
        self.start(status, content_type, Stage::Bytes)?;
        Ok(Bytes { response: self })
    }

    /// Where the answer goes.
    pub(crate) fn sink(&mut self) -> &mut dyn ResponseSink {
        &mut *self.sink
    }

    /// The connection is no longer the response's.
    pub(crate) fn taken(&mut self) {
        self.stage = Stage::Sent;
    }

    /// Lets the host go on writing `bytes` after the guest has returned; see [`crate::stream::Bytes::repeat`].
    pub(crate) fn repeat(&mut self, bytes: &[u8], interval: Duration) -> Result<(), WriteError> {
        self.flush()?;
        let interval_ms = u32::try_from(interval.as_millis()).unwrap_or(u32::MAX);
        let repeated = self.sink.repeat(bytes, interval_ms);
        self.note(repeated)
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage
    }

    /// The stream that was started before as events; for the error that ends it.
    pub(crate) fn resume_sse(&mut self) -> Sse<'_> {
        Sse { response: self }
    }

    /// The stream that was started before as lines; for the error that ends it.
    pub(crate) fn resume_lines(&mut self) -> Lines<'_> {
        Lines { response: self }
    }

    /// Writes what is buffered, as one piece of the body.
    pub(crate) fn flush(&mut self) -> Result<(), WriteError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.sink.write(&self.buffer);
        self.buffer.clear();
        self.note(written)
    }

    fn send(&mut self, status: u16, body: Vec<u8>) -> Result<(), WriteError> {
        let sent = self.sink.send(status, std::mem::take(&mut self.headers), body);
        if sent.is_ok() {
            self.stage = Stage::Sent;
        }
        self.note(sent)
    }

    fn start(&mut self, status: u16, content_type: &str, stage: Stage) -> Result<(), WriteError> {
        self.header("content-type", content_type);
        let started = self.sink.start(status, std::mem::take(&mut self.headers));
        if started.is_ok() {
            self.stage = stage;
        }
        self.note(started)
    }

    fn note(&mut self, outcome: Result<(), WriteError>) -> Result<(), WriteError> {
        if matches!(outcome, Err(WriteError::Closed)) {
            self.stage = Stage::Closed;
        }
        outcome
    }
}

pub(crate) fn not_json(error: serde_json::Error) -> WriteError {
    WriteError::Invalid(format!("answer cannot be written as JSON: {error}"))
}
