//! Bodies that are written in pieces: server-sent events, lines of JSON, and anything else.
//!
//! Each writer borrows the response. `push` collects and `flush` writes at once what was collected; the other methods do both, so
//! that every event reaches the client when it is made. Use `push` where several events are at hand: one write costs one call to
//! the host.

use std::time::Duration;

use serde::Serialize;

use crate::response::{Response, WriteError, not_json};

/// Server-sent events.
///
/// ```
/// # use mimus_sdk::{Response, WriteError};
/// fn count(response: &mut Response) -> Result<(), WriteError> {
///     let mut events = response.sse()?;
///     events.data(&1)?;
///     events.event("more", &2)?;
///     events.done()
/// }
/// ```
pub struct Sse<'a> {
    pub(crate) response: &'a mut Response,
}

impl Sse<'_> {
    /// `data: JSON`.
    pub fn data(&mut self, value: &impl Serialize) -> Result<(), WriteError> {
        self.push(value)?;
        self.flush()
    }

    /// `event: NAME` and `data: JSON`.
    pub fn event(&mut self, name: &str, value: &impl Serialize) -> Result<(), WriteError> {
        self.push_event(name, value)?;
        self.flush()
    }

    /// `data:` with text as it is; a text of several lines becomes several `data:` lines of one event.
    pub fn text(&mut self, text: &str) -> Result<(), WriteError> {
        self.push_text(text);
        self.flush()
    }

    /// After the plugin has returned, the host goes on sending this text as an event, each time after `interval` (1 to 60 s), until
    /// the client leaves. Costs no instance of the plugin.
    pub fn repeat_text(&mut self, text: &str, interval: Duration) -> Result<(), WriteError> {
        self.flush()?;
        self.push_text(text);
        let event = std::mem::take(&mut self.response.buffer);
        self.response.repeat(&event, interval)
    }

    /// `data: [DONE]`.
    pub fn done(&mut self) -> Result<(), WriteError> {
        self.text("[DONE]")
    }

    /// `: text`, which clients skip. Keeps a connection alive.
    pub fn comment(&mut self, text: &str) -> Result<(), WriteError> {
        let one_line = text.replace(['\r', '\n'], " ");
        let end = self.response.line_end;
        self.response.buffer.extend_from_slice(format!(": {one_line}{end}{end}").as_bytes());
        self.flush()
    }

    /// Collects `data: JSON`.
    pub fn push(&mut self, value: &impl Serialize) -> Result<(), WriteError> {
        let end = self.response.line_end.as_bytes();
        let buffer = &mut self.response.buffer;
        buffer.extend_from_slice(b"data: ");
        write_json(buffer, value)?;
        buffer.extend_from_slice(end);
        buffer.extend_from_slice(end);
        Ok(())
    }

    /// Collects `event: NAME` and `data: JSON`.
    pub fn push_event(&mut self, name: &str, value: &impl Serialize) -> Result<(), WriteError> {
        let end = self.response.line_end.as_bytes();
        let buffer = &mut self.response.buffer;
        buffer.extend_from_slice(b"event: ");
        buffer.extend_from_slice(name.as_bytes());
        buffer.extend_from_slice(end);
        self.push(value)
    }

    /// Collects `data:` with text as it is.
    pub fn push_text(&mut self, text: &str) {
        let end = self.response.line_end.as_bytes();
        let buffer = &mut self.response.buffer;
        for line in text.split('\n') {
            buffer.extend_from_slice(b"data: ");
            buffer.extend_from_slice(line.trim_end_matches('\r').as_bytes());
            buffer.extend_from_slice(end);
        }
        buffer.extend_from_slice(end);
    }

    /// Writes what was collected, in one piece.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        self.response.flush()
    }
}

/// JSON texts, each on a line of its own.
pub struct Lines<'a> {
    pub(crate) response: &'a mut Response,
}

impl Lines<'_> {
    /// One line.
    pub fn line(&mut self, value: &impl Serialize) -> Result<(), WriteError> {
        self.push(value)?;
        self.flush()
    }

    /// Collects one line.
    pub fn push(&mut self, value: &impl Serialize) -> Result<(), WriteError> {
        write_json(&mut self.response.buffer, value)?;
        self.response.buffer.push(b'\n');
        Ok(())
    }

    /// Collects a line of bytes as they are; they hold no line feed.
    pub fn push_bytes(&mut self, line: &[u8]) {
        self.response.buffer.extend_from_slice(line);
        self.response.buffer.push(b'\n');
    }

    /// Writes what was collected, in one piece.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        self.response.flush()
    }
}

/// A body of any form.
pub struct Bytes<'a> {
    pub(crate) response: &'a mut Response,
}

impl Bytes<'_> {
    /// A piece of the body, at once.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.response.buffer.extend_from_slice(bytes);
        self.response.flush()
    }

    /// After the plugin has returned, the host goes on writing these bytes (at most 1,024), each time after `interval` (1 to 60 s),
    /// until the client leaves. Costs no instance of the plugin.
    pub fn repeat(&mut self, bytes: &[u8], interval: Duration) -> Result<(), WriteError> {
        self.response.repeat(bytes, interval)
    }
}

/// Appends JSON; takes back what a failing value has left.
fn write_json(buffer: &mut Vec<u8>, value: &impl Serialize) -> Result<(), WriteError> {
    let length = buffer.len();
    serde_json::to_writer(&mut *buffer, value).map_err(|error| {
        buffer.truncate(length);
        not_json(error)
    })
}
